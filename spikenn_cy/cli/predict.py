"""The command that classifies images, rows of a table or spikes with saved models."""

import argparse
import json
import math

from spikenn_cy.bundled.networks import BUNDLES
from spikenn_cy.bundled.networks import read_card
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.cli.arguments import size_of_pictures
from spikenn_cy.cli.saying import say
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.images.predict import Prediction
from spikenn_cy.images.predict import Question
from spikenn_cy.images.predict import predict

DEFAULT = "mnist"
NOTES = 5  # on pictures, of which there may be thousands

SUMMARY = "Classify images, rows of a table or spikes with saved models."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "data",
        metavar="DATA",
        help="with --extractor or --pretrained: an IDX or .npy file, a picture, or a folder of images or pictures; "
        "with --encoder: a CSV, TSV or .npy file; otherwise a data set of spikes, or a folder with a testset",
    )
    parser.add_argument("--readout", metavar="RUN", help="folder of a run, or its model.npz, or what quantize wrote")
    parser.add_argument(
        "--pretrained",
        choices=list(BUNDLES),
        help=f"network that comes with the package: {_bundles()} (default, without --readout: {DEFAULT})",
    )
    parser.add_argument("--extractor", metavar="E", help="of images: folder of an extraction, or its model.npz")
    parser.add_argument("--encoder", metavar="E", help="of a table: folder that encode wrote, or its encoder.npz")
    parser.add_argument(
        "--size", type=size_of_pictures, metavar="HxW", help="rows and columns that pictures are scaled to"
    )
    parser.add_argument("--labels", metavar="FILE", help="IDX or .npy file with the labels of images, for the accuracy")
    parser.add_argument(
        "--cost",
        action="store_true",
        help="count spikes and additions until each decision (of a network that comes with the package, always)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of one sample a line")
    parser.add_argument(
        "--n_threads", type=counting_number, default=1, metavar="N", help="threads over samples (default: %(default)s)"
    )


def main(arguments: argparse.Namespace) -> int:
    """Classify, then print sample, class and decision time, what it took, and the accuracy if labels are known."""
    names = ("data", "readout", "extractor", "encoder", "labels")
    for name in names:
        if getattr(arguments, name) == "":
            raise RunError(f"{name}: must be a path, got an empty one")
    own = [name for name in ("readout", "extractor", "encoder") if getattr(arguments, name) is not None]
    shipped = arguments.pretrained if own or arguments.pretrained else DEFAULT
    question = Question(
        **{name: getattr(arguments, name) for name in names},
        size=arguments.size,
        pretrained=shipped,
        cost=arguments.cost or shipped is not None,
        n_threads=arguments.n_threads,
        verbose=True,
    )
    try:
        found = predict(question)
    except DataError as error:
        if own or arguments.pretrained or not str(error).startswith(f"{arguments.data}: "):
            raise
        raise DataError(f"{error} (without --readout, images are asked for, for --pretrained {DEFAULT})") from None
    if shipped is not None:
        card = read_card(shipped)
        say(f"note: by the network for {card.title} that comes with the package, --pretrained {card.name}")
    for note in found.notes[:NOTES]:
        say(f"note: {note}")
    if len(found.notes) > NOTES:
        say(f"note: and {len(found.notes) - NOTES:,} other pictures likewise")
    print(as_json(found) if arguments.json else as_text(found))
    return 0


def _bundles() -> str:
    return ", ".join(f"{name} ({bundle.title})" for name, bundle in BUNDLES.items())


def as_json(found: Prediction) -> str:
    """Return a prediction as JSON; a decision time is null where no output neuron fired."""
    answer = {
        "samples": list(found.samples),
        "classes": found.classes.tolist(),
        "decision_times": [None if math.isnan(time) else time for time in found.times.tolist()],
    }
    if found.class_names is not None:
        answer["class_names"] = list(found.class_names)
    if found.n_spikes is not None and found.n_additions is not None:
        answer |= {"spikes": found.n_spikes.tolist(), "additions": found.n_additions.tolist()}
    if found.accuracy is not None:
        answer["accuracy"] = found.accuracy
    return json.dumps(answer)


def as_text(found: Prediction) -> str:
    """Return a prediction as lines of columns with tabs between them; without an output spike the time is -."""
    classes = found.classes.tolist() if found.class_names is None else found.class_names
    times = ["-" if math.isnan(time) else format(time, ".4g") for time in found.times.tolist()]
    columns = {"sample": found.samples, "class": classes, "decision_time": times}
    if found.n_spikes is not None and found.n_additions is not None:
        columns |= {"spikes": found.n_spikes.tolist(), "additions": found.n_additions.tolist()}
    lines = ["\t".join(columns)]
    lines += ["\t".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    if found.accuracy is not None:
        lines.append(f"accuracy {100 * found.accuracy:.2f} %")
    return "\n".join(lines)
