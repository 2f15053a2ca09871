"""Pictures of what was learned and how: ``PICTURES`` has those of each kind of folder, by the names of their files.

To add one: write a function that returns a Figure, with labelled axes and an
alternative text (`with_alt_text`), and give it a row here. The function raises `NotRecorded` if what it would
show is not in the folder. The command ``plot`` and the report of a run take their pictures
from this table.
"""

import os
from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spikenn_cy.data.labels import called
from spikenn_cy.errors import RunError
from spikenn_cy.plots.activity import feature_activity
from spikenn_cy.plots.canvas import alt_text
from spikenn_cy.plots.canvas import rendered
from spikenn_cy.plots.canvas import write_figure
from spikenn_cy.plots.comparison import compare
from spikenn_cy.plots.competition import competition
from spikenn_cy.plots.competition import neurons
from spikenn_cy.plots.curves import accuracy
from spikenn_cy.plots.curves import folds
from spikenn_cy.plots.decision import decision
from spikenn_cy.plots.decisions import confusion
from spikenn_cy.plots.explanation import explanation
from spikenn_cy.plots.filters import filters
from spikenn_cy.plots.grid import grid
from spikenn_cy.plots.layers import layers
from spikenn_cy.plots.over_time import accuracy_over_time
from spikenn_cy.plots.raster import raster
from spikenn_cy.plots.samples import samples
from spikenn_cy.plots.source import NotRecorded
from spikenn_cy.plots.source import Source
from spikenn_cy.plots.source import folder_given
from spikenn_cy.plots.times import decision_times
from spikenn_cy.plots.weights import image_shape
from spikenn_cy.plots.weights import weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure

told_by = alt_text  # its name in 0.1.0

__all__ = [
    "PICTURES",
    "NotRecorded",
    "Picture",
    "Source",
    "accuracy",
    "accuracy_over_time",
    "alt_text",
    "compare",
    "competition",
    "confusion",
    "decision",
    "decision_times",
    "explanation",
    "feature_activity",
    "filters",
    "folds",
    "grid",
    "layers",
    "neurons",
    "pictures",
    "raster",
    "rendered",
    "samples",
    "told_by",
    "weights",
    "write_figure",
]


def _confusion(source: Source) -> "Figure":
    named = source.class_names
    return confusion(source.trained, source.test, class_names=named if called(source.trained.classes, named) else ())


def _weights(source: Source) -> "Figure":
    model = source.trained
    if image_shape(model) is None and len(model.input_shape) == 1:
        raise NotRecorded(f"no image: {model.n_inputs} inputs form no square")
    if image_shape(model) is None:
        raise NotRecorded(f"no image: inputs of shape {model.input_shape} form none that can be drawn")
    return weights(model)


@dataclass(frozen=True)
class Picture:
    """A row of ``PICTURES``.

    Attributes
    ----------
    draw : callable
        Returns the figure of a `Source`.
    caption : str
        What it shows, in a sentence.
    """

    draw: "Callable[[Source], Figure]"
    caption: str


_ACCURACY = Picture(
    lambda source: accuracy(source.folder),
    "Accuracy of each epoch. In training it is counted while the weights move, on other data after the epoch.",
)
_CONFUSION = Picture(_confusion, "How many test samples of each class were taken for each class.")
_DECISION_TIMES = Picture(
    lambda source: decision_times(source.trained, source.test),
    "When test samples are decided, right and wrong ones, and those of each class. Without an output spike the highest "
    "potential decides.",
)
_OVER_TIME = Picture(
    lambda source: accuracy_over_time(source.trained, source.test),
    "Test samples that are right if an answer is asked for at each time: by the first output spike where there has "
    "been one, else by the highest potential then.",
)
_RASTER = Picture(
    lambda source: raster(source.trained, source.test, source.sample),
    "Spikes of one test sample. The first one of an output neuron decides; what follows is shaded.",
)

PICTURES: dict[str, dict[str, Picture]] = {
    "run": {
        "accuracy": _ACCURACY,
        "confusion": _CONFUSION,
        "weights": Picture(_weights, "Synaptic weights of each neuron, as the image that its inputs form."),
        "competition": Picture(
            lambda source: competition(source.folder, source.class_number),
            "Training thresholds at the end of each epoch, and how often each neuron of one class learned as a target.",
        ),
        "neurons": Picture(
            lambda source: neurons(source.folder), "The same of all neurons, a row each, those of a class together."
        ),
        "decision_times": _DECISION_TIMES,
        "accuracy_over_time": _OVER_TIME,
        "raster": _RASTER,
    },
    "network": {  # a run of one that learns in every layer
        "accuracy": _ACCURACY,
        "confusion": _CONFUSION,
        "weights": Picture(_weights, "Synaptic weights of each neuron or filter of the first layer, as an image."),
        "layers": Picture(
            lambda source: layers(source.folder),
            "Over the epochs, the share of each hidden layer's neurons that fire before the decision, and shares of "
            "training samples.",
        ),
        "decision_times": _DECISION_TIMES,
        "accuracy_over_time": _OVER_TIME,
        "raster": _RASTER,
    },
    "kfold": {"accuracy": Picture(lambda source: folds(source.folder), "Accuracy of each epoch, over all folds.")},
    "gridsearch": {"grid": Picture(lambda source: grid(source.folder), "Accuracy against each setting that varies.")},
    "ablation": {"grid": Picture(lambda source: grid(source.folder), "Accuracy against each setting that varies.")},
}


def pictures(
    folder: str | os.PathLike[str],
    input: str | os.PathLike[str] | None = None,
    label: str | None = None,
    sample: int | None = None,
) -> "Iterator[tuple[str, Figure | str]]":
    """Draw all that can be drawn of a folder.

    Parameters
    ----------
    folder : path-like
        That ``run``, ``kfold``, ``gridsearch`` or ``ablation`` has filled.
    input : path-like, optional
        Folder of the data that a run was given, for the pictures that need its test set.
    label : str, optional
        Name of the class that ``competition`` shows; the first one by default.
    sample : int, optional
        Number of the test sample that ``raster`` shows; the first one by default.

    Yields
    ------
    name : str
        As in ``PICTURES``.
    figure : matplotlib.figure.Figure or str
        Or why there is none.

    Raises
    ------
    RunError
        If it is no such folder, has no such class, or has no picture of a class or sample that was chosen.
    DataError
        If ``input`` does not hold the data of the run, or these no such sample.
    MissingExtra
        If matplotlib is not installed.
    """
    source = Source(folder_given(folder, "folder"), input, label, 0 if sample is None else sample)
    for option, given, name in (("label", label, "competition"), ("sample", sample, "raster")):
        if given is not None and name not in PICTURES.get(source.kind, {}):
            raise RunError(f"{option}: must be given for {name}, of which {source.folder} has no picture, got {given}")
    for name, picture in PICTURES.get(source.kind, {}).items():
        try:
            drawn = picture.draw(source)
        except NotRecorded as reason:
            yield name, str(reason)
        else:
            yield name, drawn
