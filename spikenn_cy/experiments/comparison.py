"""Cross-validations side by side: whether one setting is better than another on the same folds, and how surely."""

import itertools
import math
import os
import re
import warnings
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikenn_cy.errors import RunError
from spikenn_cy.errors import require
from spikenn_cy.experiments.batch import RunState
from spikenn_cy.experiments.folds import states
from spikenn_cy.experiments.tables import SET_NAMES
from spikenn_cy.experiments.tables import Summary
from spikenn_cy.experiments.tables import folded_table
from spikenn_cy.experiments.tables import mean_and_std
from spikenn_cy.experiments.tables import percent
from spikenn_cy.experiments.tables import spread
from spikenn_cy.storage.kinds import RUN
from spikenn_cy.utils.extras import extra


@dataclass(frozen=True)
class Pair:
    """How two cross-validations differ, fold by fold.

    Attributes
    ----------
    first, second : str
        Their names.
    differences : dict of float
        Accuracy of the second minus that of the first, as shares, by the fold.
    wilcoxon_p, t_p : float or None
        Of Wilcoxon's signed-rank test and of the paired t-test, two-sided: how probable differences as large as these
        are where none is meant. None where a test cannot tell, such as of one fold.
    """

    first: str
    second: str
    differences: dict[str, float]
    wilcoxon_p: float | None
    t_p: float | None


@dataclass(frozen=True, repr=False)
class Comparison:
    """Cross-validations side by side; printed, a table.

    Attributes
    ----------
    measured_on : str
        Which accuracy is compared: ``"test_accuracy"`` if all have it, else ``"val_accuracy"`` or ``"train_accuracy"``.
    accuracies : dict of dict
        Of each cross-validation, by its name and the fold; complete folds alone.
    pairs : tuple of Pair
    notes : tuple of str
        What stands against taking the numbers for more than they are.
    """

    measured_on: str
    accuracies: Mapping[str, Mapping[str, float]]
    pairs: tuple[Pair, ...]
    notes: tuple[str, ...] = ()

    @property
    def folds(self) -> list[str]:
        """The folds that any of them has, in order."""
        return sorted(set(itertools.chain.from_iterable(self.accuracies.values())), key=int)

    def __repr__(self) -> str:
        return self.text()

    def text(self, form: str = "text") -> str:
        """Return the comparison as ``"text"``, ``"json"``, ``"csv"`` or ``"latex"``."""
        return self.latex() if form == "latex" else self.summary().text(form)

    def latex(self) -> str:
        """Return a table for LaTeX's package ``booktabs``; the p-values compare with the first row."""
        first = next(iter(self.accuracies))
        tests = {pair.second: pair for pair in self.pairs if pair.first == first}
        lines = [r"\begin{tabular}{lrrr}", r"\toprule"]
        lines += [rf"method & {SET_NAMES[self.measured_on]} accuracy (\%) & $p$ (Wilcoxon) & $p$ (paired $t$) \\"]
        lines += [r"\midrule"]
        for name, accuracies in self.accuracies.items():
            shown = spread(mean_and_std(accuracies.values()), len(accuracies)).replace("±", r"$\pm$")
            found = tests.get(name)
            ps = ("--", "--") if found is None else (_p(found.wilcoxon_p, "--"), _p(found.t_p, "--"))
            lines.append(rf"{_for_latex(name)} & {shown} & {' & '.join(ps)} \\")
        return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])

    def summary(self) -> Summary:
        """Return the comparison as text for people, and as JSON and CSV for programs."""
        figures = {name: mean_and_std(values.values()) for name, values in self.accuracies.items()}
        columns = ("fold", *self.accuracies)
        rows: list[tuple[object, ...]] = [
            (fold, *(accuracies.get(fold) for accuracies in self.accuracies.values())) for fold in self.folds
        ]
        rows += [(name, *(found and found[name] for found in figures.values())) for name in ("mean", "std")]
        record = {
            "measured_on": self.measured_on,
            "folders": [
                {"folder": name, **(figures[name] or {}), "n_folds": len(values), "folds": dict(values)}
                for name, values in self.accuracies.items()
            ],
            "pairs": [self._recorded(pair) for pair in self.pairs],
            "notes": list(self.notes),
        }
        return Summary(tuple(self._lines(figures)), record, columns, tuple(rows))

    def _recorded(self, pair: Pair) -> dict[str, Any]:
        values = list(pair.differences.values())
        return {
            "first": pair.first,
            "second": pair.second,
            **(mean_and_std(values) or {}),
            "n_higher": sum(value > 0 for value in values),
            "n_equal": sum(value == 0 for value in values),
            "n_lower": sum(value < 0 for value in values),
            "wilcoxon_p": pair.wilcoxon_p,
            "t_p": pair.t_p,
            "differences": pair.differences,
        }

    def _lines(self, figures: Mapping[str, Mapping[str, float] | None]) -> list[str]:
        title = f"{SET_NAMES[self.measured_on]} accuracy in %"
        table = [["", title, "folds"]]
        for name, accuracies in self.accuracies.items():
            table.append([name, spread(figures[name], len(accuracies)), str(len(accuracies))])
        header = ["difference", "mean ± std", "higher", "equal", "lower", "p (Wilcoxon)", "p (paired t)"]
        tests = [header]
        for pair in self.pairs:
            found = self._recorded(pair)
            counts = [str(found[key]) for key in ("n_higher", "n_equal", "n_lower")]
            shown = spread(mean_and_std(pair.differences.values()), len(pair.differences))
            tests.append([f"{pair.second} - {pair.first}", shown, *counts, _p(pair.wilcoxon_p), _p(pair.t_p)])
        paired = [["fold", *self.accuracies, *(f"{pair.second} - {pair.first}" for pair in self.pairs)]]
        for fold in self.folds:
            of_fold = [percent(accuracies.get(fold)) for accuracies in self.accuracies.values()]
            by_pair = [pair.differences.get(fold) for pair in self.pairs]
            paired.append([fold, *of_fold, *("-" if value is None else f"{100 * value:+.2f}" for value in by_pair)])
        parts = (
            folded_table(table),
            folded_table(tests),
            folded_table(paired),
            [f"note: {note}" for note in self.notes],
        )
        return "\n\n".join("\n".join(part) for part in parts if part).splitlines()


