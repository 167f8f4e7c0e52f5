"""Small copies of large photos: decoding twelve megapixels takes longer than a step on a GPU."""

import hashlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

from PIL import Image

from nst.infer.errors import UserError
from nst.infer.files import ensure_folder
from nst.infer.pictures.images import encode_image, on_white, opened, read_image, write_encoded

LARGE_PIXELS = 1_500_000
"""Smaller photos are decoded in a few milliseconds."""
SPARE = 2
"""How much larger a copy is than it is needed: scaled twice to just the same size, photos blur."""
MOST_BYTES = 4 * 1024**3
COPY_NAME = Path("copy.jpg")


class SmallCopies:
    """Reads photos; of large ones a small copy, which is kept in a folder.

    The first time too it is the copy that is given, so that a run is the same with an empty cache
    and a full one. A folder that cannot be written to is no error: copies are made again then.

    Args:
        folder: where the copies are; None keeps none, and reads the photos themselves.
        short_px: what of a photo is needed: its shorter side, if it is larger.
    """

    def __init__(self, folder: Path | None, *, short_px: int) -> None:
        self.folder = folder
        self.short_px = short_px
        if folder is not None:
            with suppress(UserError):
                ensure_folder(folder)
                drop_oldest(folder, most_bytes=MOST_BYTES)

    def read(self, path: Path) -> Image.Image:
        """A photo, or its copy.

        Args:
            path: the file.
        Returns:
            RGB, upright, transparency on white; a JPEG at least ``short_px`` wide and high.
        Raises:
            UserError: if it cannot be read.
        """
        if self.folder is None or not self.is_large(path):
            return read_photo(path, draft_px=self.short_px)
        return self._read_copy(path, self.folder / self._name(path))

    def is_large(self, path: Path) -> bool:
        """Whether a photo is worth a copy."""
        with opened(path) as image:
            is_wide = min(image.size) > SPARE * self.short_px
            return is_wide and image.width * image.height > LARGE_PIXELS

    def _read_copy(self, path: Path, copy: Path) -> Image.Image:
        with suppress(UserError):
            return read_photo(copy, draft_px=None)
        photo = read_photo(path, draft_px=SPARE * self.short_px)
        scale = SPARE * self.short_px / min(photo.size)
        size = (round(scale * photo.width), round(scale * photo.height))
        encoded = encode_image(photo.resize(size, Image.Resampling.BICUBIC), COPY_NAME)
        with suppress(UserError):
            write_encoded(encoded, copy)
        with Image.open(BytesIO(encoded)) as image:
            return image.convert("RGB")

    def _name(self, path: Path) -> str:
        """Of the copy; another one when the photo changes."""
        status = path.stat()
        what = f"{path.resolve()} {status.st_size} {status.st_mtime_ns} {self.short_px}"
        return f"{hashlib.sha256(what.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.jpg"


def read_photo(path: Path, *, draft_px: int | None) -> Image.Image:
    """RGB, upright, transparency on white; see ``read_image``."""
    return on_white(read_image(path, draft_px=draft_px))


def drop_oldest(folder: Path, *, most_bytes: int) -> None:
    """Make room in a folder that has grown too large: half of it goes, the oldest files first."""
    files = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another run makes room too
            files.append((path.stat(), path))
    total = sum(status.st_size for status, _ in files)
    if total <= most_bytes:
        return
    for status, path in sorted(files, key=lambda each: each[0].st_mtime):
        path.unlink(missing_ok=True)
        total -= status.st_size
        if total <= most_bytes / 2:
            break
