"""What the page about event cameras says of its examples is so; that they run is seen with all pages."""

import re
from pathlib import Path

import numpy as np
import pages
import pytest

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import DataError

pytestmark = pytest.mark.quick

PAGE = Path(__file__).parent.parent / "docs" / "events.md"


@pytest.fixture
def names(tmp_path, monkeypatch):
    """Return what the examples, run one after the other, leave behind."""
    monkeypatch.chdir(tmp_path)
    return pages.done(PAGE, tmp_path)


def test_the_data_set_that_is_saved_can_be_read(names):
    saved = SpikingDataset.from_file("trainset.npz")
    assert (len(saved), saved.n_inputs, saved.n_classes) == (20, 2 * 34 * 34, 10)


def test_the_input_is_the_one_of_the_formula(names):
    dense = names["dataset"].to_dense().reshape(-1, 2, 2, 3)
    assert dense[0, 1, 1, 2] == np.float32(0.25)


def test_the_refusal_shown_is_the_one_that_comes(names):
    shown = re.findall(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[2]
    arguments = [names[name] for name in ("x", "y", "polarity", "t", "offsets")]
    arguments[0] = np.array([0, 1, 2, 0, 0])
    with pytest.raises(DataError) as refusal:
        SpikingDataset.from_events(*arguments, [0, 1], sensor_size=(2, 2), duration=1)
    assert f"{refusal.value}\n" == shown
