"""The command ``nst-infer``, and the commands behind its name."""

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

from nst.infer.command_line import report_user_error, run_app
from nst.infer.errors import UserError

COMMANDS = ("bench", "info", "sheet", "styles", "webcam")
"""Other commands behind the program's name, and the modules beside this one that have them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``nst-infer``.

    Args:
        argv: the arguments, without the program's name; None takes those of the process.
    Returns:
        The exit status: 0, 1 if some pictures of several failed, 2 after a mistake of the user,
        130 when interrupted. Networks that are in the middle of a picture then cannot be stopped,
        and end with the process, which does not return.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    if arguments and arguments[0].startswith("webcam:"):
        arguments[:1] = ["webcam", arguments[0]]  # the number of the camera may be part of the word
    if arguments and arguments[0] in COMMANDS:
        name, *rest = arguments
        command = import_module(f"nst.infer.commands.{name}")
        return run_app(command.app, f"nst-infer {name}", rest)
    near = nearest_command(arguments)
    if near:
        error = UserError(f"there is no {arguments[0]}: did you mean nst-infer {near}?")
        return report_user_error("nst-infer", error)
    try:
        status = run_app(import_module("nst.infer.commands.stylize").app, "nst-infer", arguments)
    except SystemExit:
        _end_workers(1)
        raise
    _end_workers(status)
    return status


def nearest_command(arguments: Sequence[str]) -> str:
    """The command whose name was mistyped, "" if it does not look like that."""
    is_styled = any(each.partition("=")[0] == "--style" for each in arguments)
    if not arguments or is_styled or os.path.lexists(arguments[0]):
        return ""
    return "".join(get_close_matches(arguments[0], COMMANDS, n=1))


def _end_workers(status: int) -> None:
    """End the process here if threads are left: Python must not come to its end around them."""
    batch = sys.modules.get("nst.infer.jobs.batch")
    if batch is not None and batch.still_working():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
