import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from nst.infer import UserError
from nst.infer.jobs.inputs import Found, find_pictures, stems_for, take_shard

STYLE = Path("models/mosaic.onnx")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make("models/mosaic.onnx", "models/waves.onnx")
    return tmp_path


def make(*names: str) -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")


def find(*words: str, recursive: bool = False, out: str | None = None) -> Found:
    return find_pictures(words, recursive=recursive, styles=[STYLE], out=Path(out) if out else None)


def paths(found: Found) -> list[str]:
    return [picture.path.as_posix() for picture in found.pictures]


def places(found: Found) -> list[str]:
    return [picture.place.as_posix() for picture in found.pictures]


def reasons(found: Found) -> list[str]:
    return [str(failure.error) for failure in found.failures]


def test_one_file() -> None:
    make("a/b.jpg")
    found = find("a/b.jpg")
    assert (paths(found), places(found), found.one_file) == (["a/b.jpg"], ["b.jpg"], True)
    found = find("missing.jpg")
    assert (paths(found), found.one_file) == (["missing.jpg"], True)


@pytest.mark.parametrize("word", ["p", "p/*.jpg", "p/b?.jpg"])
def test_what_may_be_many_is_not_one_file(word: str) -> None:
    make("p/b1.jpg")
    found = find(word)
    assert paths(found) == ["p/b1.jpg"]
    assert not found.one_file


def test_files_are_sorted_and_none_is_there_twice() -> None:
    make("b.jpg", "a.png")
    found = find("b.jpg", "a.png", "./b.jpg", "a.png")
    assert paths(found) == ["a.png", "b.jpg"]
    assert not found.one_file


def test_a_folder_holds_what_is_named_like_a_picture() -> None:
    pictures = ["a.jpg", "b.JPEG", "c.png", "d.webp", "e.tif", "f.bmp", "g.gif", "h.heic"]
    make(*(f"p/{name}" for name in (*pictures, "notes.txt", ".hidden.jpg", "no_suffix")))
    make("p/deep/i.jpg", "p/.cache/j.jpg")
    os.mkfifo("p/pipe.jpg")
    Path("p/folder.jpg").mkdir()
    assert places(find("p")) == pictures
    assert places(find("p", recursive=True)) == [
        *pictures[:3],
        "d.webp",
        "deep/i.jpg",
        *pictures[4:],
    ]


def test_several_folders_keep_their_names() -> None:
    make("p/a.jpg", "q/a.jpg", "b.jpg")
    assert places(find("q", "p", "b.jpg")) == ["b.jpg", "p/a.jpg", "q/a.jpg"]
    assert places(find("p", "b.jpg")) == ["b.jpg", "a.jpg"]


def test_the_folder_of_results_is_not_looked_into() -> None:
    make("p/a.jpg", "p/out/a.jpg", "p/out/deep/b.jpg", "p/other/a.jpg")
    assert places(find("p", recursive=True, out="p/out")) == ["a.jpg", "other/a.jpg"]
    assert places(find("p", out="p")) == ["a.jpg"]


def test_results_of_an_earlier_run_are_left_out() -> None:
    make("p/a.jpg", "p/a.mosaic.jpg", "p/a.waves.webp", "p/a.jpg.mosaic.png", "p/a.copy.jpg")
    make("p/b.mosaic.jpg", "p/deep/a.mosaic.jpg")
    found = find("p", recursive=True)
    assert places(found) == ["a.copy.jpg", "a.jpg", "b.mosaic.jpg", "deep/a.mosaic.jpg"]
    assert [path.name for path in found.results] == [
        "a.jpg.mosaic.png",
        "a.mosaic.jpg",
        "a.waves.webp",
    ]
    assert paths(find("p/a.mosaic.jpg")) == ["p/a.mosaic.jpg"]


def test_patterns() -> None:
    make("p/a.jpg", "p/b.jpg", "p/[1].jpg", "p/deep/c.jpg")
    assert paths(find("p/[ab].jpg")) == ["p/a.jpg", "p/b.jpg"]
    assert paths(find("p/[1].jpg")) == ["p/[1].jpg"]
    assert paths(find("p/**/*.jpg")) == ["p/[1].jpg", "p/a.jpg", "p/b.jpg", "p/deep/c.jpg"]
    found = find("p/*.gif", "p/a.jpg")
    assert reasons(found) == ["cannot read p/*.gif: no file matches"]
    assert paths(found) == ["p/a.jpg"]


