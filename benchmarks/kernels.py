"""Each kernel alone, through the smallest door that Python has to it."""

import time
from types import SimpleNamespace

import numpy as np

from benchmarks import names_of_the_package
from benchmarks.cases import layer_of

REAL = np.float32


def distinct_spikes(n_samples, n_spikes, n_inputs):
    """Return a data set: each sample's inputs in random order, no two at the same time."""
    from spikenn_cy import SpikingDataset

    generator = np.random.default_rng(0)
    inputs = np.concatenate([generator.permutation(n_inputs)[:n_spikes] for _ in range(n_samples)])
    times = np.tile(np.arange(n_spikes) / n_spikes, n_samples)
    indptr = np.arange(n_samples + 1) * n_spikes
    return SpikingDataset(indptr, inputs.astype(np.int32), times.astype(REAL), np.zeros(n_samples, int), n_inputs)


class ChargeRows:
    """The forward pass of training: 100 samples whose neurons all stay silent, so that nothing ends it.

    Linear in ``n_spikes`` and in ``n_neurons``; flat in ``n_inputs`` while the weights fit a cache, with a step where
    they outgrow it.
    """

    params = ([150, 600], [784, 24_576], [5, 50])
    param_names = ("n_spikes", "n_inputs", "n_neurons")
    timer = time.process_time
    timeout = 60
    n_samples = 100

    def setup(self, n_spikes, n_inputs, n_neurons):
        with names_of_the_package():
            from spikenn_cy.config import TrainerConfig
            from spikenn_cy.network._batch import SampleBatch
            from spikenn_cy.network._readout_trainer import ReadoutTrainer
            from spikenn_cy.network.forward import ExactForward
            from spikenn_cy.regulators._base import Regulator
            from spikenn_cy.rules._base import Rule
        layout = (5, n_neurons // 5, 0)
        layer = layer_of(np.random.default_rng(0).random((n_neurons, n_inputs), REAL), np.full(n_neurons, 1e9, REAL))
        regulator = Regulator(*layout)
        regulator.reset(layer.thresholds)
        # A rule that asks for every neuron's spike and then moves none leaves the forward pass and the vote.
        rule = Rule(SimpleNamespace(annealing=1.0), *layout, 1.0)
        self.trainer = ReadoutTrainer(layer, 0, rule, regulator, TrainerConfig())
        self.batch = SampleBatch(distinct_spikes(self.n_samples, n_spikes, n_inputs))
        self.forward = ExactForward(layer.rows, layout, 1.0)

    def time_charge(self, *_):
        self.trainer.run(self.batch, self.forward)


class ChargeLanes:
    """The forward pass of inference on the input-major copy: 100 samples, none of which ends before its last spike.

    Linear in ``n_spikes``, and in ``n_neurons`` rounded up to whole vectors of 8; flat in ``n_inputs`` while the copy
    fits a cache.
    """

    params = ([150, 600], [784, 24_576], [10, 50, 200])
    param_names = ("n_spikes", "n_inputs", "n_neurons")
    timer = time.process_time
    timeout = 60
    n_samples = 100

    def setup(self, n_spikes, n_inputs, n_neurons):
        weights = np.random.default_rng(0).random((n_neurons, n_inputs), REAL)
        with names_of_the_package():
            from spikenn_cy.network._batch import SampleBatch
        layer = layer_of(weights, np.full(n_neurons, 1e9, REAL))
        self.inference = layer.new_inference(layer.input_major(0, at_once=True))
        self.batch = SampleBatch(distinct_spikes(self.n_samples, n_spikes, n_inputs))
        self.first, self.n_inputs = np.empty(self.n_samples, np.int32), n_inputs

    def time_charge(self, *_):
        self.inference.first_neurons(self.batch, self.first)


class InputMajorCopy:
    """The input-major copy that predictions after training make; linear in neurons and in inputs."""

    params = ([50, 500], [784, 24_576])
    param_names = ("n_neurons", "n_inputs")
    timer = time.process_time
    timeout = 60

    def setup(self, n_neurons, n_inputs):
        with names_of_the_package():
            from spikenn_cy.network._weights import InputMajorWeights
            from spikenn_cy.network._weights import LayerWeights
        self.copy = InputMajorWeights
        self.weights = LayerWeights(np.random.default_rng(0).random((n_neurons, n_inputs), REAL))

    def time_copy(self, *_):
        self.copy(self.weights)


class LearnRow:
    """A hundred STDP steps of a neuron of ten; linear in ``n_inputs``, flat in how many of them are causal.

    ``normalised`` steps pass over the row again to scale it. The interpreter's part is about 1 µs a step.
    """

    params = ([784, 4_608, 24_576], [0.1, 0.9], [False, True])
    param_names = ("n_inputs", "causal", "normalised")
    timer = time.process_time
    timeout = 60
    n_steps = 100

    def setup(self, n_inputs, causal, normalised):
        with names_of_the_package():
            from spikenn_cy.kernels.stdp import STDPStep
            from spikenn_cy.kernels.stdp import learn_row
        generator = np.random.default_rng(0)
        self.learn = learn_row
        self.weights = generator.random((10, n_inputs), REAL)
        self.input_times = generator.random(n_inputs, REAL)
        self.step = STDPStep(1.0, 1e-3, -1e-3, 0, 1)
        self.norms = self.weights.sum(axis=1) if normalised else None

    def time_learn(self, n_inputs, causal, *_):
        for i in range(self.n_steps):
            self.learn(self.weights, i % 10, self.input_times, (causal, 1.0), self.step, self.norms)


class LearnRowSoftly:
    """Ten multiplicative steps, two exponentials' worth of work an input; linear in ``n_inputs``."""

    params = ([784, 4_608, 24_576],)
    param_names = ("n_inputs",)
    timer = time.process_time
    timeout = 60

    def setup(self, n_inputs):
        with names_of_the_package():
            from spikenn_cy.kernels.stdp import STDPStep
            from spikenn_cy.kernels.stdp import learn_row
        generator = np.random.default_rng(0)
        self.learn = learn_row
        self.weights = generator.random((10, n_inputs), REAL)
        self.input_times = generator.random(n_inputs, REAL)
        self.step = STDPStep(1.0, 1e-3, -1e-3, 0, 1, beta=1.0)

    def time_learn(self, *_):
        for i in range(10):
            self.learn(self.weights, i, self.input_times, (0.5, 1.0), self.step)


class AbsoluteSums:
    """Sums of |w| of all rows, as target norms are taken; linear in neurons and in inputs."""

    params = ([50, 500], [784, 24_576])
    param_names = ("n_neurons", "n_inputs")
    timer = time.process_time
    timeout = 60

    def setup(self, n_neurons, n_inputs):
        with names_of_the_package():
            from spikenn_cy.kernels.stdp import absolute_sums
        self.sum = absolute_sums
        self.weights = np.random.default_rng(0).random((n_neurons, n_inputs), REAL)

    def time_sum(self, *_):
        self.sum(self.weights)


class DropoutMask:
    """A hundred masks; linear in ``n``, flat in the rate."""

    params = ([50, 24_576], [0.1, 0.9])
    param_names = ("n", "rate")
    timer = time.process_time
    timeout = 60

    def setup(self, n, rate):
        with names_of_the_package():
            from spikenn_cy.kernels.dropout import draw_mask
        self.draw = draw_mask

    def time_draw(self, n, rate):
        for sample in range(100):
            self.draw(7, 0, sample, 0, rate, n)


class FirstToFire:
    """A hundred votes; linear in ``n_neurons``, whatever the ties."""

    params = ([50, 5_000], [False, True])
    param_names = ("n_neurons", "tied")
    timer = time.process_time
    timeout = 60

    def setup(self, n_neurons, tied):
        with names_of_the_package():
            from spikenn_cy.kernels.winner import first_to_fire
        generator = np.random.default_rng(0)
        self.first = first_to_fire
        self.times = np.ones(n_neurons, REAL) if tied else generator.random(n_neurons, REAL)
        self.potentials = generator.random(n_neurons, REAL)

    def time_vote(self, *_):
        for _ in range(100):
            self.first(self.times, self.potentials)


class Instructions:
    """The kernels above that have a variant for each instruction set, at one size; the same bits with any.

    Wider registers should pay in `learn`, `sum` and `charge_lanes`, whose work lies side by side, and not in
    `charge_rows`, whose loads are of single weights.
    """

    params = (["baseline", "avx2", "avx512"],)
    param_names = ("instructions",)
    timer = time.process_time
    timeout = 60

    def setup(self, instructions):
        with names_of_the_package():
            from spikenn_cy.kernels.primitives import active_instructions
            from spikenn_cy.kernels.primitives import available_instructions
            from spikenn_cy.kernels.primitives import use_instructions
        if instructions not in available_instructions():
            raise NotImplementedError(f"no {instructions} on this processor")
        self.before, self.use = active_instructions(), use_instructions
        use_instructions(instructions)
        self.rows, self.lanes, self.learn, self.sums = ChargeRows(), ChargeLanes(), LearnRow(), AbsoluteSums()
        self.rows.setup(600, 784, 50)
        self.lanes.setup(600, 784, 50)
        self.learn.setup(4_608, 0.5, True)
        self.sums.setup(50, 4_608)

    def teardown(self, instructions):
        self.use(self.before)

    def time_charge_rows(self, instructions):
        self.rows.time_charge()

    def time_charge_lanes(self, instructions):
        self.lanes.time_charge()

    def time_learn(self, instructions):
        self.learn.time_learn(4_608, 0.5)

    def time_sum(self, instructions):
        self.sums.time_sum()
