"""Images become spikes as the page says; it is told once more in ``pixels_reference``."""

import json
from copy import copy
from functools import cache

import numpy as np
import pixels_reference as reference
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.testing import assert_allclose
from numpy.testing import assert_array_equal
from small_images import digits
from small_runs import settings
from tables import some

from spikenn_cy import ConfigError
from spikenn_cy import DataError
from spikenn_cy import Readout
from spikenn_cy import RunError
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.errors import DataWarning
from spikenn_cy.features import Pixels
from spikenn_cy.features import load_extractor
from spikenn_cy.features import pixels
from spikenn_cy.features.pixel_coding import quantile_edges
from spikenn_cy.features.pixels import PixelsConfig
from spikenn_cy.kernels.primitives import active_instructions
from spikenn_cy.kernels.primitives import available_instructions
from spikenn_cy.kernels.primitives import use_instructions

pytestmark = pytest.mark.quick

QUANTILE = {"levels": "quantile", "n_levels": 16, "keep": 0.75}
ALL = {"channels": ["white", "pixel", "dog"], **QUANTILE}
F = np.float32


def images_of(n=12, shape=(13, 11, 3), seed=0):
    """Return blurred noise, so that neighbouring pixels are alike as in pictures, with an empty border."""
    noise = np.random.default_rng(seed).random((n, *shape))
    smooth = (noise + np.roll(noise, 1, axis=1) + np.roll(noise, 1, axis=2)) / 3
    smooth[:, :2] = 0
    return (255 * smooth).astype(np.uint8)


@cache
def fitted():
    """Return an extractor with all that one can learn, from ``images_of()``."""
    return Pixels.from_config(ALL, seed=3).fit(images_of())


def made(images, **config):
    """Return a fitted extractor and the spike times of the images, with their axes."""
    extractor = Pixels.from_config(config).fit(images)
    return extractor, np.concatenate(list(extractor.time_blocks(images)))


# ---------------------------------------------------------------------------- against the page


@pytest.mark.parametrize("n", [1, 2, 5, 16, 32, 51, 255, 1000, 65536])
def test_every_value_of_a_pixel_has_the_linear_level_of_the_formula(n):
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    _, times = made(images, n_levels=n)
    wanted = [reference.linear_level_of_pixel(value, n) / n for value in range(256)]
    assert_array_equal(times.ravel(), np.array(wanted, F))


def test_levels_are_worked_out_by_hand():
    images = np.array([[[0, 1, 51, 52, 204, 254, 255]]], np.uint8)
    _, times = made(images, n_levels=5)
    assert_array_equal(times.ravel(), np.array([1, 0.8, 0.8, 0.6, 0.2, 0, 0], F))
    _, times = made(images, levels="quantile", n_levels=2, keep=1.0)  # six strengths, edges at places 0 and 2 of them
    assert_array_equal(times.ravel(), np.array([1, 0.5, 0.5, 0, 0, 0, 0], F))
    _, times = made(images, levels="quantile", n_levels=2, keep=0.5)  # places 3 and 4
    assert_array_equal(times.ravel(), np.array([1, 1, 1, 1, 0.5, 0, 0], F))


@pytest.mark.filterwarnings("ignore::spikenn_cy.errors.DataWarning")
@pytest.mark.parametrize("keep", some([1e-9, 0.75, 1.0, 0.2, 0.8], 3))
@pytest.mark.parametrize("n", [1, 7, 16])
def test_quantile_levels_of_pixels_are_the_twins(n, keep):
    images = images_of()
    extractor, times = made(images, levels="quantile", n_levels=n, keep=keep)
    values = images.astype(F) / F(255)
    edges = reference.edges(values[values > 0], n, keep)
    assert_array_equal(extractor.edges, edges)
    wanted = [reference.quantile_level(value, edges) / n for value in values.ravel()]
    assert_array_equal(times, np.array(wanted, F).reshape(images.shape))


