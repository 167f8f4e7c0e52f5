"""``nst-train --dry-run``: what a run would do, how long it takes, and what it needs.

A few steps are really done, of the style and of the strength knob, with the real photos on the real
device. Nothing is written.
"""

import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from nst.infer.command_line import print_line, print_notice
from nst.infer.errors import UserError
from nst.infer.files import check_folder
from nst.infer.messages import counted
from nst.infer.pictures.images import read_image
from nst.infer.pictures.photo_files import spread
from nst.models import tier_of
from nst.train.callbacks.run_files import holds_run
from nst.train.callbacks.trial import Pace, Trial
from nst.train.commands.fitting import fit
from nst.train.commands.limits import Done, Limits, Rest, rest_of
from nst.train.commands.needs import (
    Need,
    free_disk_bytes,
    memory_need,
    run_folder_bytes,
)
from nst.train.commands.one_run import NOTHING_LEFT
from nst.train.commands.resume import Checkpoint
from nst.train.commands.settings import NO_STEP, TrainCLI, parse
from nst.train.photos import open_photo
from nst.train.warm_start import NOTHING
from nst.train.wording import data_size, device_name, rough_duration

TRIED_PHOTOS = 32
EXPORT_S = 10.0
"""About what the export takes, after the training."""
NAME_COLUMNS = 11


