"""R-STDP, which rewards or punishes the first neuron to fire."""

from spikenn_cy.rules._rstdp import RSTDP
from spikenn_cy.rules.stdp import STDPConfig


class RSTDPConfig(STDPConfig, kw_only=True, tag_field="method", tag="rstdp"):
    """``"optimizer": {"method": "rstdp", ...}``.

    With ``adaptive_lr`` a reward is scaled by the share of wrong and a punishment by
    the share of right answers of the epoch before.
    """

    adaptive_lr: bool = True

    def build(self, *layout_and_time: float) -> RSTDP:
        """Return the compiled rule; for the arguments see ``Rule``."""
        return RSTDP(self, *layout_and_time)
