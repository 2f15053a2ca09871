"""Image folders come back as they were written, mapped, split by split; damaged ones are refused in one line."""

import os
import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spikenn_cy.data.imagefiles import ImageArrays
from spikenn_cy.data.imagefiles import Split
from spikenn_cy.data.imagefiles import write_images
from spikenn_cy.data.imagefiles import write_split
from spikenn_cy.data.imagesets import ImageSet
from spikenn_cy.data.imagesets import read_image_sets
from spikenn_cy.errors import DataError
from spikenn_cy.errors import SpikennError

pytestmark = pytest.mark.quick

TRAIN, VAL = np.array([7, 3, 5, 0, 1, 2, 9]), np.array([8, 4, 6])


def some_arrays(size=(4, 5)):
    generator = np.random.default_rng(0)
    return ImageArrays(
        name="some",
        train_images=generator.integers(0, 256, (10, *size), dtype=np.uint8),
        train_labels=np.array([0, 1, 2, 0, 1, 2, 0, 1, 2, 0]),
        test_images=generator.integers(0, 256, (6, *size), dtype=np.uint8),
        test_labels=np.array([2, 1, 0, 2, 1, 0]),
        class_names=("zero", "one", "two"),
    )


def write_folder(folder, arrays):
    write_images(folder / "images.npz", arrays)
    for name, n_test in {"gs": 0, "kfold/3": 6}.items():
        (folder / name).mkdir(parents=True)
        write_split(folder / name / "split.npz", Split(TRAIN, VAL, n_test), arrays.train_labels)


@pytest.fixture(params=[(4, 5), (4, 5, 3)], ids=["grey", "colour"])
def arrays(request):
    return some_arrays(request.param)


@pytest.fixture
def folder(tmp_path, arrays):
    write_folder(tmp_path, arrays)
    return tmp_path


def refusal(path, said_of=None):
    with pytest.raises(DataError) as caught:
        read_image_sets(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(said_of or path))
    return message.removeprefix(str(said_of or path))


# ---------------------------------------------------------------------------- sound folders


def test_the_whole_folder_has_all_images(folder, arrays):
    found = read_image_sets(folder)
    assert found.name == "some"
    assert found.val is None
    assert set(found.parts) == {"train", "test"}
    for part in ("train", "test"):
        images = getattr(found, part)
        assert_array_equal(images.images, getattr(arrays, f"{part}_images"), strict=True)
        assert_array_equal(images.labels, getattr(arrays, f"{part}_labels").astype(np.int32), strict=True)
        assert images.class_names == ("zero", "one", "two")
        assert images.classes.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("name", "parts"), [("gs", ["train", "val"]), ("kfold/3", ["train", "val", "test"])])
def test_a_split_has_its_images_in_its_order(folder, arrays, name, parts):
    found = read_image_sets(str(folder / name))
    assert list(found.parts) == parts
    for images, positions in ((found.train, TRAIN), (found.val, VAL)):
        assert_array_equal(images.images, arrays.train_images[positions], strict=True)
        assert_array_equal(images.labels, arrays.train_labels[positions].astype(np.int32), strict=True)
        assert images.shape == (len(positions), *arrays.train_images.shape[1:])
    if found.test:
        assert_array_equal(found.test.images, arrays.test_images, strict=True)


def test_a_split_is_found_from_inside_its_folder_and_through_a_link(folder, arrays, monkeypatch):
    (folder / "elsewhere").symlink_to(folder / "kfold" / "3")
    assert len(read_image_sets(folder / "elsewhere").train) == 7
    monkeypatch.chdir(folder / "kfold" / "3")
    assert len(read_image_sets(".").train) == 7


def test_images_are_mapped_and_cannot_be_changed(folder):
    train = read_image_sets(folder).train
    assert isinstance(train.images, np.memmap)
    assert not train.images.flags.writeable
    assert not train.labels.flags.writeable
    assert isinstance(train[2:5].images, np.memmap)


