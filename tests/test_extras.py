import pytest

from spikenn_cy.errors import MissingExtra
from spikenn_cy.errors import SpikennError
from spikenn_cy.utils.extras import extra
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
