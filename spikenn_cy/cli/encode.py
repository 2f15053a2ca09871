"""The command that makes a table of own data into spikes, and keeps the encoder."""

import argparse
from pathlib import Path

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.cli.arguments import whole_number
from spikenn_cy.data.tables import SCALINGS
from spikenn_cy.storage.kinds import ENCODER
from spikenn_cy.storage.kinds import SPIKES

SUMMARY = "Make a table, CSV, TSV or .npy, into spikes to train, validate and test on, and keep the encoder."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("table", metavar="TABLE", help="CSV or TSV file, gzipped or not, or .npy file, a row a sample")
    parser.add_argument("output", metavar="OUT", help="folder for the spikes and the encoder, made if it is missing")
    parser.add_argument(
        "--label",
        metavar="COLUMN",
        required=True,
        help="name or position, from 0, of the column with the classes; or a .npy file of them",
    )
    parser.add_argument(
        "--scaling",
        choices=SCALINGS,
        default="range",
        help="range: from the smallest to the largest number of a column in the training part; sample: from 0 to the "
        "largest of a row; none: numbers are from 0 to 1 already (default: %(default)s)",
    )
    parser.add_argument(
        "--n_fields",
        type=counting_number,
        default=1,
        metavar="N",
        help="inputs for each column of numbers, each with a number that it prefers (default: %(default)s)",
    )
    parser.add_argument(
        "--split",
        type=shares,
        default=shares("80/10/10"),
        metavar="A/B/C",
        help="percentages of training, validation and test part (default: 80/10/10)",
    )
    parser.add_argument("--seed", type=whole_number, default=0, help="of the division (default: %(default)s)")
    parser.add_argument(
        "--leave_out", nargs="+", default=[], metavar="COLUMN", help="columns that are not to be learned from"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace another encoded table in OUT")


def main(arguments: argparse.Namespace) -> int:
    """Encode, then say what is where."""
    from spikenn_cy.estimator.encode import Encoding  # here, since it needs scikit-learn, and other commands do not
    from spikenn_cy.estimator.encode import encode

    job = Encoding(
        table=Path(arguments.table),
        output=Path(arguments.output),
        label=arguments.label,
        scaling=arguments.scaling,
        n_fields=arguments.n_fields,
        shares=arguments.split,
        seed=arguments.seed,
        leave_out=tuple(arguments.leave_out),
    )
    encoded = encode(job, arguments.overwrite)
    for remark in encoded.remarks:
        print(f"{arguments.table}: {remark}")
    train = encoded.parts["train"]
    print(f"{arguments.table}: classes {', '.join(map(str, train.classes[:20]))}{', …' * (train.n_classes > 20)}")
    for part, dataset in encoded.parts.items():
        n_spikes = len(dataset.indices) / len(dataset)
        print(
            f"{job.output / SPIKES[part]}: {len(dataset):,} samples, {dataset.n_inputs:,} inputs, "
            f"{dataset.n_classes:,} classes, {n_spikes:,.1f} spikes a sample"
        )
    print(f"{job.output / ENCODER}: encodes other rows alike (predict --encoder {job.output})")
    if job.n_fields == 1:
        print("a column of numbers has one input; --n_fields 4 lets a network answer to values in the middle too")
    return 0


def shares(text: str) -> tuple[float, float, float]:
    """Return an argument that divides a whole into three parts."""
    try:
        found = [float(part) for part in text.split("/")]
    except ValueError:
        found = []
    total = sum(found)
    if len(found) != 3 or not all(part >= 0 for part in found) or found[0] == 0 or total not in (1, 100):
        rule = "must be three percentages that add up to 100, the first one > 0, such as 80/10/10"
        raise argparse.ArgumentTypeError(f"{rule}, got {text!r}")
    train, val, test = (part / total for part in found)
    return train, val, test
