"""Our commands, called as a person would."""

import sys
from pathlib import Path


def shown(*command: object) -> list[str]:
    """Print what is called, and give it as ``subprocess`` takes it.

    Args:
        command: a console script of the environment that runs this file, and its arguments.
    """
    script, *arguments = map(str, command)
    print("$", script, *arguments, flush=True)
    return [str(Path(sys.executable).parent / script), *arguments]
