"""SoftHebb-CNN learns as its rule says and codes its features in time; the rule is told in ``softhebb_reference``."""

import json
import re
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pages
import pytest
import softhebb_reference as reference
from numpy.testing import assert_allclose
from numpy.testing import assert_array_equal
from small_images import fetched
from small_images import write_mnist
from small_runs import write_short

from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning
from spikenn_cy.errors import MissingExtra
from spikenn_cy.errors import RunError
from spikenn_cy.features.softhebb import SoftHebbBlockConfig
from spikenn_cy.features.softhebb import SoftHebbCNN
from spikenn_cy.features.softhebb import SoftHebbConfig
from spikenn_cy.features.softhebb.learned import initial_states
from spikenn_cy.utils.extras import wanted

pytestmark = pytest.mark.quick

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed (extra softhebb)")


@pytest.fixture(autouse=True)
def one_thread():
    """Networks this small have nothing to share out, and on a busy machine threads wait for each other."""
    if find_spec("torch") is None:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


SMALL = {
    "blocks": [
        {"filters": 4, "kernel": 5, "inverse_temperature": 1.0, "learning_rate": 0.08, "power": 0.7},
        {"filters": 6, "kernel": 3, "inverse_temperature": 0.65, "learning_rate": 0.005, "power": 1.4},
        {
            "filters": 8, "kernel": 3, "inverse_temperature": 0.25, "learning_rate": 0.01, "power": 1.0,
            "pool": "average", "pool_size": 2, "pool_stride": 2, "pool_pad": 0,
        },
    ],
    "device": "cpu",
}  # fmt: skip


def some_images(n=10, rows=20, columns=20, channels=2, seed=0):
    """Blurred noise, so that neighbouring pixels are alike as in pictures."""
    noise = np.random.default_rng(seed).random((n, rows + 2, columns + 2, channels))
    smooth = sum(noise[:, i : i + rows, j : j + columns] for i in range(3) for j in range(3)) / 9
    return (255 * smooth).astype(np.uint8)


def small(**changes):
    return SoftHebbCNN.from_config(SMALL | changes, seed=3)


def fitted(n=10, **changes):
    return small(**changes).fit(some_images(n))


def norms(weights):
    return [float(np.sqrt((w.astype(float) ** 2).sum(axis=(1, 2, 3))).mean()) for w in weights]


def twin_of(extractor, channels=2):
    """The reference with the initial weights of an extractor, and the order of ten images."""
    generator = np.random.default_rng(extractor.seed)
    states = initial_states(extractor.config, channels, generator)
    blocks = extractor.config.to_dict()["blocks"]
    return reference.Network(blocks, [state.weights for state in states]), generator


# ---------------------------------------------------------------------------- learning


@needs_torch
@pytest.mark.parametrize("n_images", [10, 34])  # one step; four of which the last is short
def test_learning_agrees_with_the_rule_in_plain_numpy(n_images):
    images, extractor = some_images(n_images), small()
    twin, generator = twin_of(extractor)
    order = generator.permutation(n_images)
    for start in range(0, n_images, 10):
        twin.learn(images[order[start : start + 10]])
    extractor.fit(images)
    # Single precision; every change is divided by the largest of its layer, so errors are of that size.
    for found, expected, rate in zip(extractor.weights, twin.weights, (0.08, 0.005, 0.01), strict=True):
        assert_allclose(found, expected, rtol=0, atol=1e-4 * rate * n_images)
    for found, expected in zip(extractor.running_means, twin.means, strict=True):
        assert_allclose(found, expected, rtol=2e-4, atol=1e-5)
    for found, expected in zip(extractor.running_variances, twin.variances, strict=True):
        assert_allclose(found, expected, rtol=2e-4, atol=1e-5)


@needs_torch
def test_running_averages_follow_with_a_tenth_of_each_batch():
    images = some_images(10)
    extractor = small().fit(images)
    pixels = images.reshape(-1, 2) / 255
    assert_allclose(extractor.running_means[0], 0.1 * pixels.mean(axis=0), rtol=1e-5)
    assert_allclose(extractor.running_variances[0], 0.9 + 0.1 * pixels.var(axis=0, ddof=1), rtol=1e-5)


@needs_torch
def test_norms_of_filters_fall_while_learning():
    extractor = small()
    before = norms(twin_of(extractor)[0].weights)
    extractor.fit(some_images(300))
    after = norms(extractor.weights)
    assert_allclose(before, 25, rtol=0.2)
    assert all(now < was for now, was in zip(after, before, strict=True))
    assert after[0] < before[0] - 3


