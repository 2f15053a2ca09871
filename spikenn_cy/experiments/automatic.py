"""Settings for who has none: those with which the classifier begins, chosen from the training data."""

import inspect
import os

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.experiments.data import files_in
from spikenn_cy.experiments.data import opened_sets
from spikenn_cy.utils.extras import extra


def automatic_config(folder: str | os.PathLike[str]) -> ExperimentConfig:
    """Return the settings for the data sets in a folder; see `automatic_settings`."""
    files = files_in(folder)
    return automatic_settings(opened_sets({"train": files["train"]})["train"])


def automatic_settings(train: SpikingDataset) -> ExperimentConfig:
    """Return the settings with which `spikenn_cy.estimator.SpikingClassifier` would train on a data set.

    They are its defaults: a network with one hidden layer, all of which learns from the time of its decision, whatever
    the axes of the inputs. The same data have the same settings.

    Parameters
    ----------
    train : SpikingDataset

    Raises
    ------
    MissingExtra
        If scikit-learn is not installed.
    """
    with extra("sklearn", where="run without CONFIG"):
        import sklearn  # noqa: F401 # which the classifier below asks for under its own name
    from spikenn_cy.estimator.classifier import SpikingClassifier
    from spikenn_cy.estimator.settings import settings_of

    signature = inspect.signature(SpikingClassifier.__init__)
    defaults = {name: parameter.default for name, parameter in signature.parameters.items() if name != "self"}
    defaults["max_time"] = train.max_time
    return ExperimentConfig.from_any(settings_of(defaults, train, train.n_classes))
