"""The command that classifies raw images with a saved extractor and a saved network."""

import argparse
import json
from typing import Any

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.data.labels import plain_names
from spikenn_cy.errors import RunError
from spikenn_cy.images.predict import predict
from spikenn_cy.images.predict import read_inputs

SUMMARY = "Classify images with a saved extractor and a saved network."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument(
        "images",
        metavar="IMAGES",
        help="IDX file, gzipped or not, .npy file of uint8, or folder of images, of which those for the test",
    )
    parser.add_argument("--extractor", metavar="E.npz", required=True, help="model.npz of an extraction")
    parser.add_argument("--readout", metavar="M.npz", required=True, help="model.npz of a run")
    parser.add_argument("--labels", metavar="FILE", help="IDX or .npy file with the right labels, for the accuracy")
    parser.add_argument("--json", action="store_true", help="print JSON in place of one class a line")
    parser.add_argument(
        "--n_threads", type=counting_number, default=1, metavar="N", help="threads over images (default: %(default)s)"
    )


def main(arguments: argparse.Namespace) -> int:
    """Classify, then print one class a line, and the accuracy if labels are known."""
    for name in ("images", "extractor", "readout", "labels"):
        if getattr(arguments, name) == "":
            raise RunError(f"{name}: must be a path, got an empty one")
    inputs = read_inputs(arguments.images, arguments.labels)
    found = predict(inputs, arguments.extractor, arguments.readout, arguments.n_threads, verbose=True)
    if arguments.json:
        answer: dict[str, Any] = {"classes": plain_names(found.classes)}
        if found.accuracy is not None:
            answer["accuracy"] = found.accuracy
        print(json.dumps(answer))
        return 0
    print("\n".join(map(str, plain_names(found.classes))))
    if found.accuracy is not None:
        print(f"accuracy {100 * found.accuracy:.2f} %")
    return 0
