from __future__ import annotations

import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

START_SECONDS = 30
STOP_SECONDS = 10


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A running server; its first line of output is left to be read by ``url``.

    Over HTTP, which browsers trust on loopback: Chromium would warn of the certificate that the server makes.
    """
    script = Path(sys.executable).with_name("live-vlm-webui")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "live_vlm_webui"]
    process = subprocess.Popen(
        [*command, "--port", "0", "--no-ssl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LIVE_VLM_DATA": str(tmp_path / "data")},
    )
    yield process
    process.terminate()
    process.communicate(timeout=STOP_SECONDS)


@pytest.fixture
def url(server) -> str:
    """The address that the server printed."""
    readable, _, _ = select.select([server.stdout], [], [], START_SECONDS)
    line = server.stdout.readline() if readable else ""
    assert " is ready: " in line
    return line.split(" is ready: ")[1].split(" ")[0]


@pytest.fixture(scope="module")
def playwright():
    """Playwright, for this module alone: while it runs, no other test of the session can have an event loop."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        yield playwright


@pytest.fixture
def launch(playwright) -> Iterator[Callable[..., object]]:
    """Start the machine's own Chromium with the given switches."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no chromium on the path")
    browsers = []

    def start(*switches: str):
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking", *switches]
        )
        browsers.append(browser)
        return browser

    yield start
    for browser in browsers:
        browser.close()


@pytest.fixture
def browser(launch):
    """A browser with one camera that shows a moving test picture, and which allows it without asking."""
    return launch("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
