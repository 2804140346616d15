"""Compressed frames are decoded in order in a thread; what cannot be kept up with is dropped up to a key frame."""

from __future__ import annotations

import queue
import threading
import time

import pytest
import video

from live_vlm_webui.media.webrtc import decoder as module
from live_vlm_webui.media.webrtc.decoder import MAX_WAITING, MAX_WAITING_BYTES, Decoder, is_key_frame

NAMES = {"h264": "H264", "vp8": "VP8"}


@pytest.fixture(scope="module")
def clips():
    return {codec: video.encode(codec, width=64, height=48, fps=10, seconds=2, bit_rate=50_000) for codec in NAMES}


@pytest.fixture
def shown():
    return queue.SimpleQueue()


@pytest.fixture
def asked():
    return []


@pytest.fixture
def make(shown, asked):
    made = []

    def make(show=shown.put):
        made.append(Decoder(show, lambda: asked.append(1)))
        return made[-1]

    yield make
    for one in made:
        one.close()
        one.join(60)
        assert one._thread is None or not one._thread.is_alive()


class Gate:
    """Lets the decoder's thread into ``show`` and holds it there."""

    def __init__(self):
        self.entered, self.open, self.count = threading.Event(), threading.Event(), 0

    def __call__(self, _image):
        self.count += 1
        self.entered.set()
        assert self.open.wait(60)


@pytest.mark.parametrize("codec", NAMES)
def test_each_frame_is_shown_at_once(make, shown, clips, codec):
    decoder = make()
    for packet in clips[codec].packets:
        decoder.feed(NAMES[codec], packet.data)
        image = shown.get(timeout=60)
        assert (image.width, image.height) == (64, 48)


def test_the_codec_may_change(make, shown, clips):
    decoder = make()
    for codec in ("h264", "vp8", "h264"):
        decoder.feed(NAMES[codec], clips[codec].packets[0].data)
        assert shown.get(timeout=60).width == 64


@pytest.mark.parametrize("codec", NAMES)
def test_key_frames_are_told_from_others(clips, codec):
    assert [is_key_frame(NAMES[codec], packet.data) for packet in clips[codec].packets] == [
        packet.key for packet in clips[codec].packets
    ]
    assert not is_key_frame(NAMES[codec], b"" if codec == "vp8" else b"\x00\x00\x01")


def test_a_slow_decoder_drops_all_and_restarts_at_a_key_frame(make, asked, clips):
    gate = Gate()
    decoder, packets = make(gate), clips["vp8"].packets
    decoder.feed("VP8", packets[0].data)
    assert gate.entered.wait(60)
    for _ in range(MAX_WAITING + 1):
        decoder.feed("VP8", packets[1].data)
    assert len(decoder._waiting) == 0
    assert asked == [1]
    decoder.feed("VP8", packets[2].data)
    assert len(decoder._waiting) == 0
    decoder.feed("VP8", packets[10].data)
    decoder.feed("VP8", packets[11].data)
    assert [data for _, data in decoder._waiting] == [packets[10].data, packets[11].data]
    gate.open.set()


def test_bytes_that_wait_are_limited_too(make, clips):
    gate = Gate()
    decoder = make(gate)
    decoder.feed("VP8", clips["vp8"].packets[0].data)
    assert gate.entered.wait(60)
    large = b"\x01" + bytes(MAX_WAITING_BYTES // 4)
    for _ in range(12):
        decoder.feed("VP8", large)
        assert decoder._waiting_bytes <= MAX_WAITING_BYTES
    gate.open.set()


def test_a_key_frame_is_asked_for_again_only_after_a_while(make, asked, monkeypatch):
    decoder = make()
    decoder._needs_key_frame = True
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for _ in range(5):
        decoder.feed("VP8", b"\x01")
    assert len(asked) == 1
    now[0] += module.KEY_FRAME_SECONDS
    decoder.feed("VP8", b"\x01")
    assert len(asked) == 2


def test_what_cannot_be_decoded_is_skipped(make, shown, asked, clips):
    decoder = make()
    decoder.feed("VP8", b"\x00\x00\x00garbage")
    decoder.feed("VP8", clips["vp8"].packets[0].data)
    assert shown.get(timeout=60).width == 64
    assert asked


def test_a_picture_of_too_many_pixels_is_not_decoded(make, shown, clips, monkeypatch):
    monkeypatch.setattr(module, "MAX_PIXELS", 64 * 48 - 1)
    decoder = make()
    decoder.feed("H264", clips["h264"].packets[0].data)
    decoder.feed("H264", clips["h264"].packets[1].data)
    with pytest.raises(queue.Empty):
        shown.get(timeout=0.2)


def test_closing_forgets_what_waits(make, clips):
    gate = Gate()
    decoder = make(gate)
    decoder.feed("VP8", clips["vp8"].packets[0].data)
    assert gate.entered.wait(60)
    for packet in clips["vp8"].packets[1:10]:
        decoder.feed("VP8", packet.data)
    decoder.close()
    gate.open.set()
    decoder.join(60)
    assert gate.count == 1
    decoder.feed("VP8", clips["vp8"].packets[0].data)
    assert len(decoder._waiting) == 0


def test_a_decoder_that_was_fed_nothing_has_no_thread(make):
    before = threading.active_count()
    decoder = make()
    assert threading.active_count() == before
    decoder.close()
    decoder.join(60)