def compare(outputs: Sequence[str | os.PathLike[str]]) -> Comparison:
    """Compare cross-validations fold by fold.

    Parameters
    ----------
    outputs : sequence of path-like
        Two or more, each of ``kfold``, or any folder with single runs in folders ``0``, ``1``, ...

    Returns
    -------
    Comparison
        Of each two, on the folds that are complete in both.

    Raises
    ------
    RunError
        If one is no such folder, or has no complete fold, or a fold was measured on other numbers of samples.
    MissingExtra
        If SciPy, which tests the differences, is not installed.
    """
    require(not isinstance(outputs, str | os.PathLike), "outputs", "must be several folders", outputs, RunError)
    for output in outputs if isinstance(outputs, Sequence) else [outputs]:
        if not isinstance(output, str | os.PathLike):
            raise RunError(f"outputs: must be several folders by their paths, got {type(output).__name__}")
    paths = [Path(output) for output in outputs]
    require(len(paths) >= 2, "outputs", "must be two folders or more", len(paths), RunError)
    found = dict(zip(_names(paths), paths, strict=True))
    require(len(found) == len(paths), "outputs", "must be different folders", "one twice", RunError)
    complete = {name: _complete(path) for name, path in found.items()}
    measured_on = _common_set(list(complete.values()))
    accuracies = {
        name: {fold: state.figure(measured_on) for fold, state in folds.items()} for name, folds in complete.items()
    }
    notes = _notes(found, complete, measured_on)
    pairs = tuple(_pair(accuracies, *two) for two in itertools.combinations(found, 2))
    if len(pairs) > 1:
        notes.append(f"each p stands for itself; of {len(pairs)} of them, the smallest is small by chance more often")
    return Comparison(measured_on, accuracies, pairs, tuple(notes))


