"""Settings are refused with file, JSON path, rule and finding, or come back as they went in."""

import copy
import itertools
import json
import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikenn_cy.config import ExperimentConfig
from spikenn_cy.config import LayerConfig
from spikenn_cy.config import TrainerConfig
from spikenn_cy.config import expand_grid
from spikenn_cy.config import grid_dimensions
from spikenn_cy.config import is_grid
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.features.stdp_csnn.settings import STDPCSNNConfig
from spikenn_cy.network.readout import Readout
from spikenn_cy.neurons import NEURONS
from spikenn_cy.neurons.integrate_and_fire import IFConfig
from spikenn_cy.neurons.leaky import LIFConfig
from spikenn_cy.regulators import REGULATORS
from spikenn_cy.regulators.competition import CompetitionConfig
from spikenn_cy.rules import RULES
from spikenn_cy.rules.rstdp import RSTDPConfig
from spikenn_cy.rules.s2stdp import S2STDPConfig
from spikenn_cy.rules.s4nn import S4NNConfig

pytestmark = pytest.mark.quick

LAYER = {"n_neurons": 50, "firing_threshold": 10}
S2STDP = {"method": "s2stdp", "ap": 0.1, "am": -0.05, "t_gap": 0.01}
RSTDP = {"method": "rstdp", "ap": 0.1, "am": -0.05}
S4NN = {"method": "s4nn", "lr": 0.1, "t_gap": 0.1}


def settings(layer=None, optimizer=S2STDP, **sections):
    return {"network": [layer or LAYER], "optimizer": optimizer} | sections


def test_defaults_are_those_of_the_published_schema():
    config = ExperimentConfig.from_any(settings(regularizer={"thr_lr": 1}))
    assert config.network == (LayerConfig(n_neurons=50, firing_threshold=10.0),)
    assert config.optimizer == S2STDPConfig(ap=0.1, am=-0.05, t_gap=0.01)
    assert (config.optimizer.annealing, config.optimizer.stdp) == (1.0, "additive")
    assert (config.optimizer.class_inhib, config.optimizer.use_time_ranges, config.optimizer.ignore_silent) == (0, 0, 0)
    assert config.optimizer.rates == (0.1, -0.05, -0.1, 0.05)
    assert config.regularizer == CompetitionConfig(thr_lr=1.0, thr_anneal=1.0, use_two_thr=True)
    assert config.trainer == TrainerConfig(
        epochs=100,
        early_stopping=0,
        nt_neurons=0,
        dropout_in=0.0,
        dropout_out=0.0,
        gridsearch_stop_acc=0.0,
        shuffle=False,
    )


def test_method_chooses_the_rule():
    assert ExperimentConfig.from_any(settings(optimizer=RSTDP)).optimizer == RSTDPConfig(ap=0.1, am=-0.05)
    assert ExperimentConfig.from_any(settings(optimizer=S4NN)).optimizer == S4NNConfig(lr=0.1, t_gap=0.1)


def test_a_record_cannot_be_changed():
    with pytest.raises(AttributeError, match="immutable"):
        ExperimentConfig.from_any(settings()).trainer.epochs = 3


def test_a_record_made_in_python_keeps_the_rules():
    with pytest.raises(ConfigError, match=r"^n_neurons: must be from 1 to 2147483647, got 0$"):
        LayerConfig(n_neurons=0, firing_threshold=1.0)
    with pytest.raises(ConfigError, match=r"^n_neurons: must be a whole number, got true$"):
        LayerConfig(n_neurons=True, firing_threshold=1.0)
    with pytest.raises(ConfigError, match=r"^optimizer: must be an object in braces, got TrainerConfig\("):
        ExperimentConfig(network=[LAYER], optimizer=TrainerConfig())


