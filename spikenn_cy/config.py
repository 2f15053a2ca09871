"""A whole experiment as one frozen record: network, learning rule, regulation of the competition and training."""

import itertools
import math
import warnings
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Annotated
from typing import Any
from typing import ClassVar
from typing import Literal

from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import require
from spikenn_cy.layers import LAYERS
from spikenn_cy.layers.settings import AUTO
from spikenn_cy.layers.settings import LayerSettings
from spikenn_cy.layers.settings import single
from spikenn_cy.neurons import NEURONS
from spikenn_cy.neurons import of_leak
from spikenn_cy.neurons.settings import NeuronConfig
from spikenn_cy.regulators import REGULATORS
from spikenn_cy.regulators.settings import RegulatorConfig
from spikenn_cy.rules import RULES
from spikenn_cy.rules.settings import RuleConfig
from spikenn_cy.settings.convert import Family
from spikenn_cy.settings.convert import Field
from spikenn_cy.settings.convert import Kind
from spikenn_cy.settings.convert import build
from spikenn_cy.settings.convert import convert
from spikenn_cy.settings.convert import fields_of
from spikenn_cy.settings.records import Record
from spikenn_cy.settings.records import all_doubts
from spikenn_cy.settings.records import plain
from spikenn_cy.settings.records import with_source
from spikenn_cy.settings.strictjson import JSONPath
from spikenn_cy.settings.strictjson import dotted
from spikenn_cy.settings.validation import InvalidSetting
from spikenn_cy.settings.validation import at
from spikenn_cy.settings.validation import json_text
from spikenn_cy.utils.tables import as_html

GRID_ORDER = ("network", "regularizer", "optimizer", "trainer")  # the last one changes fastest
LARGEST_GRID = 1_000_000  # runs; a longer list is a slip, and would not fit into memory


class LayerConfig(LayerSettings, frozen=True, kw_only=True, tag_field="type", tag="dense"):
    """One layer of ``"network": [...]``, of which the last one alone learns.

    ``firing_threshold`` is in units of potential; ``"auto"`` is a number chosen for the data of the
    first ``fit`` (docs/configuration.md). Weights are drawn from a normal
    distribution (``w_init_normal``, with ``w_init_mean`` and ``w_init_std``) or else
    uniformly from ``[w_min, w_max]``, and kept in that range. With ``w_norm`` every
    neuron's sum of absolute weights stays as it was when training began. ``neuron`` has
    the model's settings; ``leak_tau``, the time constant of the leak in the data's unit
    of time, is short for a leaky one. Without either nothing leaks.
    """

    later: ClassVar[tuple[str, ...]] = ("neuron",)
    inapplicable: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("rate", "dropout"), "only rules that train every layer of a network, such as decision_time, take it"
    )

    n_neurons: int
    firing_threshold: float | Literal["auto"]
    w_init_normal: bool = False
    w_init_mean: float = 0.5
    w_init_std: float = 0.01
    w_norm: bool = False
    w_min: float = 0.0
    w_max: float = 1.0
    leak_tau: float | None = None
    neuron: Annotated[NeuronConfig, Family("model", NEURONS)] | None = None

    def check(self) -> None:
        self.rule(0 < self.n_neurons < 2**31, "n_neurons", "must be from 1 to 2147483647")
        self.check_threshold()
        self.rule(self.w_init_std >= 0, "w_init_std", "must be >= 0")
        self.rule(single(self.w_min) < single(self.w_max), "w_min", f"must be below w_max = {self.w_max}")
        self.rule(self.leak_tau is None or self.leak_tau > 0, "leak_tau", "must be > 0 or null")
        self.rule(self.leak_tau is None or self.neuron is None, "leak_tau", "must not be given beside neuron")

    @property
    def mean_weight(self) -> float:
        """Mean of the distribution of initial weights, if it is narrow."""
        low, high = self.w_min, self.w_max
        return min(max(self.w_init_mean, low), high) if self.w_init_normal else (low + high) / 2

    @property
    def neuron_model(self) -> NeuronConfig:
        """Settings of the layer's neuron model, however it was chosen."""
        return of_leak(self.leak_tau) if self.neuron is None else self.neuron


