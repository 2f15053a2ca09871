"""The arithmetic of SoftHebb on PyTorch: without it the extractor would be settings and a file format.

Feature maps lie with their channels last, (images, rows, columns, channels), so that a
convolution is one product of matrices: patches, a row for each position, by filters. The
update multiplies the same patches again, which is twice as fast as the gradient of a
convolution that PyTorch has to offer.
"""

import contextlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np

from spikenn_cy.errors import ConfigError
from spikenn_cy.features.softhebb.settings import SoftHebbBlockConfig
from spikenn_cy.utils.extras import extra

EPSILON = 1e-5  # of batch normalisation
MOMENTUM = 0.1  # of its running averages


class BlockState(NamedTuple):
    """What a block has learned, as arrays of float32."""

    weights: np.ndarray  # (filters, channels, kernel, kernel)
    mean: np.ndarray  # (channels,) running average of the block's input
    variance: np.ndarray  # (channels,)


def require_torch() -> Any:
    """Return PyTorch, or say what to install."""
    with extra("softhebb", where="SoftHebbCNN"):
        import torch
    return torch


@contextlib.contextmanager
def settled(n_threads: int | None) -> Iterator[None]:
    """Compute without gradients and on ``n_threads`` threads (None: as many as PyTorch is set to)."""
    torch = require_torch()
    before = torch.get_num_threads()
    try:
        if n_threads is not None:
            torch.set_num_threads(n_threads)
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)


def device_named(name: str) -> str:
    """Return the device that ``"auto"``, ``"cpu"`` or ``"cuda"`` means here."""
    cuda = require_torch().cuda.is_available()
    if name == "cuda" and not cuda:
        raise ConfigError("device: must be one that PyTorch finds here, got cuda")
    return "cuda" if cuda and name == "auto" else "cpu" if name == "auto" else name


def used(n_positions: int, config: SoftHebbBlockConfig) -> int:
    """Return how many of the first ``n_positions`` of an axis the pooling of a block looks at."""
    return min(n_positions, (config.pooled(n_positions) - 1) * config.pool_stride + config.pool_size - config.pool_pad)


class Network:
    """Blocks of SoftHebb on a device.

    Parameters
    ----------
    configs : sequence of SoftHebbBlockConfig
    states : sequence of BlockState
    device : str
        As PyTorch names it.
    """

    def __init__(self, configs: Sequence[SoftHebbBlockConfig], states: Sequence[BlockState], device: str) -> None:
        self._torch = require_torch()
        self._device = device
        self._blocks = [Block(*pair, self._torch, device) for pair in zip(configs, states, strict=True)]

    def states(self) -> tuple[BlockState, ...]:
        """Return what the blocks have learned."""
        return tuple(block.state() for block in self._blocks)

    def pixels(self, images: np.ndarray) -> Any:
        """Return uint8 images of shape (n, rows, columns, channels) as a tensor of numbers in [0, 1]."""
        # A copy, since PyTorch warns of arrays that it may not write to.
        return self._torch.from_numpy(np.array(images, order="C")).to(self._device).float().div_(255)

    def learn(self, images: np.ndarray) -> None:
        """Learn from one mini-batch.

        Each block learns from its own input and hands on what it computed before. That is
        as if all had waited for the last one.
        """
        maps = self.pixels(images)
        for block in self._blocks[:-1]:
            maps = block.learn(maps)
        self._blocks[-1].learn(maps, hand_on=False)

    def features(self, images: np.ndarray) -> Any:
        """Return the last block's output, a tensor of shape (n, channels * rows * columns), all >= 0."""
        maps = self.pixels(images)
        for block in self._blocks:
            maps = block(maps)
        return maps.permute(0, 3, 1, 2).flatten(1)

    def norms(self) -> list[float]:
        """Return the mean Euclidean norm of the filters of each block."""
        return [float(block.norms().mean()) for block in self._blocks]


