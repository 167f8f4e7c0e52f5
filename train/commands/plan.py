"""The settings of several runs, before any of them begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from nst.infer.errors import UserError
from nst.infer.files import is_newer
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.callbacks.run_files import holds_run
from nst.train.commands.limits import Limits, is_finished
from nst.train.commands.same_settings import refuse_other_settings
from nst.train.commands.settings import TrainCLI, parse
from nst.train.painting import style_name
from nst.train.photos import PhotoDataModule


@dataclass(frozen=True)
class Plan:
    """What the settings say of all of them.

    Attributes:
        out: the folder that was named, if one was.
        overwrite: whether finished runs are done anew.
        export: whether runs write an ONNX file.
        limits: what ends each of them.
        is_limited: whether the user named a limit.
        settings: of the runs, by section and name.
        style: the painting.
        data: the photos.
    """

    out: Path | None
    overwrite: bool
    export: bool
    limits: Limits
    is_limited: bool
    settings: Mapping[str, Any]
    style: Path
    data: PhotoDataModule

    def parent(self, default: Path) -> Path:
        """The folder that holds the folders of the runs.

        Raises:
            UserError: if it is the folder of a run.
        """
        out = default if self.out is None else Path(self.out)
        if holds_run(out):
            raise UserError(f"{out} is the folder of one run: name another --out for several")
        return out

    def is_done(
        self, folder: Path, style: Path, *, apart_from: frozenset[str] = frozenset()
    ) -> bool:
        """Whether there is nothing left to do for one of the runs.

        Args:
            folder: of the run.
            style: its painting.
            apart_from: settings in which the runs differ.
        Raises:
            UserError: if there is a finished run of another painting or with other settings.
        """
        if self.overwrite or not is_finished(folder, self.limits):
            return False
        refuse_other_settings(folder, self.settings, style=style, apart_from=apart_from)
        model = folder / f"{style_name(style)}.onnx"
        return not self.export or is_newer(model, folder / LAST_CHECKPOINT)


class PlanCLI(TrainCLI):
    """The settings alone, and the photos: each run makes its own network and losses."""

    is_limited = False

    def before_instantiate_classes(self) -> None:
        """Find out what the user named before defaults are filled in."""
        trainer = self.config.trainer
        self.is_limited = trainer.max_steps != -1 or trainer.max_time is not None
        super().before_instantiate_classes()

    def instantiate_classes(self) -> None:
        """The photos; wrong ones are told once, and not by each run."""
        data: dict[str, Any] = self.config.data.as_dict()
        self.datamodule = PhotoDataModule(**data)


def read_plan(arguments: list[str]) -> Plan:
    """Read the settings.

    Args:
        arguments: of one of the runs.
    Raises:
        UserError: if a setting is wrong.
    """
    cli = parse(arguments, kind=PlanCLI)
    assert isinstance(cli, PlanCLI)
    run, trainer = cli.config.run, cli.config.trainer
    return Plan(
        out=run.out,
        overwrite=run.overwrite,
        export=run.export,
        limits=Limits.of(trainer.max_steps, trainer.max_time),
        is_limited=cli.is_limited,
        settings=yaml.safe_load(cli.settings_to_keep()),
        style=Path(cli.config.model.style),
        data=cli.datamodule,
    )
