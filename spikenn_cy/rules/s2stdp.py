"""S2-STDP, which moves every neuron's spike to a time around the layer's mean; its bounded form is SSTDP."""

from collections.abc import Mapping
from typing import ClassVar

from spikenn_cy.rules._s2stdp import S2STDP
from spikenn_cy.rules.stdp import STDPConfig
from spikenn_cy.rules.suggestion import Suggestion


class S2STDPConfig(STDPConfig, frozen=True, kw_only=True, tag_field="method", tag="s2stdp"):
    """``"optimizer": {"method": "s2stdp", ...}``.

    ``t_gap`` is the time between the desired spikes of target and non-target neurons,
    in the data's unit of time. ``class_inhib`` lets only the first neuron of each class
    learn. ``use_time_ranges`` turns desired times into bounds, which makes it SSTDP.
    The weight of a sample is a factor on its errors, so on the step of each neuron that
    learns; desired times stay.

    Sources: Goupy, Tirilly, Bilasco, Frontiers in Neuroscience 2024 (S2-STDP) and
    NeurIPS 2024 (Neuronal Competition Groups); Liu et al., Frontiers in Neuroscience 2021 (SSTDP).
    """

    suggestions: ClassVar[Mapping[str, Suggestion]] = {
        "s2stdp": Suggestion({"ap": 0.03, "am": -0.02}, {"t_gap": 0.2}, w_norm=True),
        "sstdp": Suggestion({"ap": 0.03, "am": -0.02, "use_time_ranges": True}, {"t_gap": 0.2}, w_norm=True),
    }

    t_gap: float
    class_inhib: bool = False
    use_time_ranges: bool = False

    def check(self) -> None:
        super().check()
        self.rule(self.t_gap >= 0, "t_gap", "must be >= 0")

    def build(self, *layout_and_time: float) -> S2STDP:
        """Return the compiled rule; for the arguments see ``Rule``."""
        return S2STDP(self, *layout_and_time)
