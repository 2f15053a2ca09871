"""Image data sets by the name a command takes: which files they are, where they are kept and how one knows them.

To add one: write ``name.py`` with a ``find(folder)``, which returns the paths of its files, and a
``read(paths)``, which returns its training and its test part, each as images and labels, then give
it a row here. Nothing else changes.
"""

from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spikenn_cy.data import cifar
from spikenn_cy.data import mnist


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """A file as its authors hand it out."""

    name: str
    n_bytes: int
    md5: str  # the checksum that the authors state; it tells a damaged file, not a forged one


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A data set as its authors hand it out."""

    title: str
    files: tuple[PublishedFile, ...]
    mirrors: tuple[str, ...]  # addresses that a file's name completes, tried in order
    class_names: tuple[str, ...]
    find: Callable[[Path], list[Path]]
    read: Callable[[Sequence[Path]], tuple[mnist.Part, mnist.Part]]


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
        find=mnist.find,
        read=mnist.read,
    ),
    "fmnist": Source(
        title="Fashion-MNIST",
        files=(
            PublishedFile("train-images-idx3-ubyte.gz", 26_421_880, "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            PublishedFile("train-labels-idx1-ubyte.gz", 29_515, "25c81989df183df01b3e8a0aad5dffbe"),
            PublishedFile("t10k-images-idx3-ubyte.gz", 4_422_102, "bef4ecab320f06d8554ea6380940ec79"),
            PublishedFile("t10k-labels-idx1-ubyte.gz", 5_148, "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        ),
        class_names=(
            *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
            *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        ),
        find=mnist.find,
        read=mnist.read,
    ),
    "cifar10": Source(
        title="CIFAR-10",
        files=(PublishedFile(cifar.CIFAR10.archive, 170_052_171, "c32a1d4ab5d03f1284b67883e8d87530"),),
        mirrors=CIFAR_MIRRORS,
        class_names=tuple(["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]),
        find=partial(cifar.find, batches=cifar.CIFAR10),
        read=partial(cifar.read, batches=cifar.CIFAR10),
    ),
    "cifar100": Source(
        title="CIFAR-100",
        files=(PublishedFile(cifar.CIFAR100.archive, 168_513_733, "03b5dce01913d631647c71ecec9e9cb8"),),
        mirrors=CIFAR_MIRRORS,
        class_names=tuple(CIFAR100_NAMES.split()),
        find=partial(cifar.find, batches=cifar.CIFAR100),
        read=partial(cifar.read, batches=cifar.CIFAR100),
    ),
}
