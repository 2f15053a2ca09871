"""Small valid files of every kind that the package reads, and what a stranger does with each: read it, and use it."""

import atexit
import contextlib
import gzip
import io
import json
import pickle
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from small_images import cifar_batch
from small_images import cifar_pickle
from small_images import digits
from small_networks import images as bars
from small_networks import network_settings
from small_runs import N_INPUTS
from small_runs import dense
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings
from test_idx import idx_bytes

from spikenn_cy import ExperimentConfig
from spikenn_cy import IntegerReadout
from spikenn_cy import Readout
from spikenn_cy import RunError
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.data import cifar
from spikenn_cy.data.convert import read_labels
from spikenn_cy.data.images import read_idx
from spikenn_cy.data.imagesets import read_image_sets
from spikenn_cy.data.tables import read_pairs
from spikenn_cy.experiments.store import read_epochs
from spikenn_cy.experiments.store import read_result
from spikenn_cy.export import export
from spikenn_cy.features import STDPCSNN
from spikenn_cy.features import Pixels
from spikenn_cy.features import load_extractor
from spikenn_cy.features.pixels import PixelsConfig
from spikenn_cy.features.stdp_csnn.settings import STDPCSNNConfig
from spikenn_cy.images.inputs import read_inputs

from . import mutators as m

LARGEST = 1 << 20  # numbers: of what is larger, no dense array is asked for here
FIGURES = 10**6  # characters that a command may print


@dataclass(frozen=True)
class FileKind:
    """A kind of file.

    Attributes
    ----------
    suffix : str
        Of its name.
    make : function () -> list of bytes
        Valid files.
    use : function (path) -> None
        Reads a file and looks whether what came is sound: AssertionError if not, SpikennError if it is refused.
    mutators : tuple of functions
    may_need_memory : bool
        Whether the file may ask for as much as it likes, as settings may; all others hold what they ask for.
    """

    suffix: str
    make: Callable[[], list[bytes]]
    use: Callable[[Path], None]
    mutators: tuple
    may_need_memory: bool = False


def written(write, suffix=".npz"):
    """Return the bytes that a function writes to a path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"file{suffix}")
        write(path)
        return path.read_bytes()


def quiet(*words):
    """Do a command line; if it is refused, raise the line with which it is."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(list(map(str, words)))
    assert len(out.getvalue()) < FIGURES
    assert "\x1b" not in out.getvalue() + err.getvalue(), "a terminal would obey"
    lines = [line for line in err.getvalue().splitlines() if line.startswith("error: ")]
    if status == 2:
        assert len(lines) == 1, err.getvalue()
        raise RunError(lines[0])
    assert (status, lines) == (0, []), err.getvalue()


# Data sets of spikes


@cache
def data():
    return SpikingDataset.from_numpy(*dense(30, 0))


@cache
def pictures():
    return SpikingDataset.from_numpy(*bars(30, 0))


def sound(dataset):
    """Look whether a data set is one: by the public door, by its samples, and by a file."""
    parts = dataset.indptr, dataset.indices, dataset.timestamps
    again = SpikingDataset(
        *(np.array(part) for part in parts),
        None if dataset.labels is None else np.array(dataset.labels),
        dataset.n_inputs,
        dataset.max_time,
        None if dataset.labels is None else dataset.classes,
        dataset.input_shape,
    )
    for name in ("indptr", "indices", "timestamps"):
        assert np.array_equal(getattr(again, name), getattr(dataset, name)), f"{name}: not in order"
    assert 0 < dataset.max_time < np.inf
    repr(dataset), dataset.summary(), list(dataset)
    if len(dataset) * dataset.n_inputs < LARGEST:
        dataset.to_dense()
        if len(dataset):
            network_for(dataset.n_inputs, dataset.max_time).decide(dataset)
    saved = SpikingDataset.from_file(_beside("again.npz", dataset.save))
    assert np.array_equal(saved.timestamps, dataset.timestamps)
    assert np.array_equal(saved.classes, dataset.classes)


def network_for(n_inputs, max_time):
    return Readout.from_config(settings(), n_inputs, 3, max_time)


SCRATCH = Path(tempfile.mkdtemp(prefix="spikenn-fuzz-"))
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)


def _beside(name, write):
    path = Path(SCRATCH, name)
    write(path)
    return path


def spikes():
    times, labels = dense(8, 0)
    names = np.array(["cat", "dog", "é"])[labels]
    sets = [SpikingDataset.from_numpy(times, y) for y in (labels, names, None)]
    sets.append(SpikingDataset.from_numpy(times.reshape(8, 3, 4), labels, 0.7))
    return [written(found.save) for found in sets]


