"""One run: training, export, and what to do next."""

from pytorch_lightning.trainer.states import TrainerStatus
from pytorch_lightning.utilities.exceptions import SIGTERMException

from nst.export import export_onnx
from nst.infer.command_line import EXIT_INTERRUPTED, print_line
from nst.infer.errors import UserError, os_error_reason
from nst.infer.messages import counted
from nst.models import load_trained_net
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.callbacks.run_folder import RunFolder
from nst.train.commands.settings import TrainCLI

EXIT_TERMINATED = 143
NO_STEP = "the run had no step: give --trainer.max_steps at least 1"


def train(cli: TrainCLI) -> int:
    """Train, export, and say what to do next."""
    run_folder = cli.run_folder
    try:
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
        report_interrupt(run_folder)
        return EXIT_TERMINATED if isinstance(error, SIGTERMException) else EXIT_INTERRUPTED
    except OSError as error:
        where = error.filename or run_folder.folder
        raise UserError(f"the training stopped: {where}: {os_error_reason(error)}") from error
    if skipped := sorted(run_folder.skipped_photos()):
        print_line(f"{counted(len(skipped), 'photo')} could not be read and left out:")
        for line in skipped:
            print_line(f"  {line}")
    if run_folder.last_step == 0 and cli.checkpoint is None:
        raise UserError(NO_STEP)
    if not run_folder.export:
        print_line(f"next: nst-export {run_folder.folder} -o {run_folder.folder.name}.onnx")
        return 0
    trained = load_trained_net(run_folder.folder)
    report = export_onnx(trained, run_folder.folder / f"{trained.style}.onnx")
    print_line(report.summary())
    print_line(f"next: nst-infer photo.jpg --style {report.path}")
    return 0


def report_interrupt(run_folder: RunFolder) -> None:
    """Say what an interrupted run left behind."""
    folder = run_folder.folder
    if (folder / LAST_CHECKPOINT).exists():
        print_line(
            f"interrupted; nst-train --resume {folder} goes on, "
            f"nst-export {folder} -o {folder.name}.onnx takes what there is"
        )
    else:
        print_line("interrupted before the first step")
