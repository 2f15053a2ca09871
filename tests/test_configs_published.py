"""The published settings are all there, to the letter, and every one of them can be run."""

import hashlib
import json
from pathlib import Path

import pytest

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.config import expand_grid
from spikenn_cy.config import is_grid
from spikenn_cy.errors import ConfigWarning

pytestmark = pytest.mark.quick

CONFIGS = Path(__file__).parent.parent / "configs"

N_FINAL = {
    "STDP-CSNN/MNIST": 15,
    "STDP-CSNN/F-MNIST": 21,
    "STDP-CSNN/CIFAR10": 21,
    "STDP-CSNN/CIFAR100": 8,
    "SoftHebb-CNN/MNIST": 13,
    "SoftHebb-CNN/F-MNIST": 21,
    "SoftHebb-CNN/CIFAR10": 21,
    "SoftHebb-CNN/CIFAR100": 8,
}
N_RUNS = {
    "STDP-CSNN/CIFAR10": {
        "rstdp-20n": 1280,
        "rstdp-5n": 1215,
        "s2stdp": 750,
        "s2stdp+ncg": 1215,
        "s2stdp+ncg-cr-1-thr": 1440,
        "s2stdp+ncg-cr-1-thr-no-nt": 1440,
        "s2stdp+ncg-cr-drop": 720,
        "s2stdp+ncg-no-nt": 1215,
        "s2stdp+pcn": 750,
        "sstdp": 600,
        "sstdp+ncg": 1350,
        "sstdp+ncg-cr-1-thr": 1200,
        "sstdp+ncg-cr-drop": 800,
    },
    "STDP-CSNN/F-MNIST": {
        "rstdp-20n": 1280,
        "rstdp-5n": 1296,
        "s2stdp": 625,
        "s2stdp+ncg": 1296,
        "s2stdp+ncg-cr-1-thr": 1440,
        "s2stdp+ncg-cr-1-thr-no-nt": 1440,
        "s2stdp+ncg-cr-drop": 720,
        "s2stdp+ncg-no-nt": 1296,
        "s2stdp+pcn": 625,
        "s4nn+ncg": 720,
        "sstdp": 600,
        "sstdp+ncg": 1440,
        "sstdp+ncg-cr-1-thr": 1280,
        "sstdp+ncg-cr-drop": 640,
    },
    "STDP-CSNN/MNIST": {
        "rstdp-20n": 720,
        "rstdp-5n": 729,
        "s2stdp": 750,
        "s2stdp+ncg": 1296,
        "s2stdp+ncg-no-nt": 1296,
        "s2stdp+pcn": 750,
        "sstdp": 750,
        "sstdp+ncg": 1152,
    },
    "SoftHebb-CNN/CIFAR10": {
        "rstdp-20n": 1008,
        "rstdp-5n": 1440,
        "s2stdp": 700,
        "s2stdp+ncg": 1200,
        "s2stdp+ncg-cr-1-thr": 1440,
        "s2stdp+ncg-cr-1-thr-no-nt": 1440,
        "s2stdp+ncg-cr-drop": 1350,
        "s2stdp+ncg-no-nt": 1200,
        "s2stdp+pcn": 700,
        "sstdp": 675,
        "sstdp+ncg": 1296,
        "sstdp+ncg-cr-1-thr": 1440,
        "sstdp+ncg-cr-drop": 700,
    },
    "SoftHebb-CNN/F-MNIST": {
        "rstdp-20n": 1008,
        "rstdp-5n": 960,
        "s2stdp": 700,
        "s2stdp+ncg": 960,
        "s2stdp+ncg-cr-1-thr": 1500,
        "s2stdp+ncg-cr-1-thr-no-nt": 1500,
        "s2stdp+ncg-cr-drop": 600,
        "s2stdp+ncg-no-nt": 960,
        "s2stdp+pcn": 700,
        "sstdp": 675,
        "sstdp+ncg": 1296,
        "sstdp+ncg-cr-1-thr": 1440,
        "sstdp+ncg-cr-drop": 336,
    },
    "SoftHebb-CNN/MNIST": {
        "rstdp-20n": 720,
        "rstdp-5n": 960,
        "s2stdp": 700,
        "s2stdp+ncg": 1152,
        "s2stdp+ncg-no-nt": 1152,
        "s2stdp+pcn": 700,
        "sstdp": 675,
        "sstdp+ncg": 1296,
    },
}

