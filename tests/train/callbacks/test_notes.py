from pathlib import Path
from typing import Any

import pytest
import torch

from nst.train.callbacks.notes import SKIPPED, Notes
from nst.train.callbacks.photo_notes import PhotoNotes
from nst.train.photos import PhotoBatch


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


class Pair:
    """What two processes have to tell, given to the first one."""

    world_size, is_global_zero = 2, True

    def __init__(self, monkeypatch: pytest.MonkeyPatch, theirs: list[str]) -> None:
        def gather(lists: list[list[str]], mine: list[str]) -> None:
            lists[:] = [mine, theirs]

        monkeypatch.setattr("torch.distributed.all_gather_object", gather)


def batch_with(unreadable: list[str], small: list[str]) -> PhotoBatch:
    return PhotoBatch(torch.zeros(1, 3, 8, 8), [0], unreadable, small)


def test_what_another_process_met_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = Notes(tmp_path)
    notes.add("skipped: a.jpg", aloud=False)
    photo_notes = PhotoNotes(notes)
    photo_notes.collect(batch_with(["a.jpg", "b.jpg"], ["c.jpg"]))
    assert photo_notes.has_untold
    pair: Any = Pair(monkeypatch, ["skipped: b.jpg", "skipped: d.jpg"])
    photo_notes.tell(pair)
    assert notes.lines() == [f"skipped: {name}.jpg" for name in "ab"] + [
        "enlarged: c.jpg",
        "skipped: d.jpg",
    ]
    assert capsys.readouterr().err == "nst-train: skipped: b.jpg\nnst-train: skipped: d.jpg\n"
    photo_notes.collect(batch_with(["b.jpg", "d.jpg"], ["c.jpg"]))
    assert not photo_notes.has_untold


def test_processes_other_than_the_first_write_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They may have no folder at all, on another machine."""
    notes = Notes(tmp_path / "not here")
    photo_notes = PhotoNotes(notes)
    photo_notes.collect(batch_with(["a.jpg"], []))
    pair: Any = Pair(monkeypatch, [])
    pair.is_global_zero = False
    photo_notes.tell(pair)
    assert capsys.readouterr().err == ""
    assert not photo_notes.has_untold


def test_notes_that_were_cut_off(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.path.write_bytes(b"skipped: a.jpg\nskipped: \xe2\x82")
    assert notes.lines()[0] == "skipped: a.jpg"
