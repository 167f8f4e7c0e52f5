"""A site on the loopback address, with the headers that WebAssembly threads need."""

import errno
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from os import PathLike
from pathlib import Path
from typing import Any

from nst.infer.errors import UserError, os_error_reason

ADDRESS = "127.0.0.1"
DEFAULT_PORT = 8000
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cache-Control": "no-cache",
}
"""The first two let a page use threads. The last keeps a browser from showing an older site."""

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".wasm": "application/wasm",
}
"""Of every kind of file in a site: systems have their own ideas, and modules need the right one."""


class SiteHandler(SimpleHTTPRequestHandler):
    """Files with the headers, and no log."""

    def guess_type(self, path: "str | PathLike[str]") -> str:
        """The type of a file, the same on every system."""
        return TYPES.get(Path(path).suffix.lower()) or super().guess_type(path)

    def end_headers(self) -> None:
        """Add ours."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing: the terminal shows the address."""


class SiteServer(ThreadingHTTPServer):
    """Serves one folder until it is shut down.

    Args:
        folder: the site; it need not exist yet.
        port: on the loopback address; 0 takes a free one.
    Attributes:
        url: the address to open.
    Raises:
        UserError: if the port cannot be used.
    """

    daemon_threads = True
    # Without it a second server on Windows would share the port.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        try:
            super().__init__((ADDRESS, port), SiteHandler)
        except OSError as error:
            reason = os_error_reason(error)
            if error.errno == errno.EADDRINUSE:
                reason = "another program uses it"
            raise UserError(
                f"cannot serve on port {port}: {reason}, pass another --port (0 takes a free one)"
            ) from error
        self.url = f"http://{ADDRESS}:{self.server_port}/"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Answer from the folder."""
        SiteHandler(request, client_address, self, directory=str(self.folder))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over browsers that go away in the middle of a file."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def serve(server: SiteServer) -> None:
    """Answer requests until Ctrl-C.

    Args:
        server: bound to its port; it is closed in the end.
    """
    try:
        with server:
            server.serve_forever()
    except KeyboardInterrupt:
        return
