"""What the flags of ``nst-infer`` mean for videos."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from nst.infer.command_line import needs_extra
from nst.infer.jobs.batch import share_cores, usable_cores
from nst.infer.jobs.inputs import find_results
from nst.infer.jobs.style_sessions import share_memory, workers_in
from nst.infer.jobs.stylize_run import Request


def plan_videos(
    request: Request, videos: Sequence[Path], flags: Mapping[str, Any]
) -> Callable[[], int]:
    """Find out what is to be done with videos.

    Args:
        request: what is wanted of pictures and videos alike.
        videos: the files.
        flags: those that are for videos alone, as the user wrote them.
    Returns:
        What does it, and gives the exit status.
    Raises:
        UserError: if a flag makes no sense, or nothing can be begun.
    """
    with needs_extra("video"):
        from nst.infer.video.run import VideoRequest, plan_results, run_videos
        from nst.infer.video.timing import read_rate, read_span

    start_s, end_s = read_span(flags["--start"], flags["--end"])
    settings = request.settings
    cores = settings.threads or usable_cores()
    workers = min(cores, workers_in(settings.max_memory)) if settings.device == "cpu" else 1
    many = workers > 1
    crew = share_cores(workers, workers)
    results = find_results(videos, settings.files) if len(videos) > 1 else set()
    wanted = VideoRequest(
        clips=[video for video in videos if video not in results],
        left_out=sorted(results),
        styles=settings.files,
        treatment=settings.treatment,
        steady=flags["--steady"],
        codec=flags["--codec"],
        crf=flags["--crf"],
        rate=read_rate(flags["--fps"]),
        start_s=start_s,
        end_s=end_s,
        max_pixels=request.max_pixels,
        workers=workers,
        cores=cores,
        mask=request.mask,
        out=request.out,
        overwrite=request.overwrite,
        value_range=settings.value_range,
        threads=crew.threads if many else settings.threads,
        device=settings.device,
        max_memory=share_memory(crew, settings.max_memory) if many else settings.max_memory,
        as_json=request.as_json,
        quiet=request.quiet,
        verbose=request.verbose,
    )
    return partial(run_videos, wanted, plan_results(wanted))
