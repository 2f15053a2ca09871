"""Instruction sets, each for the length of a block: none is left to the next test by one that fails."""

import contextlib

from spikenn_cy.kernels.primitives import active_instructions
from spikenn_cy.kernels.primitives import use_instructions


@contextlib.contextmanager
def instruction_set(name):
    """Compute with one of ``available_instructions()``."""
    before = active_instructions()
    use_instructions(name)
    try:
        yield
    finally:
        use_instructions(before)
