"""Extractions as jobs for other processes: without them the folds of a data set would be extracted one by one."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from pathlib import Path

from spikenn_cy.data.imagefiles import IMAGES
from spikenn_cy.data.imagefiles import SPLIT
from spikenn_cy.data.imagefiles import images_of
from spikenn_cy.errors import RunError
from spikenn_cy.execution.liveness import is_alive
from spikenn_cy.images.extract import Extraction
from spikenn_cy.images.extract import Plan
from spikenn_cy.images.extract import extract
from spikenn_cy.images.extract import planned

# Seconds to wait for a folder: a worker ends within them once its command was killed, and releases it.
PATIENCE = 5.0


@dataclass(frozen=True)
class ExtractionJob:
    """All that determines one extraction and how it is done; small enough to be sent to another process.

    Attributes
    ----------
    extraction : Extraction
        With all its settings.
    overwrite : bool
        Replace what another extraction left in the folder.
    n_threads : int
        Threads over images.
    verbose : bool
        Show the progress of this very extraction.
    patience : float
        Seconds to wait for another process to let go of the folder.
    owner : path-like, optional
        File of the `liveness_file` of the command that wants the spikes, if that cannot end the job. It ends itself
        after a block of images when the command is gone.
    """

    extraction: Extraction = field(hash=False)
    overwrite: bool = False
    n_threads: int = 1
    verbose: bool = False
    patience: float = PATIENCE
    owner: str | os.PathLike[str] | None = None

    @property
    def output(self) -> Path:
        """The folder of the spikes."""
        return self.extraction.output

    def elsewhere(self, owner: str, patience: float) -> "ExtractionJob":
        """Return the job as it means the same on another machine; see `spikenn_cy.execution.cluster.Portable`."""
        input, output = (path.absolute() for path in (self.extraction.input, self.extraction.output))
        extraction = replace(self.extraction, input=input, output=output)
        return replace(self, extraction=extraction, owner=owner, patience=max(self.patience, patience))


def settled(plans: Sequence[Plan]) -> list[Extraction]:
    """Return what is to be extracted with the settings in full, which other processes need not read again."""
    return [replace(plan.job, config=plan.extractor.config.to_dict()) for plan in plans]


def run_extraction(job: ExtractionJob) -> bool:
    """Do an extraction as `extract` does, or go on with it; return whether anything had to be done."""

    def require_owner() -> None:
        if job.owner is not None and not is_alive(job.owner):
            raise RunError(f"{job.output}: must be wanted by a command, got one that has ended")

    plan = planned(job.extraction, job.overwrite, job.patience)
    return extract(plan, job.n_threads, job.verbose, job.patience, require_owner)


def image_files(folder: Path) -> list[Path]:
    """Return the files that an image folder is read from, as `read_image_sets` takes it."""
    if (folder / SPLIT).exists():
        return [folder / SPLIT, images_of(folder)]
    return [folder / IMAGES] if (folder / IMAGES).exists() else sorted(folder.glob("[Xy]_*.bin"))
