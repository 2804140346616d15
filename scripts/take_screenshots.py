#!/usr/bin/env python3
"""Take the pictures of the page that README and docs show, in docs/images: `nox -s screenshots`.

The real app, its built-in describer and Debian's Chromium, whose camera shows a photograph of scikit-image. A picture
that looks the same as before, but for times and figures, is left alone, so that taking them again changes no files;
delete it to have it taken in any case.
`python scripts/take_screenshots.py NAME...` takes some. tests/unit/test_screenshots.py fails if a page shows a picture
that is not taken here. Needs tests/tools on the path, Playwright and Pillow.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
PHOTOGRAPH = "coffee"
PRESETS = ("1", "2", "6", "0")
"""Questions asked one after another, by their place in the page's list: objects, people, JSON and the scene."""
NEWEST_IS_SHOWN = """
() => document.getElementById("text").innerText.trim() === document.querySelector("#history .words").innerText.trim()
"""
COLOURS = 256
BLOCK = 16
"""Pictures are compared by the mean colours of squares with this side, which a palette's dots do not change."""
VISIBLE = 8
"""A difference of a square's red, green or blue, of 255, that counts."""
SAME = 0.02
"""Share of the squares that times, figures and the machine's charts may change; a moved card changes more."""
PATIENCE_MS = 45_000
PRIVATE = """
Object.defineProperty(MediaStreamTrack.prototype, "label", { get: () => "USB camera" });
"""
"""The fake camera is named after the path of its film."""
NAMELESS_MACHINE = "() => { document.querySelector('#machine strong').textContent = 'workshop'; }"


@dataclass(frozen=True)
class Screenshot:
    """A picture of the page.

    Attributes:
        width: Of the screen, in CSS pixels.
        height: Of the screen, in CSS pixels.
        prepare: What is done with the page first.
        scheme: "light" or "dark".
        locale: The browser's language.
        scale: Pixels per CSS pixel.
        cameras: How many the browser has.
    """

    width: int
    height: int
    prepare: Callable[[Any], None]
    scheme: str = "light"
    locale: str = "en-GB"
    scale: float = 1
    cameras: int = 1


def answered(page: Any) -> None:
    """Start the camera, and ask one question after another; the answer to the last one is shown."""
    page.select_option("#preset", PRESETS[0])
    page.locator("#other-server[open] > summary").click()  # open where no model server was found
    page.click("#toggle")
    for count, preset in enumerate(PRESETS):
        page.select_option("#preset", preset)
        page.locator("#history li").nth(count).wait_for()
    page.wait_for_function(NEWEST_IS_SHOWN)
    page.evaluate("() => scrollTo(0, 0)")
    page.mouse.move(0, 0)
    page.wait_for_function("() => document.querySelector('#gauges strong')")


def without_camera(page: Any) -> None:
    """Try to start a camera that is not there."""
    page.click("#toggle")
    page.locator("#stage[data-state=failed]").wait_for()
    page.mouse.move(0, 0)


PICTURES = {
    "page.png": Screenshot(1600, 900, answered),
    "page-dark-german.png": Screenshot(1280, 800, answered, scheme="dark", locale="de-DE"),
    "page-phone.png": Screenshot(360, 740, answered, scale=1.5),
    "page-no-camera.png": Screenshot(1280, 800, without_camera, cameras=0),
}


def take(names: list[str]) -> None:
    """Take the pictures with these names, or all."""
    # Where the names alone are looked at, no browser is installed.
    import film
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on the path\n-> Install it: apt-get install chromium")
    unknown = sorted(set(names) - PICTURES.keys())
    if unknown:
        sys.exit(f"no such picture: {', '.join(unknown)}\n-> Choose from {', '.join(PICTURES)}")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        reel = Path(folder) / "camera.mjpeg"
        reel.write_bytes(film.of(PHOTOGRAPH))
        with serving(Path(folder)) as url:
            for name in names or PICTURES:
                shot = PICTURES[name]
                switches = ["--no-sandbox", "--disable-background-networking", "--use-fake-ui-for-media-stream"]
                switches += [f"--use-fake-device-for-media-stream=device-count={shot.cameras}"]
                switches += [f"--use-file-for-fake-video-capture={reel}"] if shot.cameras else []
                browser = playwright.chromium.launch(executable_path=chromium, args=switches)
                keep(IMAGES / name, photographed(browser, url, shot))
                browser.close()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the app with its describer; yield its address."""
    command = [sys.executable, "-m", "live_vlm_webui", "--no-ssl", "--port", "0", "--model", "describer"]
    env = {**os.environ, "LIVE_VLM_DATA": str(folder / "data")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split(" is ready: ")[1].split(" ")[0]
        finally:
            server.terminate()


def photographed(browser: Any, url: str, shot: Screenshot) -> bytes:
    """Open the page as the screenshot says, and return it as a PNG."""
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme=shot.scheme,
        locale=shot.locale,
        timezone_id="UTC",
        device_scale_factor=shot.scale,
        bypass_csp=True,  # Playwright waits for conditions by `eval`
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(PRIVATE)
    page.goto(url)
    page.locator("#connection[data-state=open]").wait_for()
    shot.prepare(page)
    page.evaluate(NAMELESS_MACHINE)
    return bytes(page.screenshot(animations="disabled"))


def keep(path: Path, png: bytes) -> None:
    """Store a picture with a palette, which is a third as large, unless the one before looks the same; say which."""
    from PIL import Image, ImageChops

    new = Image.open(io.BytesIO(png)).convert("RGB")
    said = "new"
    if path.exists():
        old = Image.open(path).convert("RGB")
        if old.size == new.size:
            squares = (old.width // BLOCK, old.height // BLOCK)
            differing = ImageChops.difference(*(one.resize(squares, Image.Resampling.BOX) for one in (old, new)))
            red, green, blue = (one.point(lambda value: 255 * (value > VISIBLE)) for one in differing.split())
            changed = ImageChops.lighter(ImageChops.lighter(red, green), blue)
            share = changed.histogram()[255] / (squares[0] * squares[1])
            said = f"{share:.1%} of it changed"
            if share <= SAME:
                sys.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} kB, kept ({said})\n")
                return
    path.parent.mkdir(exist_ok=True)
    new.quantize(COLOURS, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
    sys.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} kB, {new.width}x{new.height} ({said})\n")


if __name__ == "__main__":
    take(sys.argv[1:])
