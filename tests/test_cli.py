"""A command line comes to an exit status, its result on stdout, and one line for what went wrong."""

import json
import os
import shlex
import sys
import warnings

import numpy as np
import pytest
from small_runs import ROOT
from small_runs import command
from small_runs import write_data
from small_runs import write_settings

from spikenn_cy.cli import COMMANDS
from spikenn_cy.cli import convert
from spikenn_cy.cli.arguments import Parser
from spikenn_cy.cli.arguments import counting_number
from spikenn_cy.cli.arguments import number
from spikenn_cy.cli.arguments import positive_number
from spikenn_cy.cli.arguments import whole_number
from spikenn_cy.cli.entry import _parser
from spikenn_cy.cli.entry import main
from spikenn_cy.errors import ConfigWarning
from spikenn_cy.errors import DataError
from spikenn_cy.version import __version__

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("spelling", ["--max_time", "--max-time"])
@pytest.mark.parametrize("joined", [False, True])
def test_an_option_may_be_spelt_with_underscores_or_dashes(spelling, joined):
    parser = Parser()
    convert.add_arguments(parser)
    option = [f"{spelling}=2.5"] if joined else [spelling, "2.5"]
    arguments = parser.parse_args(["X-1.npy", "y-1.npy", "out--1.npz", *option])
    assert (arguments.max_time, arguments.times, arguments.output) == (2.5, "X-1.npy", "out--1.npz")


def test_what_follows_two_dashes_is_no_option():
    parser = Parser()
    parser.add_argument("name")
    assert parser.parse_args(["--", "--a-b"]).name == "--a-b"


def test_values_keep_their_dashes():
    parser = Parser()
    parser.add_argument("--out_dir")
    assert parser.parse_args(["--out-dir=a-b"]).out_dir == "a-b"
    assert parser.parse_args(["--out-dir", "a-b"]).out_dir == "a-b"


@pytest.mark.parametrize(
    ("read", "text"),
    [(whole_number, text) for text in ("-1", "1.5", "x", "", "1_0", "²", " 1", "9" * 4001)]
    + [(counting_number, text) for text in ("0", "-1", "1.5", "x", "", "1_0", "9" * 10)]
    + [(number, text) for text in ("nan", "inf", "x", "", "1e999")]
    + [(positive_number, text) for text in ("0", "-1", "nan", "inf", "x", "")],
)
def test_numbers_that_are_none_are_refused(capsys, read, text):
    parser = Parser(prog="here")
    parser.add_argument("--seed", type=read)
    with pytest.raises(SystemExit) as end:
        parser.parse_args([f"--seed={text}"])
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("here: argument --seed: must be a ")


def test_numbers_are_read():
    assert whole_number("0") == 0
    assert whole_number("18446744073709551616") == 2**64
    assert positive_number("1e-3") == 0.001
    assert counting_number("007") == 7
    assert [repr(number(text)) for text in ("10", "-3", "0.5", "1e1")] == ["10", "-3", "0.5", "10.0"]


