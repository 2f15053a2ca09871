"""The results of a reproduction for people: the table beside the published one, in Markdown and as one HTML page."""

import json
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import NamedTuple

from spikenn_cy.experiments.tables import spread
from spikenn_cy.page import document
from spikenn_cy.page import escaped
from spikenn_cy.page import section
from spikenn_cy.page import table
from spikenn_cy.reproduction.datasets import title_of
from spikenn_cy.storage.kinds import RESULTS_PAGE
from spikenn_cy.storage.kinds import RESULTS_RECORD
from spikenn_cy.storage.kinds import RESULTS_TEXT
from spikenn_cy.storage.records import write_record
from spikenn_cy.utils.atomic import atomic_file

NOT_THERE = "-"
READING = (
    "Test accuracy in %, mean ± standard deviation over the folds; in brackets what was published and the difference "
    "in published standard deviations (sd)."
)


class Part(NamedTuple):
    """A table of the page: a title, a header, and rows of texts, of which the first ``n_texts`` are no numbers."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    n_texts: int = 1


def write_pages(home: Path, results: Mapping[str, Any]) -> None:
    """Write ``results.json``, ``results.md`` and ``results.html``, each whole or not at all."""
    write_record(home / RESULTS_RECORD, results)
    for name, text in ((RESULTS_TEXT, markdown(results)), (RESULTS_PAGE, page(results))):
        with atomic_file(home / name, "w") as file:
            file.write(text)


def markdown(results: Mapping[str, Any]) -> str:
    """Return the results as Markdown."""
    lines = [f"# {results['title']}", "", f"Published in: {results['source']}.", "", READING, ""]
    for part in parts(results):
        marks = ["---" if column < part.n_texts else "---:" for column in range(len(part.header))]
        lines += [f"## {part.title}", ""]
        lines += [f"| {' | '.join(map(_cell, row))} |" for row in (part.header, marks, *part.rows)]
        lines += [""]
    lines += [f"* {note}" for note in notes(results)]
    return "\n".join(lines).rstrip("\n") + "\n"


def page(results: Mapping[str, Any]) -> str:
    """Return the results as a page of HTML 5 that asks for nothing from anywhere, with the record in it."""
    body: list[str] = [f"<p>{escaped(READING)}</p>"]
    for part in parts(results):
        rows = [[escaped(text, None) for text in row] for row in part.rows]
        body += section(escaped(part.title), table(escaped(part.title), part.header, rows, part.n_texts))
    if told := list(notes(results)):
        body += section("Notes", ["<ul>", *(f"<li>{escaped(note, None)}</li>" for note in told), "</ul>"])
    source = f"Published in: {results['source']}"
    return document(results["title"], escaped(source, None), body, json.dumps(results), "results")


def parts(results: Mapping[str, Any]) -> Iterator[Part]:
    """Yield the tables of the page."""
    cells = results["cells"]
    for extractor in dict.fromkeys(cell["extractor"] for cell in cells):
        yield _beside(extractor, [cell for cell in cells if cell["extractor"] == extractor])
    yield _in_numbers(cells)
    yield _per_fold(cells)
    yield _durations(results)
    yield Part("Versions", ("package", "version"), [row for one in results["versions"] for row in one.items()], 2)


def notes(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield what must be known to read the tables."""
    for cell in results["cells"]:
        place = f"{cell['extractor']}, {title_of(cell['dataset'])}, {cell['title']}"
        for fold in cell["missing"]:
            yield f"{place}: fold {fold['folder']} is {fold['state']} and does not enter."
        for note in cell["notes"]:
            yield f"{place}: {note}."
    if any(cell["published"] is None for cell in results["cells"]):
        yield f"{NOT_THERE} in place of a published figure: it is not among those that this package has."


def _beside(extractor: str, cells: Sequence[Mapping[str, Any]]) -> Part:
    """Return the table as it was published, with methods in rows and data sets in columns."""
    datasets = list(dict.fromkeys(cell["dataset"] for cell in cells))
    by_place = {(cell["title"], cell["dataset"]): cell for cell in cells}
    rows = []
    for method in dict.fromkeys(cell["title"] for cell in cells):
        found = [by_place.get((method, dataset)) for dataset in datasets]
        rows.append([method, *("" if cell is None else _with_published(cell) for cell in found)])
    return Part(f"Features: {extractor}", ("method", *map(title_of, datasets)), rows)


def _with_published(cell: Mapping[str, Any]) -> str:
    found = cell["difference_in_published_std"]
    told = _published(cell) + ("" if found is None else f", {found:+.1f} sd")
    return f"{_here(cell)} ({told})"


def _in_numbers(cells: Sequence[Mapping[str, Any]]) -> Part:
    header = ("features", "data set", "method", "folds", "here", "published", "difference", "in published sd", "epochs")
    rows = [
        [
            *(cell["extractor"], title_of(cell["dataset"]), cell["title"]),
            f"{len(cell['folds'])} of {cell['n_folds']}",
            *(_here(cell), _published(cell)),
            _shown(cell["difference"], "{:+.2f}", 100),
            _shown(cell["difference_in_published_std"], "{:+.2f}"),
            _shown(cell["n_epochs"], "{:.1f}"),
        ]
        for cell in cells
    ]
    return Part("Cells in numbers", header, rows, 3)


def _per_fold(cells: Sequence[Mapping[str, Any]]) -> Part:
    header = ("features", "data set", "method", "fold", "seed", "test", "validation", "epochs", "end")
    rows = [
        [
            *(cell["extractor"], title_of(cell["dataset"]), cell["title"], fold["fold"], str(fold["seed"])),
            *(_shown(fold[key], "{:.2f}", 100) for key in ("test_accuracy", "val_accuracy")),
            *(str(fold["n_epochs"]), fold["stopped"]),
        ]
        for cell in cells
        for fold in cell["folds"]
    ]
    return Part("Folds", header, rows, 3)


def _durations(results: Mapping[str, Any]) -> Part:
    """Return the seconds of each stage, in the mean of a fold; steps that were looked up take next to none."""
    rows = [
        ["images", stage["place"], "", f"{stage['seconds']:.1f}", f"{stage['processor_seconds']:.1f}"]
        for stage in results["stages"]
        if stage["stage"] == "data"
    ]
    extractions = {(cell["extractor"], cell["dataset"]): cell["extraction"] for cell in results["cells"]}
    rows += [
        ["features, a fold", dataset, extractor, *_times(found)] for (extractor, dataset), found in extractions.items()
    ]
    rows += [
        ["training, a fold", cell["dataset"], f"{cell['extractor']}, {cell['title']}", *_times(cell["training"])]
        for cell in results["cells"]
    ]
    return Part("Seconds", ("stage", "data set", "of", "wall clock", "processor"), rows, 3)


def _times(found: Mapping[str, float] | None) -> list[str]:
    return [_shown((found or {}).get(key), "{:.1f}") for key in ("seconds", "processor_seconds")]


def _here(cell: Mapping[str, Any]) -> str:
    return spread(cell["here"], len(cell["folds"])) if cell["here"] else NOT_THERE


def _published(cell: Mapping[str, Any]) -> str:
    found = cell["published"]
    if found is None:
        return NOT_THERE
    return f"{100 * found['mean']:.2f}" + ("" if found["std"] is None else f" ± {100 * found['std']:.2f}")


def _shown(value: float | None, form: str, factor: float = 1) -> str:
    return NOT_THERE if value is None else form.format(factor * value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
