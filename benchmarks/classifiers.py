"""Learning rules of SpikingClassifier on many small data sets, the table of docs/sklearn.md.

``python -m benchmarks.classifiers [--mnist DIR] [--fmnist DIR] [--markdown]`` prints it; asv finds nothing here. Each
column is a `SpikingClassifier` that is told its rule and nothing else; its default is the one that wins here.
"""

import argparse
import functools
import itertools
import sys
import time
from pathlib import Path

import numpy as np

N_IMAGES = 5_000  # the first training images of MNIST and Fashion-MNIST
SPLITS_SEED = 0

# What differs between the columns, by their titles.
CLASSIFIERS = {
    "S2-STDP": {"rule": "s2stdp"},
    "decision time, one layer": {"rule": "decision_time", "hidden": ()},
    "decision time, hidden 100": {"rule": "decision_time", "hidden": (100,)},
    "decision time, hidden 400": {"rule": "decision_time", "hidden": (400,)},
}


def sklearn_set(name, **options):
    """Return features and labels of a set that scikit-learn brings or makes."""
    import sklearn.datasets

    made = {"random_state": 0} if name.startswith("make") else {"return_X_y": True}
    return getattr(sklearn.datasets, name)(**made, **options)


def binarised_digits():
    """Return the digits with pixels that are black or white."""
    X, y = sklearn_set("load_digits")
    return (X > 7).astype(float), y


def one_hot(table):
    """Return a column of 0 and 1 for each value of each column of whole numbers from 0."""
    return np.hstack([np.eye(column.max() + 1)[column] for column in table.T])


def tic_tac_toe():
    """Return all 958 boards with which a game may end, one-hot, and whether the player who began has won."""
    lines = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]
    ends = {}

    def play(board, player):
        won = any(all(board[cell] == 3 - player for cell in line) for line in lines)  # by the move before
        if won or 0 not in board:
            ends[board] = int(won and player == 2)
            return
        for cell in range(9):
            if board[cell] == 0:
                play((*board[:cell], player, *board[cell + 1 :]), 3 - player)

    play((0,) * 9, 1)
    boards = sorted(ends)
    return one_hot(np.array(boards)), np.array([ends[board] for board in boards])


def monks(problem):
    """Return the 432 samples of a MONK's problem (Thrun et al. 1991), six categories one-hot, and their labels."""
    table = np.array(list(itertools.product(*(range(n) for n in (3, 3, 2, 3, 4, 2)))))
    if problem == 1:
        return one_hot(table), ((table[:, 0] == table[:, 1]) | (table[:, 4] == 0)).astype(int)
    return one_hot(table), ((table == 0).sum(axis=1) == 2).astype(int)


def either_of_two_bits():
    """Return 30 random bits, and whether one of the first two is set."""
    X = np.random.default_rng(0).integers(2, size=(1_000, 30)).astype(float)
    return X, (X[:, :2].max(axis=1) > 0).astype(int)


def bags_of_words():
    """Return counts of 15 words out of 300, most of them 0, on three subjects that share most words."""
    rng = np.random.default_rng(0)
    common, *own = rng.dirichlet(np.full(300, 0.1), 4)
    y = rng.integers(3, size=900)
    return np.array([rng.multinomial(15, 0.3 * own[subject] + 0.7 * common) for subject in y]).astype(float), y


def idx_files(folder):
    """Return the paths of the training images and of their labels, as far as the folder has them."""
    return [path for part in ("images-idx3", "labels-idx1") for path in Path(folder).glob(f"train-{part}-ubyte*")][:2]


def idx_images(folder):
    """Return the first training images, pixels from 0 to 1, and labels of IDX files, gzipped or not."""
    from spikenn_cy.data.images import read_idx

    X, y = (read_idx(path) for path in idx_files(folder))
    return X[:N_IMAGES].reshape(len(X[:N_IMAGES]), -1) / 255, y[:N_IMAGES]


overlapping = {"n_samples": 1_500, "n_features": 20, "n_informative": 8, "n_classes": 4, "n_clusters_per_class": 3}
plain = {"n_samples": 1_000, "n_features": 20, "n_informative": 6, "n_classes": 3, "n_clusters_per_class": 1}

DATA = {
    "iris": functools.partial(sklearn_set, "load_iris"),
    "wine": functools.partial(sklearn_set, "load_wine"),
    "breast cancer": functools.partial(sklearn_set, "load_breast_cancer"),
    "digits": functools.partial(sklearn_set, "load_digits"),
    "one cluster a class": functools.partial(sklearn_set, "make_classification", **plain),
    "three clusters a class": functools.partial(sklearn_set, "make_classification", class_sep=1.5, **overlapping),
    "moons": functools.partial(sklearn_set, "make_moons", n_samples=600, noise=0.25),
    "circles": functools.partial(sklearn_set, "make_circles", n_samples=600, noise=0.1, factor=0.6),
    "shells": functools.partial(sklearn_set, "make_gaussian_quantiles", n_samples=1_000, n_features=8, n_classes=3),
    "binarised digits": binarised_digits,
    "either of two bits": either_of_two_bits,
    "tic-tac-toe": tic_tac_toe,
    "MONK's problem 1": functools.partial(monks, 1),
    "MONK's problem 2": functools.partial(monks, 2),
    "bags of words": bags_of_words,
}


