"""R-STDP, which rewards or punishes the first neuron to fire."""

from collections.abc import Mapping
from typing import ClassVar

from spikenn_cy.rules._rstdp import RSTDP
from spikenn_cy.rules.stdp import STDPConfig
from spikenn_cy.rules.suggestion import Suggestion


class RSTDPConfig(STDPConfig, frozen=True, kw_only=True, tag_field="method", tag="rstdp"):
    """``"optimizer": {"method": "rstdp", ...}``.

    With ``adaptive_lr`` a reward is scaled by the share of wrong and a punishment by
    the share of right answers of the epoch before.

    The weight of a sample is a factor on its reward or punishment.

    Source: Mozafari et al., IEEE Transactions on Neural Networks and Learning Systems 2018.
    """

    suggestions: ClassVar[Mapping[str, Suggestion]] = {"rstdp": Suggestion({"ap": 0.02, "am": -0.01})}

    adaptive_lr: bool = True

    def build(self, *layout_and_time: float) -> RSTDP:
        """Return the compiled rule; for the arguments see ``Rule``."""
        return RSTDP(self, *layout_and_time)
