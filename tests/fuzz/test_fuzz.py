"""Files from strangers are refused in one line, or are what they say they are; what was found once stays mended."""

import pytest

pytest.importorskip("sklearn")  # with which `encode` makes one of the kinds

from .attack import ACCEPTED
from .attack import REFUSED
from .attack import attack
from .attack import cases_of
from .attack import kept
from .attack import limits
from .attack import outcome
from .corpus import KINDS

pytestmark = pytest.mark.full

N_CASES = 12  # of each kind; `make fuzz` does thousands


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_refused_in_one_line_or_is_sound(kind, tmp_path):
    files = KINDS[kind].make()
    for content in files:
        assert outcome(kind, content, tmp_path) == ACCEPTED  # else damage would show nothing
    cases = [case for case, _ in zip(cases_of(20, kind), range(N_CASES), strict=False)]
    with limits():
        found = [(case, why) for case, why in attack(cases, tmp_path) if why not in (REFUSED, ACCEPTED)]
    assert found == []


@pytest.mark.parametrize("name", kept())
def test_what_was_found_once_is_refused_in_one_line_or_is_sound(name, tmp_path):
    kind, content = kept()[name]
    with limits():
        assert outcome(kind, content, tmp_path) in (REFUSED, ACCEPTED)