class Block:
    """Batch normalisation, convolution, Triangle and pooling; feature maps in and out have their channels last."""

    def __init__(self, config: SoftHebbBlockConfig, state: BlockState, torch: Any, device: str) -> None:
        self._torch = torch
        self._config = config
        self._n_channels = state.weights.shape[1]
        # A row for each filter, in the order of a patch: rows, columns, channels.
        matrix = state.weights.transpose(0, 2, 3, 1).reshape(len(state.weights), -1)
        self._weights, self._mean, self._variance = (
            torch.tensor(array, dtype=torch.float32, device=device) for array in (matrix, state.mean, state.variance)
        )
        self._change: Any = None

    def state(self) -> BlockState:
        """Return what the block has learned."""
        weights, mean, variance = (part.cpu().numpy() for part in (self._weights, self._mean, self._variance))
        kernel = self._config.kernel
        weights = weights.reshape(len(weights), kernel, kernel, self._n_channels).transpose(0, 3, 1, 2)
        return BlockState(np.array(weights, order="C"), mean.copy(), variance.copy())

    def norms(self) -> Any:
        """Return the Euclidean norm of each filter."""
        return self._torch.linalg.vector_norm(self._weights, dim=1)

    def __call__(self, maps: Any) -> Any:
        """Return the block's output by its running averages."""
        maps = (maps - self._mean) * self._torch.rsqrt(self._variance + EPSILON)
        _, rows, columns, _ = maps.shape
        # The average pooling of 7 by 7 positions leaves the last row and column out: 13 of 49 need no convolution.
        shape = used(rows, self._config), used(columns, self._config)
        patches = self._patches(maps, *shape)
        return self._pooled((patches @ self._weights.T).view(len(maps), *shape, -1))

    def learn(self, maps: Any, hand_on: bool = True) -> Any:
        """Make one step and return the block's output by the weights before it, or None if nobody needs it."""
        maps = self._normalised(maps)
        shape = maps.shape[:3]
        patches = self._patches(maps, *shape[1:])
        potentials = patches @ self._weights.T
        self._update(patches, potentials)
        return self._pooled(potentials.view(*shape, -1)) if hand_on else None

    def _normalised(self, maps: Any) -> Any:
        """Normalise a mini-batch by its own mean and variance, and let the running ones follow."""
        variance, mean = self._torch.var_mean(maps, dim=(0, 1, 2), correction=0)
        n = maps.numel() // self._n_channels
        self._mean.lerp_(mean, MOMENTUM)
        self._variance.lerp_(variance * (n / max(1, n - 1)), MOMENTUM)
        return (maps - mean) * self._torch.rsqrt(variance + EPSILON)

    def _patches(self, maps: Any, rows: int, columns: int) -> Any:
        """Return the kernel-sized patch round each of the first ``rows`` and ``columns`` positions, one to a row."""
        kernel = self._config.kernel
        border = kernel // 2
        padded = self._torch.nn.functional.pad(maps.permute(0, 3, 1, 2), 4 * [border], mode="reflect")
        padded = padded.permute(0, 2, 3, 1)
        n, _, _, n_channels = padded.shape
        image, row, column, channel = padded.stride()
        view = padded.as_strided(
            (n, rows, columns, kernel, kernel, n_channels), (image, row, column, row, column, channel)
        )
        return view.reshape(n * rows * columns, -1)

    def _update(self, patches: Any, potentials: Any) -> None:
        """Move the weights by one step of soft winner-take-all with anti-Hebbian losers."""
        torch, weights = self._torch, self._weights
        outputs = torch.softmax(potentials * self._config.inverse_temperature, dim=1)
        winners = potentials.argmax(dim=1, keepdim=True)
        won = outputs.gather(1, winners)
        outputs.neg_().scatter_(1, winners, won)

        # The largest array of a step, kept for the next one.
        self._change = torch.mm(outputs.T, patches, out=self._change)
        self._change.addcmul_((outputs * potentials).sum(dim=0)[:, None], weights, value=-1)
        low, high = torch.aminmax(self._change)
        largest = torch.maximum(-low, high) + 1e-30
        rates = self._config.learning_rate * torch.sqrt((self.norms() - 1).abs() + 1e-10)
        weights.addcmul_(self._change, (rates / largest)[:, None])

    def _pooled(self, potentials: Any) -> Any:
        """Return the Triangle activation of potentials, pooled."""
        functional, config = self._torch.nn.functional, self._config
        above = (potentials - potentials.mean(dim=-1, keepdim=True)).permute(0, 3, 1, 2)
        window = config.pool_size, config.pool_stride, config.pool_pad
        if config.pool == "max":
            # A power of what is left is a quarter of the work, and the largest stays the largest.
            maps = powered(functional.max_pool2d(above, *window), config.power)
        else:
            maps = functional.avg_pool2d(powered(above, config.power), *window, count_include_pad=False)
        return maps.permute(0, 2, 3, 1)


def powered(values: Any, power: float) -> Any:
    """Return the positive part of ``values`` to a power."""
    values = values.relu()
    return values if power == 1 else values.pow(power)
