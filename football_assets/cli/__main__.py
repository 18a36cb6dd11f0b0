"""`python -m football_assets.cli` is the command `football`."""

import sys

from football_assets.cli import main

if __name__ == "__main__":
    sys.exit(main())
