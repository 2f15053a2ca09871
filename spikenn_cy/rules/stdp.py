"""The settings that every STDP-based rule shares: which inputs move, how far, in which direction."""

from collections.abc import Iterator
from typing import Literal

from spikenn_cy.rules._base import Rule
from spikenn_cy.rules.settings import RuleConfig


class AnnealedConfig(RuleConfig, frozen=True, kw_only=True):
    """A rule of the last layer alone, whose rates are multiplied by ``annealing`` after every epoch."""

    annealing: float = 1.0

    def check(self) -> None:
        self.rule(self.annealing >= 0, "annealing", "must be >= 0")

    def build(self, *layout_and_time: float) -> Rule:
        """Return the compiled rule; for the arguments see ``Rule``."""
        raise NotImplementedError


class STDPConfig(AnnealedConfig, frozen=True, kw_only=True):
    """STDP rates per unit of error, for causal (``ap``) and anti-causal (``am``) inputs.

    ``anti_ap`` and ``anti_am`` are the rates of a negative error (of the punishment, in
    R-STDP) and default to ``-ap`` and ``-am``. ``beta``, ``w_min`` and ``w_max`` shape
    the multiplicative form only. With ``ignore_silent`` an input that did not fire is
    left alone unless the neuron was silent too.
    """

    ap: float
    am: float
    anti_ap: float | None = None
    anti_am: float | None = None
    stdp: Literal["additive", "multiplicative"] = "additive"
    beta: float = 1.0
    w_min: float = 0.0
    w_max: float = 1.0
    ignore_silent: bool = False

    def check(self) -> None:
        super().check()
        self.rule(self.w_min < self.w_max, "w_min", f"must be below w_max = {self.w_max}")

    def doubts(self) -> Iterator[tuple[str, str]]:
        for key, sign in (("ap", 1), ("am", -1), ("anti_ap", -1), ("anti_am", 1)):
            rate = getattr(self, key)
            if rate is not None and rate * sign < 0:
                usual = ">= 0" if sign > 0 else "<= 0"
                yield key, f"a rate of this sign turns the rule round; {usual} is usual, got {rate}"

    @property
    def rates(self) -> tuple[float, float, float, float]:
        """``(ap, am, anti_ap, anti_am)`` with the defaults filled in."""
        anti_ap = -self.ap if self.anti_ap is None else self.anti_ap
        anti_am = -self.am if self.anti_am is None else self.anti_am
        return self.ap, self.am, anti_ap, anti_am
