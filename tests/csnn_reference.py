"""STDP-CSNN in plain NumPy, spike by spike, written to be read."""

import numpy as np

F = np.float32


def times_of(values, low, high, late=False):
    """Return input times of filtered values split by sign: (rows, columns, 2 * channels)."""
    split = np.stack([np.maximum(values, 0), np.maximum(-values, 0)], axis=-1).reshape(*values.shape[:-1], -1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scaled = ((split - low) / (high - low)).astype(F)
    silent = low == high
    if not late:
        silent = silent | (high <= np.finfo(F).tiny) | (scaled <= 0)
    times = np.maximum(F(0), F(1) - scaled)
    return np.where(np.broadcast_to(silent, times.shape), F(1), times).astype(F)


def spikes_in(times, late=False):
    """Return (row, column, channel) of the spikes in a receptive field, in the order in which they are handled."""
    places = [tuple(p) for p in np.argwhere((times != 1) & (times < (np.inf if late else 1)))]
    return sorted(places, key=lambda place: (times[place], place))


def first_spike_times(times, weights, thresholds, late=False):
    """Return when each filter fires in one receptive field, infinity if it does not, and the number of the spike."""
    potentials = np.zeros(len(thresholds), F)
    fired, number = np.full(len(thresholds), np.inf, F), np.full(len(thresholds), 1 << 30)
    for k, place in enumerate(spikes_in(times, late)):
        potentials = potentials + weights[place]
        now = (potentials >= thresholds) & np.isinf(fired)
        fired[now], number[now] = times[place], k
    return fired, number


def features(times, weights, thresholds, pool, late=False, compete=False):
    """Return the pooled first-spike times of one image."""
    kernel_rows, kernel_columns = weights.shape[:2]
    rows, columns = ((side - k + 1) // pool for side, k in zip(times.shape, weights.shape[:2], strict=False))
    out = np.full((rows, columns, len(thresholds)), np.inf, F)
    for x in range(rows * pool):
        for y in range(columns * pool):
            field = times[x : x + kernel_rows, y : y + kernel_columns]
            fired, number = first_spike_times(field, weights, thresholds, late)
            if compete:
                fired[number != number.min()] = np.inf
            out[x // pool, y // pool] = np.minimum(out[x // pool, y // pool], fired)
    return np.where(np.isinf(out), F(1), out)


def learn(times, weights, thresholds, config, rates, threshold_rate):
    """Show one patch: change weights and thresholds in place; return the winner, or None."""
    late = config.reference_compatible
    potentials = np.zeros(len(thresholds), F)
    for place in spikes_in(times, late):
        potentials = potentials + weights[place]
        over = potentials > thresholds if late else potentials >= thresholds
        if over.any():
            break
    else:
        return None
    winner, spike = int(over.argmax()), times[place]
    if config.conv1_t_obj != -1:
        thresholds -= threshold_rate * (spike - F(config.conv1_t_obj))
    others = np.arange(len(thresholds)) != winner
    thresholds[winner] += threshold_rate
    thresholds[others] -= threshold_rate / F(max(1, len(thresholds) - 1))
    np.maximum(thresholds, F(config.conv1_min_th), out=thresholds)
    w = weights[..., winner]
    arrival = np.where((times == 1) | (not late and times >= 1), F(np.inf), times)
    causal = arrival <= spike
    if config.conv1_stdp == "biological":
        size = np.exp(-np.abs(arrival - spike) / F(config.conv1_stdp_t))
    else:
        beta = F(config.conv1_stdp_b)
        size = np.exp(np.where(causal, -beta * w, beta * (w - 1)))
    weights[..., winner] = np.clip(w + np.where(causal, rates[0], -rates[1]) * size, 0, 1)
    return winner


def train(values, low, high, config, seed, n_channels):
    """Return weights and thresholds after all epochs on filtered images."""
    generator = np.random.default_rng(seed)
    kernel = config.kernel_shape
    drawn = generator.standard_normal((*kernel, n_channels, config.conv1_c), dtype=F)
    weights = np.clip(drawn * F(config.conv1_w_init_std) + F(config.conv1_w_init_mean), 0, 1)
    thresholds = np.full(config.conv1_c, config.conv1_th, F)
    rates, threshold_rate = [F(rate) for rate in config.rates], F(config.conv1_lr_th)
    shrink = 2 if config.reference_compatible else 1
    ends = [side - shrink * (k - 1) for side, k in zip(values.shape[1:3], kernel, strict=True)]
    for _ in range(config.conv1_epochs):
        for image, (x, y) in zip(values, generator.integers(ends, size=(len(values), 2)), strict=True):
            times = times_of(image, low, high, config.reference_compatible)
            learn(times[x : x + kernel[0], y : y + kernel[1]], weights, thresholds, config, rates, threshold_rate)
        rates = [rate * F(config.conv1_annealing) for rate in rates]
        threshold_rate *= F(config.conv1_annealing)
    return weights, thresholds


def filtered(image, kernels):
    """Return an image of uint8 correlated with (made, size, size, taken) kernels, edges repeated, in float64."""
    margin = kernels.shape[1] // 2
    padded = np.pad(image / 255, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernels.shape[1:3], axis=(0, 1))
    return np.einsum("xycab,zabc->xyz", windows, kernels.astype(float))
