"""The classifier's parameters as settings of a network: what ``"auto"`` means for these data and with this rule."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import require
from spikenn_cy.errors import require_one_of
from spikenn_cy.rules import RULES
from spikenn_cy.rules.settings import RuleConfig
from spikenn_cy.rules.suggestion import Suggestion
from spikenn_cy.utils.validation import is_real
from spikenn_cy.utils.validation import whole_number

THRESHOLD_SHARE = {1: 0.6, 2: 0.6}  # by the number of fields
THRESHOLD_SHARE_OF_MORE_FIELDS = 0.8
REGULATION_SHARE = 0.02
OF_RULES = ("ap", "am", "lr", "t_gap", "class_inhib", "annealing")  # go to a rule that has such settings


def suggested_rules() -> dict[str, tuple[type[RuleConfig], Suggestion]]:
    """Return the rules that say what to begin with, and that, by the names that the parameter ``rule`` takes."""
    return {name: (rule, start) for rule in RULES.values() for name, start in rule.suggestions.items()}


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
    rules = suggested_rules()
    require_one_of(parameters["rule"], rules, "rule")
    rule, suggestion = rules[parameters["rule"]]
    whole_number(parameters["neurons_per_class"], "neurons_per_class", 1)
    if parameters["early_stopping"]:
        whole_number(parameters["n_iter_no_change"], "n_iter_no_change", 1)
    threshold = number(parameters, "firing_threshold", automatic_threshold(parameters, train))
    w_norm = parameters["w_norm"]
    layer = {
        "n_neurons": parameters["neurons_per_class"] * n_classes,
        "firing_threshold": threshold,
        "w_init_normal": True,
        "w_norm": suggestion.w_norm if is_auto(w_norm) else w_norm,
        "w_min": number(parameters, "w_min", suggestion.w_min),
        **{name: parameters[name] for name in ("w_init_mean", "w_init_std", "w_max", "leak_tau")},
    }
    trainer = ("epochs", "nt_neurons", "dropout_in", "dropout_out", "shuffle")
    return {
        "network": [layer],
        "optimizer": optimizer_of(parameters, rule, suggestion),
        "regularizer": {
            "thr_lr": number(parameters, "thr_lr", REGULATION_SHARE * threshold),
            **{name: parameters[name] for name in ("thr_anneal", "use_two_thr")},
        },
        "trainer": {
            "early_stopping": parameters["n_iter_no_change"] if parameters["early_stopping"] else 0,
            **{name: parameters[name] for name in trainer},
        },
    }


def optimizer_of(parameters: Mapping[str, Any], rule: type[RuleConfig], suggestion: Suggestion) -> dict[str, Any]:
    """Return the section ``optimizer``: what is suggested, but for what the parameters say of it."""
    start = dict(suggestion.settings)
    start |= {name: share * parameters["max_time"] for name, share in suggestion.times.items()}
    given = {
        name: number(parameters, name, start[name]) if name in start else parameters[name]
        for name in OF_RULES
        if name in rule.__struct_fields__
    }
    return {"method": rule.__struct_config__.tag, **start, **given}


def automatic_threshold(parameters: Mapping[str, Any], train: SpikingDataset) -> float:
    """Return what a share of an average sample's spikes give to a neuron with initial weights."""
    n_fields = parameters["n_fields"]
    # A first call of partial_fit may bring one sample. A single sample has no range, and so no spike.
    n_spikes = len(train.indices) / len(train) or train.n_inputs // n_fields * min(n_fields, 2)
    # Where most values are 0, most of their fields spike at time 0. All of these spikes count in full: a threshold
    # below their sum would decide every sample before any other spike.
    n_at_once = 0.0 if n_fields == 1 else np.count_nonzero(train.timestamps == 0) / len(train)
    require_real("w_init_mean", parameters["w_init_mean"])
    share = THRESHOLD_SHARE.get(n_fields, THRESHOLD_SHARE_OF_MORE_FIELDS)
    return float(parameters["w_init_mean"] * (n_at_once + share * (n_spikes - n_at_once)))


def number(parameters: Mapping[str, Any], name: str, auto: float) -> Any:
    """Return the parameter ``name``, or ``auto`` if it says so."""
    value = parameters[name]
    if is_auto(value):
        return auto
    require_real(name, value, 'must be a number or "auto"')
    return value


def is_auto(value: object) -> bool:
    """Return whether a parameter leaves its value to this module."""
    return isinstance(value, str) and value == "auto"


def require_real(name: str, value: object, rule: str = "must be a number") -> None:
    """Raise `ConfigError` unless the parameter ``name`` is a real number."""
    require(is_real(value), name, rule, value)
