"""Quantised networks as one C header, for processors that have neither an interpreter nor floating point."""

import os
import textwrap
from collections.abc import Iterable
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.labels import plain_names
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.export import c99_text
from spikenn_cy.network.integer.layer import THRESHOLD_BYTES
from spikenn_cy.network.integer.layer import IntegerLayer
from spikenn_cy.network.integer.model import IntegerReadout
from spikenn_cy.network.integer.model import storage_bits
from spikenn_cy.utils.atomic import atomic_file
from spikenn_cy.version import __version__

INPUTS_MAX = 1 << 16  # which uint16_t numbers
WIDTH = 120


def header_bytes(model: IntegerReadout) -> bytes:
    """Return the content of a C99 header that decides as the network does, to the bit.

    Raises
    ------
    DataError
        If the network has more inputs than 16 bits can number.
    """
    rule = f"must have at most {INPUTS_MAX} inputs for C, which numbers them by 16 bits"
    require(model.n_inputs <= INPUTS_MAX, "network", rule, model.n_inputs, DataError)
    return "".join(_parts(model)).encode("ascii")


def write_samples(model: IntegerReadout, dataset: SpikingDataset, path: str | os.PathLike[str]) -> None:
    """Write samples as text for the program that an exported header is with ``SPIKENN_MAIN``.

    Parameters
    ----------
    model : IntegerReadout
        Whose levels of time are taken.
    dataset : SpikingDataset
        Its labels, if it has any, are not written.
    path : path-like
        One line a sample: the number of spikes, then the input and the level of each, in order of time.

    Raises
    ------
    DataError
        If the data do not suit the network.
    RunError
        If the file cannot be written.
    """
    spikes = np.stack([dataset.indices, model.levels(dataset)], axis=1)
    with atomic_file(path, "w") as file:
        for first, last in zip(dataset.indptr[:-1].tolist(), dataset.indptr[1:].tolist(), strict=True):
            file.write(" ".join(map(str, [last - first, *spikes[first:last].ravel().tolist()])) + "\n")