SLIPS = {  # grid: the place its warning names
    "STDP-CSNN/CIFAR10/rstdp-5n": "optimizer.anti_am[2]",
    "SoftHebb-CNN/CIFAR10/s2stdp+ncg-cr-drop": "optimizer.ap[1]",
    "SoftHebb-CNN/F-MNIST/s2stdp+ncg-cr-drop": "optimizer.ap[1]",
}
# Of all values as they are spelt, -0.0 and 1 for 1.0 included.
DIGEST = "15a5416c1a75369d17b6d9e60f60f88b47a7c04895df2a7f83033ebea54b946c"

GRIDS = [(pair, name) for pair, grids in N_RUNS.items() for name in grids]


def files(pair):
    return {path.stem: path for path in sorted((CONFIGS / pair).glob("*.json"))}


FINAL = [(pair, name) for pair in N_FINAL for name in files(pair)]
FINAL_WITH_GRID = [(pair, name) for pair, name in FINAL if name in N_RUNS.get(pair, {})]


def raw(pair, name):
    return json.loads((CONFIGS / pair / f"{name}.json").read_text())


def sections(settings):
    """Return the sections of settings by name, the only layer of the network as one of them."""
    (layer,) = settings["network"]
    return settings | {"network": layer}


def without(settings, section, key=None):
    """Return ``settings`` without a section, or without one key of it."""
    rest = {name: value for name, value in settings.items() if name != section}
    return rest | {section: {k: v for k, v in settings[section].items() if k != key}} if key else rest


def with_neurons(settings, factor):
    layer = settings["network"][0]
    return settings | {"network": [layer | {"n_neurons": int(layer["n_neurons"] * factor)}]}


def published():
    """Return the paths of all published files; settings of our own lie in other folders."""
    return sorted(path for extractor in ("STDP-CSNN", "SoftHebb-CNN") for path in (CONFIGS / extractor).rglob("*.json"))


def test_all_197_files_are_there():
    assert {pair: len(files(pair)) for pair in N_FINAL} == N_FINAL
    assert sum(N_FINAL.values()) == 128
    assert {(pair, name) for pair in N_FINAL for name in files(f"{pair}/gs")} == set(GRIDS)
    assert len(GRIDS) == 69
    assert len(published()) == 197


def test_their_values_are_kept_to_the_letter():
    digest = hashlib.sha256()
    for path in published():
        text = json.dumps(json.loads(path.read_text()), sort_keys=True)
        digest.update(f"{path.relative_to(CONFIGS).as_posix()} {text}\n".encode())
    assert digest.hexdigest() == DIGEST


@pytest.mark.parametrize(("pair", "name"), FINAL)
def test_final_settings_are_one_run_that_suits_its_data(pair, name):
    path = files(pair)[name]
    config = ExperimentConfig.from_any(path)
    config.check_against(100 if pair.endswith("CIFAR100") else 10)
    assert not is_grid(path)
    written, read = sections(raw(pair, name)), sections(config.to_dict())
    assert {section: {key: read[section][key] for key in written[section]} for section in written} == written


@pytest.mark.parametrize(("pair", "name"), FINAL)
def test_final_settings_share_the_values_of_their_family(pair, name):
    config = ExperimentConfig.from_any(files(pair)[name])
    layer, optimizer, trainer = config.network[0], config.optimizer, config.trainer
    assert (len(config.network), layer.w_init_normal, layer.w_init_std) == (1, True, 0.01)
    assert (trainer.epochs, trainer.early_stopping, optimizer.annealing) == (100, 10, 0.98)
    assert getattr(optimizer, "stdp", "additive") == "additive"
    family = name.split("+")[0].split("-")[0]
    mean, norm, low, high, bounded = {
        "rstdp": (0.8, False, 0.2, 0.8, None),
        "s2stdp": (0.3, True, 0.0, 1.0, False),
        "sstdp": (0.5, False, 0.0, 1.0, True),
        "s4nn": (0.5, False, -1000.0, 1000.0, True),
    }[family]
    assert (layer.w_init_mean, layer.w_norm, layer.w_min, layer.w_max) == (mean, norm, low, high)
    assert getattr(optimizer, "use_time_ranges", None) == bounded
    assert getattr(optimizer, "class_inhib", False) == ("+" in name)
    assert (config.regularizer is not None) == ("+ncg" in name and "no-cr" not in name and "cr-drop" not in name)
    per_class = {"-20n": 20, "-4n": 4, "-5n": 5, "+ncg": 5, "+pcn": 2}
    n_neurons = next((number for mark, number in per_class.items() if mark in name), 1)
    assert layer.n_neurons == n_neurons * (100 if pair.endswith("CIFAR100") else 10)


