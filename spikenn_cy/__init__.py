"""First-spike networks trained by supervised STDP, as compiled kernels with a plain Python face."""

import sys

from spikenn_cy.utils.installation import complete
from spikenn_cy.version import __version__

with complete():
    from spikenn_cy.config import ExperimentConfig
    from spikenn_cy.data.dataset import SpikingDataset
    from spikenn_cy.errors import ConfigError
    from spikenn_cy.errors import DataError
    from spikenn_cy.errors import RunError
    from spikenn_cy.errors import SpikennError
    from spikenn_cy.errors import TrainingWarning
    from spikenn_cy.network.history import EpochReport
    from spikenn_cy.network.history import History
    from spikenn_cy.network.readout import Readout

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
    "TrainingWarning",
    "__version__",
]


# Where these modules were before they had rooms; what imports them from there still does.
for _name in ("layer", "readout"):
    sys.modules[f"{__name__}.{_name}"] = sys.modules[f"{__name__}.network.{_name}"]


def __getattr__(name: str) -> object:
    # Late, because scikit-learn takes a second to import and is an extra; for that reason neither is in __all__.
    if name == "LatencyEncoder":
        from spikenn_cy.estimator import LatencyEncoder

        return LatencyEncoder
    if name == "SpikingClassifier":
        from spikenn_cy.estimator import SpikingClassifier

        return SpikingClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
