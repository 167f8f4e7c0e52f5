from pathlib import Path

import pytest

from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.callbacks.set_aside import SetAside

NAMES = (str(LAST_CHECKPOINT), "preview", "*.onnx")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for folder in ("checkpoints", "preview"):
        (tmp_path / folder).mkdir()
    for name in (LAST_CHECKPOINT, "preview/1.png", "a.onnx", "mine.txt"):
        (tmp_path / name).write_text("old")
    return tmp_path


def texts(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


def test_it_comes_back_where_no_checkpoint_was_written(run: Path) -> None:
    before = texts(run)
    SetAside(run, NAMES).take()
    assert not (run / LAST_CHECKPOINT).exists()
    assert (run / "mine.txt").exists()
    (run / "preview").mkdir()
    (run / "preview" / "2.png").write_text("new")
    SetAside(run, NAMES).settle()  # another process, after this one was killed
    assert texts(run) == before
    SetAside(run, NAMES).settle()
    assert texts(run) == before


def test_it_goes_where_one_was(run: Path) -> None:
    aside = SetAside(run, NAMES)
    aside.take()
    (run / LAST_CHECKPOINT).write_text("new")
    aside.settle()
    assert texts(run) == {str(LAST_CHECKPOINT): "new", "mine.txt": "old"}
