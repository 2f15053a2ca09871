"""STDP: how one neuron's synaptic weights move for a given error, and stay within their bounds."""
from libc.math cimport INFINITY, exp
from libc.stdint cimport int32_t

import numpy as np

from spikenn_cy.dtypes import INDEX, REAL
from spikenn_cy.kernels.dense cimport ANTICAUSAL, CAUSAL, SILENT, Step, dense
from spikenn_cy.types cimport index_t, real_t, stamp_t


cdef void step_softly(
    real_t *row,
    Py_ssize_t n_inputs,
    real_t factor,
    const RowStep *step,
    const int32_t *marks,
    bint fired,
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
        if marks[i] == CAUSAL or not fired:
            if up != 0:
                w += up * exp(-steepness * (w - plasticity.soft_min))
        elif down != 0 and (marks[i] == ANTICAUSAL or not plasticity.ignore_silent):
            w += down * exp(-steepness * (plasticity.soft_max - w))
        row[i] = min(max(<real_t>w, plasticity.w_min), plasticity.w_max)


cdef void c_prepare_step(
    Step *bare,                          # OUT
    const RowStep *step,
    const Plasticity *plasticity,
    real_t factor,                       # still to be applied to the row
    real_t lowest,                       # between which its weights are, as they are stored
    real_t highest,
    bint fired,
) noexcept nogil:
    # To a neuron that did not fire, every input is causal.
    cdef real_t causal = <real_t>(step.error * step.causal)          # formed in double once, added in float
    cdef real_t anticausal = <real_t>(step.error * step.anticausal)
    bare.factor = factor
    bare.changes[CAUSAL] = causal
    bare.changes[ANTICAUSAL] = anticausal if fired else causal
    bare.changes[SILENT] = (0 if plasticity.ignore_silent else anticausal) if fired else causal
    bare.changes[3] = 0
    bare.w_min = plasticity.w_min
    bare.w_max = plasticity.w_max
    # Rounded as each weight is, and rounding keeps the order.
    bare.lowest = lowest * factor
    bare.lowest = bare.lowest + min(bare.changes[CAUSAL], bare.changes[ANTICAUSAL], bare.changes[SILENT])
    bare.highest = highest * factor
    bare.highest = bare.highest + max(bare.changes[CAUSAL], bare.changes[ANTICAUSAL], bare.changes[SILENT])


cdef void c_learn_row(
    real_t *row,                         # IN and OUT, the neuron's synaptic weights
    Py_ssize_t n_inputs,
    real_t *factor,                      # IN and OUT, still to be applied to the row
    real_t *lowest,                      # OUT, between which the weights of the row are now
    real_t *highest,                     # OUT
    const Step *bare,                    # IN, of `c_prepare_step`
    const RowStep *step,                 # IN
    const int32_t *marks,                # IN, what each input's spike is to this neuron
    bint fired,
    real_t target_norm,
    const Plasticity *plasticity,        # IN
) noexcept nogil:
    cdef real_t total
    if plasticity.multiplicative:
        step_softly(row, n_inputs, factor[0], step, marks, fired, plasticity)
        lowest[0], highest[0] = plasticity.w_min, plasticity.w_max
        total = dense().sum_row(row, n_inputs)
    else:
        total = dense().step_row(row, marks, n_inputs, bare, lowest, highest)
    if total != total:                   # no comparison tells where a weight is that has become no number
        lowest[0], highest[0] = -INFINITY, INFINITY
    # A row whose weights are all 0 has no direction to keep, and no factor would give it its norm back.
    factor[0] = target_norm / total if plasticity.normalise and total > 0 else 1


cdef void c_settle(
    real_t[:, ::1] weights,              # IN and OUT
    real_t[::1] factors,                 # IN and OUT, 1 afterwards
    real_t[::1] lowest,                  # IN and OUT, between which the weights of each row are
    real_t[::1] highest,                 # IN and OUT
) noexcept nogil:
    cdef Py_ssize_t j
    for j in range(weights.shape[0]):
        if factors[j] != 1:
            dense().scale_row(&weights[j, 0], weights.shape[1], factors[j])
            lowest[j] = lowest[j] * factors[j]
            highest[j] = highest[j] * factors[j]
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
    cdef Step bare
    cdef const real_t[::1] norms
    cdef real_t[::1] factors = np.ones(weights.shape[0], REAL)
    cdef real_t[::1] lowest = np.full(weights.shape[0], -np.inf, REAL)
    cdef real_t[::1] highest = np.full(weights.shape[0], np.inf, REAL)
    cdef int32_t[::1] marks = np.empty(weights.shape[1], INDEX)
    cdef Py_ssize_t i
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
    if step.error == 0:
        return
    with nogil:
        for i in range(marks.shape[0]):
            marks[i] = CAUSAL if input_times[i] <= spike else ANTICAUSAL if input_times[i] < max_time else SILENT
        c_prepare_step(&bare, &step, &plasticity, 1, lowest[neuron], highest[neuron], True)
        c_learn_row(
            &weights[neuron, 0], weights.shape[1], &factors[neuron], &lowest[neuron], &highest[neuron], &bare, &step,
            &marks[0], True, norms[neuron], &plasticity,
        )
        c_settle(weights, factors, lowest, highest)


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
