"""Running a Typer app so that every mistake of the user is one line on stderr."""

import errno
import io
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer

from nst.infer.errors import UserError, one_line, os_error_reason

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130


def new_app() -> typer.Typer:
    """An app without rich's help, which takes longer to load than all the rest."""
    return typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


def run_app(app: typer.Typer, prog: str, argv: Sequence[str] | None = None) -> int:
    """Run a command line and turn its end into an exit status.

    Args:
        app: an app with one command or more.
        prog: name of the program, the start of every error line.
        argv: the arguments, without the program's name; None takes those of the process.
    Returns:
        0, or 2 after a mistake of the user, or 130 when interrupted. Bugs keep their traceback.
    Raises:
        SystemExit: with status 1, when nobody reads the output any more. Typer does that.
    """
    escape_on_stdout()
    command = typer.main.get_command(app)
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        status = command.main(args=arguments, prog_name=prog, standalone_mode=False)
    except typer.TyperException as error:
        hint = f"(see {prog} --help)"
        return report_user_error(prog, UserError(f"{error.format_message()} {hint}"))
    except UserError as error:
        return report_user_error(prog, error)
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        return report_user_error(prog, _stdout_error(error))
    if status == EXIT_INTERRUPTED:  # Typer makes this of a KeyboardInterrupt
        print(f"{prog}: interrupted", file=sys.stderr)  # noqa: T201
        return EXIT_INTERRUPTED
    return int(status or 0)


def escape_on_stdout() -> None:
    """Escape on stdout what its encoding lacks: file names go beyond many encodings."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def split_names(text: str) -> list[str]:
    """``relu1_1,relu2_1`` to a list."""
    return [name.strip() for name in text.split(",") if name.strip()]


def split_numbers(flag: str, text: str | None) -> list[float] | None:
    """``1,0.5`` to a list; None stays None.

    Raises:
        UserError: if something in it is not a number.
    """
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UserError(f"{flag} takes numbers with commas between them, not {text!r}") from error


def read_size(flag: str, text: str) -> tuple[int, int]:
    """``1280x720`` to width and height.

    Args:
        flag: for the message.
        text: what the user wrote.
    Raises:
        UserError: if it is something else.
    """
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text, re.ASCII)
    if match is None:
        raise UserError(f"{flag} takes width x height such as 1280x720, not {text}")
    return int(match[1]), int(match[2])


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Turn a missing package into the line that says how to install it.

    Args:
        extra: name of the extra that brings the packages imported inside.
    Raises:
        UserError: if one of them is not installed, or cannot be loaded.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise UserError(
            f"{error.name} is not installed: pip install 'nst[{extra}]' brings it"
        ) from error
    except ImportError as error:  # a library of the system that a package needs
        raise UserError(f"{error.name or 'a package'} cannot be loaded: {error}") from error


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Make a request to end (SIGTERM) what Ctrl-C is: a chance to save what there is.

    In the main thread alone, as Python has it with signals.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def print_line(text: str) -> None:
    """Print a result on stdout, flattened to one line.

    Raises:
        UserError: as ``print_text``.
    """
    print_text(one_line(text))


def print_notice(prog: str, text: str) -> None:
    """Print on stderr what the user should know, flattened to one line."""
    print(f"{prog}: {one_line(text)}", file=sys.stderr)  # noqa: T201


def print_text(text: str) -> None:
    """Print results on stdout, at once.

    Args:
        text: without a line break at its end.
    Raises:
        UserError: if stdout cannot be written, for instance to a full disk. A reader that went
            away raises BrokenPipeError instead, which ends the program without a word.
    """
    with _writable_stdout():
        print(text, flush=True)  # noqa: T201


def print_bytes(content: memoryview) -> None:
    """Write a file to stdout.

    Raises:
        UserError: as ``print_text``.
    """
    with _writable_stdout():
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


@contextmanager
def _writable_stdout() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _stdout_error(error) from error


def _stdout_error(error: OSError) -> UserError:
    # What is left in the buffer would fail once more when Python ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return UserError(f"cannot write to the standard output: {os_error_reason(error)}")


def report_user_error(prog: str, error: Exception) -> int:
    """Print a mistake of the user as one line on stderr.

    Args:
        prog: name of the program.
        error: what the user did wrong.
    Returns:
        The exit status, 2.
    """
    print(f"{prog}: {one_line(str(error))}", file=sys.stderr)  # noqa: T201
    return EXIT_USER_ERROR
