"""Cameras that the server reads, against a real RTSP server on loopback that fails on request."""

from __future__ import annotations

import asyncio
import logging
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import rtsp_server
import simplejpeg
import video

from live_vlm_webui.media.jpeg import compress
from live_vlm_webui.media.stream import camera as stream
from live_vlm_webui.media.stream import reader
from live_vlm_webui.media.stream.address import parse_address
from live_vlm_webui.media.stream.camera import StreamCamera

SECONDS = 60


@pytest.fixture(scope="module")
def clip():
    return video.encode("h264", colour=(220, 60, 40), bit_rate=200_000)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Pauses that a test can wait for."""
    monkeypatch.setattr(stream, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(stream, "LONGEST_PAUSE", 0.4)
    monkeypatch.setattr("live_vlm_webui.media.camera.STALL_SECONDS", 0.6)
    monkeypatch.setattr("live_vlm_webui.media.camera.CHECK_SECONDS", 0.1)


@pytest.fixture
def impatient(monkeypatch):
    """Time-outs that a test can wait for; on a busy machine, what responds may take longer, too."""
    monkeypatch.setattr(reader, "OPEN_SECONDS", 1.5)
    monkeypatch.setattr(reader, "READ_SECONDS", 1.5)


@pytest.fixture
async def host(clip):
    host = await rtsp_server.Camera(clip).plug()
    yield host
    await host.unplug()


@pytest.fixture
async def open_camera():
    opened = []

    def open_camera(url, *directories):
        opened.append(StreamCamera(parse_address(str(url), directories)))
        return opened[-1]

    yield open_camera
    for camera in opened:
        await camera.close()
    for camera in opened:
        await asyncio.to_thread(camera._thread.join, 60)
        assert not camera.is_running


async def until(condition, seconds=SECONDS):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        await asyncio.sleep(0.02)


async def state_of(camera, state, seconds=SECONDS):
    await until(lambda: camera.status.state == state, seconds)
    return camera.status


async def test_frames_of_a_camera_arrive_in_their_colours(host, open_camera):
    camera = open_camera(host.url)
    assert camera.status.state == "connecting"
    frame = await asyncio.wait_for(camera.slot.after(3), SECONDS)
    seen = simplejpeg.decode_jpeg(compress(frame.image).jpeg)[90, 160].astype(int)
    assert np.abs(seen - (220, 60, 40)).max() < 12
    status = await state_of(camera, "live")
    assert (status.width, status.height, status.source) == (320, 180, f"rtsp://127.0.0.1:{host.port}/live")


@pytest.mark.alone
async def test_frames_come_as_fast_as_the_camera_sends(host, open_camera):
    camera = open_camera(host.url)
    first = await asyncio.wait_for(camera.slot.after(0), SECONDS)
    began = time.monotonic()
    last = await asyncio.wait_for(camera.slot.after(first.number + 29), SECONDS)
    assert 15 < (last.number - first.number) / (time.monotonic() - began) < 45


async def test_closing_a_live_camera_ends_its_thread_and_its_connection(host, open_camera):
    camera = open_camera(host.url)
    await asyncio.wait_for(camera.slot.after(0), SECONDS)
    began = time.monotonic()
    await camera.close()
    assert time.monotonic() - began < 3
    assert not camera.is_running
    await until(lambda: not host.connections)
    number = camera.slot.newest.number
    await asyncio.sleep(0.1)
    assert camera.slot.newest.number == number
    assert camera.status.state == "ended"


@pytest.mark.parametrize("scheme", ["Basic", "Digest"])
async def test_user_and_password_are_given_and_never_shown(clip, open_camera, scheme, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    host = await rtsp_server.Camera(clip, user="admin", password="s3cret", scheme=scheme).plug()
    try:
        camera = open_camera(host.url)
        await asyncio.wait_for(camera.slot.after(0), SECONDS)
        wrong = open_camera(host.url.replace("s3cret", "s3cret-but-wrong"))
        status = await state_of(wrong, "lost")
        await host.unplug()
        await state_of(camera, "lost")
    finally:
        await host.unplug()
    assert "rejected the user name or password" in status.detail
    output = capfd.readouterr()
    for shown in (repr(camera.status), repr(status), caplog.text, output.out, output.err):
        assert "s3cret" not in shown


FAULTS = {
    "silent": "does not respond",
    "silent after options": "does not respond",
    "no video": "has no video",
    "missing": "has no such stream",
    "forbidden": "has no such stream",
    "no tcp": "has no such stream",
    "garbage": "no readable video",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_the_cause_of_a_failure_is_told_and_it_recovers(host, open_camera, fault, impatient):
    host.fault = fault
    camera = open_camera(host.url)
    status = await state_of(camera, "lost")
    assert FAULTS[fault] in status.detail
    host.fault = ""
    assert (await state_of(camera, "live")).detail == ""


async def test_a_camera_that_is_unplugged_is_lost_and_comes_back(host, open_camera):
    camera = open_camera(host.url)
    await state_of(camera, "live")
    await host.unplug()
    await state_of(camera, "lost")
    await until(lambda: "cannot be reached" in camera.status.detail)
    await host.plug()
    await state_of(camera, "live")


async def test_a_camera_that_stops_sending_stalls_is_lost_and_comes_back(host, open_camera, impatient):
    camera = open_camera(host.url)
    await state_of(camera, "live")
    states = []
    camera.watch(lambda status: states.append(status.state))
    host.freeze()
    await state_of(camera, "lost")
    assert states[-2:] == ["stalled", "lost"]
    assert "does not respond" in camera.status.detail
    host.thaw()
    await state_of(camera, "live")


async def test_attempts_become_rarer_and_the_log_tells_the_cause_once(open_camera, monkeypatch, caplog):
    caplog.set_level(logging.INFO, stream.__name__)
    monkeypatch.setattr(stream, "LONGEST_PAUSE", 60)
    attempts = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        camera = open_camera(f"rtsp://127.0.0.1:{listener.getsockname()[1]}/live")
        loop = asyncio.get_running_loop()
        for _ in range(4):
            connection, _ = await asyncio.wait_for(loop.sock_accept(listener), SECONDS)
            attempts.append(time.monotonic())
            connection.close()
        pauses = np.diff(attempts)
    assert camera.status.state in ("connecting", "lost")
    assert pauses[0] < pauses[1] < pauses[2]
    assert [record.name for record in caplog.records].count(stream.__name__) == 1


@pytest.mark.alone
@pytest.mark.parametrize("fault", ["silent", "silent after options", "frozen", "black hole"])
async def test_closing_does_not_wait_for_a_silent_host(host, open_camera, fault, monkeypatch):
    monkeypatch.setattr(reader, "OPEN_SECONDS", 5)
    monkeypatch.setattr(reader, "READ_SECONDS", 5)
    url = "rtsp://192.0.2.1/live" if fault == "black hole" else host.url
    if fault.startswith("silent"):
        host.fault = fault
    camera = open_camera(url)
    if fault == "frozen":
        await asyncio.wait_for(camera.slot.after(0), SECONDS)
        host.freeze()
    await asyncio.sleep(0.3)
    ticks = []

    async def tick():
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0.01)

    ticking = asyncio.ensure_future(tick())
    began = time.monotonic()
    await camera.close()
    assert time.monotonic() - began < 3
    assert not camera.is_running
    ticking.cancel()
    assert max(np.diff([began, *ticks, time.monotonic()])) < 2
    assert camera.status.state == "ended"


def test_a_silent_host_does_not_keep_the_process_from_its_end():
    program = """
