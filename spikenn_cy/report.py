"""One page that tells all of a run, so that it can be sent to somebody who has neither the folder nor the package."""

import base64
import json
import os
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
from spikenn_cy.page import document
from spikenn_cy.page import escaped
from spikenn_cy.page import section
from spikenn_cy.page import table
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
    title = f"Run {label_text(source.folder.resolve().name)}"
    method = dict(_leaves(description["config"])).get("optimizer.method", "")
    end = f"{result['n_epochs']} epochs, {END_OF_RUN[result['stopped']]}"
    cost = _counted(source)
    told = {"description": description, "result": result, "epochs": list(epochs), "cost": _told(cost)}
    body = [
        *section("Accuracy", _accuracies(result)),
        *(section("What the training data decided", _figures(result)) if result.get("figures") else ()),
        *section("What a decision costs", _cost(cost)),
        *section("Pictures", _pictures(source)),
        *section("Settings", _settings(description)),
        *section("Data and versions", _data(description)),
        *section("Epochs", _epochs(epochs)),
    ]
    faint = f"{escaped(method)}, seed {escaped(description['seed'])}, {escaped(end)}"
    return document(title, faint, body, json.dumps({**told, "classes": plain_names(source.model.classes)}), "run")


def _accuracies(result: dict[str, Any]) -> Iterator[str]:
    sizes = {key: result[f"n_{key.removesuffix('_accuracy')}"] for key in SET_NAMES}
    rows = [(title, f"{sizes[key]:,}", percent(result[key])) for key, title in SET_NAMES.items() if sizes[key]]
    yield from table("After the last epoch", ("set", "samples", "accuracy (%)"), rows)


def _figures(result: dict[str, Any]) -> Iterator[str]:
    rows = [(f"<code>{escaped(name)}</code>", f"{value:.6g}") for name, value in result["figures"].items()]
    yield from table("Figures of a network that learns in every layer", ("figure", "value"), rows)


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
        yield f"<p>Not counted: {escaped(cost)}</p>"
        return
    head, *rows = cost.rows()
    yield from table(f"Of {cost.n_samples:,} test samples; a sample ends at {cost.max_time:g}", head, rows)
    head, *rows = cost.rows_of_decisions()
    yield from table("What decides test samples", head, rows)


def _pictures(source: Source) -> Iterator[str]:
    missing = []
    for name, figure in pictures(source.folder, source.input):
        if isinstance(figure, str):
            missing.append(f"<li>{escaped(name)}: {escaped(figure)}</li>")
            continue
        content = base64.b64encode(rendered(figure, "png", DPI)).decode()
        width, height = (round(DPI * inches) for inches in figure.get_size_inches())
        yield "<figure>"
        yield (
            f'<img src="data:image/png;base64,{content}" alt="{escaped(alt_text(figure), None)}" '
            f'width="{width}" height="{height}">'
        )
        yield f"<figcaption>{escaped(PICTURES[source.kind][name].caption, None)}</figcaption>"
        yield "</figure>"
    if missing:
        yield "<p>Not drawn:</p>"
        yield f"<ul>{''.join(missing)}</ul>"


def _settings(description: dict[str, Any]) -> Iterator[str]:
    rows = [
        (f"<code>{escaped(path)}</code>", escaped(json.dumps(value))) for path, value in _leaves(description["config"])
    ]
    rows.append(("seed", escaped(description["seed"])))
    yield from table("All settings, defaults included", ("setting", "value"), rows, n_texts=2)


def _data(description: dict[str, Any]) -> Iterator[str]:
    rows = [
        (
            escaped(name),
            *(escaped(file.get(key, "")) for key in ("file", "bytes")),
            f'<code class="digest">{escaped(file.get("sha256", ""))}</code>',
        )
        for name, file in description["data"].items()
    ]
    yield from table("Data files", ("set", "file", "bytes", "SHA-256"), rows, n_texts=4)
    rows = [(escaped(name), escaped(version)) for name, version in description["versions"].items()]
    yield from table("Versions", ("package", "version"), rows, n_texts=2)


def _epochs(epochs: Sequence[dict[str, Any]]) -> Iterator[str]:
    keys = [key for key in SET_NAMES if any(record[key] is not None for record in epochs)]
    rows = [(str(record["epoch"]), *(percent(record[key]) for key in keys)) for record in epochs]
    yield f"<details><summary>All {len(epochs)} epochs as a table</summary>"
    yield from table("Accuracy of each epoch (%)", ("epoch", *(SET_NAMES[key] for key in keys)), rows)
    yield "</details>"


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
