"""``encode`` makes a table into spikes under the names of its classes, with scales of the training part alone."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from spikenn_cy.cli.entry import main
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.splits import stratified_parts
from spikenn_cy.errors import DataError

TableEncoder = pytest.importorskip("spikenn_cy.estimator.tables").TableEncoder

pytestmark = pytest.mark.quick


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of_flowers(n=40, seed=0):
    """Rows of a length, a colour and a kind."""
    generator = np.random.default_rng(seed)
    kinds = np.arange(n) % 2
    lengths = generator.random(n) * 2 + 5 * kinds
    return [
        f"{x:.3f},{'red' if k else 'blue'},{'rose' if k else 'violet'}" for x, k in zip(lengths, kinds, strict=True)
    ]


def write(name, rows, header="length,colour,kind"):
    Path(name).write_text("\n".join([header, *rows] if header else rows) + "\n")


def encode(*words):
    return main(["encode", *map(str, words)])


def part(name, folder="out"):
    return SpikingDataset.from_file(Path(folder, f"{name}set.npz"))


def refusal(capsys, *words):
    capsys.readouterr()
    assert encode(*words) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_table_becomes_three_parts_and_an_encoder(here, capsys):
    write("flowers.csv", rows_of_flowers())
    assert encode("flowers.csv", "a/new/out", "--label", "kind") == 0
    assert capsys.readouterr().out == (
        "flowers.csv: column colour has 2 words, each an input of its own\n"
        "flowers.csv: classes rose, violet\n"
        "a/new/out/trainset.npz: 32 samples, 3 inputs, 2 classes, 2.0 spikes a sample\n"
        "a/new/out/valset.npz: 4 samples, 3 inputs, 2 classes, 2.0 spikes a sample\n"
        "a/new/out/testset.npz: 4 samples, 3 inputs, 2 classes, 2.0 spikes a sample\n"
        "a/new/out/encoder.npz: encodes other rows alike (predict --encoder a/new/out)\n"
        "a column of numbers has one input; --n_fields 4 lets a network answer to values in the middle too\n"
    )
    assert sorted(os.listdir("a/new/out")) == [
        "encoder.npz", "encoding.json", "testset.npz", "trainset.npz", "valset.npz",
    ]  # fmt: skip


def test_scales_are_those_of_the_training_part(here):
    write("t.csv", [f"{k},{'xy'[k % 2]}" for k in range(100, 140)], "a,kind")
    encode("t.csv", "out", "--label", "kind", "--split", "50/0/50")
    train, test = part("train"), part("test")
    dense = train.to_dense()
    assert dense.min() == 0
    assert np.count_nonzero(dense == 1) == 1
    parts = stratified_parts(np.arange(40, dtype=np.int32) % 2, (0.5, 0, 0.5), 0)
    values = np.arange(100, 140)
    low, high = values[parts["train"]].min(), values[parts["train"]].max()
    want = 1 - (np.clip(values[parts["test"]], low, high) - low) / (high - low)
    np.testing.assert_allclose(test.to_dense()[:, 0], want, rtol=1e-6)
    assert not Path("out/valset.npz").exists()


def test_without_a_header_the_label_is_a_position(here, capsys):
    write("iris.data", [f"{k % 5}.5,{k % 3},{'setosa' if k % 2 else 'virginica'}" for k in range(30)], None)
    for label in ("2", "-1"):
        assert encode("iris.data", f"out{label}", "--label", label) == 0
        assert part("train", f"out{label}").classes.tolist() == ["setosa", "virginica"]
    assert "column 2 is the label" in capsys.readouterr().out


def test_labels_that_are_whole_numbers_stay_such(here):
    write("t.csv", [f"{k % 7}.5,{5 + k % 3}" for k in range(30)], "a,kind")
    encode("t.csv", "out", "--label", "kind")
    assert part("train").classes.tolist() == [5, 6, 7]


def test_arrays_are_tables_too(here):
    generator = np.random.default_rng(0)
    X, y = generator.random((40, 2, 3)), np.arange(40) % 2
    np.save("X.npy", X)
    np.save("y.npy", np.array(["no", "yes"])[y])
    assert encode("X.npy", "out", "--label", "y.npy") == 0
    assert (part("train").n_inputs, part("train").classes.tolist()) == (6, ["no", "yes"])
    np.save("X.npy", np.column_stack([X.reshape(40, 6), y]))
    assert encode("X.npy", "other", "--label", "-1") == 0
    assert (part("train", "other").n_inputs, part("train", "other").classes.tolist()) == (6, [0, 1])
    assert_array_equal(part("train").indices, part("train", "other").indices)


def test_missing_values_and_new_words_are_silent_and_said_to_be(here, capsys):
    rows = rows_of_flowers()
    rows[3], rows[4] = ",red,rose", "5,?,violet"
    write("t.csv", rows)
    encode("t.csv", "out", "--label", "kind", "--n_fields", "3")
    assert "t.csv: 2 missing values are silent\n" in capsys.readouterr().out
    write("new.csv", ["NA,red", "5,green"], "length,colour")
    encoder = TableEncoder.load("out/encoder.npz")
    with pytest.warns(UserWarning, match="column colour has words that the training part has not, .*: green"):
        features, labels = encoder.read(Path("new.csv"))
    times = encoder.times(features, "new.csv")
    assert labels is None
    assert times[0].tolist() == [1, 1, 1, 1, 0]
    assert times[1, 3:].tolist() == [1, 1]


def test_columns_that_count_rows_or_are_left_out_are_not_learned_from(here, capsys):
    write("t.csv", [f"{k},{row}" for k, row in enumerate(rows_of_flowers())], "Id,length,colour,kind")
    encode("t.csv", "out", "--label", "kind", "--leave_out", "colour")
    assert "column Id counts the rows and is left out" in capsys.readouterr().out
    assert part("train").n_inputs == 1


def test_other_rows_are_encoded_as_those_of_the_training_whatever_the_order_of_columns(here):
    write("flowers.csv", rows_of_flowers())
    encode("flowers.csv", "out", "--label", "kind", "--split", "100/0/0", "--n_fields", "2")
    write("other.csv", ["red;6,5;x"], "colour;length;note")
    encoder = TableEncoder.load("out/encoder.npz")
    features, labels = encoder.read(Path("flowers.csv"))
    assert_array_equal(encoder.times(features, ""), part("train").to_dense())
    assert set(labels) == {"rose", "violet"}
    features, labels = encoder.read(Path("other.csv"))
    assert (features.numbers.tolist(), labels) == ([[6.5]], None)


@pytest.mark.parametrize("scaling", ["sample", "none"])
def test_scalings_refuse_what_they_do_not_take(here, capsys, scaling):
    write("t.csv", [f"{k % 5 - 1},{k % 3},{'xy'[k % 2]}" for k in range(30)], "a,b,kind")
    rule = {"sample": "must be >= 0 for scaling sample", "none": "must be from 0 to 1 for scaling none"}[scaling]
    line = refusal(capsys, "t.csv", "out", "--label", "kind", "--scaling", scaling)
    assert line == f"error: t.csv: row 2, column a: {rule}, got -1.0"
    assert not Path("out").exists()


def test_scaling_none_takes_numbers_as_they_are_and_sample_divides_by_the_largest(here):
    write("t.csv", [f"0.25,0.5,{'xy'[k % 2]}" for k in range(30)], "a,b,kind")
    encode("t.csv", "out", "--label", "kind", "--scaling", "none")
    assert part("train").to_dense()[0].tolist() == [0.75, 0.5]
    encode("t.csv", "other", "--label", "kind", "--scaling", "sample")
    assert part("train", "other").to_dense(silent=1)[0].tolist() == [0.5, 0]


def test_the_same_again_is_left_as_it_is_and_anything_else_refused(here, capsys):
    write("flowers.csv", rows_of_flowers())
    words = ("flowers.csv", "out", "--label", "kind")
    encode(*words)
    before = {path: path.stat().st_mtime_ns for path in Path("out").iterdir()}
    assert encode(*words) == 0
    assert {path: path.stat().st_mtime_ns for path in Path("out").iterdir()} == before
    assert refusal(capsys, *words, "--seed", "1").endswith("got one with another seed")
    assert encode(*words, "--seed", "1", "--overwrite") == 0
    Path("mine").mkdir()
    Path("mine/notes").touch()
    assert "got a folder with notes" in refusal(capsys, "flowers.csv", "mine", "--label", "kind")


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (["gone.csv", "out", "--label", "kind"], "gone.csv: must be a readable file, got No such file"),
        (
            ["t.csv", "out", "--label", "kin"],
            "t.csv: --label: must name a column (length, colour, kind), got 'kin'",
        ),
        (["t.csv", "out", "--label", "length"], "t.csv: label: must be classes, several rows each (is it the right"),
        (["t.csv", "out", "--label", "kind", "--leave_out", "size"], "t.csv: --leave_out: must name a column"),
        (
            ["t.csv", "out", "--label", "kind", "--leave_out", "0", "1"],
            "must have a column beside the label",
        ),
        (
            ["y.npy", "out", "--label", "X.npy"],
            "y.npy: must hold real numbers of shape (rows, columns) (are",
        ),
        (
            ["X.npy", "out", "--label", "X.npy"],
            "X.npy: must hold 40 labels, a number or a text for each row (are",
        ),
        (["X.npy", "out", "--label", "3"], "--label: must be a .npy file of labels, or a column from 0 to 2, got '3'"),
        (["one.csv", "out", "--label", "kind"], "one.csv: label: must be of two classes or more, got ['x']"),
        (
            ["none.csv", "out", "--label", "kind"],
            "none.csv: line 3, column kind: must be the label of the row",
        ),
        (["t.csv", "out", "--label", "kind", "--split", "80/20"], "must be three percentages that add up to 100"),
        (["t.csv", "", "--label", "kind"], "encode: must be given a table and a folder, got an empty path"),
    ],
)
def test_what_cannot_be_encoded_is_refused_in_one_line(here, capsys, words, finding):
    write("t.csv", rows_of_flowers())
    write("one.csv", [f"{k},x" for k in (3, 1, 4, 1)], "a,kind")
    write("none.csv", ["1,x", "2,", "3,y", "4,y"], "a,kind")
    np.save("X.npy", np.zeros((40, 3)))
    np.save("y.npy", np.zeros(40))
    assert finding in refusal(capsys, *words)
    assert not Path("out").exists()


def test_rows_of_another_shape_are_refused_by_the_encoder(here):
    write("t.csv", [f"{k % 5},{k % 3},{'xy'[k % 2]}" for k in range(30)], None)
    encode("t.csv", "out", "--label", "2")
    encoder = TableEncoder.load("out/encoder.npz")
    for row, finding in (("1,2,3,4", "must have 2 or 3 columns like the training part, got 4"),
                         ("1,red", "line 1, column 1: must be a number, got 'red'")):  # fmt: skip
        write("new.csv", [row], None)
        with pytest.raises(DataError, match=finding):
            encoder.read(Path("new.csv"))
    write("new.csv", ["1,2", "3,1"], None)
    assert encoder.read(Path("new.csv"))[0].numbers.tolist() == [[1, 2], [3, 1]]
    np.save("new.npy", np.ones((2, 2)))
    assert encoder.read(Path("new.npy"))[0].numbers.tolist() == [[1, 1], [1, 1]]
    with pytest.raises(DataError, match=r"t.csv: must be an encoder, as the command encode writes it, got "):
        TableEncoder.load("t.csv")


@pytest.mark.parametrize("sizes", [[12] * 3, [1] * 5 + [30], [3] * 40, [2, 17, 1, 40]])
@pytest.mark.parametrize("shares", [(0.8, 0.1, 0.1), (0.5, 0.0, 0.5), (0.7, 0.2, 0.1)])
def test_each_class_can_be_learned_from_and_parts_are_of_the_size_that_the_shares_say(sizes, shares):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes), dtype=np.int32), sizes))
    parts = stratified_parts(labels, shares, seed=1)
    assert_array_equal(np.sort(np.concatenate(list(parts.values()))), np.arange(len(labels)))
    assert set(labels[parts["train"]]) == set(range(len(sizes)))
    for part, share in zip(parts.values(), shares, strict=True):
        assert abs(len(part) - share * len(labels)) <= 1


def test_parts_have_the_size_asked_for_and_each_class_learns():
    labels = np.random.default_rng(0).integers(0, 7, 333).astype(np.int32)
    labels[0] = 7  # alone
    parts = stratified_parts(labels, (0.8, 0.1, 0.1), seed=3)
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(333))
    assert abs(len(parts["val"]) - 33) <= 1
    assert abs(len(parts["test"]) - 33) <= 1
    assert set(labels[parts["train"]]) == set(range(8))
    for name in ("val", "test"):
        counts = np.bincount(labels[parts[name]], minlength=8) / np.bincount(labels, minlength=8)
        assert abs(counts[:7] - 0.1).max() < 0.03


def test_the_record_tells_what_was_encoded(here):
    write("flowers.csv", rows_of_flowers())
    encode("flowers.csv", "out", "--label", "2")
    record = json.loads(Path("out/encoding.json").read_text())
    assert (record["label"], record["classes"], record["split"]) == ("kind", ["rose", "violet"], [0.8, 0.1, 0.1])
    assert record["table"]["file"] == "flowers.csv"


def test_a_column_of_numbers_with_a_word_among_them_is_told(here, capsys):
    few = [f"{k % 20},{'rose' if k % 2 else 'violet'}" for k in range(40)]
    write("few.csv", [*few, "hello,rose"], "length,kind")
    assert encode("few.csv", "out", "--label", "kind") == 0
    assert (
        "column length has 21 words, each an input of its own, since line 42 has 'hello'\n" in capsys.readouterr().out
    )
    many = [f"{k / 8},{'rose' if k % 2 else 'violet'}" for k in range(100)]
    write("many.csv", [*many, "hello,rose"], "length,kind")
    assert refusal(capsys, "many.csv", "other", "--label", "kind") == (
        "error: many.csv: line 102, column length: must be a number, as most of its column are (--leave_out leaves a "
        "column out), got 'hello'"
    )
    write("words.csv", [f"n{k},{'rose' if k % 2 else 'violet'}" for k in range(100)], "length,kind")
    assert "must hold numbers, or at most 50 different words" in refusal(capsys, "words.csv", "o", "--label", "kind")


def test_columns_of_one_value_are_told(here, capsys):
    rows = [f"1,red,{k / 8},{'rose' if k % 2 else 'violet'}" for k in range(40)]
    write("some.csv", rows, "height,colour,length,kind")
    assert encode("some.csv", "out", "--label", "kind") == 0
    said = "some.csv: 2 of the columns have one value alone, which tells nothing: height, colour\n"
    assert said in capsys.readouterr().out
    warning = ": every column beside the label has one value alone, so that nothing tells classes apart\n"
    assert encode("some.csv", "none", "--label", "kind", "--leave_out", "length") == 0
    assert capsys.readouterr().err == f"warning: some.csv{warning}"
    np.save("X.npy", np.full((20, 3), np.nan))
    np.save("y.npy", np.arange(20) % 2)
    assert encode("X.npy", "missing", "--label", "y.npy") == 0
    assert capsys.readouterr().err == f"warning: X.npy{warning}"
