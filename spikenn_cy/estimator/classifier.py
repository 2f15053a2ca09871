"""The scikit-learn face, without which no pipeline, grid search or cross-validation could hold a spiking network."""

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.dtypes import INDEX
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.errors import require
from spikenn_cy.estimator.encoder import CHUNK
from spikenn_cy.estimator.encoder import LatencyEncoder
from spikenn_cy.estimator.settings import checked_class_weight
from spikenn_cy.estimator.settings import require_real
from spikenn_cy.estimator.settings import rule_of
from spikenn_cy.estimator.settings import settings_of
from spikenn_cy.network.history import History
from spikenn_cy.network.readout import Readout
from spikenn_cy.network.thresholds import settled
from spikenn_cy.rules.settings import RuleConfig
from spikenn_cy.utils.extras import extra
from spikenn_cy.utils.validation import is_whole
from spikenn_cy.utils.validation import require_unmasked
from spikenn_cy.utils.validation import whole_number

with extra("sklearn", where="spikenn_cy.estimator"):
    # The class below is a subclass of scikit-learn's, so this module cannot wait for it.
    from sklearn.base import BaseEstimator
    from sklearn.base import ClassifierMixin
    from sklearn.model_selection import train_test_split
    from sklearn.utils import check_random_state
    from sklearn.utils.class_weight import compute_sample_weight
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight
    from sklearn.utils.validation import check_is_fitted
    from sklearn.utils.validation import validate_data


ANY_NUMBERS = "numeric"  # the encoder makes real ones of them, a block at a time


def trains_probabilities(model: "SpikingClassifier") -> bool:
    """Return whether the rule of a classifier, which may not be trained yet, compares probabilities with labels."""
    try:
        rule = model.readout_.config.optimizer if hasattr(model, "readout_") else model._rule()
    except ConfigError:  # whoever asks what there is, is told what is wrong when it is to learn
        return False
    return rule.temperature_of_classes is not None


