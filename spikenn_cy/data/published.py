"""Image data sets by the name a command takes: which files they are, where they are kept and how one knows them.

To add one: write ``name.py`` with a ``find(folder)``, which returns the paths of its files, and a
``read(paths)``, which returns its training and its test part, each as images and labels, then give
it a row here. Nothing else changes.
"""

import hashlib
import string
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from spikenn_cy.data import cifar
from spikenn_cy.data import mnist


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file as its authors hand it out."""

    name: str
    n_bytes: int
    md5: str  # the checksum that the authors state; it tells a damaged file, not a forged one


BEGIN = 16  # images by which a part is known, since fewer of it may be there than were published


class Contents(NamedTuple):
    """SHA-256 of what a part holds once it is unpacked, whatever files it came in; "" if that is not known.

    Of images the bytes, row by row, channels last; of labels int32, the lowest byte first.
    """

    begin: str  # of the first BEGIN images
    images: str
    labels: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A data set as its authors hand it out."""

    title: str
    files: tuple[PublishedFile, ...] = ()  # none: it is read from a folder only
    mirrors: tuple[str, ...] = ()  # addresses that a file's name completes, tried in order
    class_names: tuple[str, ...]
    find: Callable[[Path], list[Path]]
    read: Callable[[Sequence[Path]], tuple[mnist.Part, mnist.Part]]
    contents: tuple[Contents, ...] = ()  # of the training and the test part, where they are known


def digest(array: np.ndarray) -> str:
    """Return what tells the elements of an array from any others, as `Contents` has it."""
    return hashlib.sha256(np.ascontiguousarray(array)).hexdigest()


def published_part(images: np.ndarray) -> tuple[str, int] | None:
    """Return which data set's training (0) or test images (1) these are or begin as; None if that is not known."""
    if len(images) < BEGIN:
        return None
    begin = digest(images[:BEGIN])
    for name, source in SOURCES.items():
        for number, contents in enumerate(source.contents):
            if contents.begin == begin:
                return name, number
    return None


CIFAR_MIRRORS = ("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/")

CIFAR100_NAMES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
"""

# Letters whose small and capital forms look alike are one class of the splits "balanced" and "bymerge".
MERGED = tuple(string.digits + string.ascii_uppercase + "abdefghnqrt")
EMNIST = {
    "balanced": (MERGED, 0),
    "letters": (tuple(string.ascii_lowercase), 1),
    "digits": (tuple(string.digits), 0),
    "mnist": (tuple(string.digits), 0),
    "bymerge": (MERGED, 0),
    "byclass": (tuple(string.digits + string.ascii_uppercase + string.ascii_lowercase), 0),
}


def _emnist(split: str, class_names: tuple[str, ...], first_label: int) -> Source:
    layout = mnist.emnist(split, len(class_names), first_label)
    return Source(
        title=f"EMNIST {split}",
        class_names=class_names,
        find=partial(mnist.find, layout=layout, below=("gzip", "raw", "EMNIST/raw")),
        read=partial(mnist.read, layout=layout),
    )


SOURCES = {
    "mnist": Source(
        title="MNIST",
        files=(
            PublishedFile("train-images-idx3-ubyte.gz", 9_912_422, "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            PublishedFile("train-labels-idx1-ubyte.gz", 28_881, "d53e105ee54ea40749a09fcbcd1e9432"),
            PublishedFile("t10k-images-idx3-ubyte.gz", 1_648_877, "9fb629c4189551a2d022fa330f9573f3"),
            PublishedFile("t10k-labels-idx1-ubyte.gz", 4_542, "ec29112dd5afa0611ce80d1b7f02629c"),
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        class_names=tuple("0123456789"),
        find=partial(mnist.find, below=("raw", "MNIST/raw")),
        read=mnist.read,
        contents=(
            Contents(
                "b72be252ad746f920c972b6b8f0063d5e8973bb401881405783dff81ca106670",
                "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
                "ba2e26c82ab7a46fbcd5ec6de8eee4d541cf3829f5050669177da23b515defeb",
            ),
            Contents(
                "9424743f810dfce42e848da9da58136bb1ab7c0fad7b6d386d9ff257f1e46c2d",
                "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
                "52aa149c856ca033d02e1d2e5cc61033b4c56ed4a56f0edc328206a178c42126",
            ),
        ),
    ),
    "fmnist": Source(
        title="Fashion-MNIST",
        files=(
            PublishedFile("train-images-idx3-ubyte.gz", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            PublishedFile("train-labels-idx1-ubyte.gz", 29_515, "25c81989df183df01b3e8a0aad5dffbe"),
            PublishedFile("t10k-images-idx3-ubyte.gz", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
            PublishedFile("t10k-labels-idx1-ubyte.gz", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        mirrors=("https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",),
        class_names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        find=partial(mnist.find, below=("raw", "FashionMNIST/raw")),
        read=mnist.read,
        contents=(
            Contents(
                "10dd7c4a9ee09d2dc37599077908acbd2d1a309e7f2209cd02ff874bb8bbca42",
                "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012",
                "d69b1d6e0b8064974aa5aecc2786f961b8b2be829ee3a39dd8989efee46cad5a",
            ),
            Contents(
                "c19af3e166819aa4c875c4dceaf0244ee33a9cc43a268bf74250a562496903a0",
                "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a",
                "53fdd09ed9cbcd893df0e3b0af7802f2d62457de11c87273d4b4186f4992a40c",
            ),
        ),
    ),
    "cifar10": Source(
        title="CIFAR-10",
        files=(PublishedFile(cifar.CIFAR10.archive, 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530"),),
        mirrors=CIFAR_MIRRORS,
        class_names=tuple(["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]),
        find=partial(cifar.find, batches=cifar.CIFAR10),
        read=partial(cifar.read, batches=cifar.CIFAR10),
        contents=(
            Contents(
                "8161d793fa126262eb400c0d1f25bacc257e51bb34e42c973f7f5c99fbcde945",
                "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
                "1431253c7e60f5a2b7e2531aeca20b26a5e5951dcc4977b9c457ebfc43aedb75",
            ),
            Contents(
                "9ba28c0857ab703c5a211ab6a9c3418c65bfae0cb717fcbd1e78e8cfd343ad8b",
                "",
                "",
            ),
        ),
    ),
    "cifar100": Source(
        title="CIFAR-100",
        files=(PublishedFile(cifar.CIFAR100.archive, 168_513_733, "03b5dce01913d631647c71ecec9e9cb8"),),
        mirrors=CIFAR_MIRRORS,
        class_names=tuple(CIFAR100_NAMES.split()),
        find=partial(cifar.find, batches=cifar.CIFAR100),
        read=partial(cifar.read, batches=cifar.CIFAR100),
    ),
    "kmnist": Source(
        title="Kuzushiji-MNIST",
        class_names=("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        find=partial(mnist.find, below=("raw", "KMNIST/raw")),
        read=mnist.read,
    ),
    "qmnist": Source(
        title="QMNIST",
        class_names=tuple("0123456789"),
        find=partial(mnist.find, layout=mnist.QMNIST, below=("raw", "QMNIST/raw")),
        read=partial(mnist.read, layout=mnist.QMNIST),
    ),
    **{f"emnist-{split}": _emnist(split, *names) for split, names in EMNIST.items()},
}
