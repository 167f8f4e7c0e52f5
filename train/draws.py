"""Which photo comes next, for ever, and the same way again after an interruption."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import torch
from torch import Generator
from torch.utils.data import Sampler


class Draw(NamedTuple):
    """What a sampler asks for: the number of a photo, and the seed of all that is random about it.

    With a seed of its own each crop is the same however many processes read photos, and however
    many train.
    """

    photo: int
    seed: int


class Share(NamedTuple):
    """What one of several processes that train together gets of every step.

    Attributes:
        process: its number, from 0.
        processes: how many there are.
    """

    process: int = 0
    processes: int = 1


class EndlessSampler(Sampler[Draw]):
    """Every photo once in random order, then again in another order, for ever.

    Without epochs a run is as long as its number of steps says, also on ten photos. Several
    processes together get what one process with as many times the batch would get.

    Args:
        length: number of photos.
        seed: the same seed gives the same order and the same crops.
        batch_size: photos per step and process.
        share: which of them are for this process.
        skip: draws that were used up before an interruption, by all processes together.
    """

    def __init__(
        self,
        length: int,
        *,
        seed: int,
        batch_size: int = 1,
        share: Share = Share(),  # noqa: B008 - a tuple
        skip: int = 0,
    ) -> None:
        self.length = length
        self.seed = seed
        self.batch_size = batch_size
        self.share = share
        self.skip = skip

    def __iter__(self) -> Iterator[Draw]:
        draws = islice(self._all(), self.skip, None)
        begin = self.share.process * self.batch_size
        while True:
            step = list(islice(draws, self.share.processes * self.batch_size))
            yield from step[begin : begin + self.batch_size]

    def _all(self) -> Iterator[Draw]:
        generator = Generator().manual_seed(self.seed)
        while True:
            order = torch.randperm(self.length, generator=generator)
            seeds = torch.randint(2**62, (self.length,), generator=generator)
            for photo, seed in zip(order.tolist(), seeds.tolist(), strict=True):
                yield Draw(photo, seed)
