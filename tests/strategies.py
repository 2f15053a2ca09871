"""Random small networks with the data that goes wrong: ties, silence, one spike, one class, one neuron.

A *case* is everything a run needs. Its traits are drawn one by one, so that hypothesis shrinks to the plainest case
that still fails; its numbers come from a seed. Cases are plain data: a configuration in the vocabulary of the JSON
files, CSR arrays, weights.
"""

from itertools import product

import numpy as np
import pytest
from hypothesis import strategies as st
from tables import pairwise

# From the plainest on: hypothesis shrinks towards the first value.
TRAITS = {
    "rule": ("s2stdp", "sstdp", "rstdp", "s4nn", "s4nn-exact"),
    "stdp": ("additive", "multiplicative"),
    "regulator": (None, "two thresholds", "one threshold"),
    "w_norm": (False, True),
    "dropout": (None, "outputs", "inputs", "both"),
    "neuron": ("if", "lif"),
    "class_inhib": (False, True),
    "ignore_silent": (False, True),
    "anti_rates": (False, True),
    "adaptive_lr": (None, True, False),
    "shuffle": (False, True),
    "t_gap": (0.05, 0.0, 0.7),
    "n_classes": (2, 1, 3),
    "neurons_per_class": (2, 1, 3, 5),
    "nt_neurons": (0, 1, 2),
    "hidden": ((), (4,), (17, 3)),
    "n_inputs": (5, 1, 2, 16, 17, 40),
    "n_samples": (6, 1, 20),
    "spikes": ("distinct", "tied", "sparse"),
    "max_time": (1.0, 0.1, 25.0),
    "weights": ("positive", "mixed", "coarse", "unclipped"),
    "threshold": ("middle", "low", "out of reach"),
}

# What must meet everything else at least once.
CROSSED = ("rule", "stdp", "regulator", "w_norm", "dropout", "neuron")


def case(seed, **traits):
    """Build a case: ``config``, ``data`` (CSR arrays), ``shape`` of the network, ``weights`` of each layer, ``seed``.

    Traits that are left out are drawn from the seed as well, the plainest every other time.
    """
    rng = np.random.default_rng(seed)
    drawn = {trait: values[rng.integers(len(values)) * rng.integers(2)] for trait, values in TRAITS.items()}
    traits = {**drawn, **traits}
    traits["nt_neurons"] = min(traits["nt_neurons"], traits["neurons_per_class"] - 1)
    sizes = [*traits["hidden"], traits["n_classes"] * traits["neurons_per_class"]]
    fan_in = [traits["n_inputs"], *traits["hidden"]]
    return {
        "config": config(sizes, fan_in, traits, rng),
        "data": data(traits, rng),
        "shape": {key: traits[key] for key in ("n_inputs", "n_classes", "max_time")},
        "weights": [weights((n, m), traits, rng) for n, m in zip(sizes, fan_in, strict=True)],
        "seed": seed,
    }


def config(sizes, fan_in, traits, rng):
    """A configuration, with the optional keys only where a trait asks for them."""
    layers = [layer(n, m, traits, rng) for n, m in zip(sizes, fan_in, strict=True)]
    layers[-1]["w_norm"] = traits["w_norm"]
    trainer = {"epochs": 2, "early_stopping": 0}
    if traits["nt_neurons"]:
        trainer["nt_neurons"] = traits["nt_neurons"]
    if traits["dropout"] in ("outputs", "both"):
        trainer["dropout_out"] = float(rng.choice([0.2, 0.5, 0.9]))
    if traits["dropout"] in ("inputs", "both"):
        trainer["dropout_in"] = float(rng.choice([0.2, 0.5, 0.9]))
    if traits["shuffle"]:
        trainer["shuffle"] = True
    whole = {"network": layers, "optimizer": optimizer(traits, rng), "trainer": trainer}
    if traits["regulator"]:
        step = 0.3 * layers[-1]["firing_threshold"]
        whole["regularizer"] = {"thr_lr": step, "thr_anneal": float(rng.choice([0.5, 1.0]))}
        if traits["regulator"] == "one threshold":
            whole["regularizer"]["use_two_thr"] = False
    return whole


def layer(n_neurons, n_inputs, traits, rng):
    """One layer's settings; a threshold in the middle is met by some neurons, some of the time."""
    w_min, w_max = {"mixed": (-1.0, 1.0), "unclipped": (0.2, 0.8)}.get(traits["weights"], (0.0, 1.0))
    threshold = {"middle": 0.1, "low": 0.001, "out of reach": 1e3}[traits["threshold"]] * n_inputs
    if traits["weights"] == "coarse":
        threshold = max(0.25, np.round(4 * threshold) / 4)
    settings = {
        "n_neurons": n_neurons, "firing_threshold": float(threshold), "w_init_normal": bool(rng.integers(2)),
        "w_init_mean": 0.5, "w_init_std": 0.1, "w_norm": False, "w_min": w_min, "w_max": w_max,
    }  # fmt: skip
    if traits["neuron"] == "lif":
        settings["leak_tau"] = float(rng.choice([0.1, 1.0])) * traits["max_time"]
    return settings


