"""Faults of one line that tests must see: each is planted in a copy of the tree, and the tests named fail there."""

from typing import NamedTuple


class Fault(NamedTuple):
    """A line that is wrong.

    Attributes
    ----------
    file : str
        From the package's folder.
    old, new : str
        Part of a source text that is there once, and what stands in its place.
    tests : str
        Modules of tests, without ``tests/test_`` or, in a folder, ``tests/``, that must see it.
    """

    file: str
    old: str
    new: str
    tests: str


PYTHON = [
    # Data
    ("data/dataset.py", "last = max(first, last)", "last = last", "dataset"),
    ("data/dataset.py", "else labels[first:last]", "else labels[first : last + 1]", "dataset"),
    ("data/dataset.py", "np.diff(arrays.indptr)[numbers]", "np.diff(arrays.indptr)[np.sort(numbers)]", "dataset"),
    ("data/dataset.py", "labels=labels, classes=classes, classes_assumed=False", "labels=labels", "dataset classes"),
    ("data/archive.py", "info.file_size <= possible", "True", "spikes_file dataset legacy"),
    ("data/archive.py", "len(members) == len(archive.infolist())", "True", "spikes_file dataset"),
    (
        "data/archive.py",
        "return info.header_offset + LOCAL_HEADER + int(n_name + n_extra)",
        "return info.header_offset + LOCAL_HEADER + int(n_name)",
        "spikes_file dataset",
    ),
    ("data/splits.py", "len(rows) - 1)\n", "len(rows))\n", "encode"),
    ("data/splits.py", "due_test -= n_test", "due_test = 0.0", "encode"),
    ("data/splitting.py", "int(np.argmax(shares))", "0", "sets"),
    ("data/splitting.py", "owed -= np.diff(ends, prepend=start)", "owed[:] = 0", "sets"),
    ("data/labels.py", "and not isinstance(name, bool)", "", "given_data"),
    ("data/tables.py", "int(column) % len(self.names)", "int(column)", "tables_of_text encode own_data"),
    ("data/events.py", 'if t.dtype.kind == "f" or', 'if t.dtype.kind == "g" or', "events"),
    ("data/unpickle.py", "if role is None:", "if False:", "legacy"),
    ("data/objects.py", "except OSError:\n        raise\n    except Exception:", "except KeyError:", "fuzz/test_fuzz"),
    ("data/suspicion.py", "elif n_values - n_spikes > MOST_SILENT", "elif n_spikes > MOST_SILENT", "suspicion"),
    # Settings and records
    ("storage/records.py", "Meta(ge=0, le=1)", "Meta(ge=0)", "records"),
    ("storage/records.py", "if not _is_flat(found)", "if False", "records"),
    ("storage/records.py", 'if not line.endswith("\\n"):', "if True:", "records"),
    ("storage/lock.py", "return os.path.samestat(path.stat(), os.fstat(handle))", "return True", "lock"),
    ("storage/lock.py", "if found.st_nlink > 1:", "if False:", "lock"),
    ("storage/lock.py", "| os.O_NOFOLLOW", "", "lock"),
    ("storage/output.py", "and os.path.samefile(file, given)", "and file == given", "batch run extract"),
    ("utils/atomic.py", "os.replace(hidden, target)", "os.link(hidden, target)", "atomic"),
    ("utils/atomic.py", "os.path.exists(target) and not os.path.isfile(target)", "False", "atomic"),
    ("errors.py", "if c.isprintable() or", "if True or", "records door refusals"),
    # Training and its files
    ("network/history.py", "if last.epoch > 2 and", "if last.epoch >= 2 and", "training until run"),
    ("network/history.py", "report.val_accuracy > best:", "report.val_accuracy >= best:", "training until run"),
    (
        "network/history.py",
        "if waited >= trainer.early_stopping:",
        "if waited > trainer.early_stopping:",
        "training until run",
    ),
    ("network/history.py", "min(measured) < trainer", "max(measured) < trainer", "training until run"),
    (
        "network/model_file.py",
        "if header.n_epochs < n_epochs",
        "if header.n_epochs > n_epochs",
        "model_file run training keep",
    ),
    (
        "network/model_file.py",
        "return zlib.crc32(np.ascontiguousarray(array).data)",
        "return array.size",
        "run training readout",
    ),
    ("network/model_file.py", "if not np.isfinite(array).all():", "if False:", "readout training model_file"),
    (
        "network/training.py",
        "generator.permutation(n_samples) if shuffle",
        "np.arange(n_samples) if shuffle",
        "training golden",
    ),
    (
        "network/training.py",
        "if self._thresholds_version != self.layer.thresholds_version:",
        "if False:",
        "readout training",
    ),
    ("network/thresholds.py", "n_fields if position == 0 else 1", "n_fields", "thresholds"),
    ("network/thresholds.py", "share * (n_spikes - n_at_once)", "share * n_spikes", "thresholds"),
    ("network/cost.py", "np.count_nonzero(of_classes, axis=1) > 1", "np.count_nonzero(of_classes, axis=1) > 2", "cost"),
    ("network/cost.py", "times < STAMP.type(model.max_time)", "times <= STAMP.type(model.max_time)", "cost"),
    ("network/over_time.py", "(first <= time) & (first < end)", "(first < time) & (first < end)", "until"),
    ("network/symptoms.py", "if n_silent > len(train) / 2:", "if n_silent > len(train):", "symptoms"),
    ("network/deep/training.py", "1.0 if how.epochs is None", "0.5 if how.epochs is None", "network"),
    ("layers/face.py", "suits.mean if config.w_init_mean is None else config.w_init_mean", "suits.mean", "network"),
    ("layers/feedbacks/classwise.py", "0.01 if shared else 0.03", "0.03 if shared else 0.01", "network"),
    ("rules/network.py", "(n_seen // n_epoch / epochs)", "(n_seen // n_epoch / max(1, epochs - 1))", "network"),
    # Runs
    ("experiments/store.py", 'if config.trainer.keep != "last":', "if False:", "run keep"),
    ("experiments/store.py", "if config.optimizer.counts_epochs:", "if False:", "run network_runs"),
    ("experiments/batch.py", 'if manifest["command"] != command:', "if False:", "batch records"),
    (
        "experiments/data.py",
        "_stamp(self.path) != self.stamp",
        "_stamp(self.path)[0] != self.stamp[0]",
        "given_data batch run",
    ),
    ("experiments/folds.py", 'fold.state != "complete"', 'fold.state == "new"', "batch functions"),
    ("experiments/grids.py", "key=lambda state: -_or_least", "key=lambda state: _or_least", "batch functions"),
    ("experiments/comparison.py", "value > 0 for value", "value >= 0 for value", "comparison"),
    ("experiments/comparison.py", "if not differences.any():", "if False:", "comparison"),
    ("export/nir.py", "else reset_of(weights", "else -reset_of(weights", "nir"),
    ("export/c99.py", '"-2147483647 - 1" if value == lowest', '"-2147483648" if value == lowest', "c99"),
    (
        "images/predict.py",
        "np.where(first < network.max_time, first, np.nan)",
        "first",
        "own_data own_pictures extract",
    ),
    ("estimator/encode.py", "if label != job.label", "if label == job.label", "encode own_data"),
]