@pytest.mark.parametrize(
    "config",
    [
        {"channels": ["dog"]},
        {"channels": ["pixel", "dog"], "dog_gain": 3.5},
        {"channels": ["dog", "pixel"], **QUANTILE},
        {"channels": ["white"], "n_levels": 7},
        {"channels": ["white"], **QUANTILE},
        ALL,
    ],
    ids=lambda config: f"{'+'.join(config['channels'])}-{config.get('levels', 'linear')}",
)
@pytest.mark.parametrize("shape", some([((10, 10, 2),), ((13, 11, 3),), ((9, 14, 1),)], 1))
def test_channels_and_levels_are_the_twins(shape, config):
    images = images_of(6, shape)
    extractor, times = made(images, **config)
    kernels = reference.whitening(images) if "white" in config["channels"] else None
    gain, n = config.get("dog_gain", 2), config.get("n_levels", 32)
    found = np.array([reference.strengths(image, config["channels"], gain, kernels) for image in images])
    assert times.shape == found.shape
    # Where rounding decides, either level is right: the twin's strengths are a little larger and a little smaller.
    if config.get("levels") == "quantile":
        edges = reference.edges(found[found > 0], n, config["keep"])
        assert_allclose(extractor.edges, edges, atol=2e-5)
        levels = [[reference.quantile_level(v + e, edges) for v in found.ravel()] for e in (-4e-5, 4e-5)]
    else:
        levels = [[reference.linear_level(v + e, n) for v in found.ravel()] for e in (-2e-5, 2e-5)]
    later, earlier = (np.array(level).reshape(found.shape) for level in levels)
    silent = found < 1e-5
    assert (times[silent] >= (n - 1) / n - 1e-6).all()
    got = np.rint(times * n)
    assert ((got == later) | (got == earlier) | silent).all()
    assert (later == earlier)[~silent].mean() > 0.9  # so that the test does not excuse itself


def test_channels_stand_in_the_order_of_the_settings_each_with_colours_and_parts_in_turn():
    images = np.full((1, 15, 15, 2), 100, np.uint8)
    images[0, 7, 7] = 255, 0  # a light spot in the first colour, a dark one in the second
    (times,) = made(images, channels=["dog", "pixel"], n_levels=64)[1]
    on, off, pixel = times[7, 7, 0:4:2], times[7, 7, 1:4:2], times[7, 7, 4:]
    assert on[0] < 1
    assert off[0] == 1
    assert on[1] == 1
    assert off[1] < 1
    assert_array_equal(pixel, [0, 1])


def test_a_plain_surface_has_no_contrast():
    images = np.full((2, 12, 12, 3), 200, np.uint8)
    extractor = Pixels.from_config({"channels": ["dog"]})
    with pytest.warns(DataWarning, match=r"^images: 2 of 2 have no strength that spikes and will be silent$"):
        assert len(extractor.fit(images).transform(images).indices) == 0


# ---------------------------------------------------------------------------- properties


@given(
    strengths=npst.arrays(F, st.integers(1, 60), elements=st.floats(0, 10, exclude_min=True, width=32)),
    n=st.integers(1, 40),
    keep=st.floats(0, 1, exclude_min=True),
)
def test_edges_rise_and_are_strengths(strengths, n, keep):
    edges = quantile_edges(strengths, n, keep)
    assert edges.shape == (n,)
    assert (np.diff(edges) >= 0).all()
    assert set(edges) <= set(strengths)
    assert edges[0] >= np.quantile(strengths, 1 - keep, method="lower") or len(strengths) == 1


@given(order=st.permutations(range(200)), n=st.integers(1, 20), keep=st.floats(0.2, 1))
def test_quantile_levels_share_out_the_strongest_evenly(order, n, keep):
    strengths = (np.array(order) + 1).astype(F)
    edges = quantile_edges(strengths, n, keep)
    counts = np.array([(strengths >= edge).sum() for edge in edges])  # from each edge on
    on_each = -np.diff([*counts, 0])
    assert abs(counts[0] - 200 * keep) <= 1
    assert on_each.max() - on_each.min() <= 2


