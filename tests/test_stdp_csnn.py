"""STDP-CSNN against what the reference implementation computed, and against a plain twin where that made slips."""

import hashlib
from inspect import signature
from pathlib import Path

import csnn_reference as reference
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import examples
from ways import instruction_set

from spikenn_cy.convolution._filters import Filters
from spikenn_cy.convolution._filters import QuantisedFilters
from spikenn_cy.convolution._first_spikes import Convolution
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import RunError
from spikenn_cy.features import EXTRACTORS
from spikenn_cy.features import STDPCSNN
from spikenn_cy.features import Extractor
from spikenn_cy.features import load_extractor
from spikenn_cy.features.front_end import dog_kernel
from spikenn_cy.features.front_end import whitening_kernels
from spikenn_cy.features.stdp_csnn import PUBLISHED
from spikenn_cy.features.stdp_csnn import STDPCSNNConfig
from spikenn_cy.kernels.convolution import exps
from spikenn_cy.kernels.primitives import available_instructions
from spikenn_cy.settings.strictjson import read_json

pytestmark = pytest.mark.quick

GOLDEN = Path(__file__).parent / "golden" / "csnn"
CONFIGS = Path(__file__).parent.parent / "configs" / "extractors" / "STDP-CSNN"
F = np.float32
LEARNED = ("weights", "thresholds", "scaling_min", "scaling_max")
SMALL = {"conv1_c": 20, "conv1_k": 3, "conv1_epochs": 2, "pool1_size": 3, "dog": [3, 0.5, 1], "conv1_th": 1.5}
SMALL |= {"conv1_min_th": 0.5, "conv1_t_obj": 0.6}


def golden(name):
    """Return golden arrays and an extractor that has learned what they were made with."""
    with np.load(GOLDEN / f"{name}.npz") as file:
        arrays = dict(file)
    whiten = name == "colour"
    extractor = STDPCSNN.from_config({"whiten": whiten, "reference_compatible": True})
    for key in LEARNED:
        setattr(extractor, key, arrays[key])
    return arrays, extractor


def images_of(n, shape=(12, 11), seed=0):
    """Return smooth images with an empty border, so that some inputs are never active."""
    rng = np.random.default_rng(seed)
    images = rng.integers(256, size=(n, *shape), dtype=np.uint8)
    images[rng.random(images.shape) < 0.5] = 0
    images[:, :2] = 0
    return images


# Against the reference implementation


@pytest.mark.parametrize("name", ["mnist", "colour"])
def test_features_of_golden_input_times_are_golden_to_the_bit(name, instructions):
    arrays, extractor = golden(name)
    np.testing.assert_array_equal(extractor.feature_times(arrays["input_times_train"]), arrays["features_train"])


@pytest.mark.parametrize("part", ["train", "test"])
def test_features_of_golden_pixels_are_golden_within_rounding(part):
    arrays, extractor = golden("mnist")
    found = extractor.transform(arrays[f"pixels_{part}"]).to_dense().reshape(arrays[f"features_{part}"].shape)
    assert (np.abs(found - arrays[f"features_{part}"]) <= 1e-5).mean() >= 0.9995


def test_input_times_of_golden_pixels_are_golden_within_rounding():
    arrays, extractor = golden("mnist")
    found = extractor.input_times(arrays["pixels_train"])
    np.testing.assert_allclose(found, arrays["input_times_train"], rtol=0, atol=2e-6)


# Against the twin


def small(seed=1, **changes):
    """Return a fitted extractor, the images it was fitted to and its settings."""
    images = images_of(30)
    extractor = STDPCSNN.from_config(SMALL | changes, seed=seed)
    return extractor.fit(images), images, extractor.config