COMPILED = [
    ("kernels/src/event_kernels.h", " > limits[l];", " >= limits[l];", "network"),
    ("kernels/src/event_kernels.h", "const INTS more = v > most;", "const INTS more = v >= most;", "network"),
    ("kernels/src/event_kernels.h", "(width * thresholds[j])", "width", "network"),
    ("layers/_conv.pyx", "* self.n_lanes + f] > limit", "* self.n_lanes + f] >= limit", "network"),
    ("layers/_conv.pyx", "self.credit[self.lost[k]] = 0", "pass", "network"),
    ("layers/_dense.pyx", "self.credit[self.lost[k]] = 0", "pass", "network"),
    (
        "layers/_dense.pyx",
        "self.fired.times[left - 1] >= inputs.times[k]",
        "self.fired.times[left - 1] > inputs.times[k]",
        "network",
    ),
    ("layers/_base.pyx", "self.dropout.sample, self.position,", "self.dropout.sample, self.position + 1,", "network"),
    ("network/deep/_network.pyx", "if self.output.fired.count == 0:", "if True:", "network"),
    ("network/deep/_augment.pyx", "(2 * shift + 1)", "(2 * shift)", "network"),
    ("network/deep/_augment.pyx", "self.columns - 1 - x", "self.columns - x", "network"),
    ("rules/_decision_time.pyx", "return not 1 - share < self.skip", "return not 1 - share <= self.skip", "network"),
    (
        "rules/_decision_time.pyx",
        "elif potentials[self.speakers[c]] > least",
        "elif potentials[self.speakers[c]] >= least",
        "network",
    ),
]

FAULTS = [Fault(*row) for row in (*PYTHON, *COMPILED)]
