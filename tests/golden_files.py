"""Which golden files there are and how close to them is close enough, once for the reference and for the library."""

import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "golden"
NAMES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob("[ab]/*.npz"))
STEPS = (1, 2, 5, 10, 50, 100, 300)  # the k of W_k, thr_k, acc_k

# No normalisation, so no sum whose order is a choice: these are equal to the bit after every k.
BITWISE = ("/sstdp", "/sstdp+ncg", "/s2stdp-multiplicative", "/rstdp-fixed-lr", "/rstdp-multiplicative")

# Where a spike of the second epoch falls on the other side of its neighbour unless every row is scaled after every
# sample, as the reference implementation did: two sums of a row differ in their last bit. Up to W_300 all is close.
PARTING = {"a/s2stdp+pcn"}


class Golden:
    """One golden file: its arrays as attributes, its settings as ``config``."""

    def __init__(self, name):
        self.name = name
        with np.load(FOLDER / f"{name}.npz") as arrays:
            self.arrays = dict(arrays)
        self.config = json.loads(str(self.arrays["config"]))
        self.shape = {key: self.arrays[key].item() for key in ("n_inputs", "n_classes", "max_time")}

    def __getattr__(self, key):
        return self.arrays[key]


def assert_close(found, golden, after):
    """Compare weights or thresholds, ``after`` so many samples, relative to the largest entry or 1."""
    tolerance = 1e-6 if after <= 50 else 1e-5
    np.testing.assert_allclose(found, golden, rtol=0, atol=tolerance * max(1.0, np.abs(golden).max()))


def assert_same_step(golden, k, weights, training_thresholds, accuracy):
    """Compare the state after the first ``k`` training samples."""
    assert_close(weights, golden.arrays[f"W_{k}"], after=k)
    if golden.name.endswith(BITWISE):
        np.testing.assert_array_equal(weights, golden.arrays[f"W_{k}"])
    np.testing.assert_array_equal(training_thresholds, golden.arrays[f"thr_{k}"])
    assert accuracy == golden.arrays[f"acc_{k}"]


def assert_same_end(golden, weights, thresholds, train_accuracy, predicted):
    """Compare the state after all epochs; where trajectories part, only as far as one spike can carry them."""
    np.testing.assert_array_equal(thresholds, golden.thr_final)
    test_accuracy = np.mean(predicted == golden.labels[golden.n_train :])
    if golden.name in PARTING:
        assert np.abs(weights - golden.W_final).max() < 0.05  # half of the largest step, ap
        assert abs(train_accuracy - golden.train_acc_final) <= 0.02
        assert abs(test_accuracy - golden.test_acc_final) <= 0.05
        return
    assert_close(weights, golden.W_final, after=2 * golden.n_train)
    np.testing.assert_array_equal(predicted, golden.pred_final)
    assert train_accuracy == golden.train_acc_final
    assert test_accuracy == golden.test_acc_final
