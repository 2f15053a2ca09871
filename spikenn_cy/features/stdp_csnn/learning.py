"""Learning from patches of images, epoch by epoch, at rates that fall."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from spikenn_cy.convolution._filters import Filters
from spikenn_cy.dtypes import REAL
from spikenn_cy.features._patch_learner import PatchLearner
from spikenn_cy.features.stdp_csnn.coding import Scaling
from spikenn_cy.features.stdp_csnn.settings import STDPCSNNConfig
from spikenn_cy.utils.progress import Progress

TICK = 2048  # patches between two looks at a progress bar and at Ctrl-C


class PatchRule(NamedTuple):
    """How the winner's weights and all thresholds move after a patch.

    Attributes
    ----------
    potentiate, depress : float32
        Rates of STDP.
    beta : float
        Exponent of the multiplicative rule.
    tau : float
        Time constant of the biological rule; 0: the multiplicative one.
    threshold_rate : float32
    target : float or None
        Time at which the winner should fire, if any.
    least : float
        What no threshold falls below.
    """

    potentiate: np.float32
    depress: np.float32
    beta: float
    tau: float
    threshold_rate: np.float32
    target: float | None
    least: float

    @classmethod
    def from_config(cls, config: STDPCSNNConfig) -> "PatchRule":
        """Return the rule of the first epoch."""
        potentiate, depress = map(REAL.type, config.rates)
        return cls(
            potentiate=potentiate,
            depress=depress,
            beta=config.conv1_stdp_b,
            tau=config.conv1_stdp_t if config.conv1_stdp == "biological" else 0.0,
            threshold_rate=REAL.type(config.conv1_lr_th),
            target=None if config.conv1_t_obj == -1 else config.conv1_t_obj,
            least=config.conv1_min_th,
        )

    def annealed(self, factor: np.float32) -> "PatchRule":
        """Return the rule of the next epoch: all rates times ``factor``."""
        return self._replace(
            potentiate=self.potentiate * factor,
            depress=self.depress * factor,
            threshold_rate=self.threshold_rate * factor,
        )


def patch_ends(config: STDPCSNNConfig, shape: tuple[int, ...]) -> list[int]:
    """Return the last row and column of a patch to learn from in images of a shape, and one more each."""
    kernel = config.kernel_shape
    ends = [side - k + 1 for side, k in zip(shape[:2], kernel, strict=True)]
    if config.reference_compatible:
        ends = [end - k + 1 for end, k in zip(ends, kernel, strict=True)]
    return ends


def learned_filters(
    config: STDPCSNNConfig, values: npt.NDArray[np.float32], scaling: Scaling, seed: int, verbose: bool
) -> Filters:
    """Return filters that have seen one random patch of each filtered image, ``conv1_epochs`` times."""
    generator = np.random.default_rng(seed)
    filters = initial_filters(config, scaling.low.shape[2], generator)
    compatible = config.reference_compatible
    learner = PatchLearner(filters, *scaling, late=compatible, strict=compatible)
    rule, annealing = PatchRule.from_config(config), REAL.type(config.conv1_annealing)
    n_images, ends = len(values), patch_ends(config, values.shape[1:])
    with Progress(config.conv1_epochs * n_images, "STDP", unit="patches", show=verbose) as progress:
        for _ in range(config.conv1_epochs):
            offsets = generator.integers(ends, size=(n_images, 2))
            for start in range(0, n_images, TICK):
                some = slice(start, start + TICK)
                learner.learn(values[some], offsets[some], rule)
                progress.step(len(offsets[some]))
            rule = rule.annealed(annealing)
    return filters


def initial_filters(config: STDPCSNNConfig, n_channels: int, generator: np.random.Generator) -> Filters:
    """Draw the weights of filters that have learned nothing yet."""
    shape = (*config.kernel_shape, n_channels, config.conv1_c)
    drawn = generator.standard_normal(shape, dtype=REAL.type)
    drawn = drawn * REAL.type(config.conv1_w_init_std) + REAL.type(config.conv1_w_init_mean)
    return Filters(np.clip(drawn, 0, 1), np.full(config.conv1_c, config.conv1_th, REAL))
