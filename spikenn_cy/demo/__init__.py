"""1,797 real handwritten digits and settings for them, so that a network can be trained before any data is fetched."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset

CONFIG = Path(__file__).with_name("config.json")
NETWORK = Path(__file__).with_name("network.json")
DIGITS = Path(__file__).with_name("digits.npz")
BRIGHTEST = 16  # pixel value that fires first


class Demo(NamedTuple):
    """Settings for the digits, and what a network of them is called."""

    config: Path
    title: str
    output: str


DEMOS = {
    "readout": Demo(CONFIG, "S2-STDP with neuronal competition groups", "spikenn-demo"),
    "network": Demo(NETWORK, "A network that learns in every layer", "spikenn-demo-network"),
}


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """Return the digits in their original order.

    Returns
    -------
    images : ndarray of uint8, shape (1797, 8, 8)
        Pixel values from 0 to 16.
    labels : ndarray of uint8, shape (1797,)
        The digits drawn, 0 to 9.

    Source
    ------
    E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine
    Learning Repository, 1998, CC BY 4.0; see ``NOTICE`` in this folder.
    """
    with np.load(DIGITS, allow_pickle=False) as file:
        return file["images"], file["labels"]


def demo_split(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the positions of training, validation and test samples, each in rising order.

    Every sixth sample is for the test and the one after it for validation, counted
    through the samples sorted by label (equal ones in their order). So each part has its
    share of every class, and no random generator, whose stream could change with a
    version of NumPy, has a say in it: of the 1,797 digits 1,197 train, 300 validate and
    300 test, for ever.
    """
    turn = np.empty(len(labels), dtype=np.int64)
    turn[np.argsort(labels, kind="stable")] = np.arange(len(labels)) % 6
    return np.flatnonzero(turn > 1), np.flatnonzero(turn == 1), np.flatnonzero(turn == 0)


def digit_spikes() -> SpikingDataset:
    """Return all digits as spikes: 64 inputs, one spike a pixel.

    A pixel of value ``x`` fires at ``1 - x/16``; an empty one is silent.
    """
    images, labels = load_digits()
    times = 1 - images.reshape(len(images), -1) / np.float32(BRIGHTEST)
    return SpikingDataset._computed((times,), labels)


def demo_datasets() -> tuple[SpikingDataset, SpikingDataset, SpikingDataset]:
    """Return training, validation and test data, see `digit_spikes` and `demo_split`."""
    digits = digit_spikes()
    train, val, test = (digits[part] for part in demo_split(digits.labels))
    return train, val, test
