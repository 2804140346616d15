"""`python -m releaser.rehearsal.forge`."""

import sys

from releaser.rehearsal.forge.app import main

if __name__ == "__main__":
    sys.exit(main())
