"""The networks that come with the package are what their cards say, and classify pictures as people have them."""

import json

import numpy as np
import pytest

from spikenn_cy import IntegerReadout
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy import pretrained
from spikenn_cy.bundled import networks
from spikenn_cy.bundled.framing import SIDE
from spikenn_cy.bundled.framing import Frame
from spikenn_cy.cli.entry import main
from spikenn_cy.demo import load_digits
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick

Image = pytest.importorskip("PIL.Image")
FRAME = networks.BUNDLES["mnist"].frame


def drawn(rows=200, columns=300, ink=20, paper=240):
    """Return a picture of a seven, drawn with a thick pen."""
    y, x = np.mgrid[:rows, :columns] / np.array(rows).reshape(1, 1, 1)
    bar = (abs(y - 0.2) < 0.04) & (abs(x - 0.75) < 0.18)
    stroke = (y > 0.2) & (y < 0.8) & (abs(x - (0.92 - 0.4 * (y - 0.2))) < 0.04)
    return np.where(bar | stroke, ink, paper).astype(np.uint8)


def image(rng):
    """Return an image in the size of MNIST's, with a dark edge."""
    pixels = np.zeros((SIDE, SIDE), np.uint8)
    pixels[4:24, 4:24] = rng.integers(0, 256, (20, 20))
    return pixels


@pytest.mark.parametrize("name", networks.BUNDLES)
def test_a_network_is_small_and_what_its_card_says(name):
    found, folder = pretrained(name), networks.FOLDER / name
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1_000_000
    assert set(found.card.sha256) == {networks.NETWORK, networks.EXTRACTOR}
    assert (found.network.bits, found.network.time_bits) == (found.card.bits, found.card.time_bits)
    assert len(found.card.class_names) == found.network.n_classes == 10
    settings = found.card.settings["network"]
    assert found.network.layers[0].conv.n_filters == settings[0]["n_filters"]
    assert found.card.test_accuracy > found.card.test_accuracy_float - 0.002
    assert f"{100 * found.card.test_accuracy:.2f} %" in repr(found)


def test_a_file_that_is_not_that_of_the_card_is_refused(tmp_path, monkeypatch):
    for name in (networks.CARD, networks.NETWORK, networks.EXTRACTOR):
        target = tmp_path / "mnist" / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((networks.FOLDER / "mnist" / name).read_bytes())
    monkeypatch.setattr(networks, "FOLDER", tmp_path)
    pretrained("mnist")
    with open(target, "ab") as file:
        file.write(b"\0")
    with pytest.raises(DataError, match=r"extractor.npz: must have the SHA-256 of its card, got '[0-9a-f]{64}'$"):
        pretrained("mnist")


@pytest.mark.parametrize("name", ["cifar10", "MNIST", "", None, 3, ["mnist"]])
def test_a_name_of_no_network_is_refused_with_those_there_are(name):
    with pytest.raises(DataError, match=r"^name: must be one of mnist, fmnist, got "):
        pretrained(name)


def test_digits_of_other_people_and_of_8_x_8_pixels_are_mostly_recognised():
    images, labels = (part[::6] for part in load_digits())
    framed = np.stack([FRAME.framed((one * 15.9).astype(np.uint8))[0] for one in images])
    assert np.mean(pretrained("mnist").predict(framed) == labels) > 0.8


def test_an_image_in_the_size_of_the_data_set_stays_as_it_is():
    pixels = image(np.random.default_rng(0))
    same, done = FRAME.framed(pixels)
    assert np.array_equal(same, pixels)
    assert done == ""
    inverted, done = FRAME.framed(255 - pixels)
    assert np.array_equal(inverted, pixels)
    assert done == "inverted, since it is dark on bright"


@pytest.mark.parametrize("name", networks.BUNDLES)
def test_an_object_fills_its_box_wherever_it_is_in_a_picture(name):
    frame = networks.BUNDLES[name].frame
    ink = image(np.random.default_rng(1))[4:24, 4:24].repeat(3, axis=0).repeat(3, axis=1)
    pictures = []
    for top, left in ((0, 0), (90, 40)):
        picture = np.zeros((200, 150), np.uint8)
        picture[top + 5 : top + 65, left + 5 : left + 65] = ink
        pictures.append(frame.framed(picture)[0])
    assert np.array_equal(*pictures)
    rows = np.flatnonzero(pictures[0].any(axis=1))
    assert rows[-1] - rows[0] + 1 == frame.box


