"""The command that makes a folder of images and their splits out of the files of a published data set."""

import argparse

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.data.published import SOURCES
from spikenn_cy.images.download import CACHE
from spikenn_cy.images.prepare import write_image_sets

*_FIRST, _LAST = (source.title for source in SOURCES.values())
SUMMARY = f"Fetch {', '.join(_FIRST)} or {_LAST} and split it for gridsearch (OUT/gs) and kfold (OUT/kfold)."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("name", metavar="NAME", choices=list(SOURCES), help=f"one of {', '.join(SOURCES)}")
    parser.add_argument("output", metavar="OUT", help="a new folder, or one that holds this very data set already")
    places = parser.add_mutually_exclusive_group()
    places.add_argument(
        "--from",
        dest="folder",
        metavar="DIR",
        help="take the published files from here, gzipped or not, in place of the network",
    )
    places.add_argument(
        "--cache",
        metavar="DIR",
        help=f"keep fetched files here (default: ${CACHE}, or the system's folder for a cache)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace another data set in OUT")


def main(arguments: argparse.Namespace) -> int:
    """Write, then say how many images are where."""
    arrays, splits = write_image_sets(
        arguments.name, arguments.output, arguments.folder, arguments.cache, arguments.overwrite
    )
    n_train, n_test = len(arrays.train_labels), len(arrays.test_labels)
    size = " x ".join(map(str, arrays.train_images.shape[1:]))
    title, n_classes = SOURCES[arguments.name].title, len(arrays.class_names)
    print(f"{arguments.output}: {title}, {n_train:,} + {n_test:,} images, {size}, {n_classes} classes")
    for place, split in splits.items():
        parts = (len(split.train), len(split.val), split.n_test)
        print(f"{arguments.output}/{place}: {' + '.join(f'{n_images:,}' for n_images in parts if n_images)} images")
    return 0
