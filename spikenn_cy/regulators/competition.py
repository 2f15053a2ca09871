"""Competition regulation, which keeps one neuron of a class from winning every sample."""

from spikenn_cy.regulators._competition import Competition
from spikenn_cy.regulators.settings import RegulatorConfig


class CompetitionConfig(RegulatorConfig, frozen=True, kw_only=True, tag_field="method", tag="competition"):
    """``"regularizer": {"method": "competition", ...}``, between the target neurons of a sample's class.

    ``method`` may be left out: files that were written when this was the only regulator have none.

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
