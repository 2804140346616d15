"""What a browser's camera costs a process that receives it, beside one that sends it back, in the same run.

The video, 1280x720 at 30 frames a second and 1.5 Mbit/s, is encoded before; the processes take turns on the machine.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import aiohttp
import pytest
import video
from figures import BRIEF
from webrtc_client import Peer, offer_to

TOOL = Path(__file__).parents[2] / "tools" / "webrtc_receiver.py"
WARM_UP, SECONDS = (2, 3) if BRIEF else (3, 8)


async def measure(mode: str, clip: video.Clip) -> dict[str, float]:
    """Frames and CPU per second, and MiB, of receiving one session."""
    process = await asyncio.create_subprocess_exec(sys.executable, str(TOOL), mode, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    peer = Peer(clip, echoed=mode == "echo")
    try:
        url = f"http://127.0.0.1:{int(await process.stdout.readline())}"
        async with aiohttp.ClientSession() as http:

            async def usage() -> dict[str, float]:
                async with http.get(f"{url}/usage") as response:
                    return {**await response.json(), "at": time.monotonic()}

            await peer.connect(offer_to(http, url, None))
            await asyncio.sleep(WARM_UP)
            before = await usage()
            await asyncio.sleep(SECONDS)
            after = await usage()
    finally:
        await peer.close()
        process.kill()
        await process.wait()
    passed = after["at"] - before["at"]
    return {
        "fps": (after["frames"] - before["frames"]) / passed,
        "cpu": 100 * (after["cpu"] - before["cpu"]) / passed,
        "memory": after["memory"],
    }


def compared(echoing: dict[str, float]) -> str:
    return f"decoded and echoed: {echoing['cpu']:.1f} % at {echoing['fps']:.0f} fps, {echoing['memory']:.0f} MiB"


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_a_browsers_camera(figure, codec):
    if BRIEF and codec == "h264":
        pytest.skip("the app's own figures have it; a release waits for them")
    clip = video.encode(codec, width=1280, height=720, seconds=4, bit_rate=1_500_000)
    ours = await measure("camera", clip)
    assert ours["fps"] > 28
    reference = "" if BRIEF else compared(await measure("echo", clip))
    figure(f"720p30 from a browser, {codec}", ours["cpu"], budget=12, unit="% of a core", reference=reference)
    figure(
        f"memory with one 720p session, {codec}", ours["memory"], budget=120, unit="MiB", reference="no web page yet"
    )
