"""Quantised networks in files: a kind of model file of their own."""

import math
import os
from typing import TYPE_CHECKING
from typing import Any

import msgspec
import numpy as np

from spikenn_cy.data.arrays import AXES_MAX
from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.arrays import end_of_time
from spikenn_cy.data.labels import class_names
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.layers.conv import ConvConfig
from spikenn_cy.network.integer.layer import BITS
from spikenn_cy.network.integer.layer import POTENTIAL
from spikenn_cy.network.integer.layer import WEIGHT
from spikenn_cy.network.integer.layer import IntegerLayer
from spikenn_cy.storage.arrays import ArrayFile
from spikenn_cy.storage.arrays import Wanted
from spikenn_cy.storage.arrays import open_arrays
from spikenn_cy.storage.arrays import refusing
from spikenn_cy.storage.model_archive import read_header
from spikenn_cy.storage.model_archive import require_arrays
from spikenn_cy.storage.model_archive import write_model
from spikenn_cy.storage.model_kinds import QUANTISED
from spikenn_cy.storage.model_kinds import require_kind

if TYPE_CHECKING:
    from spikenn_cy.network.integer.model import IntegerReadout

FORMAT = 1
SAVED, WHOLE = "must be a file that IntegerReadout.save wrote", "must hold a whole model"
TIME_BITS = range(1, 9)  # of a level of time


class DenseHeader(msgspec.Struct, tag="dense", tag_field="type"):
    """A fully connected layer beside its arrays."""

    exponent: int
    n_neurons: int


class ConvHeader(msgspec.Struct, tag="conv", tag_field="type"):
    """A convolution beside its arrays."""

    exponent: int
    n_filters: int
    kernel_size: int
    padding: int
    pool: int


class Widths(msgspec.Struct):
    """Bits of a weight and of a level of time."""

    bits: int
    time_bits: int


class Header(msgspec.Struct, kw_only=True):
    """All of the file that is not an array; ``integers`` tells it from other model files."""

    format: int = FORMAT
    integers: Widths
    n_classes: int
    max_time: float
    input_shape: list[int]
    layers: list[DenseHeader | ConvHeader]


def save(model: "IntegerReadout", path: str | os.PathLike[str]) -> None:
    """Write a network to one file, atomically; raise `RunError` if that cannot be done."""
    header = Header(
        integers=Widths(model.bits, model.time_bits),
        n_classes=model.n_classes,
        max_time=model.max_time,
        input_shape=list(model.input_shape),
        layers=[_header_of(layer) for layer in model.layers],
    )
    arrays: dict[str, Any] = {"classes": model.classes}
    for k, layer in enumerate(model.layers):
        arrays |= {f"weights_{k}": layer.weights, f"thresholds_{k}": layer.thresholds}
    write_model(path, header, arrays)


def load(
    path: str | os.PathLike[str],
) -> tuple[tuple[IntegerLayer, ...], int, int, float, np.ndarray, tuple[int, ...]]:
    """Return what an `IntegerReadout` is made of; raise `DataError` if the file holds anything else."""
    with open_arrays(path, SAVED) as file:
        with refusing(path, SAVED):
            require_kind(file, QUANTISED)
            header = read_header(file, Header, FORMAT)
        with refusing(path, WHOLE):
            layers = _layers_of(header, file)
            classes = class_names(file["classes"], "classes")
            widths, shape = header.integers, tuple(header.input_shape)
            return layers, widths.bits, widths.time_bits, end_of_time(header.max_time, "max_time"), classes, shape


def _header_of(layer: IntegerLayer) -> DenseHeader | ConvHeader:
    if layer.conv is None:
        return DenseHeader(layer.exponent, layer.n_neurons)
    conv = layer.conv
    return ConvHeader(layer.exponent, conv.n_filters, conv.kernel_size, conv.padding, conv.pool)


def _layers_of(header: Header, file: ArrayFile) -> tuple[IntegerLayer, ...]:
    """Return the layers, of which kernels may rely on every size and bound; whatever is wrong raises, of any type."""
    bits, shape = header.integers.bits, tuple(header.input_shape)
    require(bits in BITS, "bits", "must be from 2 to 8", bits)
    require(header.integers.time_bits in TIME_BITS, "time_bits", "must be from 1 to 8", header.integers.time_bits)
    sizes = len(shape) in range(1, AXES_MAX + 1) and min(shape) >= 1 and math.prod(shape) <= COUNT_MAX
    require(sizes, "input_shape", f"must number at most {COUNT_MAX} inputs", list(shape))
    require(len(header.layers) > 0, "layers", "must be one or more", 0)
    settings, layout = [], {"classes": Wanted((header.n_classes,), "iuSU")}
    for k, one in enumerate(header.layers):
        conv = _conv_of(one, k, len(header.layers))
        if conv is not None:
            conv.check_against(shape)
        n = one.n_filters if isinstance(one, ConvHeader) else one.n_neurons
        require(1 <= n <= COUNT_MAX, f"layers[{k}]", f"must have from 1 to {COUNT_MAX} neurons", n)
        weights = (n, math.prod(shape)) if conv is None else conv.weights_shape(shape)
        layout |= {f"weights_{k}": Wanted(weights, "i"), f"thresholds_{k}": Wanted((n,), "i")}
        settings.append((shape, conv))
        shape = (n,) if conv is None else conv.output_shape(shape)
    ok = header.n_classes >= 1 and shape[0] % header.n_classes == 0
    require(ok, "n_classes", f"must be 1 or more, and divide the {shape[0]} output neurons", header.n_classes)
    require_arrays(file, layout)
    return tuple(_layer(k, one, *settings[k], bits, file) for k, one in enumerate(header.layers))


def _conv_of(one: DenseHeader | ConvHeader, position: int, n_layers: int) -> ConvConfig | None:
    if isinstance(one, DenseHeader):
        return None
    require(position == 0 and n_layers > 1, f"layers[{position}]", "must be dense but for the first of several", "conv")
    return ConvConfig(n_filters=one.n_filters, kernel_size=one.kernel_size, padding=one.padding, pool=one.pool)


def _layer(
    position: int,
    one: DenseHeader | ConvHeader,
    shape: tuple[int, ...],
    conv: ConvConfig | None,
    bits: int,
    file: ArrayFile,
) -> IntegerLayer:
    weights, thresholds = file[f"weights_{position}"], file[f"thresholds_{position}"]
    for array, wanted in ((weights, WEIGHT), (thresholds, POTENTIAL)):
        require(array.dtype == wanted, f"arrays of layer {position}", f"must be {wanted}", array.dtype, DataError)
    low, high = int(weights.min()), int(weights.max())
    ok = low >= -(1 << (bits - 1)) and high < 1 << (bits - 1)
    require(ok, f"weights_{position}", f"must be whole numbers of {bits} bits", (low, high))
    ok = conv is None or int(thresholds.min()) >= 0
    require(ok, f"thresholds_{position}", "must be >= 0 for a neuron to wait for its input", thresholds.min())
    return IntegerLayer(weights, thresholds, one.exponent, shape, conv)
