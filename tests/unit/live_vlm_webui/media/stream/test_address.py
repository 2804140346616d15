"""Which addresses are read, and how they are shown without their secrets."""

from __future__ import annotations

import os

import pytest

from live_vlm_webui.errors import ForbiddenError, InputError
from live_vlm_webui.media.stream.address import parse_address


@pytest.mark.parametrize(
    ("text", "url", "name"),
    [
        ("rtsp://camera/live", "rtsp://camera/live", "rtsp://camera/live"),
        ("  RTSPS://Camera:8322/live ", "rtsps://camera:8322/live", "rtsps://camera:8322/live"),
        ("rtsp://camera:554", "rtsp://camera", "rtsp://camera"),
        ("rtsp://[fd00::2]:8554/a", "rtsp://[fd00::2]:8554/a", "rtsp://[fd00::2]:8554/a"),
        ("rtsp://admin:s3cret@camera/live", "rtsp://admin:s3cret@camera/live", "rtsp://camera/live"),
        ("rtsp://admin:p%40ss@camera/live#x", "rtsp://admin:p%40ss@camera/live", "rtsp://camera/live"),
        ("rtsp://camera/live?password=s3cret", "rtsp://camera/live?password=s3cret", "rtsp://camera/live"),
        (
            "rtsp://camera/user=admin_password=s3cret_channel=1.sdp",
            "rtsp://camera/user=admin_password=s3cret_channel=1.sdp",
            "rtsp://camera/user=***",
        ),
        ("rtsp://camera/live/Token:s3cret", "rtsp://camera/live/Token:s3cret", "rtsp://camera/live/Token:***"),
    ],
)
def test_a_camera_is_named_without_its_secrets(text, url, name):
    address = parse_address(text)
    assert (address.url.reveal(), address.name, address.live) == (url, name, True)
    assert "s3cret" not in repr(address)


@pytest.mark.parametrize("text", ["/dev/video0", "video1", "0", "v4l2:///dev/video0", "file:///dev/video2"])
def test_a_camera_of_the_servers_machine_is_told_what_to_do_instead(text):
    with pytest.raises(InputError, match="is a camera of the server's machine") as raised:
        parse_address(text)
    assert "rtsp://" in raised.value.remedy


def test_the_same_camera_has_the_same_address():
    assert parse_address("rtsp://Camera:554/live") == parse_address("RTSP://camera/live")
    assert parse_address("rtsp://camera/live") != parse_address("rtsp://camera/Live")
    assert parse_address("rtsp://a:b@camera/live") != parse_address("rtsp://a:c@camera/live")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "rtsp://",
        "rtsp:///live",
        "rtsp://camera:port/live",
        "rtsp://camera:99999/live",
        "rtsp://[fd00::2/live",
        "rtsp://camera/with a space",
        "rtsp://camera/\nx",
        "rtsp://camera/" + "x" * 3000,
        "http://camera/video.mjpg",
        "https://camera/video.m3u8",
        "rtmp://camera/live",
        "udp://239.0.0.1:1234",
        "tcp://camera:80",
        "gopher://camera/x",
        "concat:/etc/passwd|/etc/hosts",
        "concatf:list.txt",
        "subfile,,start,0,end,9,,:/etc/passwd",
        "pipe:0",
        "fd:0",
        "data:video/mp4;base64,AAAA",
        "async:file:/etc/passwd",
        "cache:http://camera/x",
        "crypto://x",
    ],
)
def test_other_addresses_are_refused_in_words(text, tmp_path):
    with pytest.raises(InputError) as raised:
        parse_address(text, [tmp_path])
    assert raised.value.remedy


@pytest.fixture
def videos(tmp_path):
    directory = tmp_path / "videos"
    (directory / "more").mkdir(parents=True)
    (directory / "street.mp4").write_bytes(b"")
    (directory / "more" / "a b: c.mp4").write_bytes(b"")
    (tmp_path / "secret.mp4").write_bytes(b"")
    return directory


@pytest.mark.parametrize("form", ["{0}/street.mp4", "file://{0}/street.mp4", "street.mp4", "more/../street.mp4"])
def test_a_file_is_named_by_its_name(videos, form):
    address = parse_address(form.format(videos), [videos])
    assert (address.url.reveal(), address.name, address.live) == (f"file:{videos}/street.mp4", "street.mp4", False)


def test_a_name_may_hold_signs(videos):
    assert parse_address("more/a b: c.mp4", [videos]).name == "a b: c.mp4"
    assert parse_address(f"file://{videos}/more/a%20b%3A%20c.mp4", [videos]).name == "a b: c.mp4"


def test_each_of_the_directories_is_looked_in(videos, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    assert parse_address("street.mp4", [other, videos]).name == "street.mp4"


@pytest.mark.parametrize(
    "text",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "file:/etc/passwd",
        "../secret.mp4",
        "{0}/../secret.mp4",
        "file://{0}/%2e%2e/secret.mp4",
        "link.mp4",
        "linked/secret.mp4",
        "missing.mp4",
        "more",
        ".",
        "pipe",
        "street.mp4/x",
        "-",
        "%00",
    ],
)
def test_other_files_are_refused_alike_whether_they_exist_or_not(videos, tmp_path, text):
    (videos / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (videos / "linked").symlink_to(tmp_path)
    os.mkfifo(videos / "pipe")
    with pytest.raises(ForbiddenError, match="does not exist, or this server may not read it"):
        parse_address(text.format(videos), [videos])


def test_without_directories_no_file_is_read(videos):
    with pytest.raises(ForbiddenError, match="does not read files"):
        parse_address(str(videos / "street.mp4"))