@pytest.mark.timeout(20)
def test_patterns_go_neither_through_links_nor_into_hidden_folders() -> None:
    make("p/a.jpg", "p/deep/b.jpg", "p/.hidden/c.jpg", "p/notes.txt", "q/d.jpg", "p/[x]/e.jpg")
    Path("p/deep/up").symlink_to(Path("p").resolve())
    Path("p/linked").symlink_to(Path("q").resolve())
    everything = ["p/[x]/e.jpg", "p/a.jpg", "p/deep/b.jpg"]
    assert paths(find("p/**/*.jpg")) == everything
    assert paths(find("p/**")) == everything
    assert paths(find("p/**/deep/**/*.jpg")) == ["p/deep/b.jpg"]
    assert paths(find("**/b.jpg")) == ["p/deep/b.jpg"]
    assert paths(find(f"{Path.cwd()}/**/a.jpg")) == [f"{Path.cwd()}/p/a.jpg"]
    assert reasons(find("p/**/*.gif")) == ["cannot read p/**/*.gif: no file matches"]


def test_an_empty_word_is_not_the_current_folder() -> None:
    make("a.jpg")
    with pytest.raises(UserError, match="an input is empty"):
        find("")


def test_results_of_named_styles_and_sheets_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    make("p/a.jpg", "p/a.starry_night.jpg", "p/a.mine.jpg", "p/a.sheet.png", "own/mine.onnx")
    monkeypatch.setenv("NST_STYLES", "own")
    assert places(find("p")) == ["a.jpg"]


def test_a_folder_without_pictures() -> None:
    make("p/deep/a.jpg", "p/notes.txt", "q/notes.txt")
    assert reasons(find("p")) == [
        "cannot use p: there is no picture in it, --recursive looks into its folders too"
    ]
    assert reasons(find("q", recursive=True)) == ["cannot use q: there is no picture in it"]
    assert find("q").failures[0].name == "q"


def test_links() -> None:
    make("p/a.jpg", "q/b.jpg")
    Path("p/loop").symlink_to(Path("p").resolve())
    Path("p/linked").symlink_to(Path("q").resolve())
    Path("p/again.jpg").symlink_to("a.jpg")
    Path("p/nowhere.jpg").symlink_to("nothing.jpg")
    Path("p/itself.jpg").symlink_to("itself.jpg")
    expected = ["a.jpg", "again.jpg", "itself.jpg", "nowhere.jpg"]
    assert places(find("p", recursive=True)) == expected
    assert places(find("p/linked")) == ["b.jpg"]


def test_a_folder_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    make("p/a.jpg", "p/closed/b.jpg")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = find("p", recursive=True)
    assert paths(found) == ["p/a.jpg"]
    assert reasons(found) == ["cannot read p/closed: Permission denied"]
    assert reasons(find("p/closed")) == ["cannot read p/closed: Permission denied"]


def test_a_name_that_is_too_long_is_a_file_that_cannot_be_read() -> None:
    assert paths(find("x" * 300)) == ["x" * 300]


@pytest.mark.parametrize("count", [1, 3, 8, 20])
def test_shards_are_a_partition(count: int) -> None:
    names = [f"{number:02d}" for number in range(17)]
    shards = [take_shard(names, f"{number}/{count}") for number in range(1, count + 1)]
    assert sorted(name for shard in shards for name in shard) == names
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_no_shard_is_all() -> None:
    assert take_shard(["a", "b"], None) == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["0/8", "9/8", "x", "", "3", "3/", "-1/8", "1/0", "1.5/8", "\u0661/8"]
)
def test_wrong_shards(text: str) -> None:
    with pytest.raises(UserError, match="--shard takes a part such as 3/8"):
        take_shard(["a"], text)


def test_shards_do_not_depend_on_results_that_are_there() -> None:
    make(*(f"p/{number}.jpg" for number in range(6)))
    before = shard_of("2/3")
    make("p/1.mosaic.jpg", "p/4.mosaic.jpg", "p/.1.tmp-0123abcd.jpg")
    assert shard_of("2/3") == before == ["p/1.jpg", "p/4.jpg"]


def shard_of(shard: str) -> Sequence[str]:
    return take_shard(paths(find("p")), shard)


@pytest.mark.parametrize("number", range(5))
def test_results_with_names_that_tell_them_apart_are_left_out(number: int) -> None:
    make("p/a.jpg")
    stem = stems_for(Path("p/a.jpg"))[number]
    make(f"p/{stem}.mosaic.jpg")
    assert paths(find("p")) == ["p/a.jpg"]