class DryRunCLI(TrainCLI):
    """The settings of a run that leaves nothing behind."""

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Refuse folders that cannot be written to, and log nothing."""
        check_folder(self.run_folder.place(self.model.style))
        return self.make_trainer(
            logger=False, enable_checkpointing=False, enable_progress_bar=False, **kwargs
        )


def dry_run(arguments: list[str], *, checkpoint: Checkpoint | None = None) -> int:
    """Tell settings, speed, time, memory and disk of a run.

    Args:
        arguments: the settings.
        checkpoint: with which the run would go on; None for a new one.
    Returns:
        The exit status.
    Raises:
        UserError: for all that a run would refuse, and if the disk is too small.
    """
    began_s = time.monotonic() - time.process_time()  # importing is work of one processor
    cli = parse(arguments, checkpoint=checkpoint, kind=DryRunCLI)
    limits = Limits.of(cli.trainer.max_steps, cli.config.trainer.max_time)
    if limits.steps == 0:
        raise UserError(NO_STEP)
    done = Done() if checkpoint is None else Done.in_checkpoint(checkpoint.path)
    is_first = cli.trainer.is_global_zero
    if is_first:
        tell(settings_of(cli, limits, done))
    if done.reaches(limits):
        print_line(NOTHING_LEFT)
        return 0
    trial = Trial()
    cli.trainer.callbacks = [trial]  # type: ignore[attr-defined] # and none that writes
    if status := fit(cli):
        print_notice("nst-train", "interrupted")
        return status
    if is_first:
        tell_needs(cli, trial, limits, done, start_s=trial.ready_s - began_s)
    return 0


def tell(lines: Iterator[tuple[str, str]]) -> None:
    """Print names and values in two columns."""
    for name, value in lines:
        print_line(f"{name:{NAME_COLUMNS}} {value}")


def settings_of(cli: TrainCLI, limits: Limits, done: Done) -> Iterator[tuple[str, str]]:
    """The settings that matter most."""
    system, net = cli.model, cli.model.net
    style = Path(cli.config.model.style)
    width, height = read_image(style).size
    learned_height, learned_width = system.painting.shape[-2:]
    yield "painting", f"{style}, {width}x{height} px, learned at {learned_width}x{learned_height}"
    parameters = sum(value.numel() for value in net.parameters())
    name = tier_of(net.architecture) or net.architecture["name"]
    yield "network", f"{name}, {parameters:,} parameters, {beginning_of(cli)}"
    yield "photos", photos_of(cli)
    crop, batch = cli.datamodule.crop_px, cli.datamodule.batch_size
    yield "batch", f"{counted(batch, 'crop')} of {crop}x{crop} px"
    yield "length", length_of(limits)
    if cli.checkpoint is not None:
        yield "done", counted(done.steps, "step")
    yield "optimizer", f"{system.optimizer_name}, learning rate {system.learning_rate:g}"
    device = device_name(cli.trainer.strategy.root_device, count=cli.trainer.world_size)
    yield "device", f"{device}, {cli.trainer.precision}"
    yield "run folder", folder_of(cli)


def folder_of(cli: TrainCLI) -> str:
    """Where the run would be, and what keeps it from there."""
    folder = str(cli.run_folder.folder)
    if cli.checkpoint is not None or not holds_run(cli.run_folder.folder):
        return folder
    if cli.run_folder.overwrite:
        return f"{folder}, whose run would be replaced"
    return f"{folder}, which holds a run: choose another --out, or --run.overwrite true"


def beginning_of(cli: TrainCLI) -> str:
    """What the network knows before the first step."""
    if cli.checkpoint is not None:
        return f"goes on with {cli.checkpoint.path}"
    begins = cli.model.settings["warm_start"]
    return "begins with nothing" if begins == NOTHING else f"begins with {begins}"


def photos_of(cli: TrainCLI) -> str:
    """How many there are, and whether some of them can be read."""
    folder = cli.datamodule.folder
    tried = spread(folder.paths, TRIED_PHOTOS)
    broken = [
        photo
        for path in tried
        if isinstance(photo := open_photo(path, draft_px=folder.crop_px), str)
    ]
    text = f"{len(folder)} in {cli.config.data.content}, {len(tried)} of them tried: "
    if not broken:
        return f"{text}all can be read"
    return f"{text}{len(broken)} cannot be read and would be left out ({'; '.join(broken)})"


def length_of(limits: Limits) -> str:
    """What ends the run."""
    parts = []
    if limits.steps < math.inf:
        parts.append(counted(int(limits.steps), "step"))
    if limits.seconds < math.inf:
        parts.append(rough_duration(limits.seconds))
    return " or ".join(parts) + (", what comes first" if len(parts) == 2 else "")


def tell_needs(cli: TrainCLI, trial: Trial, limits: Limits, done: Done, *, start_s: float) -> None:
    """Tell what the steps have shown.

    Raises:
        UserError: if the disk is too small.
    """
    export = cli.run_folder.export
    memory = memory_need(cli.trainer.strategy.root_device, export=export)
    each_s = trial.preview.seconds / cli.run_folder.preview_every
    pace = Pace(*(seconds + each_s for seconds in trial.pace))
    rest = rest_of(limits, done, pace=pace, knob_share=cli.model.knob_share)
    export_s = EXPORT_S if export else 0.0
    disk = Need(
        run_folder_bytes(cli, steps=done.steps + rest.steps, preview=trial.preview),
        free_disk_bytes(cli.run_folder.folder),
    )
    tell(needs_of(cli, trial.pace, rest, start_s + rest.seconds + export_s, memory, disk))
    if disk.needed is not None and disk.free is not None and disk.needed > disk.free:
        raise UserError(f"the disk is too small for the run folder {cli.run_folder.folder}")
    print_line("no run folder was made; leave out --dry-run to begin")


def needs_of(
    cli: TrainCLI, pace: Pace, rest: Rest, whole_s: float, memory: Need, disk: Need
) -> Iterator[tuple[str, str]]:
    """Speed, time, memory and disk."""
    images = cli.datamodule.batch_size * cli.trainer.accumulate_grad_batches
    images *= cli.trainer.world_size
    speed = f"{1 / pace.style_s:.3g} steps/s, {images / pace.style_s:.3g} images/s"
    left = counted(rest.steps, "step")
    if cli.model.knob_share:
        speed += f"; {1 / pace.knob_s:.3g} steps/s for strengths below 1"
        left += f", the last {rest.knob_steps} for strengths below 1"
    yield "speed", speed
    yield "to do", left
    yield (
        "time",
        f"{rough_duration(whole_s)} from start to end; begun now, until {end_of_day(whole_s)}",
    )
    has_readers = cli.datamodule.workers != 0 and cli.trainer.strategy.root_device.type == "cpu"
    beside = "; not counted: processes that read photos" if has_readers else ""
    yield "memory", amounts(memory) + beside
    yield "disk", amounts(disk)


def end_of_day(seconds: float) -> str:
    """When something ends that begins now: the time of day, with the date if it is another day."""
    now = datetime.now(UTC).astimezone()
    end = now + timedelta(seconds=seconds)
    return f"{end:%H:%M}" if end.date() == now.date() else f"{end:%Y-%m-%d %H:%M}"


def amounts(need: Need) -> str:
    """Needed and free bytes."""
    needed, free = ("unknown" if each is None else data_size(each) for each in need)
    return f"{needed} needed, {free} free"
