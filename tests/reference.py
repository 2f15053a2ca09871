"""The mathematics in plain NumPy, without which nobody could tell a fast kernel from a wrong one.

Written to be read beside the paper: a function a paragraph, named after it, and no care for speed. Weights, thresholds,
potentials, times and errors are float32; what lies between two of them is float64 unless a comment says otherwise.

Where the rules leave a precision open, the golden arrays decided. Worst deviation of ``W_k`` (of ``thr_k`` for the
thresholds) relative to ``max(1, max |W_k|)`` over the files that the choice touches; a star marks what is chosen here:

==================================================================  ========  =======
choice                                                              k <= 50   k = 300
==================================================================  ========  =======
mean spike time: float32, left to right in neuron order (*)         0         0
mean spike time: float64                                            1.2e-7    6.0e-7
Σ|w|: 16 float32 lanes, ``lane_sum`` (*)                            5.4e-7    1.3e-6
Σ|w|: float64, ``double_sum``                                       6.0e-7    1.1e-6
Σ|w|: NumPy's pairwise float32, ``pairwise_sum``                    1.8e-7    8.3e-7
Σ|w|: the same, and every row scaled after every sample             1.8e-7    7.7e-7
S4NN's norm: rounded to float32, float32 quotient (*)               8.9e-8    1.1e-7
S4NN's norm: float64                                                2.4e-7    2.5e-7
S4NN's losers: silent, and part of the norm                         6.9e-1    1.5
multiplicative step: the float32 error taken to float64 first (*)   0         0
a threshold's step: added in float64, rounded once (*)              0         0
a threshold's step: rounded to float32, then added                  0         0
thresholds kept in float64                                          5.8e-7    5.8e-7
==================================================================  ========  =======

The mean was judged by SSTDP, which has no Σ|w|. Scaling every row makes S2-STDP equal to the bit as well, but for
``s2stdp-uniform-init``; it is also all that keeps the two epochs of ``a/s2stdp+pcn`` from parting at one spike.
S4NN would be equal to the bit with ``w + Δ`` formed in float64 and rounded once, R-STDP (3e-8 at k = 300) too; the
rules ask for a float32 ``Δ`` and a float32 sum.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

REAL = np.float32
MASK64 = 2**64 - 1


# Data


def sample_of(times, max_time):
    """The data: one dense array of spike times as ``(indices, times)`` in firing order.

    Times become float32 first, and only then are those from ``max_time`` on (+inf too) left out.
    """
    times = np.asarray(times).astype(REAL).ravel()
    if np.isnan(times).any() or (times < 0).any():
        raise ValueError("a spike time is NaN or negative")
    fires = np.flatnonzero(times < REAL(max_time))
    indices = fires[np.argsort(times[fires], kind="stable")].astype(np.int32)
    return indices, times[indices]


def dense_of(indices, times, n_inputs, max_time):
    """The inverse of ``sample_of``: a time for every input, silent = ``max_time``."""
    dense = np.full(n_inputs, max_time, REAL)
    dense[indices] = times
    return dense


def samples_of(indptr, indices, timestamps, labels):
    """Cut CSR arrays into a list of ``(indices, times, label)``, equal times in the order of their indices."""
    samples = []
    for start, stop, label in zip(indptr[:-1], indptr[1:], labels, strict=True):
        fires, times = indices[start:stop], timestamps[start:stop]
        in_order = np.lexsort((fires, times))
        samples.append((fires[in_order], times[in_order], int(label)))
    return samples


# The neuron


def no_leak(interval):
    """Integrate and fire: the share of a potential that is left after an interval."""
    return REAL(1)


def leak(interval, leak_tau):
    """Leaky integrate and fire: the share of a potential that is left after an interval."""
    return REAL(math.exp(-interval / leak_tau))


NEURONS = {"if": no_leak, "lif": leak}


def neuron_of(layer):
    """The share of a potential that a layer's neurons keep, as a function of the interval between two input spikes."""
    tau = layer.get("leak_tau")
    settings = dict(layer.get("neuron") or ({"model": "if"} if tau is None else {"model": "lif", "leak_tau": tau}))
    return partial(NEURONS[settings.pop("model")], **settings)


def forward(weights, thresholds, indices, times, max_time, kept=no_leak, dropped=None):
    """The neuron: spike times and potentials, each ``(n_neurons,)``, of a layer that sees one sample.

    Inputs of one time are integrated together, in list order, and then the thresholds are tested. A neuron that
    fired stands still. A dropped one stays silent at potential 0. ``kept`` is the neuron model, see ``neuron_of``.
    """
    potentials = np.zeros(len(weights), REAL)
    spikes = np.full(len(weights), max_time, REAL)
    waiting = np.ones(len(weights), bool) if dropped is None else ~dropped
    previous = None
    for now in np.unique(times):
        moved = potentials
        if previous is not None:
            moved = moved * kept(float(now) - float(previous))
        for i in indices[times == now]:
            moved = moved + weights[:, i]
        potentials = np.where(waiting, moved, potentials)
        fires = waiting & (potentials > thresholds)
        spikes[fires] = now
        waiting &= ~fires
        previous = now
    return spikes, potentials


# The decision


def first(neurons, spikes, potentials):
    """The decision: of ``neurons``, the earliest; of equals the one of larger potential; then of lower index."""
    neurons = np.asarray(neurons)
    return int(neurons[np.lexsort((neurons, -potentials[neurons], spikes[neurons]))[0]])


def class_of(n_neurons, n_classes):
    """The decision: neurons lie class by class."""
    return np.arange(n_neurons) // (n_neurons // n_classes)


# Neuron labels


def is_target(n_neurons, n_classes, nt_neurons):
    """Neuron labels: the first ``nt_neurons`` of every class are non-target neurons."""
    return np.arange(n_neurons) % (n_neurons // n_classes) >= nt_neurons


# Weights


def initial_weights(layer, n_inputs, rng):
    """Weight initialisation: drawn in float64, rounded, clipped."""
    size = (layer["n_neurons"], n_inputs)
    if layer.get("w_init_normal", False):
        weights = rng.normal(layer["w_init_mean"], layer["w_init_std"], size)
    else:
        weights = rng.uniform(layer["w_min"], layer["w_max"], size)
    return np.clip(weights.astype(REAL), REAL(layer["w_min"]), REAL(layer["w_max"]))


def lane_sum(weights):
    """Σ|w| of every row in float32 over 16 lanes, folded pairwise: the order of the compiled library."""
    n_rows, n_inputs = weights.shape
    padded = np.zeros((n_rows, -(-n_inputs // 16) * 16), REAL)
    padded[:, :n_inputs] = np.abs(weights)
    lanes = np.zeros((n_rows, 16), REAL)
    for block in range(0, padded.shape[1], 16):
        lanes += padded[:, block : block + 16]
    for half in (8, 4, 2, 1):
        lanes = lanes[:, :half] + lanes[:, half:]
    return lanes[:, 0]


def double_sum(weights):
    """Σ|w| of every row in float64."""
    return np.abs(weights.astype(np.float64)).sum(axis=1)


def pairwise_sum(weights):
    """Σ|w| of every row in float32, in the order of NumPy's ``sum``: the one of the golden arrays."""
    return np.abs(weights).sum(axis=1)


def constrain(weights, w_min, w_max, target_norms=None, abs_sum=lane_sum):
    """Weight constraints: rows clipped, then scaled to their target norms; a row of zeros stays one."""
    weights = np.clip(weights, REAL(w_min), REAL(w_max))
    if target_norms is None:
        return weights
    norms = abs_sum(weights).astype(np.float64)
    factors = np.divide(target_norms, norms, out=np.ones_like(norms), where=norms > 0)
    return weights * factors.astype(REAL)[:, None]


# STDP kernels


def additive(weights, errors, causal, rates):
    """Additive STDP: every row moves by ``e·ap`` where the input was causal, by ``e·am`` where it was not."""
    ap, am = signed_rates(errors, rates)
    size = np.abs(errors.astype(np.float64))
    up, down = (size * ap).astype(REAL), (size * am).astype(REAL)
    return weights + np.where(causal, up[:, None], down[:, None])


def multiplicative(weights, errors, causal, rates, beta=1.0, w_min=0.0, w_max=1.0):
    """Multiplicative STDP: the step shrinks as the weight nears the limit it moves towards; rounded once."""
    ap, am = signed_rates(errors, rates)
    size = np.abs(errors.astype(np.float64))
    weights = weights.astype(np.float64)
    # NumPy's vectorised exp may differ from the C library's in the last bit of a float64.
    exp = np.vectorize(math.exp, otypes=[np.float64])
    up = (size * ap)[:, None] * exp(-beta * (weights - w_min) / (w_max - w_min))
    down = (size * am)[:, None] * exp(-beta * (w_max - weights) / (w_max - w_min))
    return (weights + np.where(causal, up, down)).astype(REAL)


def signed_rates(errors, rates):
    """STDP kernels: a negative error has rates of its own, which take its size."""
    ap, am, anti_ap, anti_am = rates
    return np.where(errors > 0, ap, anti_ap), np.where(errors > 0, am, anti_am)


def stdp(weights, errors, inputs, spikes, rates, max_time, *, kernel=additive, ignore_silent=False):
    """STDP kernels: the step of rows with errors; an input is causal if it fired no later than the neuron.

    A silent input is anti-causal, or left alone with ``ignore_silent``; to a silent neuron every input is causal.
    """
    moved = kernel(weights, errors, inputs <= spikes[:, None], rates)
    if ignore_silent:
        left_alone = (inputs >= REAL(max_time)) & (spikes < REAL(max_time))[:, None]
        moved = np.where(left_alone, weights, moved)
    return moved


# The rules: errors, float32, one a neuron


def neurons_to_update(spikes, potentials, classes, class_inhib):
    """Intra-class winner-takes-all: the first neuron of each class, or else all neurons."""
    if not class_inhib:
        return np.arange(len(spikes))
    return np.array([first(np.flatnonzero(classes == c), spikes, potentials) for c in np.unique(classes)])


def bounded(desired, times, own):
    """SSTDP, S4NN: a desired time as a bound; earlier is fine for the target neurons, later for the others."""
    return np.where(own, np.minimum(times, desired), np.maximum(times, desired))


def s2stdp_errors(spikes, update, own, max_time, *, t_gap, n_target, use_time_ranges=False):
    """S2-STDP and SSTDP: all should fire around their mean time, the label's target neurons (``own``) before it."""
    T = float(REAL(max_time))
    n, n_t = len(update), n_target
    gap_nt, gap_t = t_gap * n_t / n, t_gap * (n - n_t) / n
    times = spikes[update]
    fired = times[times < REAL(T)]
    base = T - gap_nt
    if len(fired):
        mean = np.cumsum(fired, dtype=REAL)[-1] / REAL(len(fired))  # left to right, float32
        base = min(float(mean), base)
    times = times.astype(np.float64)
    desired = np.where(own[update], base - gap_t, base + gap_nt)
    if use_time_ranges:
        desired = bounded(desired, times, own[update])
    errors = np.zeros(len(spikes), REAL)
    errors[update] = (times - desired) / T
    return errors


def s4nn_errors(spikes, update, own, max_time, *, t_gap, use_time_ranges=True):
    """S4NN: the label's target neurons (``own``) should fire first, others ``t_gap`` later; a vector of length 1."""
    T = float(REAL(max_time))
    times = spikes[update].astype(np.float64)
    base = times.min()
    if base + t_gap > T:
        base = T - t_gap
    desired = np.where(own[update], base, base + t_gap)
    if use_time_ranges:
        desired = bounded(desired, times, own[update])
    errors = np.zeros(len(spikes), REAL)
    errors[update] = (times - desired) / T
    norm = REAL(math.sqrt(np.cumsum(errors.astype(np.float64) ** 2)[-1]))
    return errors / norm if norm > 0 else errors


def rstdp_errors(winner, rewarded, n_neurons):
    """R-STDP: only the first neuron of the layer learns; a punishment is an error of -1."""
    errors = np.zeros(n_neurons, REAL)
    errors[winner] = 1 if rewarded else -1
    return errors


def rstdp_rates(rates, previous_accuracy):
    """R-STDP's ``adaptive_lr``: reward by the share of wrong, punishment by that of right answers an epoch ago."""
    ap, am, anti_ap, anti_am = rates
    a = previous_accuracy
    return ap * (1 - a), am * (1 - a), anti_ap * a, anti_am * a


# Competition regulation


def regulate(thresholds, group, winner, thr_lr, floor=None):
    """Competition regulation: the threshold of ``group``'s first neuron rises, those of the others fall."""
    n = len(group)
    steps = np.where(group == winner, thr_lr * (n - 1) / n, -(thr_lr / n))
    moved = (thresholds[group].astype(np.float64) + steps).astype(REAL)
    thresholds = thresholds.copy()
    thresholds[group] = moved if floor is None else np.maximum(moved, floor)
    return thresholds


# Dropout

OUTPUTS, INPUTS = 0, 1


def philox_block(key, counter):
    """Four uint64 words of Philox4x64-10 for a ``key`` of two and a ``counter`` of four words."""
    return philox_words(key, counter, 4)


def philox_words(key, counter, n_words):
    """The words of as many blocks as ``n_words`` need, the first at ``counter``."""
    wide_key, wide_counter = (sum(int(word) << (64 * i) for i, word in enumerate(words)) for words in (key, counter))
    # NumPy counts before it generates.
    generator = np.random.Philox(key=wide_key, counter=(wide_counter - 1) % 2**256)
    return generator.random_raw(n_words)


def dropped(epoch_key, sample, layer, n_neurons, rate, stream=OUTPUTS):
    """Dropout: which neurons of ``layer`` (or of its inputs) are left out for the sample at this position."""
    words = philox_words((epoch_key & MASK64, 0), (0, layer, sample, stream), n_neurons)
    return (words >> np.uint64(11)) * 2.0**-53 < rate


# The training loop


def epochs_until_stop(val_accuracies, patience):
    """Early stopping: how many of these epochs are run; ``patience`` 0 runs them all."""
    best, waited = 0.0, 0
    for epoch, accuracy in enumerate(val_accuracies, start=1):
        best, waited = (accuracy, 0) if accuracy > best else (best, waited + 1)
        if patience > 0 and waited >= patience:
            return epoch
    return len(val_accuracies)


def gives_up(epoch_index, accuracies, stop_acc):
    """``gridsearch_stop_acc``: after epoch index 2, an accuracy (training or validation) below it ends the run."""
    return epoch_index > 2 and min(accuracies) < stop_acc


@dataclass
class Layer:
    """Weights, thresholds and limits of one layer."""

    weights: np.ndarray
    thresholds: np.ndarray
    w_min: float
    w_max: float
    kept: Callable[[float], np.float32]


class Network:
    """The training loop: a readout of one or more layers, the last of which learns.

    ``config`` is a configuration file's content. Samples are ``(indices, times, label)``. ``abs_sum`` is the order of
    Σ|w|; with ``constrain_all`` every row is clipped and scaled after every sample, as it was for the golden arrays.
    """

    def __init__(self, config, *, n_inputs, n_classes, max_time, seed=0, abs_sum=lane_sum, constrain_all=False):
        self.rng = np.random.default_rng(seed)
        self.max_time, self.abs_sum, self.constrain_all = max_time, abs_sum, constrain_all
        self.layers = []
        for layer in config["network"]:
            weights = initial_weights(layer, n_inputs, self.rng)
            thresholds = np.full(len(weights), layer["firing_threshold"], REAL)
            self.layers.append(Layer(weights, thresholds, layer["w_min"], layer["w_max"], neuron_of(layer)))
            n_inputs = len(weights)
        self.last = self.layers[-1]
        self.w_norm = config["network"][-1].get("w_norm", False)

        self.optimizer = {"class_inhib": False, "adaptive_lr": True, "ignore_silent": False, **config["optimizer"]}
        self.annealing = self.optimizer.get("annealing", 1.0)
        self.rates = rates_of(self.optimizer)
        self.previous_accuracy = 1 / n_classes

        regularizer = config.get("regularizer") or {"thr_lr": 0.0}
        self.thr_lr, self.thr_anneal = regularizer["thr_lr"], regularizer.get("thr_anneal", 1.0)
        self.two_thresholds = regularizer.get("use_two_thr", True)

        self.trainer = {"nt_neurons": 0, "dropout_in": 0.0, "dropout_out": 0.0, "shuffle": False, **config["trainer"]}
        self.classes = class_of(n_inputs, n_classes)
        self.targets = is_target(n_inputs, n_classes, self.trainer["nt_neurons"])
        self.assign(self.last.weights)
        self.training_thresholds = self.last.thresholds

    def assign(self, weights, layer=-1):
        """Weight constraints: assigned weights are taken as they are; the last layer's set its target norms."""
        self.layers[layer].weights = weights.astype(REAL)
        if self.layers[layer] is self.last:
            self.target_norms = self.abs_sum(self.last.weights).astype(np.float64) if self.w_norm else None

    def regulates(self, label):
        """Competition regulation: whether the class has neurons between which there is a competition."""
        return self.thr_lr > 0 and np.count_nonzero((self.classes == label) & self.targets) >= 2

    def thresholds_in_training(self, label):
        """Competition regulation: which thresholds the forward pass of a training sample uses."""
        if self.thr_lr <= 0:
            return self.last.thresholds
        if not self.two_thresholds:
            return self.training_thresholds
        own = (self.classes == label) & self.targets
        return np.where(own, self.training_thresholds, self.last.thresholds)

    def run(self, indices, times, thresholds=None, drop_outputs=None):
        """Layers: the inputs that the last layer saw, its spikes and its potentials.

        The output times of a layer are the input times of the next. ``thresholds`` replace the last layer's.
        """
        for depth, layer in enumerate(self.layers):
            is_last = layer is self.last
            theta = thresholds if is_last and thresholds is not None else layer.thresholds
            drop = None if drop_outputs is None else drop_outputs[depth]
            inputs = dense_of(indices, times, layer.weights.shape[1], self.max_time)
            spikes, potentials = forward(layer.weights, theta, indices, times, self.max_time, layer.kept, drop)
            indices, times = sample_of(spikes, self.max_time)
        return inputs, spikes, potentials

    def learn(self, indices, times, label, drop_outputs=None, drop_inputs=None):
        """The training loop, one sample: forward, vote, regulation, weight update. Returns the vote."""
        thresholds = self.thresholds_in_training(label)
        inputs, spikes, potentials = self.run(indices, times, thresholds, drop_outputs)
        winner = first(np.arange(len(spikes)), spikes, potentials)
        own = (self.classes == label) & self.targets
        if self.regulates(label):
            group = np.flatnonzero(own)
            floor = self.last.thresholds.min() if self.two_thresholds else None
            first_of_group = first(group, spikes, potentials)
            self.training_thresholds = regulate(self.training_thresholds, group, first_of_group, self.thr_lr, floor)
        if drop_inputs is not None:
            inputs = np.where(drop_inputs, REAL(self.max_time), inputs)
        self.update(inputs, spikes, *self.errors(spikes, potentials, winner, own))
        return self.classes[winner]

    def errors(self, spikes, potentials, winner, own):
        """The rule: signed errors of all neurons, and the rates that go with them."""
        return RULES[self.optimizer["method"]](self, spikes, potentials, winner, own)

    def update(self, inputs, spikes, errors, rates):
        """The weight update: STDP, then the constraints, of the neurons whose error is not 0."""
        kernel = additive
        if self.optimizer.get("stdp") == "multiplicative":
            shape = {key: self.optimizer[key] for key in ("beta", "w_min", "w_max") if key in self.optimizer}

            def kernel(*arguments):
                return multiplicative(*arguments, **shape)

        settings = {"kernel": kernel, "ignore_silent": self.optimizer["ignore_silent"]}
        weights, rows = self.last.weights.copy(), np.flatnonzero(errors)
        weights[rows] = stdp(weights[rows], errors[rows], inputs, spikes[rows], rates, self.max_time, **settings)
        if self.constrain_all:
            rows = np.arange(len(weights))
        norms = None if self.target_norms is None else self.target_norms[rows]
        weights[rows] = constrain(weights[rows], self.last.w_min, self.last.w_max, norms, self.abs_sum)
        self.last.weights = weights

    def masks(self, epoch_key, position):
        """Dropout: output masks of every layer and the input mask of the last, for the sample at ``position``."""
        depth, n_inputs = len(self.layers) - 1, self.last.weights.shape[1]
        rate_in, rate_out = self.trainer["dropout_in"], self.trainer["dropout_out"]
        outputs = inputs = None
        if rate_out > 0:
            sizes = [len(layer.weights) for layer in self.layers]
            outputs = [dropped(epoch_key, position, i, size, rate_out) for i, size in enumerate(sizes)]
        if rate_in > 0:
            inputs = dropped(epoch_key, position, depth, n_inputs, rate_in, INPUTS)
        return outputs, inputs

    def draw_key(self):
        """Dropout: the key of an epoch's masks, from the run's generator."""
        return int(self.rng.integers(0, 2**64, dtype=np.uint64, endpoint=False))

    def epoch(self, samples):
        """The training loop, one epoch: yields after every sample whether its vote was right."""
        if self.two_thresholds:
            self.training_thresholds = self.last.thresholds
        key = self.draw_key()
        order = self.rng.permutation(len(samples)) if self.trainer["shuffle"] else range(len(samples))
        n_right = 0
        for position in order:
            indices, times, label = samples[position]
            right = bool(self.learn(indices, times, label, *self.masks(key, int(position))) == label)
            n_right += right
            yield right
        self.previous_accuracy = n_right / len(samples)
        self.rates = tuple(rate * self.annealing for rate in self.rates)
        self.thr_lr *= self.thr_anneal
        if not self.two_thresholds:
            self.last.thresholds = self.training_thresholds

    def fit(self, samples, epochs=None):
        """The training loop: the training accuracy of every epoch."""
        epochs = self.trainer["epochs"] if epochs is None else epochs
        return [sum(self.epoch(samples)) / len(samples) for _ in range(epochs)]

    def partial_fit(self, samples):
        """Online training: each sample once, in order, at the present rates; no epoch begins or ends."""
        key = self.draw_key()
        for position, (indices, times, label) in enumerate(samples):
            self.learn(indices, times, label, *self.masks(key, position))

    def first_spikes(self, samples):
        """The neuron, at inference thresholds: times and potentials, each ``(n_samples, n_neurons)``."""
        outputs = [self.run(indices, times)[1:] for indices, times, _ in samples]
        return np.array([spikes for spikes, _ in outputs]), np.array([potentials for _, potentials in outputs])

    def predict(self, samples):
        """The decision: the class of the first spike, ``(n_samples,)``."""
        outputs = zip(*self.first_spikes(samples), strict=True)
        neurons = np.arange(len(self.classes))
        return np.array([self.classes[first(neurons, spikes, potentials)] for spikes, potentials in outputs])


def rates_of(optimizer):
    """STDP kernels: ``(ap, am, anti_ap, anti_am)``; S4NN, which has ``lr``, is additive STDP without depression."""
    if "lr" in optimizer:
        return optimizer["lr"], 0.0, -optimizer["lr"], 0.0
    ap, am = optimizer["ap"], optimizer["am"]
    return ap, am, optimizer.get("anti_ap", -ap), optimizer.get("anti_am", -am)


# The rules by name: signed errors of all neurons of a network's last layer, and the rates that go with them


def s2stdp(network, spikes, potentials, winner, own):
    """S2-STDP and SSTDP."""
    optimizer = network.optimizer
    wta = optimizer["class_inhib"]
    update = neurons_to_update(spikes, potentials, network.classes, wta)
    n_target = 1 if wta else np.count_nonzero(network.classes == 0)
    settings = {key: optimizer[key] for key in ("t_gap", "use_time_ranges") if key in optimizer}
    return s2stdp_errors(spikes, update, own, network.max_time, n_target=n_target, **settings), network.rates


def s4nn(network, spikes, potentials, winner, own):
    """S4NN."""
    optimizer = network.optimizer
    update = neurons_to_update(spikes, potentials, network.classes, optimizer["class_inhib"])
    settings = {key: optimizer[key] for key in ("t_gap", "use_time_ranges") if key in optimizer}
    return s4nn_errors(spikes, update, own, network.max_time, **settings), network.rates


def rstdp(network, spikes, potentials, winner, own):
    """R-STDP."""
    adaptive = network.optimizer["adaptive_lr"]
    rates = rstdp_rates(network.rates, network.previous_accuracy) if adaptive else network.rates
    return rstdp_errors(winner, own[winner], len(spikes)), rates


RULES = {"s2stdp": s2stdp, "s4nn": s4nn, "rstdp": rstdp}
