import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nst.infer import UserError
from nst.infer.files import atomic_write, check_writable, ensure_folder, require_file


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_atomic_write_replaces_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "out.jpg"
    target.write_text("old")
    with atomic_write(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".jpg"
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert names(tmp_path) == ["out.jpg"]


def test_atomic_write_gives_the_usual_permissions(tmp_path: Path) -> None:
    previous = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "out.bin") as temporary:
            temporary.write_bytes(b"x")
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "out.bin").stat().st_mode) == 0o640


@pytest.mark.parametrize("error", [ValueError("bug"), KeyboardInterrupt(), SystemExit(1)])
def test_atomic_write_keeps_the_old_file_on_any_exception(
    tmp_path: Path, error: BaseException
) -> None:
    target = tmp_path / "out.jpg"
    target.write_text("old")

    def write_half() -> None:
        with atomic_write(target) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(type(error)) as caught:
        write_half()
    assert caught.value is error
    assert target.read_text() == "old"
    assert names(tmp_path) == ["out.jpg"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS])
def test_atomic_write_names_path_and_reason(tmp_path: Path, number: int) -> None:
    target = tmp_path / "out.jpg"
    with pytest.raises(UserError) as caught, atomic_write(target):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == f"cannot write {target}: {os.strerror(number)}"
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["x" * 251 + ".jpg", "\U0001f408" * 62 + "abc.jpg", "a b\nc.jpg"])
def test_atomic_write_takes_any_name_the_file_system_takes(tmp_path: Path, name: str) -> None:
    with atomic_write(tmp_path / name) as temporary:
        temporary.write_bytes(b"x")
    assert names(tmp_path) == [name]


def test_atomic_write_refuses_a_name_too_long_before_the_work(tmp_path: Path) -> None:
    with (
        pytest.raises(UserError, match="File name too long"),
        atomic_write(tmp_path / ("x" * 252 + ".jpg")),
    ):
        pytest.fail("the work began")
    assert names(tmp_path) == []


def test_atomic_write_refuses_a_missing_folder(tmp_path: Path) -> None:
    expected = f"cannot write .*out.jpg: the folder {tmp_path / 'missing'} does not exist"
    with pytest.raises(UserError, match=expected), atomic_write(tmp_path / "missing" / "out.jpg"):
        pytest.fail("the work began")
    assert names(tmp_path) == []


def test_atomic_write_refuses_a_file_as_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(UserError, match="Not a directory"),
        atomic_write(tmp_path / "file" / "out.jpg"),
    ):
        pytest.fail("the work began")


def test_atomic_write_refuses_a_folder_as_file(tmp_path: Path) -> None:
    (tmp_path / "out.jpg").mkdir()
    with pytest.raises(UserError, match="it is a folder"), atomic_write(tmp_path / "out.jpg"):
        pytest.fail("the work began")
    assert names(tmp_path) == ["out.jpg"]


def test_atomic_write_goes_through_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "link.jpg"
    link.symlink_to(tmp_path / "real" / "out.jpg")
    with atomic_write(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "real" / "out.jpg").read_text() == "new"
    assert names(tmp_path / "real") == ["out.jpg"]


def test_atomic_write_refuses_a_link_to_itself(tmp_path: Path) -> None:
    link = tmp_path / "link.jpg"
    link.symlink_to(link)
    with pytest.raises(UserError, match="symbolic links"), atomic_write(link):
        pytest.fail("the work began")


def test_atomic_write_leaves_nothing_when_the_file_grows_too_large(tmp_path: Path) -> None:
    target = tmp_path / "out.bin"
    target.write_text("old")
    code = """
import resource, sys
from pathlib import Path
from nst.infer import UserError
from nst.infer.files import atomic_write
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with atomic_write(Path(sys.argv[1])) as temporary:
        temporary.write_bytes(bytes(5000))
except UserError as error:
    sys.exit(str(error))
"""
    run = subprocess.run(
        [sys.executable, "-c", code, target], check=False, capture_output=True, text=True
    )
    assert run.stderr == f"cannot write {target}: File too large\n"
    assert target.read_text() == "old"
    assert names(tmp_path) == ["out.bin"]


def test_check_writable_changes_nothing(tmp_path: Path) -> None:
    existing = tmp_path / "old.jpg"
    existing.write_text("old")
    check_writable(existing)
    check_writable(tmp_path / "new.jpg")
    assert existing.read_text() == "old"
    assert names(tmp_path) == ["old.jpg"]


def test_check_writable_refuses_what_atomic_write_refuses(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        check_writable(tmp_path / "missing" / "out.jpg")
    with pytest.raises(UserError, match="it is a folder"):
        check_writable(tmp_path)
    with pytest.raises(UserError, match="File name too long"):
        check_writable(tmp_path / ("x" * 300))


def test_ensure_folder_makes_all_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "a" / "b"
    ensure_folder(folder)
    ensure_folder(folder)
    assert names(folder) == []


def test_ensure_folder_refuses_a_file(tmp_path: Path) -> None:
    file = tmp_path / "runs"
    file.write_text("x")
    with pytest.raises(UserError, match="a file has that name"):
        ensure_folder(file)
    with pytest.raises(UserError, match="Not a directory"):
        ensure_folder(file / "a" / "b")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder nobody can write to")
def test_ensure_folder_refuses_a_folder_that_cannot_be_written() -> None:
    with pytest.raises(UserError, match="cannot use the folder /proc/self"):
        ensure_folder(Path("/proc/self"))


def test_require_file(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    with pytest.raises(UserError, match=r"cannot read .*a\.jpg: there is no such file"):
        require_file(file)
    file.touch()
    with pytest.raises(UserError, match="empty"):
        require_file(file)
    file.write_text("x")
    require_file(file)
    with pytest.raises(UserError, match="it is a folder"):
        require_file(tmp_path)
    with pytest.raises(UserError, match="Not a directory"):
        require_file(file / "b.jpg")
    with pytest.raises(UserError, match="File name too long"):
        require_file(tmp_path / ("x" * 300))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path(os.devnull)):
        with pytest.raises(UserError, match="it is a pipe or a device, give a file"):
            require_file(path)
