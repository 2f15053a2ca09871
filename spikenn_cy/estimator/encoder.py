"""Real numbers as spike times, so that a table can reach a spiking network."""

from typing import Any

import numpy as np

from spikenn_cy.data.arrays import COUNT_MAX
from spikenn_cy.data.arrays import end_of_time
from spikenn_cy.dtypes import STAMP
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.errors import require_one_of
from spikenn_cy.utils.extras import extra
from spikenn_cy.utils.validation import require_unmasked
from spikenn_cy.utils.validation import whole_number

with extra("sklearn", where="spikenn_cy.estimator"):
    # The class below is a subclass of scikit-learn's, so this module cannot wait for it.
    from sklearn.base import BaseEstimator
    from sklearn.base import TransformerMixin
    from sklearn.utils.sparsefuncs import min_max_axis
    from sklearn.utils.validation import check_is_fitted
    from sklearn.utils.validation import check_non_negative
    from sklearn.utils.validation import validate_data

SCALINGS = ("range", "feature", "max", "sample")
CHUNK = 1 << 22  # dense spike times at once: rows enough to hide the calls, few enough to stay small beside the spikes
REAL_TYPES = (np.float64, np.float32)


class LatencyEncoder(TransformerMixin, BaseEstimator):
    """Turn features into spike times: the larger a value, the earlier its spike; zeros are silent.

    A value is scaled to ``s`` from 0 to 1 and fires at ``max_time * (1 - s)``; at
    ``max_time`` there is no spike. Values beyond those of the training data are
    clipped, so that they fire at 0 or never.

    With ``n_fields`` > 1 each feature has that many inputs, whose preferred values are
    spaced evenly from the smallest scaled value to the greatest. Each fires the earlier
    the nearer the value is to its own: at ``max_time`` times the distance in units of
    the spacing. Two fields are an Off and an On cell: a small value makes the one fire
    early and a large value the other. More fields let a network answer to values in the
    middle too. With two fields or more every sample has nearly the same number of spikes.

    Parameters
    ----------
    scaling : {"feature", "max", "sample", "range"}, default="feature"
        What a value is divided by: the greatest one of its feature in the training data
        (``"feature"``), of all features in the training data (``"max"``, for images) or
        of all features in the same sample (``"sample"``); these three take values >= 0.
        ``"range"`` takes any values and goes from the smallest of its feature in the
        training data, which is silent, to the greatest. A feature without any such
        scale, for instance a constant one with ``"range"``, is silent.
    n_fields : int, default=1
        Inputs a feature.
    max_time : float, default=1.0
        Time of silence, in a unit of your choice.

    Attributes
    ----------
    data_min_, data_max_ : ndarray of shape (n_features_in_,)
        Smallest and greatest values of the training data.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        If ``X`` had names.

    See Also
    --------
    SpikingClassifier : Encodes by itself.
    spikenn_cy.SpikingDataset.from_numpy : Takes the times.

    Notes
    -----
    The result is a dense array, which every step of a pipeline takes, and may be handed
    to ``SpikingDataset.from_numpy`` with labels and the same ``max_time``.

    Examples
    --------
    >>> from spikenn_cy.estimator import LatencyEncoder
    >>> LatencyEncoder(max_time=10).fit_transform([[0.0, 2.0], [1.0, 4.0]])
    array([[10.,  5.],
           [ 0.,  0.]], dtype=float32)
    """

    data_min_: np.ndarray
    data_max_: np.ndarray
    n_features_in_: int

    def __init__(self, scaling: str = "feature", n_fields: int = 1, max_time: float = 1.0) -> None:
        self.scaling = scaling
        self.n_fields = n_fields
        self.max_time = max_time

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = self.scaling != "range"
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags

    def fit(self, X: Any, y: Any = None) -> "LatencyEncoder":
        """Learn the scale of the features.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : None
            Not looked at.

        Returns
        -------
        self : LatencyEncoder
        """
        return self._widen(self._checked(X, reset=True), first=True)

    def partial_fit(self, X: Any, y: Any = None) -> "LatencyEncoder":
        """Widen the scale of the features to these samples too; arguments as in `fit`."""
        first = not hasattr(self, "data_max_")
        return self._widen(self._checked(X, reset=first), first)

    def _widen(self, X: Any, first: bool) -> "LatencyEncoder":
        if is_sparse(X):
            if not X.has_canonical_format:  # an entry given twice is the sum of both
                X = X.copy()
                X.sum_duplicates()
            low, high = min_max_axis(X, axis=0)
        else:
            low, high = X.min(axis=0), X.max(axis=0)
        low, high = low.astype(np.float64), high.astype(np.float64)
        if not first:
            low, high = np.minimum(low, self.data_min_), np.maximum(high, self.data_max_)
        with np.errstate(over="ignore"):
            wide = ~np.isfinite(high - low)
        if wide.any():
            found = f"{low[wide][0]} to {high[wide][0]}"
            raise DataError(f"X: a feature's values must have a finite range, got {found}")
        self.data_min_, self.data_max_ = low, high
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Return the spike times.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        times : ndarray of float32, shape (n_samples, n_features * n_fields)
            From 0 to ``max_time``, which is silence; the fields of a feature are neighbours.
        """
        check_is_fitted(self, "data_max_")
        X = self._checked(X, reset=False)
        times = np.empty((X.shape[0], self._n_features_out), STAMP)
        n_rows = max(1, CHUNK // times.shape[1])
        for start in range(0, len(times), n_rows):
            rows = X[start : start + n_rows]
            self._fill(rows.toarray() if is_sparse(rows) else rows, times[start : start + n_rows])
        return times

    def _fill(self, X: np.ndarray, times: np.ndarray) -> None:
        X = X.astype(np.float64)
        low = self.data_min_ if self.scaling == "range" else 0.0
        high = {"max": self.data_max_.max(), "sample": X.max(axis=1, keepdims=True)}.get(self.scaling, self.data_max_)
        width = np.broadcast_to(high - low, X.shape)
        np.clip(X, low, high, out=X)
        X -= low
        # Where there is no width, X is 0 now; for fields beside each other that would be a value of its own.
        np.divide(X, width, out=X, where=width > 0)
        if self.n_fields == 1:
            times[:] = self.max_time * (1 - X)
            return
        X *= self.n_fields - 1
        fields = times.reshape(*X.shape, self.n_fields)
        for field in range(self.n_fields):
            fields[:, :, field] = self.max_time * np.minimum(np.abs(X - field), 1)
        fields[~(width > 0)] = self.max_time

    def _checked(self, X: Any, reset: bool) -> Any:
        require_one_of(self.scaling, SCALINGS, "scaling")
        whole_number(self.n_fields, "n_fields", 1)
        end_of_time(self.max_time, "max_time", ConfigError)
        require_unmasked(X, "X", "fill in what is masked")
        X = validate_data(self, X, accept_sparse="csr", dtype=REAL_TYPES, reset=reset)
        fits = X.shape[1] * int(self.n_fields) <= COUNT_MAX
        require(fits, "n_fields", f"must give at most {COUNT_MAX} inputs for {X.shape[1]} features", self.n_fields)
        if self.scaling != "range":
            check_non_negative(X, type(self).__name__)
        return X

    @property
    def _n_features_out(self) -> int:
        return self.n_features_in_ * self.n_fields

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return a name for each input: that of its feature, with the number of the field if there are several.

        Parameters
        ----------
        input_features : array-like of str, shape (n_features_in_,), optional
            Default: ``feature_names_in_``, or else ``x0``, ``x1`` and so on.

        Returns
        -------
        names : ndarray of str objects, shape (n_features_in_ * n_fields,)
        """
        check_is_fitted(self, "data_max_")
        known = getattr(self, "feature_names_in_", None)
        if input_features is None:
            names = [f"x{i}" for i in range(self.n_features_in_)] if known is None else known.tolist()
        else:
            names = np.asarray(input_features, dtype=object).tolist()
            if known is not None and names != known.tolist():
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(names) != self.n_features_in_:
                found = f"number of features ({self.n_features_in_}), got {len(names)}"
                raise ValueError(f"input_features should have length equal to {found}")
        if self.n_fields > 1:
            names = [f"{name}_{field}" for name in names for field in range(self.n_fields)]
        return np.array(names, dtype=object)


def is_sparse(X: Any) -> bool:
    """Tell a sparse matrix of SciPy, which scikit-learn has checked, from an array."""
    return hasattr(X, "toarray")
