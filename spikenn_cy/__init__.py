"""First-spike networks trained by supervised STDP, as compiled kernels with a plain Python face."""

import sys

from spikenn_cy.utils.installation import complete
from spikenn_cy.utils.installation import is_installed
from spikenn_cy.version import __version__

with complete():
    from spikenn_cy.bundled.networks import Pretrained
    from spikenn_cy.bundled.networks import pretrained
    from spikenn_cy.config import ExperimentConfig
    from spikenn_cy.data.dataset import SpikingDataset
    from spikenn_cy.errors import ConfigError
    from spikenn_cy.errors import ConfigWarning
    from spikenn_cy.errors import DataError
    from spikenn_cy.errors import DataWarning
    from spikenn_cy.errors import MissingExtra
    from spikenn_cy.errors import RunError
    from spikenn_cy.errors import SpikennError
    from spikenn_cy.errors import TrainingWarning
    from spikenn_cy.network.history import EpochReport
    from spikenn_cy.network.history import History
    from spikenn_cy.network.integer.model import IntegerReadout
    from spikenn_cy.network.readout import Readout

# Late, because scikit-learn takes a second to import and is an extra, and pictures need another one.
_LATE = ("LatencyEncoder", "SpikingClassifier")
_ROOMS = ("experiments", "features", "plots")

__all__ = [
    "ConfigError",
    "ConfigWarning",
    "DataError",
    "DataWarning",
    "EpochReport",
    "ExperimentConfig",
    "History",
    "IntegerReadout",
    "MissingExtra",
    "Pretrained",
    "Readout",
    "RunError",
    "SpikennError",
    "SpikingDataset",
    "TrainingWarning",
    "__version__",
    "pretrained",
]
if is_installed("sklearn"):  # else importing all of it would fail
    __all__ += ["LatencyEncoder", "SpikingClassifier"]


# Where these modules were before they had rooms; what imports them from there still does.
for _name in ("layer", "readout"):
    sys.modules[f"{__name__}.{_name}"] = sys.modules[f"{__name__}.network.{_name}"]


def __getattr__(name: str) -> object:
    if name in _LATE:
        import spikenn_cy.estimator as room

        return getattr(room, name)
    if name in _ROOMS:
        import spikenn_cy.experiments
        import spikenn_cy.features
        import spikenn_cy.plots  # noqa: F401

        return sys.modules[f"{__name__}.{name}"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_LATE, *_ROOMS})
