"""First-spike networks trained by supervised STDP, as compiled kernels with a plain Python face."""

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import RunError
from spikenn_cy.errors import SpikennError
from spikenn_cy.readout import Readout
from spikenn_cy.training import EpochReport
from spikenn_cy.training import History
from spikenn_cy.version import __version__

__all__ = [
    "ConfigError",
    "DataError",
    "EpochReport",
    "ExperimentConfig",
    "History",
    "Readout",
    "RunError",
    "SpikennError",
    "SpikingDataset",
    "__version__",
]
