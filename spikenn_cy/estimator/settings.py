"""The classifier's parameters as settings of a network: what ``"auto"`` means for these data and with this rule."""

import math
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import require
from spikenn_cy.errors import require_one_of
from spikenn_cy.network.thresholds import automatic_threshold
from spikenn_cy.rules import RULES
from spikenn_cy.rules.settings import RuleConfig
from spikenn_cy.rules.suggestion import Suggestion
from spikenn_cy.settings.records import plain
from spikenn_cy.utils.validation import is_real
from spikenn_cy.utils.validation import is_whole
from spikenn_cy.utils.validation import whole_number

REGULATION_SHARE = 0.02

OF_RULES = ("ap", "am", "lr", "t_gap", "class_inhib", "annealing")
OF_REGULATION = ("thr_lr", "thr_anneal", "use_two_thr")
OF_LAYER = ("firing_threshold", "w_init_mean", "w_init_std", "w_norm", "w_min", "w_max", "leak_tau")
OF_TRAINER = ("epochs", "nt_neurons", "dropout_in", "dropout_out", "shuffle")
NUMBERS = {
    "firing_threshold", "w_init_mean", "w_init_std", "w_min", "w_max", "ap", "am", "lr", "t_gap", "annealing",
    "thr_lr", "thr_anneal", "dropout_out",
}  # fmt: skip

# What rules, regulation, layer and trainer begin with where the last layer alone learns.
WEIGHTS = {"w_init_normal": True, "w_init_mean": 0.5, "w_init_std": 0.03, "w_max": 1.0}
RATES = {"class_inhib": True, "annealing": 0.95}  # of rules that have such settings
REGULATION = {"thr_anneal": 0.8, "use_two_thr": True}
DROPOUT_OUT = 0.2


class Chosen(NamedTuple):
    """The rule that the parameter ``rule`` names."""

    name: str
    rule: type[RuleConfig]
    suggestion: Suggestion


def suggested_rules() -> dict[str, tuple[type[RuleConfig], Suggestion]]:
    """Return the rules that say what to begin with, and that, by the names that the parameter ``rule`` takes."""
    return {name: (rule, start) for rule in RULES.values() for name, start in rule.suggestions.items()}


def rule_of(parameters: Mapping[str, Any]) -> RuleConfig:
    """Return the settings of the rule that the parameters ask for, which do not depend on data."""
    chosen = chosen_rule(parameters)
    return chosen.rule.from_plain(*plain(optimizer_of(parameters, chosen)))


def chosen_rule(parameters: Mapping[str, Any]) -> Chosen:
    """Return the rule that the parameters name."""
    rules = suggested_rules()
    require_one_of(parameters["rule"], rules, "rule")
    return Chosen(parameters["rule"], *rules[parameters["rule"]])


def settings_of(parameters: Mapping[str, Any], train: SpikingDataset, n_classes: int) -> dict[str, Any]:
    """Return parameters of `SpikingClassifier` as the sections of a configuration.

    Parameters
    ----------
    parameters : mapping
        By their names, all of them.
    train : SpikingDataset
        What ``"auto"`` is worked out from.
    n_classes : int

    Raises
    ------
    ConfigError
        If a parameter that other code does not check is refused.
    """
    chosen = chosen_rule(parameters)
    n_neurons = whole_number(parameters["neurons_per_class"], "neurons_per_class", 1) * n_classes
    if parameters["early_stopping"]:
        whole_number(parameters["n_iter_no_change"], "n_iter_no_change", 1)
    sections = network_of(parameters, chosen) if chosen.rule.every_layer else layer_of(parameters, chosen, train)
    *_, output = sections["network"]
    output["n_neurons"] = n_neurons
    sections["optimizer"] = optimizer_of(parameters, chosen)
    sections["trainer"] |= {
        "early_stopping": parameters["n_iter_no_change"] if parameters["early_stopping"] else 0,
        **given(parameters, OF_TRAINER),
    }
    return sections


