"""``python -m nst.train.optimize``."""

import sys

from nst.train.optimize.cli import main

if __name__ == "__main__":
    sys.exit(main())
