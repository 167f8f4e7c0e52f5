"""What ``nst-infer`` does once its flags are read."""

import sys
from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from nst.infer.command_line import print_bytes, terminate_as_interrupt
from nst.infer.errors import UserError, is_disk_full
from nst.infer.files import ensure_folder, refuse_existing, require_file
from nst.infer.jobs.batch import (
    Batch,
    Crew,
    Gate,
    Halt,
    pixels_in_flight,
    share_cores,
    usable_cores,
)
from nst.infer.jobs.inputs import Found, find_pictures, take_shard
from nst.infer.jobs.one_photo import Outcome, Studio
from nst.infer.jobs.outputs import (
    Destination,
    FileId,
    Job,
    check_target,
    file_ids,
    is_there,
    plan,
    read_destination,
    read_format,
)
from nst.infer.jobs.report import Report
from nst.infer.jobs.style_sessions import StyleSettings, open_styles, workers_in
from nst.infer.pictures.images import Source, suffix_of_format
from nst.infer.pictures.photo import read_photo

STDIN = STDOUT = "-"
ALONE = Crew(workers=1, threads=1)
EXIT_SOME_FAILED = 1
EXIT_INPUT_FAILED = 2


@dataclass(frozen=True)
class Request:
    """What the user wants.

    Attributes:
        words: pictures, folders and patterns, or ``-`` alone.
        settings: the styles, and how they are used.
        out: a file or a folder; None is beside the pictures.
        form: format of the results, such as ``webp``; None is that of the pictures.
        recursive: whether to look into the folders of a folder.
        shard: such as ``3/8``.
        overwrite: whether results that are there are made again.
        quality: 1 to 100, for formats that have one; None is the photo's own.
        max_pixels: the most that a picture may have.
        mask: the file of the mask in ``settings``, which is never written over.
        as_json, quiet, verbose: see ``nst.infer.jobs.report.Report``.
    """

    words: Sequence[str]
    settings: StyleSettings
    out: str | None
    form: str | None
    recursive: bool
    shard: str | None
    overwrite: bool
    quality: int | None
    max_pixels: int
    mask: Path | None
    as_json: bool
    quiet: bool
    verbose: bool

    def report(self, total: int = 1) -> Report:
        """A report of so many results."""
        return Report(
            device=self.settings.device,
            as_json=self.as_json,
            quiet=self.quiet,
            verbose=self.verbose,
            total=total,
        )

    def inputs_with(self, pictures: Iterable[Path]) -> Set[FileId]:
        """All files that are never written over: pictures, styles, the mask."""
        masks = () if self.mask is None else (self.mask,)
        return file_ids((*self.settings.files, *masks, *pictures))

    def studio(
        self,
        inputs: Set[FileId],
        crew: Crew,
        on_progress: Callable[[float], None] = lambda _: None,
    ) -> Studio:
        """Open the styles.

        Args:
            inputs: of files that are never written over.
            crew: how the cores are shared out.
            on_progress: see ``Stylizer.stylize_image``.
        Raises:
            UserError: if a style cannot be used.
        """
        halt = Halt()
        return Studio(
            open_styles(self.settings, crew, halt, on_progress),
            Gate(pixels_in_flight()),
            halt,
            inputs=inputs,
            overwrite=self.overwrite,
            quality=self.quality,
            max_pixels=self.max_pixels,
            seen_size=self.settings.treatment.seen_size,
        )


class StandardInput(BytesIO):
    """What came in by the standard input."""

    def __str__(self) -> str:
        return "the standard input"


def run(request: Request) -> int:
    """Stylize all that was asked for.

    Returns:
        The exit status: 0, 1 if results of a batch failed, 2 if all of the only input did.
    Raises:
        UserError: if nothing can be begun, or the only result fails.
        KeyboardInterrupt: if the user interrupts it; what is written by then is whole.
    """
    styles = request.settings.files
    for style in styles:
        require_file(style)
    names = [style.stem for style in styles]
    for name in [name for name in names if names.count(name) > 1][:1]:
        raise UserError(f"two styles are called {name}: rename one, or give it once")
    form = read_format(request.form)
    if STDIN in request.words:
        return run_stdin(request, form)
    found = find_pictures(
        request.words,
        recursive=request.recursive,
        styles=styles,
        out=Path(request.out) if request.out else None,
    )
    one = found.one_file and len(styles) == 1
    if request.out == STDOUT:
        if not one:
            raise UserError("--out - takes one picture and one style")
        require_file(found.pictures[0].path)
        return print_picture(request, lambda: found.pictures[0].path, form)
    to = read_destination(request.out, one=one, form=form)
    if not file_ids(picture.path for picture in found.pictures):
        raise no_input(found)
    jobs = plan(found.pictures, names, to, form)
    inputs = request.inputs_with(picture.path for picture in found.pictures)
    if one and request.shard is None:
        return run_one(request, jobs[0], to, inputs)
    return run_batch(request, found, take_shard(jobs, request.shard), to, inputs)