# By whether the rule trains every layer.
LAYERS_OF: dict[bool, Mapping[str, type[LayerSettings]]] = {False: {"dense": LayerConfig}, True: LAYERS}


class AugmentConfig(Record, frozen=True, kw_only=True):
    """``"augment": {...}``: how images change before each sample is trained on.

    ``shift`` moves them by up to so many rows and columns, at random, and ``flip`` turns half of them from left to
    right. Spikes that leave the frame are lost.
    """

    shift: int = 0
    flip: bool = False

    def check(self) -> None:
        self.rule(0 <= self.shift < 2**12, "shift", "must be from 0 to 4095")


class TrainerConfig(Record, frozen=True, kw_only=True):
    """``"trainer": {...}``: how long to train and what is left out meanwhile.

    ``early_stopping`` is the number of epochs without a better validation accuracy after
    which training stops (0: never). ``nt_neurons`` neurons of each class learn as
    non-target neurons. ``dropout_in`` and ``dropout_out`` are the shares of inputs and
    output neurons left out of a training sample. A run whose training or validation
    accuracy is below ``gridsearch_stop_acc`` after the epoch of index 3 or a later one
    is given up. ``shuffle`` puts the samples into a new order before every epoch.
    ``augment`` changes images before they are trained on. ``keep`` says of which epoch
    the network is when training ends: the last one, or the first one with the ``"best"``
    validation accuracy.
    """

    later: ClassVar[tuple[str, ...]] = ("augment", "keep")

    epochs: int = 100
    early_stopping: int = 0
    nt_neurons: int = 0
    dropout_in: float = 0.0
    dropout_out: float = 0.0
    gridsearch_stop_acc: float = 0.0
    shuffle: bool = False
    augment: AugmentConfig | None = None
    keep: Literal["last", "best"] = "last"

    def check(self) -> None:
        for key in ("epochs", "early_stopping", "nt_neurons"):
            self.rule(getattr(self, key) >= 0, key, "must be >= 0")
        for key in ("dropout_in", "dropout_out"):
            self.rule(0 <= getattr(self, key) < 1, key, "must be >= 0 and < 1")
        self.rule(0 <= self.gridsearch_stop_acc <= 1, "gridsearch_stop_acc", "must be from 0 to 1")


