"""S4NN, which follows a normalised temporal error with potentiation alone."""

from collections.abc import Mapping
from typing import ClassVar

from spikenn_cy.rules._s4nn import S4NN
from spikenn_cy.rules.stdp import AnnealedConfig
from spikenn_cy.rules.suggestion import Suggestion


class S4NNConfig(AnnealedConfig, frozen=True, kw_only=True, tag_field="method", tag="s4nn"):
    """``"optimizer": {"method": "s4nn", ...}``.

    ``lr`` is the weight change per unit of normalised error, ``t_gap`` the time by which
    non-target neurons should fire after the first, in the data's unit of time. ``class_inhib``
    lets only the first neuron of each class learn. Without ``use_time_ranges`` desired times are
    no bounds, but to be met.

    The weight of a sample is a factor on its errors after they were normalised.

    Source: Kheradpisheh, Masquelier, International Journal of Neural Systems 2020.
    """

    suggestions: ClassVar[Mapping[str, Suggestion]] = {"s4nn": Suggestion({"lr": 0.02}, {"t_gap": 0.3}, w_min=-1.0)}

    lr: float
    t_gap: float
    class_inhib: bool = False
    use_time_ranges: bool = True

    def check(self) -> None:
        super().check()
        self.rule(self.lr >= 0, "lr", "must be >= 0")
        self.rule(self.t_gap >= 0, "t_gap", "must be >= 0")

    def build(self, *layout_and_time: float) -> S4NN:
        """Return the compiled rule; for the arguments see ``Rule``."""
        return S4NN(self, *layout_and_time)
