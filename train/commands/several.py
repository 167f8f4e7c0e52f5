"""``nst-train --style paintings/*.jpg``: a run for each painting."""

from collections.abc import Sequence
from pathlib import Path

from nst.infer.errors import UserError
from nst.infer.files import exists, require_file
from nst.models import ModelFileError
from nst.train.callbacks.run_files import RUNS
from nst.train.commands.arguments import Request
from nst.train.commands.children import Job, Queue
from nst.train.commands.plan import Plan, read_plan
from nst.train.painting import style_name


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
        if not exists(path):  # of files that are no pictures the runs tell
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
        name = style_name(path)
        other = by_name.setdefault(name, path)
        if other is not path:
            raise UserError(
                f"two paintings are called {name}: {other} and {path}; rename one of them, or "
                "leave it out"
            )


def job_of(painting: Path, parent: Path, request: Request, plan: Plan) -> Job:
    """The run for one of the paintings: it goes on, where one was interrupted."""
    name = style_name(painting)
    folder = parent / name
    resume = () if plan.overwrite else ("--resume", str(folder))
    export = f"--run.export={str(plan.export).lower()}"  # the run before may have left it out
    arguments = (*resume, *request.rest, export, f"--style={painting}", "--out", str(folder))
    model = folder / f"{name}.onnx"
    result = model if plan.export else folder
    is_done, refusal = False, ""
    try:
        is_done = plan.is_done(folder, painting)
    except (UserError, ModelFileError) as error:
        refusal = str(error)
    return Job(name, folder, arguments, result, is_done, refusal)
