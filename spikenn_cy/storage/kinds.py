"""The kinds of output folders in one table, so that none takes another's files for its own, and none names another."""

import os
import re
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from typing import Literal

import msgspec

from spikenn_cy.data.folder import STEMS
from spikenn_cy.data.imagefiles import IMAGES
from spikenn_cy.data.imagefiles import SPLIT
from spikenn_cy.errors import RunError
from spikenn_cy.storage.records import Count
from spikenn_cy.storage.records import Section
from spikenn_cy.storage.records import Seed
from spikenn_cy.storage.records import read_record

RECORD_FORMAT = 1  # of every record

MODEL = "model.npz"  # of a run, the trained network; of an extraction, the extractor
LOG, METRICS, CHECKPOINT, RESULT = "readout_log.txt", "metrics.jsonl", "checkpoint.npz", "result.json"
STATS, STATS_OF_EPOCH, REPORT = "stats.npz", "stats-{epoch:06}.npz", "report.html"
SPIKES = {part: f"{stem}.npz" for part, stem in STEMS.items()}
ENCODER = "encoder.npz"  # of an encoding
EXTRACTION_PICTURES = FILTERS, ACTIVITY = ("filters.png", "activity.png")
RESULTS = RESULTS_PAGE, RESULTS_TEXT, RESULTS_RECORD = ("results.html", "results.md", "results.json")
STAGES = "stages.jsonl"  # of a table made again, what each of its steps took
N_FOLDS = 10
SPLITS = ("gs", *(f"kfold/{fold}" for fold in range(N_FOLDS)))

_PARTS = f"stats-{6 * '[0-9]'}.npz"  # what STATS_OF_EPOCH names
_TORN = re.compile(r"\.(?P<name>.+)\.\w+\.tmp")  # what `atomic_file` had begun to write


class RunRecord(msgspec.Struct):
    """What a run's record must hold: all that determines its results."""

    format: Literal[1]
    config: Section
    seed: Seed
    data: dict[str, Section]
    versions: Section


class RunEntry(msgspec.Struct):
    """One of the runs of a batch."""

    folder: str
    input: str
    seed: Seed
    varied: Section


class BatchRecord(msgspec.Struct):
    """What the record of many runs must hold."""

    format: Literal[1]
    command: str
    options: Section
    config: Section
    data: dict[str, dict[str, Section]]
    runs: list[RunEntry]
    versions: Section


class ExtractionRecord(msgspec.Struct):
    """What an extraction's record must hold; ``files`` are those that are finished, with their fingerprints."""

    format: Literal[1]
    extractor: str
    config: Section
    seed: Seed
    data: dict[str, Section]
    versions: Section
    files: dict[str, Section] = {}


class ImagesRecord(msgspec.Struct):
    """What the record of an image folder must hold."""

    format: Literal[1]
    dataset: str


class EncodingRecord(msgspec.Struct):
    """What the record of an encoded table must hold."""

    format: Literal[1]
    table: Section
    label: str


class ReproductionRecord(msgspec.Struct):
    """What the record of a published table that is made again must hold: its name, and the folds of its cells."""

    format: Literal[1]
    table: str
    cells: dict[str, Count]


