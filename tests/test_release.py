"""A tree whose numbers, dates and tag do not agree is not released."""

import importlib.machinery
import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.quick

SCRIPT = Path(__file__).parent.parent / ".ci" / "release"
CHANGES = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-28\n\n* More.\n\n## [1.2.2] - 2026-10-01\n\n* Less.\n"


@pytest.fixture(scope="module")
def release():
    loader = importlib.machinery.SourceFileLoader("release", str(SCRIPT))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("release", loader))
    loader.exec_module(module)
    return module


def tree(folder, version='__version__ = "1.2.3"\n', changes=CHANGES, cited="version: 1.2.3\n"):
    (folder / "spikenn_cy").mkdir()
    (folder / "spikenn_cy" / "version.py").write_text(version)
    (folder / "CHANGELOG.md").write_text(changes)
    (folder / "CITATION.cff").write_text(cited)
    return folder


def test_a_tree_in_which_all_agrees_may_be_released(release, tmp_path):
    assert [*release.findings(tree(tmp_path), tags=["v1.2.2"])] == []


@pytest.mark.parametrize(
    ("different", "finding"),
    [
        ({"version": '__version__ = "1.2.3.dev0"\n'}, "version.py: must have a version such as 1.2.3"),
        (
            {"version": '__version__ = "1.2.4"\n', "cited": "version: 1.2.4\n"},
            "must have 1.2.4 of .* on top, got 1.2.3",
        ),
        ({"cited": "version: 1.2.2\n"}, "CITATION.cff: must have version: 1.2.3, got 1.2.2"),
        ({"cited": ""}, "CITATION.cff: must have version: 1.2.3, got None"),
        ({"changes": CHANGES.replace("## [Unreleased]\n\n", "")}, "must begin with .Unreleased., for what comes next"),
        ({"changes": CHANGES.replace("leased]\n", "leased]\n\n* New.\n")}, "Unreleased. must be empty"),
        ({"changes": CHANGES.replace("2026-11-28", "soon")}, "must have a date such as .*, got soon"),
        ({"changes": CHANGES.replace("* More.\n\n", "")}, "must say what 1.2.3 brings"),
    ],
)
def test_what_does_not_agree_is_told_in_one_line(release, tmp_path, different, finding):
    (line,) = release.findings(tree(tmp_path, **different))
    assert release.re.search(finding, line)


def test_a_tag_that_is_there_and_files_that_are_not_committed_are_told(release, tmp_path):
    tagged, changed = release.findings(tree(tmp_path), tags=["v1.2.3"], changed=["a.py", "b.py"])
    assert tagged == "git: must not have the tag v1.2.3 yet"
    assert changed == "git: must have nothing uncommitted, got a.py, b.py"


def test_this_tree_has_all_that_is_looked_at(release):
    assert not [line for line in release.findings(SCRIPT.parent.parent) if "such as" in line or "CITATION" in line]
