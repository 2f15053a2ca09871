"""Samples whose spikes come one after the other, for who cannot wait for the end of a sample to decide on it."""

from typing import TYPE_CHECKING
from typing import Any
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.errors import shown
from spikenn_cy.network._stream import Arrivals
from spikenn_cy.network._stream import EventStream
from spikenn_cy.network.assembly import versions_of
from spikenn_cy.utils.validation import is_real

if TYPE_CHECKING:
    from spikenn_cy.network.readout import Readout

Inputs = npt.NDArray[np.int64]
Times = npt.NDArray[np.float64]


class Stream:
    """Decides on samples while their spikes come; made by `Readout.stream`.

    Spikes of one time are added together before a threshold is tested, so those of a time are looked at once something
    says that there are no more of them: a later spike, `advance` or `end`. What is decided is what ``predict`` decides.

    Attributes
    ----------
    decision : int or str, or None
        Class of the present sample, an element of the network's ``classes``; None while it is open. After `end` it
        stays until the next sample begins.
    decision_time : float or None
        Time of the first output spike; None while, or if, there is none.
    """

    def __init__(self, model: "Readout") -> None:
        self._model = model
        self._made: tuple[Any, EventStream] | None = None
        self._ended = True
        self.decision: Any = None
        self.decision_time: float | None = None
        self._arrivals = Arrivals(model.n_inputs, float(STAMP.type(model.max_time)))
        self._network()

    def __repr__(self) -> str:
        state = "ended" if self._ended else "under way"
        return f"<Stream of {self._model!r}, sample {state}, decision {self.decision!r}>"

    def _network(self) -> EventStream:
        """Return what decides by the weights as they are."""
        version = versions_of(self._model.layers)
        if self._made is None or self._made[0] != version:
            self._made = version, self._model._deciding.streaming()
        return self._made[1]

    def _begin(self) -> None:
        self._stream = self._network()
        self._stream.begin()
        self._changes = [layer.changes for layer in self._model.layers]
        self._ended, self.decision, self.decision_time = False, None, None
        self._arrivals.begin()

    def push(self, inputs: npt.ArrayLike, times: npt.ArrayLike) -> Any:
        """Take the next spikes of the sample, or the first ones of a new sample after `end`.

        Parameters
        ----------
        inputs : int or array-like of int, shape (n_spikes,)
            Which inputs. A further spike of an input that has spiked in this sample is left out, as
            `SpikingDataset.from_events` does.
        times : float or array-like of float, shape (n_spikes,)
            Since the sample began, in ``[0, max_time)``, rounded to float32; rising or equal, and none before those of
            earlier calls.

        Returns
        -------
        decision : int or str, or None
            As the attribute.

        Raises
        ------
        DataError
            If they are no such spikes, of which none is taken then. If the network has learned while the sample was
            under way, which is given up: the next spikes begin another.
        """
        found, moments = self._checked(inputs, times)
        if self._ended:
            self._begin()
        self._require_unchanged()
        if len(found):
            self._arrivals.take(found, moments)
            self._go_on(self._arrivals.now)
        return self.decision

    def advance(self, time: float) -> Any:
        """Take it that no more spikes come before a time, so that what is waiting for others of its time is added.

        Parameters
        ----------
        time : float
            From that of the last spike to ``max_time``.

        Returns
        -------
        decision : int or str, or None
        """
        ok = is_real(time) and 0 <= time <= self._model.max_time
        require(ok, "time", f"must be a number from 0 to {self._model.max_time:g}", time, DataError)
        moment = STAMP.type(time)
        if self._ended:
            self._begin()
        now = self._arrivals.now
        require(bool(moment >= now), "time", f"must not be before {now:g}", time, DataError)
        self._require_unchanged()
        self._arrivals.wait_for(float(moment))
        self._go_on(float(moment))
        return self.decision

    def end(self) -> Any:
        """End the sample; without an output spike the highest potential decides.

        Returns
        -------
        decision : int or str
        """
        if self._ended:
            self._begin()
        self._require_unchanged()
        self._go_on(np.inf)
        self._decide()
        self._ended = True
        return self.decision

    def learn(self, label: Any) -> None:
        """Learn from the sample that has just ended, as ``partial_fit`` does.

        Parameters
        ----------
        label : int or str
            One of the network's ``classes``.

        Raises
        ------
        DataError
            If there is no such class, or no sample has ended since the last one was learned.
        """
        if not self._ended or self.decision is None:
            raise DataError("learn: must come after end, once a sample, got no sample that has ended")
        numbers = np.flatnonzero(self._model.classes == label)
        require(len(numbers) == 1, "label", f"must be one of {shown(self._model.classes.tolist())}", label, DataError)
        inputs, times = self._arrivals.sample()
        sizes = self._model.n_inputs, self._model.max_time, self._model.classes, self._model.input_shape
        self._model.partial_fit(SpikingDataset([0, len(inputs)], inputs, times, numbers, *sizes))
        self.decision = self.decision_time = None

    def _go_on(self, end: float) -> None:
        """Add what is waiting and came before a time."""
        if self._arrivals.go_on(self._stream, end) and self.decision is None:
            self.decision_time = self._stream.decided_at
            self._decide()

    def _decide(self) -> None:
        n_per_class = self._model.layers[-1].n_neurons // self._model.n_classes
        self.decision = self._model.classes[self._stream.winner() // n_per_class]

    def _require_unchanged(self) -> None:
        if [layer.changes for layer in self._model.layers] != self._changes:
            self._ended, self.decision, self.decision_time = True, None, None
            rule = "must not change while a sample is under way, which is given up"
            raise DataError(f"network: {rule}, got other weights or thresholds")

    def _checked(self, inputs: npt.ArrayLike, times: npt.ArrayLike) -> tuple[Inputs, Times]:
        """Return spikes as arrays, or say what is wrong with them; it is looked for in detail if anything is."""
        try:
            found, given = np.asarray(inputs).reshape(-1), np.asarray(times).reshape(-1)
        except ValueError as problem:
            raise DataError(f"inputs, times: must be arrays of one axis, got {problem}") from None
        for name, array, kinds, rule in (
            ("inputs", found, "iu", "must be whole numbers"),
            ("times", given, "iuf", "must be real numbers"),
        ):
            if array.dtype.kind not in kinds and array.size:
                raise DataError(f"{name}: {rule}, got {array.dtype}")
        if len(found) != len(given):
            raise DataError(f"times: must be {len(found)}, one for each input, got {len(given)}")
        units = np.ascontiguousarray(found, np.int64)  # what does not fit is out of range whatever becomes of it
        if given.dtype.kind == "f" and given.dtype.itemsize <= 8:
            moments = np.ascontiguousarray(given, np.float64)
        else:  # rounded once
            with np.errstate(over="ignore"):
                moments = given.astype(STAMP).astype(np.float64)
        if self._arrivals.first_wrong(units, moments, self._ended) < len(units):
            self._refuse(found, given)
        return units, moments

    def _refuse(self, inputs: npt.NDArray[Any], times: npt.NDArray[Any]) -> NoReturn:
        """Say what is wrong with spikes that cannot come next."""
        self._require_in_range(inputs, times)
        moments = times.astype(STAMP)
        before = np.concatenate([[STAMP.type(0 if self._ended else self._arrivals.now)], moments[:-1]])
        k = int(np.flatnonzero(moments < before)[0])
        raise DataError(f"times[{k}]: must not be before {before[k]:g}, the time of a spike that has come")

    def _require_in_range(self, inputs: npt.NDArray[Any], times: npt.NDArray[Any]) -> None:
        n_inputs, end = self._model.n_inputs, self._model.max_time
        if not (inputs.min() >= 0 and inputs.max() < n_inputs):
            k = int(np.flatnonzero((inputs < 0) | (inputs >= n_inputs))[0])
            raise DataError(f"inputs[{k}]: must be from 0 to {n_inputs - 1}, got {inputs[k]}")
        if not (times.min() >= 0 and times.max() < end and STAMP.type(times.max()) < STAMP.type(end)):
            with np.errstate(over="ignore"):
                k = int(np.flatnonzero(~((times >= 0) & (times.astype(STAMP) < STAMP.type(end))))[0])
            raise DataError(f"times[{k}]: must be in [0, {end:g}), got {times[k]}")
