"""The command that classifies images, rows of a table or spikes with saved models."""

import argparse
import json
import math

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.cli.arguments import size_of_pictures
from spikenn_cy.errors import RunError
from spikenn_cy.images.predict import Prediction
from spikenn_cy.images.predict import Question
from spikenn_cy.images.predict import predict

SUMMARY = "Classify images, rows of a table or spikes with saved models."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "data",
        metavar="DATA",
        help="with --extractor: an IDX or .npy file, a picture, or a folder of images or pictures; with --encoder: a "
        "CSV, TSV or .npy file; otherwise a data set of spikes, or a folder with a testset",
    )
    parser.add_argument("--readout", metavar="RUN", required=True, help="folder of a run, or its model.npz")
    parser.add_argument("--extractor", metavar="E", help="of images: folder of an extraction, or its model.npz")
    parser.add_argument("--encoder", metavar="E", help="of a table: folder that encode wrote, or its encoder.npz")
    parser.add_argument(
        "--size", type=size_of_pictures, metavar="HxW", help="rows and columns that pictures are scaled to"
    )
    parser.add_argument("--labels", metavar="FILE", help="IDX or .npy file with the labels of images, for the accuracy")
    parser.add_argument("--json", action="store_true", help="print JSON in place of one sample a line")
    parser.add_argument(
        "--n_threads", type=counting_number, default=1, metavar="N", help="threads over samples (default: %(default)s)"
    )


def main(arguments: argparse.Namespace) -> int:
    """Classify, then print sample, class and decision time, and the accuracy if labels are known."""
    names = ("data", "readout", "extractor", "encoder", "labels")
    for name in names:
        if getattr(arguments, name) == "":
            raise RunError(f"{name}: must be a path, got an empty one")
    paths = {name: getattr(arguments, name) for name in names}
    found = predict(Question(**paths, size=arguments.size, n_threads=arguments.n_threads, verbose=True))
    print(as_json(found) if arguments.json else as_text(found))
    return 0


def as_json(found: Prediction) -> str:
    """Return a prediction as JSON; a decision time is null where no output neuron fired."""
    answer = {
        "samples": list(found.samples),
        "classes": found.classes.tolist(),
        "decision_times": [None if math.isnan(time) else time for time in found.times.tolist()],
    }
    if found.class_names is not None:
        answer["class_names"] = list(found.class_names)
    if found.accuracy is not None:
        answer["accuracy"] = found.accuracy
    return json.dumps(answer)


def as_text(found: Prediction) -> str:
    """Return a prediction as lines of three columns with tabs between them; without an output spike the time is -."""
    classes = found.classes.tolist() if found.class_names is None else found.class_names
    lines = ["sample\tclass\tdecision_time"]
    for sample, name, time in zip(found.samples, classes, found.times.tolist(), strict=True):
        lines.append(f"{sample}\t{name}\t{'-' if math.isnan(time) else format(time, '.4g')}")
    if found.accuracy is not None:
        lines.append(f"accuracy {100 * found.accuracy:.2f} %")
    return "\n".join(lines)
