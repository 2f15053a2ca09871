"""What a rule suggests to who has no settings yet, such as a classifier that is to learn from any data."""

from collections.abc import Mapping
from typing import Any
from typing import NamedTuple


class Suggestion(NamedTuple):
    """Settings to begin with.

    Attributes
    ----------
    settings : mapping
        Of the rule, by their names.
    times : mapping of float
        Of the rule, as shares of ``max_time``.
    w_norm : bool
    w_min : float
        Of the layer, if it alone learns.
    hidden : tuple of int
        Neurons of each hidden layer, if every layer learns.
    hidden_settings : mapping
        Of the hidden layers, by their names.
    """

    settings: Mapping[str, Any] = {}
    times: Mapping[str, float] = {}
    w_norm: bool = False
    w_min: float = 0.0
    hidden: tuple[int, ...] = ()
    hidden_settings: Mapping[str, Any] = {}