def test_no_image_of_a_split_is_read_before_it_is_asked_for(folder, arrays, monkeypatch):
    gathered = []

    class Watched(np.ndarray):
        def __getitem__(self, key):
            gathered.append(np.size(key))
            return super().__getitem__(key)

    split = ImageSet(arrays.train_images.view(Watched), arrays.train_labels, positions=TRAIN)
    gathered.clear()
    assert len(split[1:]) == 6
    assert gathered == []
    for _ in split.blocks(3):
        pass
    assert gathered == [3, 3, 1]


def test_blocks_hold_every_image_once_in_order(folder):
    for images in read_image_sets(folder / "kfold" / "3").parts.values():
        for n_images in (1, 3, 100):
            blocks = list(images.blocks(n_images))
            assert [len(block) for block in blocks[:-1]] == [n_images] * (len(blocks) - 1)
            assert_array_equal(np.concatenate(blocks), images.images, strict=True)
    with pytest.raises(SpikennError, match="n_images: must be at least 1, got 0"):
        next(images.blocks(0))


@pytest.mark.parametrize("name", ["", "gs"])
@pytest.mark.parametrize(
    "key",
    [slice(2, 5), slice(None, None, -2), slice(4, 4), [3, 0, 3], np.array([1]), np.arange(7) % 2 == 0],
    ids=str,
)
def test_a_part_of_a_set_is_that_of_its_arrays(folder, name, key):
    train = read_image_sets(folder / name).train[:7]
    part = train[key]
    assert_array_equal(part.images, train.images[key], strict=True)
    assert_array_equal(part.labels, train.labels[key], strict=True)
    assert part.shape == train.images[key].shape
    assert part.class_names == train.class_names
    assert_array_equal(part[1:].images, train.images[key][1:], strict=True)
    assert [label for _, label in part] == part.labels.tolist()
    assert all(map(np.array_equal, (image for image, _ in part), part.images))


def test_one_image_comes_with_its_label(folder, arrays):
    image, label = read_image_sets(folder / "gs").val[-1]
    assert_array_equal(image, arrays.train_images[6])
    assert label == arrays.train_labels[6]
    with pytest.raises(IndexError):
        read_image_sets(folder / "gs").val[3]


def test_a_set_can_be_made_of_arrays(arrays):
    images = ImageSet(arrays.test_images, arrays.test_labels)
    assert images.class_names == ("0", "1", "2")
    assert images.images is arrays.test_images
    assert re.fullmatch(r"<ImageSet of 6 images, 4 x 5( x 3)?, 3 classes>", repr(images))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((2, 3, 3)), [0, 1]), r"images: must be uint8 of shape .*, got 'float64 \(2, 3, 3\)'"),
        ((np.zeros((2, 9), np.uint8), [0, 1]), r"images: must be uint8 of shape .*, got 'uint8 \(2, 9\)'"),
        ((np.zeros((0, 3, 3), np.uint8), []), r"images: must be uint8 of shape .*, got 'uint8 \(0, 3, 3\)'"),
        (
            (np.zeros((2, 3, 3), np.uint8), [0]),
            r"labels: must be whole numbers, one for each of 2 images, got .*\(1,\)",
        ),
        ((np.zeros((2, 3, 3), np.uint8), [0, -1]), r"labels\[1\]: must be in \[0, 1\), got -1"),
        ((np.zeros((2, 3, 3), np.uint8), [0, 1], ["a"]), r"labels\[1\]: must be in \[0, 1\), got 1"),
        ((np.zeros((2, 3, 3), np.uint8), [0, 1], None, [0, 2]), r"positions: must be in \[0, 2\), got array\(\[2\]\)"),
        ((np.zeros((2, 3, 3), np.uint8), [0, 1], None, [0.5]), r"positions: must be a list of whole numbers, got "),
    ],
)
def test_a_set_of_wrong_arrays_is_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        ImageSet(*arguments)