@given(image=npst.arrays(np.uint8, npst.array_shapes(min_dims=2, max_dims=3, max_side=8)), n=st.integers(1, 300))
def test_a_lighter_pixel_never_fires_later_and_a_black_one_never(image, n):
    extractor = Pixels.from_config({"n_levels": n})
    times = next(extractor.time_blocks(np.stack([image, np.full_like(image, 255)])))[0].ravel()
    order = np.argsort(image.ravel())
    assert (np.diff(times[order]) <= 0).all()
    assert_array_equal(times == 1, image.ravel() == 0)
    assert ((times >= 0) & (times <= 1)).all()


def state(extractor, images, n_threads=1):
    dataset = extractor.transform(images, n_threads=n_threads)
    arrays = [dataset.indptr, dataset.indices, dataset.timestamps, extractor.edges, extractor.whitening]
    return b"".join(array.tobytes() for array in arrays)


@pytest.mark.usefixtures("many_processors")
def test_threads_and_blocks_and_instruction_sets_make_the_same_bits(monkeypatch):
    images, before, found = images_of(70), active_instructions(), set()
    whitening = fitted().whitening  # by LAPACK
    monkeypatch.setattr(pixels, "whitening_kernels", lambda images: whitening.copy())
    try:
        for name in available_instructions():
            use_instructions(name)
            for block in (1, 7, 64, 1000):
                monkeypatch.setattr(pixels, "BLOCK", block)
                extractor = Pixels.from_config(ALL).fit(images)
                found |= {state(extractor, images, n_threads) for n_threads in (1, 2, 5)}
    finally:
        use_instructions(before)
    assert len(found) == 1


def test_quantiles_are_those_of_the_first_images(monkeypatch):
    monkeypatch.setattr(pixels, "RANKED", 5)
    images = images_of(12)
    few, all_of_them = (Pixels.from_config(QUANTILE).fit(some) for some in (images[:5], images))
    assert_array_equal(few.edges, all_of_them.edges)
    monkeypatch.setattr(pixels, "RANKED", 12)
    assert (Pixels.from_config(QUANTILE).fit(images).edges != few.edges).any()


def test_spikes_have_the_axes_of_the_images():
    images = images_of(5)
    dataset = fitted().transform(images, list("abcab"))
    assert dataset.input_shape == (13, 11, 3 * (2 + 1 + 2))
    assert dataset.classes.tolist() == ["a", "b", "c"]
    gray = images[..., 0]
    assert Pixels.from_config().fit(gray).transform(gray).input_shape == (13, 11, 1)


def test_linear_levels_of_pixels_need_no_fit():
    images = images_of(5)
    assert_array_equal(Pixels.from_config().transform(images).to_dense(), made(images)[1].reshape(5, -1))


# ---------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"channels": []}, "channels: must be one or more of pixel, dog, white, each once, got []"),
        ({"channels": ["dog", "dog"]}, "channels: must be one or more of pixel, dog, white, each once, got"),
        ({"channels": ["gray"]}, 'channels[0]: must be "pixel", "dog" or "white", got "gray"'),
        ({"n_levels": 0}, "n_levels: must be from 1 to 65536, got 0"),
        ({"n_levels": 65537}, "n_levels: must be from 1 to 65536, got 65537"),
        ({"n_levels": 16.5}, "n_levels: must be "),
        ({"levels": "log"}, 'levels: must be "linear" or "quantile", got "log"'),
        ({"levels": "quantile"}, "keep: must be given with quantile levels, > 0 and <= 1, got None"),
        ({"levels": "quantile", "keep": 0}, "keep: must be given with quantile levels, > 0 and <= 1, got 0"),
        ({"levels": "quantile", "keep": 1.5}, "keep: must be given with quantile levels, > 0 and <= 1, got 1.5"),
        ({"keep": 0.5}, "keep: must not be given with linear levels, of which none is left out, got 0.5"),
        ({"dog_gain": 2}, "dog_gain: must not be given without the channel dog, got 2"),
        ({"channels": ["dog"], "dog_gain": 0}, "dog_gain: must be > 0, got 0"),
        ({"chanels": ["dog"]}, "chanels: must be one of"),
    ],
)
def test_settings_that_make_no_sense_are_refused(config, message):
    with pytest.raises(ConfigError) as refusal:
        Pixels.from_config(config)
    assert str(refusal.value).startswith(message)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((3, 8, 20, 3), np.uint8), r"^images: must have 9 x 9 pixels to be whitened, got \(8, 20, 3\)$"),
        (np.zeros((3, 9, 9), np.uint8), r"^images: must have a strength above 0 among the first 2,000, .* got "),
        (np.zeros((3, 9, 9)), "^images: must be uint8"),
        (np.zeros((9, 9), np.uint8), "^images: must have the shape"),
    ],
)
def test_images_that_nothing_can_be_learned_of_are_refused_and_change_nothing(images, message):
    extractor = copy(fitted())
    before = state(extractor, images_of())
    with pytest.raises(DataError, match=message):
        extractor.fit(images)
    assert state(extractor, images_of()) == before