def filtered_by(config, images):
    """Return filtered images as the library computes them: in the order of the kernel's taps, in float32."""
    dog = dog_kernel(int(config.dog[0]), *config.dog[1:])
    margin = len(dog) // 2
    padded = np.pad(images / F(255), ((0, 0), (margin, margin), (margin, margin)), mode="edge").astype(F)
    total = np.zeros(images.shape, F)
    for a in range(len(dog)):
        for b in range(len(dog)):
            total = total + padded[:, a : a + images.shape[1], b : b + images.shape[2]] * dog[a, b]
    return total[..., None]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"reference_compatible": True},
        {"conv1_stdp": "biological", "conv1_stdp_lr": [0.2, 0.05]},
        {"conv1_t_obj": -1},
        {"conv1_c": 1},
        {"conv1_c": 70, "conv1_annealing": 0.5},
        {"conv1_k": None, "conv1_k_h": 2, "conv1_k_w": 4},
        {"conv1_stdp_b": 3, "conv1_lr_th": 0.1},
        {"conv1_min_th": 100, "conv1_th": 100},
    ],
)
def test_learning_is_the_twins(changes, instructions):
    extractor, images, config = small(**changes)
    values = filtered_by(config, images)
    low, high = extractor.scaling_min, extractor.scaling_max
    weights, thresholds = reference.train(values, low, high, config, seed=1, n_channels=2)
    np.testing.assert_allclose(extractor.weights, weights, rtol=0, atol=2e-6)
    np.testing.assert_allclose(extractor.thresholds, thresholds, rtol=0, atol=2e-6)


def test_scaling_is_from_the_least_to_the_largest_value_in_training():
    extractor, images, config = small()
    values = filtered_by(config, images)[..., 0]
    for channel, part in enumerate((np.maximum(values, 0), np.maximum(-values, 0))):
        np.testing.assert_array_equal(extractor.scaling_min[..., channel], part.min(axis=0))
        np.testing.assert_array_equal(extractor.scaling_max[..., channel], part.max(axis=0))
    assert (extractor.scaling_max == 0).any()
    compatible, _, _ = small(reference_compatible=True)
    assert compatible.scaling_max.min() == np.finfo(F).tiny


@pytest.mark.parametrize("late", [False, True])
def test_input_times_are_the_twins_for_images_out_of_the_range_of_training(late):
    extractor, _, config = small(reference_compatible=late)
    unseen = images_of(20, seed=9)
    unseen[:10, :2] = 200
    want = reference.times_of(filtered_by(config, unseen), extractor.scaling_min, extractor.scaling_max, late)
    found = extractor.input_times(unseen)
    np.testing.assert_array_equal(found, want)
    assert (found == 0).any()  # beyond the largest value
    if not late:
        assert found.max() == 1


