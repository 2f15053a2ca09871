"""Pictures of one's own become images as the published ones are, under the names of their folders, or are refused."""

import dataclasses
import json
import shutil
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from small_images import digits
from small_images import write_mnist
from tables import some

from spikenn_cy.cli.entry import main
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.imageformats import as_images
from spikenn_cy.data.imageformats import read_image_file
from spikenn_cy.data.imagesets import read_image_sets
from spikenn_cy.data.pictures import pictures_in
from spikenn_cy.data.pictures import read_picture
from spikenn_cy.data.published import SOURCES
from spikenn_cy.data.published import Contents
from spikenn_cy.data.published import digest
from spikenn_cy.errors import DataError
from spikenn_cy.errors import DataWarning

Image = pytest.importorskip("PIL.Image")

pytestmark = pytest.mark.quick

GREY = np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)
COLOUR = np.stack([GREY, GREY[::-1], GREY[:, ::-1]], axis=2)


def write(path, pixels=GREY, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def refusal(read, *arguments):
    with pytest.raises(DataError) as refused:
        read(*arguments)
    assert "\n" not in str(refused.value)
    return str(refused.value)


# One picture


@pytest.mark.parametrize("suffix", ["png", "bmp", "gif", "tif", "pgm"])
def test_a_picture_is_read_to_the_bit_in_every_format_that_loses_nothing(tmp_path, suffix):
    assert_array_equal(read_picture(write(tmp_path / f"x.{suffix}")), GREY, strict=True)
    assert_array_equal(read_image_file(tmp_path / f"x.{suffix}"), GREY[None], strict=True)


def test_a_jpeg_is_read(tmp_path):
    found = read_image_file(write(tmp_path / "x.jpg", np.full((8, 8), 77, np.uint8)))
    assert_array_equal(found, np.full((1, 8, 8), 77, np.uint8), strict=True)


def test_a_picture_is_in_colour_if_a_pixel_is(tmp_path):
    assert_array_equal(read_picture(write(tmp_path / "x.png", COLOUR)), COLOUR, strict=True)
    assert_array_equal(read_picture(write(tmp_path / "y.png", np.stack([GREY] * 3, axis=2))), GREY, strict=True)


def test_16_bits_become_8_and_a_palette_is_looked_up(tmp_path):
    assert_array_equal(read_picture(write(tmp_path / "x.png", GREY.astype(np.uint16) * 257)), GREY, strict=True)
    Image.fromarray(COLOUR).quantize(24).save(tmp_path / "p.png")
    assert read_picture(tmp_path / "p.png").shape == (4, 6, 3)


def test_a_picture_is_turned_as_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its left side
    found = read_picture(write(tmp_path / "x.png", GREY, exif=exif))
    assert_array_equal(found, np.rot90(GREY, -1), strict=True)


def test_what_is_no_opaque_picture_is_refused(tmp_path):
    clear = np.dstack([COLOUR, np.full((4, 6), 255, np.uint8)])
    assert_array_equal(read_picture(write(tmp_path / "x.png", clear)), COLOUR, strict=True)
    clear[0, 0, 3] = 0
    assert "must be opaque" in refusal(read_picture, write(tmp_path / "x.png", clear))
    (tmp_path / "x.png").write_bytes(b"\x89PNG and so on")
    assert "x.png: must be a picture (.png, " in refusal(read_picture, tmp_path / "x.png")
    whole = write(tmp_path / "x.png").read_bytes()
    (tmp_path / "x.png").write_bytes(whole[: len(whole) // 2])
    assert "x.png: must be a " in refusal(read_picture, tmp_path / "x.png")
    frames = [Image.fromarray(GREY), Image.fromarray(GREY[::-1])]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert refusal(read_picture, tmp_path / "x.gif").endswith("must hold one picture, got 2")


def test_without_pillow_it_is_said_what_to_install(tmp_path, monkeypatch):
    write(tmp_path / "x.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"PIL, which python -m pip install .*images.* brings"):
        read_picture(tmp_path / "x.png")


def test_pictures_are_in_the_order_of_numbers_in_their_names(tmp_path):
    for name in ("10.png", "9.png", "a10.png", "a9.png", ".hidden.png"):
        write(tmp_path / name)
    assert [path.name for path in pictures_in(tmp_path)] == ["9.png", "10.png", "a9.png", "a10.png"]


# Arrays


@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (np.zeros((28, 20), np.uint8), (1, 28, 20)),
        (np.zeros((5, 28, 20), np.uint8), (5, 28, 20)),
        (np.zeros((28, 20, 3), np.uint8), (1, 28, 20, 3)),
        (np.zeros((28, 20, 1), np.uint8), (1, 28, 20)),
        (np.zeros((5, 3, 28, 20), np.uint8), (5, 28, 20, 3)),
        (np.zeros((5, 28, 20, 1), np.uint8), (5, 28, 20, 1)),
    ],
)
def test_an_array_is_one_image_or_many(array, shape):
    assert as_images(array, "x").shape == shape


def test_numbers_whose_meaning_is_clear_become_bytes():
    whole = np.array([[0, 1], [128, 255]])
    for kind in (np.int64, np.float32):
        assert_array_equal(as_images(whole.astype(kind), "x")[0], whole.astype(np.uint8), strict=True)
    with pytest.warns(DataWarning, match="x: brightness from 0 to 1 is taken as 0 to 255"):
        assert_array_equal(as_images(whole / 255, "x")[0], whole.astype(np.uint8), strict=True)


@pytest.mark.parametrize("array", [[[-1.0, 0.5]], [[0.5, 200]], [[np.nan, 0]], [[-3, 4]], [[0, 256]]])
def test_numbers_whose_meaning_is_open_are_refused_with_their_range(array):
    rule = "x: must hold uint8, whole numbers from 0 to 255 or real numbers from 0 to 1, got '"
    assert refusal(as_images, np.array(array), "x").startswith(rule)


def test_a_file_of_anything_else_is_refused_by_what_it_is(tmp_path):
    for content, finding in ((b"", "an empty file"), (b"PK\3\4", "an .npz archive"), (b"hello", "another file")):
        (tmp_path / "x").write_bytes(content)
        assert refusal(read_image_file, tmp_path / "x").endswith(f", got {finding}")


# Folders


def photos(folder, n_images=6, names=("cat", "dog")):
    generator = np.random.default_rng(0)
    for number, name in enumerate(names):
        for k in range(n_images):
            pixels = generator.integers(0, 60, (12, 12), dtype=np.uint8)
            pixels[:, 6 * number : 6 * number + 6] += 150
            write(folder / name / f"{k}.png", pixels)
    return folder


def test_a_folder_for_each_class_becomes_images_with_the_names_of_the_folders(tmp_path, capsys):
    photos(tmp_path / "photos")
    assert main(["dataset", "folder", str(tmp_path / "photos"), str(tmp_path / "out")]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path}/out: pictures, 10 + 2 images, 12 x 12, 2 classes\n")
    sets = read_image_sets(tmp_path / "out" / "kfold" / "4")
    assert [len(sets.train), len(sets.val), len(sets.test)] == [8, 2, 2]
    assert sets.labels_of_classes.tolist() == ["cat", "dog"]
    assert sets.test.labels.tolist() == [0, 1]
    assert json.loads((tmp_path / "out" / "dataset.json").read_text())["classes"] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("names", "wanted"),
    some([(("9", "10"), [9, 10]), (("dog", "cat"), ["cat", "dog"]), (("07", "8"), ["07", "8"])], 1),
)
def test_names_of_folders_reach_spikes_as_text_or_as_numbers(tmp_path, names, wanted):
    photos(tmp_path / "photos", names=names)
    assert main(["dataset", "folder", str(tmp_path / "photos"), str(tmp_path / "images")]) == 0
    assert main(["extract", "pixels", str(tmp_path / "images"), str(tmp_path / "spikes")]) == 0
    assert SpikingDataset.from_file(tmp_path / "spikes" / "trainset.npz").classes.tolist() == wanted


def test_train_and_test_may_lie_apart(tmp_path):
    photos(tmp_path / "photos" / "train", 5)
    photos(tmp_path / "photos" / "Test", 3, names=["dog"])
    write(tmp_path / "photos" / "Test" / "dog" / "in colour.png", np.full((12, 12, 3), (1, 2, 3), np.uint8))
    assert main(["dataset", "folder", str(tmp_path / "photos"), str(tmp_path / "out")]) == 0
    sets = read_image_sets(tmp_path / "out")
    assert (sets.train.shape, sets.test.shape) == ((10, 12, 12, 3), (4, 12, 12, 3))
    assert sets.test.labels.tolist() == [1] * 4


def test_a_table_may_name_the_classes_of_pictures(tmp_path):
    photos(tmp_path / "photos", 4)
    flat = tmp_path / "flat"
    flat.mkdir()
    lines = ["file,species,weight"]
    for path in sorted((tmp_path / "photos").glob("*/*.png")):
        shutil.copy(path, flat / f"{path.parent.name}{path.name}")
        lines.append(f"{path.parent.name}{path.stem},{path.parent.name},3")
    (flat / "labels.csv").write_text("\n".join(lines))
    assert main(["dataset", "folder", str(flat), str(tmp_path / "out")]) == 0
    assert read_image_sets(tmp_path / "out").labels_of_classes.tolist() == ["cat", "dog"]


def test_a_labelled_table_of_pixels_is_a_folder_of_images(tmp_path):
    images, labels = digits(40)
    table = np.hstack([labels[:, None], images.reshape(40, -1)])
    header = ",".join(["label", *(f"pixel{k}" for k in range(784))])
    (tmp_path / "kaggle").mkdir()
    np.savetxt(tmp_path / "kaggle" / "train.csv", table, "%d", ",", header=header, comments="")
    np.savetxt(tmp_path / "kaggle" / "test.csv", table[:, 1:], "%d", ",", header=header[6:], comments="")
    assert main(["dataset", "folder", str(tmp_path / "kaggle"), str(tmp_path / "out")]) == 0
    sets = read_image_sets(tmp_path / "out")
    assert (len(sets.train), len(sets.test)) == (30, 10)
    assert sets.labels_of_classes.tolist() == list(range(10))
    assert_array_equal(read_image_file(tmp_path / "kaggle" / "test.csv"), images)


def test_pictures_of_several_sizes_are_scaled_or_refused(tmp_path, capsys):
    photos(tmp_path / "photos")
    write(tmp_path / "photos" / "dog" / "large.png", np.zeros((20, 30), np.uint8))
    words = ["dataset", "folder", str(tmp_path / "photos"), str(tmp_path / "out")]
    assert main(words) == 2
    rule = "large.png: must be of 12 x 12 pixels like 0.png (--size HxW scales pictures), got '20 x 30'"
    assert rule in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main([*words, "--size", "8x10"]) == 0
    assert read_image_sets(tmp_path / "out").train.shape[1:] == (8, 10)
    assert main([*words, "--size", "8"]) == 2
    assert "must be rows x columns, such as 28x28, got '8'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("make", "finding"),
    [
        (lambda folder: None, "must be a folder of pictures, got 'no such folder'"),
        (lambda folder: folder.mkdir(), "must hold a folder of pictures for each of two classes or more, got 'none'"),
        (lambda folder: photos(folder, names=["cat"]), "two classes or more, got ['cat']"),
        (lambda folder: photos(folder, n_images=1), "must hold at least 2 pictures of each class"),
        (lambda folder: (photos(folder) / "empty").mkdir(), "empty: must hold pictures (.png, "),
        (lambda folder: write(folder / "x.png"), "or pictures and one table of their classes, got 'pictures alone'"),
        (lambda folder: photos(folder / "test"), "must hold train beside test, got ['test']"),
    ],
)
def test_what_is_no_folder_of_classes_is_refused_in_one_line(tmp_path, capsys, make, finding):
    make(tmp_path / "photos")
    assert main(["dataset", "folder", str(tmp_path / "photos"), str(tmp_path / "out")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert finding in line
    assert not (tmp_path / "out").exists()


# Published images under a wrong name


@pytest.fixture
def known(tmp_path, monkeypatch):
    """Write a small MNIST that is taken for the published Fashion-MNIST; return its folder."""
    parts = write_mnist(tmp_path / "in")
    contents = tuple(Contents(digest(x[:16]), digest(x), digest(y.astype("<i4"))) for x, y in parts)
    monkeypatch.setitem(SOURCES, "fmnist", dataclasses.replace(SOURCES["fmnist"], contents=contents))
    return tmp_path


def test_published_images_of_another_data_set_are_refused(known, capsys):
    assert main(["dataset", "mnist", str(known / "out"), "--from", str(known / "in")]) == 2
    said = "got files of the published training images of Fashion-MNIST (dataset fmnist reads them)"
    assert capsys.readouterr().err == f"error: {known}/in: must hold the training images of MNIST, {said}\n"
    assert main(["dataset", "fmnist", str(known / "out"), "--from", str(known / "in")]) == 0
    assert json.loads((known / "out" / "dataset.json").read_text())["published_checksums_hold"] is True


def test_test_images_for_training_images_are_refused(known, capsys):
    for kind in ("images-idx3", "labels-idx1"):
        shutil.copy(known / "in" / f"t10k-{kind}-ubyte.gz", known / "in" / f"train-{kind}-ubyte.gz")
    assert main(["dataset", "fmnist", str(known / "out"), "--from", str(known / "in")]) == 2
    assert "must hold the training images of Fashion-MNIST, got files of the published test images" in (
        capsys.readouterr().err
    )


def test_other_labels_of_published_images_draw_a_warning(known, capsys, monkeypatch):
    changed = tuple(contents._replace(labels="other") for contents in SOURCES["fmnist"].contents)
    monkeypatch.setitem(SOURCES, "fmnist", dataclasses.replace(SOURCES["fmnist"], contents=changed))
    assert main(["dataset", "fmnist", str(known / "out"), "--from", str(known / "in")]) == 0
    assert (
        "training images are those of Fashion-MNIST as published, and their labels are not" in capsys.readouterr().err
    )
    assert json.loads((known / "out" / "dataset.json").read_text())["published_checksums_hold"] is False


def test_a_data_set_that_is_not_fetched_is_read_from_a_folder_only(tmp_path, capsys):
    assert main(["dataset", "qmnist", str(tmp_path / "out")]) == 2
    assert "dataset qmnist: must be given a folder with its files (--from DIR), got none" in capsys.readouterr().err


def test_what_is_left_out_is_told_wherever_it_lies(tmp_path, capsys):
    photos = tmp_path / "photos"
    for label, n_pictures in (("cat", 2), ("dog", 2)):
        (photos / label / "more").mkdir(parents=True)
        for k in range(n_pictures):
            write(photos / label / f"{k}.png")
    (photos / "labels.csv").write_text("file,class\ncat/0.png,owl\n")
    (photos / ".hidden").touch()
    (photos / "dog" / "notes.txt").touch()
    assert main(["dataset", "folder", str(photos), str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    said = "left out what is no picture of a class:"
    assert err.splitlines() == [
        f"warning: {photos}: {said} labels.csv",
        f"warning: {photos}/cat: {said} more",
        f"warning: {photos}/dog: {said} more and 1 more",
    ]
    assert out.splitlines()[-1] == "no splits for gridsearch and kfold, which take two training images of each class"
