"""One run: training, export, report, and what to do next."""

from nst.export import export_onnx
from nst.infer.command_line import print_line, print_notice
from nst.infer.errors import UserError
from nst.infer.files import is_newer
from nst.infer.messages import counted
from nst.models import load_trained_net
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.callbacks.notes import ENLARGED, SKIPPED, Notes
from nst.train.callbacks.previews import PREVIEW_LONG_SIDE_PX, PREVIEW_PHOTOS
from nst.train.callbacks.run_files import REPORT
from nst.train.callbacks.run_folder import RunFolder
from nst.train.commands.fitting import fit
from nst.train.commands.settings import NO_STEP, TrainCLI
from nst.train.signals import ending_as_interrupt, exit_status
from nst.train.wording import device_name

NOTHING_LEFT = (
    "nothing is left of this run: a larger --trainer.max_steps or max_time makes it longer"
)


def train(cli: TrainCLI) -> int:
    """Train, export, and say what to do next. The folder is this run's alone until then."""
    try:
        status = fit(cli)
        if not cli.trainer.is_global_zero:
            return status
        if status:
            report_interrupt(cli.run_folder)
            return status
        return finish_or_stop(cli)
    finally:
        cli.run_folder.release()


def finish_or_stop(cli: TrainCLI) -> int:
    """What follows the steps; a request to end says how to go on with it."""
    with ending_as_interrupt() as came:
        try:
            return finish(cli)
        except KeyboardInterrupt:
            report_interrupt(cli.run_folder)
            return exit_status(came[0])


def finish(cli: TrainCLI) -> int:
    """Say what was left out, export, and say what to do next."""
    run_folder = cli.run_folder
    tell_of_photos(run_folder.notes, crop_px=cli.datamodule.crop_px)
    if run_folder.last_step == 0 and cli.checkpoint is None:
        raise UserError(NO_STEP)
    model = run_folder.folder / f"{cli.model.style}.onnx"
    if cli.checkpoint is not None and run_folder.last_step in (0, cli.checkpoint.step):
        last = run_folder.folder / LAST_CHECKPOINT
        if not last.exists():  # the run is in another one
            raise UserError(NOTHING_LEFT)
        print_line(NOTHING_LEFT)
        page = [run_folder.folder / REPORT] if run_folder.report else []
        if all(is_newer(path, last) for path in (model, *page)):
            print_line(f"next: nst-infer photo.jpg --style {model}")
            return 0
    if run_folder.export:
        print_line(export_onnx(load_trained_net(run_folder.folder), model).summary())
    if run_folder.report:
        tell_of_run(cli)
    if run_folder.export:
        print_line(f"next: nst-infer photo.jpg --style {model}")
    else:
        print_line(f"next: nst-export {run_folder.folder} -o {run_folder.folder.name}.onnx")
    return 0


def tell_of_photos(notes: Notes, *, crop_px: int) -> None:
    """List the photos that were left out, and count those that are smaller than the crops."""
    if skipped := sorted(notes.about(SKIPPED)):
        print_line(f"{counted(len(skipped), 'photo')} could not be read and left out:")
        for line in skipped:
            print_line(f"  {line}")
    if small := notes.about(ENLARGED):
        print_line(
            f"enlarged: {counted(len(small), 'photo')} smaller than the crops of {crop_px} px, "
            f"listed in {notes.path}"
        )


def tell_of_run(cli: TrainCLI) -> None:
    """Write the page about a run; where that fails, say so and leave the run as it is."""
    from nst.train.report.page import write_report

    try:
        photos = cli.datamodule.preview_photos(PREVIEW_PHOTOS, long_side_px=PREVIEW_LONG_SIDE_PX)
        device = device_name(cli.trainer.strategy.root_device, count=cli.trainer.world_size)
        page = write_report(cli.run_folder.folder, photos=photos, device=device)
    except UserError as error:
        print_notice("nst-train", f"no report: {error}")
    else:
        print_line(f"report: {page}")


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
