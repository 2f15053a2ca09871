"""``python -m spikenn_cy.run IN OUT CONFIG``: one training run; without arguments, the demo."""

import sys

from spikenn_cy.cli.entry import main

if __name__ == "__main__":
    sys.exit(main(command="run"))
