"""A browser's camera, by a real peer connection on loopback: aiortc sends video that was encoded before."""

from __future__ import annotations

import asyncio
import threading
import time
from random import Random

import pytest
import simplejpeg
import video
from aiortc.rtp import RtcpByePacket
from webrtc_client import Peer

from live_vlm_webui.errors import ConflictError, InputError
from live_vlm_webui.media.jpeg import compress
from live_vlm_webui.media.webrtc import camera as webrtc
from live_vlm_webui.media.webrtc.camera import WebRtcCamera

SECONDS = 60


@pytest.fixture(scope="module")
def clips():
    """One second of 320x180, by codec."""
    return {codec: video.encode(codec) for codec in ("h264", "vp8")}


@pytest.fixture
async def camera():
    camera = WebRtcCamera()
    yield camera
    await camera.close()


@pytest.fixture
async def peer(clips):
    peer = Peer(clips["h264"])
    yield peer
    await peer.close()


async def frame_after(camera, number, seconds=SECONDS):
    return await asyncio.wait_for(camera.slot.after(number), seconds)


async def until(condition, seconds=SECONDS):
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        await asyncio.sleep(0.02)


def decoders():
    return [thread for thread in threading.enumerate() if "decoder" in thread.name]


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_video_of_a_browser_arrives_in_its_colours(camera, codec):
    clip = video.encode(codec, colour=(220, 60, 40), bit_rate=200_000)
    peer = Peer(clip)
    states = []
    camera.watch(lambda status: states.append((status.state, status.width, status.height)))
    try:
        await peer.connect(camera.accept)
        frame = await frame_after(camera, 5)
    finally:
        await peer.close()
    assert states[:1] == [("live", 320, 180)]
    assert abs(simplejpeg.decode_jpeg(compress(frame.image).jpeg)[90, 160].astype(int) - (220, 60, 40)).max() < 12


@pytest.mark.alone
async def test_frames_come_as_fast_as_they_are_sent(camera, peer):
    await peer.connect(camera.accept)
    first = await frame_after(camera, 0)
    began = time.monotonic()
    last = await frame_after(camera, first.number + 29)
    assert 15 < (last.number - first.number) / (time.monotonic() - began) < 45


async def test_nothing_is_sent_back(camera, peer):
    answer = await peer.connect(camera.accept)
    await frame_after(camera, 0)
    assert "a=recvonly" in answer
    assert "a=sendrecv" not in answer
    assert "a=ssrc" not in answer
    assert [one.currentDirection for one in peer.connection.getTransceivers()] == ["sendonly"]


async def test_no_other_machine_is_asked_for_addresses(camera, peer):
    answer = await peer.connect(camera.accept)
    assert "typ host" in answer
    assert "typ srflx" not in answer
    assert "typ relay" not in answer


@pytest.mark.parametrize("codec", ["h264", "vp8"])
async def test_the_microphone_is_declined_and_the_video_comes(camera, clips, codec):
    peer = Peer(clips[codec], audio=True)
    try:
        answer = await peer.connect(camera.accept)
        await frame_after(camera, 0)
        assert [one.currentDirection for one in peer.connection.getTransceivers()] == ["inactive", "sendonly"]
    finally:
        await peer.close()
    assert answer.count("a=inactive") == 1
    assert not any("audio" in thread.name for thread in threading.enumerate())


async def test_a_browser_that_hangs_up_ends_the_camera_and_its_threads(camera, peer):
    await peer.connect(camera.accept)
    await frame_after(camera, 0)
    assert decoders()
    await peer.close()
    await until(lambda: camera.status.state == "ended")
    assert camera.status.detail
    await until(lambda: not decoders())


async def test_closing_ends_connection_and_threads(camera, peer):
    await peer.connect(camera.accept)
    await frame_after(camera, 0)
    began = time.monotonic()
    await camera.close()
    assert time.monotonic() - began < 3
    assert not decoders()
    assert camera.status.state == "ended"
    number = camera.slot.newest.number
    await asyncio.sleep(0.2)
    assert camera.slot.newest.number == number
    await camera.close()


async def test_a_covered_camera_stalls_and_comes_back(camera, peer, monkeypatch):
    monkeypatch.setattr("live_vlm_webui.media.camera.STALL_SECONDS", 0.5)
    await peer.connect(camera.accept)
    await frame_after(camera, 0)
    peer.track.pause()
    await until(lambda: camera.status.state == "stalled")
    assert camera.status.detail == webrtc.STALLED
    peer.track.resume()
    await until(lambda: camera.status.state == "live")
    assert camera.status.detail == ""


async def test_a_browser_that_never_connects_is_given_up(camera, clips, monkeypatch):
    monkeypatch.setattr(webrtc, "CONNECT_SECONDS", 0.3)
    peer = Peer(clips["h264"])
    await peer.connection.setLocalDescription(await peer.connection.createOffer())
    await camera.accept(peer.connection.localDescription.sdp)
    await peer.close()
    await until(lambda: camera.status.state == "lost")
    assert camera.status.detail == webrtc.UNCONNECTED


async def test_a_second_connection_takes_the_place_of_the_first(camera, peer):
    await peer.connect(camera.accept)
    await frame_after(camera, 0)
    other = Peer(video.encode("vp8", width=160, height=120, bit_rate=100_000))
    try:
        await other.connect(camera.accept)
        await until(lambda: camera.status.width == 160)
        await until(lambda: peer.connection.connectionState == "closed")
        assert camera.status.state == "live"
        assert len(decoders()) == 2
    finally:
        await other.close()


