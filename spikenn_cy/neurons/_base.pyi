"""Type that every neuron model has."""

class Neuron:
    @property
    def leaks(self) -> bool: ...
