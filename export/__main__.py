"""``python -m nst.export``."""

import sys

from nst.export.cli import main

if __name__ == "__main__":
    sys.exit(main())
