"""What the folder of a run holds, and what to type next."""

import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from nst.models.checkpoints import LAST_CHECKPOINT, PREVIOUS_CHECKPOINT
from nst.train.callbacks.notes import NOTES
from nst.train.callbacks.previews import PREVIEWS
from nst.train.callbacks.run_files import CONFIG, HISTORY, TENSORBOARD
from nst.train.report.record import Record


class RunFile(NamedTuple):
    """A file, or a folder of them: its name, what it is, bytes in all."""

    name: str
    what: str
    size_bytes: int


class Command(NamedTuple):
    """What a command does, and how it is typed."""

    what: str
    line: str


def run_files(record: Record) -> list[RunFile]:
    """What there is of all that a run leaves behind, the model first."""
    kinds = {
        record.model.name: "the exported model",
        CONFIG: "all settings",
        str(LAST_CHECKPOINT): "state of the training, and the network",
        str(PREVIOUS_CHECKPOINT): "the one before it",
        PREVIEWS: "fixed photos, above them what the network made of them",
        HISTORY: "losses, means over ten steps",
        NOTES: "what happened",
        TENSORBOARD: "scalars and previews: "
        + typed("tensorboard", "--logdir", str(record.folder.parent)),
    }
    found = []
    for name, what in kinds.items():
        path = record.folder / name
        if path.is_dir():
            files = [file for file in path.rglob("*") if file.is_file()]
            found.append(RunFile(f"{name}/", what, sum(file.stat().st_size for file in files)))
        elif path.is_file():
            found.append(RunFile(name, what, path.stat().st_size))
    return found


def next_commands(record: Record, settings: Mapping[str, Any]) -> list[Command]:
    """What can be done with a run.

    Args:
        record: of the run.
        settings: by their full names.
    """
    folder, model = str(record.folder), str(record.model)
    style = str(settings.get("model.style", "painting.jpg"))
    longer = ["nst-train", "--resume", folder, "--trainer.max_steps", str(2 * record.steps)]
    if settings.get("trainer.max_time"):
        longer += ["--trainer.max_time", "null"]
    strong = f"{record.trained.style}.onnx"
    return [
        Command("stylize a photo", typed("nst-infer", "photo.jpg", "--style", model)),
        Command(
            "train on, twice as long in all",
            typed(*longer),
        ),
        Command(
            "judge it on other photos, beside other models",
            typed("nst-evaluate", model, "--style", style, "--content", "photos/"),
        ),
        Command(
            "export it with a knob for the strength",
            typed("nst-export", folder, "-o", strong, "--strength"),
        ),
    ]


def typed(*parts: str) -> str:
    """A command line for a shell."""
    return shlex.join(parts)
