"""Two processes on the CPU that train together."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from nst.models import load_trained_net
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.callbacks.history import read_history
from nst.train.commands.settings import trains_together
from nst.train.processes import is_launched_together
from tests.train.conftest import Train

TWO = ("--trainer.devices", "2", "--trainer.accelerator", "cpu", "--trainer.precision", "32-true")


def command(painting: Path, photos: Path, out: Path, *flags: str) -> list[str]:
    return [
        *(sys.executable, "-m", "nst.train", "--style", str(painting), "--content", str(photos)),
        *("--out", str(out), "--model.style_size", "96", "--data.crop_px", "48"),
        *("--net", "TransformerNet", "--net.width", "4", "--net.residual_blocks", "1"),
        *("--data.workers", "0", "--data.batch_size", "2", *TWO, *flags),
    ]


def start(arguments: list[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        arguments,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
    )


def end(process: "subprocess.Popen[str]", timeout_s: float = 90) -> tuple[str, str]:
    """What it printed; it is killed with all its children if it hangs."""
    try:
        return process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise


def child_of(process: "subprocess.Popen[str]") -> int:
    """The process that it started to train with."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(children[0])


def wait_for(path: Path, process: "subprocess.Popen[str]") -> None:
    for _ in range(900):
        if path.exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    assert path.exists(), end(process)


def test_two_processes_learn_what_one_does_from_twice_the_batch(
    train: Train, painting: Path, photos: Path, tmp_path: Path
) -> None:
    flags = ("--trainer.max_steps", "40", "--model.knob_share", "0.25")
    process = start(command(painting, photos, tmp_path / "two", *flags))
    out, error = end(process)
    assert process.returncode == 0, error
    assert out.count("next: nst-infer") == 1, "one of them speaks"
    alone = ("--data.batch_size", "4", "--trainer.precision", "32-true")
    assert train(*alone, *flags, out="one") == 0
    one, two = (read_history(tmp_path / name / "history.csv") for name in ("one", "two"))
    assert [row.step for row in two] == [row.step for row in one] == [10, 20, 30, 40]
    for mine, theirs in zip(one, two, strict=True):
        assert theirs.kind == mine.kind
        for name in ("total", "content", "style"):
            # Later on Muon makes much of what rounding left.
            tolerance = 1e-3 if mine.step == 10 else 5e-2
            assert theirs.terms[name] == pytest.approx(mine.terms[name], rel=tolerance)
    trained = [load_trained_net(tmp_path / name) for name in ("one", "two")]
    assert [net.training["batch_size"] for net in trained] == [4, 4], "photos of a step, in all"


def test_two_machines_under_torchrun(painting: Path, photos: Path, tmp_path: Path) -> None:
    """Each with one process; one folder for both."""
    run = tmp_path / "run"
    _, *arguments = command(painting, photos, run, "--trainer.max_steps", "12")
    together = (
        *(sys.executable, "-m", "torch.distributed.run", "--nnodes", "2", "--nproc_per_node", "1"),
        *("--rdzv_backend", "c10d", "--rdzv_endpoint", f"127.0.0.1:{free_port()}"),
    )
    flags = ("--trainer.devices", "1", "--trainer.num_nodes", "2", "--run.report", "false")
    machines = [start([*together, *arguments, *flags]) for _ in range(2)]
    results = [end(machine) for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], results
    assert sum(out.count("next: nst-infer") for out, _ in results) == 1, "one of them speaks"
    trained = load_trained_net(run)
    assert (trained.training["steps"], trained.training["batch_size"]) == (12, 4)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize("victim", ["first", "second"])
