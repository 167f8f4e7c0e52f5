"""What is judged: a model, a checkpoint, a folder of ready pictures, or the photo itself."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from glob import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

from nst.export import ParityError, export_onnx
from nst.infer.engine.metadata import ValueRange
from nst.infer.errors import UserError
from nst.infer.files import readable
from nst.infer.pictures.images import on_white, read_image
from nst.infer.pictures.photo_files import SUFFIXES
from nst.infer.stylizer import Stylizer
from nst.models import ModelFileError, load_trained_net
from nst.models.checkpoints import LAST_CHECKPOINT
from nst.train.evaluate.stability import Frame
from nst.train.painting import to_tensor

IDENTITY = "identity"
PROPORTIONS_TOLERANCE = 0.03
CHECKPOINT_SUFFIXES = frozenset({".ckpt", ".pth", ".pt", ".model"})


class Subject(NamedTuple):
    """Something that has a picture for every photo.

    Attributes:
        name: for tables; unique.
        picture: photo (H, W, 3) and its file to the stylized picture, of the same size.
        stylize: photo to picture without a file; None for ready pictures, which know no other
            photos than theirs.
        onnx: the model file, where there is one.
        ready: the folder of the ready pictures, where it is one.
    """

    name: str
    picture: Callable[[Frame, Path], Frame]
    stylize: Callable[[Frame], Frame] | None
    onnx: Path | None = None
    ready: Path | None = None


def open_subject(
    text: str,
    *,
    photos: Path,
    exports: Path,
    value_range: ValueRange | None = None,
    threads: int | None = None,
) -> Subject:
    """Find out what the user named.

    Args:
        text: ``identity``, an ONNX file, a run folder or checkpoint, or a folder of pictures that
            have the names of the photos.
        photos: folder of the photos.
        exports: folder for the ONNX files of runs and checkpoints, which are judged as exported.
            It must outlive the subject.
        value_range: of a float model that does not tell it.
        threads: for onnxruntime; None leaves it to it.
    Raises:
        UserError: if it is none of these, or cannot be read.
    """
    if text == IDENTITY:
        return of_function(IDENTITY, lambda frame: frame)
    path = Path(text)
    with readable(path):
        is_folder, is_run = path.is_dir(), (path / LAST_CHECKPOINT).exists()
    if is_folder and not is_run:
        return Subject(path.name, partial(ready_picture, path, photos), None, ready=path)
    trained = is_folder or path.suffix.lower() in CHECKPOINT_SUFFIXES
    model = exported(path, exports) if trained else path
    stylizer = Stylizer(model, value_range=value_range, threads=threads)
    if any(stylizer.fixed_size):
        width, height = (side or "any" for side in stylizer.fixed_size)
        raise UserError(
            f"cannot judge {path}: it takes only pictures of {width}x{height}, export it with open "
            "sizes"
        )
    return of_function(path.name if trained else path.stem, stylizer, model)


def of_function(name: str, stylize: Callable[[Frame], Frame], onnx: Path | None = None) -> Subject:
    """A subject that can stylize anything."""
    return Subject(name, lambda photo, _: stylize(photo), stylize, onnx)


def exported(path: Path, folder: Path) -> Path:
    """A run or checkpoint as an ONNX file of its own in a folder.

    Raises:
        UserError: if it cannot be read, or not exported faithfully.
    """
    target = folder / f"{len(list(folder.iterdir()))}.onnx"
    try:
        export_onnx(load_trained_net(path), target)
    except (ModelFileError, ParityError) as error:
        raise UserError(f"cannot judge {path}: {error}") from error
    return target


def as_tensor(frame: Frame) -> Tensor:
    """(H, W, 3) bytes to (1, 3, H, W) in [0, 1]."""
    return to_tensor(Image.fromarray(frame)).unsqueeze(0)


def find_ready(folder: Path, photos: Path, file: Path) -> Path:
    """The picture in a folder that lies and is named as a photo in the folder of photos.

    Raises:
        UserError: if there is none, or several that differ in their suffix alone.
    """
    wanted = folder / file.relative_to(photos)
    if wanted.is_file():
        return wanted
    found = sorted(wanted.parent.glob(f"{escape(wanted.stem)}.*")) if wanted.parent.is_dir() else []
    found = [path for path in found if path.stem == wanted.stem and path.is_file()]
    found = [path for path in found if path.suffix.lower() in SUFFIXES]
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(path.name for path in found)
        raise UserError(f"{folder} holds {names}: which of them belongs to {file}?")
    raise UserError(f"no picture named {wanted.stem} in {wanted.parent}")


def check_ready(folder: Path, photos: Path, files: Sequence[Path]) -> None:
    """Refuse a folder of ready pictures that lacks one, or has one for two photos.

    Raises:
        UserError: naming the photo.
    """
    owners: dict[Path, Path] = {}
    for file in files:
        ready = find_ready(folder, photos, file)
        if ready in owners:
            raise UserError(f"{ready} cannot belong to both {owners[ready]} and {file}")
        owners[ready] = file


def ready_picture(folder: Path, photos: Path, photo: Frame, file: Path) -> Frame:
    """The picture of a photo in the photo's size.

    Raises:
        UserError: if it cannot be read, or has other proportions.
    """
    path = find_ready(folder, photos, file)
    picture = on_white(read_image(path))
    height, width = photo.shape[:2]
    if abs(math.log(picture.width / picture.height * height / width)) > PROPORTIONS_TOLERANCE:
        raise UserError(
            f"{path} is {picture.width}x{picture.height} px, which is not the shape of {file}"
        )
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))


def with_unique_names(subjects: list[Subject]) -> list[Subject]:
    """Number those that share a name."""
    names = [subject.name for subject in subjects]
    seen: dict[str, int] = {}
    unique = []
    for subject in subjects:
        seen[subject.name] = seen.get(subject.name, 0) + 1
        number = f" ({seen[subject.name]})" if names.count(subject.name) > 1 else ""
        unique.append(subject._replace(name=subject.name + number))
    return unique
