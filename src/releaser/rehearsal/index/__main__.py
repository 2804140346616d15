"""`python -m releaser.rehearsal.index`."""

import sys

from releaser.rehearsal.index.app import main

if __name__ == "__main__":
    sys.exit(main())
