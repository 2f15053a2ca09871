"""A clone that is not built, or an installation that lacks a package, says what to type."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import spikenn_cy
from spikenn_cy.utils.installation import is_command
from spikenn_cy.utils.installation import what_to_type

pytestmark = pytest.mark.processes

PACKAGE = Path(spikenn_cy.__file__).parent


@pytest.fixture(scope="module")
def unbuilt(tmp_path_factory):
    """Return a clone in which nothing was compiled."""
    folder = tmp_path_factory.mktemp("a clone")
    shutil.copytree(PACKAGE, folder / "spikenn_cy", ignore=shutil.ignore_patterns("*.so", "*.c", "__pycache__"))
    (folder / "setup.py").touch()
    return folder


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """Return a folder that hides the package msgspec from an interpreter that looks there first."""
    folder = tmp_path_factory.mktemp("bare")
    absent = "raise ModuleNotFoundError(\"No module named 'msgspec'\", name='msgspec')\n"
    (folder / "msgspec.py").write_text(absent)
    return folder


def done(*words, folder, path=()):
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [["-m", "spikenn_cy.run"], ["-m", "spikenn_cy", "kfold"], ["-Bmspikenn_cy.run"]])
def test_a_command_of_an_unbuilt_clone_is_one_line_that_says_what_to_type(unbuilt, words):
    finished = done(*words, folder=unbuilt)
    assert (finished.returncode, finished.stdout) == (2, "")
    (line,) = finished.stderr.splitlines()
    assert line.startswith("error: spikenn_cy: must be compiled, got no spikenn_cy.")
    assert line.endswith(f"; type: python -m pip install -e {shlex.quote(str(unbuilt))}")


def test_a_command_without_a_package_is_one_line_that_says_what_to_type(bare):
    finished = done("-m", "spikenn_cy.run", folder=bare, path=[bare, PACKAGE.parent])
    assert (finished.returncode, finished.stdout) == (2, "")
    (line,) = finished.stderr.splitlines()
    assert line.startswith("error: spikenn_cy: needs the package msgspec, got none; type: python -m pip install ")


def test_a_module_that_is_missed_later_is_one_line_too(bare, tmp_path):
    absent = (bare / "msgspec.py").read_text().replace("msgspec", "tqdm")
    (tmp_path / "tqdm.py").write_text(absent)
    code = "import sys\nfrom spikenn_cy.cli import COMMANDS, score\ndef main(_):\n import tqdm\nscore.main = main\n"
    code += "from spikenn_cy.cli.entry import main as entry\nsys.exit(entry(['score', 'x']))"
    finished = done("-c", code, folder=tmp_path, path=[tmp_path, PACKAGE.parent])
    assert (finished.returncode, finished.stdout) == (2, "")
    (line,) = finished.stderr.splitlines()
    assert line.startswith("error: spikenn_cy: needs the package tqdm, got none; type: python -m pip install ")


def test_a_module_that_the_package_itself_does_not_import_is_missed_in_one_line(tmp_path):
    ignored = shutil.ignore_patterns("_filters*.so", "*.c", "__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "spikenn_cy", ignore=ignored)
    finished = done("-m", "spikenn_cy", "score", "x", folder=tmp_path)
    assert (finished.returncode, finished.stdout) == (2, "")
    (line,) = finished.stderr.splitlines()
    assert line.startswith("error: spikenn_cy: must be compiled, got no spikenn_cy.")


def test_an_import_fails_with_the_same_line(unbuilt):
    finished = done("-c", "import spikenn_cy", folder=unbuilt)
    assert finished.returncode == 1
    *_, last = finished.stderr.splitlines()
    assert last.startswith("ImportError: spikenn_cy: must be compiled, got no spikenn_cy.")
    assert "During handling" not in finished.stderr
    code = "try:\n import spikenn_cy\nexcept ImportError as error:\n print(error)"
    assert done("-c", code, folder=unbuilt).stdout.startswith("spikenn_cy: must be compiled, ")


def test_what_to_type_brings_what_is_absent(tmp_path):
    package = tmp_path / "spikenn_cy"
    again = "type: python -m pip install --force-reinstall spikenn_cy"
    assert what_to_type("spikenn_cy.a", package) == f"spikenn_cy: must be compiled, got no spikenn_cy.a; {again}"
    assert what_to_type("numpy.core", package) == f"spikenn_cy: needs the package numpy, got none; {again}"
    (tmp_path / "setup.py").touch()
    again = f"type: python -m pip install -e {tmp_path}"
    assert what_to_type("numpy.core", package) == f"spikenn_cy: needs the package numpy, got none; {again}"


@pytest.mark.parametrize(
    ("words", "all_words", "answer"),
    [
        (["-m", "IN"], ["python", "-m", "spikenn_cy.run", "IN"], True),
        (["-m"], ["python", "-mspikenn_cy"], True),
        (["/usr/bin/spikenn-cy", "score"], ["python", "/usr/bin/spikenn-cy", "score"], True),
        (["-m"], ["python", "-m", "pytest", "tests"], False),
        (["script.py", "spikenn_cy"], ["python", "script.py", "spikenn_cy"], False),
        (["-c"], ["python", "-c", "import spikenn_cy"], False),
        ([], ["python"], False),
    ],
)
def test_a_command_is_told_from_a_program_that_imports_the_package(words, all_words, answer):
    assert is_command(words, all_words) is answer
