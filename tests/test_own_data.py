"""The way of somebody who has a table or pictures, and no settings: from files to names, at the command line alone."""

import json
from pathlib import Path

import numpy as np
import pytest

from spikenn_cy.cli.entry import main
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.demo import digit_spikes
from spikenn_cy.network.readout import Readout

pytest.importorskip("sklearn")

pytestmark = pytest.mark.quick

RUN, ENCODER = ["--readout", "run"], ["--encoder", "spikes"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def done(capsys, *words):
    """Return what a command prints."""
    capsys.readouterr()
    assert main([str(word) for word in words]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def refused(capsys, *words):
    capsys.readouterr()
    assert main([str(word) for word in words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    return line.removeprefix("error: ")


MEANS = {"birch": (2.0, 9.0), "elm": (5.0, 5.0), "oak": (9.0, 2.0), "yew": (9.0, 9.0)}


def write_trees(path, names, n_each=20, seed=0, labelled=True):
    """Write a table of leaves of trees; return the names."""
    generator = np.random.default_rng(seed)
    trees = [name for name in names for _ in range(n_each)]
    lines = ["length;width;tree" if labelled else "length;width"]
    for name in trees:
        length, width = generator.normal(MEANS[name], 0.4)
        numbers = f"{length:.3f};{width:.3f}".replace(".", ",")
        lines.append(f"{numbers};{name}" if labelled else numbers)
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    return trees


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Learn to tell trees from a table; the test part lacks the yew, of which there is one row."""
    folder = tmp_path_factory.mktemp("trees")
    write_trees(folder / "trees.csv", list(MEANS)[:3])
    with open(folder / "trees.csv", "a", encoding="utf-8") as file:
        file.write("9,0;9,0;yew\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["encode", "trees.csv", "spikes", "--label", "tree", "--n_fields", "4"]) == 0
        assert main(["run", "spikes", "run"]) == 0
    return folder


@pytest.fixture
def trees(learned, monkeypatch):
    monkeypatch.chdir(learned)
    return learned


def test_a_table_becomes_names_of_classes_for_new_rows(trees, capsys):
    assert "yew" not in SpikingDataset.from_file("spikes/testset.npz").classes
    wanted = write_trees("new.csv", ["oak", "birch", "elm"], 5, seed=9, labelled=False)
    out = done(capsys, "predict", "new.csv", "--encoder", "spikes", "--readout", "run")
    head, *lines = out.splitlines()
    assert head == "sample\tclass\tdecision_time"
    found = [line.split("\t") for line in lines]
    assert [name for name, *_ in found] == [f"line {number}" for number in range(2, 17)]
    assert np.mean([name == tree for (_, name, _), tree in zip(found, wanted, strict=True)]) > 0.9
    answer = json.loads(
        done(capsys, "predict", "new.csv", "--encoder", "spikes/encoder.npz", "--readout", "run/model.npz", "--json")
    )
    assert answer["classes"] == [name for _, name, _ in found]
    assert all(0 <= time < 1 for time in answer["decision_times"])


def test_rows_with_labels_and_encoded_parts_are_measured_too(trees, capsys):
    write_trees("more.csv", ["oak", "elm"], 5, seed=3)
    assert "accuracy" in done(capsys, "predict", "more.csv", "--encoder", "spikes", "--readout", "run")
    result = json.loads(Path("run/result.json").read_text())
    for data in ("spikes", "spikes/testset.npz"):
        answer = json.loads(done(capsys, "predict", data, "--readout", "run", "--json"))
        assert answer["accuracy"] == result["test_accuracy"]


def test_settings_chosen_from_data_are_printed_kept_and_chosen_again(trees, capsys):
    before = Path("run/result.json").stat().st_mtime_ns
    out = done(capsys, "run", "spikes", "run")
    assert "settings, chosen from the data and kept in run/config.json:" in out
    assert '"method": "decision_time"' in out
    assert "complete since an earlier run" in out
    assert Path("run/result.json").stat().st_mtime_ns == before
    config = ExperimentConfig.from_any(json.loads(Path("run/config.json").read_text())["config"])
    assert Readout.load("run/model.npz").config == config
    assert config.network[-1].n_neurons == 10 * 4


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (["trees.csv", *RUN], "trees.csv: must be a data set of spikes (.npz, .npy), or be given with"),
        (
            ["trees.csv", "--readout", "spikes", "--encoder", "run"],
            "spikes: must be a trained network, or a folder with",
        ),
        (["trees.csv", "--readout", "spikes/encoder.npz"], "got an encoder of tables, which --encoder takes"),
        (
            ["trees.csv", *RUN, "--encoder", "run/model.npz"],
            "got a trained network, which --readout takes",
        ),
        (
            ["trees.csv", *RUN, "--extractor", "run/model.npz"],
            "must be an extractor, got a trained network",
        ),
        (["trees.csv", *RUN, "--encoder", "spikes/testset.npz"], "got a data set of spikes"),
        (["trees.csv", *RUN, *ENCODER, "--extractor", "x"], "--encoder: must not be given"),
        (
            ["trees.csv", *RUN, *ENCODER, "--labels", "x"],
            "--labels: must be given for images",
        ),
        (["gone.csv", *RUN, *ENCODER], "gone.csv: must be a readable file"),
        (["gone.csv", *RUN], "gone.csv: must be a readable file"),
        (["other.csv", *RUN, *ENCODER], "other.csv: must have the columns width, got"),
        (
            ["words.csv", *RUN, *ENCODER],
            "words.csv: line 3, column width: must be a number,",
        ),
        (["fir.csv", *RUN, *ENCODER], "fir.csv: must have labels among the classes of run/model.npz, got 'fir'"),
        (["empty.csv", *RUN, *ENCODER], "empty.csv: must be a table, got 'an empty file'"),
        (["spikes/encoder.npz", *RUN, *ENCODER], "must be a table of text, CSV or TSV"),
        (["run", *RUN], "run: must hold trainset.npz or trainset.npy"),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_line(trees, capsys, words, finding):
    Path("other.csv").write_text("length;weight\n1;2\n2;3\n")
    Path("words.csv").write_text("length;width\n1;2\n2;broad\n")
    Path("fir.csv").write_text("length;width;tree\n1;2;fir\n2;3;oak\n")
    Path("empty.csv").touch()
    assert finding in refused(capsys, "predict", *words)


def test_rows_that_are_not_like_those_of_the_training_are_told(trees, capsys):
    Path("some.csv").write_text("length;width;tree\n1;2;oak\n2;3;\n")
    assert main(["predict", "some.csv", *RUN, *ENCODER]) == 0
    out, err = capsys.readouterr()
    assert err == "warning: some.csv: 1 of 2 rows have no label, so that none is compared\n"
    assert "accuracy" not in out
    Path("far.csv").write_text("length;width\n1;2\n-5000;3\n")
    assert main(["predict", "far.csv", *RUN, *ENCODER]) == 0
    told = "1 numbers are far from those of the training part, such as -5000 in line 3, column length, where these are"
    assert capsys.readouterr().err.startswith(f"warning: far.csv: {told} from ")


@pytest.mark.parametrize("command", ["encode", "predict"])
def test_an_infinite_number_of_an_array_is_named_with_its_place(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).random((40, 3))
    np.save("X.npy", X)
    np.save("y.npy", np.arange(40) % 2)
    assert main(["encode", "X.npy", "spikes", "--label", "y.npy"]) == 0
    assert main(["run", "spikes", "run", "--set", "trainer.epochs=1", "--set", "network[0].n_neurons=4"]) == 0
    X[7, 2] = np.inf
    np.save("X.npy", X)
    words = ["other", "--label", "y.npy"] if command == "encode" else [*RUN, *ENCODER]
    capsys.readouterr()
    assert refused(capsys, command, "X.npy", *words) == "X.npy: row 7, column 2: must be finite, got inf"


# Pictures


def write_digits(folder, n_each, classes=10, start=0):
    """Write bundled digits as pictures, a folder for each class; return their paths."""
    Image = pytest.importorskip("PIL.Image")
    digits = digit_spikes()
    dense = np.round((1 - digits.to_dense(silent=1)) * 255).astype(np.uint8).reshape(-1, 8, 8)
    paths = []
    for number in range(classes):
        for k in np.flatnonzero(digits.labels == number)[start : start + n_each]:
            path = Path(folder, str(number), f"{k}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(dense[k]).save(path)
            paths.append(path)
    return paths


def test_twenty_pictures_are_a_data_set_from_which_pictures_are_named(here, capsys):
    write_digits("photos", 2)
    out = done(capsys, "dataset", "folder", "photos", "images")
    none = "no splits for gridsearch and kfold, which take two training images of each class"
    assert out == f"images: pictures, 10 + 10 images, 8 x 8, 10 classes\n{none}\n"
    done(capsys, "extract", "pixels", "images", "spikes")
    done(capsys, "run", "spikes", "run")
    out = done(capsys, "predict", "photos", "--extractor", "spikes", "--readout", "run")
    _, *lines, accuracy = out.splitlines()
    assert len(lines) == 20
    assert lines[0].split("\t")[0].startswith("0/")
    assert float(accuracy.split()[1]) > 60  # ten of them were learned, one of each class
    picture = next(Path("photos/3").iterdir())
    _, line = done(capsys, "predict", picture, "--extractor", "spikes", "--readout", "run").splitlines()
    assert line.split("\t")[0] == picture.name


@pytest.mark.full
def test_names_of_a_published_data_set_are_printed(here, capsys):
    small_images = pytest.importorskip("small_images")
    small_images.write_mnist(here / "in")
    done(capsys, "dataset", "fmnist", "images", "--from", "in")
    done(capsys, "extract", "pixels", "images", "spikes")
    settings = {
        "network": [{"n_neurons": 10, "firing_threshold": 20, "w_norm": True}],
        "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.05},
        "trainer": {"epochs": 1},
    }
    Path("config.json").write_text(json.dumps(settings))
    done(capsys, "run", "spikes", "run", "config.json")
    answer = json.loads(done(capsys, "predict", "images", "--extractor", "spikes", "--readout", "run", "--json"))
    names = json.loads(Path("images/dataset.json").read_text())["classes"]
    assert answer["class_names"] == [names[number] for number in answer["classes"]]
    assert names[9] == "Ankle boot"
    pytest.importorskip("matplotlib")
    from spikenn_cy.plots import PICTURES
    from spikenn_cy.plots.canvas import label_text
    from spikenn_cy.plots.source import Source

    drawn = Source(Path("run"), "spikes")
    axes = PICTURES["run"]["confusion"].draw(drawn).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == [label_text(name) for name in names]