@dataclass(frozen=True)
class Kind:
    """A kind of output folder.

    Attributes
    ----------
    name : str
        In messages.
    record : str
        File that says whose folder it is, written first.
    shape : type of Struct
        Of the record.
    rule : str
        What a folder must be to be written to.
    files : tuple of str
        Names or patterns of all files of an output, in the order in which it is taken apart: first what
        makes it complete, last the record, so that it is an unfinished one meanwhile.
    state : tuple of str
        Files that make it an output to go on with; one of them is enough.
    passing : tuple of str
        Files that only an unfinished output has.
    """

    name: str
    record: str
    shape: type[msgspec.Struct]
    rule: str
    files: tuple[str, ...]
    state: tuple[str, ...]
    passing: tuple[str, ...] = ()

    def record_in(self, folder: Path) -> dict[str, Any] | None:
        """Return the record in a folder, or None if there is none, or none that can be."""
        try:
            return read_record(folder / self.record, self.shape, f"must be the record of {self.name}")
        except (FileNotFoundError, NotADirectoryError, RunError):
            return None

    def files_in(self, folder: Path) -> list[Path]:
        """Return the files of an output that are in a folder, in the order in which it is taken apart."""
        return list(_found(folder, self.files))

    def passing_in(self, folder: Path) -> list[Path]:
        """Return the files in a folder that only an unfinished output has."""
        return list(_found(folder, self.passing))

    def torn_in(self, folder: Path) -> list[Path]:
        """Return what killed processes had begun to write of the files of an output, and of no other."""
        torn = []
        for place in dict.fromkeys(Path(name).parent for name in self.files):
            names = [Path(name).name for name in self.files if Path(name).parent == place]
            for path in sorted((folder / place).glob(".*.tmp")):
                match = _TORN.fullmatch(path.name)
                if match and any(fnmatchcase(match["name"], name) for name in names):
                    torn.append(path)
        return torn

    def has_state(self, folder: Path) -> bool:
        """Return whether a folder holds something to go on with."""
        return any(True for _ in _found(folder, self.state))

    def shares_with(self, other: "Kind") -> list[str]:
        """Return the files that both kinds have."""
        return [name for name in self.files if name in other.files]


def _found(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    for name in names:
        if "*" in name or "[" in name:
            yield from sorted(folder.glob(name))
        elif os.path.lexists(folder / name):
            yield folder / name


RUN = Kind(
    name="a run",
    record="config.json",
    shape=RunRecord,
    rule="must be a new folder or hold this very run (--overwrite replaces a run)",
    files=(RESULT, CHECKPOINT, _PARTS, METRICS, LOG, MODEL, STATS, REPORT, "config.json"),
    state=(CHECKPOINT, RESULT),
    passing=(CHECKPOINT, _PARTS),
)
BATCH = Kind(
    name="many runs",
    record="manifest.json",
    shape=BatchRecord,
    rule="must be a new folder or the output folder of this very command",
    files=("manifest.json",),
    state=(f"*/**/{RUN.record}",),
)
EXTRACTION = Kind(
    name="an extraction",
    record="extraction.json",
    shape=ExtractionRecord,
    rule="must be a new folder or hold this very extraction (--overwrite replaces one)",
    files=(*EXTRACTION_PICTURES, *SPIKES.values(), MODEL, "extraction.json"),
    state=(MODEL,),
)
IMAGE_SETS = Kind(
    name="a data set",
    record="dataset.json",
    shape=ImagesRecord,
    rule="must be a new folder or hold this very data set (--overwrite replaces a data set)",
    files=(IMAGES, *(f"{place}/{SPLIT}" for place in SPLITS), "dataset.json"),
    state=(IMAGES,),
)
ENCODING = Kind(
    name="an encoded table",
    record="encoding.json",
    shape=EncodingRecord,
    rule="must be a new folder or hold this very table, encoded alike (--overwrite replaces one)",
    files=(ENCODER, *SPIKES.values(), "encoding.json"),
    state=(ENCODER,),
)
REPRODUCTION = Kind(
    name="a table made again",
    record="reproduction.json",
    shape=ReproductionRecord,
    rule="must be a new folder or hold this very table",
    files=(*RESULTS, STAGES, "reproduction.json"),
    state=(f"data/*/{IMAGE_SETS.record}",),
)
KINDS = (RUN, BATCH, EXTRACTION, IMAGE_SETS, ENCODING, REPRODUCTION)


def class_names_in(folder: Path) -> Sequence[str]:
    """Return what a published data set calls the classes 0, 1 …, if a folder has its features; else nothing."""
    names = (EXTRACTION.record_in(folder) or {}).get("class_names", ())
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()
