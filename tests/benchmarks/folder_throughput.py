"""How much of the cores a folder of photos uses: the stages alone, and the batch, in turns.

    python tests/benchmarks/folder_throughput.py [--style NAME] [--photos 24] [--size 1600x1067]

Decodes, stylizes and encodes JPEGs one after the other in one thread, then all of them as
``nst-infer FOLDER`` does it. Prints seconds of a core per stage, photos per second of the batch,
and its share of what the cores could do if there was nothing but the stages: their seconds /
(threads x seconds of the batch). Needs Linux: seconds in which other programs kept a thread of the
batch from its core do not count.
"""

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from nst.infer.jobs.batch import (
    Batch,
    Crew,
    Gate,
    Halt,
    pixels_in_flight,
    share_cores,
    usable_cores,
)
from nst.infer.jobs.one_photo import Outcome, Studio
from nst.infer.jobs.outputs import Job
from nst.infer.jobs.style_sessions import StyleSettings, open_styles
from nst.infer.pictures.images import write_encoded
from nst.infer.pictures.photo import encode_photo, read_photo
from nst.infer.styles import find_style, packaged_photo

QUALITY = 92


def make_folder(folder: Path, photos: int, size: tuple[int, int], form: str) -> list[Job]:
    """JPEGs of the photo that comes with the package, each cut out a little differently."""
    original = packaged_photo()
    (folder / "out").mkdir()
    jobs = []
    for number in range(photos):
        box = (number, number, original.width, original.height)
        path = folder / f"{number:03d}.jpg"
        original.resize(size, Image.Resampling.BICUBIC, box=box).save(path, quality=QUALITY)
        jobs.append(Job(path, (folder / "out" / f"{path.stem}.{form}",)))
    return jobs


def time_stages(jobs: list[Job], studio: Studio) -> dict[str, float]:
    """Seconds of a core that each stage takes for all photos, one after the other."""
    (style,) = studio.styles(False)
    seconds = dict.fromkeys(("decode", "network", "encode"), 0.0)
    for job in jobs:
        start = time.thread_time()
        photo = read_photo(job.picture)
        decoded = time.thread_time()
        painted = style.stylize(photo.image)
        stylized = time.thread_time()
        write_encoded(encode_photo(painted.image, job.targets[0], photo), job.targets[0])
        seconds["decode"] += decoded - start
        seconds["network"] += stylized - decoded
        seconds["encode"] += time.thread_time() - stylized
    return seconds


def time_batch(jobs: list[Job], settings: StyleSettings, crew: Crew) -> tuple[float, float]:
    """Seconds for all photos at once, and those of all threads without waiting for a core."""
    studio = make_studio(settings, crew)
    kept_waiting: dict[int, float] = {}

    def work(job: Job) -> Iterator[Outcome]:
        yield from studio.results(job)
        nanoseconds = Path("/proc/thread-self/schedstat").read_text().split()[1]
        kept_waiting[threading.get_ident()] = int(nanoseconds) / 1e9

    batch = Batch(work, workers=crew.workers, halt=studio.halt)
    start = time.perf_counter()
    for outcome in batch.run(jobs):
        assert outcome.error is None, outcome.error
    seconds = time.perf_counter() - start
    return seconds, crew.workers * seconds - sum(kept_waiting.values())


def make_studio(settings: StyleSettings, crew: Crew) -> Studio:
    """What ``nst-infer`` works with."""
    halt = Halt()
    styles = open_styles(settings, crew, halt)
    return Studio(styles, Gate(pixels_in_flight()), halt, overwrite=True)


def main() -> None:
    """Print a line per round, and the median."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--style", default="starry_night", help="a name or an ONNX file")
    parser.add_argument("--photos", type=int, default=24, help="at least as many as cores")
    parser.add_argument("--size", default="1600x1067", help="width x height of a photo")
    parser.add_argument("--format", default="jpg", help="of the results")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    width, height = map(int, arguments.size.split("x"))
    crew = share_cores(usable_cores(), arguments.photos)
    settings = StyleSettings([find_style(arguments.style)])
    alone = make_studio(settings, Crew(workers=2, threads=1))
    shares = []
    with tempfile.TemporaryDirectory() as folder:
        jobs = make_folder(Path(folder), arguments.photos, (width, height), arguments.format)
        time_stages(jobs[:2], alone)  # the first ones load code and allocate
        for _ in range(arguments.rounds):
            stages = time_stages(jobs, alone)
            seconds, available = time_batch(jobs, settings, crew)
            shares.append(sum(stages.values()) / available)
            told = ", ".join(f"{name} {each / len(jobs):.3f}" for name, each in stages.items())
            print(f"{told} s/photo; {len(jobs) / seconds:.2f} photos/s, {shares[-1]:.0%}")
    cores = f"{crew.workers} cores"
    print(f"{statistics.median(shares):.0%} of {cores}, median of {len(shares)} rounds")


if __name__ == "__main__":
    main()