def test_a_centre_of_mass_is_put_in_the_middle():
    picture = np.zeros((100, 40), np.uint8)
    picture[10:90, 18:22] = 100
    picture[70:90, 5:35] = 255
    framed, _ = FRAME.framed(picture)
    rows = framed.sum(axis=1) @ np.arange(SIDE) / framed.sum()
    assert abs(rows - (SIDE - 1) / 2) < 2.6  # as far as the box of 20 x 20 goes
    straight, _ = Frame(20, by_mass=False).framed(picture)
    assert rows < straight.sum(axis=1) @ np.arange(SIDE) / straight.sum()


def test_paper_without_ink_is_said_to_be_empty():
    framed, done = FRAME.framed(np.full((50, 60), 200, np.uint8))
    assert not framed.any()
    assert "empty" in done


def picture(path, pixels):
    Image.fromarray(pixels).save(path)
    return str(path)


def test_a_picture_is_classified_without_any_other_file_and_with_its_cost(tmp_path, capsys):
    seven = picture(tmp_path / "seven.png", drawn())
    assert main(["predict", seven]) == 0
    out, err = capsys.readouterr()
    head, row = (line.split("\t") for line in out.splitlines())
    assert head == ["sample", "class", "decision_time", "spikes", "additions"]
    assert row[:2] == ["seven.png", "7"]
    first, second = err.splitlines()
    assert first == "note: by the network for handwritten digits that comes with the package, --pretrained mnist"
    done = "inverted, since it is dark on bright, cut out of 200 x 300 pixels and scaled to 28 x 28"
    assert second.endswith(f"seven.png: {done}")
    assert main(["predict", seven, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [answer["spikes"], answer["additions"]] == [[int(row[3])], [int(row[4])]]


def test_colours_and_sizes_of_pictures_in_a_folder_may_differ(tmp_path, capsys):
    grey = drawn()
    picture(tmp_path / "0.png", grey)
    picture(tmp_path / "1.png", np.stack([grey, grey // 2, grey // 3], axis=2))
    picture(tmp_path / "2.png", drawn(400, 600, ink=250, paper=3))
    assert main(["predict", str(tmp_path), "--pretrained", "mnist"]) == 0
    out, err = capsys.readouterr()
    assert [line.split("\t")[1] for line in out.splitlines()] == ["class", "7", "7", "7"]
    assert "made grey" in err


def test_notes_on_many_pictures_end(tmp_path, capsys):
    for number in range(8):
        picture(tmp_path / f"{number}.png", drawn())
    assert main(["predict", str(tmp_path)]) == 0
    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == 7
    assert notes[-1] == "note: and 3 other pictures likewise"


def test_names_of_clothing_are_told(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.zeros((2, 28, 28), np.uint8))
    np.save(tmp_path / "y.npy", np.array([0, 9]))
    assert (
        main(["predict", str(tmp_path / "x.npy"), "--pretrained", "fmnist", "--labels", str(tmp_path / "y.npy")]) == 0
    )
    out = capsys.readouterr().out.splitlines()
    assert out[1].split("\t")[1] in pretrained("fmnist").card.class_names
    assert out[-1].startswith("accuracy ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--pretrained", "mnist", "--readout", "r"],
            "--readout: must not be given beside --pretrained, which has its own",
        ),
        (["--pretrained", "mnist", "--extractor", "r"], "--extractor: must not be given beside --pretrained"),
        (["--extractor", "r"], "--readout: must be given, or --pretrained, got neither"),
        (["--size", "28x28"], "--size: must not be given beside --pretrained"),
        (["--pretrained", "cifar10"], "argument --pretrained: "),
    ],
)
def test_options_that_exclude_each_other_are_refused(tmp_path, capsys, words, message):
    seven = picture(tmp_path / "seven.png", drawn())
    assert main(["predict", seven, *words]) == 2
    assert message in capsys.readouterr().err


def test_labels_that_are_no_classes_are_refused_and_names_of_folders_are_none(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.zeros((2, 28, 28), np.uint8))
    np.save(tmp_path / "y.npy", np.array([0, 12]))
    folder = tmp_path / "pictures" / "mine"
    folder.mkdir(parents=True)
    picture(folder / "a.png", drawn())
    picture(folder / "b.png", drawn())
    for data in (tmp_path / "x.npy", folder):
        assert main(["predict", str(data), "--labels", str(tmp_path / "y.npy")]) == 2
        assert capsys.readouterr().err.endswith("must have labels among the classes of mnist, got '12'\n")
    np.save(tmp_path / "y.npy", np.array([7, 7]))
    assert main(["predict", str(folder), "--labels", str(tmp_path / "y.npy")]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "accuracy 100.00 %"
    assert main(["predict", str(folder.parent)]) == 0
    assert "accuracy" not in capsys.readouterr().out


def test_a_name_of_a_picture_moves_no_terminal(tmp_path, capsys):
    assert main(["predict", picture(tmp_path / "\x1b[2J.png", drawn())]) == 0
    assert "\x1b" not in capsys.readouterr().err


def test_spikes_without_a_network_are_refused_with_what_is_missing(tmp_path, capsys):
    SpikingDataset.from_numpy(np.random.default_rng(0).random((4, 5))).save(tmp_path / "testset.npz")
    for place in (tmp_path, tmp_path / "testset.npz"):
        assert main(["predict", str(place)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.endswith("(without --readout, images are asked for, for --pretrained mnist)")
    assert main(["predict", str(tmp_path), "--pretrained", "mnist"]) == 2
    assert "--readout" not in capsys.readouterr().err


def test_images_of_another_size_in_an_array_are_refused(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.zeros((2, 8, 8), np.uint8))
    assert main(["predict", str(tmp_path / "x.npy")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return files of samples, of a network trained on them, and of the same in whole numbers."""
    folder = tmp_path_factory.mktemp("trained")
    times = np.random.default_rng(0).random((40, 12))
    data = SpikingDataset.from_numpy(times, np.arange(40) % 2)
    data.save(folder / "data.npz")
    config = {"network": [{"n_neurons": 8}, {"n_neurons": 2}], "optimizer": {"method": "decision_time"}}
    model = Readout.from_config(config, 12, 2)
    model.fit(data, epochs=3)
    model.save(folder / "model.npz")
    model.quantized().save(folder / "small.npz")
    return folder


def predicted(capsys, folder, *words):
    assert main(["predict", str(folder / "data.npz"), *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_quantize_wrote_predicts_as_in_python(trained, capsys):
    found = predicted(capsys, trained, "--readout", str(trained / "small.npz"), "--cost")
    small, data = IntegerReadout.load(trained / "small.npz"), SpikingDataset.from_file(trained / "data.npz")
    decisions = small.decisions(data)
    assert found["classes"] == small.predict(data).tolist()
    expected = [None if time == small.max_time else time for time in small.decision_times(data).tolist()]
    assert found["decision_times"] == expected
    assert found["spikes"] == decisions.n_spikes.sum(axis=1).tolist()
    assert found["additions"] == decisions.n_additions.sum(axis=1).tolist()
    assert found["accuracy"] == small.score(data)


def test_a_network_in_floating_point_has_the_cost_that_cost_counts(trained, capsys):
    found = predicted(capsys, trained, "--readout", str(trained / "model.npz"), "--cost")
    model, data = Readout.load(trained / "model.npz"), SpikingDataset.from_file(trained / "data.npz")
    cost = model.cost(data)
    assert np.mean(found["additions"]) == pytest.approx(cost.synaptic_operations_until_decision.mean)
    hidden = cost.layers[0].spikes_until_decision.mean
    assert np.mean(found["spikes"]) == pytest.approx(cost.input_spikes_until_decision.mean + hidden)
    assert "spikes" not in predicted(capsys, trained, "--readout", str(trained / "model.npz"))
