"""The C of an exported network has, for every sample, the class and decision time that the network has in Python."""

import dataclasses
import shutil
import subprocess
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from tables import examples
from test_integers import dense_model
from test_integers import networks
from test_integers import samples

from spikenn_cy import IntegerReadout
from spikenn_cy import Readout
from spikenn_cy import SpikingDataset
from spikenn_cy.cli.entry import main
from spikenn_cy.demo import demo_datasets
from spikenn_cy.errors import ConfigError
from spikenn_cy.errors import DataError
from spikenn_cy.export import export
from spikenn_cy.export import write_samples
from spikenn_cy.export.c99 import packed

pytestmark = pytest.mark.quick

STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")


@cache
def can_build(*options):
    """Tell whether there is a compiler that makes programs with these options."""
    if shutil.which("gcc") is None:
        return False
    source = "#include <stdio.h>\nint main(void) { return 0; }\n"
    made = subprocess.run(
        ["gcc", *options, "-x", "c", "-", "-o", "/dev/null"], input=source, text=True, capture_output=True, check=False
    )
    return made.returncode == 0


def program(header, *options):
    """Compile an exported header as a program; return its path."""
    if not can_build(*options):
        pytest.skip(f"there is no gcc that takes {options}")
    path = header.with_suffix(".out")
    command = ["gcc", *STRICT, *options, "-DSPIKENN_MAIN", "-x", "c", str(header), "-o", str(path)]
    made = subprocess.run(command, text=True, capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    return path


def said(path, text_file):
    """Return classes and decision times that a program prints for the samples of a file."""
    done = subprocess.run([str(path), str(text_file)], text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return np.array(done.stdout.split(), int).reshape(-1, 2).T


def compared(small, data, folder, *options):
    """Compare the C of a network with the network."""
    export(small, folder / "network.h")
    write_samples(small, data, folder / "samples.txt")
    numbers, levels = said(program(folder / "network.h", *options), folder / "samples.txt")
    found = small.decisions(data)
    assert_array_equal(numbers, found.numbers)
    assert_array_equal(levels, found.levels)


@pytest.mark.full
@examples(15)
@given(networks(), st.integers(2, 8), st.integers(1, 8))
def test_any_network_decides_in_c_as_in_python(tmp_path_factory, made, bits, time_bits):
    model, data = made
    sanitised = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all")
    options = sanitised if can_build(*sanitised) else ()
    compared(model.quantized(bits, time_bits), data, tmp_path_factory.mktemp("c"), *options)


def digits_model(kind):
    """Return a network that has learned the digits for two epochs, and the samples to test it with."""
    train, _, test = demo_datasets()
    rule = {"method": "decision_time"}
    layers = {
        "one layer": [{"n_neurons": 20}],
        "dense": [{"n_neurons": 40}, {"n_neurons": 10}],
        "deep": [{"n_neurons": 40}, {"n_neurons": 30}, {"n_neurons": 10}],
        "conv": [
            {"type": "conv", "n_filters": 6, "kernel_size": 3, "padding": 1, "pool": 2, "dropout": 0.2},
            {"n_neurons": 10},
        ],
    }
    config = {"network": layers[kind], "optimizer": rule, "trainer": {"epochs": 2}}
    if kind == "conv":
        train, test = (SpikingDataset.from_numpy(one.to_dense().reshape(-1, 8, 8), one.labels) for one in (train, test))
    model = Readout.from_config(config, 64, 10)
    model.fit(train)
    return model, test


@pytest.mark.parametrize("kind", ["one layer", "dense", "deep", "conv"])
def test_networks_that_have_learned_decide_in_c_as_in_python(tmp_path, kind):
    model, test = digits_model(kind)
    compared(model.quantized(4, 5), test, tmp_path, "-O2")


# A program of 32 bits that needs no library of that width: it asks Linux itself to write and to end.
BARE = r"""
#include "network.h"
#include "samples.h"

static int ask(int what, int first, const void *second, int third)
{
    int answer;
    __asm__ volatile("int $0x80" : "=a"(answer) : "a"(what), "b"(first), "c"(second), "d"(third) : "memory");
    return answer;
}

static void tell(int number, char after)
{
    char text[12];
    int at = 11;
    text[at] = after;
    do {
        text[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    ask(4, 1, text + at, 12 - at);
}

void _start(void)
{
    int k, time;
    for (k = 0; k < SAMPLES; k++) {
        tell(spikenn_classify(inputs + starts[k], times + starts[k], starts[k + 1] - starts[k], &time), ' ');
        tell(time, '\n');
    }
    ask(1, sizeof(void *), 0, 0);
}
"""
WIDTH = ("-m32", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-O2")


def bare(source, *options, folder):
    """Compile a source to a program of 32 bits, ``bare``."""
    command = ["gcc", "-std=gnu99", *options, *WIDTH, source, "-o", "bare"]
    return subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)


def array_of(kind, name, numbers):
    return f"static const {kind} {name}[] = {{{', '.join(map(str, numbers))}}};\n"


@pytest.mark.parametrize("kind", ["dense", "conv"])
def test_a_processor_of_32_bits_has_the_same_decisions(tmp_path, kind):
    (tmp_path / "empty.c").write_text("void _start(void) {}\n")
    if shutil.which("gcc") is None or bare("empty.c", folder=tmp_path).returncode:
        pytest.skip("there is no gcc that makes programs of 32 bits")
    model, test = digits_model(kind)
    small, data = model.quantized(8, 5), test[:100]
    export(small, tmp_path / "network.h")
    levels = small.levels(data)
    arrays = (("int", "starts", data.indptr), ("uint16_t", "inputs", data.indices), ("uint8_t", "times", levels))
    text = "".join(array_of(kind, name, numbers.tolist()) for kind, name, numbers in arrays)
    (tmp_path / "samples.h").write_text(f"#define SAMPLES {len(data)}\n{text}")
    (tmp_path / "bare.c").write_text(BARE)
    made = bare("bare.c", "-Wall", "-Wextra", "-Werror", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    try:
        done = subprocess.run(["./bare"], cwd=tmp_path, text=True, capture_output=True, check=False)
    except OSError:
        pytest.skip("nothing here runs programs of 32 bits")
    if done.returncode < 0:
        pytest.skip("this system takes no calls of programs of 32 bits")
    assert done.returncode == 4  # bytes of a pointer
    numbers, levels = np.array(done.stdout.split(), int).reshape(-1, 2).T
    found = small.decisions(data)
    assert_array_equal(numbers, found.numbers)
    assert_array_equal(levels, found.levels)


def test_the_largest_thresholds_are_numbers_of_c(tmp_path):
    small, ends = dense_model().quantized(), np.iinfo(np.int32)
    layer = dataclasses.replace(small.layers[0], thresholds=np.array([ends.max, 0, ends.max, ends.min], np.int32))
    compared(dataclasses.replace(small, layers=(layer,)), samples(), tmp_path)


@pytest.mark.parametrize("bits", [2, 4])
def test_packed_weights_are_read_as_the_header_reads_them(bits):
    weights = np.random.default_rng(0).integers(-(2 ** (bits - 1)), 2 ** (bits - 1), 13).astype(np.int8)
    table, per_byte = packed(weights, bits), 8 // bits
    assert len(table) == -(-13 // per_byte)
    fields = ((table[:, None].astype(int) >> (bits * np.arange(per_byte))) & (2**bits - 1)).ravel()[:13]
    assert_array_equal(np.where(fields < 2 ** (bits - 1), fields, fields - 2**bits), weights)


@pytest.mark.parametrize("width", [{"bits": 4}, {"bits": 2, "time_bits": 3}, {}])
def test_the_command_writes_what_quantized_would_decide(tmp_path, capsys, width):
    model, data = dense_model(), samples(30)
    model.save(tmp_path / "model.npz")
    options = [word for name, value in width.items() for word in (f"--{name}", str(value))]
    assert main(["export", str(tmp_path / "model.npz"), str(tmp_path / "by_command.h"), *options]) == 0
    assert "6 -> 4 neurons, 2 classes" in capsys.readouterr().out
    small = model.quantized(**width)
    export(small, tmp_path / "network.h")
    small.save(tmp_path / "small.npz")
    assert main(["export", str(tmp_path / "small.npz"), str(tmp_path / "by_file.h")]) == 0
    text = (tmp_path / "network.h").read_text()
    assert (tmp_path / "by_command.h").read_text() == text
    assert (tmp_path / "by_file.h").read_text() == text
    assert IntegerReadout.load(tmp_path / "small.npz").n_classes == 2
    compared(small, data, tmp_path)


def test_the_header_says_its_bytes_and_names_its_classes_whatever_they_are(tmp_path):
    model = dense_model()
    names = np.array(["*/ int x; /*", "??/\n\\ é"])
    model.fit(SpikingDataset.from_numpy(samples().to_dense(), names[np.arange(8) % 2]), epochs=1)
    small = model.quantized(4)
    export(small, tmp_path / "network.h")
    text = (tmp_path / "network.h").read_bytes().decode("ascii")
    assert "Constant: 12 bytes of weights, 16 bytes of thresholds.\n * Changed by decisions: 16 bytes." in text
    assert "class 0 is '* / int x; / *'" in text
    compared(small, samples(), tmp_path)
    assert max(map(len, text.splitlines())) <= 120


def test_the_header_can_be_included_and_refuses_spikes_that_cannot_be(tmp_path):
    export(dense_model(), tmp_path / "network.h", time_bits=4)
    (tmp_path / "own.c").write_text(
        '#include "network.h"\n#include "network.h"\n#include <stdio.h>\n'
        "static int decided(uint16_t input, uint8_t first, uint8_t second)\n{\n"
        "    const uint16_t inputs[2] = {0, input};\n    const uint8_t times[2] = {first, second};\n    int time;\n"
        "    return spikenn_classify(inputs, times, 2, &time);\n}\n"
        "int main(void)\n{\n    int time = 0;\n"
        '    printf("%d %d %d %d ", decided(1, 0, 1) >= 0, decided(6, 0, 0), decided(1, 3, 2), decided(1, 16, 16));\n'
        "    const int silent = spikenn_classify(NULL, NULL, 0, &time);\n"
        '    printf("%d %d\\n", silent, time);\n    return 0;\n}\n'
    )
    if not can_build():
        pytest.skip("there is no gcc")
    path = tmp_path / "own"
    made = subprocess.run(
        ["gcc", *STRICT, str(tmp_path / "own.c"), "-o", str(path)], text=True, capture_output=True, check=False
    )
    assert made.returncode == 0, made.stderr
    assert subprocess.run([str(path)], text=True, capture_output=True, check=False).stdout == "1 -1 -1 -1 0 16\n"


@pytest.mark.parametrize(
    "text", ["2 0 1", "1 6 0\n", "1 0 16\n", "2 0 3 1 2\n", "-1\n", "7 0 0\n", "1 0 0\nx\n", "1 0 x\n"]
)
def test_the_program_refuses_a_file_that_holds_no_samples(tmp_path, text):
    export(dense_model(), tmp_path / "network.h", time_bits=4)
    (tmp_path / "samples.txt").write_text(text)
    path = program(tmp_path / "network.h")
    done = subprocess.run([str(path), str(tmp_path / "samples.txt")], text=True, capture_output=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "must be" in done.stderr


def test_what_cannot_be_c_is_refused_in_one_line(tmp_path):
    model, small = dense_model(), dense_model().quantized()
    with pytest.raises(ConfigError, match=r"bits: must be left out unless a \.h file is written, got 8"):
        export(model, tmp_path / "model.npz", bits=8)
    with pytest.raises(ConfigError, match="time_bits: must be left out of a network that is quantised already, got 4"):
        export(small, tmp_path / "model.h", time_bits=4)
    with pytest.raises(
        DataError, match=r"network: must be a Readout unless a \.h file is written, got <IntegerReadout"
    ):
        export(small, tmp_path / "model.npz")
    with pytest.raises(ConfigError, match="dt: must be left out"):
        export(small, tmp_path / "model.h", dt=1.0)
    small.save(tmp_path / "small.npz")
    with pytest.raises(DataError, match=r"got a quantised network, which IntegerReadout\.load reads"):
        export(tmp_path / "small.npz", tmp_path / "model.npz")
    wide = Readout.from_config({"network": [{"n_neurons": 2}], "optimizer": {"method": "decision_time"}}, 2**16 + 1, 2)
    wide.layers[0].weights = np.zeros((2, 2**16 + 1))
    with pytest.raises(DataError, match="network: must have at most 65536 inputs for C"):
        export(wide, tmp_path / "model.h")