def measure(X, y, parameters, n_splits):
    """Return accuracies and processor seconds of training and testing, one of each for each split."""
    from sklearn.model_selection import StratifiedKFold

    from spikenn_cy.estimator import SpikingClassifier

    accuracies, seconds = [], []
    for train, test in StratifiedKFold(n_splits, shuffle=True, random_state=SPLITS_SEED).split(X, y):
        started = time.process_time()
        model = SpikingClassifier(random_state=0, **parameters).fit(X[train], y[train])
        accuracies.append(100 * model.score(X[test], y[test]))
        seconds.append(time.process_time() - started)
    return np.array(accuracies), np.array(seconds)


def ranks(means):
    """Return the rank of each column among those of its row, 1 for the greatest; equal ones share theirs.

    Parameters
    ----------
    means : ndarray of shape (n_rows, n_columns)
    """
    above = (means[:, None, :] > means[:, :, None]).sum(axis=2)
    equal = (means[:, None, :] == means[:, :, None]).sum(axis=2)
    return above + (equal + 1) / 2


def lines_of_summary(means, seconds):
    """Return the last rows of the table: means, data sets won, and the geometric mean of the ratios of times."""
    means = np.round(means, 1)  # as they are shown
    best = means == means.max(axis=1, keepdims=True)
    ratio = np.exp(np.log(seconds / seconds[:, :1]).mean(axis=0))
    return [
        ["mean accuracy", *(f"{value:.1f}" for value in means.mean(axis=0))],
        ["mean rank", *(f"{value:.2f}" for value in ranks(means).mean(axis=0))],
        ["best, or among the best", *map(str, best.sum(axis=0))],
        ["better than the first", "", *map(str, (means[:, 1:] > means[:, :1]).sum(axis=0))],
        ["worse than the first", "", *map(str, (means[:, 1:] < means[:, :1]).sum(axis=0))],
        ["time, of the first's", *(f"{value:.2f}" for value in ratio)],
    ]


def study(data, n_splits, show):
    """Measure all classifiers on all data sets; call ``show`` with each row of the table."""
    means, seconds = [], []
    for name, load in data.items():
        X, y = load()
        figures = [measure(X, y, parameters, n_splits) for parameters in CLASSIFIERS.values()]
        means.append([accuracy.mean() for accuracy, _ in figures])
        seconds.append([time.mean() for _, time in figures])
        show([name, *(f"{a.mean():.1f} ± {a.std():.1f}, {s.mean():.2f} s" for a, s in figures)])
    for row in lines_of_summary(np.array(means), np.array(seconds)):
        show(row)


def main(argv=None):
    parser = argparse.ArgumentParser("python -m benchmarks.classifiers", description=__doc__.splitlines()[0])
    for option, name in (("--mnist", "MNIST"), ("--fmnist", "Fashion-MNIST")):
        parser.add_argument(option, metavar="DIR", help=f"folder with {name}'s IDX files")
    parser.add_argument("--data", metavar="TEXT", default="", help="only data sets whose name holds this text")
    parser.add_argument("--splits", metavar="N", type=int, default=5, help="parts, each tested once (%(default)s)")
    parser.add_argument("--markdown", action="store_true", help="print the table as it is for the page")
    arguments = parser.parse_args(argv)
    if arguments.splits < 2:
        parser.error(f"--splits: must be >= 2, got {arguments.splits}")
    data = dict(DATA)
    for option, name in (("mnist", "MNIST, 5,000"), ("fmnist", "Fashion-MNIST, 5,000")):
        folder = getattr(arguments, option)
        if folder is not None:
            if len(idx_files(folder)) != 2:
                parser.error(f"--{option}: must hold train-images-idx3-ubyte and train-labels-idx1-ubyte, got {folder}")
            data[name] = functools.partial(idx_images, folder)
    data = {name: load for name, load in data.items() if arguments.data in name}
    if not data:
        parser.error(f"--data: must be part of one of {'; '.join(DATA)}, got {arguments.data}")
    show = in_markdown if arguments.markdown else in_columns
    show(["data", *CLASSIFIERS])
    if arguments.markdown:
        show([":--", *("--:" for _ in CLASSIFIERS)])
    study(data, arguments.splits, show)
    return 0


def in_markdown(row):
    """Print a row of the table for the page."""
    print(f"| {' | '.join(row)} |", flush=True)


def in_columns(row):
    """Print a row of the table for a terminal."""
    first, *others = row
    print(f"{first:<24}", *(f"{cell:>25}" for cell in others), flush=True)


if __name__ == "__main__":
    sys.exit(main())
