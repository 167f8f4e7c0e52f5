"""The command ``nst-train``; the work is in ``nst.train.commands.command``."""

import sys
from collections.abc import Sequence

from nst.infer.command_line import (
    EXIT_INTERRUPTED,
    escape_on_stdout,
    needs_extra,
    report_user_error,
)
from nst.infer.errors import UserError
from nst.train.commands.arguments import read_request, refuse_missing_painting
from nst.train.unread_output import going_on_unread

PROG = "nst-train"


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``nst-train``.

    Args:
        argv: the arguments, without the program's name; None takes those of the process.
    Returns:
        The exit status: 0, 2 after a mistake of the user, 130 and 143 when it was told to end; of
        several paintings 1 if some failed.
    """
    escape_on_stdout()
    with going_on_unread():
        return answer(sys.argv[1:] if argv is None else argv)


def answer(arguments: Sequence[str]) -> int:
    """Do what was asked for, and tell what went wrong; gives the exit status."""
    try:
        request = read_request(arguments)
        refuse_missing_painting(request)
        with needs_extra("train"):
            import nst.train.commands.command as command
        return command.run(request)
    except KeyboardInterrupt:
        report_user_error(PROG, UserError("interrupted"))
        return EXIT_INTERRUPTED
    except UserError as error:
        return report_user_error(PROG, error)
