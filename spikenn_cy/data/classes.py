"""Data sets matched by the names of their classes, so that those numbered apart mean the same by the same number."""

import warnings

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import INDEX
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require


def match_classes(dataset: SpikingDataset, training: SpikingDataset, name: str = "dataset") -> SpikingDataset:
    """Return ``dataset`` with its labels numbered by the classes of ``training``.

    Parameters
    ----------
    dataset, training : SpikingDataset
        Of the same inputs and time. ``dataset`` may have fewer classes.
    name : str
        What an error calls a ``dataset`` that comes from no file.

    Returns
    -------
    SpikingDataset
        ``dataset`` itself if nothing changes; otherwise it shares the spikes with it.

    Raises
    ------
    DataError
        If inputs or times differ, or ``dataset`` has no labels or a class that ``training`` has not.

    Warns
    -----
    UserWarning
        If ``dataset`` has fewer classes and comes from a file that numbers its classes
        without saying which they are.
    """
    place, other = dataset.source or name, training.source or "the training set"
    ok = dataset.n_inputs == training.n_inputs
    require(ok, place, f"must have {training.n_inputs} inputs like {other}", dataset.n_inputs, DataError)
    ok = STAMP.type(dataset.max_time) == STAMP.type(training.max_time)
    require(ok, place, f"must have max_time {training.max_time} like {other}", dataset.max_time, DataError)

    return in_classes(dataset, training.classes, other, name)


def require_labels(dataset: SpikingDataset, name: str = "dataset") -> None:
    """Raise `DataError` unless the classes of the samples are known."""
    rule = "must have labels, which only predict, decide, first_spikes and cost do without"
    require(dataset.labels is not None, dataset.source or name, rule, None, DataError)


def in_classes(
    dataset: SpikingDataset, classes: np.ndarray, other: str = "the training set", name: str = "dataset"
) -> SpikingDataset:
    """Return ``dataset`` with its labels numbered by ``classes``, which ``other`` has.

    Parameters
    ----------
    dataset : SpikingDataset
        May have fewer classes.
    classes : ndarray of int or str, shape (n_classes,)
        Original label of each class.
    other : str
        Where they come from, for messages.
    name : str
        As for `match_classes`.

    Returns
    -------
    SpikingDataset
        ``dataset`` itself if nothing changes; otherwise it shares the spikes with it.

    Raises
    ------
    DataError
        If ``dataset`` has no labels, or a class that is not among ``classes``.

    Warns
    -----
    UserWarning
        If ``dataset`` has fewer classes and comes from a file that numbers its classes
        without saying which they are.
    """
    require_labels(dataset, name)
    place = dataset.source or name
    names, known = dataset.classes.tolist(), classes.tolist()
    if names == known:
        return dataset
    number_of = {name: number for number, name in enumerate(known)}
    unknown = [name for name in names if name not in number_of]
    require(not unknown, place, f"must have no class that {other} has not", unknown, DataError)
    if dataset.classes_assumed:
        warnings.warn(
            f"{place}: has {len(names)} classes and {other} has {len(known)}; the file does not say which, "
            f"0 to {len(names) - 1} are assumed",
            stacklevel=2,
        )
    numbers = np.array([number_of[name] for name in names], dtype=INDEX)
    return dataset.renumbered(numbers[dataset.labels], classes)
