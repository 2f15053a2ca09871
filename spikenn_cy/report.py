"""One page that tells all of a run, so that it can be sent to somebody who has neither the folder nor the package."""

import base64
import html
import json
import os
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from spikenn_cy.data.labels import plain_names
from spikenn_cy.errors import RunError
from spikenn_cy.experiments.store import read_result
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.experiments.tables import percent
from spikenn_cy.network.cost import Cost
from spikenn_cy.plots import PICTURES
from spikenn_cy.plots import NotRecorded
from spikenn_cy.plots import Source
from spikenn_cy.plots import alt_text
from spikenn_cy.plots import pictures
from spikenn_cy.plots import rendered
from spikenn_cy.plots.canvas import label_text
from spikenn_cy.plots.source import epochs_of
from spikenn_cy.storage.kinds import REPORT
from spikenn_cy.utils.atomic import atomic_file

DPI = 150  # 1200 pixels of width, sharp on a telephone
END_OF_RUN = {
    "epochs": "all epochs trained",
    "early_stopping": "stopped early",
    "gridsearch_stop_acc": "given up by gridsearch_stop_acc",
}

# Nothing but what stands in the page itself may be loaded or run.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { color-scheme: light dark; --text: #1a1a1a; --page: #ffffff; --faint: #595959; --line: #d0d0d0; --row: #f4f4f4; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8e8e8; --page: #161616; --faint: #a8a8a8; --line: #444444; --row: #222222; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 56rem; color: var(--text); background: var(--page);
  font: 1rem/1.5 system-ui, sans-serif; }
