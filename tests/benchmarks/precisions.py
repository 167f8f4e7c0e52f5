"""One style in three precisions: size, difference, and time of a frame on every provider.

    python tests/benchmarks/precisions.py RUN --photos FOLDER [--size 1280x720] [--rounds 8]

Exports a run as fp32, fp16 and int8, and times them in turns within one run. Prints a table: MB,
PSNR and style loss beside fp32, changes of memory layout on the CPU, and per provider the median in
ms and the ratio to fp32.
"""

import argparse
import tempfile
from pathlib import Path

from in_turns import frame_ms

from nst.export import ExportReport, LowerPrecision, export_onnx
from nst.export.precision import PRECISIONS
from nst.infer.engine.devices import available_devices
from nst.models import load_trained_net


def export_all(run: Path, photos: Path, folder: Path) -> dict[str, ExportReport]:
    """The files, however far they are from fp32."""
    trained = load_trained_net(run)
    reports: dict[str, ExportReport] = {}
    for precision in PRECISIONS:
        lower = None if precision == "fp32" else LowerPrecision(precision, photos, force=True)
        reports[precision] = export_onnx(trained, folder / f"{precision}.onnx", lower=lower)
    return reports


def main() -> None:
    """Export, time, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of nst-train")
    parser.add_argument("--photos", type=Path, required=True, help="to calibrate and compare on")
    parser.add_argument("--size", default="1280x720", help="width x height of a frame")
    parser.add_argument("--rounds", type=int, default=8)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        reports = export_all(arguments.run, arguments.photos, Path(folder))
        models = {precision: report.path for precision, report in reports.items()}
        times = {
            device: frame_ms(models, device=device, size=arguments.size, rounds=arguments.rounds)
            for device in available_devices()
        }
    print(f"| | MB | beside fp32 | changes of layout | {' | '.join(times)} |")
    print("|---" * (4 + len(times)) + "|")
    for precision, report in reports.items():
        columns = [
            f"{each[precision]:.0f} ms ({each[precision] / each['fp32']:.2f})"
            for each in times.values()
        ]
        beside = "" if report.lower is None else report.lower.summary()
        print(
            f"| {precision} | {report.size_bytes / 1e6:.2f} | {beside} | {report.reorders} "
            f"| {' | '.join(columns)} |"
        )


if __name__ == "__main__":
    main()
