"""What a worker does for a reproduction: an extraction or a training, and the time that it took."""

import time
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from spikenn_cy.experiments.data import forget_sets
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.single import run_single
from spikenn_cy.images.jobs import ExtractionJob
from spikenn_cy.images.jobs import run_extraction

DATA, EXTRACTION, TRAINING = "data", "extraction", "training"


@dataclass(frozen=True)
class Step:
    """One piece of work of a reproduction.

    Attributes
    ----------
    stage : {"extraction", "training"}
    place : str
        What tells it from others of its stage.
    job : ExtractionJob or RunJob
    """

    stage: str
    place: str
    job: ExtractionJob | RunJob = field(hash=False)

    @property
    def output(self) -> Path:
        """The folder that it fills."""
        return Path(self.job.output)

    def elsewhere(self, owner: str, patience: float) -> "Step":
        """Return the step as it means the same on another machine; see `spikenn_cy.execution.cluster.Portable`."""
        return replace(self, job=self.job.elsewhere(owner, patience))


class Taken(NamedTuple):
    """What a step took, of wall-clock and of processor time."""

    seconds: float
    processor_seconds: float


def take(step: Step) -> Taken:
    """Do a step, or the rest of it, or look up that it is complete; return what that took."""
    wall, processor = time.perf_counter(), time.process_time()
    if isinstance(step.job, ExtractionJob):
        run_extraction(step.job)
    else:
        try:
            run_single(step.job)
        finally:
            forget_sets()  # a deleted file takes its place on the disk for as long as it is mapped
    return Taken(time.perf_counter() - wall, time.process_time() - processor)
