"""Where a run that was interrupted goes on."""

from pathlib import Path
from typing import NamedTuple

import yaml

from nst.infer.command_line import print_notice
from nst.infer.errors import UserError
from nst.models import ModelFileError
from nst.models.tensor_files import read_tensor_file
from nst.train.callbacks.run_files import CONFIG, checkpoint_files, holds_run
from nst.train.callbacks.run_folder import settle_run_before
from nst.train.processes import is_first_process


class Checkpoint(NamedTuple):
    """The state of a training.

    Attributes:
        path: of the file.
        step: that was the last one.
    """

    path: Path
    step: int


def find_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest checkpoint of a run that can be read; says so if it is not the last one.

    Args:
        folder: of the run.
    Returns:
        None if there is no run in it.
    Raises:
        UserError: if there are checkpoints, and none can be read or gone on with; or if the folder
            cannot be looked into.
    """
    if is_first_process():
        settle_run_before(folder)
    if not holds_run(folder):
        return None
    complaints = []
    for path in checkpoint_files(folder):
        try:
            found = Checkpoint(path, int(read_tensor_file(path)["global_step"]))
        except ModelFileError as error:
            complaints.append(str(error))
        except (KeyError, TypeError, ValueError):
            complaints.append(f"{path} has no state of a training")
        else:
            for complaint in complaints if is_first_process() else ():
                print_notice("nst-train", f"{complaint}; going on with {path}, the one before")
            return found
    raise UserError(
        f"nothing to go on with: {'; '.join(complaints)}; where these are beyond help, "
        f"nst-train --style PAINTING --out {folder} --run.overwrite true begins anew"
    )


def resumed_settings(folder: Path) -> list[str]:
    """Arguments that repeat the settings of a run.

    Args:
        folder: of the run.
    Raises:
        UserError: if its settings are gone or damaged.
    """
    config = folder / CONFIG
    if not config.is_file():
        raise UserError(f"cannot resume {folder}: its settings, {config}, are missing")
    try:
        settings = yaml.compose(config.read_bytes(), Loader=yaml.SafeLoader)
        is_whole = isinstance(settings, yaml.MappingNode)
    except (yaml.YAMLError, RecursionError):
        is_whole = False
    if not is_whole:
        raise UserError(
            f"cannot resume {folder}: its settings, {config}, are damaged: write the flags of the "
            "run in their place, as YAML (nst-train --print_config shows the form)"
        )
    return ["--config", str(config), "--run.out", str(folder)]