@pytest.mark.parametrize(("pair", "name"), FINAL_WITH_GRID)
def test_final_settings_lie_in_the_grid_of_their_name(pair, name):
    final, grid = sections(raw(pair, name)), sections(raw(f"{pair}/gs", name))
    assert grid["trainer"].pop("gridsearch_stop_acc") > 0
    final["trainer"].pop("gridsearch_stop_acc", None)
    assert {section: list(values) for section, values in final.items()} == {s: list(v) for s, v in grid.items()}
    for section, values in final.items():
        for key, value in values.items():
            tried = grid[section][key]
            assert value in tried if isinstance(tried, list) else value == tried, f"{section}.{key}"


@pytest.mark.parametrize("pair", N_FINAL)
def test_variants_differ_from_their_base_in_what_their_name_says(pair):
    there = files(pair)
    for base in ("s2stdp+ncg", "sstdp+ncg"):
        ncg = raw(pair, base)
        if f"{base}-no-cr" in there:
            assert raw(pair, f"{base}-no-cr") == without(ncg, "regularizer")
        if f"{base}-no-cr-no-nt" in there:
            assert raw(pair, f"{base}-no-cr-no-nt") == without(without(ncg, "regularizer"), "trainer", "nt_neurons")
        if f"{base}-no-nt-same" in there:
            assert raw(pair, f"{base}-no-nt-same") == without(ncg, "trainer", "nt_neurons")
            assert raw(pair, f"{base}-4n-no-nt") == with_neurons(raw(pair, f"{base}-no-nt"), 0.8)
            no_ltd = raw(pair, f"{base}-no-ltd")
            assert no_ltd["optimizer"]["am"] == 0
            assert no_ltd == ncg | {"optimizer": ncg["optimizer"] | {"am": 0}}


@pytest.mark.parametrize("extractor", ["STDP-CSNN", "SoftHebb-CNN"])
def test_cifar100_has_the_values_of_cifar10_with_ten_times_the_neurons(extractor):
    for name in files(f"{extractor}/CIFAR100"):
        assert raw(f"{extractor}/CIFAR100", name) == with_neurons(raw(f"{extractor}/CIFAR10", name), 10)


@pytest.mark.full
@pytest.mark.parametrize(("pair", "name"), [grid for grid in GRIDS if "/".join(grid) not in SLIPS])
def test_a_grid_has_its_published_number_of_runs(pair, name):
    path = files(f"{pair}/gs")[name]
    runs = expand_grid(path)
    assert len(runs) == N_RUNS[pair][name]
    assert is_grid(path)
    runs[0].check_against(10)


@pytest.mark.parametrize("grid", SLIPS)
def test_a_grid_with_a_slip_of_a_sign_is_expanded_with_a_warning_that_names_it(grid):
    pair, _, name = grid.rpartition("/")
    path = files(f"{pair}/gs")[name]
    with pytest.warns(ConfigWarning) as caught:
        runs = expand_grid(path)
    assert len(runs) == N_RUNS[pair][name]
    (warning,) = caught
    assert str(warning.message).startswith(f"{path}: {SLIPS[grid]}: a rate of this sign turns the rule round")


def test_the_other_slips_are_kept_as_published():
    pair = "SoftHebb-CNN/F-MNIST"
    assert ExperimentConfig.from_any(files(pair)["sstdp+ncg-cr-1-thr"]).regularizer.use_two_thr
    assert all(run.regularizer.use_two_thr for run in expand_grid(files(f"{pair}/gs")["sstdp+ncg-cr-1-thr"]))
    assert ExperimentConfig.from_any(files(pair)["rstdp-20n"]).trainer.gridsearch_stop_acc == 0.8
    others = [(p, n) for p, n in FINAL if (p, n) != (pair, "rstdp-20n")]
    assert all(ExperimentConfig.from_any(files(p)[n]).trainer.gridsearch_stop_acc == 0 for p, n in others)


OWN = sorted(path.relative_to(CONFIGS).as_posix() for path in (CONFIGS / "pixels").rglob("*.json"))


@pytest.mark.parametrize("name", OWN)
def test_settings_of_our_own_can_be_run_and_are_in_the_table(name):
    config = ExperimentConfig.from_any(CONFIGS / name)
    shape = {"MNIST": (28, 28, 1), "F-MNIST": (28, 28, 3), "CIFAR10": (32, 32, 6)}[name.split("/")[1]]
    config.check_against(10, input_shape=shape)
    assert f"{name.removeprefix('pixels/')}`" in README or "s2stdp" in name


README = (CONFIGS / "README.md").read_text(encoding="utf-8")
