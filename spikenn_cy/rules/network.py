"""The settings that rules share which train every layer of a network."""

from collections.abc import Collection
from typing import ClassVar
from typing import Literal

from spikenn_cy.layers import LAYERS
from spikenn_cy.layers.face import Figures
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.layers.face import Start
from spikenn_cy.rules._network import NetworkRule
from spikenn_cy.rules.settings import RuleConfig

SAMPLES_A_STEP = 5000  # of a schedule by samples


class NetworkRuleConfig(RuleConfig, frozen=True, kw_only=True):
    """A rule that trains every layer.

    ``rate`` is a factor on the rates of all layers. They fall to ``final_rate`` times what they are over the epochs
    of a ``fit``: after each epoch, or (``"schedule": "samples"``) after each 5,000 samples.

    Attributes
    ----------
    redraws_silent : bool
        Whether hidden neurons that no sample of an epoch made fire are drawn anew.
    layer_types : tuple of str
        Keys of ``LAYERS`` that the rule can train.
    """

    every_layer: ClassVar[bool] = True
    redraws_silent: ClassVar[bool] = False
    layer_types: ClassVar[Collection[str]] = LAYERS

    rate: float = 1.0
    final_rate: float = 0.02
    schedule: Literal["epochs", "samples"] = "epochs"

    def check(self) -> None:
        self.rule(self.rate >= 0, "rate", "must be >= 0")
        self.rule(0 < self.final_rate <= 1, "final_rate", "must be > 0 and at most 1")

    @property
    def counts_epochs(self) -> bool:
        return self.final_rate != 1

    def build(self, n_classes: int, n_per_class: int, max_time: float, decision_at: float) -> NetworkRule:
        """Return the compiled rule; for the arguments see ``NetworkRule``."""
        raise NotImplementedError

    @property
    def feedback_kind(self) -> str:
        """The key of ``FEEDBACKS`` by which errors reach hidden layers."""
        return "transport"

    @property
    def surrogate_window(self) -> float:
        """Width of the surrogate derivative, as a share of the threshold."""
        return 1.0

    def start(self, layer: NetworkLayer, below: NetworkLayer | None, is_last: bool, figures: Figures) -> Start:
        """Return where a layer starts on another one, or on the data, if its settings say nothing."""
        return layer.start_on(below, is_last, figures)

    def decay(self, n_seen: int, n_epoch: int, epochs: int) -> float:
        """Return the factor on all rates.

        Parameters
        ----------
        n_seen : int
            Samples that this ``fit`` has trained on.
        n_epoch : int
            Samples of an epoch.
        epochs : int
        """
        if self.schedule == "samples":
            return float(self.final_rate ** (n_seen // SAMPLES_A_STEP / (n_epoch * epochs / SAMPLES_A_STEP)))
        return float(self.final_rate ** (n_seen // n_epoch / epochs))
