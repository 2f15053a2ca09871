"""STDP: how one neuron's synaptic weights move for a given error, and stay within their bounds.

Additive (Kheradpisheh et al., Neural Networks 2018)::

    w_i <- w_i + e * causal       if t_i <= t_j, the neuron's own spike
    w_i <- w_i + e * anticausal   else

Multiplicative (Querlioz et al., 2013): the step shrinks exponentially towards the bound that it moves to::

    w_i <- w_i + e * causal * exp(-beta * (w_i - soft_min) / (soft_max - soft_min))
    w_i <- w_i + e * anticausal * exp(-beta * (soft_max - w_i) / (soft_max - soft_min))

Then weights are clipped to ``[w_min, w_max]``, and with a target norm the row is scaled to it. The scale is kept beside
the row as pending until its next step, its next forward pass or the end of the epoch applies it.
"""
from typing import NamedTuple

from libc.math cimport INFINITY, exp
from libc.stdint cimport int32_t

import numpy as np

from spikenn_cy.dtypes import INDEX, REAL
from spikenn_cy.kernels.dense cimport ANTICAUSAL, CAUSAL, SILENT, WHOLE_MAX, RowRange, WeightStep, WholeRow, dense
from spikenn_cy.kernels.weights cimport WeightRows
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef void step_multiplicatively(
    const WeightRows *rows, const RowUpdate *update, bint fired, const int32_t *labels, const Plasticity *plasticity
) noexcept nogil:
    cdef real_t *row = rows.weights + update.neuron * rows.n_inputs
    cdef real_t scale = rows.pending_scales[update.neuron]
    cdef double up = update.error * update.causal, down = update.error * update.anticausal
    cdef double steepness = plasticity.beta / (plasticity.soft_max - plasticity.soft_min)
    cdef double w
    cdef Py_ssize_t i
    for i in range(rows.n_inputs):
        w = row[i] * scale
        # A weight far outside of the soft range has an infinite factor, which a rate of 0 must not meet.
        if labels[i] == CAUSAL or not fired:
            if up != 0:
                w += up * exp(-steepness * (w - plasticity.soft_min))
        elif down != 0 and (labels[i] == ANTICAUSAL or not plasticity.ignore_silent):
            w += down * exp(-steepness * (plasticity.soft_max - w))
        row[i] = min(max(<real_t>w, plasticity.w_min), plasticity.w_max)


cdef WeightStep additive_step(
    const WeightRows *rows, const RowUpdate *update, bint fired, const Plasticity *plasticity
) noexcept nogil:
    # To a neuron that did not fire, every input is causal.
    cdef real_t causal = <real_t>(update.error * update.causal)          # formed in double once, added in float
    cdef real_t anticausal = <real_t>(update.error * update.anticausal)
    cdef WeightStep step
    step.scale = rows.pending_scales[update.neuron]
    step.changes[CAUSAL] = causal
    step.changes[ANTICAUSAL] = anticausal if fired else causal
    step.changes[SILENT] = (0 if plasticity.ignore_silent else anticausal) if fired else causal
    step.changes[3] = 0
    step.w_min = plasticity.w_min
    step.w_max = plasticity.w_max
    # Rounded as each weight is, and rounding keeps the order.
    step.range.min = rows.ranges[update.neuron].min * step.scale
    step.range.min = step.range.min + min(step.changes[CAUSAL], step.changes[ANTICAUSAL], step.changes[SILENT])
    step.range.max = rows.ranges[update.neuron].max * step.scale
    step.range.max = step.range.max + max(step.changes[CAUSAL], step.changes[ANTICAUSAL], step.changes[SILENT])
    return step


cdef void c_update_row(
    const WeightRows *rows,              # IN and OUT: the neuron's weights, and what is known of its row
    const RowUpdate *update,             # IN
    stamp_t spike,                       # IN, the neuron's own; max_time: it is silent
    const int32_t *labels,               # IN, what each input's spike is to this neuron
    const Plasticity *plasticity,        # IN
    WholeRow *whole,                     # OUT, the row as whole numbers if there is a place for them
) noexcept nogil:
    cdef index_t neuron = update.neuron
    cdef real_t *row = rows.weights + neuron * rows.n_inputs
    cdef bint fired = spike < plasticity.max_time
    cdef WeightStep step
    cdef real_t total
    if plasticity.multiplicative:
        step_multiplicatively(rows, update, fired, labels, plasticity)
        rows.ranges[neuron].min, rows.ranges[neuron].max = plasticity.w_min, plasticity.w_max
        total = dense().sum_row(row, rows.n_inputs)
        whole.scale = 0
    else:
        step = additive_step(rows, update, fired, plasticity)
        # No weight will be above this, so that none is a larger whole number than WHOLE_MAX.
        whole.scale = WHOLE_MAX / max(min(step.range.max, step.w_max), step.w_min)
        if not 0 < whole.scale < INFINITY:
            whole.scale = 0
        step.whole.to, step.whole.scale = whole.to if whole.scale > 0 else NULL, whole.scale
        total = dense().step_row(row, labels, rows.n_inputs, &step, &rows.ranges[neuron])
    if total != total:                   # no comparison tells where a weight is that has become no number
        rows.ranges[neuron].min, rows.ranges[neuron].max = -INFINITY, INFINITY
        whole.scale = 0
    # A row whose weights are all 0 has no direction to keep, and no scale would give it its norm back.
    rows.pending_scales[neuron] = rows.target_norms[neuron] / total if plasticity.normalise and total > 0 else 1


