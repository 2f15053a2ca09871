"""The notebooks in docs run from top to bottom, and show pictures and tables in any kernel."""

import json
import re
from pathlib import Path

import notebooks
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

pytestmark = pytest.mark.full

DOCS = Path(__file__).parent.parent / "docs"
NOTEBOOKS = sorted(DOCS.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_cell_of_a_notebook_runs_and_what_it_ends_with_is_shown(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shown = [value for value in notebooks.done(path) if value is not None]
    pictures = [value for value in shown if hasattr(value, "_repr_png_")]
    tables = [value._repr_html_() for value in shown if hasattr(value, "_repr_html_") and value not in pictures]
    assert len(pictures) >= 3
    assert all(picture._repr_png_()[0].startswith(b"\x89PNG") for picture in pictures)
    assert len(tables) >= 3
    assert all("<table" in table for table in tables)
    accuracies = [float(word) for word in capsys.readouterr().out.split() if word.count(".") == 1]
    assert min(accuracies) > 90


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_as_it_was_written_of_plain_cells(path):
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    for cell in notebook["cells"]:
        members = {"cell_type", "id", "metadata", "source"}
        assert {*cell} == members | ({"execution_count", "outputs"} if cell["cell_type"] == "code" else set())
        assert (cell.get("execution_count"), cell.get("outputs", []), cell["metadata"]) == (None, [], {})
    assert not any(line.startswith(("%", "!")) for source in notebooks.cells(path) for line in source.splitlines())
    assert text == json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"  # so that changes can be read


def test_the_links_of_a_notebook_are_pages():
    for path in NOTEBOOKS:
        for source in notebooks.cells(path, "markdown"):
            for target in re.findall(r"\]\(([^)#]+)", source):
                assert (DOCS / target).is_file(), target