@examples(60)
@given(data=st.data())
def test_features_are_the_twins(data):
    """Ties, thresholds never reached, late and silent inputs, any number of filters, one winner a position or all."""
    draw = data.draw
    kernel, pool = draw(st.tuples(st.integers(1, 3), st.integers(1, 3))), draw(st.integers(1, 3))
    shape = tuple(k - 1 + pool * draw(st.integers(1, 2)) + draw(st.integers(0, pool - 1)) for k in kernel)
    n_filters, late, compete = draw(st.sampled_from([1, 3, 16, 17, 65, 130])), draw(st.booleans()), draw(st.booleans())
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    coarse = draw(st.sampled_from([4, 1000]))
    times = (rng.integers(0, coarse * 3 // 2, size=(2, *shape, 4)) / coarse).astype(F)
    weights = rng.integers(0, 9, size=(*kernel, 4, n_filters)).astype(F) / F(draw(st.sampled_from([8, 7])))
    thresholds = (rng.random(n_filters) * draw(st.sampled_from([0.0, 1.0, 5.0, 50.0]))).astype(F)
    extractor = STDPCSNN.from_config(
        {
            "conv1_c": n_filters,
            "conv1_k_h": kernel[0],
            "conv1_k_w": kernel[1],
            "pool1_size": pool,
            "conv1_wta_infer": compete,
            "reference_compatible": late,
        }
    )
    extractor.weights, extractor.thresholds = weights, thresholds
    found = extractor.feature_times(times)
    want = [reference.features(image, weights, thresholds, pool, late, compete) for image in times]
    np.testing.assert_array_equal(found, want)


def fired(weights, thresholds, times, pool, coarse, end=1.0):
    """Return the pooled first spikes, by coarse weights first or without them."""
    filters = Filters(weights, thresholds)
    layer = Convolution(filters, times.shape[1:3], pool, end, False, QuantisedFilters(filters) if coarse else None)
    features = np.empty((len(times), layer.rows_made, layer.columns_made, filters.n_filters), F)
    layer.fire(times, features)
    return features


def near_potentials(rng, weights, times):
    """Return a threshold for each filter that is a potential it passes through, or the next number up or down."""
    size, n_filters = weights.shape[0], weights.shape[3]
    thresholds = np.empty(n_filters, F)
    for j in range(n_filters):
        image, x, y = (rng.integers(n) for n in (len(times), times.shape[1] - size + 1, times.shape[2] - size + 1))
        field = times[image, x : x + size, y : y + size]
        order = [k for k in np.argsort(field, axis=None, kind="stable") if field.flat[k] < 1]
        potential = F(0)
        for k in order[: rng.integers(len(order) + 1)]:
            potential += weights[..., j].flat[k]
        thresholds[j] = (
            np.nextafter(potential, F(rng.choice([0, np.inf])), dtype=F) if rng.random() < 0.7 else potential
        )
    return thresholds


@examples(80)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([2, 3, 5, 7]),
    n_channels=st.sampled_from([1, 2, 4]),
    end=st.sampled_from([0.7, 1.0, np.inf]),
    n_filters=st.sampled_from([1, 31, 33, 64, 128, 130, 300]),
    unit=st.sampled_from([1.0, 1.0, 1.0, 1e-44, 1e-38, 1e30, 3e36]),
    kind=st.sampled_from(["learned", "random", "ties", "one", "wide"]),
)
def test_coarse_weights_change_no_bit(seed, size, n_channels, end, n_filters, unit, kind):
    """Thresholds lie on potentials and right beside them, where coarse sums cannot tell."""
    rng = np.random.default_rng(seed)
    shape = (size, size, n_channels, n_filters)
    weights = {
        "learned": lambda: np.clip(rng.beta(0.05, 0.05, shape), 0, 1),
        "random": lambda: rng.random(shape),
        "ties": lambda: rng.integers(0, 4, shape) / 3,
        "one": lambda: (rng.random(shape) < 0.05) * rng.random(shape),
        "wide": lambda: 10.0 ** rng.uniform(-8, 0, shape),
    }[kind]()
    weights = (weights * unit).astype(F)
    weights[..., rng.random(n_filters) < 0.1] = 0
    times = (rng.integers(0, 40, size=(2, size + 5, size + 4, n_channels)) / 30).astype(F)
    with np.errstate(over="ignore"):
        thresholds = np.minimum(near_potentials(rng, weights, times), np.finfo(F).max)
    thresholds[rng.random(n_filters) < 0.1] = rng.choice([0, 1e-45, np.finfo(F).max])
    for name in available_instructions():
        with instruction_set(name):
            exact, coarse = (fired(weights, thresholds, times, 2, coarse, end) for coarse in (False, True))
            np.testing.assert_array_equal(coarse, exact)


@pytest.mark.parametrize("n_filters", [1, 65, 130])
def test_a_threshold_of_zero_is_reached_with_the_first_spike_by_weights_of_zero_too(n_filters):
    times = np.random.default_rng(0).random((9, 4, 4, 2)).astype(F)
    for loud in (0, n_filters - 1):
        weights = np.zeros((3, 3, 2, n_filters), F)
        weights[..., :loud] = 1
        thresholds = np.zeros(n_filters, F)
        want = [reference.features(image, weights, thresholds, 2, False, False) for image in times]
        for coarse in (False, True):
            np.testing.assert_array_equal(fired(weights, thresholds, times, 2, coarse), want)


@pytest.mark.parametrize(
    ("n_images", "side", "size", "serves"), [(8, 10, 3, True), (7, 10, 3, True), (8, 130, 3, False), (8, 16, 11, False)]
)
def test_many_images_inputs_or_weights_give_the_features_of_the_twin(n_images, side, size, serves):
    """Coarse weights are made for many images of few inputs, seen by filters of few weights."""
    rng = np.random.default_rng(5)
    times = rng.random((n_images, side, side, 2)).astype(F)
    extractor = STDPCSNN.from_config({"conv1_c": 3, "conv1_k": size, "pool1_size": 2})
    extractor.weights, extractor.thresholds = rng.random((size, size, 2, 3)), [2, 4, 7]
    filters = Filters(extractor.weights, extractor.thresholds)
    assert QuantisedFilters.serves(filters, side * side * 2) == serves
    if not serves:
        with pytest.raises(ValueError, match="quantised"):
            Convolution(filters, (side, side), 2, 1.0, False, QuantisedFilters(filters))
    features = extractor.feature_times(times)
    part = np.ascontiguousarray(times[-1, -size - 3 :, -size - 3 :])  # what the last two by two windows see
    want = reference.features(part, extractor.weights, extractor.thresholds, 2, False, False)
    np.testing.assert_array_equal(features[-1, -2:, -2:], want)


def test_a_negative_zero_is_the_time_zero():
    extractor = STDPCSNN.from_config({"conv1_c": 1, "conv1_k": 1, "pool1_size": 1})
    extractor.weights, extractor.thresholds = np.full((1, 1, 2, 1), 0.5), [1.0]
    times = np.array([-0.0, 0.5], F).reshape(1, 1, 1, 2)
    assert extractor.feature_times(times).item() == 0.5
    extractor.thresholds = [0.5]
    assert extractor.feature_times(times).item() == 0


def test_the_exponential_is_within_a_unit_of_the_last_place(instructions):
    x = -np.concatenate([np.linspace(0, 1, 100_001), np.linspace(1, 86, 100_001)]).astype(F)
    exact = np.exp(x.astype(float))
    assert (np.abs(exps(x) - exact) / np.spacing(exact.astype(F))).max() <= 1


def test_a_kernel_is_a_difference_of_gaussians():
    kernel = dog_kernel(7, 1, 2)
    assert abs(kernel.sum()) < 1e-6
    np.testing.assert_allclose(kernel, kernel.T)
    a, b = (np.exp(-np.add.outer(np.arange(-3, 4) ** 2, np.arange(-3, 4) ** 2) / (2 * s * s)) for s in (1, 2))
    np.testing.assert_allclose(kernel, a / a.sum() - b / b.sum(), atol=1e-7)


def test_whitening_is_the_textbooks():
    rng = np.random.default_rng(0)
    images = np.cumsum(rng.integers(0, 9, size=(40, 13, 12, 3)), axis=2).astype(np.uint8)
    rows = [
        image[x : x + 9, y : y + 9].ravel() / 255 for image in images for x in range(0, 5, 2) for y in range(0, 4, 2)
    ]
    covariance = np.cov(np.array(rows).T, bias=True)
    u, values, _ = np.linalg.svd(covariance)
    want = (u @ np.diag(1 / np.sqrt(values + 0.01)) @ u.T).reshape(9, 9, 3, -1)[4, 4]
    want -= want.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(whitening_kernels(images), want.reshape(3, 9, 9, 3), atol=1e-5)


def test_whitened_and_gray_images_are_filtered_as_by_numpy():
    images = images_of(5, (13, 40, 3))
    extractor = STDPCSNN.from_config(SMALL | {"whiten": True, "conv1_epochs": 0}).fit(images)
    values = np.stack([reference.filtered(image, extractor.whitening) for image in images])
    largest = np.maximum(np.stack([values.max(axis=0), -values.min(axis=0)], axis=-1), 0).reshape(13, 40, 6)
    np.testing.assert_allclose(extractor.scaling_max, largest, atol=2e-5)
    gray = STDPCSNN.from_config(SMALL | {"to_grayscale": True, "conv1_epochs": 0}).fit(images)
    plane = images @ np.array([0.2989, 0.5870, 0.1140])
    values = np.stack([reference.filtered(image[..., None], dog_kernel(3, 0.5, 1)[None, ..., None]) for image in plane])
    np.testing.assert_allclose(gray.scaling_max[..., 0], np.maximum(values.max(axis=0), 0)[..., 0], atol=2e-6)


def test_images_without_a_filter_and_a_scale_spike_at_one_minus_their_value():
    images = images_of(3)
    extractor = STDPCSNN.from_config(SMALL | {"dog": None, "feature_scaling": False}).fit(images)
    want = F(1) - images / F(255)
    np.testing.assert_array_equal(extractor.input_times(images)[..., 0], want)
    assert (extractor.input_times(images)[..., 1] == 1).all()


# Bits


def state(extractor, images, n_threads=1):
    """Return all that an extractor learned and puts out, as bytes."""
    dataset = extractor.transform(images, n_threads=n_threads)
    arrays = [getattr(extractor, name) for name in LEARNED]
    return b"".join(array.tobytes() for array in [*arrays, dataset.indptr, dataset.indices, dataset.timestamps])


@pytest.mark.parametrize("changes", [{}, {"conv1_stdp": "biological"}, {"reference_compatible": True}])
def test_every_instruction_set_computes_the_same_bits(changes):
    found = set()
    for name in available_instructions():
        with instruction_set(name):
            extractor, images, _ = small(**changes)
            found.add(state(extractor, images))
    assert len(found) == 1


def test_every_build_and_machine_computes_the_same_bits():
    # Images of no generator, and no difference of Gaussians, whose exponentials are NumPy's.
    images = (np.arange(30 * 12 * 11).reshape(30, 12, 11) * 7919 % 257 * (np.arange(11) % 3 > 0)).astype(np.uint8)
    extractor = STDPCSNN.from_config(
        SMALL | {"dog": None, "conv1_t_obj": -1, "conv1_min_th": 2.5, "conv1_th": 3.0}, seed=4
    ).fit(images)
    dataset = extractor.transform(images)
    assert 0.1 < len(dataset.indices) / (30 * dataset.n_inputs) < 0.9
    assert hashlib.sha256(state(extractor, images)).hexdigest()[:16] == "56cfbf0fd607df0f"


@pytest.mark.usefixtures("many_processors")
@pytest.mark.parametrize("n_threads", [2, 3, 9])
def test_any_number_of_threads_computes_the_same_bits(n_threads):
    extractor, _, _ = small()
    images = images_of(300)
    assert state(extractor, images, n_threads) == state(extractor, images)


def test_a_seed_is_all_that_chance_depends_on():
    extractor, images, _ = small()
    again = STDPCSNN.from_config(SMALL, seed=1).fit(images).fit(images)
    assert state(again, images) == state(extractor, images)
    assert state(STDPCSNN.from_config(SMALL, seed=2).fit(images), images) != state(extractor, images)


def test_a_saved_extractor_is_the_same(tmp_path):
    extractor, images, _ = small()
    extractor.save(tmp_path / "model.npz")
    for load in (STDPCSNN.load, load_extractor):
        loaded = load(tmp_path / "model.npz")
        assert state(loaded, images) == state(extractor, images)
        assert loaded.config == extractor.config
        assert loaded.seed == 1
        assert state(loaded.fit(images), images) == state(extractor, images)


def test_a_whitening_extractor_keeps_its_kernels(tmp_path):
    images = images_of(10, (14, 14, 3))
    extractor = STDPCSNN.from_config(SMALL | {"whiten": True}).fit(images)
    extractor.save(tmp_path / "model.npz")
    assert state(STDPCSNN.load(tmp_path / "model.npz"), images) == state(extractor, images)


# The door


def test_a_transform_is_the_flattened_features_with_labels():
    extractor, images, _ = small()
    labels = np.array(["b", "a", "c"] * 10)
    dataset = extractor.transform(images, labels)
    times = extractor.feature_times(extractor.input_times(images))
    np.testing.assert_array_equal(dataset.to_dense(), times.reshape(len(images), -1))
    assert dataset.classes[dataset.labels].tolist() == labels.tolist()
    assert dataset.max_time == 1
    assert extractor.transform(images).labels is None
    channel_last = extractor.transform(images[..., None], labels)
    np.testing.assert_array_equal(channel_last.timestamps, dataset.timestamps)


def test_an_interrupted_fit_leaves_all_as_it_was(monkeypatch):
    extractor, images, _ = small()
    before = state(extractor, images)
    monkeypatch.setattr(
        "spikenn_cy.utils.progress.Progress.step", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        extractor.fit(images_of(10, seed=5))
    monkeypatch.undo()
    assert state(extractor, images) == before


def test_what_was_learned_cannot_be_written_to():
    extractor, _, _ = small()
    for name in LEARNED:
        with pytest.raises(ValueError, match="read-only"):
            getattr(extractor, name)[...] = 0


@pytest.mark.parametrize("name", [*LEARNED, "whitening"])
def test_nothing_is_there_before_it_is_learned(name, tmp_path):
    extractor = STDPCSNN.from_config(SMALL)
    with pytest.raises(RunError, match=f"{name}: must come from fit, load or an assignment, got none of them yet"):
        getattr(extractor, name)
    with pytest.raises(RunError, match="must come from fit"):
        extractor.transform(images_of(2))
    with pytest.raises(RunError, match="must come from fit"):
        extractor.save(tmp_path / "model.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("images", "finding"),
    [
        (np.zeros((2, 12, 11)), "images: must be uint8, got dtype('float64')"),
        ([[1, 2], [3]], "images: must be an array of uint8, got list"),
        (np.zeros((12, 11), np.uint8), "images: must have the shape"),
        (np.zeros((0, 12, 11), np.uint8), "images: must have the shape"),
        (np.zeros((2, 12, 11, 0), np.uint8), "images: must have the shape"),
        (np.zeros((2, 4, 4), np.uint8), "images: must be large enough for one pooling window, got '4 x 4 pixels'"),
        (np.zeros((2, 12, 12), np.uint8), "images: must be as those of fit, of 12 x 11 pixels and 2 input channels"),
        (np.zeros((2, 12, 11, 3), np.uint8), "images: must be as those of fit"),
    ],
)
def test_other_images_are_refused(images, finding):
    extractor, _, _ = small()
    with pytest.raises(DataError) as refusal:
        extractor.transform(images)
    assert str(refusal.value).startswith(finding)


def test_images_of_another_shape_than_the_named_data_sets_are_refused():
    with pytest.raises(DataError, match=r"images: must have the \(32, 32, 3\) rows, columns and channels of CIFAR10"):
        STDPCSNN.from_config({"dataset": "CIFAR10"}).fit(np.zeros((2, 28, 28), np.uint8))


@pytest.mark.parametrize(
    ("changes", "shape", "finding"),
    [
        ({"whiten": True, "conv1_k": 3}, (8, 20, 3), "must have 9 x 9 pixels to be whitened"),
        ({"to_grayscale": True}, (12, 12, 4), "must have 1 or 3 channels to be gray"),
        ({"dataset": "MNIST"}, (32, 32), "must have the .* of MNIST"),
        ({"conv1_k": 3, "pool1_size": 4}, (5, 28), "must be large enough for one pooling window"),
        ({"reference_compatible": True, "conv1_k": 5, "pool1_size": 1}, (8, 12), "must be large enough for patches"),
    ],
)
def test_images_that_settings_do_not_suit_are_refused_by_their_shape_alone_too(changes, shape, finding):
    extractor = STDPCSNN.from_config(SMALL | changes)
    with pytest.raises(DataError, match=finding):
        extractor.fit(np.zeros((2, *shape), np.uint8))
    with pytest.raises(DataError, match=finding):
        extractor.check(shape)
    STDPCSNN.from_config(SMALL).check((28, 28))


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("weights", np.zeros((3, 3, 2, 19)), "weights: must have shape (3, 3, 2, 20), got (3, 3, 2, 19)"),
        ("weights", np.zeros((3, 3, 3, 20)), "weights: must have an even number of channels, got 3"),
        ("weights", np.full((3, 3, 2, 20), -1), "weights: must be >= 0"),
        ("weights", np.full((3, 3, 2, 20), np.nan), "weights[0, 0, 0, 0]: must be finite, got nan"),
        ("weights", "heavy", "weights: must be real numbers"),
        ("thresholds", np.zeros(19), "thresholds: must have shape (20,), got (19,)"),
        ("thresholds", np.full(20, -1), "thresholds: must be >= 0"),
        ("thresholds", np.full(20, np.inf), "thresholds[0]: must be finite, got inf"),
        ("thresholds", 1, "thresholds: must have 1 axes, got ()"),
        ("scaling_min", np.zeros((2, 2, 3)), "scaling_min: must have shape (rows, columns, even number of channels)"),
        ("scaling_max", np.full((2, 2, 2), np.nan), "scaling_max[0, 0, 0]: must be finite, got nan"),
        ("whitening", np.zeros((3, 9, 9, 2)), "whitening: must have shape (channels, size, size, channels)"),
    ],
)
def test_wrong_arrays_are_refused(name, value, finding):
    extractor, images, _ = small()
    before = state(extractor, images)
    with pytest.raises(DataError) as refusal:
        setattr(extractor, name, value)
    assert str(refusal.value).startswith(finding)
    assert state(extractor, images) == before


