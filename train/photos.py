"""A folder of photos as training batches."""

import atexit
import multiprocessing
import os
import signal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from PIL import Image, ImageOps
from torch import Generator, Tensor
from torch.utils.data import DataLoader, Dataset

from nst.infer.command_line import print_notice
from nst.infer.errors import UserError, one_line
from nst.infer.messages import counted
from nst.infer.pictures.photo_files import find_photos, spread
from nst.models import StyleNet
from nst.train.cache_folder import cache_folder
from nst.train.draws import Draw, EndlessSampler, Share
from nst.train.folder_lock import leave_locks
from nst.train.painting import to_tensor
from nst.train.processes import is_first_process
from nst.train.signals import END_SIGNALS
from nst.train.small_copies import SmallCopies, read_photo

PACKAGED_PHOTOS = Path(__file__).parent / "content"
"""Eleven photos that come with nst."""

MIN_CROP_PX = 48
# Photos are shrunk so that the crop takes between all and 1 / MAX_ZOOM of the short side.
MAX_ZOOM = 1.5


class PhotoBatch(NamedTuple):
    """Crops, and what is to be said of the files they were made from.

    Attributes:
        photos: (B, 3, crop, crop), float32, RGB in [0, 1].
        seeds: of whatever else is random about each of them.
        unreadable: file and reason, one line each.
        small: files that were enlarged to the crop, and their size, one line each.
    """

    photos: Tensor
    seeds: list[int]
    unreadable: list[str]
    small: list[str]


class Crop(NamedTuple):
    """One item: (3, crop, crop), a seed for the rest, and the unreadable files met on the way.

    ``photo`` is None where no file could be read any more; ``small`` names it if it was enlarged.
    """

    photo: Tensor | None
    seed: int
    unreadable: list[str]
    small: str | None = None


class PhotoFolder(Dataset[Crop]):
    """Random crops of the photos in a folder and its subfolders.

    An unreadable file gives a crop of the next readable one.

    Args:
        folder: is searched recursively for JPEG, PNG and WebP files; hidden ones are left out.
        crop_px: side of the crops.
        cache: where small copies of large photos are kept; None for nowhere.
    Raises:
        UserError: if the folder is missing, or no photo in it can be read.
    """

    def __init__(self, folder: Path, *, crop_px: int, cache: Path | None = None) -> None:
        self.crop_px = crop_px
        self.copies = SmallCopies(cache, short_px=round(crop_px * MAX_ZOOM))
        self.paths = find_photos(folder)
        if not any(isinstance(open_photo(path, draft_px=1), Image.Image) for path in self.paths):
            raise UserError(f"none of the photos in the content folder {folder} can be read")

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, draw: Draw) -> Crop:
        unreadable: list[str] = []
        for step in range(len(self.paths)):
            path = self.paths[(draw.photo + step) % len(self.paths)]
            try:
                photo = self.copies.read(path)
            except UserError as error:
                unreadable.append(str(error))
                continue
            generator = Generator().manual_seed(draw.seed)
            crop = random_crop(photo, self.crop_px, generator)
            seed = int(torch.randint(2**62, (), generator=generator))
            small = None
            if min(photo.size) < self.crop_px:
                small = one_line(f"{path} is {photo.width}x{photo.height} px")
            return Crop(crop, seed, unreadable, small)
        return Crop(None, draw.seed, unreadable)


