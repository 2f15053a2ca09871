"""What an image becomes before it spikes: differences of Gaussians or whitened colours, made as lists of kernels."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import REAL
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.features._front_end import FrontEnd

PATCH = 9  # side of a patch that whitening looks at, in pixels
STRIDE = 2  # between patches, in pixels
EPSILON = 0.01  # added to each variance before its root is taken, in squares of pixel values from 0 to 1
ENOUGH_PATCHES = 1_000_000  # after the image that brings them to this, no more are looked at
IMAGES_AT_ONCE = 128


def dog_kernel(size: int, center: float, surround: float) -> npt.NDArray[np.float32]:
    """Return a difference of two Gaussians, each of sum 1: the centre minus the surround.

    Parameters
    ----------
    size : int
        Side, odd.
    center, surround : float
        Standard deviations, in pixels.

    Returns
    -------
    ndarray of float32, shape (size, size)
    """
    r = np.arange(size) - (size - 1) / 2
    squares = r[:, None] ** 2 + r**2
    bells = [np.exp(-squares / (2 * sigma**2)) for sigma in (center, surround)]
    kernel: npt.NDArray[np.float32] = (bells[0] / bells[0].sum() - bells[1] / bells[1].sum()).astype(REAL)
    return kernel


def whitening_kernels(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Fit zero-phase (ZCA) whitening to patches of images.

    Patches of 9 x 9 pixels are taken 2 pixels apart, image after image, until there are a
    million. A kernel is the row of ``U diag(1 / sqrt(lambda + 0.01)) U^T`` that belongs to
    one channel of a patch's centre, less its own mean, with ``U diag(lambda) U^T`` the
    patches' covariance.

    Parameters
    ----------
    images : ndarray of uint8, shape (n, rows, columns, channels)
        At least 9 x 9 pixels.

    Returns
    -------
    ndarray of float32, shape (channels, 9, 9, channels)
        A kernel for each channel of the result.

    Notes
    -----
    Sums are of whole numbers and exact; the last bits of the kernels depend on the LAPACK
    that NumPy was built with.
    """
    n_channels = images.shape[3]
    n = PATCH * PATCH * n_channels
    n_patches, total, products = 0, np.zeros(n), np.zeros((n, n))
    for patches in _patches(images):
        products += patches.T @ patches
        total += patches.sum(axis=0)
        n_patches += len(patches)
    mean = total / n_patches
    variances, axes = np.linalg.eigh((products / n_patches - np.outer(mean, mean)) / 255.0**2)
    whiten = (axes / np.sqrt(np.maximum(variances, 0) + EPSILON)) @ axes.T
    center = (PATCH * PATCH // 2) * n_channels
    rows = whiten[center : center + n_channels]
    rows -= rows.mean(axis=1, keepdims=True)
    kernels: npt.NDArray[np.float32] = rows.reshape(n_channels, PATCH, PATCH, n_channels).astype(REAL)
    return kernels


def _patches(images: npt.NDArray[np.uint8]) -> Iterator[npt.NDArray[np.float64]]:
    """Yield flattened patches as float64, in which sums of products of pixels are exact."""
    per_image = np.prod([len(range(0, side - PATCH + 1, STRIDE)) for side in images.shape[1:3]])
    n_images = min(len(images), -(-ENOUGH_PATCHES // int(per_image)))
    for start in range(0, n_images, IMAGES_AT_ONCE):
        some = np.asarray(images[start : min(start + IMAGES_AT_ONCE, n_images)])
        windows = np.lib.stride_tricks.sliding_window_view(some, (PATCH, PATCH), axis=(1, 2))
        windows = windows[:, ::STRIDE, ::STRIDE].transpose(0, 1, 2, 4, 5, 3)
        yield windows.reshape(-1, PATCH * PATCH * images.shape[3]).astype(np.float64)


def planes_made(n_channels: int, gray: bool) -> int:
    """Return the number of planes that images become before they are filtered, or raise `DataError`."""
    require(not gray or n_channels in (1, 3), "images", "must have 1 or 3 channels to be gray", n_channels, DataError)
    return 1 if gray else n_channels


def make_front_end(
    shape: tuple[int, ...], gray: bool, dog: npt.NDArray[np.float32] | None, whitening: npt.NDArray[np.float32] | None
) -> FrontEnd:
    """Return the `FrontEnd` for images of a shape: whitened, or each plane filtered by ``dog``, or as they are.

    Parameters
    ----------
    shape : tuple of int
        Rows, columns, channels.
    gray : bool
        Whether colours are made one plane; not if they are whitened.
    dog : ndarray of float32, shape (size, size), or None
    whitening : ndarray of float32, shape (channels, size, size, channels), or None
    """
    n_channels = shape[2]
    if whitening is not None:
        rule = f"must have the {whitening.shape[3]} channels of the whitening kernels"
        require(whitening.shape[3] == n_channels, "images", rule, n_channels, DataError)
        makes, takes = np.divmod(np.arange(n_channels**2, dtype=INDEX), INDEX.type(n_channels))
        kernels = whitening.transpose(0, 3, 1, 2).reshape(n_channels**2, *whitening.shape[1:3])
        return FrontEnd(shape, False, np.ascontiguousarray(kernels), takes, makes)
    n_planes = planes_made(n_channels, gray)
    kernel = np.ones((1, 1), REAL) if dog is None else dog
    planes = np.arange(n_planes, dtype=INDEX)
    return FrontEnd(shape, gray and n_channels == 3, np.repeat(kernel[None], n_planes, axis=0), planes, planes)
