from pathlib import Path

import pytest
from closed import close_folder

from nst.infer import UserError
from nst.infer.pictures.photo_files import find_photos


def test_photos_of_a_folder_and_its_subfolders(tmp_path: Path) -> None:
    for name in ("b.PNG", "more/a.jpg", "a.webp", "notes.txt", "more/deep/c.jpeg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.jpg").mkdir()
    names = [path.relative_to(tmp_path).as_posix() for path in find_photos(tmp_path)]
    assert names == ["a.webp", "b.PNG", "more/a.jpg", "more/deep/c.jpeg"]


def test_hidden_photos_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / ".cache" / "photos"
    for name in ("a.jpg", "._a.jpg", ".Trash/b.jpg", "more/.thumbnails/normal/c.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    assert find_photos(folder) == [folder / "a.jpg"]
    with pytest.raises(UserError, match="no JPEG, PNG or WebP photo"):
        find_photos(folder / "more")


def test_closed_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "a.jpg").touch()
    close_folder(monkeypatch, closed)
    for folder in (closed, closed / "photos"):
        with pytest.raises(UserError, match=f"^cannot read {folder}: Permission denied$"):
            find_photos(folder)
    (tmp_path / "b.jpg").touch()
    assert find_photos(tmp_path) == [tmp_path / "b.jpg"]
