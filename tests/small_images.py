"""Published data sets in small: the files that MNIST and CIFAR are handed out in, with a few images in them."""

import gzip
import io
import re
import tarfile

import numpy as np
from test_idx import idx_bytes

from spikenn_cy.data import cifar
from spikenn_cy.data import mnist

PARTS = {"train": 120, "t10k": 30}


def digits(n_images, seed=0):
    """Images of 28 x 28 and labels 0 to 9 in turn, mixed."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (n_images, 28, 28), dtype=np.uint8)
    return images, generator.permutation(np.arange(n_images) % 10).astype(np.uint8)


def write_mnist(folder, compress=gzip.compress, suffix=".gz", separator="-"):
    """Write the four IDX files; return training and test images and labels."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {part: digits(n_images, n_images) for part, n_images in PARTS.items()}
    for part, (images, labels) in parts.items():
        for kind, array in ((f"images{separator}idx3", images), (f"labels{separator}idx1", labels)):
            (folder / f"{part}-{kind}-ubyte{suffix}").write_bytes(compress(idx_bytes(array)))
    return tuple(parts.values())


def write_relative(folder, source):
    """Write the four IDX files of EMNIST or QMNIST in small; return training and test images and labels."""
    folder.mkdir(parents=True, exist_ok=True)
    layout = source.find.keywords.get("layout", mnist.MNIST)
    parts = []
    for seed, (images_name, labels_name) in enumerate((layout.files[:2], layout.files[2:])):
        images, labels = digits(12 * layout.n_classes, seed)
        labels = np.random.default_rng(seed).permutation(np.arange(len(images)) % layout.n_classes).astype(np.uint8)
        stored = images.transpose(0, 2, 1) if layout.transposed else images
        numbers = labels + layout.first_label
        if labels_name.endswith("int"):
            numbers = np.stack([numbers] + [numbers * 0 + 7] * 7, axis=1).astype(np.int32)
        (folder / f"{images_name}.gz").write_bytes(gzip.compress(idx_bytes(np.ascontiguousarray(stored))))
        (folder / labels_name).write_bytes(idx_bytes(numbers.astype(numbers.dtype.newbyteorder(">"))))
        parts.append((images, labels))
    return tuple(parts)


def cifar_pickle(content, batches):
    """Return a batch file of the python version, as Python 2 pickled it, from the bytes of the binary one."""
    rows = np.frombuffer(content, np.uint8).reshape(-1, len(batches.n_classes) + cifar.PIXELS)
    labels, pixels = rows[:, len(batches.n_classes) - 1], rows[:, len(batches.n_classes) :].tobytes()

    def text(word):
        return b"U" + bytes([len(word)]) + word

    dtype = (
        b"cnumpy\ndtype\n"
        + text(b"u1")
        + b"K\0K\1\x87R(K\3"
        + text(b"|")
        + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
    )
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85" + text(b"b") + b"\x87R(K\1"
    array += b"M" + len(rows).to_bytes(2, "little") + b"M" + cifar.PIXELS.to_bytes(2, "little") + b"\x86" + dtype
    array += b"\x89T" + len(pixels).to_bytes(4, "little") + pixels + b"tb"
    numbers = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    key = batches.pickled.labels.encode()
    label = text(b"batch_label") + text(b"training batch 1 of 5")
    return b"\x80\2}(" + label + text(key) + numbers + text(b"data") + array + b"u."


def cifar_batch(batches, n_images, seed):
    """Images (n, 32, 32, 3), their labels, and the bytes of a batch file of them."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (n_images, 32, 32, 3), dtype=np.uint8)
    labels = generator.permutation(np.arange(n_images) % batches.n_classes[-1]).astype(np.uint8)
    numbers = np.stack([labels % count for count in batches.n_classes], axis=1)
    channels = images.transpose(0, 3, 1, 2).reshape(n_images, -1)
    return images, labels, np.hstack([numbers, channels]).astype(np.uint8).tobytes()


def cifar_files(batches):
    """Training part, test part, and the bytes of each file by its name."""
    n_images = 20 * (1 if len(batches.train) > 1 else 50)  # 10 of each class at least
    made = {name: cifar_batch(batches, n_images, seed) for seed, name in enumerate(batches.names)}
    train = [made[name] for name in batches.train]
    images, labels = (np.concatenate([part[axis] for part in train]) for axis in (0, 1))
    return (images, labels), made[batches.test][:2], {name: content for name, (*_, content) in made.items()}


def tar_gz(members, prefix="cifar/"):
    """Return an archive of members, each bytes or a TarInfo, by name."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as archive:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(prefix + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


BATCHES = {"cifar10": cifar.CIFAR10, "cifar100": cifar.CIFAR100}


def fetched(line):
    """Return a command line with the folder ``downloads`` in place of the network, if that is asked."""
    return re.sub(r"( dataset \w+ \S+)$", r"\1 --from downloads", line)
