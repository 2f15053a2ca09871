"""STDP: how one neuron's synaptic weights move for a given error, and stay within their bounds."""
from libc.math cimport exp
from libc.stdint cimport int16_t

import numpy as np

from spikenn_cy.dtypes import REAL
from spikenn_cy.kernels cimport primitives
from spikenn_cy.kernels.primitives cimport Step
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef void step_softly(
    real_t *row,
    Py_ssize_t n_inputs,
    real_t factor,
    const RowStep *step,
    const stamp_t *input_times,
    stamp_t spike,
    const Plasticity *plasticity,
) noexcept nogil:
    # The step shrinks exponentially towards the bound that it moves to.
    cdef double up = step.error * step.causal, down = step.error * step.anticausal
    cdef double steepness = plasticity.beta / (plasticity.soft_max - plasticity.soft_min)
    cdef double w
    cdef Py_ssize_t i
    for i in range(n_inputs):
        w = row[i] * factor
        # A weight far outside of the soft range has an infinite factor, which a rate of 0 must not meet.
        if input_times[i] <= spike:
            if up != 0:
                w += up * exp(-steepness * (w - plasticity.soft_min))
        elif down != 0 and (input_times[i] < plasticity.max_time or not plasticity.ignore_silent):
            w += down * exp(-steepness * (plasticity.soft_max - w))
        row[i] = min(max(<real_t>w, plasticity.w_min), plasticity.w_max)


cdef void c_learn_row(
    real_t *row,                         # IN and OUT, the neuron's synaptic weights
    Py_ssize_t n_inputs,
    real_t *factor,                      # IN and OUT, still to be applied to the row
    const RowStep *step,                 # IN
    const stamp_t *input_times,          # IN, max_time: silent
    stamp_t spike,                       # the neuron's own spike time, max_time: silent
    real_t target_norm,
    const Plasticity *plasticity,        # IN
    int16_t *coarse,                     # OUT, the row in whole numbers, unless it is NULL
    real_t scale,                        # of them
) noexcept nogil:
    cdef real_t total
    cdef Step hard
    if step.error == 0:
        return
    if plasticity.multiplicative:
        step_softly(row, n_inputs, factor[0], step, input_times, spike, plasticity)
        total = primitives.active.sum_row(row, n_inputs) if plasticity.normalise else 0
        if coarse is not NULL:
            primitives.active.coarsen_row(row, n_inputs, scale, coarse)
    else:
        hard.factor = factor[0]
        hard.spike = spike
        hard.silent_from = plasticity.max_time
        hard.causal = <real_t>(step.error * step.causal)          # formed in double once, added in float
        hard.anticausal = <real_t>(step.error * step.anticausal)
        hard.silent = 0 if plasticity.ignore_silent else hard.anticausal
        hard.w_min = plasticity.w_min
        hard.w_max = plasticity.w_max
        total = primitives.active.step_row(row, input_times, n_inputs, &hard, coarse, scale)
    # A row whose weights are all 0 has no direction to keep, and no factor would give it its norm back.
    factor[0] = target_norm / total if plasticity.normalise and total > 0 else 1


cdef void c_settle(
    real_t[:, ::1] weights,              # IN and OUT
    real_t[::1] factors,                 # IN and OUT, 1 afterwards
) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(weights.shape[0]):
        if factors[j] != 1:
            primitives.active.scale_row(&weights[j, 0], weights.shape[1], factors[j])
            factors[j] = 1


def learn_row(
    real_t[:, ::1] weights,
    index_t neuron,
    const stamp_t[::1] input_times,
    stamp_t spike,
    real_t error,
    *,
    double causal,
    double anticausal,
    stamp_t max_time,
    real_t w_min,
    real_t w_max,
    target_norms=None,
    bint ignore_silent=False,
    beta=None,
    double soft_min=0,
    double soft_max=1,
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
    spike : float
        The neuron's own spike time, ``max_time`` if it is silent.
    error : float
        Scale of the step; nothing moves if it is 0.
    causal, anticausal : float
        Weight change per unit of error of inputs no later than ``spike``, and of all others.
    max_time : float
        Time of silence.
    w_min, w_max : float
        Bounds applied after the step.
    target_norms : ndarray of float32, shape (n_neurons,), optional
        Sum of absolute weights to which the row is scaled at the end.
    ignore_silent : bool, default=False
        Leave silent inputs alone if the neuron fired.
    beta : float, optional
        Steepness of the multiplicative form; additive without it.
    soft_min, soft_max : float, default=0 and 1
        The range to which ``beta`` refers.

    Raises
    ------
    ValueError
        If the arrays' shapes do not agree.
    IndexError
        If ``neuron`` is out of range.
    """
    cdef Plasticity plasticity
    cdef RowStep step
    cdef const real_t[::1] norms
    cdef real_t[::1] factors = np.ones(weights.shape[0], REAL)
    if input_times.shape[0] != weights.shape[1] or weights.shape[1] == 0:
        raise ValueError(f"input_times: must have one entry an input, {weights.shape[1]}, got {input_times.shape[0]}")
    if not 0 <= neuron < weights.shape[0]:
        raise IndexError(f"neuron: must be below {weights.shape[0]}, got {neuron}")
    norms = np.zeros(weights.shape[0], REAL) if target_norms is None else target_norms
    if norms.shape[0] != weights.shape[0]:
        raise ValueError(f"target_norms: must have one entry a neuron, {weights.shape[0]}, got {norms.shape[0]}")
    plasticity.multiplicative = beta is not None
    plasticity.ignore_silent = ignore_silent
    plasticity.beta = 0 if beta is None else beta
    plasticity.soft_min = soft_min
    plasticity.soft_max = soft_max
    plasticity.normalise = target_norms is not None
    plasticity.w_min = w_min
    plasticity.w_max = w_max
    plasticity.max_time = max_time
    step.neuron = neuron
    step.error = error
    step.causal = causal
    step.anticausal = anticausal
    with nogil:
        c_learn_row(
            &weights[neuron, 0], weights.shape[1], &factors[neuron], &step, &input_times[0], spike, norms[neuron],
            &plasticity, NULL, 0,
        )
        c_settle(weights, factors)


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
        out[j] = primitives.active.sum_row(&weights[j, 0], weights.shape[1])
    return sums
