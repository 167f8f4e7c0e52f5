from pathlib import Path

import pytest

from nst.train.callbacks.notes import SKIPPED, Notes


def test_what_is_kept(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.add("skipped: a.jpg")
    notes.add("step 20: back")
    notes.keep(["skipped: a.jpg"])
    assert notes.lines() == ["skipped: a.jpg"]
    assert notes.about(SKIPPED) == {"a.jpg"}
    notes.keep([])
    assert not notes.path.exists()
    assert notes.lines() == []


def test_the_first_process_speaks_and_others_repeat_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = Notes(tmp_path)
    notes.add("skipped: a.jpg")
    monkeypatch.setenv("LOCAL_RANK", "1")
    notes.add("skipped: a.jpg")
    notes.add("skipped: b.jpg")
    assert notes.lines() == ["skipped: a.jpg", "skipped: b.jpg"]
    assert capsys.readouterr().err == "nst-train: skipped: a.jpg\n"