cdef void c_apply_pending_scales(const WeightRows *rows) noexcept nogil:
    cdef real_t scale
    cdef index_t j
    for j in range(rows.n_neurons):
        scale = rows.pending_scales[j]
        if scale != 1:
            dense().scale_row(rows.weights + j * rows.n_inputs, rows.n_inputs, scale)
            rows.ranges[j].min = rows.ranges[j].min * scale
            rows.ranges[j].max = rows.ranges[j].max * scale
            rows.pending_scales[j] = 1


class STDPStep(NamedTuple):
    """A step of `learn_row`.

    Attributes
    ----------
    error : float
        Scale of the step; nothing moves if it is 0.
    causal, anticausal : float
        Weight change per unit of error of inputs no later than the neuron's spike, and of all others.
    w_min, w_max : float
        Bounds applied after the step.
    ignore_silent : bool, default=False
        Leave silent inputs alone if the neuron fired.
    beta : float, optional
        Steepness of the multiplicative form; additive without it.
    soft_min, soft_max : float, default=0 and 1
        The range to which ``beta`` refers.
    """

    error: float
    causal: float
    anticausal: float
    w_min: float
    w_max: float
    ignore_silent: bool = False
    beta: float | None = None
    soft_min: float = 0.0
    soft_max: float = 1.0


def learn_row(
    real_t[:, ::1] weights, index_t neuron, const stamp_t[::1] input_times, times, step, target_norms=None
):
    """Move one neuron's synaptic weights by one STDP step, in place.

    Parameters
    ----------
    weights : ndarray of float32, shape (n_neurons, n_inputs)
        Changed in row ``neuron`` only.
    neuron : int
        Row to change.
    input_times : ndarray of float32, shape (n_inputs,)
        Input spike times in the data's unit of time; a silent input is at ``max_time``.
    times : tuple of float
        ``(spike, max_time)``: the neuron's own spike, and the time of silence.
    step : STDPStep
    target_norms : ndarray of float32, shape (n_neurons,), optional
        Sum of absolute weights to which the row is scaled at the end.

    Raises
    ------
    ValueError
        If the arrays' shapes do not agree.
    IndexError
        If ``neuron`` is out of range.
    """
    cdef Plasticity plasticity
    cdef RowUpdate update
    cdef WeightRows rows
    cdef Py_ssize_t n_neurons = weights.shape[0], i
    cdef real_t[::1] pending_scales = np.ones(n_neurons, REAL)
    cdef WholeRow whole
    cdef real_t[:, ::1] ranges = np.tile(np.array([-np.inf, np.inf], REAL), (n_neurons, 1))
    cdef const real_t[::1] norms
    cdef int32_t[::1] labels = np.empty(weights.shape[1], INDEX)
    cdef stamp_t spike = times[0], max_time = times[1]
    if input_times.shape[0] != weights.shape[1] or weights.shape[1] == 0:
        raise ValueError(f"input_times: must have one entry an input, {weights.shape[1]}, got {input_times.shape[0]}")
    if not 0 <= neuron < n_neurons:
        raise IndexError(f"neuron: must be below {n_neurons}, got {neuron}")
    norms = np.zeros(n_neurons, REAL) if target_norms is None else target_norms
    if norms.shape[0] != n_neurons:
        raise ValueError(f"target_norms: must have one entry a neuron, {n_neurons}, got {norms.shape[0]}")
    rows.weights, rows.n_neurons, rows.n_inputs = &weights[0, 0], <index_t>n_neurons, weights.shape[1]
    rows.pending_scales, rows.ranges = &pending_scales[0], <RowRange *>&ranges[0, 0]
    rows.target_norms, rows.non_negative = &norms[0], False
    plasticity.multiplicative = step.beta is not None
    plasticity.beta = 0 if step.beta is None else step.beta
    plasticity.ignore_silent = step.ignore_silent
    plasticity.soft_min, plasticity.soft_max = step.soft_min, step.soft_max
    plasticity.normalise = target_norms is not None
    plasticity.w_min, plasticity.w_max, plasticity.max_time = step.w_min, step.w_max, max_time
    update.neuron, update.error = neuron, step.error
    whole.to = NULL
    update.causal, update.anticausal = step.causal, step.anticausal
    if update.error == 0:
        return
    with nogil:
        for i in range(labels.shape[0]):
            labels[i] = CAUSAL if input_times[i] <= spike else ANTICAUSAL if input_times[i] < max_time else SILENT
        c_update_row(&rows, &update, spike, &labels[0], &plasticity, &whole)
        c_apply_pending_scales(&rows)


def absolute_sums(const real_t[:, ::1] weights):
    """Return the sum of absolute synaptic weights of each neuron, as the kernels take it.

    Parameters
    ----------
    weights : ndarray of float32, shape (n_neurons, n_inputs)

    Returns
    -------
    sums : ndarray of float32, shape (n_neurons,)
    """
    sums = np.empty(weights.shape[0], REAL)
    cdef real_t[::1] out = sums
    cdef Py_ssize_t j
    for j in range(weights.shape[0]):
        out[j] = dense().sum_row(&weights[j, 0], weights.shape[1])
    return sums
