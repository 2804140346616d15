"""Reads GPUs by NVML for a test, in a process of its own: a line of JSON for each line that it is given.

``read`` tells a reading, ``reopen`` opens the library again; an error is told as ``{"error": ..., "kind": ...}``.
With ``--monitor SECONDS`` it runs the whole monitor and tells every sample instead.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import asdict

from live_vlm_webui.system.monitor import Monitor
from live_vlm_webui.system.nvml import NvmlSource


def tell(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def probe() -> None:
    source, opened = NvmlSource(), False
    for line in sys.stdin:
        try:
            if line.strip() == "reopen" and opened:
                source.close()
                opened = False
            if not opened:
                source.open()
                opened = True
            tell([asdict(gpu) for gpu in source.read().gpus])
        except Exception as error:  # noqa: BLE001  # whatever it is, the test wants to know
            source.close()
            opened = False
            tell({"kind": type(error).__name__, "error": str(error)})
    source.close()


async def monitor(seconds: float) -> None:
    watched = Monitor(0.25)
    watched.watch(lambda sample: tell(sample.to_json()))
    async with asynccontextmanager(watched.run)():
        await asyncio.sleep(seconds)
        stopping = time.monotonic()
    tell({"stopped_after": time.monotonic() - stopping})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--monitor"]:
        asyncio.run(monitor(float(sys.argv[2])))
    else:
        probe()
