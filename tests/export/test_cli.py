import json
import re
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
import torch
from PIL import Image

from nst.export.cli import main
from nst.infer.commands.main import main as infer
from nst.models import TransformerNet, describe

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run, as far as nst-export looks at it."""
    torch.manual_seed(0)
    net = TransformerNet(width=4, residual_blocks=1)
    checkpoint = tmp_path / "run" / "checkpoints" / "last.ckpt"
    checkpoint.parent.mkdir(parents=True)
    torch.save(
        {
            "state_dict": {f"net.{key}": value for key, value in net.state_dict().items()},
            "nst": describe(net, style="waves", training={}),
        },
        checkpoint,
    )
    return tmp_path / "run"


def error_of(capsys: Capture, *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("nst-export: ")
    return lines[0]


def test_a_run_becomes_a_file_that_stylizes(run: Path, tmp_path: Path, capsys: Capture) -> None:
    model, photo = tmp_path / "waves.onnx", tmp_path / "photo.png"
    assert main([str(run), "-o", str(model)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert "MB  opset 18  fp32  largest difference from PyTorch" in out[0]
    assert out[1] == f"next: nst-infer photo.jpg --style {model}"
    Image.effect_noise((41, 30), 60).convert("RGB").save(photo)
    assert infer([str(photo), "--style", str(model), "-o", str(tmp_path / "out.png")]) == 0
    with Image.open(tmp_path / "out.png") as stylized:
        assert stylized.size == (41, 30)


def test_statistics_can_be_left_open(run: Path, tmp_path: Path) -> None:
    model = tmp_path / "waves.onnx"
    assert main([str(run), "-o", str(model), "--statistics"]) == 0
    assert [port.name for port in onnx.load(model).graph.output] == ["stylized", "statistics"]


def test_the_form_of_the_graph(run: Path, tmp_path: Path) -> None:
    model = tmp_path / "waves.onnx"
    flags = ["--io", "float", "--size", "40x56", "--strength", "--no-defaults", "--opset", "20"]
    assert main([str(run), "-o", str(model), *flags]) == 0
    graph = onnx.load(model)
    assert graph.opset_import[0].version == 20
    image, strength = graph.graph.input
    assert [dim.dim_value for dim in image.type.tensor_type.shape.dim] == [1, 3, 40, 56]
    assert image.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert strength.name == "strength"
    assert "strength" not in {tensor.name for tensor in graph.graph.initializer}


def test_whose_painting_it_is(run: Path, tmp_path: Path, capsys: Capture) -> None:
    model = tmp_path / "waves.onnx"
    credit = ["--title", "Waves", "--artist", "A B", "--year", "1831", "--license", "CC0-1.0"]
    assert main([str(run), "-o", str(model), *credit]) == 0
    capsys.readouterr()
    assert main(["--describe", str(model), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert [card[key] for key in ("title", "artist", "year", "license")] == credit[1::2]
    assert card["weights_match"] is True
    assert card["outputs"][0]["shape"] == ["batch", "height", "width", 3]
    assert main(["--describe", str(model)]) == 0
    assert re.search(r"^artist +A B$", capsys.readouterr().out, re.MULTILINE)


def test_half_precision_has_a_name_of_its_own(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(run), "--precision", "fp16"]) == 0
    assert (tmp_path / "waves.fp16.onnx").is_file()


def test_weights_in_fewer_bits(run: Path, tmp_path: Path, capsys: Capture) -> None:
    whole, small = tmp_path / "whole.onnx", tmp_path / "small.onnx"
    assert main([str(run), "-o", str(whole)]) == 0
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        Image.new("RGB", (40, 40), (number, 90, 9)).save(photos / f"{number}.png")
    arguments = [str(run), "--weights", "int8", "--photos", str(photos), "-o", str(small)]
    capsys.readouterr()
    assert main([*arguments, "--force"]) == 0
    assert "weights in int8 (beside fp32 on 3 photos: PSNR" in capsys.readouterr().out
    assert small.stat().st_size < whole.stat().st_size
    assert main(["--describe", str(small)]) == 0
    assert re.search(r"^weights +int8$", capsys.readouterr().out, re.MULTILINE)


def test_the_default_name_is_that_of_the_style(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([str(run / "checkpoints" / "last.ckpt")]) == 0
    assert (tmp_path / "waves.onnx").is_file()


def test_an_existing_file(run: Path, tmp_path: Path, capsys: Capture) -> None:
    model = tmp_path / "x.onnx"
    model.write_bytes(b"precious")
    assert "--overwrite" in error_of(capsys, run, "-o", model)
    assert model.read_bytes() == b"precious"
    assert main([str(run), "-o", str(model), "--overwrite"]) == 0
    assert model.stat().st_size > 1000


def test_bad_sources(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "x.onnx"
    assert "no such file" in error_of(capsys, tmp_path / "none", "-o", out)
    assert "last.ckpt" in error_of(capsys, tmp_path, "-o", out)
    (tmp_path / "text.ckpt").write_text("hello")
    assert "damaged" in error_of(capsys, tmp_path / "text.ckpt", "-o", out)
    torch.save({"model": {"weight": torch.zeros(3)}}, tmp_path / "other.pt")
    assert "no checkpoint of nst-train" in error_of(capsys, tmp_path / "other.pt", "-o", out)
    assert not out.exists()


def test_bad_targets(run: Path, tmp_path: Path, capsys: Capture) -> None:
    assert "must end in .onnx" in error_of(capsys, run, "-o", tmp_path / "x.pth")
    assert "does not exist" in error_of(capsys, run, "-o", tmp_path / "none" / "x.onnx")
    (tmp_path / "file").write_text("")
    assert "cannot write" in error_of(capsys, run, "-o", tmp_path / "file" / "x.onnx")


def test_bad_options(run: Path, capsys: Capture) -> None:
    assert "18 to 21" in error_of(capsys, run, "--opset", "11")
    assert "--opset" in error_of(capsys, run, "--opset", "many")
    assert "run folder or a checkpoint" in error_of(capsys)
    for size in ("12x40", "640", "0x0", "axb", "40x", "-40x40", "40x40x40", "9000x9000"):
        assert "height x width" in error_of(capsys, run, f"--size={size}")
    assert "'fp32', 'fp16', 'int8'" in error_of(capsys, run, "--precision", "fp8")
    assert "'uint8', 'float'" in error_of(capsys, run, "--io", "bgr")
    assert "pass --photos" in error_of(capsys, run, "--precision", "int8")
    assert "belong to" in error_of(capsys, run, "--photos", run)
    assert "belong to" in error_of(capsys, run, "--force")
    assert "belong to" in error_of(capsys, run, "--weights", "fp32", "--force")
    assert "'fp32', 'fp16', 'int8'" in error_of(capsys, run, "--weights", "int4")
    twice = ("--precision", "fp16", "--weights", "int8")
    assert "fp16 stores them in fp16 itself" in error_of(capsys, run, *twice)
    assert "belongs to --strength" in error_of(capsys, run, "--no-defaults")
    assert "belongs to --describe" in error_of(capsys, run, "--json")


def test_calibration_without_photos(run: Path, tmp_path: Path, capsys: Capture) -> None:
    int8 = (run, "--precision", "int8", "--photos")
    assert "no JPEG, PNG or WebP photo" in error_of(capsys, *int8, run)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (40, 40)).save(tmp_path / "photos" / "one.png")
    assert "too few photos" in error_of(capsys, *int8, tmp_path / "photos")
    assert "there is no folder" in error_of(capsys, *int8, tmp_path / "none")


def test_what_cannot_be_described(run: Path, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "x.onnx").write_text("hello")
    assert "not an ONNX file" in error_of(capsys, "--describe", tmp_path / "x.onnx")
    assert "leave out RUN" in error_of(capsys, run, "--describe", tmp_path / "x.onnx")


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
from nst.export.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_disk_that_is_full(run: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk."""
    folder = tmp_path / "out"
    folder.mkdir()
    result = subprocess.run(
        [sys.executable, "-c", LIMITED, str(run), "-o", str(folder / "x.onnx")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2, result.stderr
    assert result.stderr.splitlines()[-1].startswith("nst-export: cannot write")
    assert "Traceback" not in result.stderr
    assert list(folder.iterdir()) == []


def test_help_and_module() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "nst.export", "--help"], capture_output=True, text=True, check=True
    )
    assert "--opset" in result.stdout
