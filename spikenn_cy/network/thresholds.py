"""Thresholds that settings leave to the data, so that nobody need know what potentials samples will reach."""

import msgspec
import numpy as np

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.config import LayerConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import require
from spikenn_cy.layers.settings import AUTO
from spikenn_cy.network.layer import Layer
from spikenn_cy.network.training import hidden_spikes
from spikenn_cy.settings.records import with_source
from spikenn_cy.settings.validation import at

SHARE = {1: 0.6, 2: 0.6}  # of spikes, by the number of fields
SHARE_OF_MORE_FIELDS = 0.8
LOOKED_AT = 300  # training samples at most that hidden layers answer


def automatic_threshold(mean_weight: float, n_fields: int, train: SpikingDataset) -> float:
    """Return what a share of an average sample's spikes give to a neuron with initial weights.

    Parameters
    ----------
    mean_weight : float
        Of the initial weights.
    n_fields : int
        Inputs that share the spikes of a feature; see `LatencyEncoder`.
    train : SpikingDataset
    """
    # A first call of partial_fit may bring one sample. A single sample has no range, and so no spike.
    n_spikes = len(train.indices) / len(train) or train.n_inputs // n_fields * min(n_fields, 2)
    # Where most values are 0, most of their fields spike at time 0. All of these spikes count in full: a threshold
    # below their sum would decide every sample before any other spike.
    n_at_once = 0.0 if n_fields == 1 else np.count_nonzero(train.timestamps == 0) / len(train)
    share = SHARE.get(n_fields, SHARE_OF_MORE_FIELDS)
    return float(mean_weight * (n_at_once + share * (n_spikes - n_at_once)))


def settled(config: ExperimentConfig, train: SpikingDataset, seed: int, n_fields: int = 1) -> ExperimentConfig:
    """Return settings in which every threshold is a number: those that are ``"auto"``, chosen for a training set.

    Parameters
    ----------
    config : ExperimentConfig
    train : SpikingDataset
        Of one sample at least.
    seed : int
        Of the network: how many spikes a hidden layer hands on depends on its weights.
    n_fields : int, default=1
        As for `automatic_threshold`.

    Raises
    ------
    ConfigError
        If the initial weights of such a layer are not above 0 on average.
    """
    automatic = [position for position, layer in enumerate(config.network) if layer.firing_threshold == AUTO]
    if not automatic:
        return config
    layers = list(config.network)
    generator, spikes = np.random.default_rng(seed), train
    for position, asked in enumerate(config.network):
        assert isinstance(asked, LayerConfig)
        settings = asked
        if position in automatic:
            place = at(config.where, f"network[{position}].firing_threshold")
            rule = "must be a number where initial weights are not above 0 on average"
            require(settings.mean_weight > 0, place, rule, AUTO)
            threshold = automatic_threshold(settings.mean_weight, n_fields if position == 0 else 1, spikes)
            settings = layers[position] = msgspec.structs.replace(settings, firing_threshold=threshold)
        if position == automatic[-1]:
            break
        # The weights that the network will have, since they are drawn in this order, whatever the thresholds.
        layer = Layer(settings, spikes.n_inputs, train.max_time, generator)
        looked_at = spikes[:: -(-len(spikes) // LOOKED_AT)]
        spikes = hidden_spikes([layer.new_inference(None)], looked_at)
    return with_source(msgspec.structs.replace(config, network=tuple(layers)), config.where)
