"""``python -m nst.train``."""

import sys

from nst.train.cli import main

if __name__ == "__main__":
    sys.exit(main())
