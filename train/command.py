"""From the command line to a trained and exported style.

Lightning's command line makes one interface of three: a typed argument of
``StyleTransferSystem``, ``PhotoDataModule``, ``RunFolder`` or Lightning's ``Trainer`` is a flag is
a YAML key (``--model.style``, ``--data.content``, ``--run.out``, ``--trainer.max_steps``). The
short names stand for the flags that everybody needs.
"""

import logging
import re
import sys
import threading
import warnings
from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from jsonargparse import ArgumentError, DefaultHelpFormatter
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.trainer.states import TrainerStatus
from pytorch_lightning.utilities.exceptions import SIGTERMException

from nst.configs import config_names, config_path
from nst.export import ParityError, export_onnx
from nst.infer.command_line import EXIT_INTERRUPTED, print_line
from nst.infer.errors import UserError, os_error_reason
from nst.infer.messages import counted
from nst.models import ModelFileError, load_trained_net
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.photos import PhotoDataModule
from nst.train.precision import default_precision
from nst.train.progress import TrainingProgress
from nst.train.run_folder import RunFolder
from nst.train.system import StyleTransferSystem

EXIT_TERMINATED = 143
DEFAULT_MAX_STEPS = 3000
PRECISIONS = ("32-true", "32", "bf16-mixed", "bf16", "16-mixed", "16")
SHORT_NAMES = {
    "--style": "--model.style",
    "--net": "--model.net",
    "--warm-start": "--model.warm_start",
    "--content": "--data.content",
    "--out": "--run.out",
}
DESCRIPTION = """Train a style on one painting:

  nst-train --style painting.jpg
  nst-train --style painting.jpg --content photos/ --config quality --out runs/painting

Short names: --style is --model.style, --net is --model.net, --warm-start is --model.warm_start,
--content is --data.content, --out is --run.out. --config takes a YAML file or the name of one that
comes with nst.
"""


class HelpFormatter(RawDescriptionHelpFormatter, DefaultHelpFormatter):
    """Keeps the line breaks of the description."""


