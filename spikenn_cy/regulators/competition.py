"""Competition regulation, which keeps one neuron of a class from winning every sample."""

from spikenn_cy.regulators._competition import Competition
from spikenn_cy.settings.records import Record


class CompetitionConfig(Record, kw_only=True):
    """``"regularizer": {...}``, between the target neurons of a sample's class.

    ``thr_lr`` is the threshold change per sample, in units of potential, and is
    multiplied by ``thr_anneal`` after every epoch; ``thr_lr <= 0`` turns regulation off.
    With ``use_two_thr`` the adapted thresholds are used in training only (CR-2), without
    it they become the inference thresholds at the end of each epoch (CR-1).

    Source: Goupy, Tirilly, Bilasco, NeurIPS 2024.
    """

    thr_lr: float
    thr_anneal: float = 1.0
    use_two_thr: bool = True

    def check(self) -> None:
        self.rule(self.thr_anneal >= 0, "thr_anneal", "must be >= 0")

    def build(self, *layout: int) -> Competition:
        """Return the compiled regulator; for the arguments see ``Regulator``."""
        return Competition(self, *layout)