@needs_torch
def test_filters_that_draw_the_same_seed_are_the_same_bits_and_another_seed_others():
    one, two = fitted(25), fitted(25)
    for name in ("weights", "running_means", "running_variances"):
        for first, second in zip(getattr(one, name), getattr(two, name), strict=True):
            assert first.tobytes() == second.tobytes()
    other = SoftHebbCNN.from_config(SMALL, seed=4).fit(some_images(25))
    assert not np.allclose(other.weights[0], one.weights[0])


@needs_torch
def test_fitting_again_begins_anew():
    extractor = fitted(25)
    before = extractor.weights
    extractor.fit(some_images(25))
    for first, second in zip(extractor.weights, before, strict=True):
        assert_array_equal(first, second)


@needs_torch
def test_epochs_go_over_the_images_again():
    once, twice = fitted(20), fitted(20, epochs=2)
    assert norms(twice.weights)[0] < norms(once.weights)[0]


@needs_torch
def test_pytorchs_own_random_numbers_and_threads_are_left_alone():
    import torch

    state, n_threads = torch.random.get_rng_state(), torch.get_num_threads()
    small().fit(some_images(20), n_threads=2).transform(some_images(5), n_threads=2)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.get_num_threads() == n_threads
    assert torch.is_grad_enabled()