@pytest.mark.parametrize(
    ("times", "finding"),
    [
        (np.full((1, 12, 11, 2), -1.0), "times[0, 0, 0, 0]: must be a number >= 0, got -1.0"),
        (np.full((1, 12, 11, 2), np.nan), "times[0, 0, 0, 0]: must be a number >= 0, got nan"),
        (np.zeros((1, 12, 11, 4)), "input times: must have the 2 channels of the weights, got 4"),
        (np.zeros((12, 11, 2)), "times: must have the shape"),
        (np.zeros((1, 12, 11, 2), complex), "times: must be real numbers"),
    ],
)
def test_wrong_times_are_refused(times, finding):
    extractor, _, _ = small()
    with pytest.raises(DataError) as refusal:
        extractor.feature_times(times)
    assert str(refusal.value).startswith(finding)


def test_ranges_of_other_images_are_refused():
    extractor, images, _ = small()
    extractor.scaling_max = np.ones((12, 12, 2))
    with pytest.raises(DataError, match="scaling_max: must have the shape of scaling_min"):
        extractor.transform(images)


def test_a_wrong_number_of_labels_or_threads_is_refused():
    extractor, images, _ = small()
    with pytest.raises(DataError):
        extractor.transform(images, labels=[1, 2])
    for n_threads in (0, 1.5, True, 10**9):
        with pytest.raises(ConfigError, match="n_threads: must be an integer from 1 to 1024"):
            extractor.transform(images, n_threads=n_threads)
    with pytest.raises(ConfigError, match="seed: must be an integer >= 0, got -1"):
        STDPCSNN.from_config(seed=-1)