def test_a_killed_process_ends_the_run_with_a_message(
    victim: str, painting: Path, photos: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    flags = ("--trainer.max_steps", "1000000", "--run.checkpoint_every", "10")
    process = start(command(painting, photos, run, *flags))
    wait_for(run / LAST_CHECKPOINT, process)
    os.kill(process.pid if victim == "first" else child_of(process), signal.SIGKILL)
    _, error = end(process, timeout_s=60)
    assert process.returncode in (2, -9)
    assert "Traceback" not in error, error
    expected = f"nst-train: another process of this run has ended; nst-train --resume {run} goes on"
    assert expected in error.splitlines()
    assert load_trained_net(run).training["steps"] % 10 == 0


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_pair_keeps_what_was_learned(
    number: signal.Signals, status: int, train: Train, painting: Path, photos: Path, tmp_path: Path
) -> None:
    """With processes that read photos; it goes on as one process with twice the batch."""
    from nst.train.cli import main

    run = tmp_path / "run"
    flags = (
        *("--trainer.max_steps", "1000000", "--run.checkpoint_every", "10"),
        *("--data.workers", "1"),
    )
    process = start(command(painting, photos, run, *flags))
    wait_for(run / LAST_CHECKPOINT, process)
    os.killpg(process.pid, number)  # as a terminal, a scheduler or systemd does it
    out, error = end(process)
    assert process.returncode == status, error
    assert "Traceback" not in error, error
    assert re.findall("interrupted; .*", out) == [
        f"interrupted; nst-train --resume {run} goes on, nst-export {run} -o run.onnx takes what "
        "there is"
    ]
    steps = load_trained_net(run).training["steps"]
    train("--trainer.max_steps", "1")  # leaves the export out
    one = ("--trainer.devices", "1", "--data.batch_size", "4", "--data.workers", "0")
    assert main(["--resume", str(run), *one, "--trainer.max_steps", str(steps + 2)]) == 0
    state = torch.load(run / LAST_CHECKPOINT, weights_only=True)
    assert state["PhotoDataModule"]["drawn"] == 4 * (steps + 2)


FAILING = """
import os, sys
from datetime import timedelta
from nst.infer.errors import UserError
from nst.train import processes
from nst.train.cli import main
from nst.train.system import StyleTransferSystem
before = StyleTransferSystem.training_step
def failing(self, batch, batch_idx):
    if self.global_step == 2 and os.environ.get("LOCAL_RANK", "0") in os.environ["WHO"]:
        raise UserError("the paint is used up: buy more")
    return before(self, batch, batch_idx)
StyleTransferSystem.training_step = failing
processes.PATIENCE = timedelta(seconds=int(os.environ["PATIENCE_S"]))
sys.exit(main())
"""


def run_script(code: str, arguments: list[str], **environment: str) -> "subprocess.Popen[str]":
    """Begin ``nst-train`` with something of it replaced, in all its processes."""
    script = Path(arguments[arguments.index("--out") + 1]).with_name("script.py")
    script.write_text(code)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return start([sys.executable, str(script), *arguments[3:]])


@pytest.mark.parametrize(("who", "patience_s"), [("0", 60), ("01", 60), ("1", 1)])
def test_an_error_is_told_once(
    who: str, patience_s: int, painting: Path, photos: Path, tmp_path: Path
) -> None:
    """Of the first process alone, of both, and of the other one alone."""
    arguments = command(painting, photos, tmp_path / "run", "--trainer.max_steps", "20")
    process = run_script(FAILING, arguments, WHO=who, PATIENCE_S=str(patience_s))
    _, error = end(process)
    lines = [line for line in error.splitlines() if line.startswith("nst-train: ")]
    assert lines.count("nst-train: the paint is used up: buy more") == 1, error
    assert "Traceback" not in error
    if "0" in who:
        assert process.returncode == 2
        assert len(lines) == 1, error


SLOW = """
import sys, time
from nst.train.cli import main
from nst.train.system import StyleTransferSystem
before = StyleTransferSystem.training_step
def slow(self, batch, batch_idx):
    time.sleep(0.7)
    return before(self, batch, batch_idx)
StyleTransferSystem.training_step = slow
sys.exit(main())
"""


def test_a_pair_with_slow_steps_minds_clock_and_signals(
    painting: Path, photos: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    flags = ("--run.checkpoint_every", "1000", "--run.checkpoint_minutes", "0.02")
    process = run_script(SLOW, command(painting, photos, run, *flags))
    wait_for(run / LAST_CHECKPOINT, process)
    os.killpg(process.pid, signal.SIGINT)
    _, error = end(process)
    assert process.returncode == 130, error
    assert load_trained_net(run).training["steps"] < 10


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
    ],
)
def test_without_memory_the_flags_are_named(
    error: RuntimeError,
    train: Train,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from nst.train.system import StyleTransferSystem

    def too_large(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(StyleTransferSystem, "training_step", too_large)
    assert train() == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "nst-train: not enough memory on the GPU: use a smaller --data.batch_size, "
        "--data.crop_px or --model.style_size, and see with nvidia-smi whether another program "
        "has it"
    )


@pytest.mark.parametrize(
    ("devices", "accelerator", "gpus", "expected"),
    [
        ("auto", "auto", 2, True),
        ("auto", "auto", 1, False),
        ("auto", "cpu", 2, False),
        ("1", "auto", 2, False),
        ("2", "cpu", 0, True),
    ],
)
def test_all_devices_of_a_machine_train_together(
    devices: str, accelerator: str, gpus: int, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: gpus)
    settings = SimpleNamespace(
        devices=devices, accelerator=accelerator, num_nodes=1, strategy="auto"
    )
    assert trains_together(settings) == expected


@pytest.mark.parametrize("more", [("other.png",), ("--try-strengths", "1,2")])
@pytest.mark.parametrize(
    "environment",
    [{"WORLD_SIZE": "2"}, {"SLURM_PROCID": "1", "SLURM_NTASKS": "2", "SLURM_LOCALID": "1"}],
)
def test_several_runs_do_not_begin_in_every_process(
    environment: dict[str, str],
    more: tuple[str, ...],
    painting: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from nst.train.cli import main

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["--style", str(painting), *more]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "without torchrun and with srun --ntasks=1" in line


def test_a_single_task_of_slurm_may_begin_several_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_launched_together()
    monkeypatch.setenv("SLURM_PROCID", "0")
    monkeypatch.setenv("SLURM_NTASKS", "1")
    assert not is_launched_together()


@pytest.mark.parametrize("tasks", [{}, {"SLURM_NTASKS_PER_NODE": "2"}])
def test_tasks_of_slurm_that_do_not_fit_the_devices(
    tasks: dict[str, str],
    train: Train,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = dict.fromkeys(("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID"), "0")
    for name, value in {"SLURM_NTASKS": "2", **places, **tasks}.items():
        monkeypatch.setenv(name, value)
    assert train("--trainer.devices", "4", "--trainer.accelerator", "cpu") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "ntasks-per-node=2" in line
    assert not (tmp_path / "run").exists()
