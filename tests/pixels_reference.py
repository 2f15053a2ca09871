"""The extractor ``pixels`` in plain NumPy and whole numbers, pixel by pixel, written to be read."""

from fractions import Fraction
from math import floor

import csnn_reference
import numpy as np


def dog_kernel():
    """Return the difference of Gaussians: side 7, standard deviations 1 and 2, each of sum 1."""
    r = np.arange(7) - 3
    squares = r[:, None] ** 2 + r[None, :] ** 2
    center, surround = np.exp(-squares / 2), np.exp(-squares / 8)
    return center / center.sum() - surround / surround.sum()


def whitening(images):
    """Return the kernels (channels, 9, 9, channels) of patches of images, 2 pixels apart, in float64."""
    rows, columns, n_channels = images.shape[1:]
    patches = np.array(
        [
            (image[x : x + 9, y : y + 9] / 255).ravel()
            for image in images
            for x in range(0, rows - 8, 2)
            for y in range(0, columns - 8, 2)
        ]
    )
    centred = patches - patches.mean(axis=0)
    axes, variances, _ = np.linalg.svd(centred.T @ centred / len(patches))
    whiten = axes @ np.diag(1 / np.sqrt(variances + 0.01)) @ axes.T
    centre = whiten.reshape(9, 9, n_channels, -1)[4, 4]
    return (centre - centre.mean(axis=1, keepdims=True)).reshape(n_channels, 9, 9, n_channels)


def split(values):
    """Return the positive and negative parts of each channel, side by side."""
    return np.stack([np.maximum(values, 0), np.maximum(-values, 0)], axis=-1).reshape(*values.shape[:-1], -1)


def strengths(image, channels, gain=2.0, kernels=None):
    """Return what is seen at each pixel of an image, (rows, columns, all channels), in float64."""
    found = []
    for channel in channels:
        if channel == "pixel":
            found.append(image / 255)
        elif channel == "dog":
            colours = range(image.shape[2])
            of_each = [csnn_reference.filtered(image[..., [z]], dog_kernel()[None, ..., None]) for z in colours]
            found.append(gain * split(np.concatenate(of_each, axis=-1)))
        else:
            found.append(split(csnn_reference.filtered(image, kernels)))
    return np.concatenate(found, axis=-1)


def linear_level_of_pixel(value, n):
    """Return floor((1 - value / 255) n), without rounding."""
    return floor((1 - Fraction(int(value), 255)) * n)


def linear_level(strength, n):
    """Return floor((1 - strength) n), which is 0 for strengths above 1 too."""
    return max(0, floor((1 - strength) * n))


def edges(positive, n, keep):
    """Return the edges of quantile levels from all strengths above 0."""
    r, m = np.sort(positive), len(positive)
    return np.array([r[floor(m * (1 - keep) + i * (m * keep - 1) / n)] for i in range(n)])


def quantile_level(strength, edges):
    """Return n less the number of edges that a strength reaches."""
    return len(edges) - sum(edge <= strength for edge in edges)
