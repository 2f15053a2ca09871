import re
from pathlib import Path

import pytest

from spikenn_cy.errors import MissingExtra
from spikenn_cy.errors import SpikennError
from spikenn_cy.utils import extras
from spikenn_cy.utils.extras import OLDEST
from spikenn_cy.utils.extras import extra
from spikenn_cy.utils.extras import numbers
from spikenn_cy.utils.extras import wanted

pytestmark = pytest.mark.quick


def test_an_absent_package_is_told_in_one_line_with_what_to_install():
    said = f"plot: needs the package no_such_package, which python -m pip install {wanted('plot')} brings"
    with pytest.raises(MissingExtra) as raised, extra("plot", where="plot"):
        from no_such_package.figure import Figure  # noqa: F401
    assert str(raised.value) == said
    assert isinstance(raised.value, SpikennError)
    assert isinstance(raised.value, ImportError)


def test_other_errors_of_an_import_are_left_alone():
    with pytest.raises(ImportError, match="cannot import name") as raised, extra("plot", where="plot"):
        from json import no_such_name  # noqa: F401
    assert not isinstance(raised.value, MissingExtra)


def test_what_is_asked_for_is_found_without_an_index_in_a_clone(tmp_path):
    package = tmp_path / "spikenn_cy"
    assert wanted("nir", package) == '"spikenn_cy[nir]"'
    (tmp_path / "setup.py").touch()
    assert wanted("nir", package) == f'-e "{tmp_path}[nir]"'


@pytest.mark.parametrize("name", OLDEST)
def test_a_package_that_is_too_old_is_told_in_one_line_before_it_is_imported(name, monkeypatch):
    for package, oldest in OLDEST[name].items():
        monkeypatch.setattr(extras, "installed", {package: "0.9"}.get)
        said = f"here: needs {package} {oldest} or newer, which python -m pip install {wanted(name)} brings, got 0.9"
        with pytest.raises(MissingExtra) as raised, extra(name, where="here"):
            raise AssertionError
        assert str(raised.value) == said


def test_versions_are_compared_by_their_numbers():
    for old, new in (("1.0.6", "1.0.10"), ("1.0.6", "1.1"), ("2.1", "2.14.1+cpu"), ("9.1", "13.0.0")):
        assert numbers(old) < numbers(new)
    assert numbers("2.1.0") == numbers("2.1") == numbers("2.1.0+cu118")
    assert numbers("unknown") == ()


def test_the_oldest_versions_are_those_of_the_declared_extras():
    path = Path(__file__).parent.parent / "pyproject.toml"
    section = path.read_text(encoding="utf-8").split("[project.optional-dependencies]")[1].split("\n[")[0]
    declared = {
        name: dict(re.findall(r'"([\w-]+)>=([\d.]+)"', packages))
        for name, packages in re.findall(r"^(\w+) = \[(.*?)\]", section, re.MULTILINE | re.DOTALL)
    }
    assert {name: declared[name] for name in OLDEST} == OLDEST
    assert set(declared) - set(OLDEST) == {"test", "lint", "bench", "docs"}  # which no user's call needs
