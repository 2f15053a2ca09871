"""The tutorials are notebooks that run from top to bottom, show pictures in any kernel, and say what they show."""

import json
import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
sys.path.append(str(DOCS))

import notebooks  # noqa: E402

for package in ("matplotlib", "sklearn", "PIL"):
    pytest.importorskip(package)

pytestmark = pytest.mark.full

NOTEBOOKS = sorted(DOCS.glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# What a reader takes home, by the variables that a notebook is left with.
CLAIMS = {
    "first-steps": lambda names: names["model"].score(names["test"]) > 0.93,
    "table-to-decision": lambda names: (
        names["scores"]["first-spike network"].mean() > 95 and names["small"].score(names["unseen"]) > 0.9
    ),
    "pixels-to-convolution": lambda names: (
        names["models"]["convolution"].score(names["test"])
        > names["models"]["hidden layer"].score(names["test"])
        > names["models"]["one layer"].score(names["test"])
    ),
    "published-method": lambda names: names["result"].mean > 0.93,
    "camera-events": lambda names: (
        names["model"].score(names["test"]) > 0.9 and names["right"] > 0.9 * len(names["test"])
    ),
    "float-to-c": lambda names: names["small"].score(names["test"]) > 0.9 and names["same"],
}


@each_notebook
def test_every_cell_of_a_notebook_runs_and_its_page_has_what_it_shows(path, tmp_path):
    names = {}
    notebook = notebooks.executed(path, tmp_path, names)
    page, pictures = notebooks.page_of(path, notebook)
    assert len(pictures) >= 3
    assert all(picture.startswith(b"\x89PNG") for picture in pictures.values())
    assert re.findall(r'<img src="(.*?)" alt="[^"]{40,}"', page) == [*pictures]
    assert f'href="{path.name}" download' in page
    assert CLAIMS[path.stem](names)
    assert untold(notebook) == set()
    notebooks.keep(path, notebook)


def untold(notebook):
    """Return the numbers in the text of a notebook, above the exercises, that neither code nor outputs have."""
    text, rest = "", ""
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            text += re.sub(r"`[^`]*`|\]\([^)]*\)|^\d\. ", " ", source, flags=re.MULTILINE)
        else:
            rest += source + json.dumps([words_of(output) for output in cell["outputs"]])
    text = text[: text.index("## Now you")]
    numbers = r"(?<![\w.-])\d+(?:[.,]\d+)*"
    return {*re.findall(numbers, text)} - {*re.findall(numbers, rest)}


def words_of(output):
    """Return what there is to be read in an output of a cell."""
    data = {kind: text for kind, text in output.get("data", {}).items() if kind.startswith("text/")}
    return [output.get("text"), data, output.get("metadata", {}).get("image/png", {}).get("alt")]


@each_notebook
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


@each_notebook
def test_a_notebook_ends_with_what_its_reader_may_do(path):
    headings = re.findall(r"^## (.*)", "\n".join(notebooks.cells(path, "markdown")), re.MULTILINE)
    assert headings[-2:] == ["Now you", "On from here"]


def test_the_links_of_a_notebook_are_pages_and_notebooks():
    for path in NOTEBOOKS:
        for source in notebooks.cells(path, "markdown"):
            for target in re.findall(r"\]\((?!https?:)([^)#]+)", source):
                assert (DOCS / target).is_file(), target


def test_the_page_of_tutorials_lists_every_notebook_and_its_download():
    page = (DOCS / "tutorials.md").read_text(encoding="utf-8")
    names = [path.name for path in NOTEBOOKS]
    assert sorted(re.findall(r"^\| \[[^]]+\]\((.*?)\)", page, re.MULTILINE)) == names
    assert sorted(re.findall(r'href="(.*?)" download', page)) == names


def test_a_notebook_that_has_run_is_run_again_only_after_a_change(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "KEPT", tmp_path / "kept")
    path = tmp_path / "small.ipynb"
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": ["from pathlib import Path\n", "Path.cwd()"]}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    first = notebooks.kept(path)
    assert notebooks.kept(path) == first
    path.write_text(path.read_text().replace("Path.cwd()", "str(Path.cwd())"))
    assert notebooks.kept(path)["cells"][0]["outputs"] != first["cells"][0]["outputs"]
    (tmp_path / "kept" / "small.ipynb").write_text("{")  # what a build that was killed may leave
    assert notebooks.kept(path)["cells"][0]["source"] == ["from pathlib import Path\n", "str(Path.cwd())"]
