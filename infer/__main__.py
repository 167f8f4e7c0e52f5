"""Run ``nst-infer`` as ``python -m nst.infer``."""

import sys

from nst.infer.cli import main

if __name__ == "__main__":
    sys.exit(main())
