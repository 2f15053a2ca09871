import pytest

from spikenn_cy.errors import MissingExtra
from spikenn_cy.errors import SpikennError
from spikenn_cy.utils.extras import extra

pytestmark = pytest.mark.quick


def test_an_absent_package_is_told_in_one_line_with_what_to_install():
    said = 'plot: needs the package no_such_package, which python -m pip install "spikenn_cy[plot]" brings'
    with pytest.raises(MissingExtra) as raised, extra("plot", where="plot"):
        from no_such_package.figure import Figure  # noqa: F401
    assert str(raised.value) == said
    assert isinstance(raised.value, SpikennError)
    assert isinstance(raised.value, ImportError)


def test_other_errors_of_an_import_are_left_alone():
    with pytest.raises(ImportError, match="cannot import name") as raised, extra("plot", where="plot"):
        from json import no_such_name  # noqa: F401
    assert not isinstance(raised.value, MissingExtra)
