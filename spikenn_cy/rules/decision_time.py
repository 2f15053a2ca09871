"""Decision-time learning, which trains every layer by the potentials at the moment of the decision."""

from collections.abc import Mapping
from typing import Annotated
from typing import ClassVar
from typing import Literal

from spikenn_cy.layers.feedbacks import FEEDBACKS
from spikenn_cy.layers.settings import single
from spikenn_cy.rules._decision_time import DecisionTime
from spikenn_cy.rules.network import NetworkRuleConfig
from spikenn_cy.rules.suggestion import Suggestion
from spikenn_cy.settings.convert import Choice


class DecisionTimeConfig(NetworkRuleConfig, frozen=True, kw_only=True, tag_field="method", tag="decision_time"):
    """``"optimizer": {"method": "decision_time"}`` is complete.

    ``error`` is ``softmax``, with ``temperature`` in units of potential, which leaves a sample alone whose class has
    a probability above ``1 - skip``; or ``hinge``, with ``margin``. ``decision_at`` is the wanted mean time of
    decisions as a share of ``max_time``, the dial between speed and accuracy; null takes it from the data. The
    output's threshold follows it by ``threshold_rate``. ``window`` is the width of the surrogate derivative, as
    a share of the threshold, and ``feedback`` how errors reach hidden layers: by the weights above (``transport``), by
    weights of their own that learn alike (``mirrored``) or that stay as drawn (``random``). See docs/networks.md.
    The weight of a sample is a factor on the rates of all layers; neither ``skip`` nor the output's threshold
    sees it.
    """

    suggestions: ClassVar[Mapping[str, Suggestion]] = {
        "decision_time": Suggestion({"skip": 0.02}, hidden=(400,), hidden_settings={"dropout": 0.3})
    }

    feedback: Annotated[str, Choice(FEEDBACKS)] = "transport"
    window: float = 0.5
    error: Literal["softmax", "hinge"] = "softmax"
    temperature: float = 0.2
    margin: float = 0.5
    skip: float = 0.1
    decision_at: float | None = None
    threshold_rate: float = 0.01

    def check(self) -> None:
        super().check()
        self.rule(single(self.window) > 0, "window", "must be > 0")
        self.rule(self.temperature > 0, "temperature", "must be > 0")
        self.rule(self.margin >= 0, "margin", "must be >= 0")
        self.rule(0 <= self.skip < 1, "skip", "must be >= 0 and < 1")
        at = self.decision_at
        self.rule(at is None or 0 <= at <= 1, "decision_at", "must be from 0 to 1, or null")
        self.rule(self.threshold_rate >= 0, "threshold_rate", "must be >= 0")

    @property
    def feedback_kind(self) -> str:
        """``feedback``."""
        return self.feedback

    @property
    def moves_threshold(self) -> bool:
        """Unless ``threshold_rate`` is 0."""
        return self.threshold_rate > 0

    @property
    def surrogate_window(self) -> float:
        """``window``."""
        return self.window

    @property
    def temperature_of_classes(self) -> float | None:
        """``temperature``, of the error ``softmax``."""
        return self.temperature if self.error == "softmax" else None

    def build(self, n_classes: int, n_per_class: int, max_time: float, decision_at: float) -> DecisionTime:
        """Return the compiled rule; for the arguments see ``NetworkRule``."""
        return DecisionTime(self, n_classes, n_per_class, max_time, decision_at)
