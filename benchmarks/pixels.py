"""Synthetic data of MNIST's shape, so that benchmarks need no download."""

import numpy as np

N_CLASSES = 10
N_INPUTS = 784
SPIKES_A_SAMPLE = 151  # of MNIST at the latency code t = 1 - x/255


def pixels(n_samples, n_inputs=N_INPUTS, n_spikes=SPIKES_A_SAMPLE, seed=0):
    """Return ``(X, y)``: spike times, 1 for silent inputs, and labels.

    Classes differ a little in which inputs are likely to fire and when, so that a network
    has something to learn and never learns it all.
    """
    generator = np.random.default_rng(seed)
    y = generator.integers(N_CLASSES, size=n_samples)

    def of_class(power):
        """Return a value for every class and input, mostly the same in all classes."""
        return (0.8 * generator.random(n_inputs) + 0.2 * generator.random((N_CLASSES, n_inputs))) ** power

    likely = of_class(3)
    likely *= n_spikes / likely.sum(axis=1, keepdims=True)
    times = np.clip(of_class(1)[y] + generator.normal(0, 0.2, (n_samples, n_inputs)), 0, 0.99)
    X = np.where(generator.random((n_samples, n_inputs)) < likely[y], times, 1.0)
    return X.astype(np.float32), y


def ncg_settings(firing_threshold, **trainer):
    """Return the settings of S2-STDP with neuronal competition groups: five neurons a class, one non-target."""
    return {
        "network": [
            {
                "n_neurons": 5 * N_CLASSES,
                "firing_threshold": firing_threshold,
                "w_init_normal": True,
                "w_init_mean": 0.3,
                "w_norm": True,
            }
        ],
        "optimizer": {
            "method": "s2stdp",
            "ap": 0.1,
            "am": -0.05,
            "t_gap": 0.01,
            "annealing": 0.98,
            "class_inhib": True,
        },
        "regularizer": {"thr_lr": 1, "thr_anneal": 0.5},
        "trainer": {"nt_neurons": 1} | trainer,
    }
