"""The face for scikit-learn."""

from spikenn_cy.estimator.classifier import LatencyEncoder
from spikenn_cy.estimator.classifier import SpikingClassifier

__all__ = ["LatencyEncoder", "SpikingClassifier"]