def deflated_spikes():
    return [m.zipped(m.members_of(content), 8) for content in spikes()]


def use_spikes(path):
    sound(SpikingDataset.from_file(path))


def legacy():
    records = [
        np.rec.fromarrays([np.array(i, np.int16), np.array(t, np.float32)], names="indices,timestamps")
        for i, t in (([3, 1, 2], [0.25, 0.5, 0.5]), ([0], [0.0]))
    ]
    content = {"data": records, "labels": np.array([1, 0], np.int16), "shape": (2, 5)}
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
    pickles = [pickle.dumps(np.array(content, dtype=object), protocol) for protocol in (2, 4)]
    return [file.getvalue() + program for program in pickles]


EVENT = np.dtype([("x", "<i2"), ("y", "<i2"), ("t", "<i8"), ("p", "|b1")])


def events():
    """Four arrays of events in one file: the package takes arrays, whatever read them."""
    rng = np.random.default_rng(0)
    made = []
    for t in (np.int64, np.float64, np.uint64):
        arrays = {
            "x": rng.integers(0, 6, 20).astype(np.int16),
            "y": rng.integers(0, 4, 20).astype(np.uint8),
            "polarity": rng.integers(0, 2, 20).astype(np.int8),
            "t": np.sort(rng.integers(0, 1000, 20)).astype(t),
            "offsets": np.array([0, 10, 20]),
            "labels": np.array([0, 1]),
            "start": np.array([0, 0]),
        }
        file = io.BytesIO()
        np.savez(file, **arrays)
        made.append(file.getvalue())
    return made


def use_events(path):
    try:
        with open(path, "rb") as opened, np.load(opened) as file:
            arrays = {name: file[name] for name in file.files}
        assert set(arrays) == {"x", "y", "polarity", "t", "offsets", "labels", "start"}
    except Exception as problem:  # NumPy's, or this file's
        raise RunError("no case") from problem
    sound(SpikingDataset.from_events(**arrays, sensor_size=(6, 4), duration=300))


def use_tonic(path):
    try:
        with open(path, "rb") as opened:
            recording = np.load(opened)
    except Exception as problem:
        raise RunError("no case") from problem
    sound(SpikingDataset.from_tonic([(recording, 0), (recording, 1)], sensor_size=(6, 4, 2), duration=300))


def tonic():
    rng = np.random.default_rng(0)
    recording = np.zeros(20, EVENT)
    recording["x"], recording["y"] = rng.integers(0, 6, 20), rng.integers(0, 4, 20)
    recording["t"], recording["p"] = np.sort(rng.integers(0, 900, 20)), rng.integers(0, 2, 20)
    return [written(lambda path: np.save(path, recording), ".npy")]


# Images, tables


def idx():
    images, labels = digits(3)
    return [idx_bytes(images), idx_bytes(labels), idx_bytes(np.arange(6, dtype=np.float32).reshape(2, 3))]


def use_idx(path):
    array = read_idx(path)
    assert array.dtype.isnative
    array.sum()


def images_npy():
    images = digits(4)[0]
    return [written(lambda path, a=a: np.save(path, a), ".npy") for a in (images, images[..., None] / 255.0)]


def use_images(path):
    images = read_inputs(path).images
    assert images.dtype == np.uint8
    assert images.ndim in (3, 4)
    images.sum()


def portable_pixels():
    image = digits(1)[0][0]
    return [b"P5\n28 28\n255\n" + image.tobytes(), b"P6 7 28 255\n" + np.stack([image[:, :7]] * 3, -1).tobytes()]


def pixel_table():
    images, labels = digits(3)
    rows = [f"{y},{','.join(map(str, x.ravel()))}" for x, y in zip(images[:, :4, :4], labels, strict=True)]
    head = "label," + ",".join(f"pixel{number}" for number in range(16))
    return ["\n".join([head, *rows, ""]).encode()]


def labels_npy():
    arrays = (np.array([0, 1, 2, 1]), np.array(["cat", "dog", "é"]), np.array([0.0, 2.0]))
    objects = np.array(["cat", "dog"], dtype=object)
    return [written(lambda path, a=a: np.save(path, a, allow_pickle=True), ".npy") for a in (*arrays, objects)]


def use_labels(path):
    labels = read_labels(path)
    if labels.dtype == object:
        assert {type(label) for label in labels.ravel()} <= {str, bytes, int}


def batch_bin():
    return [cifar_batch(cifar.CIFAR10, 2, 0)[2]]


def batch_pickle():
    return [cifar_pickle(cifar_batch(cifar.CIFAR10, 2, 0)[2], cifar.CIFAR10)]