h1, p, li, figcaption, code { overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
p { margin: 0.5rem 0; }
.faint, figcaption, caption { color: var(--faint); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 0.5rem 0; }
caption { text-align: left; padding: 0.25rem 0; }
th, td { padding: 0.25rem 0.75rem 0.25rem 0.25rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
thead th { background: var(--row); }
th[scope="row"] { font-weight: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
figure { margin: 1rem 0; }
img { display: block; width: 100%; height: auto; background: #ffffff; border: 1px solid var(--line); }
summary { cursor: pointer; padding: 0.25rem 0; }
code { font-family: ui-monospace, monospace; font-size: 0.9em; }
.digest { display: inline-block; min-width: 12rem; }
"""


def write_report(folder: str | os.PathLike[str], input: str | os.PathLike[str] | None = None) -> Path:
    """Write the page of a complete run to ``report.html`` in its folder, atomically.

    Parameters
    ----------
    folder : path-like
        Of the run.
    input : path-like, optional
        Folder of its data, for the pictures that need the test set. The demo needs none.

    Returns
    -------
    Path
        Of the page.

    Raises
    ------
    RunError
        If there is no complete run.
    DataError
        If ``input`` does not hold the data of the run.
    MissingExtra
        If matplotlib is not installed.
    """
    page = report_page(folder, input)
    path = Path(folder, REPORT)
    with atomic_file(path, "w") as file:
        file.write(page)
    return path


def report_page(folder: str | os.PathLike[str], input: str | os.PathLike[str] | None = None) -> str:
    """Return the page of a complete run as HTML 5; see `write_report`.

    It holds all that it shows, asks for nothing from anywhere, and has settings, result and
    epochs as JSON in its element ``run`` for programs.
    """
    source = Source(Path(folder), input)
    if not source.is_of_run:
        raise RunError(f"{folder}: must be the folder of a run, got one of {source.kind}")
    result = read_result(source.folder)
    if result is None:
        raise RunError(f"{folder}: must be the folder of a complete run, got one that is not complete")
    description = source.description
    epochs = epochs_of(source.folder) if result["n_epochs"] else []
    title = f"Run {_text(source.folder.resolve().name)}"
    method = dict(_leaves(description["config"])).get("optimizer.method", "")
    end = f"{result['n_epochs']} epochs, {END_OF_RUN[result['stopped']]}"
    cost = _counted(source)
    told = {"description": description, "result": result, "epochs": list(epochs), "cost": _told(cost)}
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f"<h1>{title}</h1>",
        f'<p class="faint">{_text(method)}, seed {_text(description["seed"])}, {_text(end)}</p>',
        "</header>",
        "<main>",
        *_section("Accuracy", _accuracies(result)),
        *(_section("What the training data decided", _figures(result)) if result.get("figures") else ()),
        *_section("What a decision costs", _cost(cost)),
        *_section("Pictures", _pictures(source)),
        *_section("Settings", _settings(description)),
        *_section("Data and versions", _data(description)),
        *_section("Epochs", _epochs(epochs)),
        "</main>",
        f'<script type="application/json" id="run">{_json(told, source)}</script>',
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _accuracies(result: dict[str, Any]) -> Iterator[str]:
    sizes = {key: result[f"n_{key.removesuffix('_accuracy')}"] for key in SET_NAMES}
    rows = [(title, f"{sizes[key]:,}", percent(result[key])) for key, title in SET_NAMES.items() if sizes[key]]
    yield from _table("After the last epoch", ("set", "samples", "accuracy (%)"), rows)


def _figures(result: dict[str, Any]) -> Iterator[str]:
    rows = [(f"<code>{_text(name)}</code>", f"{value:.6g}") for name, value in result["figures"].items()]
    yield from _table("Figures of a network that learns in every layer", ("figure", "value"), rows)


def _counted(source: Source) -> Cost | str:
    """Return what decisions on the test set cost, or why it could not be counted."""
    try:
        return source.trained.cost(source.test)
    except NotRecorded as reason:
        return str(reason)


def _told(cost: Cost | str) -> dict[str, Any] | None:
    return None if isinstance(cost, str) else cost.to_dict()


def _cost(cost: Cost | str) -> Iterator[str]:
    if isinstance(cost, str):
        yield f"<p>Not counted: {_text(cost)}</p>"
        return
    head, *rows = cost.rows()
    yield from _table(f"Of {cost.n_samples:,} test samples; a sample ends at {cost.max_time:g}", head, rows)
    head, *rows = cost.rows_of_decisions()
    yield from _table("What decides test samples", head, rows)


def _pictures(source: Source) -> Iterator[str]:
    missing = []
    for name, figure in pictures(source.folder, source.input):
        if isinstance(figure, str):
            missing.append(f"<li>{_text(name)}: {_text(figure)}</li>")
            continue
        content = base64.b64encode(rendered(figure, "png", DPI)).decode()
        width, height = (round(DPI * inches) for inches in figure.get_size_inches())
        yield "<figure>"
        yield (
            f'<img src="data:image/png;base64,{content}" alt="{_text(alt_text(figure), None)}" '
            f'width="{width}" height="{height}">'
        )
        yield f"<figcaption>{_text(PICTURES[source.kind][name].caption, None)}</figcaption>"
        yield "</figure>"
    if missing:
        yield "<p>Not drawn:</p>"
        yield f"<ul>{''.join(missing)}</ul>"


def _settings(description: dict[str, Any]) -> Iterator[str]:
    rows = [(f"<code>{_text(path)}</code>", _text(json.dumps(value))) for path, value in _leaves(description["config"])]
    rows.append(("seed", _text(description["seed"])))
    yield from _table("All settings, defaults included", ("setting", "value"), rows, n_texts=2)


def _data(description: dict[str, Any]) -> Iterator[str]:
    rows = [
        (
            _text(name),
            *(_text(file.get(key, "")) for key in ("file", "bytes")),
            f'<code class="digest">{_text(file.get("sha256", ""))}</code>',
        )
        for name, file in description["data"].items()
    ]
    yield from _table("Data files", ("set", "file", "bytes", "SHA-256"), rows, n_texts=4)
    rows = [(_text(name), _text(version)) for name, version in description["versions"].items()]
    yield from _table("Versions", ("package", "version"), rows, n_texts=2)


def _epochs(epochs: Sequence[dict[str, Any]]) -> Iterator[str]:
    keys = [key for key in SET_NAMES if any(record[key] is not None for record in epochs)]
    rows = [(str(record["epoch"]), *(percent(record[key]) for key in keys)) for record in epochs]
    yield f"<details><summary>All {len(epochs)} epochs as a table</summary>"
    yield from _table("Accuracy of each epoch (%)", ("epoch", *(SET_NAMES[key] for key in keys)), rows)
    yield "</details>"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"<section><h2>{title}</h2>"
    yield from lines
    yield "</section>"


def _table(caption: str, header: Sequence[str], rows: Iterable[Sequence[str]], n_texts: int = 1) -> Iterator[str]:
    """Yield a table of cells that are HTML already; those after the first ``n_texts`` columns are numbers."""

    def looks(column: int) -> str:
        return "" if column < n_texts else ' class="number"'

    yield f'<div class="wide" role="region" tabindex="0" aria-label="{caption}"><table><caption>{caption}</caption>'
    cells = "".join(f'<th scope="col"{looks(column)}>{name}</th>' for column, name in enumerate(header))
    yield f"<thead><tr>{cells}</tr></thead><tbody>"
    for first, *others in rows:
        cells = "".join(f"<td{looks(column)}>{cell}</td>" for column, cell in enumerate(others, start=1))
        yield f'<tr><th scope="row">{first}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the path of every setting and its value."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            yield from _leaves(item, f"{path}[{position}]")
    else:
        yield path, value


def _text(value: object, most: int | None = 80) -> str:
    """Return what somebody else wrote as text of a page or of an attribute in it."""
    return html.escape(label_text(value, most), quote=True)


def _json(record: dict[str, Any], source: Source) -> str:
    """Return a run's record as JSON in which nothing can end the element that it stands in."""
    text = json.dumps({**record, "classes": plain_names(source.model.classes)})
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
