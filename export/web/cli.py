"""The command ``nst-export web``: exported models to a web page."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from nst.export.web.server import DEFAULT_PORT, SiteServer, serve
from nst.infer.command_line import (
    new_app,
    print_line,
    run_app,
    terminate_as_interrupt,
)
from nst.infer.errors import UserError
from nst.infer.styles import find_style

app = new_app()


def main(argv: Sequence[str]) -> int:
    """Run ``nst-export web``.

    Args:
        argv: the arguments after ``web``.
    Returns:
        The exit status: 0, 2 after a mistake of the user, or 130 when interrupted. Ctrl-C is how
        a server ends: 0.
    """
    return run_app(app, "nst-export web", argv)


@app.command()
def web(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FOLDER", help="The site.")],
    styles: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STYLE",
            help="Names of styles, and files that nst-export wrote. None: serve a site that "
            "exists.",
        ),
    ] = None,
    runtime: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="The npm package onnxruntime-web, unpacked; default: npm fetches it.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older site.")] = False,
    serve_it: Annotated[
        bool, typer.Option("--serve", help="Serve the site on this computer until Ctrl-C.")
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="With --serve; 0 takes a free one.")
    ] = DEFAULT_PORT,
) -> None:
    """Write a web page that runs exported styles on photos and the webcam, in the browser."""
    if not styles and not serve_it:
        raise UserError("nothing to do: give a style, or --serve for a site that exists")
    # Before the work: a port that is taken should not cost it.
    server = SiteServer(out, port) if serve_it else None
    try:
        if styles:
            with terminate_as_interrupt():
                files = [find_style(style) for style in styles]
                write(files, out, runtime=runtime, overwrite=overwrite)
        else:
            check_site(out)
        if server is not None:
            print_line(f"serving {out} at {server.url}  (Ctrl-C ends it)")
            with terminate_as_interrupt():
                serve(server)
        else:
            print_line(f"next: nst-export web --serve -o {out}")
    finally:
        if server is not None:
            server.server_close()


def write(models: list[Path], out: Path, *, runtime: Path | None, overwrite: bool) -> None:
    """Write the site and say so."""
    # Imported late: the help must not wait for onnx.
    from nst.export.web.site import build_site

    size_bytes = build_site(models, out, runtime=runtime, overwrite=overwrite)
    count = f"{len(models)} style{'s' if len(models) > 1 else ''}"
    print_line(f"{out}  {count}  {size_bytes / 1e6:.0f} MB")


def check_site(folder: Path) -> None:
    """Refuse to serve anything but a site.

    Raises:
        UserError: if it is none.
    """
    from nst.export.web.site import is_site

    if not is_site(folder):
        raise UserError(f"cannot serve {folder}: it is not a site, give styles to write one")