import asyncio, sys
from live_vlm_webui.media.stream.address import parse_address
from live_vlm_webui.media.stream.camera import StreamCamera

async def main():
    camera = StreamCamera(parse_address(sys.argv[1]))
    await asyncio.to_thread(sys.stdin.readline)
    await camera.close()
    print("running", camera.is_running, flush=True)

asyncio.run(main())
"""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live"
        began = time.monotonic()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with subprocess.Popen([sys.executable, "-c", program, url], text=True, **pipes) as running:
            connection, _ = silent.accept()
            with connection:  # which waits for an answer
                out, err = running.communicate("close\n", timeout=30)
    assert (running.returncode, out.strip(), err) == (0, "running False", "")
    assert time.monotonic() - began < reader.OPEN_SECONDS + 4


@pytest.fixture
def tls(tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the program openssl, which makes a certificate, is not installed")
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=camera", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return context


async def test_a_camera_with_tls_is_read_with_any_certificate(clip, open_camera, tls):
    host = await rtsp_server.Camera(clip, tls=tls).plug()
    try:
        camera = open_camera(host.url)
        await asyncio.wait_for(camera.slot.after(2), SECONDS)
        host.freeze()
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await camera.close()
        assert time.monotonic() - began < 3
        assert not camera.is_running
    finally:
        await host.unplug()


@pytest.mark.alone
@pytest.mark.parametrize(("codec", "ending"), [("h264", "mp4"), ("h264", "mkv"), ("vp8", "webm"), ("h264", "ts")])
async def test_a_file_is_played_in_real_time_and_over_again(tmp_path, open_camera, codec, ending):
    clip = video.encode(codec, width=64, height=48, fps=20, seconds=0.5, bit_rate=50_000)
    video.save(clip, tmp_path / f"street.{ending}")
    camera = open_camera(f"street.{ending}", tmp_path)
    first = await asyncio.wait_for(camera.slot.after(0), SECONDS)
    began, before = time.monotonic(), time.process_time()
    last = await asyncio.wait_for(camera.slot.after(first.number + 23), SECONDS)  # over and over: it has ten frames
    played, passed = last.number - first.number, time.monotonic() - began
    assert 12 < played / passed < 24
    assert time.process_time() - before < passed / 2
    assert (camera.status.state, camera.status.source) == ("live", f"street.{ending}")
    began = time.monotonic()
    await camera.close()
    assert time.monotonic() - began < 3
    assert not camera.is_running


async def test_a_file_of_one_frame_does_not_spin(tmp_path, open_camera):
    video.save(video.encode("h264", width=64, height=48, fps=25, seconds=0.04), tmp_path / "still.mp4")
    camera = open_camera("still.mp4", tmp_path)
    first = await asyncio.wait_for(camera.slot.after(0), SECONDS)
    began = time.monotonic()
    last = await asyncio.wait_for(camera.slot.after(first.number + 10), SECONDS)
    assert (last.number - first.number) / (time.monotonic() - began) <= 40


def turned(path, matrix):
    """Write the display matrix of an MP4's track header: what phones do."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 4 * 4 + 4 + 4 * 2 + 2 * 4  # version 0
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in matrix)
    path.write_bytes(data)


