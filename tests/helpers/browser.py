"""The page of ``nst-export web`` in a headless Chromium, driven by playwright-core."""

import json
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from node_packages import browser, node_modules, tool

from nst.export.web.server import SiteServer

DRIVER = Path(__file__).resolve().parents[1] / "export" / "page" / "driver.mjs"
FAKE_CAMERA = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
SOFTWARE_GPU = (
    *("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"),
    *("--enable-features=Vulkan", "--ignore-gpu-blocklist"),
)


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address of a site, with the headers for threads."""
    server = SiteServer(site, 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()


def drive(
    scenario: str, url: str, *, flags: Sequence[str] = (), timeout_s: float = 240, **inputs: Any
) -> dict[str, Any]:
    """Open the page in a fresh browser and do one of ``scenarios.mjs``.

    Args:
        scenario: its name.
        url: of the page.
        flags: for Chromium.
        timeout_s: for all of it.
        inputs: for the scenario; paths become texts.
    Returns:
        What the scenario gives, and ``problems``, ``hosts``: errors of the page, and where it sent
        requests.
    Raises:
        MissingError: if the browser, Node.js or playwright-core is missing.
    """
    request = {
        "scenario": scenario,
        "url": url,
        "flags": list(flags),
        "browser": browser(),
        "playwright": str(node_modules("playwright-core") / "playwright-core" / "index.mjs"),
        "inputs": inputs,
    }
    result = subprocess.run(
        [tool("node"), str(DRIVER)],
        input=json.dumps(request, default=str),
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer
