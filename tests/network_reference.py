"""Decision-time learning in plain NumPy, without which a fast network that learns in every layer could not be doubted.

Written to be read beside the page that states the rule, whose sections the docstrings name: a function an equation,
group by group, sample by sample. Weights, potentials, thresholds, times and errors are float32, a potential is summed
in list order, a step is rounded once and then added; what lies between is float64.

The golden arrays leave these choices open: with each of them every prediction, decision time and ``learned`` is equal.
Worst deviation of a weight, over the files of dense layers and of a convolution, and what becomes of the output's
threshold; a star marks what is chosen here:

===============================================================  =======  ===========  ============
choice                                                           dense    convolution  threshold
===============================================================  =======  ===========  ============
all that is starred                                              2.2e-7   8.5e-7       equal
softmax: float64 (*)                                             2.2e-7   8.5e-7       equal
softmax: float32                                                 5.0e-7   8.5e-7       equal
ψ: float64 (*)                                                   2.2e-7                equal
ψ: float32                                                       3.0e-7                equal
step: float64 product, rounded once, then added (*)              2.2e-7                equal
step: float32 product                                            2.4e-7                equal
step: float64 product, added in float64, rounded once            5.3e-7                equal
kernel's step: summed over positions in float64, rounded (*)              8.5e-7       equal
kernel's step: rounded and added for every event                          5.2e-7       equal
output's threshold: rounded after every step (*)                 2.2e-7   8.5e-7       equal
output's threshold: kept in float64                              2.2e-7   8.5e-7       off by 6e-6
===============================================================  =======  ===========  ============
"""

import itertools
from dataclasses import dataclass

import numpy as np
from reference import REAL

LOCAL_FEEDBACKS = ("mirrored", "random")  # with weights of their own, from the classes to every hidden unit


# Forward (§2), a layer at a time


class Dense:
    """§2: a fully connected layer of IF neurons without leak; its *units*, which send spikes, are its neurons.

    ``weights`` are ``(n_neurons, n_inputs)``, ``feedback`` is ``(n_units, n_classes)`` where the feedback has weights
    of its own. ``dropout`` is the share of the layer's spikes that are lost in training (§6).
    """

    def __init__(self, weights, threshold=1.0, rate=0.0, dropout=0.0, feedback=None):
        self.weights = np.array(weights, REAL)
        self.threshold, self.rate, self.dropout = REAL(threshold), rate, dropout
        self.feedback = None if feedback is None else np.array(feedback, REAL)
        self.shape = self.unit_shape = (len(self.weights),)

    @property
    def n_units(self):
        return int(np.prod(self.unit_shape))

    def begin(self, max_time, lost=None, kept=1.0):
        """A new sample. ``lost`` units will lose their spike; every weight counts ``kept`` times (§6, dropout)."""
        self.max_time, self.kept = REAL(max_time), REAL(kept)
        self.potentials, self.times = np.zeros(self.shape, REAL), np.full(self.shape, max_time, REAL)
        self.fired = np.zeros(self.n_units, bool)
        self.lost = np.zeros(self.n_units, bool) if lost is None else np.asarray(lost, bool)
        self.inputs, self.input_times = [], []

    def advance(self, arriving, now):
        """§2, forward, one group: ``V_j += Σ w_ji`` in list order, then ``V_j > θ_j``. Returns the units that send."""
        self.inputs.extend(arriving)
        self.input_times.extend(len(arriving) * [now])
        for i in arriving:
            self.charge(i)
        crossing = (self.potentials > self.threshold) & (self.times == self.max_time)
        if not crossing.any():
            return np.array([], int)
        self.times[crossing] = now
        fires = np.flatnonzero(self.units_opened_by(crossing))
        self.fired[fires] = True
        return fires[~self.lost[fires]]

    def charge(self, i):
        """§2, forward: one input spike. A potential is not frozen at the neuron's spike."""
        self.potentials += self.weights[:, i] * self.kept

    def units_opened_by(self, crossing):
        """Every neuron is a unit."""
        return crossing

    @property
    def sent(self):
        """§6, dropout: the units that fired and whose spike was not lost."""
        return self.fired & ~self.lost

    def unit_times(self):
        """The first spike of every unit, lost ones too; silent until the decision = ``max_time``."""
        return self.times

    def credit_below(self, errors):
        """§2, *transport*: ``Σ_k w_kj δ_k`` for every input ``j``."""
        return self.weights.T.astype(np.float64) @ errors.astype(np.float64)

    def errors(self, credit, window):
        """§2, hidden error: ``δ_j = ψ_j · credit_j``, of silent neurons too; none where a spike was lost (§6)."""
        credit = np.where(self.fired & self.lost, 0, credit)
        return (pseudo_derivative(self.potentials, self.threshold, window) * credit).astype(REAL)

    def learn(self, errors, rate):
        """§2, update: ``w_ji += η δ_j`` for every ``t_i <= min(t_j, t*)``; what came after ``t*`` was not simulated."""
        causal = np.array(self.input_times, REAL) <= self.times[:, None]
        self.weights[:, self.inputs] += np.where(causal, step(rate, errors)[:, None], REAL(0))


class Convolution(Dense):
    """§6: shared kernels at every position; the units are pools of positions, in the order row, column, filter.

    ``weights`` are ``(n_filters, kernel_size, kernel_size, channels)``, inputs ``(rows, columns, channels)``, positions
    ``(rows, columns, n_filters)``.
    """

    def __init__(self, weights, input_shape, padding=0, pool=1, **settings):
        super().__init__(weights, **settings)
        self.input_shape, self.padding, self.pool = tuple(input_shape), padding, pool
        self.n_filters, self.kernel_size = self.weights.shape[:2]
        rows, columns = (side + 2 * padding - self.kernel_size + 1 for side in input_shape[:2])
        self.shape = rows, columns, self.n_filters
        self.unit_shape = rows // pool, columns // pool, self.n_filters

    def begin(self, *sample):
        super().begin(*sample)
        self.opened_by = np.full(self.unit_shape, -1)  # the place within the pool; -1: silent

    def field(self, i):
        """§6: the positions that see an input, and what it adds there, a view of the kernels.

        Input ``(y, x, c)`` adds ``K[f, y + padding - y', x + padding - x', c]`` to position ``(y', x')`` of filter f.
        """
        pixel, channel = divmod(int(i), self.input_shape[2])
        y, x = divmod(pixel, self.input_shape[1])
        (rows, dy), (columns, dx) = self.reach(y, self.shape[0]), self.reach(x, self.shape[1])
        return (rows, columns), self.weights.transpose(3, 1, 2, 0)[channel, ::-1, ::-1][dy, dx]

    def reach(self, place, n_positions):
        """Along one axis: the positions that see a place, and the lines of the reversed kernel that meet it there."""
        first, last = place + self.padding - self.kernel_size + 1, place + self.padding
        inside = slice(max(0, first), min(n_positions - 1, last) + 1)
        return inside, slice(inside.start - first, inside.stop - first)

    def charge(self, i):
        """§6: one input spike."""
        positions, kernels = self.field(i)
        self.potentials[positions] += kernels * self.kept

    def pools(self, positions):
        """§6, pool: ``(rows, columns, pool * pool, filters)``, places by row, then column; what is left is cut off."""
        rows, columns, n_filters = self.unit_shape
        blocks = positions[: rows * self.pool, : columns * self.pool]
        blocks = blocks.reshape(rows, self.pool, columns, self.pool, n_filters)
        return blocks.swapaxes(1, 2).reshape(rows, columns, -1, n_filters)

    def units_opened_by(self, crossing):
        """§6, pool: the first position opens its unit, of several the lowest row, then column; others are absorbed."""
        crossing = self.pools(crossing)
        opens = crossing.any(axis=2) & (self.opened_by < 0)
        self.opened_by[opens] = crossing.argmax(axis=2)[opens]
        return opens

    def credited(self):
        """§6, credit: one position of each unit: what opened it; if silent, the first of the largest ``V(t*)``."""
        place = np.where(self.opened_by < 0, self.pools(self.potentials).argmax(axis=2), self.opened_by)
        rows, columns, filters = np.indices(self.unit_shape)
        return rows * self.pool + place // self.pool, columns * self.pool + place % self.pool, filters

    def unit_times(self):
        return self.times[self.credited()].ravel()

    def errors(self, credit, window):
        """§6, credit: ``δ = ψ(V) · credit`` at the credited positions, 0 elsewhere; none where a spike was lost."""
        credit = np.where(self.fired & self.lost, 0, credit).reshape(self.unit_shape)
        places, errors = self.credited(), np.zeros(self.shape, REAL)
        errors[places] = pseudo_derivative(self.potentials[places], self.threshold, window) * credit
        return errors

    def credit_below(self, errors):
        """§2, *transport*, through shared weights."""
        credit = np.zeros(self.input_shape)
        for i in range(credit.size):
            positions, kernels = self.field(i)
            credit.flat[i] = np.sum(kernels.astype(np.float64) * errors[positions])
        return credit.ravel()

    def learn(self, errors, rate):
        """§6, update: ``K[f, dy, dx, c] += η_K Σ δ`` over the positions whose input came by ``min(t_position, t*)``."""
        rows, columns, _ = self.shape
        arrivals = np.full(self.input_shape, np.inf)
        arrivals.flat[self.inputs] = self.input_times
        arrivals = np.pad(arrivals, 2 * [2 * [self.padding]] + [[0, 0]], constant_values=np.inf)
        sums = np.zeros(self.weights.shape)
        for dy, dx in np.ndindex(self.kernel_size, self.kernel_size):
            seen = arrivals[dy : dy + rows, dx : dx + columns]
            causal = seen[..., None, :] <= self.times[..., None]
            sums[:, dy, dx] = np.sum(causal * errors[..., None].astype(np.float64), axis=(0, 1))
        self.weights += step(rate, sums)


# Decision and threshold of the output layer (§2)


def decided(potentials, crossed, neurons_per_class):
    """§2, decision: the class of the largest potential of those that crossed, or of all; of equals the lower index."""
    candidates = crossed if len(crossed) else np.arange(len(potentials))
    return int(candidates[potentials[candidates].argmax()]) // neurons_per_class


def threshold_after(threshold, time, *, threshold_rate, decision_at, max_time):
    """§2: ``θ_out += η_θ (T0 - t*/T)``, formed in float64 and rounded once; ``decision_at`` is T0."""
    return REAL(float(threshold) + threshold_rate * (decision_at - float(time) / max_time))


# Errors (§2)


def best_of_classes(potentials, n_classes):
    """§2, error: ``w_c``, the output of each class with the largest potential, of equals the lower index."""
    per_class = potentials.reshape(n_classes, -1)
    return np.arange(n_classes) * per_class.shape[1] + per_class.argmax(axis=1)


def softmax(potentials, label, *, temperature, skip, **other):
    """§2, *softmax*: ``[c = y] - p_c``, one a class; None if ``1 - p_y < skip``."""
    powers = np.exp((potentials.astype(np.float64) - potentials.max()) / temperature)
    shares = powers / powers.sum()
    if 1 - shares[label] < skip:
        return None
    return ((np.arange(len(shares)) == label) - shares).astype(REAL)


def hinge(potentials, label, *, margin, **other):
    """§2, *hinge*: 1 for the label, ``-1/|R|`` for ``R``, the classes not a margin behind; None without any."""
    near = potentials > potentials[label] - REAL(margin)
    near[label] = False
    if not near.any():
        return None
    errors = np.where(near, REAL(-1 / near.sum()), REAL(0))
    errors[label] = 1
    return errors


ERRORS = {"softmax": softmax, "hinge": hinge}


def pseudo_derivative(potentials, threshold, window):
    """§2, hidden error: ``ψ = 1 / (1 + ((V(t*) - θ) / (κ θ))²)``; ``window`` is κ."""
    distance = (potentials.astype(np.float64) - float(threshold)) / (window * float(threshold))
    return 1 / (1 + distance**2)