def test_a_record_made_in_python_has_the_types_of_one_that_was_read():
    layer = LayerConfig(n_neurons=np.int8(50), firing_threshold=np.float32(10))
    made = ExperimentConfig(network=[layer], optimizer=S2STDP)
    assert repr(made) == repr(ExperimentConfig.from_any(settings()))


def test_a_record_is_not_read_again():
    config = ExperimentConfig.from_any(settings())
    assert ExperimentConfig.from_any(config, where="elsewhere") is config
    assert Readout.from_config(config, 4, 2).config is config


def test_a_record_knows_its_source_which_is_no_part_of_it(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(settings()))
    read, made = ExperimentConfig.from_any(file), ExperimentConfig.from_any(settings())
    assert (read.where, made.where) == (str(file), None)
    assert read == made
    assert hash(read) == hash(made)
    assert read.to_dict() == made.to_dict()
    assert repr(read) == repr(made)
    for twin in (pickle.loads(pickle.dumps(read)), copy.deepcopy(read)):
        assert (twin, twin.where) == (read, read.where)
    assert {config.where for config in expand_grid(file)} == {str(file)}
    for use in (lambda: read.check_against(3), lambda: Readout.from_config(read, 4, 3)):
        with pytest.raises(ConfigError, match=re.escape(f"{file}: network[0].n_neurons: must be a multiple of")):
            use()


def test_a_neuron_model_is_chosen_by_name_or_by_its_leak_alone():
    def layer(**more):
        return ExperimentConfig.from_any(settings(LAYER | more)).network[0]

    assert layer().neuron_model == layer(neuron={"model": "if"}).neuron_model == IFConfig()
    assert layer(leak_tau=2).neuron_model == layer(neuron={"model": "lif", "leak_tau": 2}).neuron_model
    assert layer(leak_tau=2).neuron_model == LIFConfig(leak_tau=2.0)
    assert "neuron" not in layer(leak_tau=2).to_dict()  # nor in what was stored before there was such a key
    assert layer(neuron={"model": "lif", "leak_tau": 2}).to_dict()["neuron"] == {"model": "lif", "leak_tau": 2.0}


def test_a_regulator_may_be_named_and_is_written_as_it_always_was():
    named = ExperimentConfig.from_any(settings(regularizer={"method": "competition", "thr_lr": 1}))
    assert named == ExperimentConfig.from_any(settings(regularizer={"thr_lr": 1}))
    assert named.to_dict()["regularizer"] == {"thr_lr": 1.0, "thr_anneal": 1.0, "use_two_thr": True}


def test_whole_numbers_become_floats_where_a_float_belongs():
    threshold = ExperimentConfig.from_any(settings()).network[0].firing_threshold
    assert (threshold, type(threshold)) == (10.0, float)


finite = st.floats(-3e38, 3e38)


@given(
    st.builds(
        ExperimentConfig,
        network=st.lists(
            st.builds(
                LayerConfig,
                n_neurons=st.integers(1, 2**31 - 1),
                firing_threshold=st.floats(1e-30, 3e38),
                w_init_normal=st.booleans(),
                w_init_mean=finite,
                w_norm=st.booleans(),
                w_min=st.floats(-10, 0),
                w_max=st.floats(0.1, 10),
                leak_tau=st.none() | st.floats(0.1, 10),
            )
            | st.builds(
                LayerConfig,
                n_neurons=st.integers(1, 100),
                firing_threshold=st.just(1.0),
                neuron=st.just(IFConfig()) | st.builds(LIFConfig, leak_tau=st.floats(0.1, 10)),
            ),
            min_size=1,
            max_size=3,
        ).map(tuple),
        optimizer=st.builds(
            S2STDPConfig,
            ap=st.floats(0, 1),
            am=st.floats(-1, -0.0),
            anti_ap=st.none() | st.just(-0.0),
            t_gap=st.floats(0, 1),
        )
        | st.builds(RSTDPConfig, ap=st.floats(0, 1), am=st.floats(-1, -0.0), adaptive_lr=st.booleans())
        | st.builds(S4NNConfig, lr=st.floats(0, 1), t_gap=st.floats(0, 1), annealing=st.floats(0, 1)),
        regularizer=st.none() | st.builds(CompetitionConfig, thr_lr=finite, thr_anneal=st.floats(0, 1)),
        trainer=st.builds(TrainerConfig, epochs=st.integers(0, 10**6), dropout_out=st.floats(0, 0.99)),
    )
)
def test_settings_come_back_from_a_dictionary_and_from_json_to_the_bit(config):
    assert repr(ExperimentConfig.from_any(config.to_dict())) == repr(config)  # repr tells -0.0 from 0.0
    assert repr(ExperimentConfig.from_any(json.loads(json.dumps(config.to_dict())))) == repr(config)
    assert ExperimentConfig.from_any(config) == config


