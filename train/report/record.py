"""What the checkpoint and the files of a run say."""

from dataclasses import dataclass
from pathlib import Path

from nst.infer.errors import UserError, os_error_reason
from nst.models import ModelFileError, TrainedNet, load_trained_net
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.models.tensor_files import read_tensor_file
from nst.train.callbacks.history import Row, read_history
from nst.train.callbacks.notes import ENLARGED, NOTES, SKIPPED
from nst.train.callbacks.run_files import CONFIG, HISTORY
from nst.train.callbacks.run_folder import RunFolder
from nst.train.photos import PhotoDataModule


@dataclass(frozen=True)
class Record:
    """What is known of a run.

    Attributes:
        folder: of the run.
        trained: the network and what its checkpoint tells of it.
        steps: of the training, all parts of a resumed run together.
        seconds: of training, interruptions left out.
        images: photos that were looked at, as often as they were.
        rows: of the history, none if there is none.
        notes: what users were told, a line each.
        config: the settings as YAML; empty if they are missing.
    """

    folder: Path
    trained: TrainedNet
    steps: int
    seconds: float
    images: int
    rows: list[Row]
    notes: list[str]
    config: str

    @property
    def images_per_s(self) -> float:
        """Speed over the whole run, with checkpoints and previews."""
        return self.images / self.seconds if self.seconds > 0 else 0.0

    @property
    def title(self) -> str:
        """Of the painting, or the name of the style."""
        return self.trained.credit.get("title") or self.trained.style

    @property
    def model(self) -> Path:
        """The exported network; it need not be there."""
        return self.folder / f"{self.trained.style}.onnx"

    @property
    def skipped(self) -> list[str]:
        """Photos that were left out, and why."""
        return [line.removeprefix(SKIPPED) for line in self.notes if line.startswith(SKIPPED)]

    @property
    def events(self) -> list[str]:
        """What else happened."""
        return [line for line in self.notes if not line.startswith((SKIPPED, ENLARGED))]

    @property
    def enlarged(self) -> int:
        """How many photos were smaller than the crops."""
        return sum(line.startswith(ENLARGED) for line in self.notes)


def read_record(folder: Path) -> Record:
    """Read it.

    Args:
        folder: of a run with a checkpoint.
    Raises:
        UserError: if the checkpoint is missing or not one of nst-train, or a file cannot be read.
    """
    try:
        trained = load_trained_net(folder)
        state = read_tensor_file(folder / LAST_CHECKPOINT)
        return Record(
            folder,
            trained,
            steps=int(state["global_step"]),
            seconds=float(state["callbacks"][RunFolder.__name__]["seconds"]),
            images=int(state[PhotoDataModule.__name__]["drawn"]),
            rows=read_history(folder / HISTORY),
            notes=read_text(folder / NOTES).splitlines(),
            config=read_text(folder / CONFIG),
        )
    except ModelFileError as error:
        raise UserError(str(error)) from error
    except KeyError as error:
        raise UserError(f"the checkpoint of {folder} does not tell {error}") from error
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {os_error_reason(error)}") from error


def read_text(path: Path) -> str:
    """A file's text, whatever bytes are in it; empty if it is missing."""
    return path.read_text(encoding="utf-8", errors="backslashreplace") if path.exists() else ""
