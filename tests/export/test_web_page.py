"""The page in a browser. Skipped where Chromium, Node.js or the packages of npm are missing."""

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from browser import FAKE_CAMERA, SOFTWARE_GPU, drive, served
from graphs import save_negative
from numpy.typing import NDArray
from PIL import Image
from synthetic import natural_frames

from nst.export.web.site import build_site
from nst.infer import Stylizer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

CLOSE = 2
"""Levels of 255 by which two results may differ."""

TIMES = "\N{MULTIPLICATION SIGN}"


@pytest.fixture(scope="module")
def site(
    browser_packages: Path, waves: Path, hills: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("page") / "site"
    build_site([waves, hills], out, runtime=browser_packages / "onnxruntime-web")
    return out


@pytest.fixture(scope="module")
def url(site: Path) -> Iterator[str]:
    with served(site) as address:
        yield address


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """An odd size, below the limit of the page: every pixel stays as it is."""
    path = tmp_path / "beach.png"
    Image.fromarray(natural_frames((1, 67, 101), seed=3)[0]).save(path)
    return path


def pixels(path: Path) -> NDArray[np.int16]:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(np.int16)


def difference(one: NDArray[np.int16], other: NDArray[np.int16]) -> int:
    assert one.shape == other.shape
    return int(np.abs(one - other).max())


def check_alone(answer: dict[str, Any], url: str) -> None:
    """No errors, and nothing that went anywhere else."""
    assert answer["problems"] == []
    assert answer["hosts"] == [urlsplit(url).netloc]


def test_a_photo_is_painted_as_nst_infer_paints_it(
    url: str, waves: Path, photo: Path, tmp_path: Path
) -> None:
    answer = drive("photo", url, path=photo, out=tmp_path, strengths=[0, 50])
    check_alone(answer, url)
    assert answer["name"] == "beach.waves.png"
    assert answer["status"].startswith(f"101 {TIMES} 67 px in ")
    assert answer["engine"].startswith("WebAssembly, ")
    before = pixels(photo)
    painted = Stylizer(waves)(before.astype(np.uint8)).astype(np.int16)
    assert difference(pixels(tmp_path / "full.png"), painted) <= CLOSE
    assert difference(pixels(tmp_path / "0.png"), before) == 0
    assert difference(pixels(tmp_path / "50.png"), (before + painted) // 2) <= CLOSE


def test_a_model_with_its_own_strength(browser_packages: Path, photo: Path, tmp_path: Path) -> None:
    model = save_negative(tmp_path / "negative.onnx", strength=True)
    build_site([model], tmp_path / "site", runtime=browser_packages / "onnxruntime-web")
    with served(tmp_path / "site") as url:
        answer = drive("photo", url, path=photo, out=tmp_path, strengths=[0, 25])
    assert not answer["noticeShown"], answer
    before = pixels(photo)
    assert difference(pixels(tmp_path / "full.png"), 255 - before) == 0
    assert difference(pixels(tmp_path / "0.png"), before) == 0
    assert difference(pixels(tmp_path / "25.png"), before + (255 - 2 * before) // 4) <= 1


def test_the_camera(url: str) -> None:
    answer = drive("camera", url, flags=FAKE_CAMERA)
    check_alone(answer, url)
    (width, height, one), (*_, other) = answer["frames"]
    assert (width, height) == (320, 240)
    assert one != other
    assert all("frames/s" in rate for rate in answer["rates"])
    assert answer["status"] == f"Camera on, 320 {TIMES} 240 px"
    assert not answer["live"], "Escape turns the camera off"


def test_a_camera_that_is_refused(url: str) -> None:
    answer = drive("cameraFails", url, flags=["--use-fake-device-for-media-stream"])
    assert "The camera was refused. Allow it" in answer["notice"]
    assert answer["mode"] == "empty"


def test_no_camera(url: str) -> None:
    flags = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=0"]
    assert "No camera was found" in drive("cameraFails", url, flags=flags)["notice"]


def test_an_address_that_is_not_safe(url: str) -> None:
    elsewhere = url.replace("127.0.0.1", "photos.example")
    flags = [*FAKE_CAMERA, "--host-resolver-rules=MAP photos.example 127.0.0.1"]
    answer = drive("cameraFails", elsewhere, flags=flags)
    assert "https, or localhost" in answer["notice"]
    assert answer["engine"] == "WebAssembly, 1 thread"


def test_keys_alone(url: str, hills: Path, photo: Path, tmp_path: Path) -> None:
    answer = drive("keyboard", url, path=photo, out=tmp_path)
    check_alone(answer, url)
    assert {"camera", "view", "save", "radio waves", "strength", "size"} <= set(answer["reached"])
    assert answer["view"] == "compare"
    assert answer["split"] == "49"
    assert answer["caption"] == "Hills"
    assert answer["name"] == "beach.hills.png"
    painted = Stylizer(hills)(pixels(photo).astype(np.uint8)).astype(np.int16)
    assert difference(pixels(tmp_path / "keys.png"), painted) <= CLOSE


class PlainHandler(SimpleHTTPRequestHandler):
    """Any static host."""

    def log_message(self, *_: Any) -> None: ...


def test_a_host_without_the_headers_runs_one_thread(
    site: Path, waves: Path, photo: Path, tmp_path: Path
) -> None:
    handler = partial(PlainHandler, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        answer = drive("photo", url, path=photo, out=tmp_path)
        server.shutdown()
    check_alone(answer, url)
    assert answer["engine"] == "WebAssembly, 1 thread"
    painted = Stylizer(waves)(pixels(photo).astype(np.uint8)).astype(np.int16)
    assert difference(pixels(tmp_path / "full.png"), painted) <= CLOSE


def test_webgpu(url: str, waves: Path, tmp_path: Path) -> None:
    """On a processor that plays a graphics card: slow, so the picture is small."""
    photo = tmp_path / "small.png"
    Image.fromarray(natural_frames((1, 24, 32))[0]).save(photo)
    answer = drive(
        "photo", f"{url}?engine=webgpu", flags=SOFTWARE_GPU, path=photo, out=tmp_path, timeout_s=500
    )
    assert answer["engine"] == "WebGPU"
    painted = Stylizer(waves)(pixels(photo).astype(np.uint8)).astype(np.int16)
    assert difference(pixels(tmp_path / "full.png"), painted) <= CLOSE


def test_where_webgpu_fails_webassembly_goes_on(url: str, photo: Path, tmp_path: Path) -> None:
    answer = drive("photo", f"{url}?engine=webgpu", path=photo, out=tmp_path)
    assert answer["engine"].startswith("WebAssembly, ")
    assert answer["engine"].endswith(", as WebGPU failed")
    assert (tmp_path / "full.png").is_file()


def test_a_photo_that_cannot_be_read(url: str, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_text("Dear reader")
    answer = drive("photo", url, path=tmp_path / "letter.png", out=tmp_path)
    assert answer["notice"].startswith("letter.png cannot be read as a picture.")


def test_a_photo_that_is_too_small(url: str, tmp_path: Path) -> None:
    Image.new("RGB", (40, 9)).save(tmp_path / "dot.png")
    answer = drive("photo", url, path=tmp_path / "dot.png", out=tmp_path)
    assert answer["notice"].startswith(f"The picture is too small: 40 {TIMES} 9 px")


def test_a_large_photo_is_given_up_for_a_small_one(url: str, tmp_path: Path) -> None:
    Image.new("RGB", (6000, 4000)).save(tmp_path / "large.png")
    answer = drive("impatience", url, path=tmp_path / "large.png")
    assert answer["busy"]
    assert not answer["noticeShown"], answer
    assert answer["status"].startswith(f"512 {TIMES} 341 px in ")


def test_a_model_that_cannot_be_loaded(site: Path, tmp_path: Path) -> None:
    shutil.copytree(site, tmp_path / "site")
    (tmp_path / "site" / "styles" / "waves.onnx").write_text("not a model")
    with served(tmp_path / "site") as url:
        answer = drive("broken", url)
    assert "The style could not be loaded" in answer["notice"]


def test_a_phone(url: str, photo: Path) -> None:
    answer = drive("phone", url, path=photo)
    assert max(answer["widths"]) <= 360
    assert answer["lowest"] >= 44
    assert all(0 <= left < right <= 360 for left, right in answer["pictures"])
