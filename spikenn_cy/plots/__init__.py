"""Pictures of what was learned and how."""

from spikenn_cy.plots.activity import feature_activity
from spikenn_cy.plots.canvas import write_figure
from spikenn_cy.plots.filters import filters

__all__ = ["feature_activity", "filters", "write_figure"]
