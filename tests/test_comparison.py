"""Cross-validations side by side: pairs of folds, tests of their differences, and what stands against either."""

import json
import sys

import numpy as np
import pytest

from spikenn_cy import plots
from spikenn_cy.cli.entry import main
from spikenn_cy.errors import RunError
from spikenn_cy.experiments import compare

pytestmark = pytest.mark.quick

FIRST = [0.90, 0.80, 0.95, 0.85, 0.70]
SECOND = [0.91, 0.83, 0.95, 0.89, 0.69]


def forge(folder, accuracies, key="test", n=100, **changed):
    """Write folds as a cross-validation leaves them."""
    for fold, accuracy in enumerate(accuracies):
        (folder / str(fold)).mkdir(parents=True)
        found = dict.fromkeys(("train_accuracy", "val_accuracy", "test_accuracy"))
        found |= {"train_accuracy": 1.0, f"{key}_accuracy": accuracy, "n_epochs": 3, "seed": fold, "stopped": "epochs"}
        found |= {"n_train": 300, "n_val": n, "n_test": n} | changed
        (folder / str(fold) / "result.json").write_text(json.dumps(found))
    return folder


@pytest.fixture
def two(tmp_path):
    return [forge(tmp_path / "first", FIRST), forge(tmp_path / "second_one", SECOND)]


def call(capsys, *words):
    status = main([str(word) for word in words])
    return status, *capsys.readouterr()


def test_folds_are_compared_in_pairs_and_differences_are_tested(two):
    from scipy.stats import ttest_rel
    from scipy.stats import wilcoxon

    found = compare(two)
    assert found.measured_on == "test_accuracy"
    (pair,) = found.pairs
    assert list(pair.differences) == ["0", "1", "2", "3", "4"]
    np.testing.assert_allclose(list(pair.differences.values()), np.subtract(SECOND, FIRST), atol=1e-12)
    np.testing.assert_allclose(pair.t_p, ttest_rel(SECOND, FIRST).pvalue)
    np.testing.assert_allclose(pair.wilcoxon_p, wilcoxon([1, 3, 4, -1]).pvalue)
    record = found.summary().record["pairs"][0]
    assert (record["n_higher"], record["n_equal"], record["n_lower"]) == (3, 1, 1)
    np.testing.assert_allclose(record["mean"], np.mean(SECOND) - np.mean(FIRST))


def test_the_command_prints_the_comparison_in_four_forms(two, capsys, tmp_path):
    status, out, err = call(capsys, "compare", *two)
    assert (status, err) == (0, "")
    assert out == f"{compare(two)!r}\n"
    assert "84.00 ± 8.60" in out
    assert out.splitlines()[-2].split() == ["3", "85.00", "89.00", "+4.00"]
    assert max(map(len, out.splitlines())) <= 100
    record = json.loads(call(capsys, "compare", *two, "--json")[1])
    assert [folder["folder"] for folder in record["folders"]] == ["first", "second_one"]
    assert str(tmp_path) not in json.dumps(record)
    rows = [line.split(",") for line in call(capsys, "compare", *two, "--csv")[1].splitlines()]
    assert rows[0] == ["fold", "first", "second_one"]
    assert [row[0] for row in rows[1:]] == ["0", "1", "2", "3", "4", "mean", "std"]
    latex = call(capsys, "compare", *two, "--latex")[1]
    assert r"second\_one & 85.40 $\pm$" in latex
    assert latex.count(r"\\") == 3


@pytest.mark.full
def test_the_comparison_is_drawn(two, capsys, tmp_path):
    status, _, err = call(capsys, "compare", *two, "--figure", tmp_path / "both.svg")
    assert (status, err) == (0, "")
    assert (tmp_path / "both.svg").read_text().startswith("<?xml")
    figure = plots.compare(two)
    left, right = figure.axes
    figure.draw_without_rendering()
    assert [text.get_text() for text in left.get_xticklabels()] == ["first", "second_one"]
    np.testing.assert_allclose(sorted(right.lines[0].get_ydata()), sorted(100 * np.subtract(SECOND, FIRST)))
    assert plots.alt_text(figure).startswith("Mean test accuracy over folds: first 84.00 %, second_one 85.40 %")
    status, _, err = call(capsys, "compare", *two, "--figure", tmp_path / "both.doc")
    assert (status, len(err.splitlines())) == (2, 1)


def test_three_are_compared_two_by_two_with_a_word_on_chance(two, tmp_path):
    found = compare([*two, forge(tmp_path / "third", FIRST)])
    assert [(pair.first, pair.second) for pair in found.pairs] == [
        ("first", "second_one"),
        ("first", "third"),
        ("second_one", "third"),
    ]
    assert (found.pairs[1].wilcoxon_p, found.pairs[1].t_p) == (1.0, 1.0)  # the same to the bit
    assert "each p stands for itself" in found.notes[-1]
    assert len(plots.compare(found).axes) == 2


def test_one_fold_says_nothing_about_chance(tmp_path):
    found = compare([forge(tmp_path / "a", FIRST[:1]), forge(tmp_path / "b", SECOND[:1])])
    assert (found.pairs[0].wilcoxon_p, found.pairs[0].t_p) == (None, None)
    assert "±" not in repr(found).replace("mean ± std", "")
    assert "--" in found.latex()


def test_folds_that_one_lacks_are_left_out_and_that_is_said(tmp_path):
    found = compare([forge(tmp_path / "a", FIRST), forge(tmp_path / "b", SECOND[:3])])
    assert list(found.pairs[0].differences) == ["0", "1", "2"]
    assert found.notes == ("b and a have other complete folds; differences are of those that both have",)


def test_folds_of_other_data_are_said_to_be_so(two):
    for number, folder in enumerate(two):
        record = {"format": 1, "config": {}, "seed": 0, "data": {"test": {"sha256": str(number)}}, "versions": {}}
        (folder / "3" / "config.json").write_text(json.dumps(record))
    assert compare(two).notes == (
        "second_one and first had other files for the same folds, which pairs them by number alone",
    )


@pytest.mark.parametrize(
    ("case", "finding"),
    [
        ("one", "the following arguments are required: OUT"),
        ("twice", "outputs: must be different folders, got 'one twice'"),
        ("nowhere", "must be the output folder of kfold, got no such folder"),
        ("other sizes", "must be measured on as many samples as that of "),
        ("none complete", "must have a complete fold, got none"),
        ("empty", "must be paths, got an empty one"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(two, tmp_path, capsys, case, finding):
    words = {
        "one": two[:1],
        "twice": [two[0], two[0]],
        "nowhere": [two[0], tmp_path / "nowhere"],
        "other sizes": [two[0], forge(tmp_path / "c", FIRST, n=99)],
        "none complete": [two[0], forge(tmp_path / "d", FIRST, stopped="gridsearch_stop_acc")],
        "empty": [two[0], ""],
    }[case]
    status, out, err = call(capsys, "compare", *words)
    assert (status, out, len(err.splitlines())) == (2, "", 1)
    assert finding in err


def test_what_all_have_is_compared(tmp_path):
    found = compare([forge(tmp_path / "a", FIRST), forge(tmp_path / "b", SECOND, key="val")])
    assert found.measured_on == "train_accuracy"
    with pytest.raises(RunError, match="must be two folders or more"):
        compare([tmp_path / "a"])


def test_the_package_that_tests_differences_is_named_where_it_is_absent(two, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    status, out, err = call(capsys, "compare", *two)
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("error: compare: needs the package scipy, which python -m pip install ")