@needs_torch
def test_nothing_changes_if_learning_is_broken_off(monkeypatch):
    extractor = fitted(20)
    before = extractor.weights

    def ctrl_c(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("spikenn_cy.features.softhebb.network.Network.learn", ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        extractor.fit(some_images(20, seed=1))
    assert all(now is was for now, was in zip(extractor.weights, before, strict=True))


@needs_torch
def test_weights_that_go_to_infinity_are_told():
    blocks = [SMALL["blocks"][0] | {"learning_rate": 1e30}]
    with pytest.raises(DataError, match=r"weights: must stay finite; a smaller learning_rate may help"):
        small(blocks=blocks).fit(some_images(30))


# ---------------------------------------------------------------------------- features


@needs_torch
def test_features_agree_with_plain_numpy():
    images, extractor = some_images(12), fitted(30)
    twin, _ = twin_of(extractor)
    twin.weights = [w.astype(float) for w in extractor.weights]
    twin.means = [mean.astype(float) for mean in extractor.running_means]
    twin.variances = [variance.astype(float) for variance in extractor.running_variances]
    expected = reference.times(twin.features(images))
    dataset = extractor.transform(images)
    assert_allclose(dataset.to_dense(), expected, rtol=0, atol=1e-5)
    assert (expected.min(axis=1) == 0).all()  # the largest feature fires at once
    assert dataset.max_time == 1
    assert 0.1 < len(dataset.indices) / expected.size < 0.9


@needs_torch
@pytest.mark.parametrize("pool", ["max", "average"])
@pytest.mark.parametrize("power", [1.0, 0.5])
@pytest.mark.parametrize(("size", "stride", "pad"), [(1, 1, 0), (2, 2, 0), (3, 2, 1), (4, 3, 2), (2, 3, 0)])
def test_any_pooling_agrees_with_plain_numpy(pool, power, size, stride, pad):
    block = {"filters": 3, "pool": pool, "power": power, "pool_size": size, "pool_stride": stride, "pool_pad": pad}
    extractor = small(blocks=[block])
    twin, _ = twin_of(extractor, channels=1)
    extractor.weights = [w.astype(np.float32) for w in twin.weights]
    images = some_images(3, 11, 14, 1)
    expected = reference.times(twin.features(images))
    assert_allclose(extractor.transform(images).to_dense(), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("pixels", "shape", "n_features"),
    [((28, 28), (1536, 3, 3), 13_824), ((32, 32), (1536, 4, 4), 24_576), ((28, 32), (1536, 3, 4), 18_432)],
)
def test_the_published_network_has_so_many_features(pixels, shape, n_features):
    assert SoftHebbConfig().feature_shape(*pixels) == shape
    assert np.prod(shape) == n_features


@needs_torch
@pytest.mark.parametrize(("shape", "n_features"), [((28, 28), 13_824), ((32, 32, 3), 24_576)])
def test_the_published_network_takes_grey_and_coloured_images(shape, n_features):
    images = np.random.default_rng(0).integers(0, 256, (12, *shape), dtype=np.uint8)
    extractor = SoftHebbCNN.from_config({"device": "cpu"}).fit(images)
    assert [w.shape[0] for w in extractor.weights] == [96, 384, 1536]
    dataset = extractor.transform(images[:3])
    assert dataset.n_inputs == n_features
    assert len(dataset) == 3


@needs_torch
def test_borders_are_reflected():
    # A filter that looks at the pixel above alone, and one that never fires.
    filters = np.zeros((2, 1, 3, 3), np.float32)
    filters[0, 0, 0, 1] = 1
    block = {"filters": 2, "pool": "max", "pool_size": 1, "pool_stride": 1, "pool_pad": 0}
    extractor = small(blocks=[block])
    extractor.weights = [filters]
    image = np.arange(12, dtype=np.uint8).reshape(1, 4, 3) * 20
    above = image[0][[1, 0, 1, 2]] / 220
    expected = 1 - np.concatenate([above.ravel() / above.max(), np.zeros(12)])
    assert_allclose(extractor.transform(image).to_dense()[0], expected, atol=1e-5)


@needs_torch
def test_samples_are_in_the_order_of_the_images_with_their_labels():
    images, extractor = some_images(40), fitted(20)
    labels = np.arange(40) % 7 + 3
    together = extractor.transform(images, labels)
    assert_array_equal(together.classes[together.labels], labels)
    for number in (0, 9, 10, 39):
        alone = extractor.transform(images[[number]])
        assert_allclose(together[[number]].to_dense(), alone.to_dense(), atol=1e-6)


@needs_torch
def test_without_labels_all_are_of_class_0():
    dataset = fitted(20).transform(some_images(4))
    assert dataset.labels.tolist() == [0, 0, 0, 0]


@needs_torch
def test_any_number_of_threads_gives_the_same_bits():
    images, extractor = some_images(30), fitted(20)
    one, two = extractor.transform(images), extractor.transform(images, n_threads=2)
    assert_array_equal(one.indices, two.indices)
    assert_array_equal(one.timestamps, two.timestamps)


@needs_torch
def test_blocks_of_times_are_those_of_transform():
    images, extractor = some_images(25), fitted(20)
    blocks = list(extractor.time_blocks(images))
    assert [len(block) for block in blocks] == [10, 10, 5]
    assert all(block.dtype == np.float32 for block in blocks)
    assert_array_equal(np.concatenate(blocks), extractor.transform(images).to_dense())


@needs_torch
def test_an_image_without_any_feature_is_silent_and_is_told():
    extractor = small(blocks=[SMALL["blocks"][0]])
    extractor.weights = [np.ones((4, 2, 5, 5), np.float32)]  # all alike, so that none exceeds the mean
    with pytest.warns(DataWarning, match=r"^images: 3 of 3 have no feature above 0 and will be silent$"):
        dataset = extractor.transform(some_images(3))
    assert len(dataset) == 3
    assert len(dataset.indices) == 0
    filters = np.zeros((4, 2, 5, 5), np.float32)
    filters[0, :, 2, 2] = 1
    extractor.weights = [filters]
    images = some_images(3)
    images[1] = 0
    with pytest.warns(DataWarning, match="^images: 1 of 3 "):
        dataset = extractor.transform(images)
    assert np.diff(dataset.indptr).astype(bool).tolist() == [True, False, True]


@needs_torch
def test_transposed_images_give_the_features_of_images_that_were_transposed():
    images = some_images(12, rows=18, columns=24)
    plain = small().fit(images)
    turned = small(transposed=True).fit(images.transpose(0, 2, 1, 3))
    assert_array_equal(plain.transform(images).to_dense(), turned.transform(images.transpose(0, 2, 1, 3)).to_dense())


@needs_torch
def test_grey_images_need_no_axis_of_channels():
    images = some_images(12, channels=1)
    one, two = small().fit(images), small().fit(images[..., 0])
    assert_array_equal(one.transform(images[..., 0]).to_dense(), two.transform(images).to_dense())


@needs_torch
def test_images_that_may_not_be_written_to_are_taken_without_a_warning():
    images = some_images(12)
    images.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small().fit(images).transform(images)


# ---------------------------------------------------------------------------- files and assignment


@needs_torch
def test_a_loaded_extractor_has_the_features_of_the_saved_one(tmp_path):
    images, extractor = some_images(12), fitted(20)
    extractor.save(tmp_path / "model.npz")
    loaded = SoftHebbCNN.load(tmp_path / "model.npz")
    assert (loaded.config, loaded.seed, loaded.image_shape) == (extractor.config, 3, (20, 20, 2))
    assert_array_equal(loaded.transform(images).to_dense(), extractor.transform(images).to_dense())
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


@needs_torch
def test_assigned_weights_and_averages_need_no_fit():
    images, extractor = some_images(12), fitted(20)
    other = small()
    other.weights = extractor.weights
    other.running_means = extractor.running_means
    other.running_variances = extractor.running_variances
    assert_array_equal(other.transform(images).to_dense(), extractor.transform(images).to_dense())


def test_weights_are_read_only_copies():
    extractor = small(blocks=[SMALL["blocks"][0]])
    given = np.ones((4, 2, 5, 5))
    extractor.weights = [given]
    given[:] = 7
    (weights,) = extractor.weights
    assert (weights == 1).all()
    with pytest.raises(ValueError, match="read-only"):
        weights[0] = 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"PK\x03\x04" + bytes(100)),
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: np.savez(path, header=np.array('{"extractor": "softhebb"}')),
        lambda path: np.savez(path, **(dict(np.load(path)) | {"mean_0": np.zeros(3, np.float32)})),
        lambda path: np.savez(path, **(dict(np.load(path)) | {"header": np.array('{"extractor": "stdp-csnn"}')})),
    ],
)
def test_a_file_that_save_did_not_write_is_refused_in_one_line(tmp_path, spoil):
    extractor = small(blocks=[SMALL["blocks"][0]])
    extractor.weights = [np.ones((4, 2, 5, 5))]
    path = tmp_path / "model.npz"
    extractor.save(path)
    SoftHebbCNN.load(path)  # so that it is the change that is refused
    spoil(path)
    with pytest.raises(DataError) as caught:
        SoftHebbCNN.load(path)
    assert str(caught.value).startswith(f"{path}: must be a file that SoftHebbCNN.save wrote, got ")
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"block": []}, 'block: must be one of the keys blocks, batch_size, epochs, device, transposed, got "block"'),
        ({"blocks": []}, "blocks: must hold at least one block, got []"),
        ({"blocks": [{}]}, "blocks[0].filters: must be given, got nothing"),
        ({"blocks": [{"filters": 0}]}, "blocks[0].filters: must be from 1 to 65535, got 0"),
        ({"blocks": [{"filters": 4, "kernel": 4}]}, "blocks[0].kernel: must be odd, got 4"),
        ({"blocks": [{"filters": 4, "pool": "min"}]}, 'blocks[0].pool: must be "max" or "average", got "min"'),
        ({"blocks": [{"filters": 4, "pool_pad": 3}]}, "blocks[0].pool_pad: must be from 0 to half of pool_size, got 3"),
        ({"blocks": [{"filters": 4, "power": 0}]}, "blocks[0].power: must be > 0, got 0"),
        ({"blocks": [{"filters": 4, "learning_rate": "x"}]}, 'blocks[0].learning_rate: must be a number, got "x"'),
        ({"batch_size": 0}, "batch_size: must be from 1 to 2147483647, got 0"),
        ({"batch_size": True}, "batch_size: must be a whole number, got true"),
        ({"device": "tpu"}, 'device: must be "auto", "cpu" or "cuda", got "tpu"'),
    ],
)
def test_a_setting_that_is_nonsense_is_refused_with_its_place(config, message):
    with pytest.raises(ConfigError) as caught:
        SoftHebbCNN.from_config(config)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0"])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ConfigError, match="seed: must be an integer >= 0, got "):
        SoftHebbCNN.from_config(SMALL, seed=seed)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((3, 20, 20)), "images: must be uint8, got dtype('float64')"),
        (np.zeros((20, 20), np.uint8), "images: must have the shape (n, rows, columns) or"),
        (np.zeros((0, 20, 20), np.uint8), "images: must have the shape (n, rows, columns) or"),
        (
            np.zeros((3, 2, 20), np.uint8),
            "images: must be large enough for blocks[0], which gets 2 x 20 positions, got",
        ),
        (np.zeros((3, 5, 20), np.uint8), "images: must be large enough for blocks[2], which gets 1 x 5 positions, got"),
    ],
)
def test_images_that_cannot_be_learned_from_are_refused(images, message):
    with pytest.raises(DataError) as caught:
        small().fit(images)
    assert str(caught.value).startswith(message)
    if "large" in message:
        with pytest.raises(DataError) as caught:
            small().check(images.shape[1:])
        assert str(caught.value).startswith(message)