def optimizer(traits, rng):
    """The rule's settings, with rates large enough to reach the limits of the weights."""
    rule, t_gap = traits["rule"], traits["t_gap"] * traits["max_time"]
    if rule.startswith("s4nn"):
        settings = {"method": "s4nn", "lr": 0.2, "t_gap": t_gap, "class_inhib": traits["class_inhib"]}
        return {**settings, "annealing": 0.9, **({"use_time_ranges": False} if rule == "s4nn-exact" else {})}
    settings = {"method": rule, "stdp": traits["stdp"], "ap": 0.3, "am": -0.2, "annealing": 0.9}
    if rule == "rstdp":
        if traits["adaptive_lr"] is not None:
            settings["adaptive_lr"] = traits["adaptive_lr"]
    else:
        settings |= {"method": "s2stdp", "t_gap": t_gap, "class_inhib": traits["class_inhib"]}
        if rule == "sstdp":
            settings["use_time_ranges"] = True
    if traits["stdp"] == "multiplicative":
        settings |= {"beta": float(rng.choice([0.5, 2.0])), "w_min": -1.5, "w_max": 1.5}
    if traits["ignore_silent"]:
        settings["ignore_silent"] = True
    if traits["anti_rates"]:
        settings |= {"anti_ap": -0.1, "anti_am": 0.25}
    return settings


def weights(size, traits, rng):
    """Read-only weights to assign.

    ``coarse`` ones are quarters: potentials are equal to each other and to thresholds. ``unclipped`` ones lie outside
    their limits, some rows altogether.
    """
    drawn = rng.normal(0.5, 0.2, size)
    if traits["weights"] == "coarse":
        drawn = np.maximum(np.round(4 * drawn), 1) / 4
    elif traits["weights"] != "positive":
        drawn *= rng.choice([-1.0, 1.0], size, p=[0.3, 0.7])
    if traits["weights"] == "unclipped":
        drawn[rng.random(len(drawn)) < 0.3] -= 1
    drawn = drawn.astype(np.float32)
    drawn.flags.writeable = False
    return drawn


def data(traits, rng):
    """Read-only CSR arrays: equal times in any order, samples with few spikes or none, inputs that never fire."""
    n_samples, n_inputs, max_time = traits["n_samples"], traits["n_inputs"], traits["max_time"]
    density = {"distinct": 0.8, "tied": 0.9, "sparse": 0.15}[traits["spikes"]]
    never = rng.random(n_inputs) < 0.1
    indptr, indices, timestamps = [0], [], []
    for _ in range(n_samples):
        fires = np.flatnonzero((rng.random(n_inputs) < rng.choice([density, 0.0], p=[0.9, 0.1])) & ~never)
        moments = rng.integers(0, 5, len(fires)) / 5 if traits["spikes"] == "tied" else rng.random(len(fires))
        times = (moments * max_time * 0.99).astype(np.float32)
        shuffled = rng.permutation(len(fires))
        in_order = shuffled[np.argsort(times[shuffled], kind="stable")]
        indices.append(fires[in_order])
        timestamps.append(times[in_order])
        indptr.append(indptr[-1] + len(fires))
    arrays = {
        "indptr": np.array(indptr, np.int64),
        "indices": np.concatenate(indices).astype(np.int32),
        "timestamps": np.concatenate(timestamps).astype(np.float32),
        "labels": rng.integers(0, traits["n_classes"], n_samples).astype(np.int32),
    }
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def cases(**traits):
    """Strategy of cases; a trait given here is the same in all of them."""
    free = {trait: st.sampled_from(values) for trait, values in TRAITS.items() if trait not in traits}
    return st.builds(
        case, st.integers(0, 2**32 - 1), **free, **{trait: st.just(value) for trait, value in traits.items()}
    )


def is_possible(values):
    """Tell whether values of the traits in ``CROSSED`` go together: S4NN has no STDP kernel to choose."""
    return not values[0].startswith("s4nn") or values[1] == TRAITS["stdp"][0]


def crossed_cases():
    """Return parameters ``(seed, traits)``: every combination of the traits in ``CROSSED``, the others of the seed.

    Those beyond a table of all pairs are marked ``full``.
    """
    columns = [TRAITS[trait] for trait in CROSSED]
    on_every_build = set(pairwise(*columns, allowed=is_possible))
    return [
        pytest.param(
            seed,
            dict(zip(CROSSED, values, strict=True)),
            id="-".join(map(str, values)),
            marks=() if values in on_every_build else pytest.mark.full,
        )
        for seed, values in enumerate(product(*columns))
        if is_possible(values)
    ]
