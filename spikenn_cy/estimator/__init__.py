"""The face for scikit-learn."""

from spikenn_cy.estimator.classifier import SpikingClassifier
from spikenn_cy.estimator.encoder import LatencyEncoder

__all__ = ["LatencyEncoder", "SpikingClassifier"]
