"""Whether reading photos holds up the steps of a training.

    python tests/benchmarks/data_path.py --content PHOTOS [--config realtime] [--steps 60]
        [--rounds 3] [--no-cache]

The steps of ``nst-train`` in turns with photos of the folder, read and cropped as it does it, and
with the first of these batches again and again, which needs no reading. Prints images per second of
both and the ratio, round by round. All photos are read once before, so that large ones have their
small copies, as they have from the second pass over a folder on; ``--no-cache`` leaves those out.
"""

import argparse
import itertools
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nst.train.commands.settings import TrainCLI, parse
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
    """Batches from a data module, or the first of them for ever.

    Args:
        real: where they come from.
        synthetic: give the first one again and again.
        steps: how many.
    """

    def __init__(self, real: Iterator[PhotoBatch], *, synthetic: bool, steps: int) -> None:
        self.begun_s = 0.0
        self.ended_s = 0.0
        self.images = 0
        self._source = itertools.repeat(next(real)) if synthetic else real
        self._steps = steps

    def __iter__(self) -> Iterator[PhotoBatch]:
        for step, batch in enumerate(itertools.islice(self._source, self._steps + WARM_UP_STEPS)):
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


def measure(arguments: argparse.Namespace, *, synthetic: bool) -> float:
    """Images per second of a few steps."""
    with tempfile.TemporaryDirectory() as folder:
        cli: TrainCLI = parse(settings_of(arguments, Path(folder) / "run"))
        real = iter(cli.datamodule.train_dataloader())
        batches = Batches(real, synthetic=synthetic, steps=arguments.steps)
        cli.datamodule.train_dataloader = lambda: batches
        cli.trainer.fit(cli.model, datamodule=cli.datamodule)
        return batches.images_per_s


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
    print("real     synthetic  images/s   ratio")
    ratios = []
    for _ in range(arguments.rounds):
        real = measure(arguments, synthetic=False)
        synthetic = measure(arguments, synthetic=True)
        ratios.append(real / synthetic)
        print(f"{real:6.2f}   {synthetic:6.2f}               {ratios[-1]:.3f}", flush=True)
    print(f"median ratio {statistics.median(ratios):.3f} (at least 0.95)")


if __name__ == "__main__":
    main()
