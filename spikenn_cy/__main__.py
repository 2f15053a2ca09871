"""``python -m spikenn_cy COMMAND``, also installed as ``spikenn-cy``."""

import sys

from spikenn_cy.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
