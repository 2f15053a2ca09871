"""SpikingClassifier beside two classifiers of scikit-learn, the table of docs/sklearn.md.

``python -m benchmarks.estimators [--mnist DIR]`` prints it; asv finds nothing here. All
should be linear in the number of samples; to decide costs SpikingClassifier more than the
others, for it looks at spikes one by one where they multiply matrices.
"""

import argparse
import os
import platform
import statistics
import time
import warnings
from pathlib import Path

from benchmarks.machine import processor

N_TRAIN = {"digits": 1_500, "MNIST": 5_000}  # the first ones; tested are those after them, of MNIST its own test images


def models(seed):
    """Return the classifiers by the name that the table shows."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import LinearSVC

    from spikenn_cy.estimator import SpikingClassifier

    return {
        "SpikingClassifier()": SpikingClassifier(random_state=seed),
        "SpikingClassifier(n_fields=2)": SpikingClassifier(n_fields=2, random_state=seed),
        "SpikingClassifier(n_fields=1)": SpikingClassifier(n_fields=1, random_state=seed),
        'SpikingClassifier(rule="s2stdp")': SpikingClassifier(rule="s2stdp", random_state=seed),
        "LinearSVC()": LinearSVC(random_state=seed),
        "MLPClassifier((50,))": MLPClassifier((50,), random_state=seed),
    }


def digits():
    """Return training and test pixels from 0 to 1 and labels of the bundled digits."""
    from spikenn_cy.demo import BRIGHTEST
    from spikenn_cy.demo import load_digits

    images, labels = load_digits()
    X, n = images.reshape(len(images), -1) / BRIGHTEST, N_TRAIN["digits"]
    return X[:n], labels[:n], X[n:], labels[n:]


def mnist(folder):
    """Return the same of MNIST's IDX files, gzipped or not, in ``folder``."""
    from spikenn_cy.data.images import read_idx

    def read(name):
        (path, *_) = sorted(Path(folder).glob(f"{name}*"))
        return read_idx(path)

    n = N_TRAIN["MNIST"]
    train, test = (read(f"{part}-images-idx3-ubyte") for part in ("train", "t10k"))
    labels, test_labels = (read(f"{part}-labels-idx1-ubyte") for part in ("train", "t10k"))
    return train[:n].reshape(n, -1) / 255, labels[:n], test.reshape(len(test), -1) / 255, test_labels


def seconds(work):
    """Return what ``work`` returns and the processor time that it took."""
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def measure(X, y, X_test, y_test, n_runs):
    """Return ``{name: (fit, predict, accuracy)}``, each a list with one figure for each seed."""
    from sklearn.exceptions import ConvergenceWarning

    figures = {name: ([], [], []) for name in models(0)}
    for seed in range(n_runs):  # in turns, so that a disturbance meets all of them
        for name, model in models(seed).items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the MLP would go on after its 200 epochs
                _, fit = seconds(lambda model=model: model.fit(X, y))
            predicted, predict = seconds(lambda model=model: model.predict(X_test))
            for column, figure in zip(figures[name], (fit, predict, (predicted == y_test).mean()), strict=True):
                column.append(figure)
    return figures


def main():
    import numpy
    import sklearn
    from threadpoolctl import threadpool_limits

    import spikenn_cy

    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimators", description=__doc__.splitlines()[0])
    parser.add_argument("--mnist", metavar="DIR", type=Path, help="folder with MNIST's four IDX files")
    parser.add_argument(
        "--runs", metavar="N", type=int, default=5, help="seeds, of which medians are shown (%(default)s)"
    )
    arguments = parser.parse_args()
    data = {"digits": digits()}
    if arguments.mnist is not None:
        data["MNIST"] = mnist(arguments.mnist)
    versions = {"spikenn_cy": spikenn_cy, "scikit-learn": sklearn, "NumPy": numpy}
    print(f"{processor()}, {os.cpu_count()} processors, one used; Python {platform.python_version()}", end="")
    print("".join(f", {name} {module.__version__}" for name, module in versions.items()))
    print()
    print("| data | classifier | fit, s | predict, µs a sample | test accuracy, % |\n|---|---|---|---|---|")
    with threadpool_limits(1):
        for place, parts in data.items():
            for name, (fit, predict, accuracy) in measure(*parts, arguments.runs).items():
                microseconds = 1e6 * statistics.median(predict) / len(parts[2])
                low, middle, high = (100 * of(accuracy) for of in (min, statistics.median, max))
                print(f"| {place} | `{name}` | {statistics.median(fit):.3g} | {microseconds:.3g} ", end="")
                print(f"| {middle:.1f} ({low:.1f} to {high:.1f}) |", flush=True)


if __name__ == "__main__":
    main()
