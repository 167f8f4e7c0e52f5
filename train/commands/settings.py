"""Lightning's command line: settings become system, photos, run folder and trainer."""

import logging
import threading
import warnings
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from jsonargparse import ArgumentError
from lightning_fabric.utilities.exceptions import MisconfigurationException
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.strategies import DDPStrategy

from nst.infer.errors import UserError
from nst.train.callbacks.checkpoints import PlainCheckpoints
from nst.train.callbacks.progress import TrainingProgress
from nst.train.callbacks.run_folder import RunFolder
from nst.train.commands.arguments import DESCRIPTION, HELP_ALL, did_you_mean, plain
from nst.train.commands.help import USAGE, FullHelp, ShortHelp, is_usual
from nst.train.commands.resume import Checkpoint
from nst.train.errors import refuse_too_large
from nst.train.photos import PhotoDataModule
from nst.train.precision import default_precision
from nst.train.processes import together
from nst.train.system import StyleTransferSystem
from nst.train.warm_start import NOTHING

DEFAULT_MAX_STEPS = 3000
NO_STEP = "the run had no step: give --trainer.max_steps at least 1"
STRATEGIES = ("auto", "ddp")
TRAINER_DEFAULTS: Mapping[str, Any] = {
    "devices": 1,
    "enable_checkpointing": False,
    "enable_model_summary": False,
    "log_every_n_steps": 10,
    "use_distributed_sampler": False,  # photos are shared out by our own
}
"""Where they are others than Lightning's."""
WRONG_SETTINGS = (
    *(MisconfigurationException, ModuleNotFoundError),
    *(ValueError, TypeError, AttributeError),
)
"""What Lightning raises about settings, some of which need packages."""
STEP_BYTES_PER_PIXEL = 1500
"""At least, for a small network and the VGG; 2200 with the losses that are on by default."""
PRECISIONS = ("32-true", "32", "bf16-mixed", "bf16", "16-mixed", "16")


