"""What somebody with a table and no settings gets: ``python -m benchmarks.own_data [--series aeon.whl]``.

Each data set takes three commands, ``encode``, ``run`` and ``predict``, beside logistic regression and the nearest
neighbour on the same rows. Expected: near the better of both on tables; above logistic regression where classes are not
linear; below the nearest neighbour on time series, whose shifts no row of a table knows.
"""

import argparse
import contextlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.tables import markdown
from spikenn_cy.cli.entry import main as command

SERIES = ("ItalyPowerDemand", "GunPoint", "ArrowHead", "OSULeaf")
SEEDS = range(3)
PLACE = (
    "aeon/datasets/data/{name}/{name}_{part}.ts"  # in the wheel of the package aeon, which has some of the UCR archive
)

Part = tuple[np.ndarray, np.ndarray]  # (n, columns) numbers, (n,) labels


def tables() -> Iterator[tuple[str, Part]]:
    """Yield the tables that come with scikit-learn, or are drawn by it."""
    from sklearn import datasets

    for name in ("iris", "wine", "breast_cancer", "digits"):
        yield name.replace("_", " "), getattr(datasets, f"load_{name}")(return_X_y=True)
    yield "two moons", datasets.make_moons(400, noise=0.2, random_state=0)
    yield "two circles", datasets.make_circles(400, noise=0.1, factor=0.5, random_state=0)


def halves(data: Part, seed: int) -> tuple[Part, Part]:
    """Return three quarters of each class to train and the others to test."""
    from sklearn.model_selection import train_test_split

    X_train, X_test, y_train, y_test = train_test_split(*data, test_size=0.25, stratify=data[1], random_state=seed)
    return (X_train, y_train), (X_test, y_test)


def series(wheel: str, name: str) -> tuple[Part, Part]:
    """Return the training and the test part of a set of time series, a column a moment."""
    parts = []
    with zipfile.ZipFile(wheel) as archive:
        for part in ("TRAIN", "TEST"):
            text = archive.read(PLACE.format(name=name, part=part)).decode()
            rows = [line.split(":") for line in text.split("@data", 1)[1].split("\n") if line.strip()]
            X = np.array([row[0].split(",") for row in rows], dtype=float)
            parts.append((X, np.array([row[1].strip() for row in rows])))
    return parts[0], parts[1]


def of_commands(train: Part, test: Part, n_fields: int, seed: int) -> float:
    """Return the accuracy that three commands come to."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name, (X, y) in (("train", train), ("test", test)):
            lines = (",".join([*map(repr, row), f"class {label}"]) for row, label in zip(X.tolist(), y, strict=True))
            (place / f"{name}.csv").write_text("\n".join(lines))
        words = ["encode", place / "train.csv", place / "spikes", "--label", "-1", "--split", "100/0/0"]
        done(*words, "--n_fields", n_fields)
        done("run", place / "spikes", place / "run", "--seed", seed)
        answer = done(
            "predict", place / "test.csv", "--encoder", place / "spikes", "--readout", place / "run", "--json"
        )
        accuracy: float = json.loads(answer)["accuracy"]
        return accuracy


def done(*words: object) -> str:
    """Return what a command prints."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = command([os.fspath(word) if isinstance(word, Path) else str(word) for word in words])
    assert status == 0, words
    return said.getvalue()


def beside(train: Part, test: Part) -> tuple[float, float]:
    """Return the accuracies of logistic regression and of the nearest neighbour on columns of one variance."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    models = LogisticRegression(max_iter=5000), KNeighborsClassifier(1)
    linear, nearest = (make_pipeline(StandardScaler(), model).fit(*train).score(*test) for model in models)
    return linear, nearest


def measured(wheel: str | None) -> list[list[str]]:
    """Return a row of accuracies in percent for each data set."""
    splits = [(name, [halves(data, seed) for seed in SEEDS]) for name, data in tables()]
    if wheel is not None:
        splits += [(name, [series(wheel, name)] * len(SEEDS)) for name in SERIES]
    rows = []
    for name, parts in splits:
        found = np.array(
            [
                (of_commands(*part, 1, seed), of_commands(*part, 4, seed), *beside(*part))
                for seed, part in enumerate(parts)
            ]
        )
        (X, y), (X_test, _) = parts[0]
        sizes = [f"{len(X)} + {len(X_test)}", str(X.shape[1]), str(len(np.unique(y)))]
        rows.append([name, *sizes, *(f"{100 * share:.1f}" for share in found.mean(axis=0))])
        print(*rows[-1], sep="\t", flush=True)
    return rows


def main() -> None:
    """Measure and print the table of the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--series", metavar="WHEEL", help="wheel of the package aeon, as `pip download aeon` fetches it"
    )
    rows = measured(parser.parse_args().series)
    head = ["data", "rows", "columns", "classes", "`--n_fields 1`", "`--n_fields 4`", "logistic", "nearest"]
    print(markdown(head, rows))


if __name__ == "__main__":
    main()
