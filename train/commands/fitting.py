"""The steps of a run, and what can end them."""

from pytorch_lightning.trainer.states import TrainerStatus
from pytorch_lightning.utilities.exceptions import SIGTERMException

from nst.infer.command_line import EXIT_INTERRUPTED
from nst.infer.errors import UserError, os_error_reason
from nst.train.commands.settings import TrainCLI
from nst.train.errors import enough_memory
from nst.train.processes import forget_children, joined

EXIT_TERMINATED = 143
LESS_MEMORY = "use a smaller --data.batch_size, --data.crop_px or --model.style_size"


def fit(cli: TrainCLI) -> int:
    """Do the steps.

    Args:
        cli: the settings, and what was made of them.
    Returns:
        0; or the exit status of the program, if it was interrupted.
    Raises:
        UserError: if there is not enough memory or disk, or another process has ended.
    """
    folder = cli.run_folder.folder
    try:
        with joined(folder), enough_memory(LESS_MEMORY):
            cli.trainer.fit(
                cli.model,
                datamodule=cli.datamodule,
                ckpt_path=cli.checkpoint.path if cli.checkpoint else None,
                weights_only=True,
            )
    except SystemExit as error:
        # Lightning ends the process after Ctrl-C, once the callbacks have saved what there is.
        if cli.trainer.state.status != TrainerStatus.INTERRUPTED:
            raise
        forget_children(cli.trainer)
        return EXIT_TERMINATED if isinstance(error, SIGTERMException) else EXIT_INTERRUPTED
    except OSError as error:
        where = error.filename or folder
        raise UserError(f"the training stopped: {where}: {os_error_reason(error)}") from error
    return 0
