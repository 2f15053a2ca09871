"""The bundled digits are the published ones, and their split never changes."""

import hashlib

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.demo import DEMOS
from spikenn_cy.demo import demo_datasets
from spikenn_cy.demo import demo_split
from spikenn_cy.demo import load_digits

pytestmark = pytest.mark.quick


def test_the_digits_are_all_there_in_their_order():
    images, labels = load_digits()
    assert (images.shape, images.dtype) == ((1797, 8, 8), np.uint8)
    assert (labels.shape, labels.dtype) == ((1797,), np.uint8)
    assert images.max() == 16
    assert_array_equal(np.bincount(labels), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    assert_array_equal(labels[:12], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
    digest = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    assert digest == "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def test_the_split_takes_every_digit_once_and_every_class_in_its_share():
    _, labels = load_digits()
    train, val, test = demo_split(labels)
    assert (len(train), len(val), len(test)) == (1197, 300, 300)
    assert_array_equal(np.sort(np.concatenate([train, val, test])), np.arange(1797))
    for part in (val, test):
        counts = np.bincount(labels[part])
        assert (abs(counts - np.bincount(labels) / 6) < 1).all()


def test_the_split_is_for_ever():
    parts = demo_split(load_digits()[1])
    digest = hashlib.sha256(b"|".join(part.astype("<i8").tobytes() for part in parts)).hexdigest()
    assert digest == "f52a9c9adf74b55b71151b072bde7ab1a3b3b318ea6b8972d556f7011bee72de"


def test_a_bright_pixel_fires_early_and_an_empty_one_never():
    images, labels = load_digits()
    for part, data in zip(demo_split(labels), demo_datasets(), strict=True):
        assert (len(data), data.n_inputs, data.n_classes, data.max_time) == (len(part), 64, 10, 1.0)
        assert_array_equal(data.labels, labels[part])
        assert_array_equal(data.to_dense(), 1 - images[part].reshape(-1, 64) / np.float32(16))
        assert len(data.indices) == np.count_nonzero(images[part])


@pytest.mark.parametrize("name", DEMOS)
def test_the_settings_suit_the_digits(name):
    ExperimentConfig.from_any(DEMOS[name].config).check_against(10)
