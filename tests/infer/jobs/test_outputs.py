import os
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from nst.infer import UserError
from nst.infer.jobs.inputs import Picture, find_pictures
from nst.infer.jobs.outputs import (
    Destination,
    check_target,
    file_ids,
    is_there,
    plan,
    read_destination,
    read_format,
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pictures(*names: str) -> list[Picture]:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text("x")
    return [Picture(Path(name), Path(Path(name).name)) for name in sorted(names)]


def targets(
    found: list[Picture],
    out: str | None = None,
    *,
    styles: tuple[str, ...] = ("mosaic",),
    form: str | None = None,
) -> list[str]:
    to = Destination(folder=Path(out)) if out else Destination()
    jobs = plan(found, styles, to, read_format(form))
    assert [job.picture for job in jobs] == [picture.path for picture in found]
    return [target.as_posix() for job in jobs for target in job.targets]


def test_beside_the_pictures() -> None:
    found = pictures("p/a.jpg", "q/b.tiff", "q/c.psd")
    assert targets(found) == ["p/a.mosaic.jpg", "q/b.mosaic.tiff", "q/c.mosaic.png"]


def test_names_stay_in_a_folder_of_results() -> None:
    assert targets(pictures("p/a.jpg", "q/b.JPG"), "out") == ["out/a.jpg", "out/b.JPG"]


def test_several_styles_are_in_the_names() -> None:
    found = pictures("p/a.jpg")
    both = ("mosaic", "waves")
    assert targets(found, "out", styles=both) == ["out/a.mosaic.jpg", "out/a.waves.jpg"]


def test_folders_are_mirrored() -> None:
    pictures("p/a.jpg", "p/deep/er/b.jpg")
    found = find_pictures(["p"], recursive=True, styles=[]).pictures
    assert targets(found, "out") == ["out/a.jpg", "out/deep/er/b.jpg"]


def test_the_style_is_added_where_the_pictures_are() -> None:
    found = pictures("p/a.jpg", "p/b.jpg")
    assert targets(found, "p") == ["p/a.mosaic.jpg", "p/b.mosaic.jpg"]


@pytest.mark.parametrize("word", ["webp", "WebP", ".webp"])
def test_another_format(word: str) -> None:
    assert targets(pictures("a.jpg", "b.webp"), form=word) == ["a.mosaic.webp", "b.mosaic.webp"]


def test_the_suffix_stays_where_it_means_the_format() -> None:
    assert targets(pictures("a.JPG", "b.png"), form="jpeg") == ["a.mosaic.JPG", "b.mosaic.jpeg"]


def test_unknown_format() -> None:
    with pytest.raises(UserError, match=r"--format xyz is not supported, use one of .*jpeg, jpg"):
        read_format("xyz")


def test_two_pictures_that_would_have_one_name() -> None:
    found = pictures("p/a.jpg", "p/a.png", "p/b.jpg")
    expected = ["out/a.jpg.webp", "out/a.png.webp", "out/b.webp"]
    assert targets(found, "out", form="webp") == expected
    assert targets(found[:2], form="webp") == ["p/a.jpg.mosaic.webp", "p/a.png.mosaic.webp"]


def test_one_name_in_two_folders() -> None:
    found = pictures("p/a.jpg", "q/a.jpg")
    assert targets(found, "out") == ["out/p-a.jpg", "out/q-a.jpg"]
    found = pictures("p/a.jpg", "p/a.png", "q/a.jpg")
    expected = ["out/p-a.webp", "out/a.png.webp", "out/q-a.webp"]
    assert targets(found, "out", form="webp") == expected


def test_one_name_in_folders_of_one_name() -> None:
    found = pictures("x/p/a.jpg", "y/p/a.jpg")
    first, second = targets(found, "out")
    assert first != second
    assert first.startswith("out/a-")
    assert targets(found, "out") == [first, second]


def test_upper_and_lower_case_are_one_name() -> None:
    found = pictures("p/a.jpg", "q/A.JPG", "q/a\u0308.png", "q/\xe4.png")
    names = [name.lower() for name in targets(found, "out")]
    assert len(set(names)) == 4


def test_a_name_that_tells_apart_is_given_once() -> None:
    found = pictures("p/a.jpg", "p/a.png", "p/a.jpg.bmp")
    names = targets(found, "out", form="webp")
    assert len(set(names)) == 3


def test_names_do_not_depend_on_what_is_there() -> None:
    found = pictures("p/a.jpg", "p/a.png")
    before = targets(found, "out", form="webp")
    pictures("out/a.webp", before[0])
    assert targets(found, "out", form="webp") == before


@pytest.mark.parametrize(
    ("out", "one", "expected"),
    [
        (None, True, Destination()),
        ("a.png", True, Destination(file=Path("a.png"))),
        ("a.txt", False, Destination(folder=Path("a.txt"))),
        ("a.png/", True, Destination(folder=Path("a.png"))),
        ("a", True, Destination(folder=Path("a"))),
        ("there.d", True, Destination(folder=Path("there.d"))),
    ],
)
def test_file_or_folder(out: str | None, one: bool, expected: Destination) -> None:
    Path("there.d").mkdir()
    assert read_destination(out, one=one) == expected


def test_a_file_is_no_folder() -> None:
    Path("there.jpg").mkdir()
    assert read_destination("there.jpg", one=False) == Destination(folder=Path("there.jpg"))
    with pytest.raises(UserError, match="is one file, and there may be several results"):
        read_destination("new.jpg", one=False)


def test_a_picture_without_a_suffix_has_that_of_its_content() -> None:
    for kind, suffix in (("JPEG", ".jpg"), ("WEBP", ".webp"), ("PCX", ".png")):
        Image.new("RGB", (2, 2)).save(kind.lower(), kind)
        (job,) = plan([Picture(Path(kind.lower()), Path(kind.lower()))], ["style"], Destination())
        assert job.targets == (Path(f"{kind.lower()}.style{suffix}"),)


@pytest.mark.parametrize(
    ("out", "form", "message"),
    [
        ("", None, "--out is empty"),
        ("a.psd", None, r"suffix .psd is not supported, use one of \."),
        ("a.jpg", ".png", "--out a.jpg and --format png are two formats"),
    ],
)
def test_wrong_destinations(out: str, form: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_destination(out, one=True, form=form)


def test_the_format_of_the_file_may_be_said_twice() -> None:
    assert read_destination("a.jpg", one=True, form=".jpeg").file == Path("a.jpg")


def test_what_is_there() -> None:
    pictures("a.jpg", "b.jpg")
    Path("folder.jpg").mkdir()
    inputs = file_ids([Path("a.jpg"), Path("missing.jpg")])
    assert is_there(Path("b.jpg"), inputs)
    assert not is_there(Path("c.jpg"), inputs)
    assert not is_there(Path("folder.jpg"), inputs)
    assert not is_there(Path("b.jpg/c.jpg"), inputs)


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_an_input_is_refused_under_any_name(link: Callable[[str, str], None]) -> None:
    pictures("a.jpg")
    link("a.jpg", "link.jpg")
    with pytest.raises(UserError, match="it is an input, choose another name"):
        is_there(Path("link.jpg"), file_ids([Path("a.jpg")]))


def test_names_that_are_too_long() -> None:
    with pytest.raises(UserError, match="File name too long, --out gives the result another"):
        check_target(Path("x" * 252 + ".jpg"))
    with pytest.raises(UserError, match=r"the folder missing does not exist, make it first$"):
        check_target(Path("missing/a.jpg"))
