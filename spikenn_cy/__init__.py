"""First-spike networks trained by supervised STDP, as compiled kernels with a plain Python face."""

__version__ = "0.1.0"
