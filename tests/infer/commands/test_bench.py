import json
from pathlib import Path

import pytest
from graphs import save_negative
from onnx import TensorProto, helper

import nst.infer.commands.bench as bench_cli
from nst.infer import Stylizer, UserError
from nst.infer.command_line import read_size
from nst.infer.commands.main import main
from nst.infer.styles import shipped_styles

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def negative(tmp_path: Path) -> Path:
    return save_negative(tmp_path / "negative.onnx")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str, int | None]]:
    """Stylizers that were opened; there is a CUDA device that runs no model."""
    calls: list[tuple[Path, str, int | None]] = []

    class Recorder(Stylizer):
        def __init__(self, model: Path, *, device: str, threads: int | None) -> None:
            calls.append((model, device, threads))
            if device == "cuda":
                raise UserError("no such GPU")
            super().__init__(model, device="cpu", threads=threads)

    monkeypatch.setattr("nst.infer.stylizer.Stylizer", Recorder)
    monkeypatch.setattr(
        "nst.infer.engine.devices.why_not", lambda device: "x" * (device == "openvino")
    )
    monkeypatch.setattr(
        "nst.infer.engine.devices.available_devices", lambda: ["cpu", "cuda", "webgpu"]
    )
    monkeypatch.setattr("nst.infer.engine.devices.choose_device", lambda device: None)
    return calls


def test_lines(negative: Path, capfd: Capture) -> None:
    argv = [str(negative), "--device", "cpu", "--size", "320x200", "--size", "64x48"]
    assert main(["bench", *argv]) == 0
    first, second = capfd.readouterr().out.splitlines()
    assert first.split()[:2] == ["cpu", "320x200"]
    assert second.split()[:2] == ["cpu", "64x48"]
    _, _, ms, unit, rate, per, *_ = first.split()
    assert (unit, per) == ("ms", "frames/s")
    assert float(ms) > 0
    assert float(rate) > 1


def test_json(negative: Path, capfd: Capture) -> None:
    argv = [str(negative), "--device", "cpu", "--size", "64x48", "--threads", "1", "--json"]
    assert main(["bench", *argv]) == 0
    facts = json.loads(capfd.readouterr().out)
    assert (facts["file"], facts["threads"]) == (str(negative), 1)
    (row,) = facts["times"]
    assert (row["device"], row["width"], row["height"]) == ("cpu", 64, 48)
    assert row["frames_per_s"] == pytest.approx(1000 / row["ms"])
    assert row["first_ms"] > 0


def test_all_devices_and_sizes_by_default(
    negative: Path,
    opened: list[tuple[Path, str, int | None]],
    capfd: Capture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench_cli, "SIZES", ((32, 16), (48, 32)))
    assert main(["bench", str(negative), "--threads", "2"]) == 0
    assert opened == [(negative, device, 2) for device in ("cpu", "cuda", "webgpu")]
    out, err = capfd.readouterr()
    pairs = [tuple(line.split()[:2]) for line in out.splitlines()]
    sizes = ("32x16", "48x32")
    assert pairs == [(device, size) for device in ("cpu", "webgpu") for size in sizes]
    assert err == "nst-infer bench: left out cuda: no such GPU\n"


def test_the_usual_sizes() -> None:
    assert bench_cli.SIZES == ((640, 480), (1280, 720), (1920, 1080))


def test_a_shipped_style_by_default(
    opened: list[tuple[Path, str, int | None]], capfd: Capture
) -> None:
    assert main(["bench", "--device", "cpu", "--size", "32x32"]) == 0
    assert (
        main(["bench", "Starry-Night", "--device", "auto", "--device", "cpu", "--size", "32x32"])
        == 2
    )
    assert "no such GPU" in capfd.readouterr().err  # which is what auto takes
    models = [(model, device) for model, device, _ in opened]
    first, starry_night = shipped_styles()[0].path, "starry_night.onnx"
    assert models[0] == (first, "cpu")
    assert (models[1][0].name, models[1][1]) == (starry_night, "cuda")


@pytest.mark.parametrize("style", [[], ["starry_night"]])
def test_a_tier(
    style: list[str], opened: list[tuple[Path, str, int | None]], capfd: Capture
) -> None:
    argv = ["bench", *style, "--device", "cpu", "--size", "32x32"]
    for flags in ([], ["--tier", "realtime"], ["--tier", "quality"]):
        assert main([*argv, *flags]) == 0
    tiers = [model.parent.name for model, *_ in opened]
    assert tiers == ["realtime", "realtime", "quality"]


def test_a_model_of_one_size(tmp_path: Path, capfd: Capture) -> None:
    path = tmp_path / "fixed.onnx"
    ports = [
        helper.make_tensor_value_info(name, TensorProto.UINT8, (1, 24, 40, 3))
        for name in ("image", "stylized")
    ]
    node = helper.make_node("BitwiseNot", ["image"], ["stylized"])
    graph = helper.make_graph([node], "negative", ports[:1], ports[1:])
    opset = helper.make_opsetid("", 18)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    path.write_bytes(model.SerializeToString())
    assert main(["bench", str(path), "--device", "cpu"]) == 0
    (line,) = capfd.readouterr().out.splitlines()
    assert line.split()[1] == "40x24"
    assert main(["bench", str(path), "--device", "cpu", "--size", "64x64"]) == 2
    assert "takes only pictures of 40x24" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--size", "64"], "--size takes width x height such as 1280x720, not 64"),
        (["--device", "gpu"], "unknown device gpu: use one of auto, "),
        (["--threads", "0"], "greater than or equal to 1"),
        (["nowhere"], "there is no style nowhere"),
    ],
)
def test_mistakes(argv: list[str], message: str, capfd: Capture) -> None:
    assert main(["bench", *argv]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("nst-infer bench: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("text", ["", "0x5", "5x", "x5", "5X5", "1e3x5", "-1x5", "123456x5"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UserError, match="--size takes width x height"):
        read_size("--size", text)
    assert read_size("--size", "1920x1080") == (1920, 1080)
