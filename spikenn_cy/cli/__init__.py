"""Commands of ``spikenn-cy``, by name.

To add one: write ``name.py`` with ``SUMMARY`` (a line for the help text),
``add_arguments(parser)`` and ``main(arguments)``, which returns the exit status and
leaves errors to its caller, then give it a row here. Nothing else in the package changes.
"""

from spikenn_cy.cli import convert
from spikenn_cy.cli import run

COMMANDS = {
    "run": run,
    "convert": convert,
}
