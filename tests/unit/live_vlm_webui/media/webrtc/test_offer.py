"""Of an offer only what receiving one video needs is passed on, and the rest is declined."""

from __future__ import annotations

import contextlib

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from live_vlm_webui.errors import InputError
from live_vlm_webui.media.webrtc.offer import MAX_CANDIDATES, MAX_NAMED_CANDIDATES, read_offer

FINGERPRINT = ":".join(["9A"] * 32)
TRANSPORT = (
    f"a=ice-ufrag:K5qV\na=ice-pwd:jumA+0fWatdB9rI42+YB0mUz\na=fingerprint:sha-256 {FINGERPRINT}\na=setup:actpass\n"
)
VIDEO = f"""m=video 40532 UDP/TLS/RTP/SAVPF 96 97 102 103 104 45 98
c=IN IP4 192.0.2.2
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1364140802 1 udp 2122194687 192.0.2.2 40532 typ host generation 0 network-id 1
a=candidate:1446858674 1 udp 2122265343 fd00::2 33077 typ host generation 0 network-id 2
a=candidate:796967322 1 tcp 1518214911 192.0.2.2 9 typ host tcptype active generation 0 network-id 1
{TRANSPORT}a=ice-options:trickle
a=mid:1
a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time
a=extmap:3 urn:3gpp:video-orientation
a=extmap:9 urn:ietf:params:rtp-hdrext:sdes:mid
a=sendrecv
a=msid:3ead4469-ad83-4c14-8f56-02e32d29de79 4a02618a-3f77-4d80-9e27-19d533b756a2
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 goog-remb
a=rtcp-fb:96 transport-cc
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
a=rtpmap:102 H264/90000
a=rtcp-fb:102 nack
a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f
a=rtpmap:103 rtx/90000
a=fmtp:103 apt=102
a=rtpmap:104 H264/90000
a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42001f
a=rtpmap:45 AV1/90000
a=fmtp:45 level-idx=5;profile=0;tier=0
a=rtpmap:98 VP9/90000
a=ssrc-group:FID 1877311707 2870967356
a=ssrc:1877311707 cname:2l9xvJZ1amwePS/0
a=ssrc:1877311707 msid:3ead4469 4a02618a
a=ssrc:2870967356 cname:2l9xvJZ1amwePS/0
"""
AUDIO = f"""m=audio 9 UDP/TLS/RTP/SAVPF 111 0
c=IN IP4 0.0.0.0
{TRANSPORT}a=mid:0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtpmap:0 PCMU/8000
"""
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 0.0.0.0\na=mid:2\na=sctp-port:5000\n"
SESSION = "v=0\no=- 6886719190478776801 2 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE 0 1 2\n"
CHROMIUM = (SESSION + AUDIO + VIDEO + DATA).replace("\n", "\r\n")
"""As a page that asks for camera and microphone and opens a data channel sends it, shortened."""


def sections(sdp):
    return ["m=" + section for section in sdp.split("m=")[1:]]


def answered(offer):
    """What aiortc answers to the video alone, in short."""
    names = [line for line in offer.sdp.splitlines() if line.startswith(("a=rtpmap:", "a=fmtp:"))]
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {offer.video.mid}",
        "a=msid-semantic:WMS *",
        "m=video 50000 UDP/TLS/RTP/SAVPF 102 96",
        "c=IN IP4 192.0.2.1",
        "a=recvonly",
        f"a=mid:{offer.video.mid}",
        "a=msid:stream track",
        "a=ssrc:1 cname:none",
        *names,
        "a=candidate:1 1 udp 1 192.0.2.1 50000 typ host",
        "a=ice-ufrag:abcd",
        "a=setup:active",
    ]
    return offer.answer("\r\n".join(lines) + "\r\n")


def test_the_cheapest_codec_comes_first_and_others_are_left_out():
    codecs = [line for line in read_offer(CHROMIUM).sdp.splitlines() if line.startswith("a=rtpmap:")]
    assert codecs == [
        "a=rtpmap:102 H264/90000",
        "a=rtpmap:103 rtx/90000",
        "a=rtpmap:96 VP8/90000",
        "a=rtpmap:97 rtx/90000",
    ]