@pytest.mark.parametrize("clockwise", [90, 180, 270])
async def test_a_video_of_a_phone_is_upright(tmp_path, open_camera, clockwise):
    clip = video.encode("h264", width=160, height=96, fps=10, seconds=0.5)
    path = video.save(clip, tmp_path / "phone.mp4")
    one = 1 << 16
    matrices = {90: (0, one, 0, -one, 0, 0), 180: (-one, 0, 0, 0, -one, 0), 270: (0, -one, 0, one, 0, 0)}
    turned(path, (*matrices[clockwise], 0, 0, 1 << 30))
    camera = open_camera("phone.mp4", tmp_path)
    frame = await asyncio.wait_for(camera.slot.after(0), SECONDS)
    seen = simplejpeg.decode_jpeg(compress(frame.image, quality=90).jpeg)
    plain = simplejpeg.decode_jpeg(compress(plain_frame(path), quality=90).jpeg)
    expected = np.rot90(plain, -clockwise // 90)
    assert seen.shape == expected.shape
    assert np.abs(seen.astype(int) - expected).mean() < 4
    status = await state_of(camera, "live")
    assert (status.width, status.height) == ((96, 160) if clockwise != 180 else (160, 96))


def plain_frame(path):
    """The first frame as it is stored."""
    import av

    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        return av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24"), format="rgb24")


async def test_a_file_without_video_says_so(tmp_path, open_camera):
    import av

    with av.open(str(tmp_path / "voice.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(sound.encode(frame) + sound.encode(None))
    status = await state_of(open_camera("voice.mp4", tmp_path), "lost")
    assert "has no video" in status.detail


@pytest.mark.parametrize("content", [b"", b"hello", bytes(5000)])
async def test_a_file_that_is_no_video_says_so(tmp_path, open_camera, content):
    (tmp_path / "notes.mp4").write_bytes(content)
    status = await state_of(open_camera("notes.mp4", tmp_path), "lost")
    assert "no readable video" in status.detail


async def test_a_file_that_is_deleted_says_so_and_nothing_else(tmp_path, open_camera):
    (tmp_path / "gone.mp4").write_bytes(b"")
    address = parse_address("gone.mp4", [tmp_path])
    (tmp_path / "gone.mp4").unlink()
    camera = StreamCamera(address)
    status = await state_of(camera, "lost")
    assert str(tmp_path) not in status.detail
    await camera.close()


PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{0}\n#EXT-X-ENDLIST\n"


@pytest.mark.parametrize("ending", ["m3u8", "mp4", "ts"])
@pytest.mark.parametrize("form", ["playlist", "concat", "description"])
async def test_a_file_leads_to_no_other_file_or_host(tmp_path, open_camera, ending, form):
    videos = tmp_path / "videos"
    videos.mkdir()
    secret = video.save(video.encode("h264", width=64, height=48, seconds=0.5), tmp_path / "secret.ts")
    contents = {
        "playlist": PLAYLIST.format(secret),
        "concat": f"ffconcat version 1.0\nfile '{secret}'\n",
        "description": "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
        "a=rtpmap:96 H264/90000\n",
    }
    (videos / f"list.{ending}").write_text(contents[form])
    camera = open_camera(f"list.{ending}", videos)
    await state_of(camera, "lost")
    assert camera.slot.newest is None


async def test_a_playlist_asks_no_host(tmp_path, open_camera):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/x.ts"
        (tmp_path / "list.m3u8").write_text(PLAYLIST.format(url))
        await state_of(open_camera("list.m3u8", tmp_path), "lost")
        with pytest.raises(BlockingIOError):
            listener.accept()


async def test_no_thread_is_left_by_many_cameras(host, clip):
    threads = threading.active_count()
    for _ in range(5):
        camera = StreamCamera(parse_address(host.url))
        await asyncio.wait_for(camera.slot.after(0), SECONDS)
        await camera.close()
    await until(lambda: threading.active_count() <= threads + 1)