class PhotoDataModule(pl.LightningDataModule):
    """Batches of random square crops from a folder of photos.

    Args:
        content: folder of photos, searched recursively (JPEG, PNG, WebP); eleven that come with nst
            if not given. About a thousand are a little better.
        crop_px: side of the square crops, in pixels, at least 48.
        batch_size: photos per step and device.
        workers: processes per device that read photos; by default one per spare core, at most 8.
        cache: keep small copies of photos above 1.5 megapixels in ~/.cache/nst/photos, so
            that they are decoded once; when a run begins, the oldest above 4 GB go.
    Raises:
        UserError: if the folder is missing or holds no readable photo, or a number is too small.
    """

    def __init__(
        self,
        content: Path = PACKAGED_PHOTOS,
        crop_px: int = 192,
        batch_size: int = 1,
        workers: int | None = None,
        cache: bool = True,
    ) -> None:
        super().__init__()
        if crop_px < MIN_CROP_PX or batch_size < 1 or (workers is not None and workers < 0):
            raise UserError(
                f"crop_px must be at least {MIN_CROP_PX}, batch_size at least 1 "
                "and workers at least 0"
            )
        copies = cache_folder("photos") if cache else None
        self.folder = PhotoFolder(Path(content), crop_px=crop_px, cache=copies)
        self.crop_px = crop_px
        self.batch_size = batch_size
        self.workers = workers
        self.drawn = 0

    def facts(self) -> dict[str, int]:
        """What a model may tell of the photos that it was trained on."""
        return {
            "photos": len(self.folder),
            "crop_px": self.crop_px,
            "batch_size": self.batch_size * self.share.processes,
        }

    def train_dataloader(self) -> DataLoader[Crop]:
        """Endless batches, in an order that the seed decides."""
        trainers = 1 if self.trainer is None else self.trainer.num_devices
        workers = default_workers(trainers) if self.workers is None else self.workers
        if workers:
            end_readers_at_exit()
        return DataLoader(
            self.folder,
            batch_size=self.batch_size,
            sampler=EndlessSampler(
                len(self.folder),
                seed=torch.initial_seed(),
                batch_size=self.batch_size,
                share=self.share,
                skip=self.drawn,
            ),
            num_workers=workers,
            collate_fn=collate,
            persistent_workers=workers > 0,
            worker_init_fn=begin_reading,
            pin_memory=torch.cuda.is_available(),
        )

    @property
    def share(self) -> Share:
        """Which photos are for this process."""
        if self.trainer is None:
            return Share()
        return Share(self.trainer.global_rank, self.trainer.world_size)

    def state_dict(self) -> dict[str, Any]:
        """How many photos the run has used up, and of how many."""
        return {"drawn": self.drawn, "photos": len(self.folder)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the photo after those; say so if there are other photos now."""
        self.drawn = state_dict["drawn"]
        before = state_dict["photos"]
        if before != len(self.folder) and is_first_process():
            print_notice(
                "nst-train",
                f"the content folder has {counted(len(self.folder), 'photo')} and had {before}: "
                "they come in another order from now on",
            )

    def on_before_batch_transfer(self, batch: PhotoBatch, dataloader_idx: int) -> PhotoBatch:
        """Stop where a reading process found no photo; its own exception would lose its form."""
        if len(batch.photos) == 0:
            raise UserError("none of the photos can be read any more: are they still there?")
        self.drawn += len(batch.photos) * self.share.processes
        return batch

    def preview_photos(self, count: int, *, long_side_px: int) -> list[Tensor]:
        """Whole photos spread over the sorted folder.

        In place of one that cannot be read, or is too narrow for a network, comes the next one.

        Args:
            count: how many at most.
            long_side_px: larger ones are scaled down to this.
        Returns:
            (3, H, W) each, RGB in [0, 1]; none where no photo will do.
        """
        paths = self.folder.paths
        tried: set[Path] = set()
        previews = []
        for place in map(paths.index, spread(paths, count)):
            ahead = [path for path in (*paths[place:], *paths[:place]) if path not in tried]
            for path in ahead:
                tried.add(path)
                if (preview := open_preview(path, long_side_px=long_side_px)) is not None:
                    previews.append(preview)
                    break
        return previews


def default_workers(trainers: int = 1) -> int:
    """One worker per spare core that this process may use, from 1 to 8.

    Args:
        trainers: processes that train on this machine, among which the cores are shared out.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min(8, cores // trainers - 1))


def begin_reading(_worker: int) -> None:
    """Leave requests to end and the run's folder to the process that trains.

    A terminal sends signals to all; and a lock would be held for seconds after that process died.
    """
    leave_locks()
    for number in END_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@cache
def end_readers_at_exit() -> None:
    """Have processes that still read ended when this one ends.

    Python sends them SIGTERM then, which they leave alone, and would wait for them for ever.
    """

    def end_readers() -> None:
        if hasattr(signal, "SIGCHLD"):  # torch would complain about each of them
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for process in multiprocessing.active_children():
            if process.daemon:
                process.kill()

    atexit.register(end_readers)


def collate(crops: list[Crop]) -> PhotoBatch:
    """Stack the crops of a batch; no photos at all if one of them is missing."""
    photos = [crop.photo for crop in crops if crop.photo is not None]
    whole = len(photos) == len(crops)
    return PhotoBatch(
        torch.stack(photos) if whole else torch.empty(0, 3, 1, 1),
        [crop.seed for crop in crops],
        [line for crop in crops for line in crop.unreadable],
        [crop.small for crop in crops if crop.small],
    )


def open_photo(path: Path, *, draft_px: int) -> Image.Image | str:
    """Read a photo, transparency on white.

    Args:
        path: the file.
        draft_px: see ``read_image``.
    Returns:
        RGB picture the right way up; or, if it cannot be read, why, in one line.
    """
    try:
        return read_photo(path, draft_px=draft_px)
    except UserError as error:
        return str(error)


def open_preview(path: Path, *, long_side_px: int) -> Tensor | None:
    """A whole photo as (3, H, W); None if it cannot be read or is too narrow for a network."""
    photo = open_photo(path, draft_px=long_side_px)
    if isinstance(photo, str):
        return None
    photo.thumbnail((long_side_px, long_side_px))
    return to_tensor(photo) if min(photo.size) >= StyleNet.min_size_px else None


def random_crop(photo: Image.Image, crop_px: int, generator: Generator) -> Tensor:
    """Shrink, crop and mirror at random.

    Args:
        photo: RGB, any size; a small one is enlarged to the crop, and no further.
        crop_px: side of the crop.
        generator: makes all choices.
    Returns:
        (3, crop_px, crop_px), float32, RGB in [0, 1].
    """
    zoom, left, top, mirror = torch.rand(4, generator=generator).tolist()
    longest_px = round(crop_px * (1.0 + (MAX_ZOOM - 1.0) * zoom))
    short_px = max(crop_px, min(longest_px, *photo.size))
    side = crop_px * min(photo.size) / short_px
    left *= photo.width - side
    top *= photo.height - side
    crop = photo.resize(
        (crop_px, crop_px),
        Image.Resampling.BICUBIC,
        box=(left, top, left + side, top + side),
    )
    return to_tensor(ImageOps.mirror(crop) if mirror < 0.5 else crop)
