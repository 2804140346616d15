"""Browsers' offers and the answers to them (SDP, RFC 8866 and RFC 8829).

aiortc gets only the part of an offer that is needed to receive one video, rewritten from checked values, so its parser
gets no unexpected input. The answer declines everything else: microphones, data channels, further videos.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from live_vlm_webui.errors import InputError
from live_vlm_webui.media.webrtc.sdp import MEDIA, REMEDY, Section, read_sections

MAX_CANDIDATES = 16
MAX_NAMED_CANDIDATES = 4
"""Candidates with a ``.local`` name instead of an address, each of which needs a query on the local network."""
MAX_KILOBITS = 2500
"""The bit rate limit for browsers: their own choice for 720p, and a limit for larger cameras."""
FIRST_BIT_RATE = "x-google-start-bitrate=1200"
"""In kilobits per second. Chromium would start at 300 and need ten seconds from 360p to 720p; others ignore it."""

CODECS = ("H264", "VP8")
"""In order of decoding cost: VP8 needs about a fifth more."""
DYNAMIC = range(96, 128)
NOT_SENT = ("a=msid:", "a=msid-semantic:", "a=ssrc:", "a=ssrc-group:")
"""Lines of aiortc that describe sent media; nothing is sent."""
TRANSPORT = ("a=candidate:", "a=end-of-candidates", "a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:", "a=setup:")
EXTENSIONS = ("urn:ietf:params:rtp-hdrext:sdes:mid", "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")
ICE_USER = re.compile(r"[A-Za-z0-9+/]{4,256}")
ICE_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
FINGERPRINT = re.compile(r"(?i:sha-(256|384|512)) [0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31,63}")
CODEC = re.compile(r"(?P<type>\d{1,3}) (?P<name>[A-Za-z0-9]{1,16})/90000")
ANY_CODEC = re.compile(r"\d{1,3} [\w.+-]{1,32}/\d{1,6}(/\d)?", re.ASCII)
PARAMETERS = re.compile(r"(?P<type>\d{1,3}) (?P<text>[\w=;:,.+/ -]{1,256})", re.ASCII)
BASELINE = re.compile(r"42[0-9a-f]{4}")
FEEDBACK = ("nack", "nack pli", "goog-remb")
EXTENSION = re.compile(r"(?P<id>[1-9]|1[0-4])(/\w+)? (?P<uri>\S{1,128})")
SOURCE = re.compile(r"(?P<source>\d{1,10}) cname:(?P<name>[\x21-\x7e]{1,128})")
CANDIDATE = re.compile(
    r"(?P<foundation>[A-Za-z0-9+/]{1,32}) 1 (?i:udp) (?P<priority>\d{1,10})"
    r" (?P<host>[0-9A-Fa-f.:]{2,45}|[A-Za-z0-9-]{1,63}\.local) (?P<port>\d{1,5}) typ (?P<type>host|srflx|relay)( .*)?"
)


@dataclass(frozen=True)
class Offer:
    """A browser's offer.

    Attributes:
        sections: All sections, in order.
        video: The accepted video section.
        sdp: An offer of that section only, for aiortc.
        identity: Identifies the connection: different for each RTCPeerConnection.
        bundle: The names of the sections that share one transport.
    """

    sections: tuple[Section, ...]
    video: Section
    sdp: str
    identity: tuple[str, str]
    bundle: tuple[str, ...]

    def answer(self, sdp: str) -> str:
        """Complete aiortc's answer, which contains only the video: decline the rest, limit the bit rate."""
        lines = [line for line in sdp.splitlines() if not line.startswith(NOT_SENT)]
        begins = next(at for at, line in enumerate(lines) if line.startswith("m="))
        accepted: list[str] = []
        for line in lines[begins:]:
            starts_fast = line.startswith("a=fmtp:") and "packetization-mode" in line
            accepted.append(f"{line};{FIRST_BIT_RATE}" if starts_fast else line)
            if line.startswith("a=rtpmap:") and line.endswith(" VP8/90000"):
                accepted.append(f"a=fmtp:{line.split(':')[1].split(' ')[0]} {FIRST_BIT_RATE}")
            if line.startswith("c="):
                accepted += [f"b=AS:{MAX_KILOBITS}", f"b=TIAS:{MAX_KILOBITS * 1000}"]
        transport = [line for line in accepted if line.startswith(TRANSPORT)]
        quiet = {one: codec for one in self.sections if one is not self.video and (codec := self._bundled_codec(one))}
        answer = [line for line in lines[:begins] if not line.startswith("a=group:")]
        if self.bundle:
            bundled = [one.mid for one in self.sections if one.mid and (one is self.video or one in quiet)]
            answer.append(f"a=group:BUNDLE {' '.join(bundled)}")
        for section in self.sections:
            if section is self.video:
                answer += accepted
            elif section in quiet:
                answer += _quiet(section, quiet[section]) + transport
            else:
                answer += _refused(section)
        return "\r\n".join(answer) + "\r\n"

    def _bundled_codec(self, section: Section) -> str | None:
        """Return the codec to answer for a section bundled with the video; None if it is rejected instead.

        If the first section of a bundle is rejected, some browsers lose the shared transport.
        """
        if section.kind not in ("audio", "video") or section.mid not in self.bundle or not section.wanted:
            return None
        return section.value("rtpmap", ANY_CODEC)


