"""The settings that every neuron model shares, which is the type that a layer's configuration asks for."""

from typing import TYPE_CHECKING
from typing import Any

from spikenn_cy.errors import DataError
from spikenn_cy.neurons._base import Neuron
from spikenn_cy.settings.records import Record


class NeuronConfig(Record, frozen=True, kw_only=True):
    """Settings of a neuron model; a subclass has the tag that ``neuron.model`` names."""

    def build(self, n_inputs: int) -> Neuron:
        """Return the compiled model for a layer of ``n_inputs``, for one thread."""
        raise NotImplementedError

    def time_constant(self) -> float:
        """Return the time constant of the potential's exponential leak, infinite without one.

        It is all that files for other software say of a neuron, so a model that differs in
        more keeps this refusal.

        Raises
        ------
        DataError
            If the model is more than that.
        """
        rule = "must be a model that integrates and leaks exponentially, if at all, to be exported"
        raise DataError(f"neuron: {rule}, got {self.__struct_config__.tag}")

    if TYPE_CHECKING:

        def __getattr__(self, key: str) -> Any: ...  # each model has settings of its own