class SpikingClassifier(ClassifierMixin, BaseEstimator):
    """A network whose first output spike is the class.

    Features become spike times (see `LatencyEncoder`), and a `Readout` learns from them: a
    network with a hidden layer, all of which learns, or, with another ``rule``, one layer of
    competing neurons that learns by supervised STDP. The defaults were chosen by
    cross-validation on images, on tables of measurements and on tables of two values
    (docs/sklearn.md); they need no scaler in front.

    Parameters
    ----------
    scaling : {"range", "feature", "max", "sample"}, default="range"
        How a value becomes a number from 0 to 1; see `LatencyEncoder`. All but
        ``"range"`` take values >= 0 only.
    n_fields : int, default=4
        Inputs a feature; see `LatencyEncoder`. 1 is the plain latency code, with which
        sparse images are fastest; 2 is On and Off.
    max_time : float, default=1.0
        Time of silence; the unit of ``t_gap`` and ``leak_tau``.
    rule : {"decision_time", "s2stdp", "sstdp", "rstdp", "s4nn"}, default="decision_time"
        Learning rule. ``"decision_time"`` trains every layer of a network (docs/networks.md); the
        others train one layer. ``"s2stdp"`` is S2-STDP with Neuronal Competition Groups; SSTDP is
        S2-STDP with desired times as bounds.
    neurons_per_class : int, default=10
        In the output layer.
    nt_neurons : int, default=0
        Non-target neurons among them; fewer than ``neurons_per_class``.
    hidden : tuple of int or "auto", default="auto"
        Neurons of each hidden layer; ``()`` is none. ``"auto"`` is (400,) with
        ``"decision_time"``; rules that train one layer take none.
    firing_threshold : float or "auto", default="auto"
        Of the output neurons, in units of potential. ``"auto"`` is what a share of the spikes of an
        average training sample give to a neuron whose weights are ``w_init_mean``: 60 % of all
        with one field; with more, all at time 0 and of the later ones 60 % with two fields
        and 80 % with more. With ``"decision_time"``, where it is what the threshold starts from, it is 1.
    ap, am : float or "auto", default="auto"
        STDP rates for causal and anti-causal inputs. ``"auto"`` is 0.03 and -0.02; with
        ``"rstdp"`` 0.02 and -0.01.
    lr : float or "auto", default="auto"
        Learning rate of ``"s4nn"``; ``"auto"`` is 0.02.
    t_gap : float or "auto", default="auto"
        Time between the desired spikes of target and non-target neurons, in the unit of
        ``max_time``. ``"auto"`` is 20 % of ``max_time``, with ``"s4nn"`` 30 %.
    class_inhib : bool or "auto", default="auto"
        Only the first neuron of each class learns from a sample; ``"auto"`` is true.
    annealing : float or "auto", default="auto"
        The rates are multiplied by it after every epoch; ``"auto"`` is 0.95.
    thr_lr : float or "auto", default="auto"
        Change of the training thresholds a sample, in units of potential, which keeps one
        neuron of a class from winning always; 0 is none. ``"auto"`` is 2 % of the firing
        threshold.
    thr_anneal : float or "auto", default="auto"
        ``thr_lr`` is multiplied by it after every epoch; ``"auto"`` is 0.8.
    use_two_thr : bool or "auto", default="auto"
        Keep training thresholds apart from those for inference; ``"auto"`` is true.
    w_init_mean, w_init_std : float or "auto", default="auto"
        Of the normal distribution that initial weights are drawn from. ``"auto"`` is 0.5 and 0.03.
        With ``"decision_time"`` they are those of the output layer, and ``"auto"`` is what
        suits the data of the first training (docs/networks.md).
    w_norm : bool or "auto", default="auto"
        Keep each neuron's sum of absolute weights. ``"auto"`` is true with ``"s2stdp"``
        and ``"sstdp"``.
    w_min, w_max : float or "auto", default="auto"
        Bounds of the weights. ``"auto"`` is 0 and 1, with ``"s4nn"`` -1 and 1.
    leak_tau : float, optional
        Time constant of the neurons' leak; without it nothing leaks.
    dropout_in : float, default=0.0
        Share of inputs left out of a training sample.
    dropout_out : float or "auto", default="auto"
        Share of output neurons left out of a training sample; ``"auto"`` is 0.2.
    epochs : int, default=50
        Times that `fit` goes through the samples.
    shuffle : bool, default=True
        In a new order every epoch.
    early_stopping : bool, default=False
        Hold ``validation_fraction`` of the samples back and stop `fit` when the accuracy
        on them has not risen for ``n_iter_no_change`` epochs. The network of the last
        epoch is kept.
    validation_fraction : float, default=0.1
        Between 0 and 1.
    n_iter_no_change : int, default=10
    config : dict, path or ExperimentConfig, optional
        Settings of the network in full, as for `Readout.from_config`, in place of all
        parameters above from ``rule`` to ``n_iter_no_change``, but
        ``validation_fraction``, which is held back if ``trainer.early_stopping`` > 0.
    random_state : int, RandomState instance or None, default=None
        Of initial weights, dropout, order of samples and validation samples. An int gives
        the same bits every time.
    class_weight : dict, "balanced" or None, default=None
        Factors on the errors of samples, by their class; classes that a dict lacks have 1. ``"balanced"`` gives
        every class the same sum: ``n_samples / (n_classes * n_samples_of_the_class)``. With `partial_fit`
        a dict alone. They are multiplied by ``sample_weight``.
    verbose : bool, default=False
        Show progress on stderr: a bar on a terminal or in a notebook, elsewhere a line a minute.
    n_jobs : int, optional
        Threads for deciding, -1 for all processors; the results are the same.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    readout_ : Readout
        The network. ``readout_.save`` writes it to a file.
    encoder_ : LatencyEncoder
        Makes its input.
    history_ : History
        Accuracies of `fit`, epoch by epoch; empty after `partial_fit` alone.
    n_iter_ : int
        Epochs trained; a call of `partial_fit` counts as one.
    n_features_in_ : int
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        If ``X`` had names.

    Notes
    -----
    Rules that train one layer have no ``predict_proba``: times of spikes are no probabilities.
    With ``sklearn.calibration.CalibratedClassifierCV`` they can be made into some.

    Settings that are refused raise `spikenn_cy.ConfigError`, a ``ValueError``, and so does a
    parameter that is given and that the rule does not have. With ``"decision_time"`` these are
    the ones from ``ap`` to ``use_two_thr`` and from ``w_norm`` to ``leak_tau``, ``nt_neurons`` and
    dropout.

    Source of Neuronal Competition Groups: Goupy, Tirilly, Bilasco, NeurIPS 2024.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import train_test_split
    >>> from spikenn_cy.estimator import SpikingClassifier
    >>> X_train, X_test, y_train, y_test = train_test_split(*load_wine(return_X_y=True), random_state=0)
    >>> SpikingClassifier(random_state=0).fit(X_train, y_train).score(X_test, y_test) > 0.9
    True
    """

    classes_: np.ndarray
    encoder_: LatencyEncoder
    readout_: Readout
    history_: History
    n_iter_: int

    def __init__(
        self,
        *,
        scaling: str = "range",
        n_fields: int = 4,
        max_time: float = 1.0,
        rule: str = "decision_time",
        neurons_per_class: int = 10,
        nt_neurons: int = 0,
        hidden: tuple[int, ...] | str = "auto",
        firing_threshold: float | str = "auto",
        ap: float | str = "auto",
        am: float | str = "auto",
        lr: float | str = "auto",
        t_gap: float | str = "auto",
        class_inhib: bool | str = "auto",
        annealing: float | str = "auto",
        thr_lr: float | str = "auto",
        thr_anneal: float | str = "auto",
        use_two_thr: bool | str = "auto",
        w_init_mean: float | str = "auto",
        w_init_std: float | str = "auto",
        w_norm: bool | str = "auto",
        w_min: float | str = "auto",
        w_max: float | str = "auto",
        leak_tau: float | None = None,
        dropout_in: float = 0.0,
        dropout_out: float | str = "auto",
        epochs: int = 50,
        shuffle: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        config: ExperimentConfig | dict[str, Any] | str | os.PathLike[str] | None = None,
        random_state: int | np.random.RandomState | None = None,
        class_weight: dict[Any, float] | str | None = None,
        verbose: bool = False,
        n_jobs: int | None = None,
    ) -> None:
        self.scaling = scaling
        self.n_fields = n_fields
        self.max_time = max_time
        self.rule = rule
        self.neurons_per_class = neurons_per_class
        self.nt_neurons = nt_neurons
        self.hidden = hidden
        self.firing_threshold = firing_threshold
        self.ap = ap
        self.am = am
        self.lr = lr
        self.t_gap = t_gap
        self.class_inhib = class_inhib
        self.annealing = annealing
        self.thr_lr = thr_lr
        self.thr_anneal = thr_anneal
        self.use_two_thr = use_two_thr
        self.w_init_mean = w_init_mean
        self.w_init_std = w_init_std
        self.w_norm = w_norm
        self.w_min = w_min
        self.w_max = w_max
        self.leak_tau = leak_tau
        self.dropout_in = dropout_in
        self.dropout_out = dropout_out
        self.epochs = epochs
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.config = config
        self.random_state = random_state
        self.class_weight = class_weight
        self.verbose = verbose
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.positive_only = self.scaling != "range"
        return tags

    # Learning

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "SpikingClassifier":
        """Train a new network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Real numbers, >= 0 unless ``scaling`` is ``"range"``.
        y : array-like of shape (n_samples,)
            Classes.
        sample_weight : array-like of shape (n_samples,), optional
            Factors >= 0 on the errors of samples. They are divided by their mean, so that rates keep their
            meaning; samples of weight 0 are left out. See `spikenn_cy.network.readout.FitOptions`.

        Returns
        -------
        self : SpikingClassifier

        Raises
        ------
        ConfigError
            If a parameter is refused.
        """
        require_unmasked(X, "X", "fill in what is masked")
        require_unmasked(y, "y", "leave out samples without a label")
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=ANY_NUMBERS)
        check_classification_targets(y)
        X, y, weights = self._weighed(X, y, sample_weight)
        if weights is not None:
            weights = weights / weights.mean()
        self.classes_, labels = np.unique(y, return_inverse=True)
        generator = check_random_state(self.random_state)
        self._n_threads()  # refuses what is none now, not when there is something to decide
        config = self._given()
        rows, held_back = np.arange(len(labels)), None
        if self.early_stopping if config is None else config.trainer.early_stopping:
            require_real("validation_fraction", self.validation_fraction)
            between = 0 < self.validation_fraction < 1
            require(between, "validation_fraction", "must be > 0 and < 1", self.validation_fraction)
            # Of numbers, and not of samples: a copy of them could be all that does not fit into memory.
            rows, held_back = train_test_split(
                rows, test_size=self.validation_fraction, random_state=generator, stratify=labels
            )
            weights = None if weights is None else weights[rows]
        self.encoder_ = self._make_encoder()
        for block in self._blocks(rows, X.shape[1]):
            self.encoder_.partial_fit(X[block])
        train = self._spikes(X, labels, rows)
        self.readout_ = self._make_readout(train, config, generator)
        val = None if held_back is None else self._spikes(X, labels, held_back)
        self.history_ = self.readout_.fit(train, val, verbose=bool(self.verbose), sample_weight=weights)
        self.n_iter_ = len(self.history_.epochs)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> "SpikingClassifier":
        """Learn from each sample once, in order, at the present rates.

        The scale of the features is widened to the samples first. The first call makes the
        network, and takes what is ``"auto"`` from its samples; so it should have many.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), optional
            All classes that will ever come; needed in the first call unless `fit` went before.
        sample_weight : array-like of shape (n_samples,), optional
            Factors >= 0 on the errors of samples, as they are.

        Returns
        -------
        self : SpikingClassifier
        """
        first = not hasattr(self, "readout_")
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        require_unmasked(X, "X", "fill in what is masked")
        require_unmasked(y, "y", "leave out samples without a label")
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=ANY_NUMBERS, reset=first)
        check_classification_targets(y)
        self._n_threads()
        known = np.unique(classes) if first else self.classes_
        if classes is not None and not np.array_equal(np.unique(classes), known):
            raise ValueError(f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}")
        unknown = np.setdiff1d(y, known)
        if len(unknown):
            raise ValueError(f"y: must hold classes among {known.tolist()}, got {unknown.tolist()}")
        of_all = isinstance(self.class_weight, str)
        require(not of_all, "class_weight", "must be a dict or None with partial_fit", self.class_weight)
        X, y, weights = self._weighed(X, y, sample_weight)
        self.classes_ = known
        encoder = self._make_encoder() if first else self.encoder_
        self.encoder_ = encoder.partial_fit(X)
        train = self._spikes(X, np.searchsorted(known, y), slice(0, len(y)))
        if first:
            self.readout_ = self._make_readout(train, self._given(), check_random_state(self.random_state))
            self.history_ = History([])
            self.n_iter_ = 0
        self.readout_.partial_fit(train, sample_weight=weights)
        self.n_iter_ += 1
        return self

    def _weighed(self, X: Any, y: np.ndarray, sample_weight: Any) -> tuple[Any, np.ndarray, np.ndarray | None]:
        """Return the samples that have a weight, and their weights, or None if there is no choice of any."""
        if sample_weight is None and self.class_weight is None:
            return X, y, None
        weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        require(bool(weights.any()), "sample_weight", "must not all be 0", weights.tolist(), DataError)
        if not weights.all():
            taken = np.flatnonzero(weights)
            X, y, weights = X[taken], y[taken], weights[taken]
        if self.class_weight is not None:
            weights = weights * compute_sample_weight(checked_class_weight(self.class_weight), y)
            require(bool(weights.any()), "class_weight", "must not be 0 for all samples", self.class_weight)
        return X, y, weights

    def _make_encoder(self) -> LatencyEncoder:
        return LatencyEncoder(scaling=self.scaling, n_fields=self.n_fields, max_time=self.max_time)

    def _make_readout(
        self, train: SpikingDataset, config: ExperimentConfig | None, generator: np.random.RandomState
    ) -> Readout:
        seed = int(generator.randint(np.iinfo(np.int32).max))
        n_classes = len(self.classes_)
        if config is None:
            settings: Any = settings_of(self.get_params(deep=False), train, n_classes)
        else:
            settings = settled(config, train, seed, self.n_fields)
        return Readout.from_config(settings, train.n_inputs, n_classes, self.max_time, seed)

    def _rule(self) -> RuleConfig:
        config = self._given()
        return rule_of(self.get_params(deep=False)) if config is None else config.optimizer

    def _given(self) -> ExperimentConfig | None:
        return None if self.config is None else ExperimentConfig.from_any(self.config)

    # Deciding

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each sample's first output spike.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Of ``classes_``. Potentials decide between neurons that fire together, and
            between all of them if none fires.
        """
        numbers = self._in_blocks(X, "decide")  # first, since it refuses what was not fitted
        y: np.ndarray = self.classes_[numbers]
        return y

    def decision_function(self, X: Any) -> np.ndarray:
        """Return how much speaks for each class.

        With rules that train one layer it is how early the class fires: minus the time of its
        first output spike. A silent class is at ``-max_time``. Of classes that fire together, or
        of silent ones, those with less potential are lower by a few units in the last place. With
        rules that train every layer it is the largest potential of the class's neurons at the
        moment of the decision. The greatest is what `predict` returns.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        scores : ndarray of float64, shape (n_samples, n_classes)
            Of two classes, of shape (n_samples,): the score of ``classes_[1]`` minus that of
            ``classes_[0]``, so that > 0 is the former.
        """
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    @available_if(trains_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return what the network takes for the probabilities of the classes.

        They are the softmax of the scores of `decision_function` that learning compares with the
        labels; so only rules have them that learn in that way, as ``"decision_time"`` does.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        probabilities : ndarray of float64, shape (n_samples, n_classes)
        """
        scores = self._scores(X)
        scores -= scores.max(axis=1, keepdims=True)
        np.exp(scores / self.readout_.config.optimizer.temperature_of_classes, out=scores)
        scores /= scores.sum(axis=1, keepdims=True)
        return scores

    def _scores(self, X: Any) -> np.ndarray:
        return self._in_blocks(X, "class_scores")

    def _n_threads(self) -> int:
        from joblib import effective_n_jobs  # which comes with scikit-learn, and knows what its parallel loops take

        ok = self.n_jobs is None or (is_whole(self.n_jobs) and self.n_jobs != 0)
        require(ok, "n_jobs", "must be an integer other than 0, or None", self.n_jobs)
        n_threads: int = effective_n_jobs(self.n_jobs)
        return n_threads

    def _in_blocks(self, X: Any, answer: str) -> np.ndarray:
        """Return what a method of the network answers to samples, of which never many are encoded at once."""
        check_is_fitted(self, "readout_")
        require_unmasked(X, "X", "fill in what is masked")
        X = validate_data(self, X, accept_sparse="csr", dtype=ANY_NUMBERS, reset=False)
        ask, n_threads = getattr(self.readout_, answer), self._n_threads()
        blocks = self._blocks(np.arange(X.shape[0]), X.shape[1])
        return np.concatenate([ask(self._spikes(X, None, block), n_threads) for block in blocks])

    def _blocks(self, rows: np.ndarray, n_features: int) -> Iterator[np.ndarray | slice]:
        """Yield numbers of samples, so many at once as are encoded at once; neighbours as slices, which copy none."""
        whole_number(self.n_fields, "n_fields", 1)
        n_rows = max(1, CHUNK // (n_features * self.n_fields))
        for start in range(0, len(rows), n_rows):
            block = rows[start : start + n_rows]
            neighbours = bool((np.diff(block) == 1).all())
            yield slice(int(block[0]), int(block[-1]) + 1) if neighbours else block

    def _spikes(self, X: Any, labels: np.ndarray | None, rows: np.ndarray | slice) -> SpikingDataset:
        """Return some samples encoded, of which never many are dense at once, with class numbers as labels."""
        numbers = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        known = np.zeros(len(numbers), INDEX) if labels is None else labels[numbers].astype(INDEX)
        blocks = (self.encoder_.transform(X[block]) for block in self._blocks(numbers, X.shape[1]))
        spikes = SpikingDataset._computed(blocks, np.zeros(len(known), INDEX), self.max_time)
        return spikes.renumbered(known, class_numbers_or_names(self.classes_))


def class_numbers_or_names(classes: np.ndarray) -> np.ndarray:
    """Return the classes as a data set can hold them: themselves if whole numbers or text, else 0, 1 and so on."""
    if all(isinstance(name, str) for name in classes.flat):
        return classes.astype(str)
    return classes.copy() if classes.dtype.kind in "iu" else np.arange(len(classes))