@pytest.mark.parametrize(
    ("words", "finding"),
    [
        (["trian"], "got 'trian' (did you mean run?)"),
        (["help", "kflod"], "got 'kflod' (did you mean kfold?)"),
        (["dataset", "fashion-mnist", "out"], "(did you mean fmnist?)"),
        (["best", "out", "--n", "3"], "unrecognized arguments: --n 3 (did you mean --N?)"),
        (["run", "--set", "trainer"], "--set: must be KEY=VALUE, such as trainer.epochs=10, got 'trainer'"),
        (["run", "--set", "trainer.epoch=1"], "and --set: trainer.epoch: must be one of the keys "),
        (["run", "--set", "network[1].n_neurons=1"], "--set: network[1].n_neurons must lead through settings that are"),
        (["run", "--set", "network.n_neurons=1"], "--set: network.n_neurons must lead through settings that are there"),
        (["run", "--set", "optimizer.method=s2-stdp"], 'got "s2-stdp" (did you mean s2stdp?)'),
        (["train"], "argument COMMAND: must be one of run, kfold, score, gridsearch, "),
        (["kflod", "in"], "got 'kflod' (did you mean kfold?)"),
        (["extract", "stdpcsnn", "in", "out"], "got 'stdpcsnn' (did you mean stdp-csnn?)"),
        (["run", "in", "out", "config.json", "more"], "unrecognized arguments: more"),
        (["run", "--see", "3"], "unrecognized arguments: --see (did you mean --seed?)"),
        (["kfold", "--n-prc=3", "in", "out", "c"], "kfold: unrecognized arguments: --n_prc=3 (did you mean --n_proc?)"),
        (["run", "--over"], "unrecognized arguments: --over"),
        (["run", "--seed", "-1"], "argument --seed: must be a whole number >= 0, got '-1'"),
        (["run", "--seed"], "argument --seed: expected one argument"),
        (["run", "in", "out", "conf", "--demo", "network"], "--demo: must stand alone, got network beside IN"),
        (["run", "in"], "arguments: must be IN, OUT and perhaps CONFIG, or none of them for the demo, got no OUT"),
        (["run", "in", "out"], "in: must be a folder with a trainset, got no such folder"),
        (["kfold", "in", "out", "c.json", "--n_proc", "0"], "argument --n_proc: must be a whole number from 1 to"),
        (["kfold", "in", "out", "c.json", "--n_proc", "2", "--cluster", "x"], "not allowed with argument --n_proc"),
        (
            ["ablation", "in", "out", "c.json"],
            "argument neurons|thresholds: must be one of neurons, thresholds, got 'in'",
        ),
        (["best", "out", "--N", "x"], "argument --N: must be a whole number from 1 to 999999999, got 'x'"),
        (["convert", "X.npy"], "the following arguments are required: y.npy, OUT.npz"),
        (
            ["convert", "X.npy", "y.npy", "o.npz", "--max-time", "0"],
            "argument --max_time: must be a number > 0, got '0'",
        ),
    ],
)
def test_a_mistaken_command_line_is_refused_in_one_line(capsys, words, finding):
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert finding in line


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_tells_how_it_is_used(capsys, name):
    assert main([name, "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith(f"usage: spikenn-cy {name} ")
    assert COMMANDS[name].SUMMARY in text


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_ends_with_two_examples_and_a_page(capsys, name):
    assert main(["help", name]) == 0
    *_, title, first, second, more = capsys.readouterr().out.splitlines()
    assert title == "examples:"
    page = more.removeprefix("more: ")
    assert not (ROOT / "docs").is_dir() or (ROOT / page).is_file()
    for example in (first, second):
        program, *words = shlex.split(example)
        assert program == "spikenn-cy"
        assert _parser(None).parse_args(words).command == name


@pytest.mark.parametrize("words", [[], ["help"]])
def test_without_a_command_the_help_is_printed(capsys, words):
    assert main(words) == 0
    found = capsys.readouterr().out
    assert main(["--help"]) == 0
    assert found == capsys.readouterr().out


def test_settings_can_be_set_on_the_command_line(tmp_path, capsys):
    config = write_settings(tmp_path / "c.json", trainer={"epochs": 3})
    words = ["run", str(write_data(tmp_path / "in")), str(tmp_path / "out"), str(config), "--set"]
    options = ["trainer.epochs=1", "--set", "regularizer.thr_lr=0.2", "--set", "network[0].n_neurons=3"]
    assert main([*words, *options]) == 0
    found = json.loads((tmp_path / "out" / "config.json").read_text())["config"]
    assert found["trainer"]["epochs"] == 1
    assert (found["regularizer"]["thr_lr"], found["network"][0]["n_neurons"]) == (0.2, 3)
    assert main([*words, "trainer.epochs=-1"]) == 2
    assert f"error: {config} and --set: trainer.epochs: must be >= 0, got -1\n" == capsys.readouterr().err
    grid = [str(tmp_path / "in"), str(tmp_path / "gs"), str(config), "--n_proc", "1", "--set", "trainer.epochs=1"]
    assert main(["gridsearch", *grid, "--set", "optimizer.ap=[0.1, 0.05]"]) == 0
    assert "2 of 2 runs complete" in capsys.readouterr().out


def test_settings_that_are_chosen_from_the_data_can_be_set_too(tmp_path, capsys):
    pytest.importorskip("sklearn")
    words = ["run", str(write_data(tmp_path / "in")), str(tmp_path / "out")]
    assert main([*words, "--set", "trainer.epochs=1", "--set", "network[0].n_neurons=7"]) == 0
    found = json.loads((tmp_path / "out" / "config.json").read_text())["config"]
    assert (found["trainer"]["epochs"], found["network"][0]["n_neurons"]) == (1, 7)
    assert '"epochs": 1,' in capsys.readouterr().out
    assert main([*words, "--set", "trainer.epoch=1"]) == 2
    assert "error: --set: trainer.epoch: must be one of the keys " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("folder", "words", "hint"),
    [
        ("images", ["run", "x"], "(these are images: spikenn-cy extract makes spikes of them)"),
        ("images", ["kfold", "x"], "(these are images: spikenn-cy extract makes spikes of them)"),
        ("folds", ["run", "x"], "(these are folds: spikenn-cy kfold takes them)"),
        ("folds", ["gridsearch", "x"], "(these are folds: spikenn-cy kfold takes them)"),
        ("digits", ["run", "x"], "(did you mean x/gs, or x/kfold for kfold?)"),
        ("one", ["kfold", "x"], "(these are no folds: spikenn-cy run and gridsearch take them)"),
    ],
)
def test_data_for_another_command_name_that_command(tmp_path, monkeypatch, capsys, folder, words, hint):
    monkeypatch.chdir(tmp_path)
    files = {"images": ["images.npz", "0/split.npz"], "folds": ["0/trainset.npz"], "one": ["trainset.npz"]}
    for name in files.get(folder, ["gs/trainset.npz", "kfold/0/trainset.npz"]):
        (tmp_path / "x" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "x" / name).touch()
    assert main([*words, "out", str(write_settings(tmp_path / "c.json"))]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(hint)


def test_the_list_of_commands_has_them_all(capsys):
    assert main(["--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for name, module in COMMANDS.items():
        assert f"{name} {module.SUMMARY}" in text


def test_the_version_can_be_asked_for(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def failing(error):
    def fail(_):
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (DataError("here: must be\nthis, got that"), 2, "error: here: must be this, got that"),
        (
            FileNotFoundError(2, "No such file or directory", "x"),
            2,
            "error: x: must be usable, got No such file or directory",
        ),
        (OSError("odd"), 2, "error: input or output: must be usable, got odd"),
        (MemoryError("Unable to allocate 9 TiB"), 2, "error: memory: must suffice for network and data, got Unable"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_status(monkeypatch, capsys, error, status, line):
    monkeypatch.setattr(convert, "main", failing(error))
    assert main(["convert", "X.npy", "y.npy", "out.npz"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith(line)


def test_a_mistake_in_the_program_is_not_hidden(monkeypatch):
    monkeypatch.setattr(convert, "main", failing(AssertionError("a bug")))
    with pytest.raises(AssertionError, match="a bug"):
        main(["convert", "X.npy", "y.npy", "out.npz"])


def test_a_warning_is_one_line(monkeypatch, capsys):
    def warn(_):
        warnings.warn(ConfigWarning("f.json: optimizer.ap: why\nnot"), stacklevel=1)
        return 0

    monkeypatch.setattr(convert, "main", warn)
    assert main(["convert", "X.npy", "y.npy", "out.npz"]) == 0
    assert capsys.readouterr().err == "warning: f.json: optimizer.ap: why not\n"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_process_without_a_stream_is_no_error(monkeypatch, stream):
    monkeypatch.setattr(convert, "main", lambda _: 0)
    monkeypatch.setattr(sys, stream, None)
    assert main(["convert", "X.npy", "y.npy", "out.npz"]) == 0


@pytest.mark.processes
def test_a_reader_that_goes_away_is_no_traceback(tmp_path):
    np.save(tmp_path / "X.npy", np.zeros((2, 3)))
    np.save(tmp_path / "y.npy", np.arange(2))
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = command("convert", "X.npy", "y.npy", "out.npz", folder=tmp_path, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
    assert (tmp_path / "out.npz").exists()
