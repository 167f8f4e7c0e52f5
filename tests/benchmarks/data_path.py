"""Whether reading photos holds up the steps of a training.

    python tests/benchmarks/data_path.py --content PHOTOS [--config realtime] [--steps 60]
        [--rounds 3] [--no-cache]

The steps of ``nst-train`` in turns with photos of the folder, read and cropped as it does it, and
with the same batches, all read before, for which no step has to wait. Prints images per
second of both and the ratio, round by round; which comes first changes. All photos are read once
before, so that large ones have their small copies, as they have from the second pass over a folder
on; ``--no-cache`` leaves those out.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nst.train.commands.settings import TrainCLI, parse
from nst.train.draws import Draw
from nst.train.photos import PhotoBatch

WARM_UP_STEPS = 5


def settings_of(arguments: argparse.Namespace, out: Path) -> list[str]:
    """The arguments of ``nst-train``."""
    return [
        *("--config", f"configs/{arguments.config}.yaml"),
        *("--model.style", str(arguments.style), "--data.content", str(arguments.content)),
        *("--run.out", str(out), "--data.cache", str(arguments.cache).lower()),
        *("--trainer.max_steps", str(arguments.steps + WARM_UP_STEPS)),
        *("--trainer.logger", "false", "--trainer.enable_progress_bar", "false"),
    ]


class Batches:
    """Batches from a data module.

    Args:
        source: where they come from.
        in_memory: read them all now.
        steps: how many, besides those to warm up.
    """

    def __init__(self, source: Iterator[PhotoBatch], *, in_memory: bool, steps: int) -> None:
        self.begun_s = 0.0
        self.ended_s = 0.0
        self.images = 0
        batches = itertools.islice(source, steps + WARM_UP_STEPS)
        self._source = list(batches) if in_memory else batches

    def __iter__(self) -> Iterator[PhotoBatch]:
        for step, batch in enumerate(self._source):
            if step == WARM_UP_STEPS:
                self.begun_s = time.perf_counter()
            if step > WARM_UP_STEPS:
                self.images += len(batch.photos)
            self.ended_s = time.perf_counter()
            yield batch

    @property
    def images_per_s(self) -> float:
        """Without the first steps."""
        return self.images / (self.ended_s - self.begun_s)


def measure(arguments: argparse.Namespace, *, in_memory: bool) -> float:
    """Images per second of a few steps."""
    with tempfile.TemporaryDirectory() as folder:
        cli: TrainCLI = parse(settings_of(arguments, Path(folder) / "run"))
        source = iter(cli.datamodule.train_dataloader())
        batches = Batches(source, in_memory=in_memory, steps=arguments.steps)
        cli.datamodule.train_dataloader = lambda: batches
        cli.trainer.fit(cli.model, datamodule=cli.datamodule)
        return batches.images_per_s


def read_all(arguments: argparse.Namespace) -> None:
    """Have large photos leave their small copies."""
    with tempfile.TemporaryDirectory() as folder:
        photos = parse(settings_of(arguments, Path(folder) / "run")).datamodule.folder
    for photo in range(len(photos)):
        photos[Draw(photo, seed=0)]


def main() -> None:
    """Read the flags and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--content", type=Path, required=True, help="folder of photos")
    parser.add_argument("--style", type=Path, default=Path("demo/paintings/church_at_auvers.jpg"))
    parser.add_argument("--config", default="realtime", help="a tier")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-cache", dest="cache", action="store_false")
    arguments = parser.parse_args()
    if arguments.cache:
        read_all(arguments)
    print("read     in memory  images/s   ratio")
    ratios = []
    for turn in range(arguments.rounds):
        in_turns = (False, True) if turn % 2 == 0 else (True, False)
        speeds = {in_memory: measure(arguments, in_memory=in_memory) for in_memory in in_turns}
        ratios.append(speeds[False] / speeds[True])
        print(f"{speeds[False]:6.2f}   {speeds[True]:9.2f}            {ratios[-1]:.3f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.3f} (at least 0.95)")


if __name__ == "__main__":
    main()