def test_aiortc_reads_what_is_passed_on():
    (media,) = SessionDescription.parse(read_offer(CHROMIUM).sdp).media
    assert (media.kind, media.direction, media.rtp.muxId) == ("video", "sendonly", "1")
    assert [codec.payloadType for codec in media.rtp.codecs] == [102, 103, 96, 97]
    assert [one.ssrc for one in media.ssrc] == [1877311707, 2870967356]
    assert [(one.ip, one.port) for one in media.ice_candidates] == [("192.0.2.2", 40532), ("fd00::2", 33077)]
    assert media.ice_candidates_complete
    assert (media.ice.usernameFragment, media.ice.password) == ("K5qV", "jumA+0fWatdB9rI42+YB0mUz")
    assert [one.value for one in media.dtls.fingerprints] == [FINGERPRINT]
    assert [one.id for one in media.rtp.headerExtensions] == [2, 9]
    assert {(one.type, one.parameter) for one in media.rtp.codecs[2].rtcpFeedback} == {
        ("nack", None),
        ("nack", "pli"),
        ("goog-remb", None),
    }


def test_the_answer_has_every_section_in_its_place():
    kinds = [section.split(" ")[0:2] for section in sections(answered(read_offer(CHROMIUM)))]
    assert kinds == [["m=audio", "9"], ["m=video", "50000"], ["m=application", "0"]]


def test_a_microphone_in_the_bundle_is_quiet_and_shares_the_transport():
    answer = answered(read_offer(CHROMIUM))
    audio = sections(answer)[0].splitlines()
    assert "a=group:BUNDLE 0 1" in answer.splitlines()
    assert {"a=inactive", "a=mid:0", "a=rtpmap:111 opus/48000/2", "a=ice-ufrag:abcd", "a=setup:active"} <= set(audio)


def test_a_microphone_outside_of_the_bundle_is_refused():
    answer = answered(read_offer(CHROMIUM.replace("BUNDLE 0 1 2", "BUNDLE 1")))
    assert sections(answer)[0].splitlines()[0] == "m=audio 0 UDP/TLS/RTP/SAVPF 111 0"
    assert "a=group:BUNDLE 1" in answer.splitlines()


def test_without_a_bundle_none_is_answered():
    answer = answered(read_offer(CHROMIUM.replace("a=group:BUNDLE 0 1 2\r\n", "")))
    assert "a=group" not in answer


def test_a_second_camera_is_declined():
    second = VIDEO.replace("a=mid:1", "a=mid:3")
    answer = answered(read_offer(SESSION.replace("0 1 2", "1 3") + VIDEO + second))
    assert [section.count("a=inactive") for section in sections(answer)] == [0, 1]


def test_a_camera_that_was_taken_away_is_refused_and_the_next_taken():
    gone = "m=video 0 UDP/TLS/RTP/SAVPF 96\nc=IN IP4 0.0.0.0\na=inactive\na=mid:3\n"
    offer = read_offer(SESSION + gone + VIDEO)
    assert offer.video.mid == "1"
    assert sections(answered(offer))[0].startswith("m=video 0 ")


def test_the_answer_describes_nothing_that_is_sent():
    answer = answered(read_offer(CHROMIUM))
    assert "msid" not in answer
    assert "ssrc" not in answer
    assert "sendrecv" not in answer


def test_the_answer_limits_the_bit_rate_and_says_where_to_begin():
    video = sections(answered(read_offer(CHROMIUM)))[1].splitlines()
    assert video[2:4] == ["b=AS:2500", "b=TIAS:2500000"]
    assert "a=fmtp:96 x-google-start-bitrate=1200" in video
    assert sum("profile-level-id" in line and line.endswith(";x-google-start-bitrate=1200") for line in video) == 1


def test_lines_may_end_without_carriage_returns():
    assert read_offer(CHROMIUM.replace("\r\n", "\n")).sdp == read_offer(CHROMIUM).sdp


def test_what_holds_for_the_transport_may_be_said_once():
    once = SESSION + TRANSPORT + AUDIO.replace(TRANSPORT, "") + VIDEO.replace(TRANSPORT, "")
    assert "a=ice-pwd:jumA+0fWatdB9rI42+YB0mUz" in read_offer(once).sdp


