"""Ways to compute, each for the length of a block: none is left to the next test by one that fails."""

import contextlib
from unittest import mock

from spikenn_cy.cli import batches
from spikenn_cy.cli import extract
from spikenn_cy.cli import reproduce
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


@contextlib.contextmanager
def one_process():
    """Let commands that are not told how many processes to take start none, each of which would import everything."""
    with contextlib.ExitStack() as stack:
        for command in (batches, extract, reproduce):
            stack.enter_context(mock.patch.object(command, "available_processors", return_value=1))
        yield
