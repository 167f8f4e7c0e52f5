"""What ``nst-infer`` does with videos once its flags are read."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nst.infer.command_line import terminate_as_interrupt
from nst.infer.engine.metadata import ValueRange
from nst.infer.errors import UserError
from nst.infer.files import (
    check_writable,
    ensure_folder,
    exists,
    is_folder,
    is_same_file,
    refuse_existing,
    refuse_inputs,
    require_file,
)
from nst.infer.messages import counted
from nst.infer.stylizer import Stylizer
from nst.infer.video.clip import ClipOutcome, ClipSettings, stylize_clip
from nst.infer.video.formats import FORMS, form_of, named_encoder
from nst.infer.video.report import VideoReport

EXIT_SOME_FAILED = 1
EXIT_INPUT_FAILED = 2


@dataclass(frozen=True, kw_only=True)
class VideoRequest(ClipSettings):
    """What the user wants, of each clip and beside that.

    Attributes:
        clips: the video files.
        left_out: others, which an earlier run made of them.
        styles: the model files.
        mask: the file of the mask, which is never written over.
        out: a file or a folder; None is beside the clips.
        overwrite: whether results that are there are made again.
        value_range, threads, device, max_memory: see ``nst.infer.Stylizer``.
        as_json, quiet, verbose: see ``nst.infer.video.report.VideoReport``.
    """

    clips: Sequence[Path]
    left_out: Sequence[Path]
    styles: Sequence[Path]
    mask: Path | None
    out: str | None
    overwrite: bool
    value_range: ValueRange | None
    threads: int | None
    device: str
    max_memory: int | None
    as_json: bool
    quiet: bool
    verbose: bool

    def open_styles(self) -> dict[str, Stylizer]:
        """The styles by the stems of their files.

        Raises:
            UserError: if one cannot be used.
        """
        return {
            style.stem: Stylizer(
                style,
                value_range=self.value_range,
                threads=self.threads,
                device=self.device,
                max_memory=self.max_memory,
            )
            for style in self.styles
        }


def plan_results(request: VideoRequest) -> list[ClipOutcome]:
    """What ``run_videos`` is to make, before anything is done.

    Raises:
        UserError: if a flag makes no sense, or nothing can be begun.
    """
    if request.codec is not None:
        named_encoder(request.codec)
    names = [style.stem for style in request.styles]
    for name in [name for name in names if names.count(name) > 1][:1]:
        raise UserError(f"two styles are called {name}: rename one, or give it once")
    results = len(request.clips) * len(names)
    folder = read_folder(request.out, results)
    if folder is not None:
        ensure_folder(folder)
    if request.out is not None and folder is None:
        form_of(Path(request.out))
        return [ClipOutcome(request.clips[0], Path(request.out), names[0])]
    return plan(request.clips, names, folder)


def run_videos(request: VideoRequest, outcomes: Sequence[ClipOutcome]) -> int:
    """Stylize all videos with all styles, one after the other.

    Args:
        request: what the user wants.
        outcomes: of ``plan_results``.
    Returns:
        The exit status: 0, 1 if some of several failed, 2 if the only one did.
    Raises:
        UserError: if nothing can be begun.
        KeyboardInterrupt: if the user interrupts it; what is done by then can be played.
    """
    results = len(outcomes)
    if results == 1:  # opening a style takes long
        prepare(outcomes[0], request)
    stylizers = request.open_styles()
    report = VideoReport(
        device=next(iter(stylizers.values())).device,
        as_json=request.as_json,
        quiet=request.quiet,
        verbose=request.verbose,
    )
    if request.left_out:
        videos = counted(len(request.left_out), "video")
        report.notice(f"left out as results of an earlier run: {videos}")
    for path in request.left_out:
        report.detail(f"{path} is left out")
    report.detail(f"{counted(request.workers, 'frame')} at a time")
    with terminate_as_interrupt(), report:
        for outcome in outcomes:
            if results > 1 and exists(outcome.target) and not request.overwrite:
                outcome.skipped = True
            else:
                run_one(outcome, stylizers[outcome.style], request, report)
            report.outcome(outcome)
    if results > 1:
        report.summary()
    failed = EXIT_SOME_FAILED if results > 1 else EXIT_INPUT_FAILED
    return failed if report.counts["failed"] else 0


def run_one(
    outcome: ClipOutcome, stylizer: Stylizer, request: VideoRequest, report: VideoReport
) -> None:
    """Stylize a video with a style; what goes wrong is told to ``outcome``.

    Raises:
        KeyboardInterrupt: if the user interrupts it, who is told what there is.
    """
    try:
        prepare(outcome, request)
        stylize_clip(outcome, stylizer, request, report.progress)
    except UserError as error:
        outcome.error = error
    except KeyboardInterrupt:
        report.interrupted(outcome)
        raise


def prepare(outcome: ClipOutcome, request: VideoRequest) -> None:
    """Find out before the work whether a clip is there and its result can be written.

    Raises:
        UserError: if not.
    """
    require_file(outcome.source)
    target = outcome.target
    masks = () if request.mask is None else (request.mask,)
    refuse_inputs(target, (*request.clips, *request.styles, *masks))
    refuse_existing(target, overwrite=request.overwrite)
    check_writable(target)


def read_folder(out: str | None, results: int) -> Path | None:
    """The folder that ``--out`` names; None if it names a file or was not given.

    Args:
        out: as the user wrote it.
        results: how many there are.
    Raises:
        UserError: if it is empty, or a file although there are several results.
    """
    if out is None:
        return None
    if not out:
        raise UserError("--out is empty: give a file or a folder")
    path = Path(out)
    if is_folder(path) or not path.suffix or out.endswith(("/", os.sep)):
        return path
    if results == 1:
        return None
    if path.suffix.lower() in FORMS:
        raise UserError(f"--out {out} is one file for {results} results: give a folder")
    return path


def plan(clips: Sequence[Path], styles: Sequence[str], folder: Path | None) -> list[ClipOutcome]:
    """Give every result its name.

    That is ``clip.STYLE.ext`` beside the clip, and the clip's own name in a folder of results,
    where ``.STYLE`` is added if there are several or the clip itself is there.

    Raises:
        UserError: if two results would have one name.
    """
    outcomes: dict[str, ClipOutcome] = {}
    for clip in clips:
        plain = clip if folder is None else folder / clip.name
        is_named = len(styles) > 1 or plain == clip or is_same_file(plain, clip)
        for style in styles:
            target = plain.with_stem(f"{clip.stem}.{style}") if is_named else plain
            key = os.path.realpath(target)
            if key in outcomes:
                raise UserError(f"two results would be {target}: give each clip a folder")
            outcomes[key] = ClipOutcome(clip, target, style)
    return list(outcomes.values())