def read_offer(text: str) -> Offer:
    """Parse and check an offer, and accept its first sending video.

    Raises:
        InputError: It is not an offer, or has no supported video.
    """
    session, *sections = read_sections(text)
    video = next((one for one in sections if one.kind == "video" and one.sends and one.mid), None)
    if video is None:
        raise InputError(
            "The offer sends no video", "Add a camera's track to the RTCPeerConnection before creating the offer."
        )
    codecs = list(_codecs(video))
    if not codecs:
        raise InputError("The offer has no supported video codec", f"Offer {' or '.join(CODECS)}.")
    # In a bundle, transport attributes may be in another section or at session level.
    shared = (video, session, *sections)
    user = _first(shared, "ice-ufrag", ICE_USER)
    password = _first(shared, "ice-pwd", ICE_PASSWORD)
    fingerprint = _first(shared, "fingerprint", FINGERPRINT)
    if user is None or password is None or fingerprint is None:
        raise InputError("The offer has no ICE credentials or no fingerprint", REMEDY)
    candidates = next((found for one in shared if (found := list(_candidates(one)))), [])
    ended = ["a=end-of-candidates"] if candidates else []
    types = [line.split(":")[1].split(" ")[0] for line in codecs if line.startswith("a=rtpmap:")]
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {video.mid}",
        f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(types)}",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{video.mid}",
        "a=sendonly",
        "a=rtcp-mux",
        *_extensions(video),
        *codecs,
        *_sources(video),
        f"a=ice-ufrag:{user}",
        f"a=ice-pwd:{password}",
        *candidates,
        *ended,
        f"a=fingerprint:{fingerprint}",
        "a=setup:actpass",
    ]
    bundles = (value.split() for value in session.values("group"))
    bundle = next((tuple(names[1:]) for names in bundles if names[:1] == ["BUNDLE"] and video.mid in names), ())
    return Offer(tuple(sections), video, "\r\n".join(lines) + "\r\n", (user, fingerprint), bundle)


def _first(sections: tuple[Section, ...], name: str, pattern: re.Pattern[str]) -> str | None:
    return next((value for one in sections if (value := one.value(name, pattern))), None)


def _matches(section: Section, name: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    return (match for value in section.values(name) if (match := pattern.fullmatch(value)))


def _codecs(section: Section) -> Iterator[str]:
    """Yield the lines of the supported codecs, cheapest first, each followed by its retransmissions."""
    names = {match["type"]: match["name"].upper() for match in _matches(section, "rtpmap", CODEC)}
    names = {number: name for number, name in names.items() if int(number) in DYNAMIC}
    parameters = {match["type"]: match["text"] for match in _matches(section, "fmtp", PARAMETERS)}
    again = {text.removeprefix("apt="): number for number, text in parameters.items() if names.get(number) == "RTX"}
    for codec in CODECS:
        for number in [one for one, name in names.items() if name == codec]:
            format_parameters = _h264_parameters(parameters.get(number, "")) if codec == "H264" else []
            if format_parameters is None:
                continue
            yield f"a=rtpmap:{number} {codec}/90000"
            for feedback in FEEDBACK:
                if {f"{number} {feedback}", f"* {feedback}"} & set(section.values("rtcp-fb")):
                    yield f"a=rtcp-fb:{number} {feedback}"
            if format_parameters:
                yield f"a=fmtp:{number} {';'.join(format_parameters)}"
            if number in again:
                yield f"a=rtpmap:{again[number]} rtx/90000"
                yield f"a=fmtp:{again[number]} apt={number}"


def _h264_parameters(text: str) -> list[str] | None:
    """Return the relevant parameters; None if aiortc does not support them: it needs baseline profile and mode 1."""
    known = dict(re.findall(r"([\w-]+)=(\w+)", text.lower()))
    profile = known.get("profile-level-id", "")
    if known.get("packetization-mode") != "1" or not BASELINE.fullmatch(profile):
        return None
    return ["level-asymmetry-allowed=1", "packetization-mode=1", f"profile-level-id={profile}"]


def _extensions(section: Section) -> Iterator[str]:
    for match in _matches(section, "extmap", EXTENSION):
        if match["uri"] in EXTENSIONS:
            yield f"a=extmap:{match['id']} {match['uri']}"


def _sources(section: Section) -> Iterator[str]:
    """Yield the SSRCs of the stream and of its retransmissions."""
    sources = {match["source"]: match["name"] for match in _matches(section, "ssrc", SOURCE)}
    for source, name in list(sources.items())[:2]:
        if int(source) < 1 << 32:
            yield f"a=ssrc:{source} cname:{name}"


def _candidates(section: Section) -> Iterator[str]:
    """Yield the UDP candidates, limited in number."""
    taken = named = 0
    for match in _matches(section, "candidate", CANDIDATE):
        host, port = match["host"], int(match["port"])
        hidden = host.endswith(".local")
        if not 0 < port < 1 << 16 or not (hidden or _is_address(host)) or (hidden and named == MAX_NAMED_CANDIDATES):
            continue
        named += hidden
        yield f"a=candidate:{match['foundation']} 1 udp {match['priority']} {host} {port} typ {match['type']}"
        taken += 1
        if taken == MAX_CANDIDATES:
            return


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _quiet(section: Section, codec: str) -> list[str]:
    """Return an inactive section."""
    lines = [f"m={section.kind} 9 UDP/TLS/RTP/SAVPF {codec.split()[0]}", "c=IN IP4 0.0.0.0", "a=inactive"]
    return [*lines, f"a=mid:{section.mid}", "a=rtcp-mux", f"a=rtpmap:{codec}"]


def _refused(section: Section) -> list[str]:
    match = MEDIA.fullmatch(section.media)
    assert match is not None
    lines = [f"m={section.kind} 0 {match['profile']} {match['formats']}", "c=IN IP4 0.0.0.0", "a=inactive"]
    return lines + ([f"a=mid:{section.mid}"] if section.mid else [])