@needs_torch
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 20, 20), "images: must have 2 channels, got 1"),
        ((3, 20, 24, 2), "images: must be of the shape of those of fit, (20, 20, 2), got (20, 24, 2)"),
    ],
)
def test_images_unlike_those_of_fit_are_refused(shape, message):
    with pytest.raises(DataError) as caught:
        fitted(20).transform(np.zeros(shape, np.uint8))
    assert str(caught.value) == message


@needs_torch
def test_labels_must_be_as_many_as_images():
    with pytest.raises(DataError, match="must have 2 samples, one a label, got "):
        fitted(20).transform(some_images(3), labels=[0, 1])


@pytest.mark.parametrize("use", [lambda e: e.transform(some_images()), lambda e: e.save("model.npz")])
def test_nothing_comes_out_before_something_was_learned(use):
    with pytest.raises(RunError, match=r"^weights: must come from fit, load or an assignment, got none of them yet$"):
        use(small())


@needs_torch
@pytest.mark.parametrize("n_threads", [0, -1, 1.5, True, 1025])
def test_a_number_of_threads_is_a_whole_number(n_threads):
    extractor = fitted(20)
    for use in (extractor.fit, extractor.transform):
        with pytest.raises(ConfigError, match="n_threads: must be an integer from 1 to 1024, got "):
            use(some_images(), n_threads=n_threads)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("weights", [], "weights: must be 1 arrays, got 0"),
        ("weights", [np.zeros((4, 2, 3, 3))], "weights[0]: must have shape (4, 2, 5, 5), got (4, 2, 3, 3)"),
        ("weights", [np.full((4, 2, 5, 5), np.nan)], "weights[0][0, 0, 0, 0]: must be finite, got nan"),
        ("running_means", [np.zeros(3)], "running_means[0]: must have shape (2,), got (3,)"),
        ("running_variances", [-np.ones(2)], "running_variances[0]: must be >= 0, got "),
    ],
)
def test_an_assignment_that_does_not_fit_is_refused(name, values, message):
    extractor = small(blocks=[SMALL["blocks"][0]])
    extractor.weights = [np.ones((4, 2, 5, 5))]
    with pytest.raises(DataError) as caught:
        setattr(extractor, name, values)
    assert str(caught.value).startswith(message)


