"""A fresh server on a machine without a model server: what a user sees in the first seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import aiohttp
import pytest
import simplejpeg
from described import DescribedClient

data = pytest.importorskip("skimage.data", reason="the photographs come with scikit-image, which is not installed")


def photograph(name: str) -> bytes:
    return simplejpeg.encode_jpeg(getattr(data, name)(), quality=90)


def loaded_by(process) -> str:
    """Which libraries a process has mapped, as the kernel lists them."""
    maps = Path(f"/proc/{process.pid}/maps")
    if not maps.exists():
        pytest.skip("this system has no /proc to see what a process has loaded")
    return maps.read_text()


async def until_loaded(process, *libraries: str) -> None:
    needed = set(libraries)
    while needed:
        await asyncio.sleep(0.05)
        needed = {name for name in needed if name not in loaded_by(process)}


def crowd() -> float:
    """How many programs share each core of this machine now, 1 or more: so much longer everything takes."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.fixture
async def api(start_server):
    server = start_server("--port", "0", "--no-ssl")
    async with aiohttp.ClientSession() as http:
        api = await DescribedClient.open(http, server.url)
        api.process = server.process
        _, found = await api.ask("GET", "/api/models?refresh=true")
        if found["default"]["api_base"] != "built-in":
            pytest.skip(f"a model server runs on this machine, at {found['default']['api_base']}")
        yield api


@pytest.mark.alone
@pytest.mark.parametrize(("name", "said"), [("chelsea", "cat"), ("astronaut", "person"), ("coffee", "cup")])
async def test_three_seconds_after_the_first_frame_something_true_is_said_about_it(api, name, said):
    jpeg = photograph(name)
    async with api.watch() as events:
        await events.next()
        began = time.monotonic()
        await events.socket.send_bytes(jpeg)
        finished = await events.until("answer.finished")
        took = time.monotonic() - began
    assert said in finished["text"].lower()
    assert took < 3 * crowd()


async def test_a_dropped_picture_is_described_once(api):
    _, made = await api.ask("POST", "/api/sessions")
    async with api.watch(made["id"]) as events:
        await events.next()
        status, camera = await api.ask(
            "POST",
            f"/api/sessions/{made['id']}/picture",
            data=photograph("coffee"),
            headers={"Content-Type": "image/jpeg"},
        )
        assert (status, camera["kind"], camera["state"], camera["width"]) == (200, "picture", "live", 600)
        assert "cup" in (await events.until("answer.finished"))["text"].lower()
        with pytest.raises(TimeoutError):
            await events.until("answer.started", seconds=1.5)


async def test_an_unused_server_has_loaded_no_networks(api):
    await until_loaded(api.process, "libavcodec", "numpy")  # for the camera that may come
    async with api.watch() as events:
        await events.next()
        assert "onnxruntime" not in loaded_by(api.process)
        await events.socket.send_bytes(photograph("chelsea"))
        await events.until("answer.finished")
        assert "onnxruntime" in loaded_by(api.process)


async def test_what_the_first_answer_needs_is_loaded_while_the_page_loads(api):
    assert "onnxruntime" not in loaded_by(api.process)
    await api.http.get(f"{api.url}/")
    await until_loaded(api.process, "libavcodec", "numpy", "onnxruntime")


@pytest.mark.parametrize("library", ["libpython", "libavcodec", "libvpx", "numpy"])
def test_a_stop_while_the_cameras_libraries_are_loaded_is_clean(start_server, library):
    server = start_server("--port", "0", "--no-ssl")
    while library not in loaded_by(server.process):
        time.sleep(0.001)
    server.process.send_signal(signal.SIGINT)
    _, told = server.process.communicate(timeout=60)
    assert server.process.returncode == 0
    assert "Traceback" not in told


def test_a_stop_does_not_wait_for_an_import_that_takes_long(start_server, tmp_path):
    marker = tmp_path / "begun"
    (tmp_path / "aiortc.py").write_text(
        f"import pathlib, time\npathlib.Path({str(marker)!r}).touch()\ntime.sleep(600)\n"
    )
    server = start_server("--port", "0", "--no-ssl", PYTHONPATH=str(tmp_path))
    while not marker.exists():
        time.sleep(0.01)
    _, told = server.stop()
    assert server.process.returncode == 0
    assert told.endswith("INFO live_vlm_webui.server.serve: stopped\n")
