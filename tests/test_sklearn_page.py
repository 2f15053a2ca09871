"""What the page about scikit-learn shows works as it is written."""

import inspect
import re

import numpy as np
import pytest

pytest.importorskip("sklearn")

from small_runs import ROOT

from spikenn_cy.estimator import LatencyEncoder
from spikenn_cy.estimator import SpikingClassifier
from spikenn_cy.estimator.encoder import SCALINGS
from spikenn_cy.estimator.settings import suggested_rules
from spikenn_cy.network.readout import Readout

pytestmark = pytest.mark.full

PAGE = (ROOT / "docs" / "sklearn.md").read_text(encoding="utf-8")


def test_the_examples_run_one_after_the_other(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(example, "sklearn.md", "exec"), names)
    assert "None 0.51\nbalanced 0.94\n" in capsys.readouterr().out
    assert names["accuracy"] >= 0.95
    assert names["times"].shape == (len(names["X_test"]), 3 * names["X_test"].shape[1])
    assert len(names["dataset"]) == len(names["y_test"])
    assert names["names"][:4].tolist() == ["x0_0", "x0_1", "x0_2", "x1_0"]
    assert names["folds"].mean() > 0.9
    assert names["found"][1] > 0.9
    digits, pixels, labels, test = (names[name] for name in ("digits", "pixels", "labels", "test"))
    assert digits.score(pixels[test], labels[test]) > 0.94
    assert (names["scores"] <= 0).all()
    assert (names["scores"].astype(np.float32) >= -1).all()
    assert 0.5 < names["confidence"].mean() < 1
    np.testing.assert_allclose(names["probabilities"].sum(axis=1), 1)
    assert Readout.load("digits.npz").n_inputs == 64


def test_every_parameter_is_on_the_page_with_its_default_or_in_the_class():
    told = inspect.getdoc(SpikingClassifier)  # without the indentation, which CPython 3.13 takes away itself
    for name, parameter in inspect.signature(SpikingClassifier).parameters.items():
        assert re.search(rf"^(\w+, )?{name}(, \w+)* : ", told, re.MULTILINE), name
        automatic = re.search(rf"^\| [^|]*`{name}`[^|]* \| ", PAGE.partition('`"auto"` is |')[2], re.MULTILINE)
        assert (parameter.default == "auto") == bool(automatic), name


def test_the_table_has_a_row_for_each_data_set_and_classifier_of_the_benchmark(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.estimators import N_TRAIN
    from benchmarks.estimators import digits
    from benchmarks.estimators import measure
    from benchmarks.estimators import models

    rows = re.findall(r"^\| (\w+) \| `(.*?)` \|(?: [\d.]+ \|){2}", PAGE, re.MULTILINE)
    assert rows == [(data, name) for data in N_TRAIN for name in models(0)]
    figures = measure(*(part[:300] for part in digits()), n_runs=1)
    for name, (fit, predict, accuracy) in figures.items():
        assert min(fit + predict) >= 0, name
        assert accuracy[0] > 0.7, name


def test_the_study_has_a_row_for_each_data_set_and_sums_up_what_they_say(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.classifiers import CLASSIFIERS
    from benchmarks.classifiers import DATA
    from benchmarks.classifiers import lines_of_summary

    section = PAGE.partition("## Choosing a rule")[2].partition("\n## ")[0]
    header, *rows = (line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| "))
    assert header == ["data", *CLASSIFIERS]
    cells = {row[0]: row[1:] for row in rows if "±" in row[1]}
    assert list(cells) == [*DATA, "MNIST, 5,000", "Fashion-MNIST, 5,000"]
    means, seconds = (
        np.array([[float(re.search(pattern, cell)[1]) for cell in row] for row in cells.values()])
        for pattern in (r"([\d.]+) ±", r"([\d.]+) s")
    )
    *summary, times = rows[len(cells) :]
    *expected, expected_times = lines_of_summary(means, seconds)
    assert summary == expected
    assert times[0] == expected_times[0]
    ratios = [[float(cell) for cell in row[1:]] for row in (times, expected_times)]
    np.testing.assert_allclose(*ratios, rtol=0.2)  # of seconds that are rounded
    _, best = min(zip(map(float, expected[1][1:]), CLASSIFIERS, strict=True))  # of the mean ranks
    default = SpikingClassifier().rule
    assert CLASSIFIERS[best] == {"rule": default, "hidden": suggested_rules()[default][1].hidden}


def test_the_scalings_on_the_page_are_those_there_are():
    assert sorted(re.findall(r'^\| `"(\w+)"` \|', PAGE, re.MULTILINE)) == sorted(SCALINGS)
    assert f'`"{LatencyEncoder().scaling}"` | 0 |' in PAGE
    assert SpikingClassifier().scaling == "range"
    assert SpikingClassifier().n_fields == 4
