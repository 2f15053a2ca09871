"""SoftHebb-CNN, the extractor whose three blocks learn side by side in one pass over the images."""

from spikenn_cy.features.softhebb.extractor import SoftHebbCNN
from spikenn_cy.features.softhebb.settings import SoftHebbBlockConfig
from spikenn_cy.features.softhebb.settings import SoftHebbConfig

__all__ = ["SoftHebbBlockConfig", "SoftHebbCNN", "SoftHebbConfig"]
