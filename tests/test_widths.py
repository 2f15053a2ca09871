"""What is printed in columns fits a terminal of 100, whatever names users have chosen."""

import numpy as np
import pytest
from small_runs import write_data

from spikenn_cy.cli.entry import main
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.experiments.tables import folded_table

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("length", [1, 40, 49, 50, 99, 300])
def test_a_table_of_any_names_fits_and_loses_nothing(length):
    name = ("word " * 60)[:length].strip().ljust(length, "x")
    rows = [["folder", *(f"{name}{k}" for k in range(4))], [name, "1", "22", "333", "4444"]]
    lines = folded_table(rows)
    assert max(map(len, lines)) <= 100
    letters = "".join("".join(lines).split())
    assert sum(map(letters.count, "x")) >= sum(text.count("x") for row in rows for text in row)
    assert all(figure in " ".join(lines).split() for figure in rows[1][1:])


def test_the_summary_of_many_classes_with_long_names_fits():
    names = np.array([f"class of the number {k}" for k in range(40)])
    lines = (
        SpikingDataset.from_numpy(np.random.default_rng(0).random((80, 4)), np.repeat(names, 2)).summary().split("\n")
    )
    assert max(map(len, lines)) <= 100
    assert "class of the number 0 (2)" in " ".join(" ".join(lines).split())


def test_settings_chosen_from_data_are_printed_in_lines_that_fit(tmp_path, capsys):
    pytest.importorskip("sklearn")
    write_data(tmp_path / "in")
    words = ["run", str(tmp_path / "in"), str(tmp_path / "out"), "--set", "trainer.epochs=1"]
    assert main(words) == 0
    out = capsys.readouterr().out
    shown = [line for line in out.splitlines() if line.startswith("  ")]
    assert len(shown) > 4
    assert max(map(len, shown)) <= 100
    assert '"epochs": 1' in out  # as it was set
