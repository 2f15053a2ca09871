"""The bundled digits as a folder of images with the splits of the papers, for experiments that begin with images."""

import os
from pathlib import Path

import numpy as np

from spikenn_cy.data.imagefiles import ImageArrays
from spikenn_cy.data.imagefiles import Split
from spikenn_cy.demo import BRIGHTEST
from spikenn_cy.demo import DIGITS
from spikenn_cy.demo import demo_split
from spikenn_cy.demo import load_digits
from spikenn_cy.dtypes import INDEX
from spikenn_cy.images.prepare import make_splits
from spikenn_cy.images.prepare import record_of
from spikenn_cy.images.prepare import write_folder

NAME = "digits"
LEVEL = 255 // BRIGHTEST  # of a pixel of value 1


def write_bundled_digits(
    output: str | os.PathLike[str], overwrite: bool = False
) -> tuple[ImageArrays, dict[str, Split]]:
    """Write a folder of images as `write_image_sets` does, of the digits, those of the demo's test for the test.

    Raises
    ------
    RunError
        If ``output`` holds anything else, is in use or cannot be written to.
    MissingExtra
        If scikit-learn is not installed.
    """
    images, labels = load_digits()
    train, val, test = demo_split(labels)
    rest = np.sort(np.concatenate([train, val]))
    images, labels = images * np.uint8(LEVEL), labels.astype(INDEX)
    names = tuple(str(digit) for digit in range(10))
    arrays = ImageArrays(NAME, images[rest], labels[rest], images[test], labels[test], names)
    splits = make_splits(arrays, str(DIGITS))
    write_folder(Path(output), arrays, splits, record_of("digits", arrays, [DIGITS], published=False), overwrite)
    return arrays, splits