@pytest.mark.parametrize(
    ("settings", "finding"),
    [
        ({"conv1_kk": 5}, "conv1_kk: must be one of the keys"),
        ({"conv1_c": 0}, "conv1_c: must be from 1 to 65536, got 0"),
        ({"conv1_c": True}, "conv1_c: must be a whole number"),
        ({"dog": [6, 1, 2]}, "dog: must be [odd side up to 255"),
        ({"dog": [7, 1]}, "dog: must be [odd side up to 255"),
        ({"dog": [7, 0, 1]}, "dog: must be [odd side up to 255"),
        ({"dataset": "EMNIST"}, "dataset: must be MNIST, F-MNIST, CIFAR10, CIFAR100 or null"),
        ({"conv1_k": 5, "conv1_k_w": 5}, "conv1_k_w: must not be given beside conv1_k"),
        ({"conv1_k_w": 5}, "conv1_k_w: must not be given without conv1_k_h"),
        ({"conv1_stdp": "additive"}, 'conv1_stdp: must be "multiplicative" or "biological"'),
        ({"conv1_stdp_lr": "fast"}, 'conv1_stdp_lr: must be a number or a list, got "fast"'),
        ({"conv1_stdp_lr": [0.1]}, "conv1_stdp_lr: must be a rate >= 0 or"),
        ({"conv1_stdp_lr": -0.1}, "conv1_stdp_lr: must be a rate >= 0 or"),
        ({"conv1_stdp_lr": [float("nan"), 0]}, "conv1_stdp_lr[0]: must be finite, got NaN"),
        ({"dog": [float("nan"), 1, 2]}, "dog[0]: must be finite, got NaN"),
        ({"conv1_t_obj": -2}, "conv1_t_obj: must be >= 0, or -1 for none"),
        ({"conv1_annealing": 1.1}, "conv1_annealing: must be from 0 to 1"),
        ({"conv1_min_th": -1}, "conv1_min_th: must be >= 0"),
        ({"conv1_stdp_t": 0}, "conv1_stdp_t: must be > 0"),
        ({"pool1_size": 0}, "pool1_size: must be from 1"),
        ({"conv1_th": float("inf")}, "conv1_th: must be finite"),
    ],
)
def test_nonsense_settings_are_refused(settings, finding):
    with pytest.raises(ConfigError) as refusal:
        STDPCSNN.from_config(settings)
    assert str(refusal.value).startswith(finding)


