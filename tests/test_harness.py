"""The list of planted faults speaks of the sources as they are."""

import pytest
from harness.faults import FAULTS
from small_runs import ROOT

pytestmark = pytest.mark.quick


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.file}: {fault.old}")
def test_what_a_fault_takes_the_place_of_is_there_once(fault):
    assert (ROOT / "spikenn_cy" / fault.file).read_text("utf-8").count(fault.old) == 1
