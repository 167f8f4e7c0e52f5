"""The files of onnxruntime-web that a site needs: from a folder, or from npm."""

import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nst.infer.errors import UserError, one_line

PACKAGE = "onnxruntime-web"
VERSIONS = "~1.30.0"
"""What npm is asked for. Tested with 1.30.0; the names of the files change between versions."""

FILES = (
    "ort.wasm.min.mjs",
    "ort-wasm-simd-threaded.mjs",
    "ort-wasm-simd-threaded.wasm",
    "ort.webgpu.min.mjs",
    "ort-wasm-simd-threaded.asyncify.mjs",
    "ort-wasm-simd-threaded.asyncify.wasm",
)
"""The first three run WebAssembly, the others WebGPU. A browser loads one of the two sets."""

NOTICES = ("LICENSE", "LICENSE.txt", "ThirdPartyNotices.txt")
NPM_TIMEOUT_S = 600
HOW = f"install npm, or unpack the npm package {PACKAGE} somewhere and pass --runtime FOLDER"


@contextmanager
def runtime_folder(given: Path | None) -> Iterator[Path]:
    """A folder with the package.

    Args:
        given: the unpacked package or its ``dist`` folder; None fetches it with npm.
    Yields:
        The folder, for as long as the context lasts.
    Raises:
        UserError: if files are missing in it, or npm is missing or fails.
    """
    if given is not None:
        check_runtime(given)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="nst-web-") as scratch:
        yield fetch_package(Path(scratch))


def check_runtime(folder: Path) -> None:
    """Find out whether a folder holds every file.

    Raises:
        UserError: naming the first file that is missing.
    """
    if not folder.is_dir():
        raise UserError(f"cannot use the runtime {folder}: there is no such folder")
    dist = dist_folder(folder)
    missing = next((name for name in FILES if not (dist / name).is_file()), None)
    if missing is not None:
        raise UserError(
            f"cannot use the runtime {folder}: it has no {missing}, give the unpacked npm package "
            f"{PACKAGE} {VERSIONS}"
        )


def dist_folder(folder: Path) -> Path:
    """Where the package keeps its files; the folder itself where it has no ``dist``."""
    return folder / "dist" if (folder / "dist").is_dir() else folder


def copy_runtime(folder: Path, target: Path) -> str:
    """Copy the files a site needs.

    Args:
        folder: as ``runtime_folder`` gives it.
        target: a folder that does not exist yet.
    Returns:
        The version of the package; "" where the folder does not tell.
    Raises:
        OSError: if a file cannot be read or written.
    """
    target.mkdir()
    dist = dist_folder(folder)
    package = folder if dist != folder else folder.parent
    for name in FILES:
        shutil.copyfile(dist / name, target / name)
    for name in NOTICES:
        if (package / name).is_file():
            shutil.copyfile(package / name, target / name)
    return read_version(package / "package.json")


def read_version(manifest: Path) -> str:
    """The version in the package's own ``package.json``; "" if it is another's, or not there."""
    try:
        content = json.loads(manifest.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    if not isinstance(content, dict) or content.get("name") != PACKAGE:
        return ""
    return str(content.get("version", ""))


def fetch_package(scratch: Path) -> Path:
    """Let npm fetch the package and unpack it.

    Args:
        scratch: an empty folder.
    Returns:
        The unpacked package.
    Raises:
        UserError: if there is no npm, or it fails, or the package lacks a file.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise UserError(f"the page needs {PACKAGE}, and npm is not installed: {HOW}")
    archive = pack(npm, scratch)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(scratch / "unpacked", members=wanted(tar), filter="data")
    except (tarfile.TarError, EOFError, OSError) as error:
        reason = one_line(str(error))
        raise UserError(f"cannot unpack what npm fetched ({reason}): try again") from error
    package = scratch / "unpacked" / "package"
    check_runtime(package)
    return package


def wanted(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members that a site needs, and the one with the version."""
    names = {f"package/dist/{name}" for name in FILES}
    names |= {f"package/{name}" for name in (*NOTICES, "package.json")}
    return (member for member in tar if member.name in names and member.isfile())


def pack(npm: str, scratch: Path) -> Path:
    """The package as npm's archive."""
    command = [npm, "pack", f"{PACKAGE}@{VERSIONS}", "--pack-destination", str(scratch)]
    try:
        result = subprocess.run(  # noqa: S603
            command, cwd=scratch, capture_output=True, text=True, timeout=NPM_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UserError(f"npm did not fetch {PACKAGE} in {NPM_TIMEOUT_S} s: {HOW}") from error
    except OSError as error:
        raise UserError(f"npm cannot be started ({error.strerror}): {HOW}") from error
    archives = sorted(scratch.glob("*.tgz"))
    if result.returncode != 0 or not archives:
        raise UserError(f"npm cannot fetch {PACKAGE} ({npm_reason(result.stderr)}): {HOW}")
    return archives[-1]


def npm_reason(stderr: str) -> str:
    """The first line of an error that says more than a code."""
    lines = [line.removeprefix("npm").strip() for line in stderr.splitlines()]
    errors = [
        line.removeprefix("error").removeprefix("ERR!").strip()
        for line in lines
        if line.startswith(("error ", "ERR! "))
    ]
    telling = [line for line in errors if not line.startswith(("code ", "errno ", "syscall "))]
    return one_line((telling or errors or ["no reason given"])[0])[:200]
