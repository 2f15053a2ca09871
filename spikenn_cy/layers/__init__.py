"""Layers of networks that learn in every layer, by the name a layer gives as ``type``.

To add one: write ``name.py`` (its settings, and its arrays behind a checked face) and ``_name.pyx`` (what a sample does
to it and how it learns), then give it a row here. Nothing else in the package changes.
"""

from spikenn_cy.layers.conv import ConvConfig
from spikenn_cy.layers.dense import DenseConfig
from spikenn_cy.layers.settings import NetworkLayerConfig

LAYERS: dict[str, type[NetworkLayerConfig]] = {
    "dense": DenseConfig,
    "conv": ConvConfig,
}
