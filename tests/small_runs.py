"""Small data, settings and command lines for the tests that run whole experiments."""

import builtins
import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset

ROOT = Path(__file__).parent.parent
N_INPUTS = 12
PATIENCE = 600  # seconds after which a test gives up waiting for a process, however slow the machine is

SETTINGS = {
    "network": [{"n_neurons": 6, "firing_threshold": 1.5, "w_init_normal": True, "w_norm": True}],
    "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.05, "t_gap": 0.05, "annealing": 0.95, "class_inhib": True},
    "regularizer": {"thr_lr": 0.1, "thr_anneal": 0.5},
    "trainer": {"epochs": 6, "dropout_out": 0.2, "shuffle": True},
}


def settings(**sections):
    """Return the settings with members of their sections replaced; ``network`` means its layer."""
    changed = {name: dict(part[0] if name == "network" else part) for name, part in SETTINGS.items()}
    for name, members in sections.items():
        changed[name] |= members
    return changed | {"network": [changed["network"]]}


def dense(n_samples, seed, n_inputs=N_INPUTS, n_classes=3):
    """Return spike times, of which those of a third of the inputs are early for each class, and labels."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n_samples) % n_classes
    times = generator.uniform(0.2, 1.2, (n_samples, n_inputs))
    early = np.arange(n_inputs) * n_classes // n_inputs == labels[:, None]
    return np.where(early, times / 4, times).astype(np.float32), labels


def write_data(folder, *, val=True, test=True, **options):
    """Write training data, and the other two if wanted, into a new folder; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"trainset": (90, 0), "valset": (30, 1) if val else None, "testset": (30, 2) if test else None}
    for name, size_and_seed in wanted.items():
        if size_and_seed is not None:
            SpikingDataset.from_numpy(*dense(*size_and_seed, **options)).save(folder / f"{name}.npz")
    return folder


def write_settings(path, **sections):
    """Write settings into a file; return its path."""
    path.write_text(json.dumps(settings(**sections)))
    return path


def write_short(path, settings, grid=False):
    """Write settings of the tree or the package under a path, with one epoch, and with two runs if they are a grid."""
    settings = json.loads(settings.read_text(encoding="utf-8"))
    for section in (*settings["network"], *(settings[name] for name in ("optimizer", "regularizer", "trainer"))):
        section.update({key: value[-1] for key, value in section.items() if isinstance(value, list)})
    settings["trainer"]["epochs"] = 1
    if grid:
        settings["optimizer"]["ap"] = [0.1, 0.05]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(settings), encoding="utf-8")


def command(*words, module="spikenn_cy", folder=None, stdout=subprocess.PIPE):
    """Run ``python -m module words…`` in a folder and return the finished process."""
    return script("-m", module, *words, folder=folder, stdout=stdout)


def script(*words, folder=None, stdout=subprocess.PIPE):
    """Run ``python words…`` in a folder and return the finished process."""
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def contents(folder):
    """Return the bytes of all files below a folder, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def make_read_only(monkeypatch, folder):
    """Let no file be opened for writing in a folder, as on a disk that is mounted so; permissions do not bind root."""

    def refuse(path):
        if Path(path).parent == Path(folder):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fspath(path))

    def opened(path, mode="r", *arguments, opened=builtins.open, **options):
        if isinstance(path, str | os.PathLike) and not set(mode).isdisjoint("wxa+"):
            refuse(path)
        return opened(path, mode, *arguments, **options)

    def opened_low(path, flags, *arguments, opened=os.open, **options):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            refuse(path)
        return opened(path, flags, *arguments, **options)

    monkeypatch.setattr(builtins, "open", opened)
    monkeypatch.setattr(os, "open", opened_low)


def moments(folder, copies, monkeypatch):
    """Have a folder copied to ``copies`` before and after each change of a name in it; return the list of copies.

    As it stands after a change it mostly stands before the next: what is copied already is not copied again.
    """
    made, changing, known = [], [], []

    def copy():
        state = {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}
        if known != [state]:
            known[:] = [state]
            made.append(shutil.copytree(folder, copies / str(len(made)), symlinks=True))

    def watched(change):
        def changed(*names, **options):
            if changing:  # by the copying
                return change(*names, **options)
            changing.append(True)
            try:
                copy()
                answer = change(*names, **options)
                if folder.exists():
                    copy()
                return answer
            finally:
                changing.pop()

        return changed

    for name in ("replace", "rename", "unlink", "mkdir", "rmdir"):
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    return made