def test_a_section_that_is_only_bundled_has_the_candidates_of_the_first():
    bare = "\n".join(line for line in VIDEO.splitlines() if "candidate" not in line) + "\na=bundle-only\n"
    first = AUDIO + "a=candidate:1 1 udp 7 192.0.2.9 1000 typ host\n"
    offer = read_offer(SESSION + first + bare.replace("m=video 40532", "m=video 0"))
    assert "a=candidate:1 1 udp 7 192.0.2.9 1000 typ host" in offer.sdp


def test_an_offer_without_candidates_waits_for_the_browser_to_come():
    bare = "\n".join(line for line in VIDEO.splitlines() if "candidate" not in line) + "\n"
    assert "candidate" not in read_offer(SESSION + bare).sdp


def test_the_same_connection_has_the_same_identity():
    other = CHROMIUM.replace("K5qV", "abcd")
    assert read_offer(CHROMIUM).identity == read_offer(CHROMIUM.replace("sendrecv", "sendonly")).identity
    assert read_offer(CHROMIUM).identity != read_offer(other).identity


def candidates(*addresses):
    lines = [f"a=candidate:1 1 udp 7 {address} 1000 typ host" for address in addresses]
    offer = read_offer(SESSION + VIDEO + "\n".join(lines) + "\n")
    return [line.split(" ")[4] for line in offer.sdp.splitlines() if line.startswith("a=candidate")][2:]


def test_hidden_addresses_are_asked_for_on_the_local_network_a_few_at_most():
    assert candidates("af82-11.local") == ["af82-11.local"]
    assert len(candidates(*(f"a{number}.local" for number in range(50)))) == MAX_NAMED_CANDIDATES


def test_candidates_are_limited():
    assert len(candidates(*(f"192.0.2.{number}" for number in range(200)))) == MAX_CANDIDATES - 2


@pytest.mark.parametrize("address", ["example.com", "localhost", "999.1.1.1", "1.2.3", "a.b.local", "::1%eth0", "-"])
def test_other_names_are_not_looked_up(address):
    assert candidates(address) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not a session description"),
        ("hello", "not a session description"),
        ("v=0\n" * 3 + "\x00", "not a session description"),
        (SESSION[4:] + VIDEO, "not a session description"),
        (SESSION, "sends no video"),
        (SESSION + AUDIO + DATA, "sends no video"),
        (SESSION + VIDEO.replace("a=sendrecv", "a=recvonly"), "sends no video"),
        (SESSION + VIDEO.replace("a=sendrecv", "a=inactive"), "sends no video"),
        (SESSION + VIDEO.replace("m=video 40532", "m=video 0"), "sends no video"),
        (SESSION + VIDEO.replace("a=mid:1", "a=mid:1 2"), "sends no video"),
        (SESSION + VIDEO.replace("VP8", "VP7").replace("H264", "H265"), "no supported video codec"),
        (SESSION + VIDEO.replace("VP8", "VP7").replace("42001f", "64001f"), "no supported video codec"),
        (SESSION + VIDEO.replace("a=ice-pwd", "a=ice"), "no ICE credentials"),
        (SESSION + VIDEO.replace("sha-256", "md5"), "no fingerprint"),
        (SESSION + VIDEO.replace("m=video 40532", "m=video many"), "invalid media section"),
        (SESSION + AUDIO * 17 + VIDEO, "too many"),
        (SESSION + VIDEO + "a=x\n" * 30_000, "longer than"),
    ],
)
def test_what_is_no_offer_of_video_is_refused_in_words(text, says):
    with pytest.raises(InputError, match=says) as raised:
        read_offer(text)
    assert raised.value.remedy


@given(st.data())
def test_a_damaged_offer_is_refused_or_still_read_by_aiortc(data):
    lines = CHROMIUM.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(["drop", "repeat", "cut", "swap", "garble"]))
        other = data.draw(st.integers(0, len(lines) - 1))
        if kind == "drop":
            lines[at] = "a=x"
        elif kind == "repeat":
            lines.insert(other, lines[at])
        elif kind == "cut":
            lines[at] = lines[at][: data.draw(st.integers(0, 20))]
        elif kind == "swap":
            lines[at], lines[other] = lines[other], lines[at]
        else:
            lines[at] += data.draw(st.text(max_size=8))
    with contextlib.suppress(InputError):
        offer = read_offer("\r\n".join(lines))
        (media,) = SessionDescription.parse(offer.sdp).media
        assert media.dtls.fingerprints
        assert media.rtp.codecs
        SessionDescription.parse(answered(offer))