def packed(weights: npt.NDArray[np.int8], bits: int) -> npt.NDArray[np.int8] | npt.NDArray[np.uint8]:
    """Return weights as bytes, several of few bits in each, the first in the lowest bits.

    Parameters
    ----------
    weights : ndarray of int8
    bits : int
        Of each: 2, 4 or 8, of which the first two are packed.
    """
    flat = weights.ravel()
    if bits == 8:
        return flat
    per_byte = 8 // bits
    fields = np.zeros(-(-len(flat) // per_byte) * per_byte, np.uint8)
    fields[: len(flat)] = flat.view(np.uint8) & ((1 << bits) - 1)
    shifted = fields.reshape(-1, per_byte) << np.arange(0, 8, bits, dtype=np.uint8)
    parts: npt.NDArray[np.uint8] = np.bitwise_or.reduce(shifted, axis=1)
    return parts


def _parts(model: IntegerReadout) -> Iterator[str]:
    """Yield the parts of the header, from its first line to its last."""
    yield _opening(model)
    width, last = storage_bits(model.bits), len(model.layers) - 1
    yield c99_text.WEIGHT[width]
    for k, layer in enumerate(model.layers):
        yield _arrays(k, layer, width)
    for k in range(last, -1, -1):
        yield _charging(k, model.layers[k])
        if k < last:
            yield _firing(k, model.layers[k])
    n_outputs = model.layers[last].n_neurons
    yield c99_text.DECIDING.format(k=last, n_units=n_outputs, n_per_class=n_outputs // model.n_classes)
    steps = "".join(c99_text.STEP.format(k=k) for k in range(last))
    yield c99_text.CLASSIFY.format(resets="".join(_resets(model.layers)), steps=steps)
    yield c99_text.MAIN


def _opening(model: IntegerReadout) -> str:
    """Return the comment that the header begins with, and its constants."""
    sizes = " -> ".join(f"{n:,}" for n in (model.n_inputs, *(layer.n_neurons for layer in model.layers)))
    n_thresholds = THRESHOLD_BYTES * sum(layer.thresholds.size for layer in model.layers)
    n_state = sum(map(_state_bytes, model.layers)) - model.layers[-1].n_neurons  # of outputs nobody asks if they fired
    classes = (f"class {number} is {_in_comment(name)}" for number, name in enumerate(plain_names(model.classes)))
    return c99_text.OPENING.format(
        version=__version__,
        sizes=sizes,
        bits=model.bits,
        levels=model.n_levels,
        weight_bytes=f"{model.n_bytes - n_thresholds:,}",
        threshold_bytes=f"{n_thresholds:,}",
        state_bytes=f"{n_state:,}",
        classes="\n".join(f" * {line}" for line in classes),
        max_time=repr(float(np.float32(model.max_time))),
        n_inputs=model.n_inputs,
        n_classes=model.n_classes,
    )


def _in_comment(name: object) -> str:
    """Return a label so that nothing in it ends a comment, begins one, or is a trigraph."""
    text = ascii(name)
    for mark in ("*/", "/*", "??"):
        text = text.replace(mark, " ".join(mark))
    return text


def _arrays(k: int, layer: IntegerLayer, width: int) -> str:
    table = packed(layer.by_input(), width)
    kind = "int8_t" if width == 8 else "uint8_t"
    what = c99_text.DENSE_WEIGHTS if layer.conv is None else c99_text.CONV_WEIGHTS
    shape = layer.by_input().shape
    return c99_text.ARRAYS.format(
        k=k,
        what=what.format(*shape),
        unit=layer.exponent,
        kind=kind,
        weights=_rows(table.tolist()),
        n_weights=table.size,
        thresholds=_rows(layer.thresholds.tolist()),
        n_thresholds=layer.thresholds.size,
        n_potentials=_n_potentials(layer),
    )


def _rows(values: Iterable[int]) -> str:
    """Return numbers as lines of an initialiser; the one that C has no literal for is written as a difference."""
    lowest = -(2**31)
    text = ", ".join("-2147483647 - 1" if value == lowest else str(value) for value in values)
    return textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _n_potentials(layer: IntegerLayer) -> int:
    """Return the number of potentials: of positions, those that belong to no unit left out."""
    return layer.n_neurons * (1 if layer.conv is None else layer.conv.pool**2)


def _state_bytes(layer: IntegerLayer) -> int:
    """Return the bytes that the layer takes of memory that decisions change: potentials, and a byte for each unit."""
    touched = 0 if layer.conv is None else 2 * 4 * layer.output_shape[0]
    return THRESHOLD_BYTES * _n_potentials(layer) + layer.n_neurons + touched


def _charging(k: int, layer: IntegerLayer) -> str:
    if layer.conv is None:
        return c99_text.CHARGE_DENSE.format(k=k, n_units=layer.n_neurons)
    return c99_text.CHARGE_CONV.format(k=k, **_geometry(layer))


def _firing(k: int, layer: IntegerLayer) -> str:
    if layer.conv is None:
        return c99_text.FIRE_DENSE.format(k=k, above=k + 1, n_units=layer.n_neurons)
    return c99_text.FIRE_CONV.format(k=k, above=k + 1, **_geometry(layer))


def _resets(layers: tuple[IntegerLayer, ...]) -> Iterator[str]:
    """Yield what makes each layer ready for a sample."""
    *hidden, output = layers
    for k, layer in enumerate(hidden):
        yield c99_text.RESET.format(k=k, n_units=layer.n_neurons, n_potentials=_n_potentials(layer))
        if layer.conv is not None:
            rows, columns, _ = layer.output_shape
            yield c99_text.TOUCH_NOTHING.format(k=k, rows=rows, columns=columns)
    yield c99_text.RESET_OUTPUT.format(k=len(hidden), n_units=output.n_neurons)


def _geometry(layer: IntegerLayer) -> dict[str, int]:
    assert layer.conv is not None
    pool_rows, pool_columns, n_filters = layer.output_shape
    _, columns, channels = layer.image
    return {
        "columns": columns,
        "channels": channels,
        "size": layer.conv.kernel_size,
        "padding": layer.conv.padding,
        "pool": layer.conv.pool,
        "pool_rows": pool_rows,
        "pool_columns": pool_columns,
        "n_filters": n_filters,
    }
