import subprocess
import sys
from typing import Annotated

import pytest
import typer

from nst.infer import UserError
from nst.infer.command_line import needs_extra, print_line, report_user_error, run_app

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def command(what: str, number: Annotated[int, typer.Option(min=1)] = 1) -> None:
    if what == "user":
        raise UserError("line one\nline two")
    if what == "bug":
        raise ValueError("bug")
    if what == "interrupt":
        raise KeyboardInterrupt
    if what == "exit":
        raise typer.Exit(3)
    print_line(f"{what} {number}")


def test_result(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, "prog", ["fine", "--number", "4"]) == 0
    assert capsys.readouterr() == ("fine 4\n", "")


def test_arguments_of_the_process(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["ignored", "from_argv"])
    assert run_app(app, "prog") == 0
    assert capsys.readouterr().out == "from_argv 1\n"


def test_user_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, "prog", ["user"]) == 2
    assert capsys.readouterr() == ("", "prog: line one line two\n")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "Missing argument 'what'"),
        (["a", "b"], "unexpected extra argument"),
        (["a", "--colour"], "No such option: --colour"),
        (["a", "--number"], "requires an argument"),
        (["a", "--number", "0"], "greater than or equal to 1"),
        (["a", "--number", "many\nlines"], "valid integer"),
    ],
)
def test_usage_error_is_one_line(
    capsys: pytest.CaptureFixture[str], argv: list[str], message: str
) -> None:
    assert run_app(app, "prog", argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("prog: ")
    assert message in err
    assert err.endswith("(see prog --help)\n")
    assert err.count("\n") == 1


def test_bug_keeps_its_traceback() -> None:
    with pytest.raises(ValueError, match="bug"):
        run_app(app, "prog", ["bug"])


def test_interrupt(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, "prog", ["interrupt"]) == 130
    assert capsys.readouterr() == ("", "prog: interrupted\n")


def test_exit_status_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app(app, "prog", ["exit"]) == 3
    assert capsys.readouterr() == ("", "")


def test_report_user_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert report_user_error("prog", ValueError("two\nlines")) == 2
    assert capsys.readouterr() == ("", "prog: two lines\n")


SCRIPT = """
import sys, typer
from nst.infer.command_line import print_line, run_app
app = typer.Typer(rich_markup_mode=None, add_completion=False)
@app.command()
def command(text: str) -> None:
    print_line(text)
sys.exit(run_app(app, "prog"))
"""


def test_full_disk_behind_stdout_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    shell = f'exec "{sys.executable}" -c "$1" text > /dev/full'
    run = subprocess.run(
        ["sh", "-c", shell, "sh", SCRIPT], check=False, capture_output=True, text=True
    )
    assert run.returncode == 2
    assert run.stderr == "prog: cannot write to the standard output: No space left on device\n"


def test_reader_that_went_away_is_quiet() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "text"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    with process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_names_beyond_the_encoding_of_stdout() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, "\U0001f408.png"],
        check=False,
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout == b"\\U0001f408.png\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ModuleNotFoundError("no", name="av"), r"^av is not installed: pip install 'nst\[video\]'"),
        (ImportError("libGL.so.1: no", name="cv2"), r"^cv2 cannot be loaded: libGL\.so\.1: no"),
    ],
)
def test_an_extra_that_is_not_there_or_not_whole(error: ImportError, line: str) -> None:
    with pytest.raises(UserError, match=line), needs_extra("video"):
        raise error