async def test_an_offer_on_the_same_connection_is_answered_and_video_goes_on(camera, peer):
    await peer.connect(camera.accept)
    await frame_after(camera, 0)
    await peer.offer(camera.accept)
    await frame_after(camera, camera.slot.newest.number + 20)
    assert camera.status.state == "live"


async def test_video_goes_on_after_the_browser_said_bye(camera, peer):
    await peer.connect(camera.accept)
    await frame_after(camera, 0)
    (sender,) = peer.connection.getSenders()
    await sender.transport._send_rtp(bytes(RtcpByePacket(sources=[sender._ssrc])))
    await asyncio.sleep(0.2)
    await frame_after(camera, camera.slot.newest.number + 20)


async def test_a_frame_that_cannot_be_decoded_is_skipped_and_a_key_frame_asked_for(camera, peer):
    await peer.connect(camera.accept)
    await frame_after(camera, 0)
    asked = []
    (sender,) = peer.connection.getSenders()
    sender._send_keyframe = lambda: asked.append(1)
    good = peer.track.clip
    broken = video.Packet(b"\x00\x00\x00\x01\x67\x42" + bytes(20) + b"\x00\x00\x00\x01\x65" + b"\xff" * 300, 0, True)
    peer.track.clip = video.Clip(good.codec, good.width, good.height, good.fps, (broken,) * 30)
    await until(lambda: asked)
    peer.track.clip = good
    await frame_after(camera, camera.slot.newest.number + 10)


async def test_frames_come_where_aiortc_keeps_the_compressed_ones_to_itself(camera, peer, monkeypatch):
    monkeypatch.setattr(webrtc, "COMPRESSED_FRAMES", "_RTCRtpReceiver__elsewhere")
    await peer.connect(camera.accept)
    await frame_after(camera, 5)
    await camera.close()
    await until(lambda: not decoders())


async def test_this_aiortc_hands_over_its_compressed_frames(camera, peer, caplog):
    await peer.connect(camera.accept)
    await frame_after(camera, 0)
    assert "decodes frames itself" not in caplog.text
    assert any(thread.name == "decoder-H264" for thread in decoders())


@pytest.mark.parametrize("kind", ["audio", "data", "nothing", "video that is received"])
async def test_an_offer_without_video_is_refused(camera, clips, kind):
    peer = Peer(clips["h264"])
    (transceiver,) = peer.connection.getTransceivers()
    transceiver.direction = "recvonly" if kind.startswith("video") else "inactive"
    if kind == "audio":
        peer.connection.addTransceiver("audio", "sendrecv")
    elif kind == "data":
        peer.connection.createDataChannel("chat")
    await peer.connection.setLocalDescription(await peer.connection.createOffer())
    with pytest.raises(InputError, match="sends no video"):
        await camera.accept(peer.connection.localDescription.sdp)
    await peer.close()


async def test_a_closed_camera_accepts_nothing(camera, peer):
    await camera.close()
    with pytest.raises(ConflictError):
        await peer.connect(camera.accept)


async def test_many_connections_one_after_the_other_leave_nothing(clips):
    threads, tasks = threading.active_count(), len(asyncio.all_tasks())
    for _ in range(5):
        camera, peer = WebRtcCamera(), Peer(clips["h264"])
        await peer.connect(camera.accept)
        await frame_after(camera, 0)
        await camera.close()
        await peer.close()
    await until(lambda: not decoders())
    await until(lambda: len(asyncio.all_tasks()) <= tasks)
    assert threading.active_count() <= threads + 2  # of the loop's own executor


async def test_a_browser_that_vanishes_is_lost_and_its_threads_end(camera, peer, monkeypatch):
    monkeypatch.setattr("aioice.ice.CONSENT_INTERVAL", 0.1)
    await peer.connect(camera.accept)
    await frame_after(camera, 0)
    states = []
    camera.watch(lambda status: states.append(status.state))
    (transceiver,) = peer.connection.getTransceivers()
    for protocol in transceiver.sender.transport.transport._connection._protocols:
        protocol.send_stun = protocol.transport.sendto = lambda *_: None
    await until(lambda: camera.status.state == "lost", 40)
    assert camera.status.detail == webrtc.LOST
    assert states[-1] == "lost"
    await until(lambda: not any(thread.name == "decoder-H264" for thread in decoders()))


async def test_damaged_offers_are_refused_in_words_and_leave_nothing(clips):
    random = Random(4)
    peer = Peer(clips["h264"], audio=True)
    await peer.connection.setLocalDescription(await peer.connection.createOffer())
    good = peer.connection.localDescription.sdp
    tasks, refused, answered = len(asyncio.all_tasks()), 0, 0
    for _ in range(120):
        damaged = list(good)
        for _ in range(random.choice((1, 3, 20))):
            at = random.randrange(len(damaged))
            damaged[at : at + random.choice((0, 1, 1, 9))] = random.choice(
                ("", "\n", "x", ":", " ", "9", "ü", "\0", "=")
            )
        camera = WebRtcCamera()
        try:
            await camera.accept("".join(damaged))
            answered += 1
        except InputError as error:
            refused += 1
            assert error.remedy
        await camera.close()
    await peer.close()
    assert refused > 10
    assert answered > 10
    await until(lambda: len(asyncio.all_tasks()) <= tasks)
    assert not decoders()


async def test_two_offers_at_once_are_not_mixed(camera, clips):
    peers = [Peer(clips["h264"]), Peer(clips["vp8"])]
    results = await asyncio.gather(*(peer.connect(camera.accept) for peer in peers), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["ConflictError", "str"]
    await frame_after(camera, 0)
    for peer in peers:
        await peer.close()