@pytest.mark.parametrize(("settings", "n_loud"), [({"conv1_min_th": 1000, "conv1_th": 1000}, 100), ({}, 0), ({}, 1)])
def test_features_of_which_none_fires_are_warned_of(settings, n_loud):
    images = images_of(100)
    extractor = STDPCSNN.from_config(SMALL | settings).fit(images)
    shown = np.zeros_like(images)
    shown[100 - n_loud :] = images[:n_loud]
    if n_loud == 1:
        assert len(extractor.transform(shown).indices) > 0
        return
    with pytest.warns(DataWarning, match=r"^images: no feature fires for any of them; thresholds \(conv1_th"):
        assert len(extractor.transform(shown, n_threads=2).indices) == 0


def test_a_threshold_below_its_least_is_doubted():
    with pytest.warns(ConfigWarning, match="conv1_th: is below conv1_min_th"):
        STDPCSNN.from_config({"conv1_th": 1})


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_settings_are_built_in_and_on_file(name):
    settings = STDPCSNNConfig.from_any(CONFIGS / f"{name}.json")
    assert settings == STDPCSNNConfig.from_any(PUBLISHED[name])
    raw = read_json(CONFIGS / f"{name}.json")
    assert settings.to_dict() == STDPCSNNConfig.from_any(raw).to_dict()
    whiten = "CIFAR" in name
    assert (settings.whiten, settings.conv1_th, settings.conv1_min_th) == (whiten, 10 if whiten else 5, 2)
    assert settings.conv1_t_obj == {"MNIST": 0.75, "F-MNIST": 0.8}.get(name, 0.95)