def credit_by_classes(feedback, class_errors):
    """§2, *mirrored* and *random*: ``Σ_c B_jc δ_c``."""
    return feedback.astype(np.float64) @ class_errors.astype(np.float64)


# Update (§2, §6)


def step(rate, errors):
    """§2, update: ``η δ``, formed in float64 and rounded once."""
    return (rate * errors.astype(np.float64)).astype(REAL)


def rate_factor(epoch, epochs, final_rate):
    """§2, rates: ``final_rate^(e/E)``."""
    return final_rate ** (epoch / epochs)


def rate_factor_by_samples(n_seen, n_in_all, final_rate, samples_a_step=5000):
    """§6, draws and rates: ``final_rate^(step/steps)``; a step each 5,000 samples, ``steps`` need not be whole."""
    return final_rate ** (n_seen // samples_a_step / (n_in_all / samples_a_step))


# The network (§2)


@dataclass
class Decision:
    """Class, t*, how many input spikes were looked at, how many units of each layer fired, whether weights changed."""

    predicted: int
    time: np.float32
    n_inputs: int
    n_spikes: list[int]
    learned: bool = False


class Network:
    """Layers that learn; the last one is dense and its neurons lie class by class.

    Samples are ``(indices, times, label)``, ``decision_at`` is T0 as a number, ``settings`` replace the defaults of §3.
    """

    def __init__(self, layers, *, n_classes, max_time, decision_at, **settings):
        self.layers, self.output = layers, layers[-1]
        self.n_classes, self.max_time, self.decision_at = n_classes, max_time, decision_at
        self.settings = {
            "error": "softmax", "temperature": 0.2, "margin": 0.5, "skip": 0.1, "window": 0.5, "threshold_rate": 0.01,
            "feedback": "transport", "rate": 1.0, "final_rate": 0.02, "schedule": "epochs", **settings,
        }  # fmt: skip

    def run(self, indices, times, lost=None, training=False):
        """§2, forward, group by group until the first output spike, and decision. The layers keep where they stand.

        ``lost`` holds, for each layer, a mask of the units that lose their spike, or None. In inference the next
        layer's weights are multiplied by the share of spikes that arrived in training (§6).
        """
        kept = [1.0, *(1.0 if training else 1 - layer.dropout for layer in self.layers[:-1])]
        for layer, mask, share in zip(self.layers, lost or [None] * len(self.layers), kept, strict=True):
            layer.begin(self.max_time, mask, share)
        decided_at, arriving = REAL(self.max_time), np.array([], int)
        for now in np.unique(times):
            arriving = indices[times == now]
            for layer in self.layers:
                arriving = layer.advance(arriving, now)
            if len(arriving):
                decided_at = now
                break
        predicted = decided(self.output.potentials, arriving, self.output.n_units // self.n_classes)
        n_spikes = [int(layer.fired.sum()) for layer in self.layers]
        return Decision(predicted, decided_at, len(self.layers[0].inputs), n_spikes)

    def learn(self, indices, times, label, lost=None, factor=1.0):
        """§2, a training sample: forward, threshold of the output layer, errors, update. ``factor`` is of the rates."""
        decision = self.run(indices, times, lost, training=True)
        self.output.threshold = threshold_after(
            self.output.threshold,
            decision.time,
            threshold_rate=self.settings["threshold_rate"],
            decision_at=self.decision_at,
            max_time=self.max_time,
        )
        best = best_of_classes(self.output.potentials, self.n_classes)
        class_errors = ERRORS[self.settings["error"]](self.output.potentials[best], label, **self.settings)
        decision.learned = class_errors is not None
        if decision.learned:
            errors = np.zeros(self.output.n_units, REAL)
            errors[best] = class_errors
            self.update(self.all_errors(errors, class_errors), class_errors, factor)
        return decision

    def all_errors(self, errors, class_errors):
        """§2, hidden error: of every layer, from the last to the first, with the weights before the update."""
        found = [errors]
        for layer, above in zip(self.layers[-2::-1], self.layers[:0:-1], strict=True):
            if self.settings["feedback"] in LOCAL_FEEDBACKS:
                credit = credit_by_classes(layer.feedback, class_errors)
            else:
                credit = above.credit_below(found[0])
            found.insert(0, layer.errors(credit, self.settings["window"]))
        return found

    def update(self, errors, class_errors, factor):
        """§2, update of every layer and of mirrored feedback, ``B_jc += η_out δ_c`` for every hidden unit that sent."""
        for layer, layer_errors in zip(self.layers, errors, strict=True):
            layer.learn(layer_errors, self.rate_of(layer) * factor)
        if self.settings["feedback"] == "mirrored":
            for layer in self.layers[:-1]:
                layer.feedback[layer.sent] += step(self.rate_of(self.output) * factor, class_errors)

    def rate_of(self, layer):
        """§2, *random*: hidden rates are divided by 25. §4: ``rate`` is a factor on all rates."""
        hidden_and_random = self.settings["feedback"] == "random" and layer is not self.output
        return layer.rate * self.settings["rate"] / (25 if hidden_and_random else 1)

    def factor(self, epoch, epochs, position, n_samples):
        """§2 and §6, rates: their fall at the sample at a position of an epoch."""
        if self.settings["schedule"] == "samples":
            seen = epoch * n_samples + position
            return rate_factor_by_samples(seen, epochs * n_samples, self.settings["final_rate"])
        return rate_factor(epoch, epochs, self.settings["final_rate"])

    def fit(self, samples, epochs, lost=None):
        """Train on the samples in their order, epoch after epoch; yields the decision on each.

        ``lost`` is a function of epoch and position that returns the masks for ``run``.
        """
        for epoch, (position, sample) in itertools.product(range(epochs), enumerate(samples)):
            masks = None if lost is None else lost(epoch, position)
            yield self.learn(*sample, masks, self.factor(epoch, epochs, position, len(samples)))

    def partial_fit(self, samples):
        """§2, rates: online, each sample once, at the first rates."""
        for sample in samples:
            yield self.learn(*sample)

    def decide(self, samples):
        """The decisions of inference."""
        return [self.run(indices, times) for indices, times, _ in samples]

    def first_spikes(self, samples, layer=-1):
        """Spike times of a layer's units until the decision, ``(n_samples, n_units)``; silent = ``max_time``."""
        found = []
        for indices, times, _ in samples:
            self.run(indices, times)
            found.append(self.layers[layer].unit_times().copy())
        return np.array(found)


# What the data decide (§3, §6)


def decision_time_wanted(samples, max_time):
    """§3: T0, the 0.7-quantile of all training spike times, as a share of ``max_time``."""
    return float(np.quantile(np.concatenate([times for _, times, _ in samples]), 0.7) / max_time)


def mean_spikes(samples):
    """§3: n̄, the mean number of input spikes of a training sample."""
    return float(np.mean([len(indices) for indices, _, _ in samples]))


def mean_patch_spikes(samples, input_shape, kernel_size, padding):
    """§6: n_b, the mean number of input spikes in the patches of the first 500 samples that hold at least one."""
    counts = []
    for indices, _, _ in samples[:500]:
        image = np.zeros(input_shape, int)
        image.flat[indices] = 1
        image = np.pad(image.sum(axis=2), padding)
        patches = np.lib.stride_tricks.sliding_window_view(image, (kernel_size, kernel_size)).sum(axis=(2, 3))
        counts.append(patches[patches > 0])
    return float(np.mean(np.concatenate(counts)))


def defaults(kind, n):
    """§3 and §6: mean and deviation of the normal draw, and rate; ``n`` is n̄, n_b or the width of the layer below."""
    return {
        "first": (1 / n, 0.36 / np.sqrt(n), 7 / n),
        "further": (4 / n, 1 / np.sqrt(n), 10 / n),
        "output": (4 / n, 0.6 / np.sqrt(n), 3 / n),
        "only": (1.2 / n, 0.1 / np.sqrt(n), 1.2 / n),
        "convolution": (1 / n, 0.36 / np.sqrt(n), 0.05),
        "output on pooled units": (4 / n, 0.6 / np.sqrt(n), 0.0025),
    }[kind]
