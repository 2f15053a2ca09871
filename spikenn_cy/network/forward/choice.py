"""Which way a layer's samples are trained in is measured here, so that its trainer need not know the ways.

A way is how first spikes are found, and how many threads share a sample. Whether threads pay is not known before they
were timed: they wait for each other some times a sample, and neighbours on the same processors make every wait longer.
So a training begins with one thread, then one and all that are worth a try are timed, and since neighbours come and
go, again now and then, at a cost that `Autotuner` bounds.
"""

from typing import TYPE_CHECKING
from typing import NamedTuple

from spikenn_cy.errors import ConfigError
from spikenn_cy.network._weights import InputMajorWeights
from spikenn_cy.network.forward import FORWARDS
from spikenn_cy.network.forward._base import Forward
from spikenn_cy.network.forward._exact import ExactForward
from spikenn_cy.network.forward._input_major import InputMajorForward
from spikenn_cy.network.forward.screening._screening import ScreeningForward
from spikenn_cy.network.sharing import numbers_to_time
from spikenn_cy.network.sharing import threads_in_a_sample
from spikenn_cy.regulators._base import Regulator
from spikenn_cy.rules._base import Rule
from spikenn_cy.utils.autotune import ITEMS
from spikenn_cy.utils.autotune import Autotuner
from spikenn_cy.utils.autotune import Found

if TYPE_CHECKING:
    from spikenn_cy.network.layer import Layer

AUTO = "auto"
WORTH_TIMING = 8 * ITEMS  # samples that a training has at least before ways are compared
FEWEST_SIDE_BY_SIDE = 32  # neurons; one that learns writes whole cache lines, which fewer do not pay for

# By the shape of a layer, its number of inputs and neurons and how many of them compete, and by what was compared.
# Trainings of a grid or of folds follow one another in a process, and each may be too short to compare ways for.
_found: dict[tuple[object, ...], Found] = {}


class Way(NamedTuple):
    """One way to train on samples; all give the same bits."""

    forward: Forward
    n_threads: int


def check_forward(name: str) -> None:
    """Raise `ConfigError` unless ``name`` is a key of ``FORWARDS`` or ``"auto"``."""
    if name != AUTO and name not in FORWARDS:
        raise ConfigError(f"forward: must be one of {', '.join([AUTO, *FORWARDS])}, got {name!r}")


class ForwardChoice:
    """The ways that serve a layer that learns, and which of them is taken now.

    Parameters
    ----------
    layer : Layer
    layout : tuple of int
        ``(n_classes, n_per_class, n_non_target)``.
    rule : Rule
    regulator : Regulator

    Attributes
    ----------
    way : Way
        To be taken now.
    """

    def __init__(self, layer: "Layer", layout: tuple[int, int, int], rule: Rule, regulator: Regulator) -> None:
        self._layer, self._layout = layer, layout
        self._shape = (layer.n_inputs, layer.n_neurons, layout[1])
        ends_as_one = rule.stops_at == "layer"
        # Only exact sums give potentials, and of a layer that ends as a whole no class goes on to another spike.
        self._side_by_side = ends_as_one and not regulator.to_first_target and not rule.needs_potentials
        self._screened = not (ends_as_one or rule.needs_potentials or layer.make_neuron().leaks)
        self._exact = ExactForward(layer.rows, layout, layer.max_time)
        self._input_major: InputMajorForward | None = None
        self._screening: ScreeningForward | None = None
        self._n_samples = 0  # of this training so far
        self._take([self._exact], 1)

    @property
    def way(self) -> Way:
        return self._ways[self._tuner.way]

    def look(self, name: str, n_threads: int, n_samples: int, n_spikes: int) -> None:
        """Choose for a call that trains on so many samples with so many input spikes.

        Parameters
        ----------
        name : str
            A key of ``FORWARDS``, which is taken if it serves the layer, or ``"auto"``.
        n_threads : int
            At most.
        n_samples, n_spikes : int
        """
        forwards = self._serving(name, n_spikes)
        most = 1 if n_threads == 1 else threads_in_a_sample(self._layer.n_inputs * self._layer.n_neurons, n_threads)
        if forwards != self._forwards or most != self._most_threads:
            self._take(forwards, most)
        self._n_samples += n_samples

    def _take(self, forwards: list[Forward], most: int) -> None:
        self._forwards, self._most_threads = forwards, most
        self._ways = [Way(forward, number) for number in numbers_to_time(most) for forward in forwards]
        self._key = *self._shape, *((type(forward), number) for forward, number in self._ways)
        self._tuner = Autotuner(len(self._ways), _found.get(self._key))

    def limit(self, n_samples: int) -> int:
        """Return how many of so many samples may be trained on before the choice is asked again."""
        if self._n_samples >= WORTH_TIMING:
            self._tuner.look_again()
        return self._tuner.limit(n_samples)

    def note(self, n_samples: int, seconds: float) -> None:
        """Take down how long so many samples took in this ``way``."""
        self._tuner.note(n_samples, seconds)
        if len(self._ways) > 1 and self._tuner.found is not None:
            _found[self._key] = self._tuner.found

    def _serving(self, name: str, n_spikes: int) -> list[Forward]:
        """Return the ways among which the clock decides."""
        layer, forced = self._layer, name != AUTO
        if self._side_by_side and name in (AUTO, "input_major"):
            wide = layer.n_neurons >= FEWEST_SIDE_BY_SIDE
            copy = layer.input_major(n_spikes, at_once=forced) if wide or forced else None
            if copy is not None:
                return [self._following(copy)]
        if self._screened and name in (AUTO, "screening") and ScreeningForward.serves(layer.rows, self._layout[1]):
            if self._screening is None:
                self._screening = ScreeningForward(layer.rows, self._layout, layer.max_time)
            return [self._screening] if forced else [self._screening, self._exact]
        return [self._exact]

    def _following(self, copy: InputMajorWeights) -> InputMajorForward:
        if self._input_major is None or self._input_major.copy is not copy:
            self._input_major = InputMajorForward(self._layer.rows, self._layout, self._layer.max_time, copy)
        return self._input_major
