import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "flag"),
    [("nst.train.optimize", "--keep-colors"), ("nst.train.evaluate", "--gatys")],
)
def test_help_does_not_wait_for_torch(module: str, flag: str) -> None:
    code = (
        f"import sys; from {module}.cli import main; main(['--help']);"
        "print(sorted({'torch', 'numpy', 'PIL', 'rich'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"
    assert flag in result.stdout


@pytest.mark.parametrize(
    ("module", "flag"), [("nst.train.optimize", "--atlas"), ("nst.train.evaluate", "--json")]
)
def test_it_runs_as_a_module(module: str, flag: str) -> None:
    command = [sys.executable, "-m", module, "--help"]
    assert flag in subprocess.run(command, capture_output=True, text=True, check=True).stdout