class TrainCLI(LightningCLI):
    """LightningCLI with a run folder."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the run folder, and what Lightning's own defaults leave open."""
        parser.add_lightning_class_args(RunFolder, "run")
        parser.set_defaults({"model.net": {"class_path": "nst.models.CompactNet"}})

    def before_instantiate_classes(self) -> None:
        """Refuse what cannot work, and resolve what depends on the hardware."""
        settings = self.config.trainer
        refuse_unfit(settings)
        if settings.precision is None:
            settings.precision = default_precision(str(settings.accelerator))
        if settings.max_steps == -1 and settings.max_time is None:
            settings.max_steps = DEFAULT_MAX_STEPS

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Make the run folder first: nothing is worth training that cannot be kept."""
        run_folder: RunFolder = self.config_init.run
        settings = self.parser.dump(self.config, skip_unset=False)
        run_folder.prepare(style=self.model.style, config=settings)
        if self.config.trainer.logger is not False:
            kwargs["logger"] = run_folder.logger()
        if self.config.trainer.enable_progress_bar is not False:
            self.trainer_defaults["callbacks"] = TrainingProgress()
        return super().instantiate_trainer(**kwargs)


def run(argv: Sequence[str] | None = None) -> int:
    """Read the settings, train, export.

    Args:
        argv: the arguments, without the program's name; None takes those of the process.
    Returns:
        The exit status: 0, 130 when interrupted, 143 when terminated.
    Raises:
        UserError: for every mistake of the user.
    """
    quiet_lightning()
    try:
        cli = parse(expand(sys.argv[1:] if argv is None else argv))
        return train(cli)
    except (ModelFileError, ParityError) as error:
        raise UserError(str(error)) from error


def parse(arguments: list[str]) -> TrainCLI:
    """Read the settings and make system, data and trainer of them.

    Raises:
        UserError: if a setting is wrong.
    """
    try:
        return TrainCLI(
            StyleTransferSystem,
            PhotoDataModule,
            args=arguments,
            run=False,
            save_config_callback=None,
            seed_everything_default=0,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            trainer_defaults={
                "devices": 1,
                "enable_checkpointing": False,
                "enable_model_summary": False,
                "log_every_n_steps": 10,
            },
            parser_kwargs={
                "prog": "nst-train",
                "description": DESCRIPTION,
                "formatter_class": HelpFormatter,
                "exit_on_error": False,
            },
        )
    except ArgumentError as error:
        raise UserError(f"{plain(str(error))} (see nst-train --help)") from error
    except (MisconfigurationException, ValueError, TypeError, AttributeError) as error:
        raise UserError(f"wrong settings: {plain(str(error))}") from error


def refuse_unfit(settings: Any) -> None:
    """Refuse settings of Lightning's that mean nothing here, or are not supported.

    Args:
        settings: the parsed arguments of the trainer.
    Raises:
        UserError: naming the flag.
    """
    for name in ("max_epochs", "min_epochs", "limit_train_batches", "overfit_batches"):
        if settings[name] not in (None, 0, 1.0):
            raise UserError(
                f"--trainer.{name} has no meaning here, photos are drawn without end: "
                "use --trainer.max_steps or --trainer.max_time"
            )
    if str(settings.devices) not in ("1", "auto", "[0]") or settings.num_nodes != 1:
        raise UserError("nst-train runs on one device: leave out --trainer.devices and num_nodes")
    if settings.precision is not None and str(settings.precision) not in PRECISIONS:
        raise UserError(
            f"precision {settings.precision} is not supported: use 32-true, bf16-mixed or 16-mixed"
        )


def train(cli: TrainCLI) -> int:
    """Train, export, and say what to do next."""
    run_folder: RunFolder = cli.config_init.run
    try:
        cli.trainer.fit(cli.model, datamodule=cli.datamodule)
    except SystemExit as error:
        # Lightning ends the process after Ctrl-C, once the callbacks have saved what there is.
        if cli.trainer.state.status != TrainerStatus.INTERRUPTED:
            raise
        report_interrupt(run_folder)
        return EXIT_TERMINATED if isinstance(error, SIGTERMException) else EXIT_INTERRUPTED
    except OSError as error:
        where = error.filename or run_folder.folder
        raise UserError(f"the training stopped: {where}: {os_error_reason(error)}") from error
    if count := len(run_folder.unreadable):
        print_line(f"{counted(count, 'photo')} could not be read and left out")
    if run_folder.last_step == 0:
        raise UserError("the run had no step: give --trainer.max_steps at least 1")
    trained = load_trained_net(run_folder.folder)
    report = export_onnx(trained, run_folder.folder / f"{trained.style}.onnx")
    print_line(report.summary())
    print_line(f"next: nst-infer photo.jpg --style {report.path}")
    return 0


def report_interrupt(run_folder: RunFolder) -> None:
    """Say what an interrupted run left behind."""
    folder = run_folder.folder
    if (folder / LAST_CHECKPOINT).exists():
        print_line(f"interrupted; next: nst-export {folder} -o {folder.name}.onnx")
    else:
        print_line("interrupted before the first step")


def expand(arguments: Sequence[str]) -> list[str]:
    """Turn short names into full ones, and names of settings into paths.

    Args:
        arguments: as typed.
    Raises:
        UserError: if --config names neither a file nor settings that come with nst.
    """
    full: list[str] = []
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        head, dot, tail = flag.partition(".")
        if flag in ("-c", "--config") and equals:
            full += ["--config", find_config(value)]
        elif full and full[-1] in ("-c", "--config"):
            full.append(find_config(argument))
        else:
            full.append(SHORT_NAMES.get(head, head) + dot + tail + equals + value)
    return full


def find_config(name: str) -> str:
    """Path of a YAML file, or of settings that come with nst.

    Raises:
        UserError: if there is neither.
    """
    if Path(name).is_file():
        return name
    if name in config_names():
        return str(config_path(name))
    known = ", ".join(config_names())
    raise UserError(f"no settings {name}: give a YAML file or one of {known}")


def plain(message: str) -> str:
    """The parser's message, with the flags as people type them."""
    for short, full in SHORT_NAMES.items():
        key = re.escape(full.removeprefix("--"))
        message = re.sub(rf'(--|")?\b{key}\b(?!\.\w)"?', short, message)
    return message


def quiet_lightning() -> None:
    """Keep Lightning's notes on its own workings off the terminal."""
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    threading.excepthook = quiet_disk_errors


def quiet_disk_errors(arguments: threading.ExceptHookArgs) -> None:
    """Leave a full disk to the main thread, which meets it too; TensorBoard writes in another."""
    if not isinstance(arguments.exc_value, OSError):
        threading.__excepthook__(arguments)
