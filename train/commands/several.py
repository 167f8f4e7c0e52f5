"""``nst-train --style paintings/*.jpg``: a run for each painting."""

from collections.abc import Sequence
from pathlib import Path

from nst.infer.errors import UserError
from nst.infer.files import is_file, require_file
from nst.train.callbacks.run_folder import RUNS
from nst.train.commands.arguments import Request
from nst.train.commands.children import Job, Queue
from nst.train.commands.limits import is_finished
from nst.train.commands.plan import Plan, read_plan


def train_each(request: Request) -> int:
    """Train a network for each painting, each in a folder of its own.

    Args:
        request: with several paintings.
    Returns:
        The exit status.
    Raises:
        UserError: if nothing can be begun.
    """
    paintings = [Path(style) for style in request.styles]
    for path in paintings:
        require_file(path)
    refuse_same_names(paintings)
    plan = read_plan(request.settings())
    parent = plan.parent(RUNS)
    queue = Queue()
    queue.run([job_of(path, parent, request, plan) for path in paintings])
    return queue.report()


def refuse_same_names(paintings: Sequence[Path]) -> None:
    """Each has its folder, and a style the name of its painting.

    Raises:
        UserError: if two would have one folder.
    """
    by_name: dict[str, Path] = {}
    for path in paintings:
        other = by_name.setdefault(path.stem, path)
        if other is not path:
            raise UserError(
                f"two paintings are called {path.stem}: {other} and {path}; rename one of them, or "
                "leave it out"
            )


def job_of(painting: Path, parent: Path, request: Request, plan: Plan) -> Job:
    """The run for one of the paintings: it goes on, where one was interrupted."""
    folder = parent / painting.stem
    resume = () if plan.overwrite else ("--resume", str(folder))
    arguments = (*resume, *request.rest, f"--style={painting}", "--out", str(folder))
    model = folder / f"{painting.stem}.onnx"
    is_done = is_file(model) if plan.export else is_finished(folder, plan.limits)
    return Job(
        painting.stem,
        folder,
        arguments,
        result=model if plan.export else folder,
        is_done=is_done and not plan.overwrite,
    )