class ExperimentConfig(Record, frozen=True, kw_only=True):
    """All settings of a run, in the sections of a JSON file.

    The last layer of ``network`` learns by the rule that ``optimizer.method`` names, or every layer does if the rule
    trains every layer; without ``regularizer`` the competition inside a class is not regulated.

    Examples
    --------
    >>> config = ExperimentConfig.from_any({
    ...     "network": [{"n_neurons": 50, "firing_threshold": 10}],
    ...     "optimizer": {"method": "s2stdp", "ap": 0.1, "am": -0.05, "t_gap": 0.01},
    ... })
    >>> config.optimizer.ap
    0.1
    """

    network: tuple[LayerSettings, ...]
    optimizer: Annotated[RuleConfig, Family("method", RULES)]
    regularizer: Annotated[RegulatorConfig, Family("method", REGULATORS, default="competition")] | None = None
    trainer: TrainerConfig = TrainerConfig()

    def _repr_html_(self) -> str:
        rows = [["setting", "value"]]
        for section, part in self.to_dict().items():
            entries = enumerate(part) if isinstance(part, list) else [(None, part)]
            for position, settings in entries:
                place = section if position is None else f"{section}[{position}]"
                pairs = settings.items() if isinstance(settings, dict) else [(None, settings)]
                rows += [[place if key is None else f"{place}.{key}", json_text(value)] for key, value in pairs]
        return as_html(self.where or "settings", rows)

    def kind_of(self, key: str, field: Field) -> Kind:
        """Return what a field may hold: layers are those that the rule can train."""
        if key != "network":
            return field.kind
        rule = convert(self.optimizer, fields_of(ExperimentConfig)["optimizer"].kind, ("optimizer",))
        return Kind(items=Kind(record=Family("type", LAYERS_OF[rule.every_layer], default="dense")))

    @property
    def waits_for_data(self) -> bool:
        """Whether a threshold is to be chosen for the training set before there can be a network."""
        return any(layer.firing_threshold == AUTO for layer in self.network)

    def check(self) -> None:
        self.rule(len(self.network) > 0, "network", "must hold at least one layer")
        if self.optimizer.every_layer:
            self._check_for_every_layer()
        elif self.trainer.augment is not None:
            reason = "only rules that train every layer see images"
            raise self._out_of_place(("trainer", "augment"), reason, self.trainer.augment.to_dict())

    def _check_for_every_layer(self) -> None:
        """Raise unless the other sections suit a rule that trains every layer."""
        trainer, reason = self.trainer, "a rule that trains every layer has none"
        for key in ("nt_neurons", "dropout_in"):
            if getattr(trainer, key):
                raise self._out_of_place(("trainer", key), reason, getattr(trainer, key))
        if trainer.dropout_out:
            reason = "layers of a network that learns in every layer have a dropout of their own"
            raise self._out_of_place(("trainer", "dropout_out"), reason, trainer.dropout_out)
        if self.regularizer is not None:
            raise self._out_of_place(("regularizer",), reason, self.regularizer.to_dict())
        last = len(self.network) - 1
        for position, layer in enumerate(self.network):
            tag = layer.__struct_config__.tag
            if tag not in self.optimizer.layer_types:
                raise self._out_of_place(("network", position, "type"), "it trains dense layers alone", tag)
            if position == last and tag != "dense":
                raise InvalidSetting(("network", position, "type"), "must be dense in the last layer", json_text(tag))
            if position > 0 and layer.patch is not None:
                raise InvalidSetting(
                    ("network", position, "type"), "must be dense above the first layer", json_text(tag)
                )
        if self.network[last].dropout:
            found = json_text(self.network[last].dropout)
            raise InvalidSetting(
                ("network", last, "dropout"), "must be 0 in the last layer, whose spikes decide", found
            )

    def _out_of_place(self, path: JSONPath, reason: str, found: Any) -> InvalidSetting:
        method = self.optimizer.__struct_config__.tag
        return InvalidSetting(path, f"must not be given with method {method} ({reason})", json_text(found))

    def check_against(
        self, n_classes: int, where: str | None = None, input_shape: tuple[int, ...] | None = None
    ) -> None:
        """Raise `ConfigError` unless the settings suit data of ``n_classes`` classes and, if it is given, this shape.

        ``where`` names the source of the settings in the message, if they do not know it.
        """
        where = where or self.where
        n_neurons, nt_neurons = self.network[-1].n_neurons, self.trainer.nt_neurons
        place = at(where, f"network[{len(self.network) - 1}].n_neurons")
        require(n_neurons % n_classes == 0, place, f"must be a multiple of the {n_classes} classes", n_neurons)
        per_class = n_neurons // n_classes
        place = at(where, "trainer.nt_neurons")
        require(nt_neurons < per_class, place, f"must be less than the {per_class} neurons of a class", nt_neurons)
        if self.optimizer.every_layer and input_shape is not None:
            self._check_shapes(where, input_shape)

    def _check_shapes(self, where: str | None, input_shape: tuple[int, ...]) -> None:
        """Raise unless every layer can stand on the units below."""
        if self.trainer.augment is not None and len(input_shape) not in (2, 3):
            rule = "must be given for images alone: data whose input_shape is (rows, columns) or one axis more"
            require(False, at(where, "trainer.augment"), rule, f"inputs of shape {input_shape}")
        for position, layer in enumerate(self.network):
            try:
                layer.check_against(input_shape)
            except InvalidSetting as invalid:
                invalid.path = ("network", position, *invalid.path)
                raise ConfigError(invalid.message_for(where)) from None
            input_shape = layer.output_shape(input_shape)


