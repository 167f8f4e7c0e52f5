"""The folder that is the web page: written beside its name, and renamed when it is whole."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path

from nst.export.web.runtime import copy_runtime, runtime_folder
from nst.export.web.styles import read_styles, write_styles
from nst.infer.errors import UserError, os_error_reason

INDEX = "index.html"
STYLES = "styles.json"
STYLES_FOLDER = "styles"
RUNTIME_FOLDER = "runtime"


def build_site(
    models: Sequence[Path], out: Path, *, runtime: Path | None = None, overwrite: bool = False
) -> int:
    """Write a site.

    Args:
        models: files that nst-export wrote, in the order the page shows them.
        out: the folder; made, or replaced as a whole.
        runtime: a folder with onnxruntime-web; None fetches it with npm.
        overwrite: whether an earlier site may be replaced.
    Returns:
        Size of the site in bytes.
    Raises:
        UserError: if something is missing or in the way. Then nothing is written.
    """
    check_folder(out, overwrite=overwrite)
    styles = read_styles(models)
    with new_folder(out) as site, runtime_folder(runtime) as package:
        for part in files("nst.export.web").joinpath("page").iterdir():
            (site / part.name).write_bytes(part.read_bytes())
        (site / STYLES_FOLDER).mkdir()
        contents = {
            "onnxruntime_web": copy_runtime(package, site / RUNTIME_FOLDER),
            "styles": write_styles(styles, site / STYLES_FOLDER),
        }
        (site / STYLES).write_text(json.dumps(contents, indent=1) + "\n", encoding="utf-8")
        return sum(path.stat().st_size for path in site.rglob("*"))


def check_folder(out: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something else, or a site that should stay.

    Raises:
        UserError: saying which.
    """
    try:
        if not out.is_dir():
            if out.exists() or out.is_symlink():
                raise UserError(f"cannot write {out}: it is not a folder, choose another name")
            return
        if not any(out.iterdir()):
            return
    except OSError as error:
        raise UserError(f"cannot write {out}: {os_error_reason(error)}") from error
    if not is_site(out):
        raise UserError(f"cannot write {out}: it holds other files, choose another folder")
    if not overwrite:
        raise UserError(f"cannot write {out}: it exists, pass --overwrite to replace it")


def is_site(folder: Path) -> bool:
    """Whether a folder is a page of ours."""
    return (folder / INDEX).is_file() and (folder / STYLES).is_file()


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder that takes its name when the body ends well, and is removed when it does not.

    Args:
        out: the final name. A site or an empty folder there is replaced.
    Yields:
        An empty folder beside it.
    Raises:
        UserError: if the operating system refuses.
    """
    target = Path(os.path.realpath(out))
    mark = secrets.token_hex(4)
    fresh, old = (target.with_name(f".{target.name[:32]}.{kind}-{mark}") for kind in ("new", "old"))
    try:
        fresh.mkdir()
        yield fresh
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except OSError:
            with suppress(OSError):
                old.rename(target)
            raise
    except OSError as error:
        reason = os_error_reason(error)
        if isinstance(error, FileNotFoundError) and not target.parent.exists():
            reason = f"the folder {out.parent} does not exist, make it first"
        raise UserError(f"cannot write {out}: {reason}") from error
    finally:
        for folder in (fresh, old):
            shutil.rmtree(folder, ignore_errors=True)