def test_numpy_opens_the_files(folder, arrays):
    with np.load(folder / "images.npz", allow_pickle=False) as file:
        assert_array_equal(file["train_images"], arrays.train_images, strict=True)
        assert file["name"] == "some"
    with np.load(folder / "gs" / "split.npz", allow_pickle=False) as file:
        assert_array_equal(file["train"], TRAIN, strict=True)
        assert_array_equal(file["val"], VAL, strict=True)


# ---------------------------------------------------------------------------- broken folders


def changed(path, **members):
    """Write the archive at ``path`` anew with some of its arrays replaced, or left out if None."""
    with np.load(path) as file:
        arrays = dict(file) | members
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})


@pytest.mark.parametrize("arrays", [some_arrays()], ids=[""])
@pytest.mark.parametrize(
    ("member", "found", "message"),
    [
        ("format_version", 2, ": format_version: must be 1, got 2"),
        ("name", 5, ": name: must be text, got 5"),
        ("name", ["a"], r": name: must be a single number, got \(1,\)"),
        ("test_labels", None, r": must hold the arrays name, .*, got .*test_labels"),
        ("more", 1, r": may hold nothing besides its arrays, got \['more'\]"),
        ("class_names", [1, 2, 3], ": class_names: must be a list of text, got "),
        ("class_names", ["a", "b"], r": train_labels\[2\]: must be in \[0, 2\), got 2"),
        ("train_images", np.zeros((10, 4, 5)), ": train_images: must be uint8 of shape "),
        (
            "train_images",
            np.zeros((9, 4, 5), np.uint8),
            ": train_labels: must be whole numbers, one for each of 9 images",
        ),
        (
            "train_images",
            np.zeros((10, 4, 5), np.uint8, "F"),
            ": train_images: must be in row-major order, got 'Fortran",
        ),
        ("train_images", np.zeros((1,) * 5, np.uint8), ": train_images: must have 4 axes at most, got "),
        (
            "test_images",
            np.zeros((6, 5, 5), np.uint8),
            r": test_images: must be of size \(4, 5\) like train_images, got ",
        ),
        ("test_labels", np.zeros(6), ": test_labels: must be whole numbers, one for each of 6 images, got 'float64"),
        ("test_labels", np.array([0, 1, -1, 0, 0, 0]), r": test_labels\[2\]: must be in \[0, 3\), got -1"),
    ],
)
def test_wrong_images_are_refused_by_name(folder, member, found, message):
    changed(folder / "images.npz")
    assert len(read_image_sets(folder).train) == 10  # so that it is the change that is refused
    changed(folder / "images.npz", **{member: found})
    assert re.match(message, refusal(folder, folder / "images.npz"))


@pytest.mark.parametrize("arrays", [some_arrays()], ids=[""])
@pytest.mark.parametrize(
    ("member", "found", "message"),
    [
        ("format_version", 0, ": format_version: must be 1, got 0"),
        ("labels_sha256", "0" * 64, r": labels_sha256: must be that of the labels in images\.npz, got '0"),
        ("train", [0, 10], r": train: must be in \[0, 10\), got 10"),
        ("val", [-1, 4], r": val: must be in \[0, 10\), got -1"),
        ("val", np.zeros(0, int), r": val: must be a list of positions, got 'int64 \(0,\)'"),
        ("val", [0.5], ": val: must be a list of positions, got 'float64"),
        ("val", [8, 4, 3], r": must have each image once, in train or in val, got '3 twice'"),
        ("train", [1, 1], r": must have each image once, in train or in val, got '1 twice'"),
        ("n_test", 5, r": n_test: must be 0 or all 6 test images, got 5"),
    ],
)
def test_a_wrong_split_is_refused_by_name(folder, member, found, message):
    path = folder / "kfold" / "3" / "split.npz"
    changed(path)
    assert len(read_image_sets(path.parent).train) == 7
    changed(path, **{member: found})
    assert re.match(message, refusal(path.parent, path))


def test_a_split_without_its_images_is_refused(folder):
    (folder / "images.npz").unlink()
    assert refusal(folder / "kfold" / "3", folder / "kfold").startswith(
        "/images.npz: must be a readable file, got No such"
    )


