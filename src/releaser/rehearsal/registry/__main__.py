"""`python -m releaser.rehearsal.registry`."""

import sys

from releaser.rehearsal.registry.watch import main

if __name__ == "__main__":
    sys.exit(main())