def network_of(parameters: Mapping[str, Any], chosen: Chosen) -> dict[str, Any]:
    """Return the sections ``network`` and ``trainer`` of a network of which every layer learns."""
    refuse(parameters, OF_REGULATION, chosen)
    start, found = chosen.suggestion, parameters["hidden"]
    hidden = start.hidden if is_auto(found) else found
    is_list = isinstance(hidden, tuple | list) and all(is_whole(n) and n >= 1 for n in hidden)
    require(is_list, "hidden", 'must be a tuple of integers >= 1 or "auto"', found)
    layers = [{"n_neurons": int(n), **start.hidden_settings} for n in hidden]
    # What cannot apply is refused with its reason where settings are read.
    return {"network": [*layers, given(parameters, OF_LAYER)], "trainer": {}}


def layer_of(parameters: Mapping[str, Any], chosen: Chosen, train: SpikingDataset) -> dict[str, Any]:
    """Return the sections ``network``, ``regularizer`` and ``trainer`` of one layer that learns."""
    found, rule = parameters["hidden"], f"must not be given with rule {chosen.name} (it trains one layer)"
    require(is_auto(found) or (isinstance(found, tuple | list) and not found), "hidden", rule, found)
    layer = {**WEIGHTS, "w_norm": chosen.suggestion.w_norm, "w_min": chosen.suggestion.w_min}
    layer |= given(parameters, OF_LAYER)
    if "firing_threshold" not in layer:
        layer["firing_threshold"] = automatic_threshold(layer["w_init_mean"], parameters["n_fields"], train)
    regulation = {"thr_lr": REGULATION_SHARE * layer["firing_threshold"], **REGULATION}
    regulation |= given(parameters, OF_REGULATION)
    return {"network": [layer], "regularizer": regulation, "trainer": {"dropout_out": DROPOUT_OUT}}


def optimizer_of(parameters: Mapping[str, Any], chosen: Chosen) -> dict[str, Any]:
    """Return the section ``optimizer``: what is suggested, but for what the parameters say of it."""
    fields, start = chosen.rule.__struct_fields__, chosen.suggestion
    refuse(parameters, [name for name in OF_RULES if name not in fields], chosen)
    settings = {name: value for name, value in RATES.items() if name in fields}
    settings |= start.settings
    settings |= {name: share * parameters["max_time"] for name, share in start.times.items()}
    return {"method": chosen.rule.__struct_config__.tag, **settings, **given(parameters, OF_RULES)}


def given(parameters: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return the parameters among ``names`` that are not left to this module; numbers are checked."""
    values = {name: parameters[name] for name in names if is_given(parameters, name)}
    for name in NUMBERS & values.keys():
        require_real(name, values[name], 'must be a number or "auto"')
    return values


def refuse(parameters: Mapping[str, Any], names: Iterable[str], chosen: Chosen) -> None:
    """Raise `ConfigError` if one of ``names``, which the rule does not have, is given."""
    for name in names:
        rule = f"must not be given with rule {chosen.name} (it has no such setting)"
        require(not is_given(parameters, name), name, rule, parameters[name])


def is_given(parameters: Mapping[str, Any], name: str) -> bool:
    """Return whether a parameter says something: no word "auto", and no None of ``leak_tau``."""
    return not is_auto(parameters[name]) and not (name == "leak_tau" and parameters[name] is None)


def is_auto(value: object) -> bool:
    """Return whether a parameter leaves its value to this module."""
    return isinstance(value, str) and value == "auto"


def require_real(name: str, value: object, rule: str = "must be a number") -> None:
    """Raise `ConfigError` unless the parameter ``name`` is a real number."""
    require(is_real(value), name, rule, value)


def checked_class_weight(given: object) -> Any:
    """Return what ``class_weight`` may be, or raise `ConfigError`, since scikit-learn asks for less and names more."""
    ok = isinstance(given, Mapping) or (isinstance(given, str) and given == "balanced")
    require(ok, "class_weight", 'must be a dict, "balanced" or None', given)
    if isinstance(given, Mapping):
        for label, weight in given.items():
            ok = is_real(weight) and 0 <= weight < math.inf
            require(ok, f"class_weight[{label!r}]", "must be a finite number >= 0", weight)
    return given