def no_input(found: Found) -> UserError:
    """Why there is not a single picture."""
    try:
        for picture in found.pictures:
            require_file(picture.path)
    except UserError as error:
        return error
    return found.failures[0].error


def run_one(request: Request, job: Job, to: Destination, inputs: Set[FileId]) -> int:
    """Stylize one picture with one style.

    Raises:
        UserError: if there is no result.
    """
    (target,) = job.targets
    if isinstance(job.picture, Path):
        require_file(job.picture)
    if is_there(target, inputs):
        refuse_existing(target, overwrite=request.overwrite)
    if to.folder is None:
        check_target(target)
    report = request.report()
    studio = request.studio(inputs, ALONE, report.progress)
    if to.folder is not None:
        ensure_folder(target.parent)
    # In a thread of its own: a network cannot be stopped, and Ctrl-C would wait for it.
    batch = Batch(studio.results, workers=1, halt=studio.halt)
    with terminate_as_interrupt(), report, closing(batch.run([job])) as outcomes:
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error
            report.outcome(outcome)
    return 0


def run_stdin(request: Request, form: str | None) -> int:
    """Stylize what comes in by the standard input.

    Raises:
        UserError: if there is no result, or it cannot go anywhere.
    """
    if len(request.words) > 1 or len(request.settings.files) > 1:
        raise UserError(
            "- is one picture, from the standard input: it takes no others and one style"
        )
    if request.recursive or request.shard is not None:
        raise UserError("- is one picture, from the standard input: no --recursive, no --shard")
    inputs = request.inputs_with(())
    if request.out in (None, STDOUT):
        return print_picture(request, read_stdin, form)
    to = read_destination(request.out, one=True, form=form)
    if to.folder is not None:
        raise UserError("- has no name for a file in a folder: give -o a file")
    assert to.file is not None
    return run_one(request, Job(read_stdin(), (to.file,)), to, inputs)


def read_stdin() -> StandardInput:
    """All of the standard input."""
    return StandardInput(sys.stdin.buffer.read())


def print_picture(request: Request, read: Callable[[], Source], form: str | None) -> int:
    """Stylize one picture with one style and write the result to the standard output.

    Args:
        request: what the user wants.
        read: gives the picture.
        form: suffix of the result; None is that of the picture.
    Raises:
        UserError: if there is no result, or it cannot go anywhere.
    """
    if request.as_json:
        raise UserError("--json and the picture would both go to the standard output: add -o FILE")
    if sys.stdout.isatty():
        raise UserError("the picture would go to the terminal: redirect the output or add -o FILE")
    studio = request.studio(frozenset(), ALONE)
    source = read()
    photo = read_photo(source, max_pixels=request.max_pixels)
    target = Path(f"{STDIN}{form or suffix_of_format(photo.format)}")
    (style,) = studio.styles(True)
    outcome = Outcome(source, target, style.name)
    encoded = studio.encode(source, photo, style, outcome)
    for text in outcome.notices:
        request.report().notice(text)
    print_bytes(encoded)
    return 0


def run_batch(
    request: Request, found: Found, jobs: Sequence[Job], to: Destination, inputs: Set[FileId]
) -> int:
    """Stylize many pictures, or one with several styles.

    Returns:
        The exit status: 0, 1 if results failed, 2 if all of the only input did.
    Raises:
        UserError: if a style or the folder of results cannot be used.
        KeyboardInterrupt: if the user interrupts it.
    """
    report = request.report(sum(len(job.targets) for job in jobs))
    tell_found(report, found)
    cores = min(request.settings.threads or usable_cores(), workers_in(request.settings.max_memory))
    crew = share_cores(cores, max(1, len(jobs)))
    report.detail(f"{len(jobs)} pictures, {crew.workers} at a time")
    studio = request.studio(inputs, crew)
    if to.folder is not None:
        ensure_folder(to.folder)
    batch = Batch(studio.results, workers=crew.workers, halt=studio.halt)
    left = 0
    try:
        with terminate_as_interrupt(), report, closing(batch.run(jobs)) as outcomes:
            for outcome in outcomes:
                report.outcome(outcome)
                if is_disk_full(outcome.error):
                    left += batch.stop()
    except KeyboardInterrupt:
        for outcome in batch.rest():
            report.outcome(outcome)
        report.interrupted()
        raise
    if left:
        report.error(UserError(f"the disk is full: {left} pictures were not begun"))
    report.summary()
    failed = EXIT_INPUT_FAILED if found.one_file else EXIT_SOME_FAILED
    return failed if report.counts["failed"] else 0


def tell_found(report: Report, found: Found) -> None:
    """Tell what of the inputs is left out, and what cannot be used."""
    if found.results:
        first, *others = found.results
        more = f" and {len(others)} more" if others else ""
        report.notice(f"left out as results of an earlier run: {first}{more}")
    for path in found.results:
        report.detail(f"{path} is left out")
    if found.videos:
        report.notice(f"{found.videos} videos in folders are left out: name them to stylize them")
    for failure in found.failures:
        report.failure(*failure)
