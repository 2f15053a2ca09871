"""``python -m spikenn_cy COMMAND``, also installed as ``spikenn-cy``."""

import sys

from spikenn_cy.utils.installation import complete


def main() -> int:
    """Do what the command line asks for; return the exit status."""
    try:
        # Here, since what is imported takes long enough for a Ctrl-C.
        with complete(command=True):
            from spikenn_cy.cli.entry import main as entry
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return entry()


if __name__ == "__main__":
    sys.exit(main())