def test_without_pytorch_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra) as caught:
        small().fit(some_images())
    said = f"SoftHebbCNN: needs the package torch, which python -m pip install {wanted('softhebb')} brings"
    assert str(caught.value) == said


@needs_torch
def test_a_gpu_that_is_not_there_is_told():
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ConfigError, match="device: must be one that PyTorch finds here, got cuda"):
        small(device="cuda").fit(some_images())


# ---------------------------------------------------------------------------- the page about it

PAGE = pages.ROOT / "docs" / "softhebb.md"


@needs_torch
def test_what_the_page_shows_is_what_happens(tmp_path, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    write_mnist(tmp_path / "downloads")
    published = "configs/SoftHebb-CNN/F-MNIST/s2stdp+ncg.json"
    write_short(tmp_path / published, pages.ROOT / published)
    names = pages.done(PAGE, tmp_path, fetched)
    assert names["dataset"].n_inputs == 13824
    assert [filters.shape for filters in names["extractor"].weights] == [
        (96, 1, 5, 5),
        (384, 96, 3, 3),
        (1536, 384, 3, 3),
    ]
    names["dataset"].save("whole.npz")
    assert Path("trainset.npz").read_bytes() == Path("whole.npz").read_bytes()
    assert json.loads(Path("logs", "softhebb-fmnist-0", "result.json").read_text())["n_epochs"] == 1


def test_the_page_lists_every_setting_with_its_default():
    rows = re.findall(
        r"^\| `(\w+)` \| ([^|]*) \|(?: ([^|]*) \|)? [^|]* \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    defaults, published = SoftHebbConfig().to_dict(), SoftHebbConfig().to_dict()["blocks"]
    block = SoftHebbBlockConfig(filters=1).to_dict()
    assert [key for key, *_ in rows] == [*defaults, *block]
    for key, default, of_blocks in rows[1:]:
        expected = (block if of_blocks else defaults)[key]
        assert default == ("none" if key == "filters" else json.dumps(expected)), key
        if of_blocks:
            assert of_blocks == ", ".join(
                f"{b[key]:g}" if isinstance(b[key], float) else str(b[key]) for b in published
            )
