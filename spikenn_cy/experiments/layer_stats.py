"""What an epoch of a network whose last layer learns did: votes, updates and firing times of its neurons."""

from collections.abc import Mapping

import numpy as np

from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import REAL
from spikenn_cy.network._statistics import EpochStatistics
from spikenn_cy.network.readout import Readout
from spikenn_cy.storage.arrays import Wanted

COUNTS = ("target_updates", "non_target_updates", "votes", "right_votes")
SAID = ("firing_time_mean", "firing_time_std", "silent_share")
BLOCK = 1024  # samples whose firing times are held at once


def epoch_statistics(model: Readout, train: SpikingDataset, counted: EpochStatistics) -> dict[str, np.ndarray]:
    """Return the statistics of one epoch.

    Parameters
    ----------
    model : Readout
        As the epoch left it.
    train : SpikingDataset
        What it was trained on.
    counted : EpochStatistics
        Of that epoch.

    Returns
    -------
    dict of ndarray
        ``labels`` int32 (n_samples,), the class of each sample in the order of training;
        ``training_thresholds`` float32 (n_samples, n_per_class), of the neurons of each
        sample's class after that sample, in the same order; ``target_updates``,
        ``non_target_updates``, ``votes`` and ``right_votes`` int64 (n_neurons,), counted
        during the epoch; ``precision`` float32 (n_neurons,), the share of right ones among
        a neuron's votes, NaN without a vote; ``weights`` float32 (n_neurons, n_inputs)
        after the epoch; ``firing_time_mean``, ``firing_time_std`` and ``silent_share``
        float32 (n_neurons,), of all neurons' spikes for the training samples after the
        epoch, at the inference thresholds and in the data's unit of time, mean and
        deviation NaN for a neuron that never fires.
    """
    votes, right_votes = counted.votes, counted.right_votes
    with np.errstate(invalid="ignore"):
        precision = (right_votes / votes).astype(REAL)
    return {
        "labels": counted.labels,
        "training_thresholds": counted.training_thresholds,
        "target_updates": counted.target_updates,
        "non_target_updates": counted.non_target_updates,
        "votes": votes,
        "right_votes": right_votes,
        "precision": precision,
        "weights": model.layers[-1].weights,
        **firing_times(model, train),
    }


def firing_times(model: Readout, dataset: SpikingDataset) -> dict[str, np.ndarray]:
    """Return mean, deviation and silence of each neuron's spikes, as in `epoch_statistics`."""
    n_neurons = model.layers[-1].n_neurons
    count, total, squares = np.zeros((3, n_neurons))
    for first in range(0, len(dataset), BLOCK):
        times, _ = model.first_spikes(dataset[first : first + BLOCK])
        fired = times < model.layers[-1].max_time
        spikes = np.where(fired, times, 0).astype(float)
        count += fired.sum(0)
        total += spikes.sum(0)
        squares += (spikes**2).sum(0)
    with np.errstate(invalid="ignore"):
        mean = total / count
        deviation = np.sqrt(np.maximum(squares / count - mean**2, 0))
    silent = 1 - count / len(dataset)
    return {
        "firing_time_mean": mean.astype(REAL),
        "firing_time_std": deviation.astype(REAL),
        "silent_share": silent.astype(REAL),
    }


def sentence(epoch: int, statistics: Mapping[str, np.ndarray]) -> str:
    """Return the firing times of an epoch in words, over all neurons."""
    mean, silent = statistics["firing_time_mean"], statistics["silent_share"]
    weight = np.where(np.isnan(mean), 0, 1 - silent)
    overall = round(float(np.average(np.nan_to_num(mean), weights=weight)), 4) if weight.any() else "none"
    return f"Mean firing time on train set after epoch {epoch}: {overall}, silent: {round(float(silent.mean()), 4)}"


def layout_of(model: Readout, n_samples: int) -> dict[str, Wanted]:
    """Return the arrays of one epoch, as `epoch_statistics` describes them."""
    n_neurons, n_inputs = model.layers[-1].n_neurons, model.layers[-1].n_inputs
    return {
        "labels": Wanted((n_samples,), "i"),
        "training_thresholds": Wanted((n_samples, n_neurons // model.n_classes)),
        **{name: Wanted((n_neurons,), "i") for name in COUNTS},
        "precision": Wanted((n_neurons,)),
        "weights": Wanted((n_neurons, n_inputs)),
        **{name: Wanted((n_neurons,)) for name in SAID},
    }