def test_published_settings_go_by_name_and_then_by_shape():
    assert STDPCSNN.published("fmnist", (28, 28)) == PUBLISHED["F-MNIST"]
    assert STDPCSNN.published("CIFAR-100", (32, 32, 3)) == PUBLISHED["CIFAR100"]
    assert STDPCSNN.published("mine", (28, 28)) == PUBLISHED["MNIST"]
    with pytest.raises(ConfigError, match="settings: must be given for images other than"):
        STDPCSNN.published("mnist", (32, 32))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b"text"])
def test_another_file_is_refused(content, tmp_path):
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    for load in (STDPCSNN.load, load_extractor):
        with pytest.raises(DataError, match=r"model\.npz: must be "):
            load(path)
        with pytest.raises(DataError, match=r"none\.npz: must be .*No such file"):
            load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"weights": np.zeros(3)}, "weights: must have 4 axes"),
        ({"extra": np.zeros(3)}, "arrays: must be among"),
        ({"header": np.array('{"extractor": "stdp-csnn", "format": 2, "config": {}, "seed": 0}')}, "format: must be 1"),
        ({"header": np.array('{"extractor": "surf"}')}, "surf"),
        ({"thresholds": None}, "thresholds"),
    ],
)
def test_a_changed_file_is_refused(change, finding, tmp_path):
    extractor, _, _ = small()
    extractor.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as file:
        arrays = dict(file) | change
    np.savez(tmp_path / "model.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(DataError, match=finding):
        load_extractor(tmp_path / "model.npz")


def test_filters_come_out_of_their_blocks_as_they_went_in():
    for n_filters in (1, 15, 16, 17, 64, 65, 128, 200):
        weights = np.arange(3 * 2 * 2 * n_filters, dtype=F).reshape(3, 2, 2, n_filters)
        filters = Filters(weights, np.arange(n_filters, dtype=F))
        np.testing.assert_array_equal(filters.weights(), weights)
        np.testing.assert_array_equal(filters.thresholds(), np.arange(n_filters))


def test_every_extractor_has_the_same_face():
    for kind in EXTRACTORS.values():
        methods = [name for name, found in vars(Extractor).items() if not name.startswith("_") and hasattr(kind, name)]
        assert {"from_config", "published", "check", "fit", "transform", "time_blocks", "save", "load"} <= set(methods)
        for name in methods:
            face, own = (signature(getattr(cls, name)).parameters for cls in (Extractor, kind))
            assert [*own][: len(face)] == [*face], name
        assert isinstance(kind.has_filters, bool)