def test_a_damaged_file_is_refused(folder):
    os.truncate(folder / "images.npz", 1000)
    assert refusal(folder, folder / "images.npz").startswith(": must be a sound .npz file, got ")


def test_what_is_no_image_folder_is_refused(tmp_path):
    rule = ": must be an image folder, with images.npz, split.npz or X_train.bin, got "
    assert refusal(tmp_path) == f"{rule}none of these"
    assert refusal(tmp_path / "no") == f"{rule}no such folder"
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file") == f"{rule}a file"


# ---------------------------------------------------------------------------- the reference's layout


def write_raw(folder, part, labels, size):
    images = np.random.default_rng(len(labels)).integers(0, 256, (len(labels), *size), dtype=np.uint8)
    (folder / f"X_{part}.bin").write_bytes(images.tobytes())
    (folder / f"y_{part}.bin").write_bytes(bytes(labels))
    return images


@pytest.mark.parametrize("size", [(28, 28), (32, 32, 3)])
@pytest.mark.parametrize("parts", [("train", "val"), ("train", "test"), ("train", "val", "test")])
def test_a_folder_of_the_reference_is_read(tmp_path, size, parts):
    labels = {"train": [0, 2, 1, 4], "val": [2, 2], "test": [4]}
    written = {part: write_raw(tmp_path, part, labels[part], size) for part in parts}
    found = read_image_sets(tmp_path)
    assert tuple(found.parts) == parts
    for part, images in found.parts.items():
        assert_array_equal(images.images, written[part], strict=True)
        assert isinstance(images.images, np.memmap)
        assert images.labels.tolist() == labels[part]
        assert images.n_classes == 5


@pytest.fixture
def raw(tmp_path):
    for part, n_images in {"train": 6, "val": 3, "test": 2}.items():
        write_raw(tmp_path, part, [0, 1, 2, 0, 1, 2][:n_images], (28, 28))
    assert set(read_image_sets(tmp_path).parts) == {"train", "val", "test"}
    return tmp_path


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_a_folder_of_the_reference_with_one_file_of_two_is_refused(raw, part):
    (raw / f"X_{part}.bin").unlink()
    assert refusal(raw) == f"/X_{part}.bin: must be a readable file, got No such file or directory"
    write_raw(raw, part, [0], (28, 28))
    (raw / f"y_{part}.bin").unlink()
    assert refusal(raw) == f"/y_{part}.bin: must be a readable file, got No such file or directory"


@pytest.mark.parametrize("part", ["val", "test"])
def test_links_that_lead_nowhere_are_not_passed_over(raw, part):
    for kind in "Xy":
        (raw / f"{kind}_{part}.bin").unlink()
        (raw / f"{kind}_{part}.bin").symlink_to("moved")
    assert refusal(raw) == f"/y_{part}.bin: must be a readable file, got No such file or directory"


@pytest.mark.parametrize("n_bytes", [0, 783, 2 * 784 - 1, 784, 3 * 3072, 1024 * 2])
def test_raw_images_that_do_not_fit_their_labels_are_refused(raw, n_bytes):
    (raw / "X_test.bin").write_bytes(bytes(n_bytes))
    rule = "/X_test.bin: must hold 784 or 3072 bytes for each of the 2 labels in y_test.bin"
    assert refusal(raw) == f"{rule}, got '{n_bytes} bytes'"


def test_raw_images_of_another_size_than_those_that_train_are_refused(raw):
    write_raw(raw, "test", [0, 1], (32, 32, 3))
    assert refusal(raw) == "/X_test.bin: must be of size (28, 28) like X_train.bin, got (32, 32, 3)"


def test_raw_labels_that_no_training_image_has_are_refused(raw):
    write_raw(raw, "val", [0, 3], (28, 28))
    assert refusal(raw) == "/y_val.bin[1]: must be in [0, 3), got 3"


def test_an_empty_file_of_raw_labels_is_refused(raw):
    (raw / "y_val.bin").write_bytes(b"")
    assert refusal(raw) == "/y_val.bin: must hold at least one label, got 'an empty file'"
