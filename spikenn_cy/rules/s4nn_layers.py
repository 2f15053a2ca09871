"""S4NN in every layer, as published, to compare with."""

import math
from typing import ClassVar

from spikenn_cy.layers.face import Figures
from spikenn_cy.layers.face import NetworkLayer
from spikenn_cy.layers.face import Start
from spikenn_cy.rules._s4nn_layers import S4NNLayers
from spikenn_cy.rules.network import NetworkRuleConfig

# The paper's uniform weights of 784-400-10, from 0 to 5 and from 0 to 50 with thresholds of 100, and its rate of 0.2,
# for thresholds of 1, on MNIST's 105 input spikes a sample and 400 hidden neurons.
N_SPIKES, N_HIDDEN, RATE = 105, 400, 0.002
MEANS = 0.025, 0.25


class S4NNLayersConfig(NetworkRuleConfig, frozen=True, kw_only=True, tag_field="method", tag="s4nn_layers"):
    """``"optimizer": {"method": "s4nn_layers"}``: dense layers alone, with errors in time.

    ``t_gap`` is the time by which neurons of other classes should fire after the first, as a share of ``max_time``.
    Hidden neurons that no sample of an epoch made fire are drawn anew after it. The paper's decay of weights is left
    out, since it would touch every weight for every sample. See docs/networks.md.

    The weight of a sample is a factor on the rates of all layers, since errors are normalised.

    Source: Kheradpisheh, Masquelier, International Journal of Neural Systems 2020.
    """

    redraws_silent: ClassVar[bool] = True
    layer_types: ClassVar[tuple[str, ...]] = ("dense",)

    t_gap: float = 0.012
    final_rate: float = 1.0

    def check(self) -> None:
        super().check()
        self.rule(0 <= self.t_gap < 1, "t_gap", "must be >= 0 and < 1")

    def start(self, layer: NetworkLayer, below: NetworkLayer | None, is_last: bool, figures: Figures) -> Start:
        """Return the paper's weights and rates, scaled by what charges a neuron."""
        scale = N_SPIKES / figures.mean_spikes if below is None else N_HIDDEN / below.n_neurons
        mean = MEANS[below is not None] * scale
        return Start(mean, mean / math.sqrt(3), RATE * scale)

    def build(self, n_classes: int, n_per_class: int, max_time: float, decision_at: float) -> S4NNLayers:
        """Return the compiled rule; it wants no time of decisions."""
        return S4NNLayers(self, n_classes, n_per_class, max_time)
