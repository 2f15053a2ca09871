"""What a learning rule sees of a sample, and what it answers: which neurons move, and how far.

A rule computes the errors e_j, positive to fire earlier; what becomes of them stands in `spikenn_cy.kernels.stdp`. A
negative error moves by its absolute value, with rates of its own::

    e_j >= 0:    |e_j| * ap,         |e_j| * am           causal inputs, anti-causal inputs
    e_j <  0:    |e_j| * anti_ap,    |e_j| * anti_am      by default -ap and -am

After every epoch all rates are multiplied by ``annealing``.
"""
from libc.math cimport fabs

from spikenn_cy.kernels.layout cimport ALL, LayerOutput, Layout
from spikenn_cy.kernels.stdp cimport RowUpdate
from spikenn_cy.types cimport index_t, real_t


cdef class Rule:
    """A learning rule, owned by one run.

    A subclass sets ``scope`` and overrides ``learn``: it writes one update for each neuron
    that is to move, at most one a neuron, and returns their number. It reads the layer's
    output and never the synaptic weights. Potentials are in the output only if it sets
    ``needs_potentials``; then they are exact, and what finds spikes without them is not used.

    Parameters
    ----------
    config : Record
        The rule's section of the settings.
    n_classes, n_per_class, n_non_target : int
        Neurons lie class by class, ``n_per_class`` each, non-target neurons first.
    max_time : float
        Time of silence.
    """

    def __init__(self, config, index_t n_classes, index_t n_per_class, index_t n_non_target, double max_time):
        self.layout = Layout(n_classes, n_per_class, n_non_target)
        self.max_time = max_time
        self.scope = ALL
        self.needs_potentials = False
        self.annealing = config.annealing
        self.accuracy = 1 / <double>n_classes     # of a guess: there has been no epoch

    def set_stdp(self, config):
        """Take the STDP rates and form from a ``STDPConfig``."""
        self.ap, self.am, self.anti_ap, self.anti_am = config.rates
        self.plasticity.multiplicative = config.stdp == "multiplicative"
        self.plasticity.ignore_silent = config.ignore_silent
        self.plasticity.beta = config.beta
        self.plasticity.soft_min = config.w_min
        self.plasticity.soft_max = config.w_max

    cdef void ask(self, RowUpdate *update, index_t neuron, double error) noexcept nogil:
        # Errors are stored in single precision; a negative one has rates of its own.
        update.neuron = neuron
        update.error = fabs(<real_t>error)
        update.causal = self.ap if error >= 0 else self.anti_ap
        update.anticausal = self.am if error >= 0 else self.anti_am

    cdef Py_ssize_t learn(self, const LayerOutput *output, RowUpdate *updates) noexcept nogil:
        return 0

    @property
    def stops_at(self):
        """Whose first spike ends the forward pass: that of the "layer", of each "class", or of "all" neurons."""
        return ("layer", "class", "all")[<int>self.scope]

    def on_epoch_end(self, double accuracy):
        """Anneal the rates; ``accuracy`` is the share of right votes of the epoch that ends."""
        self.ap *= self.annealing
        self.am *= self.annealing
        self.anti_ap *= self.annealing
        self.anti_am *= self.annealing
        self.accuracy = accuracy

    @property
    def state(self):
        """What changes from epoch to epoch, a list of floats; assign it to go on from there."""
        return [self.ap, self.am, self.anti_ap, self.anti_am, self.accuracy]

    @state.setter
    def state(self, values):
        self.ap, self.am, self.anti_ap, self.anti_am, self.accuracy = values
