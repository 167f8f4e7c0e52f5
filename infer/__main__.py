"""Run ``nst-infer`` as ``python -m nst.infer``."""

import sys

from nst.infer.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
