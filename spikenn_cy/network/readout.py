"""The classifier that users meet: a network that learns from labelled spikes and votes with its first one."""

import contextlib
import dataclasses
import math
import os
import time
import warnings
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import TYPE_CHECKING
from typing import Any
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.arrays import end_of_time
from spikenn_cy.data.arrays import input_axes
from spikenn_cy.data.arrays import moment
from spikenn_cy.data.classes import in_classes
from spikenn_cy.data.classes import require_labels
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.labels import class_names
from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.network import model_file
from spikenn_cy.network._statistics import EpochStatistics
from spikenn_cy.network.assembly import Decisions
from spikenn_cy.network.assembly import Network
from spikenn_cy.network.assembly import Trainer
from spikenn_cy.network.assembly import assembled
from spikenn_cy.network.assembly import needs_images
from spikenn_cy.network.cost import Cost
from spikenn_cy.network.cost import cost_of
from spikenn_cy.network.cost import counts_of
from spikenn_cy.network.cost import in_blocks
from spikenn_cy.network.door import require_suiting
from spikenn_cy.network.explanation import Explanation
from spikenn_cy.network.explanation import Sample
from spikenn_cy.network.explanation import explained
from spikenn_cy.network.explanation import one_sample
from spikenn_cy.network.forward.choice import AUTO
from spikenn_cy.network.forward.choice import check_forward
from spikenn_cy.network.history import EpochReport
from spikenn_cy.network.history import History
from spikenn_cy.network.history import best_of
from spikenn_cy.network.history import reason_to_stop
from spikenn_cy.network.history import so_far
from spikenn_cy.network.integer.model import IntegerReadout
from spikenn_cy.network.integer.quantizing import quantised
from spikenn_cy.network.model_file import Checkpoint
from spikenn_cy.network.stream import Stream
from spikenn_cy.network.summary import caption_of
from spikenn_cy.network.summary import rows_of
from spikenn_cy.network.symptoms import symptoms
from spikenn_cy.network.thresholds import settled
from spikenn_cy.network.training import Pass
from spikenn_cy.settings.validation import at
from spikenn_cy.utils.progress import Progress
from spikenn_cy.utils.tables import as_html
from spikenn_cy.utils.tables import as_text
from spikenn_cy.utils.validation import is_whole
from spikenn_cy.utils.validation import number_of_threads
from spikenn_cy.utils.validation import real_array
from spikenn_cy.utils.validation import whole_number

if TYPE_CHECKING:
    from typing import Unpack

    from spikenn_cy.layers.face import NetworkLayer
    from spikenn_cy.network.layer import Layer

SCORED = 1 << 22  # neurons times samples whose spikes are held at once, to score classes


class FitKeywords(TypedDict, total=False):
    """Keywords of `Readout.fit` beside its own parameters; see `FitOptions`."""

    n_threads: int
    on_epoch: Callable[[EpochReport], None] | None
    on_statistics: Callable[[int, EpochStatistics], None] | None
    forward: str
    sample_weight: npt.ArrayLike | None


@dataclasses.dataclass(frozen=True)
class FitOptions:
    """How a network is trained and who hears of it; results depend on ``sample_weight`` alone.

    Attributes
    ----------
    n_threads : int, default=1
        Threads at most that measure accuracies and, if the last layer has a million weights or
        more, share the work of each training sample.
    on_epoch : callable, optional
        Called with the `EpochReport` of each epoch that this call trains, before the checkpoint
        is written.
    on_statistics : callable, optional
        Called before that with the number of the epoch and the `EpochStatistics` of its training.
        Without it nothing is counted.
    forward : {"auto", "exact", "input_major", "screening"}, default="auto"
        How first spikes are found; one that does not serve the layer is not taken.
    sample_weight : array-like of shape (n_samples,), optional
        Factors >= 0 on the errors of the training samples, so on how far weights move for them; what that means for a
        rule its settings say. A sample of weight 0 is left out, as if it were not in the training set.
    """

    n_threads: int = 1
    on_epoch: Callable[[EpochReport], None] | None = None
    on_statistics: Callable[[int, EpochStatistics], None] | None = None
    forward: str = AUTO
    sample_weight: npt.ArrayLike | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_threads", number_of_threads(self.n_threads))
        check_forward(self.forward)


