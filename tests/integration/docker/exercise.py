"""Run inside an image: uses everything that the app takes from its dependencies, so that a file that is missing shows.

What it prints is what it did, a line each.
"""

from __future__ import annotations

import fractions
import importlib
import os
import pkgutil
import sys
from importlib import metadata, resources


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")


def import_the_app() -> None:
    package = importlib.import_module("live_vlm_webui")
    names = [one.name for one in pkgutil.walk_packages(package.__path__, "live_vlm_webui.")]
    for name in names:
        if not name.endswith(".__main__"):
            importlib.import_module(name)
    say("imported", len(names) > 20)


def import_the_dependencies() -> None:
    """The top of every package that pip installed."""
    for one in metadata.distributions(path=[entry for entry in sys.path if "site-packages" in entry]):
        tops = {file.parts[0].partition(".")[0] for file in one.files or () if file.suffix in {".py", ".so"}}
        for top in sorted(tops):
            if top.isidentifier() and top not in {"bin", "example"}:
                importlib.import_module(top)
    say("dependencies", len(sys.modules) > 500)


def run_the_networks(*, whole: bool) -> None:
    """Run both networks, or only load them, for which their constants are computed; and run a convolution."""
    import numpy as np
    import onnxruntime

    for file in sorted(resources.files("live_vlm_webui").joinpath("describer/data").iterdir(), key=str):
        if file.name.endswith(".onnx"):
            session = onnxruntime.InferenceSession(file.read_bytes(), providers=["CPUExecutionProvider"])
            (asked,) = session.get_inputs()
            if not whole:
                say("network", file.name, bool(asked.shape))
                continue
            shape = [size if isinstance(size, int) else 1 for size in asked.shape]
            kind = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}[asked.type]
            say("network", file.name, bool(session.run(None, {asked.name: np.zeros(shape, kind)})))
    session = onnxruntime.InferenceSession(convolution(), providers=["CPUExecutionProvider"])
    (sums,) = session.run(None, {"x": np.ones((1, 1, 4, 4), np.float32), "w": np.ones((1, 1, 3, 3), np.float32)})
    say("convolution", sums.tolist() == [[[[9.0, 9.0], [9.0, 9.0]]]])


def convolution() -> bytes:
    """Return a network of one node, in ONNX's format (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto)."""

    def number(field: int, value: int) -> bytes:
        return bytes([field << 3, value])

    def part(field: int, *content: bytes) -> bytes:
        whole = b"".join(content)
        return bytes([field << 3 | 2, len(whole)]) + whole

    def tensor(name: bytes, *sizes: int) -> bytes:
        shape = part(2, *(part(1, number(1, size)) for size in sizes))
        return part(1, name) + part(2, part(1, number(1, 1), shape))

    node = part(1, part(1, b"x"), part(1, b"w"), part(2, b"y"), part(4, b"Conv"))
    inputs = part(11, tensor(b"x", 1, 1, 4, 4)) + part(11, tensor(b"w", 1, 1, 3, 3))
    graph = node + part(2, b"convolution") + inputs + part(12, tensor(b"y", 1, 1, 2, 2))
    return number(1, 8) + part(7, graph) + part(8, number(2, 13))


def code_video_and_pictures() -> None:
    import av
    import numpy as np
    import simplejpeg
    from aiortc.codecs import get_decoder, get_encoder
    from aiortc.jitterbuffer import JitterFrame
    from aiortc.rtcrtpparameters import RTCRtpCodecParameters

    picture = np.full((240, 320, 3), 127, np.uint8)
    for kind in ("video/VP8", "video/H264"):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = 0, fractions.Fraction(1, 90000)
        codec = RTCRtpCodecParameters(mimeType=kind, clockRate=90000)
        payloads, _ = get_encoder(codec).encode(frame)
        whole = b"".join(
            getattr(sys.modules[f"aiortc.codecs.{module_of(kind)}"], depay_of(kind))(one) for one in payloads
        )
        (back, *_) = get_decoder(codec).decode(JitterFrame(data=whole, timestamp=0))
        say(kind, back.width, back.height)
    jpeg = simplejpeg.encode_jpeg(picture)
    say("jpeg", simplejpeg.decode_jpeg(jpeg).shape)


def module_of(kind: str) -> str:
    return "vpx" if kind.endswith("VP8") else "h264"


def depay_of(kind: str) -> str:
    return "vp8_depayload" if kind.endswith("VP8") else "h264_depayload"


def make_a_certificate_and_a_code() -> None:
    import io

    import segno
    from aiortc import RTCCertificate

    say("certificate", bool(RTCCertificate.generateCertificate().getFingerprints()))
    out = io.BytesIO()
    segno.make("https://example.org/").save(out, kind="svg")
    say("code", b"<svg" in out.getvalue())


def measure() -> None:
    import prometheus_client
    import psutil
    import pynvml

    say("memory", psutil.virtual_memory().total > 0)
    say("metrics", b"python_info" in prometheus_client.generate_latest())
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:  # its own error, so the library is there, and no driver
        say("nvml", type(error).__name__.startswith("NVMLError"))
    else:
        say("nvml", True)


if __name__ == "__main__":
    import_the_app()
    import_the_dependencies()
    run_the_networks(whole="--load-only" not in sys.argv)
    code_video_and_pictures()
    make_a_certificate_and_a_code()
    measure()
    # Emulated, threads of the libraries may wait for each other when the interpreter ends, and it never does.
    sys.stdout.flush()
    os._exit(0)
