"""What a developer finds at the door says the same in every place, and works."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from spikenn_cy.version import __version__

pytestmark = pytest.mark.quick

ROOT = Path(__file__).parent.parent


def text_of(name):
    """Return a file of the tree, which an installed package is tested without."""
    if not (ROOT / name).exists():
        pytest.skip("needs the tree")
    return (ROOT / name).read_text(encoding="utf-8")


def test_make_lists_what_it_does_and_the_page_for_contributors_names_it():
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    targets = re.search(r"^\.PHONY: (.*)$", text_of("Makefile"), re.MULTILINE)[1].split()
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [line.split()[0] for line in shown.splitlines()] == targets
    named = re.findall(r"`(?:make )?([a-z ]+)`", text_of("CONTRIBUTING.md"))
    assert set(targets) - {"help"} <= {word for words in named for word in words.split()}


def test_commits_are_looked_at_with_the_tools_of_make():
    make, hooks = text_of("Makefile"), text_of(".pre-commit-config.yaml")
    lines = re.findall(r"^(?:lint|types):.*\n((?:\t.*\n)+)", make, re.MULTILINE)
    tools = {line.split()[0] for part in lines for line in part.splitlines()}
    assert tools == {entry.split()[0] for entry in re.findall(r"entry: (.*)", hooks)}
    extra = re.search(r"^lint = (.*)$", text_of("pyproject.toml"), re.MULTILINE)[1]
    assert tools <= set(re.findall(r'"([\w-]+)[=><]', extra))


def test_every_python_that_wheels_are_built_for_is_tested():
    settings = text_of("pyproject.toml")
    built = re.findall(r"cp3(\d+)-", re.search(r"^build = (.*)$", settings, re.MULTILINE)[1])
    tested = re.findall(r'"3\.(\d+)"', re.search(r"python: (.*)", text_of(".github/workflows/ci.yml"))[1])
    assert built == tested
    assert re.search(r'^requires-python = ">=3\.(\d+)"$', settings, re.MULTILINE)[1] == built[0]
    (runners,) = re.findall(r"include:\n((?: +- {.*\n)+)", text_of(".github/workflows/wheels.yml"))
    for system in ("linux", "macos"):
        wanted = re.search(rf"^\[tool\.cibuildwheel\.{system}\]\narchs = (.*)$", settings, re.MULTILINE)[1]
        assert re.findall(rf"system: {system}, processor: (\w+)", runners) == re.findall(r'"(\w+)"', wanted)


def test_all_that_must_hold_has_the_tests_that_the_readme_shows():
    (command,) = re.findall(r"^    (.*python -m pytest.*)$", text_of("README.md"), re.MULTILINE)
    first, second = command.split(" && ")
    shown = f"{first.replace('install -e', 'install -q -e')} && {second} "
    assert shown in text_of(".ci/run")


def test_what_to_cite_is_this_version_and_the_changelog_has_it():
    assert re.search(r"^version: (.*)$", text_of("CITATION.cff"), re.MULTILINE)[1] == __version__
    entries = re.findall(r"^## \[(.*?)\]", text_of("CHANGELOG.md"), re.MULTILINE)
    assert entries[0] == "Unreleased"
    assert __version__ in entries
