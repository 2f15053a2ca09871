"""The command that makes a folder of images and their splits, of a published data set or of a user's own pictures."""

import argparse

from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import size_of_pictures
from spikenn_cy.data.imagefiles import OWN
from spikenn_cy.data.published import SOURCES
from spikenn_cy.images.download import CACHE
from spikenn_cy.images.folders import write_own_images
from spikenn_cy.images.prepare import write_image_sets

SUMMARY = "Fetch or read a published set of images, or your own pictures, and split them for gridsearch and kfold."


def add_arguments(parser: Parser) -> None:
    """Declare the arguments of the command."""
    names = (*SOURCES, OWN)
    kinds = parser.add_subparsers(dest="name", metavar="NAME", required=True, help=f"one of {', '.join(names)}")
    for name in SOURCES:
        _add_published(kinds.add_parser(name, description=f"Split {SOURCES[name].title}."))
    text = "pictures of your own, a folder for each class"
    own = kinds.add_parser(OWN, help=text, description=f"Split {text}.")
    own.add_argument("folder", metavar="DIR", help="folder with a folder of pictures for each class")
    _add_output(own)
    own.add_argument(
        "--size",
        type=size_of_pictures,
        metavar="HxW",
        help="rows and columns that pictures are scaled to (default: all must be of one size)",
    )


def _add_published(parser: Parser) -> None:
    _add_output(parser)
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


def _add_output(parser: Parser) -> None:
    parser.add_argument("output", metavar="OUT", help="a new folder, or one that holds this very data set already")
    parser.add_argument("--overwrite", action="store_true", help="replace another data set in OUT")


def main(arguments: argparse.Namespace) -> int:
    """Write, then say how many images are where."""
    if arguments.name == OWN:
        title = "pictures"
        arrays, splits = write_own_images(arguments.folder, arguments.output, arguments.size, arguments.overwrite)
    else:
        title = SOURCES[arguments.name].title
        arrays, splits = write_image_sets(
            arguments.name, arguments.output, arguments.folder, arguments.cache, arguments.overwrite
        )
    n_train, n_test = len(arrays.train_labels), len(arrays.test_labels)
    shape = " x ".join(map(str, arrays.train_images.shape[1:]))
    n_classes = len(arrays.class_names)
    print(f"{arguments.output}: {title}, {n_train:,} + {n_test:,} images, {shape}, {n_classes} classes")
    for place, split in splits.items():
        parts = (len(split.train), len(split.val), split.n_test)
        print(f"{arguments.output}/{place}: {' + '.join(f'{n_images:,}' for n_images in parts if n_images)} images")
    if not splits:
        print("no splits for gridsearch and kfold, which take two training images of each class")
    return 0