def test_numpy_scalars_in_a_dictionary_are_numbers():
    config = ExperimentConfig.from_any(settings({"n_neurons": np.int64(50), "firing_threshold": np.float32(10)}))
    assert config == ExperimentConfig.from_any(settings())


def test_records_may_stand_in_a_dictionary():
    config = ExperimentConfig.from_any(settings())
    assert ExperimentConfig.from_any({"network": config.network, "optimizer": config.optimizer}) == config


def either(names):
    """Return names as messages enumerate them."""
    return " or ".join(", ".join(f'"{name}"' for name in names).rsplit(", ", 1))


REFUSED = {
    "no object": ([LAYER], "config: must be an object in braces, got ["),
    "nothing": ({}, "network: must be given, got nothing"),
    "no optimizer": ({"network": [LAYER]}, "optimizer: must be given, got nothing"),
    "no method": (settings(optimizer={"ap": 1}), "optimizer.method: must be given, got nothing"),
    "unknown method": (
        settings(optimizer=S2STDP | {"method": "stdp"}),
        f'optimizer.method: must be {either(RULES)}, got "stdp"',
    ),
    "method near a rule's": (
        settings(optimizer=S2STDP | {"method": "S2-STDP"}),
        f'optimizer.method: must be {either(RULES)}, got "S2-STDP" (did you mean s2stdp?)',
    ),
    "method of a wrong type": (
        settings(optimizer=S2STDP | {"method": 3}),
        f"optimizer.method: must be {either(RULES)}, got 3",
    ),
    "unknown section": (
        settings(optimiser={}),
        "optimiser: must be one of the keys network, optimizer, regularizer, trainer, "
        'got "optimiser" (did you mean optimizer?)',
    ),
    "misspelt key": (
        settings(LAYER | {"n_neuron": 3}),
        "network[0].n_neuron: must be one of the keys type, n_neurons, firing_threshold, w_init_normal, w_init_mean, "
        'w_init_std, w_norm, w_min, w_max, leak_tau, neuron, got "n_neuron" (did you mean n_neurons?)',
    ),
    "key of another rule": (
        settings(optimizer=S4NN | {"ap": 1}),
        "optimizer.ap: must be one of the keys method, annealing, lr, t_gap, class_inhib, use_time_ranges, got",
    ),
    "missing key": (settings({"n_neurons": 50}), "network[0].firing_threshold: must be given, got nothing"),
    "key that is no text": (settings(LAYER | {3: 4}), "network[0]: must have text as keys, got 3"),
    "no layer": (settings() | {"network": []}, "network: must hold at least one layer, got []"),
    "a layer instead of layers": (settings() | {"network": LAYER}, "network: must be a list, got {"),
    "second layer of a wrong type": (
        settings() | {"network": [LAYER, 3]},
        "network[1]: must be an object in braces, got 3",
    ),
    "section of a wrong type": (settings(trainer=None), "trainer: must be an object in braces, got null"),
    "number of a wrong type": (
        settings(optimizer=S2STDP | {"t_gap": "0.1"}),
        'optimizer.t_gap: must be a number, got "0.1"',
    ),
    "true as a number": (settings(optimizer=S2STDP | {"ap": True}), "optimizer.ap: must be a number, got true"),
    "true as a whole number": (
        settings(LAYER | {"n_neurons": True}),
        "network[0].n_neurons: must be a whole number, got true",
    ),
    "number as true": (settings(LAYER | {"w_norm": 1}), "network[0].w_norm: must be true or false, got 1"),
    "fraction as a whole number": (
        settings(trainer={"epochs": 1.0}),
        "trainer.epochs: must be a whole number, got 1.0",
    ),
    "null as a number": (settings(optimizer=S2STDP | {"am": None}), "optimizer.am: must be a number, got null"),
    "something else as a number": (
        settings(optimizer=S2STDP | {"am": 1j}),
        "optimizer.am: must be a number, got 1j",
    ),
    "list as a number": (
        settings(optimizer=S2STDP | {"ap": [0.1, 0.2]}),
        "optimizer.ap: must be a number (a list of values to try is for gridsearch), got [0.1, 0.2]",
    ),
    "not finite": (settings(optimizer=S2STDP | {"ap": float("nan")}), "optimizer.ap: must be finite, got NaN"),
    "too large for float": (settings(LAYER | {"w_max": 10**400}), "network[0].w_max: must be finite, got 1000000"),
    "too large for float32": (
        settings(LAYER | {"w_max": 1e39}),
        "network[0].w_max: must be at most 3.4e38 in size, got 1e+39",
    ),
    "no neuron": (settings(LAYER | {"n_neurons": 0}), "network[0].n_neurons: must be from 1 to 2147483647, got 0"),
    "too many neurons": (settings(LAYER | {"n_neurons": 2**31}), "network[0].n_neurons: must be from 1 to 2147483647"),
    "threshold 0": (settings(LAYER | {"firing_threshold": 0}), "network[0].firing_threshold: must be > 0, got 0"),
    "w_min = w_max": (settings(LAYER | {"w_min": 1}), "network[0].w_min: must be below w_max = 1.0, got 1"),
    "negative deviation": (settings(LAYER | {"w_init_std": -1}), "network[0].w_init_std: must be >= 0, got -1"),
    "no leak": (settings(LAYER | {"leak_tau": 0}), "network[0].leak_tau: must be > 0 or null, got 0"),
    "a neuron chosen twice": (
        settings(LAYER | {"leak_tau": 1, "neuron": {"model": "if"}}),
        "network[0].leak_tau: must not be given beside neuron, got 1",
    ),
    "unknown neuron": (
        settings(LAYER | {"neuron": {"model": "leaky"}}),
        f'network[0].neuron.model: must be {either(NEURONS)}, got "leaky"',
    ),
    "neuron without a model": (settings(LAYER | {"neuron": {}}), "network[0].neuron.model: must be given, got nothing"),
    "leak of a neuron": (
        settings(LAYER | {"neuron": {"model": "lif", "leak_tau": 0}}),
        "network[0].neuron.leak_tau: must be > 0, got 0",
    ),
    "unknown STDP": (
        settings(optimizer=S2STDP | {"stdp": "addtive"}),
        'optimizer.stdp: must be "additive" or "multiplicative", got "addtive" (did you mean additive?)',
    ),
    "negative gap": (settings(optimizer=S4NN | {"t_gap": -1}), "optimizer.t_gap: must be >= 0, got -1"),
    "negative lr": (settings(optimizer=S4NN | {"lr": -1}), "optimizer.lr: must be >= 0, got -1"),
    "negative annealing": (settings(optimizer=RSTDP | {"annealing": -1}), "optimizer.annealing: must be >= 0, got -1"),
    "optimizer's w_min": (
        settings(optimizer=RSTDP | {"w_min": 2}),
        "optimizer.w_min: must be below w_max = 1.0, got 2",
    ),
    "unknown regulator": (
        settings(regularizer={"method": "competitive", "thr_lr": 1}),
        f'regularizer.method: must be {either(REGULATORS)}, got "competitive" (did you mean competition?)',
    ),
    "empty regularizer": (settings(regularizer={}), "regularizer.thr_lr: must be given, got nothing"),
    "regularizer of a wrong type": (settings(regularizer=1), "regularizer: must be an object in braces or null, got 1"),
    "negative thr_anneal": (
        settings(regularizer={"thr_lr": 1, "thr_anneal": -1}),
        "regularizer.thr_anneal: must be >= 0, got -1",
    ),
    "negative epochs": (settings(trainer={"epochs": -1}), "trainer.epochs: must be >= 0, got -1"),
    "negative patience": (settings(trainer={"early_stopping": -1}), "trainer.early_stopping: must be >= 0, got -1"),
    "negative nt_neurons": (settings(trainer={"nt_neurons": -1}), "trainer.nt_neurons: must be >= 0, got -1"),
    "dropout 1": (settings(trainer={"dropout_in": 1}), "trainer.dropout_in: must be >= 0 and < 1, got 1"),
    "key of the length of a page": (
        settings(trainer={"k" * 17_000: 1}),
        f"trainer.{'k' * 69}...: must be one of the keys epochs, early_stopping, nt_neurons, dropout_in, dropout_out, "
        f'gridsearch_stop_acc, shuffle, augment, keep, got "{"k" * 76}...',
    ),
    "key that a terminal would obey": (
        settings(trainer={"\x1b[2J\ud800": 1}),
        r"trainer.\x1b[2J\ud800: must be one of the keys",
    ),
    "negative dropout": (
        settings(trainer={"dropout_out": -0.1}),
        "trainer.dropout_out: must be >= 0 and < 1, got -0.1",
    ),
    "stop above 1": (
        settings(trainer={"gridsearch_stop_acc": 70}),
        "trainer.gridsearch_stop_acc: must be from 0 to 1, got 70",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_nonsense_is_refused_with_place_rule_and_finding_in_one_line(case):
    config, message = REFUSED[case]
    with pytest.raises(ConfigError) as refusal:
        ExperimentConfig.from_any(config)
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)
    with pytest.raises(ConfigError) as refusal:
        ExperimentConfig.from_any(config, where="here")
    assert str(refusal.value).startswith("here: " + message.removeprefix("config: "))


def every_number(config):
    for section in ("network", "optimizer", "regularizer", "trainer"):
        for part in config[section] if section == "network" else [config[section]]:
            for key in part:
                if key not in ("method", "stdp"):
                    yield part, key


@pytest.mark.parametrize("nonsense", [[1], {"a": 1}, "1", "", float("inf"), float("-inf")])
def test_no_setting_takes_nonsense(nonsense):
    for optimizer in (S2STDP, RSTDP, S4NN):
        full = ExperimentConfig.from_any(settings(optimizer=optimizer, regularizer={"thr_lr": 1})).to_dict()
        for part, key in every_number(full):
            sound = part[key]
            part[key] = nonsense
            with pytest.raises(ConfigError, match=rf"\.{key}: must be"):
                ExperimentConfig.from_any(full)
            part[key] = sound


@pytest.mark.parametrize(
    ("layers", "trainer", "n_classes", "message"),
    [
        ([55], {}, 10, "f.json: network[0].n_neurons: must be a multiple of the 10 classes, got 55"),
        ([7, 15], {}, 10, "f.json: network[1].n_neurons: must be a multiple of the 10 classes, got 15"),
        ([5], {}, 10, "f.json: network[0].n_neurons: must be a multiple of the 10 classes, got 5"),
        ([50], {"nt_neurons": 5}, 10, "f.json: trainer.nt_neurons: must be less than the 5 neurons of a class, got 5"),
    ],
)
def test_settings_that_do_not_suit_the_classes_are_refused(layers, trainer, n_classes, message):
    network = [LAYER | {"n_neurons": n_neurons} for n_neurons in layers]
    config = ExperimentConfig.from_any(settings(trainer=trainer) | {"network": network})
    with pytest.raises(ConfigError) as refusal:
        config.check_against(n_classes, "f.json")
    assert str(refusal.value) == message


def test_settings_that_suit_the_classes_pass():
    config = ExperimentConfig.from_any(
        settings(trainer={"nt_neurons": 4}) | {"network": [LAYER | {"n_neurons": 7}, LAYER]}
    )
    config.check_against(10)
    config.check_against(1)


@pytest.mark.parametrize(("key", "rate"), [("ap", -0.1), ("am", 0.1), ("anti_ap", 0.1), ("anti_am", -0.1)], ids=str)
@pytest.mark.parametrize("optimizer", [S2STDP, RSTDP], ids=["s2stdp", "rstdp"])
def test_a_rate_of_the_wrong_sign_draws_a_warning_with_its_path(optimizer, key, rate):
    with pytest.warns(ConfigWarning, match=rf"^here: optimizer\.{key}: .* got {rate}$") as caught:
        config = ExperimentConfig.from_any(settings(optimizer=optimizer | {key: rate}), where="here")
    assert len(caught) == 1
    assert getattr(config.optimizer, key) == rate
    assert ExperimentConfig.from_any(config) == config  # and no second warning, which would be an error here


# Files


def test_a_file_is_read_by_text_and_by_path_object(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(settings()))
    assert (
        ExperimentConfig.from_any(file) == ExperimentConfig.from_any(str(file)) == ExperimentConfig.from_any(settings())
    )


def test_an_error_names_the_file(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(settings(trainer={"epochs": -1})))
    with pytest.raises(ConfigError) as refusal:
        ExperimentConfig.from_any(file)
    assert str(refusal.value) == f"{file}: trainer.epochs: must be >= 0, got -1"


@pytest.mark.parametrize(
    ("name", "finding"),
    [("none.json", "No such file or directory"), ("a\0b", "embedded null byte")],
)
def test_settings_that_cannot_be_read_are_refused_by_their_path(name, finding, tmp_path):
    file = tmp_path / name
    for read in (ExperimentConfig.from_any, expand_grid, lambda config: Readout.from_config(config, 4, 2)):
        with pytest.raises(ConfigError) as refusal:
            read(file)
        assert str(refusal.value) == f"{file}: must be usable, got {finding}"


BROKEN = {
    "empty": (b"", "line 1, column 1: must be JSON (expecting value), got the end of the text"),
    "cut off": (b'{\n"a": [1, 2', "line 2, column 11: must be JSON (expecting ',' delimiter), got the end of the text"),
    "single quotes": (b"{'a': 1}", "line 1, column 2: must be JSON (expecting property name"),
    "two values": (b"{} {}", "line 1, column 4: must be JSON (extra data), got '{}'"),
    "given twice": (
        b'{"optimizer": {"ap": 1, "am": -1, "ap": 2}}',
        "optimizer.ap: must be given once, got it twice",
    ),
    "given twice in a list": (b'{"network": [{}, {"w": 1, "w": 1}]}', "network[1].w: must be given once, got it twice"),
    "given three times": (b'{"a": {"b": 1, "b": 2}, "a": 1, "a": 2}', "a: must be given once, got it twice"),
    "byte order mark": (b"\xef\xbb\xbf{}", "must be UTF-8 text without a byte order mark, got a UTF-8 byte order mark"),
    "UTF-16": ("{}".encode("utf-16"), "must be UTF-8 text without a byte order mark, got UTF-16"),
    "UTF-32": ("{}".encode("utf-32"), "must be UTF-8 text without a byte order mark, got UTF-32"),
    "UTF-16 without mark": ("{}".encode("utf-16-le"), "must be UTF-8 text, got a binary file"),
    "binary": (b"PK\x03\x04\x00", "must be UTF-8 text, got a binary file"),
    "Latin-1": ('{"é": 1}'.encode("latin-1"), "must be UTF-8 text, got byte 0xe9 at offset 2"),
    "too deep": (b"[" * 100_000, "must be JSON of reasonable depth, got too many nested brackets"),
    "too many digits": (b"1" * 5000, "must hold numbers of reasonable length, got "),
    "too large": (b" " * (16 * 2**20 + 1), "must be a JSON file of at most 16777216 bytes, got a larger one"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_with_its_defect(tmp_path, case):
    content, message = BROKEN[case]
    file = tmp_path / "config.json"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as refusal:
        ExperimentConfig.from_any(file)
    assert str(refusal.value).startswith(f"{file}: {message}")
    assert "\n" not in str(refusal.value)


def test_nan_in_a_file_is_refused_with_its_path(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(settings(optimizer=S2STDP | {"am": float("nan")})))
    with pytest.raises(ConfigError, match=r"config.json: optimizer.am: must be finite, got NaN"):
        ExperimentConfig.from_any(file)


# Grids

GRID = {
    "trainer": {"dropout_out": [0.0, 0.1], "epochs": 5},
    "optimizer": {"method": "s2stdp", "t_gap": [1, 2], "am": -1, "ap": [3, 4]},
    "regularizer": {"thr_anneal": [0.5, 0.6], "thr_lr": 1},
    "network": [{"n_neurons": 10, "firing_threshold": [7, 8]}, {"firing_threshold": 1, "n_neurons": [20, 30]}],
}


def test_runs_are_numbered_network_regularizer_optimizer_trainer_with_the_last_key_fastest():
    def values(config):
        network, optimizer = config.network, config.optimizer
        return (
            network[0].firing_threshold,
            network[1].n_neurons,
            config.regularizer.thr_anneal,
            optimizer.t_gap,
            optimizer.ap,
            config.trainer.dropout_out,
        )

    runs = [values(config) for config in expand_grid(GRID)]
    assert len(runs) == 2**6
    assert runs == sorted(runs)  # every list rises, so numbering by nesting is lexicographic order
    assert runs[1] == (7, 20, 0.5, 1, 3, 0.1)
    assert runs[2] == (7, 20, 0.5, 1, 4, 0.0)
    assert runs[-1] == (8, 30, 0.6, 2, 4, 0.1)


def test_the_dimensions_of_a_grid_are_told_in_the_order_of_its_runs():
    dimensions = grid_dimensions(GRID)
    points = [dict(zip(dimensions, values, strict=True)) for values in itertools.product(*dimensions.values())]
    assert len(points) == len(expand_grid(GRID))
    for point, config in zip(points, expand_grid(GRID), strict=True):
        flat = config.to_dict()
        for path, value in point.items():
            section, _, key = path.partition(".")
            layer = re.fullmatch(r"network\[(\d+)\]", section)
            assert (flat["network"][int(layer[1])] if layer else flat[section])[key] == value
    assert grid_dimensions(settings()) == {}


def run_record(**members):
    """Return the record of a run, with members replaced."""
    return {"format": 1, "config": settings(), "seed": 3, "data": {}, "versions": {}} | members


def test_the_settings_of_a_run_are_read_from_its_folder_or_record(tmp_path):
    record = tmp_path / "run" / "config.json"
    record.parent.mkdir()
    record.write_text(json.dumps(run_record()))
    for form in (record.parent, record, run_record(), str(record.parent)):
        assert ExperimentConfig.from_any(form) == ExperimentConfig.from_any(settings())
        assert expand_grid(form) == [ExperimentConfig.from_any(settings())]
    assert ExperimentConfig.from_any(record.parent).where == str(record)
    record.write_text(json.dumps(run_record(config=settings(trainer={"epochs": -1}))))
    with pytest.raises(ConfigError, match=rf"^{record}: trainer.epochs: must be >= 0, got -1$"):
        ExperimentConfig.from_any(record.parent)


def test_the_settings_of_an_extraction_are_read_from_its_folder(tmp_path):
    made = {"to_grayscale": True}
    (tmp_path / "extraction.json").write_text(json.dumps(run_record(config=made, extractor="stdp-csnn", files={})))
    assert STDPCSNNConfig.from_any(tmp_path) == STDPCSNNConfig.from_any(made)


@pytest.mark.parametrize(
    ("record", "finding"),
    [
        (run_record(command="gridsearch"), r"got that of a grid search \(spikenn-cy best OUT --save FILE writes"),
        (run_record(command="kfold"), r"got that of kfold \(the folders of its runs will do\)"),
        ({"format": 1, "train_accuracy": 0.5}, "got a record with format, train_accuracy"),
        (run_record(config=[]), "must be an object"),
    ],
)
def test_records_of_anything_else_are_no_settings(record, finding, tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps(record))
    for form in (tmp_path, record):
        with pytest.raises(ConfigError, match=finding) as refusal:
            ExperimentConfig.from_any(form)
        assert "\n" not in str(refusal.value)


def test_a_folder_without_settings_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"got a folder without config\.json"):
        expand_grid(tmp_path)


def test_settings_without_a_list_are_a_grid_of_one_run():
    assert expand_grid(settings()) == [ExperimentConfig.from_any(settings())]
    assert not is_grid(settings())
    assert is_grid(GRID)


def test_values_to_try_may_stand_in_an_object_of_a_layer():
    config = settings(LAYER | {"neuron": {"model": "lif", "leak_tau": [1, 2]}})
    assert grid_dimensions(config) == {"network[0].neuron.leak_tau": [1, 2]}
    assert [run.network[0].neuron.leak_tau for run in expand_grid(config)] == [1.0, 2.0]


def test_a_grid_of_an_array_is_one_of_its_values():
    config = settings(optimizer=S2STDP | {"ap": np.array([0.25, 0.5])})
    assert [run.optimizer.ap for run in expand_grid(config)] == [0.25, 0.5]


def test_a_wrong_value_in_a_grid_is_named_by_its_position(tmp_path):
    file = tmp_path / "grid.json"
    file.write_text(json.dumps(settings(LAYER | {"firing_threshold": [1, 2, 0]})))
    with pytest.raises(ConfigError) as refusal:
        expand_grid(file)
    assert str(refusal.value) == f"{file}: network[0].firing_threshold[2]: must be > 0, got 0"


def test_a_slip_in_a_grid_draws_one_warning_with_its_position():
    config = settings(LAYER | {"firing_threshold": [1, 2, 3]}, S2STDP | {"ap": [0.1, -0.1]})
    with pytest.warns(ConfigWarning) as caught:
        assert len(expand_grid(config, "grid")) == 6
    assert [str(warning.message)[:25] for warning in caught] == ["grid: optimizer.ap[1]: a "]


def test_an_empty_list_in_a_grid_is_refused():
    with pytest.raises(ConfigError, match=r"^grid: optimizer.ap: must hold at least one value to try, got \[\]$"):
        expand_grid(settings(optimizer=S2STDP | {"ap": []}), "grid")


def test_a_grid_that_cannot_be_meant_is_refused():
    config = settings(optimizer=S2STDP | {key: list(range(1, 200)) for key in ("ap", "t_gap", "beta")})
    with pytest.raises(ConfigError, match=r"^grid: must have at most 1000000 runs, got 7880599$"):
        expand_grid(config, "grid")


def test_what_is_no_object_is_no_grid():
    assert not is_grid([1, 2])
    with pytest.raises(ConfigError, match=r"^config: must be an object in braces, got "):
        expand_grid([1, 2])
