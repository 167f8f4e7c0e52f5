"""``python -m nst.train.evaluate``."""

import sys

from nst.train.evaluate.cli import main

if __name__ == "__main__":
    sys.exit(main())
