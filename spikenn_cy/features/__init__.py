"""Extractors, which turn images into spikes that a network can learn from: ``EXTRACTORS`` has them by name."""

from spikenn_cy.features.stdp_csnn import STDPCSNN

__all__ = ["STDPCSNN"]