class TrainCLI(LightningCLI):
    """LightningCLI with a run folder.

    Args:
        arguments: the settings.
        checkpoint: with which a run goes on; None for a new one.
    """

    def __init__(self, arguments: list[str], *, checkpoint: Checkpoint | None = None) -> None:
        self.checkpoint = checkpoint
        super().__init__(
            StyleTransferSystem,
            PhotoDataModule,
            args=["--help" if argument == HELP_ALL else argument for argument in arguments],
            run=False,
            save_config_callback=None,
            seed_everything_default=0,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            trainer_defaults=dict(TRAINER_DEFAULTS),
            parser_kwargs={
                "prog": "nst-train",
                "usage": USAGE,
                "description": DESCRIPTION,
                "formatter_class": FullHelp if HELP_ALL in arguments else ShortHelp,
                "exit_on_error": False,
            },
        )

    @property
    def run_folder(self) -> RunFolder:
        """What the run leaves behind."""
        folder: RunFolder = self.config_init.run
        return folder

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """As Lightning does; a setting that there is not is told with one that there is."""
        try:
            super().parse_arguments(parser, args)
        except ArgumentError as error:
            hint = did_you_mean(str(error), filter(is_usual, parser.get_defaults().keys()))
            raise ArgumentError(None, f"{error}{hint}") from error

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Add the run folder, and what Lightning's own defaults leave open."""
        parser.add_lightning_class_args(RunFolder, "run")
        parser.set_defaults({"model.net": {"class_path": "nst.models.CompactNet"}})

    def before_instantiate_classes(self) -> None:
        """Refuse what cannot work, and resolve what depends on the hardware."""
        settings = self.config.trainer
        if self.config.seed_everything is False:
            raise UserError("--seed_everything takes a number here, or true, which draws one")
        refuse_unfit(settings)
        if settings.precision is None:
            settings.precision = default_precision(str(settings.accelerator))
        self.is_default_length = settings.max_steps == -1 and settings.max_time is None
        if self.is_default_length:
            settings.max_steps = DEFAULT_MAX_STEPS
        self.warm_start = self.config.model.warm_start
        if self.checkpoint is not None:  # which has the weights: what they began with may be gone
            self.config.model.warm_start = NOTHING

    def instantiate_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Make the trainer, and then the run folder: wrong settings must leave none."""
        if self.config.trainer.max_steps == 0 and self.checkpoint is None:
            raise UserError(NO_STEP)
        run_folder = self.run_folder
        run_folder.place(self.model.style)
        after_step = self.checkpoint.step if self.checkpoint else 0
        if self.config.trainer.logger is not False:
            kwargs["logger"] = run_folder.logger(after_step=after_step)
        if self.config.trainer.enable_progress_bar is not False:
            self.trainer_defaults["callbacks"] = TrainingProgress()
        trainer = self.make_trainer(**kwargs)
        self.config.model.warm_start = self.warm_start
        run_folder.prepare(
            style=self.model.style,
            config=self.settings_to_keep(),
            resume=self.checkpoint.path if self.checkpoint else None,
        )
        return trainer

    def settings_to_keep(self) -> str:
        """The settings as YAML, as they were named.

        Without the leave to overwrite: whoever repeats a run means another folder.
        """
        kept = self.config.clone()
        kept.run.overwrite = False
        if self.is_default_length:
            kept.trainer.max_steps = -1
        return str(self.parser.dump(kept, skip_unset=False))

    def make_trainer(self, **kwargs: Any) -> pl.Trainer:
        """Lightning's trainer; ``kwargs`` win over the settings.

        Raises:
            UserError: if SLURM was asked for something else, or no memory holds a step.
            ValueError: likewise.
        """
        if trains_together(self.config.trainer):
            kwargs["strategy"] = together()
        try:
            trainer = super().instantiate_trainer(**kwargs)
        except RuntimeError as error:
            raise UserError(f"wrong settings: {error}") from error
        refuse_large_steps(trainer, self.datamodule)
        trainer.strategy.checkpoint_io = PlainCheckpoints()
        if isinstance(trainer.strategy, DDPStrategy) and trainer.strategy.cluster_environment:
            trainer.strategy.cluster_environment.validate_settings(
                num_devices=trainer.num_devices, num_nodes=trainer.num_nodes
            )
        return trainer


def parse(
    arguments: list[str], *, checkpoint: Checkpoint | None = None, kind: type[TrainCLI] = TrainCLI
) -> TrainCLI:
    """Read the settings and make system, data and trainer of them.

    Args:
        arguments: the settings.
        checkpoint: with which a run goes on; None for a new one.
        kind: what is made of them, if not all of a run.
    Raises:
        UserError: if a setting is wrong.
    """
    quiet_lightning()
    try:
        return kind(arguments, checkpoint=checkpoint)
    except ArgumentError as error:
        raise UserError(f"{plain(str(error))} (see nst-train --help)") from error
    except WRONG_SETTINGS as error:
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
    if settings.accumulate_grad_batches < 1:
        raise UserError("--trainer.accumulate_grad_batches must be at least 1")
    if settings.logger not in (None, True, False):
        raise UserError(
            "--trainer.logger takes true or false here: losses go to the TensorBoard files and "
            "the history.csv of the run's folder"
        )
    if settings.use_distributed_sampler:
        raise UserError("leave out --trainer.use_distributed_sampler: photos are shared out here")
    if settings.strategy not in STRATEGIES:
        raise UserError(f"--trainer.strategy is one of {' or '.join(STRATEGIES)}")
    if settings.precision is not None and str(settings.precision) not in PRECISIONS:
        raise UserError(
            f"precision {settings.precision} is not supported: use 32-true, bf16-mixed or 16-mixed"
        )


def refuse_large_steps(trainer: pl.Trainer, data: PhotoDataModule) -> None:
    """Refuse crops and batches that no estimate lets fit into the memory of this machine.

    Raises:
        UserError: if so. A GPU says so itself.
    """
    if trainer.strategy.root_device.type == "cpu":
        pixels = data.batch_size * data.crop_px**2 * trainer.num_devices
        refuse_too_large(
            pixels * STEP_BYTES_PER_PIXEL,
            what="a step",
            flag="--data.crop_px or --data.batch_size",
        )


def trains_together(settings: Any) -> bool:
    """Whether several processes are asked for."""
    devices = str(settings.devices)
    if devices == "auto" and str(settings.accelerator) != "cpu":
        devices = str(max(1, torch.cuda.device_count()))
    alone = devices in ("1", "auto", "[0]") and settings.num_nodes == 1
    return settings.strategy == "ddp" or not alone


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
