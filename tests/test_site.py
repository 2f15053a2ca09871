"""The site says of the package what is so: all pictures are in the gallery, and figures are measured."""

import re
import sys
from pathlib import Path

import pytest
from test_layers import FLOORS

from spikenn_cy import plots

pytestmark = pytest.mark.quick

DOCS = Path(__file__).parent.parent / "docs"
sys.path.insert(0, str(DOCS))

import drawn  # noqa: E402
import words  # noqa: E402

NOT_DRAWN = {"alt_text", "told_by", "pictures", "rendered", "write_figure"}  # of the functions of plots


def page(name):
    return (DOCS / name).read_text(encoding="utf-8")


def test_every_picture_of_the_package_is_in_the_gallery():
    shown = set(re.findall(r"^figure = plots\.(\w+)\(", page("gallery.md"), re.MULTILINE))
    assert shown == {name for name in plots.__all__ if name[0].islower()} - NOT_DRAWN
    assert {name for pictures in plots.PICTURES.values() for name in pictures} <= shown | {"grid"}


@pytest.mark.parametrize("shown", ["index.md", "../README.md"])
def test_every_figure_that_is_shown_off_stands_on_the_page_that_it_names(shown):
    rows = re.findall(r"^\| (.*\d.*) \| \[.*?\]\((?:docs/)?([\w-]+\.md)\S*\) \|$", page(shown), re.MULTILINE)
    assert len(rows) >= 4
    for told, source in rows:
        for number in re.findall(r"\d[\d,]*\.\d+|\d+,\d{3}", told):
            assert number in page(source), (number, source)


@pytest.mark.skipif(not (DOCS.parent / "spikenn_cy").is_dir(), reason="needs the source")
def test_the_drawing_has_every_room_on_its_floor_and_lines_go_down():
    assert [sorted(names) for names, _ in drawn.rooms()] == [sorted(floor) for floor in FLOORS]
    picture = drawn.floors()
    height = {}
    for name, top in re.findall(r"<title>(\w+):.*?<text x=\"\d+\" y=\"(\d+)\"", picture):
        height[name] = int(top)
    assert set(height) == {name for floor in FLOORS for name in floor}
    for name, below in drawn.imported().items():
        assert all(height[other] > height[name] for other in below), name
    for start, end in re.findall(r'd="M\d+ (\d+)C[^"]* (\d+)"', picture):
        assert int(end) > int(start)


def test_words_are_linked_once_where_they_are_first_used_and_not_in_code():
    text = "# Causal\n\nA `causal` spike.\n\n```\ncausal\n```\n\nIt is causal, and [causal](x.md); causal again."
    assert words.linked(text, {"causal": "in *time*", **dict.fromkeys(words.LINKED[3:], "")}).count("glossary.md") == 1
    linked = words.linked(text, {**words.meanings(), "causal": "in *time*"})
    assert 'It is [causal](glossary.md#causal "in time"), and [causal](x.md); causal again.' in linked


def test_the_words_that_are_linked_are_in_the_glossary():
    assert set(words.LINKED) <= set(words.meanings())


@pytest.mark.parametrize(
    "sought", ["energy", "quantise", "quantize", "overfitting", "unbalanced", "imbalanced", "GPU", "int8", "embedded"]
)
def test_words_that_others_use_lead_to_a_page(sought):
    rows = re.findall(r"^\| ([^|]+) \| ([^|]*\]\(\S+\.md\S*\)[^|]*) \|$", page("glossary.md"), re.MULTILINE)
    assert any(sought in words for words, _ in rows)