def test_more_inputs_than_can_be_counted_are_refused():
    with pytest.raises(DataError, match=r"^images: must have at most 2147483647 inputs, got 3600000000$"):
        Pixels.from_config({"channels": ["dog", "pixel"]}).check((20_000, 20_000, 3))


def test_images_of_another_shape_than_those_of_fit_are_refused():
    extractor = Pixels.from_config().fit(images_of(shape=(12, 12, 1)))
    with pytest.raises(DataError, match=r"must be of the shape of those of fit, \(12, 12, 1\), got \(12, 12, 3\)$"):
        extractor.transform(images_of(shape=(12, 12, 3)))


@pytest.mark.parametrize(("name", "config"), [("edges", QUANTILE), ("whitening", {"channels": ["white"]})])
def test_what_was_not_learned_is_asked_for(name, config, tmp_path):
    extractor = Pixels.from_config(config)
    for use in (
        lambda: getattr(extractor, name),
        lambda: extractor.transform(images_of()),
        lambda: extractor.save(tmp_path / "model.npz"),
    ):
        with pytest.raises(RunError, match=rf"^{name}: must come from fit, load or an assignment, got none of them"):
            use()


@pytest.mark.parametrize(
    ("config", "name", "values", "message"),
    [
        (
            {},
            "edges",
            [0.5] * 32,
            r"^edges: must be of an extractor with quantile levels, got <Pixels pixel",
        ),
        ({}, "whitening", np.zeros((1, 3, 3, 1)), "^whitening: must be of an extractor with the channel white, got "),
        (QUANTILE, "edges", [0.5] * 15, r"^edges: must have shape \(16,\), got \(15,\)$"),
        (QUANTILE, "edges", [0.0] + [0.5] * 15, r"^edges\[0\]: must be > 0, got 0\.0$"),
        (QUANTILE, "edges", [0.5] * 14 + [0.25, 0.5], r"^edges\[14\]: must be >= 0\.5, the edge before it, got 0\.25$"),
        (
            ALL,
            "whitening",
            np.zeros((3, 4, 4, 3)),
            r"^whitening: must have shape \(channels, size, size, channels\)",
        ),
    ],
)
def test_what_cannot_have_been_learned_is_refused(config, name, values, message):
    with pytest.raises(DataError, match=message):
        setattr(Pixels.from_config(config), name, values)


def test_whitening_of_other_colours_is_refused():
    extractor = Pixels.from_config({"channels": ["white"]})
    extractor.whitening = np.ones((1, 3, 3, 1))
    with pytest.raises(DataError, match="images: must have the 1 channels of the whitening kernels, got 3"):
        extractor.transform(images_of())


# ---------------------------------------------------------------------------- files, names and commands


