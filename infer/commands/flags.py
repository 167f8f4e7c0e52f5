"""Flags that several commands have, of one meaning."""

from typing import Annotated, Literal

import typer

from nst.infer.styles import Tier as TierName

RangeName = Annotated[
    Literal["0-255", "0-1"] | None,
    typer.Option("--range", help="Pixel range of a model from elsewhere; default: measured."),
]
Device = Annotated[str, typer.Option(help="auto, or one that nst-infer info lists, such as cpu.")]
Tier = Annotated[
    TierName | None,
    typer.Option(
        help="Of a style that comes with nst: realtime, or quality, which is finer and takes four "
        "times as long; default: quality for photos alone.",
        show_default=False,
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, help="Processor threads to use.")]