def use_batch(path, batches=cifar.CIFAR10):
    images, labels = cifar.read_batch(path, batches)
    assert images.dtype == np.uint8
    assert len(images) == len(labels)
    assert labels.max(initial=0) < batches.n_classes[-1]


def use_pickled_batch(path):
    use_batch(path, cifar.CIFAR10.pickled)


def table():
    rows = [f"{n % 7},{n / 4},{'xyz'[n % 3]},{'ab'[n % 2]}" for n in range(30)]
    return ["\n".join(["length,width,kind,sort", *rows, ""]).encode()]


def use_table(path):
    out = Path(SCRATCH, "encoded")
    shutil.rmtree(out, ignore_errors=True)
    quiet("encode", path, out, "--label", "kind", "--n_fields", "2")
    for name in ("trainset", "testset"):
        sound(SpikingDataset.from_file(out / f"{name}.npz"))


def pairs():
    return [b"name,label\na.png,cat\nb.png,dog\n"]


# Networks and extractors


@cache
def models():
    made = []
    for change in ({}, {"optimizer": {"method": "s2stdp"}, "network": {"n_neurons": 3}}):
        model = Readout.from_config(settings(trainer={"epochs": 1}, **change), N_INPUTS, 3)
        model.fit(data())
        made.append(model)
    for kind in ("dense", "conv"):
        model = Readout.from_config(network_settings(kind), 36, 3, 1.0, input_shape=(6, 6))
        model.fit(pictures(), epochs=1)
        made.append(model)
    return made


def sound_model(model, path, load):
    """Let a network decide, and look whether it comes back from a file."""
    assert model.n_classes < LARGEST
    dataset = next((d for d in (data(), pictures()) if d.n_inputs == model.n_inputs), None)
    repr(model)
    if dataset is not None:
        decided = model.decide(dataset)
        assert decided.min() >= -1
        assert decided.max() < model.n_classes
        again = load(_beside("again.npz", model.save))
        assert np.array_equal(again.decide(dataset), decided)


def use_model(path):
    model = Readout.load(path)
    for layer in model.layers:
        assert np.isfinite(layer.weights).all()
        assert np.isfinite(layer.thresholds).all()
    sound_model(model, path, Readout.load)
    if model.n_inputs in (N_INPUTS, 36):
        export(model, _beside("export.npz", lambda path: None))
        model.partial_fit((data() if model.n_inputs == N_INPUTS else pictures())[:3])


@cache
def checkpoints():
    made = []
    for config, dataset, options in TRAININGS:
        with tempfile.TemporaryDirectory() as folder:
            path, model = Path(folder, "checkpoint.npz"), Readout.from_config(config, **options)

            def interrupted(report):
                if report.epoch == 1:
                    raise KeyboardInterrupt

            with contextlib.suppress(KeyboardInterrupt):
                model.fit(dataset(), dataset(), checkpoint=path, on_epoch=interrupted)
            made.append(path.read_bytes())
    return made


TRAININGS = (
    (settings(trainer={"epochs": 2}), data, {"n_inputs": N_INPUTS, "n_classes": 3}),
    (
        network_settings("dense", trainer={"epochs": 2}),
        pictures,
        {"n_inputs": 36, "n_classes": 3, "max_time": 1.0, "input_shape": (6, 6)},
    ),
)


def use_checkpoint(path):
    """Go on with each training; one of the two it does not belong to."""
    content, refused = path.read_bytes(), []
    for config, dataset, options in TRAININGS:
        path.write_bytes(content)
        model = Readout.from_config(config, **options)
        try:
            history = model.fit(dataset(), dataset(), checkpoint=path)
        except (RunError, ValueError) as problem:
            refused.append(problem)
            continue
        accuracies = [a for r in history for a in (r.train_accuracy, r.val_accuracy)]
        assert len(accuracies) == 4
        assert all(0 <= a <= 1 for a in accuracies)
    if len(refused) == len(TRAININGS):
        raise refused[0]


def integers():
    return [
        written(model.quantized(bits, time_bits).save) for model in models() for bits, time_bits in ((8, 8), (3, 5))
    ]


def use_integers(path):
    sound_model(IntegerReadout.load(path), path, IntegerReadout.load)


def extractors():
    images = np.random.default_rng(0).integers(256, size=(10, 12, 12), dtype=np.uint8)
    small = {"conv1_c": 4, "conv1_epochs": 1}
    made = [STDPCSNN.from_config(config).fit(images) for config in (small, small | {"whiten": True})]
    quantile = {"levels": "quantile", "n_levels": 4, "keep": 0.75}
    made += [
        Pixels.from_config(config).fit(images) for config in ({}, quantile | {"channels": ["white", "pixel", "dog"]})
    ]
    return [written(extractor.save) for extractor in made]


