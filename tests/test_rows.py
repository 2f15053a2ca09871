"""A member that is added to a table by its row alone is found by settings, help, errors, commands and pages."""

import argparse
import dataclasses
import json
import shutil
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import test_pages
from small_images import digits
from small_images import write_mnist
from small_runs import dense
from small_runs import settings
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy.cli import COMMANDS
from spikenn_cy.cli.entry import main
from spikenn_cy.config import ExperimentConfig
from spikenn_cy.data import READERS
from spikenn_cy.data import spikes
from spikenn_cy.data.dataset import SpikingDataset
from spikenn_cy.data.folder import data_files
from spikenn_cy.data.published import SOURCES
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.experiments import RUNNERS
from spikenn_cy.experiments.batch import Batch
from spikenn_cy.experiments.batch import Run
from spikenn_cy.experiments.batch import run_batch
from spikenn_cy.experiments.batch import run_states
from spikenn_cy.export import FORMATS
from spikenn_cy.export import Format
from spikenn_cy.export import export
from spikenn_cy.features import EXTRACTORS
from spikenn_cy.features import STDPCSNN
from spikenn_cy.features import load_extractor
from spikenn_cy.layers import LAYERS
from spikenn_cy.layers.dense import DenseConfig
from spikenn_cy.layers.feedbacks import FEEDBACKS
from spikenn_cy.network.forward import FORWARDS
from spikenn_cy.network.forward._exact import ExactForward
from spikenn_cy.network.readout import Readout
from spikenn_cy.neurons import NEURONS
from spikenn_cy.neurons._lif import LeakyIntegrateAndFire
from spikenn_cy.neurons.settings import NeuronConfig
from spikenn_cy.plots import PICTURES
from spikenn_cy.plots import Picture
from spikenn_cy.plots import accuracy
from spikenn_cy.regulators import REGULATORS
from spikenn_cy.regulators.competition import CompetitionConfig
from spikenn_cy.rules import RULES
from spikenn_cy.rules.s2stdp import S2STDPConfig
from spikenn_cy.rules.suggestion import Suggestion

pytestmark = pytest.mark.quick


class DummyRule(S2STDPConfig, kw_only=True, tag_field="method", tag="dummy"):
    """A rule whose computation is that of another."""

    suggestions: ClassVar[dict[str, Suggestion]] = {
        "dummy": Suggestion({"ap": 0.03, "am": -0.02, "strength": 2}, {"t_gap": 0.2}, w_norm=True)
    }

    strength: float

    def check(self):
        super().check()
        self.rule(self.strength > 0, "strength", "must be > 0")


class DummyRegulator(CompetitionConfig, kw_only=True, tag_field="method", tag="dummy"):
    """A regulator whose computation is that of another."""

    strength: float = 1.0


class DummyNeuron(NeuronConfig, kw_only=True, tag_field="model", tag="dummy"):
    """A neuron model whose computation is that of another, but who is to know."""

    tau: float

    def build(self, n_inputs):
        return LeakyIntegrateAndFire(n_inputs, self.tau)


class DummyLayer(DenseConfig, frozen=True, kw_only=True, tag_field="type", tag="dummy"):
    """A layer of a network whose computation is that of another."""

    strength: float = 1.0


class DummyExtractor(STDPCSNN):
    """An extractor that computes as another."""

    has_filters = False


RULE = {"method": "dummy", "ap": 0.1, "am": -0.05, "t_gap": 0.05, "strength": 3}


def help_of(capsys, *words):
    """Return the help text of a command, or of all."""
    assert main([*words, "--help"]) == 0
    return " ".join(capsys.readouterr().out.split())