def _names(paths: Sequence[Path]) -> list[str]:
    """Return the last parts of paths, and whole paths where these are the same."""
    lasts = [path.resolve().name for path in paths]
    return [last if lasts.count(last) == 1 else os.fspath(path) for last, path in zip(lasts, paths, strict=True)]


def _complete(output: Path) -> dict[str, RunState]:
    folds = {state.folder: state for state in states(output) if state.state == "complete"}
    if not folds:
        raise RunError(f"{output}: must have a complete fold, got none")
    return folds


def _common_set(complete: Sequence[Mapping[str, RunState]]) -> str:
    for key in reversed(SET_NAMES):
        if all(state.figure(key) is not None for folds in complete for state in folds.values()):
            return key
    raise RunError("outputs: must have one accuracy in common, got none that every fold has")


def _notes(found: Mapping[str, Path], complete: Mapping[str, Mapping[str, RunState]], measured_on: str) -> list[str]:
    """Return what may be wrong with pairs of folds; raise where they cannot be pairs."""
    part = measured_on.removesuffix("_accuracy")
    notes: dict[str, None] = {}
    (first, of_first), *others = complete.items()
    for name, folds in others:
        for fold in of_first.keys() & folds.keys():
            sizes = [state.figure(f"n_{part}") for state in (of_first[fold], folds[fold])]
            if sizes[0] != sizes[1]:
                rule = f"must be measured on as many samples as that of {found[first]}"
                raise RunError(f"{found[name] / fold}: {rule}, {sizes[0]}, got {sizes[1]}")
            if _data(found[first] / fold, part) != _data(found[name] / fold, part):
                notes[f"{name} and {first} had other files for the same folds, which pairs them by number alone"] = None
        if of_first.keys() != folds.keys():
            notes[f"{name} and {first} have other complete folds; differences are of those that both have"] = None
    return list(notes)


def _data(folder: Path, part: str) -> object:
    """Return what tells the content of the data that a run was measured on; None if it is not recorded."""
    record = RUN.record_in(folder)
    return None if record is None else record["data"].get(part, {}).get("sha256")


def _pair(accuracies: Mapping[str, Mapping[str, float]], first: str, second: str) -> Pair:
    both = sorted(accuracies[first].keys() & accuracies[second].keys(), key=int)
    # Without the rounding of shares, by which equal differences would have ranks of their own.
    differences = {fold: round(accuracies[second][fold] - accuracies[first][fold], 12) for fold in both}
    return Pair(first, second, differences, *_tested(np.array(list(differences.values()))))


def _tested(differences: np.ndarray) -> tuple[float | None, float | None]:
    """Return the p-values of Wilcoxon's signed-rank test and of the paired t-test."""
    with extra("sklearn", where="compare"):
        from scipy.stats import ttest_1samp
        from scipy.stats import wilcoxon
    if len(differences) < 2:
        return None, None
    if not differences.any():
        return 1.0, 1.0
    with warnings.catch_warnings():  # of few folds, and of folds that all differ by the same
        warnings.simplefilter("ignore")
        found = float(wilcoxon(differences).pvalue), float(ttest_1samp(differences, 0).pvalue)
    return found[0] if math.isfinite(found[0]) else None, found[1] if math.isfinite(found[1]) else None


def _p(value: float | None, absent: str = "-") -> str:
    if value is None:
        return absent
    return f"{value:.3f}" if value >= 0.001 else f"{value:.0e}"


def _for_latex(name: str) -> str:
    escaped = re.sub(r"([&%$#_{}])", r"\\\1", name.replace("\\", "/"))
    return escaped.replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}")
