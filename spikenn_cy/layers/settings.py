"""The settings that every layer shares, and those of a layer that learns below others."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import ClassVar
from typing import Literal

import msgspec
import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.neurons.integrate_and_fire import IFConfig
from spikenn_cy.neurons.settings import NeuronConfig
from spikenn_cy.settings.records import Record

if TYPE_CHECKING:
    from spikenn_cy.layers.face import NetworkLayer

LARGEST_SINGLE = 3.4028234e38
AUTO = "auto"  # of a threshold that is left to the data


def single(value: float) -> float:
    """Return a number rounded to single precision, as the kernels have it."""
    return float(REAL.type(value)) if abs(value) <= LARGEST_SINGLE else float(np.copysign(np.inf, value))


class LayerSettings(Record, frozen=True, kw_only=True):
    """Settings of a layer of any network; a subclass has the tag that ``type`` names."""

    def check_threshold(self) -> None:
        """Raise unless ``firing_threshold`` is a threshold of single precision, as the kernels have it, or AUTO."""
        threshold = self.firing_threshold
        if threshold != AUTO:
            self.rule(single(threshold) > 0, "firing_threshold", "must be > 0")
            self.rule(single(threshold) < np.inf, "firing_threshold", f"must be below {LARGEST_SINGLE}")

    if TYPE_CHECKING:

        def __getattr__(self, key: str) -> Any: ...  # each layer has settings of its own


_BOUNDS = "weights of a network that learns in every layer have signs and no bounds"

# Settings of a layer that alone learns, and why they cannot apply where every layer does.
REFUSED = {
    "w_init_normal": "initial weights of a network that learns in every layer are always normal",
    "w_norm": "sums of weights are what a network that learns in every layer learns, too",
    "w_min": _BOUNDS,
    "w_max": _BOUNDS,
    "leak_tau": "a network that learns in every layer has neurons without leak",
    "neuron": "a network that learns in every layer has integrate-and-fire neurons without leak",
}


class NetworkLayerConfig(LayerSettings, frozen=True, kw_only=True):
    """What layers of all types share, in a network that learns in every layer.

    ``firing_threshold`` is in units of potential; that of the last layer is where it starts. ``"auto"`` is 1, which
    the weights are drawn to suit. ``w_init_mean``, ``w_init_std`` and ``rate`` default to what suits the data of the
    first ``fit`` (docs/networks.md). ``dropout`` is the share of the layer's spikes that are lost in training.
    """

    inapplicable: ClassVar[Mapping[str, str]] = REFUSED

    firing_threshold: float | Literal["auto"] = 1.0
    w_init_mean: float | None = None
    w_init_std: float | None = None
    rate: float | None = None
    dropout: float = 0.0

    def check(self) -> None:
        if self.firing_threshold == AUTO:
            msgspec.structs.force_setattr(self, "firing_threshold", 1.0)
        self.check_threshold()
        self.rule(self.w_init_std is None or self.w_init_std >= 0, "w_init_std", "must be >= 0 or null")
        self.rule(self.rate is None or self.rate >= 0, "rate", "must be >= 0 or null")
        self.rule(0 <= self.dropout < 1, "dropout", "must be >= 0 and < 1")

    @property
    def patch(self) -> tuple[int, int] | None:
        """Size and padding of the part of an image that a unit sees, or None: it sees all inputs, of any shape."""
        return None

    @property
    def neuron_model(self) -> NeuronConfig:
        """Settings of the layer's neurons: they integrate, and do not leak."""
        return IFConfig()

    def check_against(self, input_shape: tuple[int, ...]) -> None:
        """Raise `InvalidSetting` unless the layer can stand on inputs of this shape."""

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the units that the layer above sees."""
        raise NotImplementedError

    def weights_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the weights, as users see them: of each neuron or filter."""
        raise NotImplementedError

    def build(self, position: int, input_shape: tuple[int, ...]) -> "NetworkLayer":
        """Return the layer, with weights of 0."""
        raise NotImplementedError