def refusal_of(capsys, *words):
    """Return the line with which a command line is refused."""
    assert main([str(word) for word in words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


def refused(change):
    """Return the message with which changed settings are refused."""
    with pytest.raises(ConfigError) as refusal:
        ExperimentConfig.from_any(settings() | change)
    return str(refusal.value)


def is_missed_on(page):
    """Tell whether the test of a page asks for the dummy there."""
    with pytest.raises(AssertionError, match="dummy"):
        test_pages.test_every_member_of_a_table_is_on_its_page(page)
    return True


def is_trained(config):
    """Train a network with these settings, and return it as its file has it."""
    train = SpikingDataset.from_numpy(*dense(30, seed=0))
    model = Readout.from_config(config, n_inputs=train.n_inputs, n_classes=3)
    model.fit(train, epochs=1)
    return model


def test_a_rule(monkeypatch, tmp_path):
    monkeypatch.setitem(RULES, "dummy", DummyRule)
    model = is_trained(settings() | {"optimizer": RULE})
    assert isinstance(model.config.optimizer, DummyRule)
    model.save(tmp_path / "model.npz")
    assert Readout.load(tmp_path / "model.npz").config == model.config
    assert refused({"optimizer": RULE | {"method": "dumy"}}).endswith('"dummy", got "dumy" (did you mean dummy?)')
    assert refused({"optimizer": RULE | {"strength": 0}}) == "optimizer.strength: must be > 0, got 0"
    assert is_missed_on("configuration")
    assert is_missed_on("sklearn")
    with pytest.raises(AssertionError, match="must have a section `dummy`"):
        test_pages.test_every_setting_is_on_the_page_with_its_default("`dummy`")
    with pytest.raises(AssertionError, match="DummyRule"):
        test_pages.test_every_record_of_settings_is_in_the_reference()


def test_a_rule_for_the_classifier(monkeypatch):
    pytest.importorskip("sklearn")
    from spikenn_cy.estimator import SpikingClassifier

    monkeypatch.setitem(RULES, "dummy", DummyRule)
    X, y = dense(60, seed=0)
    model = SpikingClassifier(rule="dummy", ap=0.1, epochs=2, random_state=0).fit(X, y)
    optimizer = model.readout_.config.optimizer
    assert (type(optimizer), optimizer.strength, optimizer.ap, optimizer.t_gap) == (DummyRule, 2.0, 0.1, 0.2)
    with pytest.raises(ConfigError, match=r"dummy, got 'dumy' \(did you mean dummy\?\)"):
        SpikingClassifier(rule="dumy").fit(X, y)


def test_a_regulator(monkeypatch, tmp_path):
    monkeypatch.setitem(REGULATORS, "dummy", DummyRegulator)
    regularizer = {"method": "dummy", "thr_lr": 0.1, "strength": 3}
    model = is_trained(settings() | {"regularizer": regularizer})
    assert isinstance(model.config.regularizer, DummyRegulator)
    model.save(tmp_path / "model.npz")
    assert Readout.load(tmp_path / "model.npz").config == model.config
    assert model.config.to_dict()["regularizer"]["method"] == "dummy"
    # And the first one is still what is meant without a name, and written without it.
    unnamed = ExperimentConfig.from_any(settings())
    assert type(unnamed.regularizer) is CompetitionConfig
    assert "method" not in unnamed.to_dict()["regularizer"]
    message = refused({"regularizer": {"method": "dumy", "thr_lr": 1}})
    assert message.startswith("regularizer.method: must be ")
    assert message.endswith('"dummy", got "dumy" (did you mean dummy?)')
    assert is_missed_on("configuration")


def test_a_neuron_model(monkeypatch, tmp_path):
    monkeypatch.setitem(NEURONS, "dummy", DummyNeuron)
    config = settings(network={"neuron": {"model": "dummy", "tau": 0.3}})
    model = is_trained(config)
    model.save(tmp_path / "model.npz")
    again = Readout.load(tmp_path / "model.npz")
    assert isinstance(again.config.network[0].neuron_model, DummyNeuron)
    train = SpikingDataset.from_numpy(*dense(30, seed=0))
    np.testing.assert_array_equal(again.predict(train), model.predict(train))
    lif = is_trained(settings(network={"leak_tau": 0.3}))
    np.testing.assert_array_equal(model.layers[-1].weights, lif.layers[-1].weights)
    layer = settings()["network"][0]
    message = refused({"network": [layer | {"neuron": {"model": "dumy"}}]})
    assert message.startswith("network[0].neuron.model: must be ")
    assert message.endswith('"dummy", got "dumy" (did you mean dummy?)')
    with pytest.raises(DataError, match=r"^network\[0\]\.neuron: must be a model that integrates .*, got dummy$"):
        export(model, tmp_path / "model.npz")
    assert is_missed_on("configuration")


def deep_network(layer, **optimizer):
    """Return the settings of a network that learns in every layer."""
    return {"network": [layer, {"n_neurons": 3}], "optimizer": {"method": "decision_time"} | optimizer}


def test_a_layer_of_a_network(monkeypatch, tmp_path):
    monkeypatch.setitem(LAYERS, "dummy", DummyLayer)
    model = is_trained(deep_network({"type": "dummy", "n_neurons": 12, "strength": 2}))
    model.save(tmp_path / "model.npz")
    again = Readout.load(tmp_path / "model.npz")
    assert again.config.network[0] == DummyLayer(n_neurons=12, strength=2)
    dense_one = is_trained(deep_network({"n_neurons": 12}))
    np.testing.assert_array_equal(again.layers[0].weights, dense_one.layers[0].weights)
    message = refused(deep_network({"type": "dumy", "n_neurons": 12}))
    assert message.startswith("network[0].type: must be ")
    assert message.endswith('"dummy", got "dumy" (did you mean dummy?)')
    assert is_missed_on("configuration")


def test_a_feedback(monkeypatch, tmp_path):
    monkeypatch.setitem(FEEDBACKS, "dummy", FEEDBACKS["mirrored"])
    model = is_trained(deep_network({"n_neurons": 12}, feedback="dummy"))
    model.save(tmp_path / "model.npz")
    again = Readout.load(tmp_path / "model.npz")
    mirrored = is_trained(deep_network({"n_neurons": 12}, feedback="mirrored"))
    assert again.config.optimizer.feedback == "dummy"
    np.testing.assert_array_equal(again.layers[0].feedback_weights, mirrored.layers[0].feedback_weights)
    message = refused(deep_network({"n_neurons": 12}, feedback="dumy"))
    assert message.startswith("optimizer.feedback: must be ")
    assert message.endswith("(did you mean dummy?)")
    assert is_missed_on("configuration")


def test_a_way_to_find_first_spikes(monkeypatch):
    monkeypatch.setitem(FORWARDS, "dummy", ExactForward)
    train = SpikingDataset.from_numpy(*dense(30, seed=0))
    model = Readout.from_config(settings(), n_inputs=train.n_inputs, n_classes=3)
    model.fit(train, epochs=1, forward="dummy")
    np.testing.assert_array_equal(model.layers[-1].weights, is_trained(settings()).layers[-1].weights)
    with pytest.raises(ConfigError, match=r"forward: must be one of auto, exact, .*, dummy, got 'dumy'"):
        model.fit(train, epochs=1, forward="dumy")
    assert is_missed_on("performance")


def test_an_extractor(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(EXTRACTORS, "dummy", DummyExtractor)
    images, labels = digits(20)
    (tmp_path / "images").mkdir()
    images.tofile(tmp_path / "images" / "X_train.bin")
    labels.tofile(tmp_path / "images" / "y_train.bin")
    (tmp_path / "config.json").write_text('{"conv1_c": 4, "conv1_epochs": 1}')
    words = ["extract", "dummy", tmp_path / "images", tmp_path / "out", tmp_path / "config.json"]
    assert main([str(word) for word in words]) == 0
    assert json.loads((tmp_path / "out" / "extraction.json").read_text())["extractor"] == "dummy"
    assert not (tmp_path / "out" / "filters.png").exists()
    assert SpikingDataset.from_file(tmp_path / "out" / "trainset.npz").n_inputs > 0
    assert ", dummy" in help_of(capsys, "extract")
    assert "got 'dumy' (did you mean dummy?)" in refusal_of(capsys, "extract", "dumy", "in", "out")
    monkeypatch.delitem(EXTRACTORS, "stdp-csnn")  # the name in the file's header
    with pytest.raises(DataError, match=r"extractor must be one of .*dummy, got 'stdp-csnn'"):
        load_extractor(tmp_path / "out" / "model.npz")
    assert is_missed_on("commands")


def test_a_reader(monkeypatch, tmp_path):
    monkeypatch.setitem(READERS, ".dummy", spikes.read)
    folder = write_data(tmp_path / "in", val=False, test=False)
    (folder / "trainset.npz").rename(folder / "trainset.dummy")
    assert data_files(folder) == {"train": folder / "trainset.dummy"}
    assert len(SpikingDataset.from_file(folder / "trainset.dummy")) == 90
    assert main(["run", str(folder), str(tmp_path / "out"), str(write_settings(tmp_path / "c.json"))]) == 0
    with pytest.raises(DataError, match=r"suffix must be one of \.dummy, .* got '\.dumy' \(did you mean \.dummy\?\)"):
        SpikingDataset.from_file(folder / "trainset.dumy")
    (folder / "trainset.dummy").unlink()
    with pytest.raises(DataError, match=r"must hold .* or trainset\.dummy, got none"):
        data_files(folder)
    assert is_missed_on("data")


def test_a_published_data_set(monkeypatch, capsys, tmp_path):
    pytest.importorskip("sklearn")
    monkeypatch.setitem(SOURCES, "dummy", dataclasses.replace(SOURCES["mnist"], title="Dummies"))
    write_mnist(tmp_path / "files")
    assert main(["dataset", "dummy", str(tmp_path / "out"), "--from", str(tmp_path / "files")]) == 0
    assert "Dummies" in capsys.readouterr().out
    assert ", dummy" in help_of(capsys, "dataset")
    assert "got 'dumy' (did you mean dummy?)" in refusal_of(capsys, "dataset", "dumy", "out")
    assert is_missed_on("datasets")


def test_a_format(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(FORMATS, ".dummy", Format("a file of its own", lambda model: repr(model).encode()))
    model = is_trained(settings())
    model.save(tmp_path / "model.npz")
    assert main(["export", str(tmp_path / "model.npz"), str(tmp_path / "model.dummy")]) == 0
    assert (tmp_path / "model.dummy").read_text() == repr(model)
    capsys.readouterr()
    assert ".dummy (a file of its own)" in help_of(capsys, "export")
    assert ".dummy, got '.dumy' (did you mean .dummy?)" in refusal_of(capsys, "export", "model.npz", "model.dumy")
    assert "dt: must be left out" in refusal_of(capsys, "export", "model.npz", "model.dummy", "--dt", "1")
    assert is_missed_on("exchange")


def test_a_picture(monkeypatch, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    picture = PICTURES["run"]["accuracy"]
    monkeypatch.setitem(PICTURES, "run", {"dummy": Picture(picture.draw, "The accuracy once more.")})
    write_data(tmp_path / "in")
    words = ["run", tmp_path / "in", tmp_path / "out", write_settings(tmp_path / "c.json"), "--report"]
    assert main([str(word) for word in words]) == 0
    assert "The accuracy once more." in (tmp_path / "out" / "report.html").read_text()
    assert main(["plot", str(tmp_path / "out"), "--input", str(tmp_path / "in")]) == 0
    assert (tmp_path / "out" / "dummy.png").exists()
    assert is_missed_on("pictures")


def add_arguments(parser):
    parser.add_argument("word", help="what is said")
    parser.add_argument("--loud", action="store_true", help="in capitals")


def said(arguments: argparse.Namespace) -> int:
    print(arguments.word.upper() if arguments.loud else arguments.word)
    return 0


def test_a_command(monkeypatch, capsys):
    command = SimpleNamespace(SUMMARY="Say a word.", add_arguments=add_arguments, main=said)
    monkeypatch.setitem(COMMANDS, "dummy", command)
    assert "dummy Say a word." in help_of(capsys)
    assert "--loud in capitals" in help_of(capsys, "dummy")
    assert main(["dummy", "word", "--loud"]) == 0
    assert capsys.readouterr().out == "WORD\n"
    assert "got 'dumy' (did you mean dummy?)" in refusal_of(capsys, "dumy")
    assert "unrecognized arguments: --lud (did you mean --loud?)" in refusal_of(capsys, "dummy", "word", "--lud")
    with pytest.raises(AssertionError, match="must have a section dummy"):
        test_pages.test_every_command_has_its_section_with_every_option("dummy")
    with pytest.raises(AssertionError, match="dummy"):
        test_pages.test_there_are_no_sections_of_other_commands()


def test_a_runner(monkeypatch, capsys, tmp_path):
    pytest.importorskip("matplotlib")

    def jobs(input, output, config):
        config = ExperimentConfig.from_any(config)
        return Batch("dummy", input, output, config.to_dict(), (Run("one", config), Run("two", config, seed=1)))

    monkeypatch.setitem(RUNNERS, "dummy", SimpleNamespace(jobs=jobs, summarise=None))
    write_data(tmp_path / "in")
    assert run_batch(RUNNERS["dummy"].jobs(tmp_path / "in", tmp_path / "out", settings())) == []
    assert [state.state for state in run_states(tmp_path / "out", "dummy")] == ["complete", "complete"]
    assert main(["plot", str(tmp_path / "out")]) == 0  # which has no pictures of it
    picture = Picture(lambda source: accuracy(source.folder / "one"), "The accuracy of the first run.")
    monkeypatch.setitem(PICTURES, "dummy", {"first": picture})
    assert main(["plot", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "first.png").exists()
    shutil.rmtree(tmp_path / "out")
    capsys.readouterr()
    assert ", dummy" in help_of(capsys, "plot")
    assert ", dummy" in refusal_of(capsys, "plot", tmp_path)
    assert is_missed_on("scaling-out")


TABLES = {"method": (RULES, REGULATORS), "model": (NEURONS,)}


@pytest.mark.parametrize("key", TABLES)
def test_records_have_the_names_of_their_rows_as_tags(key):
    for table in TABLES[key]:
        for name, record in table.items():
            assert (record.__struct_config__.tag_field, record.__struct_config__.tag) == (key, name)


def test_no_two_rules_suggest_under_one_name():
    names = [name for rule in RULES.values() for name in rule.suggestions]
    assert len(names) == len(set(names))
