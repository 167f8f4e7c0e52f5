import os
import subprocess
import sys
from pathlib import Path

import pytest
from clips import make_clip

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="of Linux alone")

# In processes of their own: what would be left in one that runs tests stops all others.
TRIED = """
from nst.infer.video.formats import ENCODERS, form_of, refuses
assert not refuses(form_of(Path("clip.mp4")), ENCODERS["av1"])
"""
WRITTEN = """
from nst.infer.commands.main import main
assert main(sys.argv[1:]) == 0
"""
SEEN = """
from nst.infer.video.scheduling import threads
print(*{os.sched_getscheduler(thread) for thread in threads()})
"""


def policies_after(code: str, *argv: str | Path) -> set[int]:
    """Of the threads of a process that runs the code as SCHED_BATCH."""
    begin = "import os, sys; from pathlib import Path"
    batch = "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))"
    command = [sys.executable, "-c", "\n".join((begin, batch, code, SEEN)), *argv]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return {int(word) for word in result.stdout.splitlines()[-1].split()}


def test_a_trial_of_an_encoder_keeps_the_scheduling() -> None:
    assert policies_after(TRIED) == {os.SCHED_BATCH}


def test_writing_av1_keeps_the_scheduling(identity: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4")
    argv = (clip, "-o", tmp_path / "out.mkv", "--codec", "av1", "--style", identity)
    assert policies_after(WRITTEN, *argv, "--device", "cpu") == {os.SCHED_BATCH}
