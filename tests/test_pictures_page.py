"""What the page about pictures shows works as it is written."""

import io
import json
import re
import shlex
from contextlib import redirect_stderr
from contextlib import redirect_stdout

import pytest

pytest.importorskip("matplotlib")

import pages
from small_runs import ROOT

from spikenn_cy.cli.entry import main
from spikenn_cy.demo import CONFIG
from spikenn_cy.plots import PICTURES

pytestmark = pytest.mark.full

PAGE = (ROOT / "docs" / "pictures.md").read_text(encoding="utf-8")
LARGEST = 60_000  # bytes of a picture in the repository


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Return a folder in which every command of the page was done, with small settings, and what each printed."""
    folder = tmp_path_factory.mktemp("page")
    config = json.loads(CONFIG.read_text())
    config["trainer"]["epochs"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    config["optimizer"]["ap"] = [0.1, 0.05]
    (folder / "grid.json").write_text(json.dumps(config))
    for block in pages.blocks(PAGE):
        if block.title:
            pages.write(block, folder)
    said = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in re.findall(r"^\$ spikenn-cy (.*)$", PAGE, re.MULTILINE):
            out, err = io.StringIO(), io.StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                status = main(shlex.split(line))
            assert (status, err.getvalue()) == (0, ""), line
            said[line] = out.getvalue().splitlines()
    return folder, said


def rows(first):
    """Return the rows of the table that begins with this column."""
    (table,) = re.findall(rf"^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table.splitlines()]


def test_every_command_draws_what_the_page_says(here):
    folder, said = here
    names = [row[0].strip("`") for row in rows("file")]
    assert said["plot spikenn-demo --out pictures --label 1"] == [f"pictures/{name}.png" for name in names]
    assert said["plot pictures-out/run --input pictures-data/kfold/0 --format svg"] == [
        f"pictures-out/run/{name}.svg" for name in names
    ]
    names = [row[0].strip("`") for row in rows("picture")]
    assert said["plot pictures-out/network --input pictures-data/kfold/0"] == [
        f"pictures-out/network/{name}.png" for name in names
    ]
    assert said["plot pictures-out/kfold"] == ["pictures-out/kfold/accuracy.png"]
    assert said["plot pictures-out/gs"] == ["pictures-out/gs/grid.png"]
    assert (folder / "spikenn-demo" / "report.html").exists()


def test_the_tables_name_every_picture_of_a_run_and_every_option(capsys):
    assert [row[0].strip("`") for row in rows("file")] == list(PICTURES["run"])
    assert [row[0].strip("`") for row in rows("picture")] == list(PICTURES["network"])
    assert main(["plot", "--help"]) == 0
    usage = capsys.readouterr().out
    on_page = [re.match(r"`(--\w+)", row[0])[1] for row in rows("option")]
    assert sorted(on_page) == sorted(set(re.findall(r"--\w+", usage)) - {"--help"})


def test_the_python_example_runs(here, monkeypatch):
    folder, _ = here
    monkeypatch.chdir(folder)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "pictures.md", "exec"), {})
    assert (folder / "two.png").stat().st_size > 1000
    assert (folder / "filters.png").stat().st_size > 1000
    assert "S2-STDP on digits" in (folder / "accuracy.svg").read_text()


def test_the_pictures_on_the_page_are_small_and_told_in_words():
    shown = re.findall(r"!\[(.*?)\]\((.*?)\)", PAGE)
    assert 0 < len(shown) <= 4
    for words, path in shown:
        assert len(words) > 20
        content = (ROOT / "docs" / path).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < LARGEST
