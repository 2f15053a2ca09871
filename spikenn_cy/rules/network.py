"""The settings that rules share which train every layer of a network."""

from typing import Annotated
from typing import ClassVar
from typing import Literal

from spikenn_cy.layers.feedbacks import FEEDBACKS
from spikenn_cy.rules._network import NetworkRule
from spikenn_cy.rules.settings import RuleConfig
from spikenn_cy.settings.convert import Choice

SAMPLES_A_STEP = 5000  # of a schedule by samples


class NetworkRuleConfig(RuleConfig, frozen=True, kw_only=True):
    """A rule that trains every layer.

    ``rate`` is a factor on the rates of all layers. They fall to ``final_rate`` times what they are over the epochs
    of a ``fit``: after each epoch, or (``"schedule": "samples"``) after each 5,000 samples. ``window`` is the width
    of the surrogate derivative, as a share of the threshold, and ``feedback`` how errors reach hidden layers: by the
    weights above (``transport``), by weights of their own that learn alike (``mirrored``) or that stay as drawn
    (``random``).
    """

    every_layer: ClassVar[bool] = True

    feedback: Annotated[str, Choice(FEEDBACKS)] = "transport"
    window: float = 0.5
    rate: float = 1.0
    final_rate: float = 0.02
    schedule: Literal["epochs", "samples"] = "epochs"

    def check(self) -> None:
        self.rule(self.window > 0, "window", "must be > 0")
        self.rule(self.rate >= 0, "rate", "must be >= 0")
        self.rule(0 < self.final_rate <= 1, "final_rate", "must be > 0 and at most 1")

    def build(self, n_classes: int, n_per_class: int, max_time: float, decision_at: float) -> NetworkRule:
        """Return the compiled rule; for the arguments see ``NetworkRule``."""
        raise NotImplementedError

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
