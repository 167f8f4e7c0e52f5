import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import urllib.request
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from browser import served
from graphs import copy_with_props, save_float_style, save_negative
from PIL import Image

from nst.export.cli import main
from nst.export.web.runtime import FILES, npm_reason
from nst.export.web.scene import landscape
from nst.export.web.styles import Style, file_stems, page_model
from nst.infer import Stylizer

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "export" / "web" / "page"
Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


def web(*arguments: object) -> int:
    return main(["web", *map(str, arguments)])


def error_of(capsys: Capture, *arguments: object) -> str:
    assert web(*arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("nst-export web: ")
    return lines[0]


def test_a_site(
    waves: Path, hills: Path, fake_runtime: Path, tmp_path: Path, capsys: Capture
) -> None:
    site = tmp_path / "site"
    assert web(waves, hills, "-o", site, "--runtime", fake_runtime) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [f"{site}  2 styles  0 MB", f"next: nst-export web --serve -o {site}"]
    assert {path.name for path in site.iterdir()} == {
        *(path.name for path in PAGE.iterdir()),
        *("runtime", "styles", "styles.json"),
    }
    assert {path.name for path in (site / "runtime").iterdir()} == {*FILES, "LICENSE"}
    contents = json.loads((site / "styles.json").read_text())
    assert contents["onnxruntime_web"] == "1.30.7"
    assert contents["styles"][1] == {
        "name": "hills",
        "file": "styles/hills.onnx",
        "picture": "styles/hills.jpg",
        "size_bytes": hills.stat().st_size,
        "min_size_px": 16,
    }
    assert (site / "styles" / "waves.onnx").read_bytes() == waves.read_bytes()
    with Image.open(site / "styles" / "waves.jpg") as picture:
        painted = Stylizer(waves)(landscape())
        assert picture.size == (360, 240)
        assert np.abs(np.asarray(picture).astype(int) - painted).mean() < 8
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_the_page_and_the_files_of_the_runtime_agree() -> None:
    worker = (PAGE / "worker.js").read_text()
    assert all(name in worker for name in FILES if name.startswith("ort."))


def test_what_a_model_says_about_its_painting(
    waves: Path, fake_runtime: Path, tmp_path: Path
) -> None:
    model = copy_with_props(waves, tmp_path / "x.onnx", artist="A. Painter", license="CC0-1.0")
    assert web(model, "-o", tmp_path / "site", "--runtime", fake_runtime) == 0
    style = json.loads((tmp_path / "site" / "styles.json").read_text())["styles"][0]
    assert (style["artist"], style["license"]) == ("A. Painter", "CC0-1.0")


def test_two_models_of_one_style_are_told_apart_by_their_files(
    waves: Path, fake_runtime: Path, tmp_path: Path, capsys: Capture
) -> None:
    for name in ("calm/sea", "rough/sea", "storm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(waves, tmp_path / f"{name}.onnx")
    calm, rough, storm = (tmp_path / f"{name}.onnx" for name in ("calm/sea", "rough/sea", "storm"))
    assert web(calm, storm, "-o", tmp_path / "site", "--runtime", fake_runtime) == 0
    styles = json.loads((tmp_path / "site" / "styles.json").read_text())["styles"]
    assert [style["name"] for style in styles] == ["sea", "storm"]
    capsys.readouterr()
    line = error_of(capsys, calm, rough, "-o", tmp_path / "other", "--runtime", fake_runtime)
    assert "2 models are named sea: give their files different names" in line


def test_names_become_names_of_files() -> None:
    names = ["Café, Terrace!", "caf terrace", "雪", "雪 雪", "a-2", "a", "A", "x" * 300]
    styles = [Style(name=name, model=Path("m"), min_size_px=16, credit={}) for name in names]
    assert file_stems(styles) == [
        *("caf-terrace", "caf-terrace-2", "style", "style-2", "a-2", "a", "a-3", "x" * 60)
    ]


def test_the_page_always_feeds_the_strength(tmp_path: Path) -> None:
    """onnxruntime-web would refuse it as long as it has a default."""
    model = save_negative(tmp_path / "negative.onnx", strength=True)
    session = onnxruntime.InferenceSession(page_model(model), providers=["CPUExecutionProvider"])
    assert [port.name for port in session.get_inputs()] == ["image", "strength"]
    frame = np.full((1, 16, 16, 3), 100, np.uint8)
    (half,) = session.run(None, {"image": frame, "strength": np.array([0.5], np.float32)})
    assert (half == 128).all()
    plain = save_negative(tmp_path / "plain.onnx")
    assert page_model(plain) == plain.read_bytes()


def test_models_that_cannot_be_used(
    waves: Path, fake_runtime: Path, tmp_path: Path, capsys: Capture
) -> None:
    def refused(model: Path) -> str:
        return error_of(capsys, waves, model, "-o", tmp_path / "site", "--runtime", fake_runtime)

    assert "there is no such file" in refused(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("hello")
    assert "it is not an ONNX model" in refused(tmp_path / "text.onnx")
    foreign = save_negative(tmp_path / "foreign.onnx", nst=False)
    assert "it is not from nst, export one with nst-export" in refused(foreign)
    floats = save_float_style(tmp_path / "floats.onnx")
    assert "export it without --io float" in refused(floats)
    damaged = copy_with_props(waves, tmp_path / "damaged.onnx", min_size_px="many")
    assert "malformed" in refused(damaged)
    assert not (tmp_path / "site").exists()


def test_folders_in_the_way(
    waves: Path, fake_runtime: Path, tmp_path: Path, capsys: Capture
) -> None:
    def refused(out: Path, *more: str) -> str:
        return error_of(capsys, waves, "-o", out, "--runtime", fake_runtime, *more)

    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "precious").write_text("")
    assert "it holds other files" in refused(tmp_path / "letters", "--overwrite")
    assert "it is not a folder" in refused(tmp_path / "letters" / "precious")
    assert "does not exist, make it first" in refused(tmp_path / "none" / "site")
    (tmp_path / "site").mkdir()
    assert web(waves, "-o", tmp_path / "site", "--runtime", fake_runtime) == 0
    (tmp_path / "site" / "index.html").write_text("mine")
    capsys.readouterr()
    assert "pass --overwrite" in refused(tmp_path / "site")
    assert (tmp_path / "site" / "index.html").read_text() == "mine"
    assert web(waves, "-o", tmp_path / "site", "--runtime", fake_runtime, "--overwrite") == 0
    assert (tmp_path / "site" / "index.html").read_text() == (PAGE / "index.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letters", "site"]


def test_a_failure_leaves_the_older_site(
    waves: Path, fake_runtime: Path, tmp_path: Path, capsys: Capture, monkeypatch: Patch
) -> None:
    site = tmp_path / "site"
    assert web(waves, "-o", site, "--runtime", fake_runtime) == 0
    before = {path: path.stat().st_mtime_ns for path in site.rglob("*")}
    capsys.readouterr()

    def full(*_: object) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nst.export.web.site.copy_runtime", full)
    line = error_of(capsys, waves, "-o", site, "--runtime", fake_runtime, "--overwrite")
    assert line == f"nst-export web: cannot write {site}: No space left on device"
    assert {path: path.stat().st_mtime_ns for path in site.rglob("*")} == before
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_runtime_that_lacks_files(
    waves: Path, fake_runtime: Path, tmp_path: Path, capsys: Capture
) -> None:
    arguments = (waves, "-o", tmp_path / "site", "--runtime")
    assert "there is no such folder" in error_of(capsys, *arguments, tmp_path / "none")
    assert f"it has no {FILES[0]}" in error_of(capsys, *arguments, tmp_path)
    assert not (tmp_path / "site").exists()
    assert web(*arguments, fake_runtime / "dist") == 0


def put_npm(folder: Path, monkeypatch: Patch, script: str) -> None:
    """A program named npm, alone on the path beside the shell's tools."""
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")


def test_npm_brings_the_runtime(
    waves: Path, fake_runtime: Path, tmp_path: Path, monkeypatch: Patch
) -> None:
    archive = tmp_path / "fetched.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(fake_runtime, "package")
        tar.add(fake_runtime / "LICENSE", "../escaped")
    put_npm(
        tmp_path / "bin",
        monkeypatch,
        f'[ "$1 $2 $3" = "pack onnxruntime-web@~1.30.0 --pack-destination" ] && cp {archive} "$4"',
    )
    assert web(waves, "-o", tmp_path / "site") == 0
    assert {path.name for path in (tmp_path / "site" / "runtime").iterdir()} == {*FILES, "LICENSE"}
    assert not list(tmp_path.rglob("escaped"))


def test_npm_that_fails(waves: Path, tmp_path: Path, capsys: Capture, monkeypatch: Patch) -> None:
    put_npm(
        tmp_path / "bin",
        monkeypatch,
        "echo 'npm error code ENOTFOUND\nnpm error network request failed' >&2; exit 1",
    )
    line = error_of(capsys, waves, "-o", tmp_path / "site")
    assert "npm cannot fetch onnxruntime-web (network request failed)" in line
    assert "--runtime FOLDER" in line
    put_npm(tmp_path / "bin2", monkeypatch, 'echo nonsense > "$4/x.tgz"')
    assert "cannot unpack what npm fetched" in error_of(capsys, waves, "-o", tmp_path / "site")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "npm is not installed" in error_of(capsys, waves, "-o", tmp_path / "site")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "bin2"]


def test_the_reason_that_npm_gives() -> None:
    assert npm_reason("npm warn old\nnpm ERR! code E404\nnpm ERR! 404 Not Found") == "404 Not Found"
    assert npm_reason("npm error code EPERM") == "code EPERM"
    assert npm_reason("") == "no reason given"


def test_nothing_to_do(tmp_path: Path, capsys: Capture) -> None:
    assert "give a style, or --serve" in error_of(capsys, "-o", tmp_path / "site")
    assert "--out" in error_of(capsys, tmp_path / "x.onnx")
    assert "it is not a site" in error_of(capsys, "--serve", "--port", 0, "-o", tmp_path)


def test_a_port_that_is_taken(waves: Path, tmp_path: Path, capsys: Capture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = error_of(capsys, waves, "-o", tmp_path / "site", "--serve", "--port", port)
    assert f"cannot serve on port {port}: another program uses it" in line
    assert not (tmp_path / "site").exists()


def test_what_is_served(waves: Path, fake_runtime: Path, tmp_path: Path) -> None:
    assert web(waves, "-o", tmp_path / "site", "--runtime", fake_runtime) == 0
    types = {
        "": "text/html; charset=utf-8",
        "app.js": "text/javascript; charset=utf-8",
        "style.css": "text/css; charset=utf-8",
        "styles.json": "application/json",
        "runtime/ort.wasm.min.mjs": "text/javascript; charset=utf-8",
        "runtime/ort-wasm-simd-threaded.wasm": "application/wasm",
        "styles/waves.onnx": "application/octet-stream",
    }
    with served(tmp_path / "site") as url:
        assert url.startswith("http://127.0.0.1:")
        for path, expected in types.items():
            with urllib.request.urlopen(url + path) as answer:
                assert answer.headers["Content-Type"] == expected
                assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
                assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_serving_ends_without_a_word(
    end: signal.Signals, waves: Path, fake_runtime: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "nst.export", "web", str(waves), "-o", str(site)]
    options = ["--runtime", str(fake_runtime), "--serve", "--port", "0"]
    with subprocess.Popen(
        command + options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"{site}  1 style  0 MB\n"
        line = process.stdout.readline()
        assert line.startswith(f"serving {site} at http://127.0.0.1:")
        with urllib.request.urlopen(line.split(" at ")[1].split()[0]) as answer:
            assert b"Paint your photo" in answer.read()
        process.send_signal(end)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert errors == ""


def test_the_help(capsys: Capture) -> None:
    assert main(["web", "--help"]) == 0
    assert "nst-export web [OPTIONS] [STYLE]..." in capsys.readouterr().out
    assert main(["--help"]) == 0
    assert "nst-export web --help" in capsys.readouterr().out


def test_a_site_needs_no_torch(waves: Path, fake_runtime: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'pytorch_lightning']));"
        "from nst.export.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["web", str(waves), "-o", str(tmp_path / "site"), "--runtime", str(fake_runtime)]
    subprocess.run([sys.executable, "-c", code, *arguments], check=True)


def test_the_landscape() -> None:
    scene = landscape()
    assert scene.shape == (240, 360, 3)
    assert np.array_equal(scene, landscape())
    assert scene.std() > 30


def test_models_keep_what_the_page_does_not_use(waves: Path, tmp_path: Path) -> None:
    """Optional inputs but the strength stay optional: onnxruntime-web passes over them."""
    graph = onnx.load(waves)
    port = onnx.helper.make_tensor_value_info("fixed", onnx.TensorProto.FLOAT, [1])
    graph.graph.input.append(port)
    graph.graph.initializer.append(onnx.numpy_helper.from_array(np.ones(1, np.float32), "fixed"))
    onnx.save(graph, tmp_path / "x.onnx")
    assert page_model(tmp_path / "x.onnx") == (tmp_path / "x.onnx").read_bytes()


def test_a_request_to_end_leaves_nothing_behind(
    tmp_path: Path, fake_runtime: Path, monkeypatch: Patch
) -> None:
    model = save_negative(tmp_path / "negative.onnx")
    monkeypatch.setattr(
        "nst.export.web.site.write_styles", lambda *_: os.kill(os.getpid(), signal.SIGTERM)
    )
    assert web(model, "-o", tmp_path / "site", "--runtime", fake_runtime) == 130
    assert list(tmp_path.iterdir()) == [model]


def test_styles_go_by_name(fake_runtime: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    assert web("starry_night", "Great-Wave", "-o", site, "--runtime", fake_runtime) == 0
    assert {path.name for path in site.rglob("*.onnx")} == {"starry-night.onnx", "great-wave.onnx"}


def test_a_style_that_there_is_not(fake_runtime: Path, tmp_path: Path, capsys: Capture) -> None:
    arguments = ("-o", tmp_path / "site", "--runtime", fake_runtime)
    assert "did you mean starry_night?" in error_of(capsys, "stary_night", *arguments)
