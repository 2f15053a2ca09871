"""STDP-CSNN, the extractor whose filters are spiking neurons that compete for patches of images."""

from spikenn_cy.features.stdp_csnn.extractor import STDPCSNN
from spikenn_cy.features.stdp_csnn.settings import PUBLISHED
from spikenn_cy.features.stdp_csnn.settings import STDPCSNNConfig

__all__ = ["PUBLISHED", "STDPCSNN", "STDPCSNNConfig"]
