"""Where a reproduction keeps what, and what it must do for one fold of one column, in which order."""

from dataclasses import dataclass
from pathlib import Path

from spikenn_cy.experiments.data import DataFile
from spikenn_cy.experiments.single import RunJob
from spikenn_cy.experiments.store import clear_up
from spikenn_cy.experiments.store import describe
from spikenn_cy.experiments.store import result_of
from spikenn_cy.images.extract import Extraction
from spikenn_cy.images.extract import planned
from spikenn_cy.images.extract import recorded_files
from spikenn_cy.images.jobs import PATIENCE
from spikenn_cy.images.jobs import ExtractionJob
from spikenn_cy.reproduction.steps import EXTRACTION
from spikenn_cy.reproduction.steps import TRAINING
from spikenn_cy.reproduction.steps import Step
from spikenn_cy.reproduction.tables import Cell
from spikenn_cy.reproduction.tables import Column
from spikenn_cy.storage import kinds
from spikenn_cy.storage.output import OutputFolder

BYTES_OF_SPIKE = 8  # number of the feature, and time
BYTES_OF_WEIGHT = 4


@dataclass(frozen=True)
class Fold:
    """One fold of a column: features, and the runs on them, all of which have the fold's number as seed.

    Attributes
    ----------
    home : Path
        Folder of the reproduction.
    column : Column
    number : int
    cells : tuple of Cell
        Those that learn from these features.
    """

    home: Path
    column: Column
    number: int
    cells: tuple[Cell, ...]

    @property
    def place(self) -> str:
        """What tells the fold from others."""
        return f"{self.column.extractor}/{self.column.dataset}/{self.number}"

    @property
    def features(self) -> Path:
        """Folder of the features."""
        return self.home / "features" / self.place

    @property
    def n_bytes(self) -> int:
        """About how much the features take."""
        return self.column.n_images * self.column.n_spikes * BYTES_OF_SPIKE

    @property
    def extraction(self) -> Extraction:
        """How the features are made: with published settings."""
        images = data_folder(self.home, self.column.dataset) / "kfold" / str(self.number)
        return Extraction(self.column.extractor, images, self.features, None, self.number)

    @property
    def has_features(self) -> bool:
        """Whether files of features are there."""
        return any((self.features / name).exists() for name in kinds.SPIKES.values())

    def unfinished(self) -> list[Cell]:
        """Return the cells whose run is not complete, with the features that the record of the extraction names.

        Raises
        ------
        SpikennError
            If the features cannot be extracted.
        """
        listed = recorded_files(planned(self.extraction))
        if not {kinds.SPIKES["train"], kinds.SPIKES["val"], kinds.SPIKES["test"]} <= listed.keys():
            return list(self.cells)
        data = {part: listed[name] for part, name in kinds.SPIKES.items()}
        return [
            cell
            for cell in self.cells
            if result_of(runs_folder(self.home, cell) / str(self.number), describe(cell.config, self.number, data))
            is None
        ]

    def extracting(self) -> Step:
        """Return the step that makes the features, or looks up those that are there."""
        return Step(EXTRACTION, self.place, ExtractionJob(self.extraction))

    def training(self, cells: list[Cell]) -> list[Step]:
        """Return the steps that train on the features, which are there."""
        listed = recorded_files(planned(self.extraction))
        data = {}
        for part, name in kinds.SPIKES.items():
            file = DataFile.of(self.features / name)
            data[part] = DataFile(file.path, file.stamp, listed[name])
        steps = []
        for cell in cells:
            output = runs_folder(self.home, cell) / str(self.number)
            job = RunJob(output, self.features, cell.config, self.number, data=data, patience=PATIENCE)
            steps.append(Step(TRAINING, f"{cell.key}/{self.number}", job))
        return steps

    def clear_up(self, done: list[Cell]) -> None:
        """Remove what workers left of runs that are complete and that were killed before they ended."""
        for cell in done:
            clear_up(runs_folder(self.home, cell) / str(self.number))

    def delete_features(self) -> None:
        """Delete the features, but not the extractor, which makes them again, and the record, which knows them."""
        if self.has_features:
            with OutputFolder.opened(self.features, kinds.EXTRACTION, PATIENCE) as folder:
                for name in kinds.SPIKES.values():
                    folder.file(name).unlink(missing_ok=True)


def data_folder(home: Path, dataset: str) -> Path:
    """Return the folder of the images of a data set."""
    return home / "data" / dataset


def runs_folder(home: Path, cell: Cell) -> Path:
    """Return the folder of the runs of a cell, which the commands ``score`` and ``compare`` take."""
    return home / "runs" / cell.key


def bytes_of_model(cell: Cell) -> int:
    """Return about how much the network of a run takes."""
    n_bytes, n_inputs = 0, cell.column.n_features
    for layer in cell.config.network:
        n_bytes += layer.n_neurons * n_inputs * BYTES_OF_WEIGHT
        n_inputs = layer.n_neurons
    return n_bytes