def is_grid(config: object) -> bool:
    """Return whether ``config`` (dictionary or JSON file) holds a list of values to try."""
    raw, _ = plain(config)
    return next(_dimensions(raw), None) is not None


def grid_dimensions(config: object) -> dict[str, list[Any]]:
    """Return the values to try of every dimension of a grid by JSON path, the one that varies slowest first."""
    raw, _ = plain(config)
    return {dotted(path): values for path, values in _dimensions(raw)}


def expand_grid(config: object, where: str | None = None) -> list[ExperimentConfig]:
    """Return the settings of every run of a grid, in the order in which runs are numbered.

    A list in place of a value, in a layer of ``network``, in ``regularizer``,
    ``optimizer`` or ``trainer``, is a dimension of the grid. The runs are the cartesian
    product: sections vary in the order just given, network slowest, keys inside a section
    in the order in which they stand there, the last one fastest.

    Parameters
    ----------
    config : dict, str or path-like
        As for `ExperimentConfig.from_any`. Without any list it is a grid of one run.
    where : str, optional
        Name of the source in messages; the path if ``config`` is one.

    Raises
    ------
    ConfigError
        If one run of the grid would be refused; the place names the value in its list.

    Warns
    -----
    ConfigWarning
        Once for each value that is legal but looks like a slip.
    """
    raw, where = plain(config, where)
    dimensions = list(_dimensions(raw))
    for path, values in dimensions:
        require(len(values) > 0, at(where, dotted(path)), "must hold at least one value to try", values)
    n_runs = math.prod(len(values) for _, values in dimensions)
    require(n_runs <= LARGEST_GRID, where or "config", f"must have at most {LARGEST_GRID} runs", n_runs)
    runs: list[ExperimentConfig] = []
    doubts: dict[tuple[str, str], None] = {}
    for positions in itertools.product(*(range(len(values)) for _, values in dimensions)):
        point, places = _copied(raw), {}
        for (path, values), position in zip(dimensions, positions, strict=True):
            _put(point, path, values[position])
            places[path] = (*path, position)
        try:
            run = with_source(build(ExperimentConfig, point), where)
        except InvalidSetting as invalid:
            invalid.path = places.get(invalid.path, invalid.path)
            raise ConfigError(invalid.message_for(where)) from None
        runs.append(run)
        named = {dotted(path): dotted(place) for path, place in places.items()}
        doubts |= {(named.get(key, key), why): None for key, why in all_doubts(run)}
    for place, why in doubts:
        warnings.warn(ConfigWarning(f"{at(where, place)}: {why}"), stacklevel=2)
    return runs


def _dimensions(raw: object) -> Iterator[tuple[JSONPath, list[Any]]]:
    """Yield path and values of every list-valued entry, slowest first."""
    for section in GRID_ORDER:
        entries = raw.get(section) if isinstance(raw, dict) else None
        if section == "network" and isinstance(entries, list):
            for position, layer in enumerate(entries):
                yield from _lists(layer, (section, position))
        else:
            yield from _lists(entries, (section,))


def _lists(part: object, path: JSONPath) -> Iterator[tuple[JSONPath, list[Any]]]:
    """Yield path and values of the lists in an object, and in the objects in it."""
    for key, value in part.items() if isinstance(part, dict) else ():
        if isinstance(value, list):
            yield (*path, key), value
        else:
            yield from _lists(value, (*path, key))


def _copied(raw: object) -> Any:
    """Return a copy of JSON values that can be filled in."""
    if isinstance(raw, dict):
        return {key: _copied(value) for key, value in raw.items()}
    return [_copied(value) for value in raw] if isinstance(raw, list) else raw


def _put(raw: Any, path: JSONPath, value: object) -> None:
    for step in path[:-1]:
        raw = raw[step]
    raw[path[-1]] = value