class Readout:
    """A network of spiking layers that classifies by its first output spike.

    Make one with `from_config` or `load`.

    Attributes
    ----------
    config : ExperimentConfig
    layers : list of Layer
        From the first to the one that learns; each has ``weights`` and ``thresholds``.
    n_inputs, n_classes : int
    max_time : float
        Time of silence, in the data's unit of time.
    seed : int
    classes : ndarray of shape (n_classes,)
        The original label of each class, as of the first training set; 0 to ``n_classes - 1`` before.

    Examples
    --------
    >>> import numpy as np
    >>> from spikenn_cy import Readout, SpikingDataset
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(2, size=200)
    >>> times = rng.random((200, 16)) * np.where(np.arange(16) // 8 == labels[:, None], 0.5, 1.0)
    >>> dataset = SpikingDataset.from_numpy(times, labels)
    >>> model = Readout.from_config({
    ...     "network": [{"n_neurons": 2, "firing_threshold": 2, "w_init_mean": 0.5, "w_init_normal": True}],
    ...     "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.1, "t_gap": 0.2},
    ... }, n_inputs=16, n_classes=2)
    >>> history = model.fit(dataset, epochs=5)
    >>> model.score(dataset) > 0.9
    True
    """

    def __init__(
        self,
        config: ExperimentConfig,
        inputs: int | tuple[int, ...],
        n_classes: int,
        max_time: float,
        seed: int,
        draw: bool = True,
    ) -> None:
        self.config = config
        self.input_shape = (inputs,) if isinstance(inputs, int) else inputs
        self.n_inputs = math.prod(self.input_shape)
        self.n_classes, self.max_time, self.seed = n_classes, max_time, seed
        self._classes: np.ndarray | None = None  # of the first training set
        self._network: Network | None = None
        self._draws = draw
        if not (config.waits_for_data or (needs_images(config) and isinstance(inputs, int))):
            self._assemble(self.input_shape)

    def _assemble(self, input_shape: tuple[int, ...]) -> None:
        """Make the layers, for inputs of this shape."""
        self.config.check_against(self.n_classes, input_shape=input_shape)
        self.input_shape, generator = input_shape, np.random.default_rng(self.seed)
        self._network = assembled(self.config, input_shape, self.n_classes, self.max_time, generator, self._draws)

    @property
    def _parts(self) -> Network:
        if self._network is None and self.config.waits_for_data:
            rule = "must be a number, or be chosen by the data of a first fit, before this network has layers"
            raise DataError(f'{at(self.config.where, "network")}: firing_threshold {rule}, got "auto"')
        if self._network is None:
            rule = "must be given as input_shape, or by the data of a first fit, before this network has layers"
            raise DataError(f"network: shape of images {rule}, got {self.n_inputs} inputs")
        return self._network

    @property
    def layers(self) -> "Sequence[Layer | NetworkLayer]":
        """Layers from the first to the last."""
        return self._parts.layers

    @property
    def classes(self) -> np.ndarray:
        """Original label of each class, shape (n_classes,): 0 to ``n_classes - 1`` before the first training set.

        Assigned ones, of a network whose weights come from elsewhere, are whole numbers or strings, all distinct.
        """
        return np.arange(self.n_classes) if self._classes is None else self._classes

    @classes.setter
    def classes(self, names: npt.ArrayLike) -> None:
        names = class_names(names, "classes")
        require(len(names) == self.n_classes, "classes", f"must be {self.n_classes}", len(names), DataError)
        require(len(np.unique(names)) == len(names), "classes", "must be distinct", names.tolist(), DataError)
        self._classes = names

    @property
    def _trainer(self) -> Trainer:
        return self._parts.trainer

    @classmethod
    def from_config(
        cls,
        config: ExperimentConfig | dict[str, Any] | str | os.PathLike[str],
        n_inputs: int,
        n_classes: int,
        max_time: float = 1.0,
        seed: int = 0,
        input_shape: tuple[int, ...] | None = None,
    ) -> "Readout":
        """Return an untrained network.

        Parameters
        ----------
        config : dict, path or ExperimentConfig
            Settings, in the sections ``network``, ``optimizer``, ``regularizer``, ``trainer``.
        n_inputs, n_classes : int
            Sizes of the data.
        max_time : float, default=1.0
            Time of silence, in the data's unit of time.
        seed : int, default=0
            Of the one random generator of this network: initial weights, dropout, shuffling.
        input_shape : tuple of int, optional
            Axes that number the inputs, such as ``(rows, columns, channels)``, for a network that needs images;
            by default those of the first training set.

        Raises
        ------
        ConfigError
            If a setting is refused or does not suit the number of classes.
        """
        n_inputs = whole_number(n_inputs, "n_inputs", 1, COUNT_MAX)
        inputs = n_inputs if input_shape is None else input_axes(input_shape, n_inputs, "input_shape")
        return cls._checked(ExperimentConfig.from_any(config), inputs, n_classes, max_time, seed)

    @classmethod
    def _checked(
        cls,
        config: ExperimentConfig,
        inputs: int | tuple[int, ...],
        n_classes: int,
        max_time: float,
        seed: int,
        draw: bool = True,
    ) -> "Readout":
        n_inputs = whole_number(inputs if isinstance(inputs, int) else math.prod(inputs), "n_inputs", 1, COUNT_MAX)
        n_classes = whole_number(n_classes, "n_classes", 1)
        seed = whole_number(seed, "seed", 0)
        max_time = end_of_time(max_time, "max_time", ConfigError)
        config.check_against(n_classes)
        return cls(config, n_inputs if isinstance(inputs, int) else inputs, n_classes, max_time, seed, draw)

    def __repr__(self) -> str:
        if self._network is None:
            return f"<Readout {self.n_inputs} inputs, {self.n_classes} classes, not made yet>"
        sizes = " -> ".join(str(n) for n in (self.n_inputs, *(layer.n_neurons for layer in self.layers)))
        return f"<Readout {sizes}, {self.n_classes} classes, {self._trainer.n_epochs} epochs trained>"

    def _repr_html_(self) -> str:
        return as_html(caption_of(self), rows_of(self))

    def summary(self, dataset: SpikingDataset | None = None) -> str:
        """Return the network as a table of its layers: sizes, weights and thresholds.

        Parameters
        ----------
        dataset : SpikingDataset, optional
            The table says how many neurons of each layer none of its samples makes fire.
        """
        return f"{caption_of(self)}\n{as_text(rows_of(self, dataset))}"

    @property
    def is_made(self) -> bool:
        """Whether there are layers, which a network may have to wait for that takes something from the data."""
        return self._network is not None

    @property
    def n_epochs(self) -> int:
        """Epochs trained, in the whole life of the network."""
        return 0 if self._network is None else self._trainer.n_epochs

    @property
    def figures(self) -> dict[str, float]:
        """What the first training set decided, by name, of a network that learns in every layer; else nothing.

        ``decision_at``, the wanted mean time of decisions as a share of ``max_time``; ``mean_spikes`` of a training
        sample; ``mean_patch_spikes``, in the patches of a convolution that hold one, 0 without a convolution.
        """
        figures: dict[str, float] = {} if self._network is None else self._trainer.state.get("figures", {})
        return figures

    @property
    def training_thresholds(self) -> np.ndarray:
        """Thresholds of the last layer as the last training sample left them, float32 of shape (n_neurons,)."""
        return self._trainer.training_thresholds

    # Learning

    def fit(
        self,
        train: SpikingDataset,
        val: SpikingDataset | None = None,
        test: SpikingDataset | None = None,
        epochs: int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        verbose: bool = False,
        **options: "Unpack[FitKeywords]",
    ) -> History:
        """Train the last layer, or every one, epoch by epoch, from where an earlier call ended.

        With ``trainer.keep`` as ``"best"`` the network is in the end, in all, the one of the epoch with the best
        validation accuracy; a later call goes on from there.

        Parameters
        ----------
        train : SpikingDataset
        val, test : SpikingDataset, optional
            Measured after every epoch; labels are matched to the training set's by ``classes``.
        epochs : int, optional
            In place of ``trainer.epochs``.
        checkpoint : path-like, optional
            Written after every epoch. If it is there, this call goes on from it and ends with
            the bits of one that was never interrupted; a complete one trains nothing more.
        verbose : bool, default=False
            Show progress on stderr: a bar on a terminal or in a notebook, elsewhere a line a minute.
        **options
            ``n_threads``, ``sample_weight``, ``on_epoch``, ``on_statistics`` and ``forward``, see `FitOptions`.

        Returns
        -------
        history : History
            Of this training, the epochs before an interruption included.

        Raises
        ------
        DataError
            If the data do not suit the network or each other, or the checkpoint is damaged.
        ConfigError
            If the checkpoint belongs to another training.

        Warns
        -----
        TrainingWarning
            After the first epoch, once for what is seen that stands in the way of learning: layers that samples
            hardly make fire, or make fire at once, with thresholds to try; training samples without spikes;
            hidden layers that do not learn.
        """
        how = FitOptions(**options)
        epochs = whole_number(self.config.trainer.epochs if epochs is None else epochs, "epochs", 0)
        train, weights = self._weighted("train", train, how.sample_weight)
        data = self._matched_sets(train, val, test)
        kept = Checkpoint(self, checkpoint, data["train"], epochs, weights)
        reports = kept.resume()
        keeps_best = self.config.trainer.keep == "best"
        if keeps_best and val is None:
            text = f"{at(self.config.where, 'trainer.keep')}: has no effect without a validation set"
            warnings.warn(ConfigWarning(text), stacklevel=2)
        n_left = 0 if reports and reports[-1].stopped else epochs - len(reports)
        size = len(data["train"])
        total, done = (len(reports) + n_left) * size, len(reports) * size
        with Progress(total, f"epoch {len(reports) + (n_left > 0)}/{epochs}", done=done, show=verbose) as progress:
            progress.tell(figures=so_far(reports))
            for _ in range(n_left):
                progress.tell(f"epoch {len(reports) + 1}/{epochs}")
                step = Pass(progress, None, len(reports), epochs, how.n_threads, how.forward, weights)
                reports.append(self._epoch(data, reports, how, step))
                if how.on_epoch is not None:
                    how.on_epoch(reports[-1])
                if keeps_best and best_of(reports) is reports[-1]:
                    kept.best = model_file.snapshot(self)
                kept.write(reports)
                progress.tell(figures=so_far(reports))
                if len(reports) == 1:
                    seen = symptoms(self.config, self._parts, self.n_classes, data["train"], how.n_threads)
                    for symptom in seen:
                        with progress.aside():
                            warnings.warn(symptom, stacklevel=2)
                if reports[-1].stopped is not None:
                    break
        if kept.best is not None:
            model_file.bring_back(self, kept.best)
        return History(reports)

    def _epoch(
        self, data: dict[str, SpikingDataset], reports: list[EpochReport], how: "FitOptions", step: Pass
    ) -> EpochReport:
        """Train one epoch and measure what it ends with; ``reports`` are those before it."""
        started = time.perf_counter()
        epoch, train = self._trainer.n_epochs, data["train"]
        statistics = None if how.on_statistics is None else self._trainer.statistics(len(train))
        trained = self._trainer.epoch(train, dataclasses.replace(step, statistics=statistics))
        measured = {name: self._accuracy(other, how.n_threads) for name, other in data.items() if name != "train"}
        seconds = time.perf_counter() - started
        report = EpochReport(epoch, trained, measured.get("val"), measured.get("test"), seconds)
        if how.on_statistics is not None and statistics is not None:
            how.on_statistics(epoch, statistics)
        return dataclasses.replace(report, stopped=reason_to_stop([*reports, report], self.config.trainer))

    def partial_fit(
        self,
        dataset: SpikingDataset,
        n_threads: int = 1,
        forward: str = AUTO,
        sample_weight: npt.ArrayLike | None = None,
    ) -> "Readout":
        """Learn from each sample once, in order, at the present rates.

        There is no end of an epoch: rates do not anneal and thresholds do not restart.

        Parameters
        ----------
        dataset : SpikingDataset
        n_threads, forward, sample_weight
            As in `FitOptions`. Weights may all be 0: then nothing is learnt.

        Returns
        -------
        self : Readout
        """
        n_threads = number_of_threads(n_threads)
        check_forward(forward)
        dataset, weights = self._weighted("dataset", dataset, sample_weight, may_vanish=True)
        if weights is not None and len(weights) == 0:
            return self
        classes = self._classes_for("dataset", dataset)
        with self._as_before_if_refused():
            self._assemble_for(dataset)
            known = in_classes(dataset, classes)
        self._classes = classes
        self._trainer.learn(known, Pass(n_threads=n_threads, forward=forward, weights=weights))
        return self

    # Deciding

    def predict(self, dataset: SpikingDataset, n_threads: int = 1, until: float | None = None) -> np.ndarray:
        """Return the class of each sample's first output spike.

        Ties, those of silent neurons included, go to the higher potential, then to the
        lower neuron. A sample ends at the first spike.

        Parameters
        ----------
        dataset : SpikingDataset
            Its labels, if it has any, are not looked at.
        n_threads : int, default=1
            Samples are shared out among this many threads at most; the result is the same.
        until : float, optional
            Answer at this time, from 0 to ``max_time``: a sample with an output spike by then, at that very time
            included, is decided; of others the highest potential at that time tells the class. Default: ``max_time``.

        Returns
        -------
        labels : ndarray, shape (n_samples,)
            Original labels, elements of ``classes`` and of its dtype; see `decide` for their numbers.
        """
        labels: np.ndarray = self.classes[self.decide(dataset, n_threads, until)]
        return labels

    def decide(self, dataset: SpikingDataset, n_threads: int = 1, until: float | None = None) -> np.ndarray:
        """Return the number of the class of each sample's first output spike.

        Parameters
        ----------
        dataset, n_threads, until
            As in `predict`.

        Returns
        -------
        numbers : ndarray of int32, shape (n_samples,)
            From 0 to ``n_classes - 1``, for ``classes`` of this network. A data set numbers its own classes, of which
            there may be fewer.
        """
        self._suits("dataset", dataset)
        if until is None:
            return self._deciding.decide(dataset, n_threads)
        numbers, end = np.empty(len(dataset), INDEX), float(moment(until, "until", self.max_time))
        deciding = self._deciding

        def work(part: slice) -> None:
            numbers[part] = deciding.decide(dataset[part].until(end), 1)

        in_blocks(dataset, self.n_inputs, n_threads, work)  # since spikes are copied
        return numbers

    def first_spikes(
        self, dataset: SpikingDataset, n_threads: int = 1, layer: int = -1
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return when each neuron of a layer fires, at the inference thresholds.

        Parameters
        ----------
        dataset : SpikingDataset
        n_threads : int, default=1
            Samples are shared out among this many threads at most; the result is the same.
        layer : int, default=-1
            Position of the layer; negative ones count from the last. Neurons of a convolution are its pooled units,
            in the order row, column, filter.

        Returns
        -------
        times : ndarray of float32, shape (n_samples, n_neurons)
            ``max_time`` for a silent neuron.
        potentials : ndarray of float32, shape (n_samples, n_neurons)
            At the spike; of a silent neuron, after the last input spike.
        """
        self._suits("dataset", dataset)
        n = len(self.layers)
        ok = is_whole(layer) and -n <= layer < n
        require(ok, "layer", f"must be an integer from {-n} to {n - 1}", layer, DataError)
        return self._deciding.first_spikes(dataset, n_threads, int(layer) % n)

    def class_scores(self, dataset: SpikingDataset, n_threads: int = 1) -> np.ndarray:
        """Return how much speaks for each class.

        Where the last layer alone learns, it is minus the time of the first spike of the class's neurons, and
        ``-max_time`` of a silent one; of classes that fire together, those with less potential are lower by a few units
        in the last place. Where every layer learns, it is the largest potential of the class's neurons at the decision.

        Parameters
        ----------
        dataset : SpikingDataset
        n_threads : int, default=1
            Samples are shared out among this many threads at most; the result is the same.

        Returns
        -------
        scores : ndarray of float64, shape (n_samples, n_classes)
            A column for each of ``classes``. The first greatest one of each row is the class that is decided, unless
            thresholds of the output were assigned that differ where every layer learns.
        """
        self._suits("dataset", dataset)
        scores = np.empty((len(dataset), self.n_classes))
        n_rows = max(1, SCORED // self.layers[-1].n_neurons)
        for start in range(0, len(scores), n_rows):
            part = dataset[start : start + n_rows]
            scores[start : start + n_rows] = self._deciding.class_scores(part, n_threads)
        return scores

    @property
    def _deciding(self) -> Decisions:
        """What decides, of a network that has weights to decide by."""
        for position, layer in enumerate(self.layers):
            if not layer.assigned:
                rule = "must have weights, which the first fit draws, to decide"
                raise DataError(f"network[{position}]: {rule}, got none yet")
        return self._parts.decisions

    def score(self, dataset: SpikingDataset, n_threads: int = 1) -> float:
        """Return the share of samples whose class is predicted.

        Parameters
        ----------
        dataset : SpikingDataset
            With labels, matched to the training set by ``classes`` once there was one.
        n_threads : int, default=1
            As in `predict`.
        """
        return self._accuracy(in_classes(dataset, self._classes_for("dataset", dataset)), n_threads)

    def cost(self, dataset: SpikingDataset, n_threads: int = 1) -> Cost:
        """Count what decisions cost: spikes, synaptic operations and bytes of weights until each of them.

        Parameters
        ----------
        dataset : SpikingDataset
            With labels, matched as by `score`, or without, for counts without accuracies.
        n_threads : int, default=1
            As in `predict`.

        Returns
        -------
        cost : Cost
            Means, medians and 95th percentiles over the samples; prints as a table.
        """
        n_threads = number_of_threads(n_threads)
        self._suits("dataset", dataset)
        name = dataset.source or "dataset"
        require(len(dataset) > 0, name, "must hold at least one sample", len(dataset), DataError)
        labels = None
        if dataset.labels is not None:
            labels = in_classes(dataset, self._classes_for("dataset", dataset)).labels
        return cost_of(self, counts_of(self, dataset, n_threads), labels)

    def stream(self) -> Stream:
        """Return what decides on samples, one after the other, while their spikes come.

        Returns
        -------
        stream : Stream
            With ``push``, ``end`` and, if it is to learn, ``learn``. It takes the weights that the network has when a
            sample begins.

        Raises
        ------
        DataError
            If the network has no weights yet, or neurons that cannot be charged spike by spike.
        """
        return Stream(self)

    def explain(self, sample: Sample) -> Explanation:
        """Return why a sample is decided as it is: the spikes that carried the winner over its threshold.

        Parameters
        ----------
        sample : SpikingDataset or tuple
            One sample: a data set of one, such as ``dataset[3:4]``, or what ``dataset[3]`` is, ``(indices,
            timestamps, label)``, of which the label may be missing.

        Returns
        -------
        explanation : Explanation
            Of the output neuron that decides; its ``of`` explains hidden spikes that took part.

        Raises
        ------
        DataError
            If it is no such sample.
        """
        dataset = one_sample(sample, self)
        self._suits("sample", dataset)
        return explained(self, dataset)

    def _accuracy(self, dataset: SpikingDataset, n_threads: int = 1) -> float:
        return float(np.mean(self._deciding.decide(dataset, n_threads) == dataset.labels))

    # Whole numbers

    def quantized(self, bits: int = 8, time_bits: int = 8) -> IntegerReadout:
        """Return the network in whole numbers, as small processors compute.

        Weights become whole numbers of a unit, a power of two for each layer: the one with which they are nearest to
        what they were, which may clip the largest ones where bits are few. Thresholds follow them, and are rounded down
        to a unit, which changes no decision. Spikes of one level of time become ties.

        Parameters
        ----------
        bits : int, default=8
            Of a weight, with its sign: from 2 to 8.
        time_bits : int, default=8
            Spike times are told apart by ``2 ** time_bits`` levels, ``floor(time / max_time * 2 ** time_bits)``: from
            1 to 8.

        Raises
        ------
        ConfigError
            If there cannot be so many bits.
        DataError
            If a layer has no weights yet, its neurons leak, or a potential could go beyond 32 bits.
        """
        return quantised(self, bits, time_bits)

    # Data at the door

    def _suits(self, name: str, dataset: SpikingDataset) -> None:
        require_suiting(dataset, name, self, needs_images(self.config))

    def _weighted(
        self, name: str, dataset: SpikingDataset, weights: npt.ArrayLike | None, may_vanish: bool = False
    ) -> tuple[SpikingDataset, npt.NDArray[np.float32] | None]:
        """Return the samples to learn from, and factors on their errors unless all are 1."""
        if weights is None:
            return dataset, None
        self._suits(name, dataset)
        known = real_array(weights, "sample_weight", (len(dataset),))
        low = known[~(known >= 0)]
        require(low.size == 0, "sample_weight", "must be >= 0", low[:1].tolist(), DataError)
        require(may_vanish or bool(known.any()), "sample_weight", "must not all be 0", "zeros alone", DataError)
        taken = np.flatnonzero(known)
        if len(taken) < len(known):
            dataset, known = dataset[taken], known[taken]
        return dataset, None if len(known) and (known == 1).all() else known

    def _assemble_for(self, train: SpikingDataset) -> None:
        """Make the layers if they waited for a training set."""
        if self._network is None:
            self.config = settled(self.config, train, self.seed)
            self._assemble(train.input_shape)

    @contextlib.contextmanager
    def _as_before_if_refused(self) -> Iterator[None]:
        """Let a training set that is refused in the block decide nothing of a network that waits for one."""
        before = self._network, self.config, self.input_shape
        try:
            yield
        except BaseException:
            self._network, self.config, self.input_shape = before
            raise

    def _classes_for(self, name: str, dataset: SpikingDataset) -> np.ndarray:
        """Return the network's classes, which the first data set to learn from has, and check that it suits."""
        self._suits(name, dataset)
        require_labels(dataset, name)
        name = dataset.source or name
        require(len(dataset) > 0, name, "must hold at least one sample", len(dataset), DataError)
        classes = dataset.classes if self._classes is None else self._classes
        if len(classes) < self.n_classes and np.array_equal(classes, np.arange(len(classes))):
            classes = np.arange(self.n_classes)  # labels are indices already; some classes have no sample
        require(len(classes) == self.n_classes, name, f"must have {self.n_classes} classes", len(classes), DataError)
        return classes

    def _matched_sets(
        self, train: SpikingDataset, val: SpikingDataset | None, test: SpikingDataset | None
    ) -> dict[str, SpikingDataset]:
        """Return the data sets that there are by name, with the network's class indices as labels."""
        classes = self._classes_for("train", train)
        with self._as_before_if_refused():
            self._assemble_for(train)
            data = {"train": in_classes(train, classes, name="train")}
            for name, dataset in (("val", val), ("test", test)):
                if dataset is not None:
                    data[name] = self._matched(name, dataset, classes)
        self._classes = classes
        return data

    def _matched(self, name: str, dataset: SpikingDataset, classes: np.ndarray) -> SpikingDataset:
        """Return a data set to measure with the network's class indices as labels."""
        self._suits(name, dataset)
        require_labels(dataset, name)
        require(len(dataset) > 0, dataset.source or name, "must hold at least one sample", len(dataset), DataError)
        return in_classes(dataset, classes, name=name)

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the network to one ``.npz`` file, atomically; training can go on from it.

        Parameters
        ----------
        path : path-like

        Raises
        ------
        RunError
            If the file cannot be written.
        """
        model_file.save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Readout":
        """Return a network that `save` wrote.

        Raises
        ------
        DataError
            If there is no such file or it holds anything else.
        """
        return model_file.load(cls, path)

    # A pickle holds what a file does, so that pickles, copies and files are the same network and go on alike. It is
    # text and arrays, which libraries can keep that run no code of a file, such as skops.

    def __getstate__(self) -> dict[str, Any]:
        if self._network is None:  # of which there is nothing yet but what was asked for
            shape = self.input_shape if len(self.input_shape) > 1 else None
            sizes = {"n_inputs": self.n_inputs, "n_classes": self.n_classes, "max_time": self.max_time}
            return {"asked": {"config": self.config.to_dict(), **sizes, "seed": self.seed, "input_shape": shape}}
        return model_file.state_of(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        if "asked" in state:
            self.__dict__ = type(self).from_config(**state["asked"]).__dict__
            return
        self.__dict__ = model_file.unpickled(type(self), state["header"], state["arrays"]).__dict__
