"""What a command says aside, on stderr: one line at a time, in which no name from a file moves the terminal."""

import sys

from spikenn_cy.errors import printable


def say(text: str) -> None:
    """Print a text as one line on stderr, if there is any."""
    if sys.stderr is not None:
        print(printable(" ".join(text.split())), file=sys.stderr)