def use_extractor(path):
    extractor = load_extractor(path)
    images = np.random.default_rng(1).integers(256, size=(2, 12, 12), dtype=np.uint8)
    labels = np.array([0, 1])
    found = extractor.transform(images, labels)
    sound(found)
    again = load_extractor(_beside("again.npz", extractor.save)).transform(images, labels)
    assert np.array_equal(again.timestamps, found.timestamps)


# Folders of commands


@cache
def home():
    """Return a folder with the outputs of commands, each complete."""
    folder = Path(SCRATCH, "home")
    write_data(folder / "in")
    for fold in "01":
        write_data(folder / "folds" / fold)
    config = write_settings(folder / "config.json", trainer={"epochs": 2})
    grid = write_settings(folder / "grid.json", trainer={"epochs": 1}, optimizer={"ap": [0.1, 0.05]})
    (folder / "table.csv").write_bytes(table()[0])
    (folder / "downloads").mkdir()
    for part, n_images in (("train", 100), ("t10k", 20)):
        images, labels = digits(n_images, n_images)
        images[:, 1:] = 0  # so that what is found in them is a small file
        (folder / "downloads" / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (folder / "downloads" / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    (folder / "pixels.json").write_text("{}")
    for words in (
        ["run", folder / "in", folder / "run", config, "--save_stats"],
        ["kfold", folder / "folds", folder / "kfold", config, "--K", "2", "--n_proc", "1"],
        ["gridsearch", folder / "in", folder / "grid", grid, "--n_proc", "1"],
        ["encode", folder / "table.csv", folder / "encoded", "--label", "kind"],
        ["run", folder / "encoded", folder / "of-table", config],
        ["dataset", "mnist", folder / "images", "--from", folder / "downloads"],
        ["extract", "pixels", folder / "images" / "gs", folder / "spikes", folder / "pixels.json"],
    ):
        quiet(*words)
    return folder


def in_folder(output, name, *deeds):
    """Return what puts a file into a copy of an output folder and does deeds there, all of them, whatever one says."""

    def use(path):
        here = Path(SCRATCH, "home", f"{output}-copy")
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(home() / output, here)
        (here / name).write_bytes(path.read_bytes())
        refused = []
        for words in deeds:
            try:
                if callable(words):
                    words(here)
                    continue
                quiet(*(home() / word[1:] if word[0] == "@" else here if word == "." else word for word in words))
            except RunError as problem:
                refused.append(problem)
        if refused:
            raise refused[0]

    return use


def from_folder(output, name):
    return lambda: [(home() / output / name).read_bytes()]


def read_whole(folder):
    read_result(folder)
    list(read_epochs(folder))


SCORE, BEST, COMPARE = ("score", "."), ("best", "."), ("compare", ".", "@kfold")
RUN_ON = ("run", "@in", ".", "@config.json", "--save_stats")
KFOLD_ON = ("kfold", "@folds", ".", "@config.json", "--K", "2", "--n_proc", "1")
GRID_ON = ("gridsearch", "@in", ".", "@grid.json", "--n_proc", "1")
ENCODE_ON = ("encode", "@table.csv", ".", "--label", "kind")
EXTRACT_ON = ("extract", "pixels", "@images/gs", ".", "@pixels.json")
DATASET_ON = ("dataset", "mnist", ".", "--from", "@downloads")
COST = ("cost", ".", "--input", "@in")


def config_use(kind, build):
    def use(path):
        config = kind.from_any(path)
        assert kind.from_any(config.to_dict()) == config
        build(config)

    return use


def build_network(config):
    if sum(layer.n_neurons for layer in config.network if hasattr(layer, "n_neurons")) < 10_000:
        Readout.from_config(config, N_INPUTS, 3)


def use_image_folder(path):
    here = Path(SCRATCH, "images-copy")
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    (here / "images.npz").write_bytes(path.read_bytes())
    sets = read_image_sets(here)
    for found in (sets.train, sets.test):
        if found is not None:
            assert found.labels.max(initial=0) < len(found.class_names)
            found.images[:2].sum()


NPZ, JSON, NPY, TEXT = (m.of_npz,), (m.of_json,), (m.of_npy,), (m.of_table,)
RAW = (m.of_bytes,)


def configs():
    every = [settings(), network_settings("conv"), network_settings("dense")]
    return [json.dumps(config).encode() for config in every]


KINDS = {
    "spikes": FileKind(".npz", spikes, use_spikes, NPZ),
    "deflated spikes": FileKind(".npz", deflated_spikes, use_spikes, NPZ),
    "legacy spikes": FileKind(".npy", legacy, use_spikes, RAW),
    "events": FileKind(".npz", events, use_events, NPZ),
    "tonic": FileKind(".npy", tonic, use_tonic, RAW),
    "idx": FileKind("", idx, use_idx, RAW),
    "packed idx": FileKind(
        ".gz", lambda: [gzip.compress(c, mtime=0) for c in idx()], use_idx, (m.inside_gzip(m.of_bytes),)
    ),
    "images": FileKind(".npy", images_npy, use_images, NPY),
    "portable pixels": FileKind(".pgm", portable_pixels, use_images, RAW),
    "pixel table": FileKind(".csv", pixel_table, use_images, TEXT),
    "labels": FileKind(".npy", labels_npy, use_labels, NPY),
    "CIFAR": FileKind(".bin", batch_bin, use_batch, RAW),
    "pickled CIFAR": FileKind("", batch_pickle, use_pickled_batch, RAW),
    "table": FileKind(".csv", table, use_table, TEXT),
    "packed table": FileKind(
        ".csv.gz", lambda: [gzip.compress(c, mtime=0) for c in table()], use_table, (m.inside_gzip(m.of_table),)
    ),
    "pairs": FileKind(".csv", pairs, read_pairs, TEXT),
    "network": FileKind(".npz", lambda: [written(model.save) for model in models()], use_model, NPZ),
    "checkpoint": FileKind(".npz", checkpoints, use_checkpoint, NPZ),
    "integers": FileKind(".npz", integers, use_integers, NPZ),
    "extractor": FileKind(".npz", extractors, use_extractor, NPZ),
    "encoder": FileKind(
        ".npz",
        from_folder("encoded", "encoder.npz"),
        in_folder(
            "encoded", "encoder.npz", ("predict", "@table.csv", "--readout", "@of-table", "--encoder", "."), ENCODE_ON
        ),
        NPZ,
    ),
    "image folder": FileKind(".npz", from_folder("images", "images.npz"), use_image_folder, NPZ),
    "split": FileKind(
        ".npz", from_folder("images", "gs/split.npz"), in_folder("images", "gs/split.npz", DATASET_ON), NPZ
    ),
    "settings": FileKind(".json", configs, config_use(ExperimentConfig, build_network), JSON, True),
    "settings of pixels": FileKind(
        ".json",
        lambda: [b'{"channels": ["white", "pixel"], "levels": "quantile", "n_levels": 16, "keep": 0.75}'],
        config_use(PixelsConfig, lambda config: None),
        JSON,
    ),
    "settings of stdp-csnn": FileKind(
        ".json",
        lambda: [json.dumps(STDPCSNNConfig().to_dict()).encode()],
        config_use(STDPCSNNConfig, lambda config: None),
        JSON,
    ),
    "result": FileKind(
        ".json",
        from_folder("run", "result.json"),
        in_folder("run", "result.json", RUN_ON, read_whole),
        JSON,
    ),
    "record of a run": FileKind(
        ".json", from_folder("run", "config.json"), in_folder("run", "config.json", RUN_ON, COST), JSON
    ),
    "metrics": FileKind(
        ".jsonl",
        from_folder("run", "metrics.jsonl"),
        in_folder("run", "metrics.jsonl", RUN_ON, read_whole),
        (m.of_json_lines,),
    ),
    "result of a fold": FileKind(
        ".json",
        from_folder("kfold", "0/result.json"),
        in_folder("kfold", "0/result.json", SCORE, COMPARE, KFOLD_ON),
        JSON,
    ),
    "manifest": FileKind(
        ".json", from_folder("kfold", "manifest.json"), in_folder("kfold", "manifest.json", SCORE, KFOLD_ON), JSON
    ),
    "manifest of a grid": FileKind(
        ".json", from_folder("grid", "manifest.json"), in_folder("grid", "manifest.json", BEST, GRID_ON), JSON
    ),
    "record of an encoding": FileKind(
        ".json", from_folder("encoded", "encoding.json"), in_folder("encoded", "encoding.json", ENCODE_ON), JSON
    ),
    "record of an extraction": FileKind(
        ".json", from_folder("spikes", "extraction.json"), in_folder("spikes", "extraction.json", EXTRACT_ON), JSON
    ),
    "record of images": FileKind(
        ".json", from_folder("images", "dataset.json"), in_folder("images", "dataset.json", DATASET_ON), JSON
    ),
}