@pytest.mark.parametrize("config", some([{}, ALL, QUANTILE, {"channels": ["white"]}, ALL | {"dog_gain": 1}], 2))
def test_a_saved_extractor_makes_the_same_spikes(config, tmp_path):
    images = images_of()
    extractor = Pixels.from_config(config, seed=3).fit(images)
    extractor.save(tmp_path / "model.npz")
    again = load_extractor(tmp_path / "model.npz")
    assert (type(again), again.config, again.seed, again.image_shape) == (Pixels, extractor.config, 3, (13, 11, 3))
    assert_array_equal(again.transform(images).to_dense(), extractor.transform(images).to_dense())
    again.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        ({"edges": np.zeros(3)}, r"edges: must have shape \(16\), got \(3,\)"),
        ({"edges": np.linspace(1, 0.5, 16)}, r"edges\[1\]: must be >= 1"),
        ({"edges": None}, "no edges"),
        ({"extra": np.zeros(3)}, "arrays: must be among"),
        ({"header": np.array('{"extractor": "pixels", "format": 2, "config": {}, "seed": 0}')}, "format: must be 1"),
        ({"header": np.array('{"extractor": "pixels", "format": 1, "config": {}, "seed": 0}')}, "image_shape"),
    ],
)
def test_a_changed_file_is_refused(change, finding, tmp_path):
    fitted().save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz") as file:
        arrays = dict(file) | change
    np.savez(tmp_path / "model.npz", **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(DataError, match=f"must be a file that Pixels.save wrote, got .*{finding}"):
        load_extractor(tmp_path / "model.npz")


@pytest.mark.parametrize(
    ("name", "shape", "channels", "n_levels"),
    [
        ("MNIST", (28, 28), ["pixel"], 32),
        ("Fashion-MNIST", (28, 28), ["pixel", "dog"], 16),
        ("fmnist", (28, 28, 1), ["pixel", "dog"], 16),
        ("CIFAR-10", (32, 32, 3), ["white"], 16),
        ("CIFAR100", (32, 32, 3), ["white"], 16),
        ("mine", (20, 20), ["pixel"], 32),
        ("mine", (20, 20, 1), ["pixel"], 32),
        ("mine", (20, 20, 3), ["white"], 16),
        ("mine", (20, 8, 3), ["pixel"], 32),
    ],
)
def test_there_are_settings_for_all_images(name, shape, channels, n_levels):
    config = PixelsConfig.from_any(Pixels.published(name, shape))
    assert (list(config.channels), config.n_levels) == (channels, n_levels)
    Pixels.from_config(config).check(shape)


def test_an_extractor_says_what_it_is():
    assert repr(Pixels.from_config()) == "<Pixels pixel, 32 linear levels, not fitted>"
    assert repr(fitted()) == "<Pixels white + pixel + dog, 16 quantile levels, images of 13 x 11 x 3>"


def test_images_become_spikes_and_classes_by_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    images, labels = digits(20)
    (tmp_path / "images").mkdir()
    for part in ("train", "test"):
        images.tofile(tmp_path / "images" / f"X_{part}.bin")
        labels.tofile(tmp_path / "images" / f"y_{part}.bin")
    (tmp_path / "config.json").write_text(json.dumps({"channels": ["pixel", "dog"], **QUANTILE}))
    assert main(["extract", "pixels", "images", "spikes", "config.json", "--n_threads", "2"]) == 0
    assert "of 2,352 features" in capsys.readouterr().out
    train = SpikingDataset.from_file("spikes/trainset.npz")
    assert train.input_shape == (28, 28, 3)
    wanted = Pixels.from_config("config.json").fit(images).transform(images, labels)
    for name in ("indptr", "indices", "timestamps", "labels"):
        assert_array_equal(getattr(train, name), getattr(wanted, name))
    assert not (tmp_path / "spikes" / "filters.png").exists()
    model = Readout.from_config(settings(network={"n_neurons": 20}), train.n_inputs, 10)
    model.save("network.npz")
    capsys.readouterr()
    words = ["predict", "images", "--extractor", "spikes/model.npz", "--readout", "network.npz", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == model.predict(train).tolist()
    small = Readout.from_config(settings(network={"n_neurons": 20}), 28, 10)
    small.save("network.npz")
    assert main(words) == 2
    assert "must take the 2352 features that spikes/model.npz makes of these images" in capsys.readouterr().err
