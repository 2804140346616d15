"""Addresses of cameras that the server reads: which are accepted, and how they are shown without secrets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from live_vlm_webui.errors import ForbiddenError, InputError
from live_vlm_webui.secret import Secret

MAX_LENGTH = 2048
SCHEMES = ("rtsp", "rtsps")
DEFAULT_PORTS = {"rtsp": 554, "rtsps": 322}
DEVICE = re.compile(r"(v4l2://|file://)?/dev/\S+|/?video\d+|\d{1,2}", re.IGNORECASE)
"""What people enter for a camera that is connected to the server: a device file, or the number of OpenCV."""
REMEDY = "Use an address such as rtsp://USER:PASSWORD@HOST/PATH; the camera's manual states it."
SECRETS = re.compile(r"(user(name)?|login|pass(word|wd)?|pwd|token|auth|key)[=:]", re.IGNORECASE)
"""Some cameras use credentials in the path, such as ``/user=admin_password=..._channel=1``; it is shown up to them."""
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.,-]+")


@dataclass(frozen=True)
class Address:
    """The address of a camera or file; equal for the same source.

    Attributes:
        url: The URL for FFmpeg, including credentials.
        name: The URL without credentials and query, or the file's name.
        live: Whether it is a camera; else a file, which is played in real time and in a loop.
    """

    url: Secret
    name: str
    live: bool


def parse_address(text: str, directories: Sequence[Path] = ()) -> Address:
    """Parse and check a user's address. Accesses the file system: call it in a worker thread.

    Args:
        text: ``rtsp://`` or ``rtsps://``; or a video file, absolute or relative to one of the directories.
        directories: The only directories whose files may be read.

    Raises:
        InputError: It is not a valid address, or of an unsupported scheme.
        ForbiddenError: It is a file that may not be read, whether it exists or not.
    """
    text = text.strip()
    if not text or len(text) > MAX_LENGTH or not text.isprintable():
        raise InputError("The address is empty, too long or contains unprintable characters", REMEDY)
    scheme, colon, rest = text.partition(":")
    if DEVICE.fullmatch(text):
        raise InputError(
            f"{text} is a camera of the server's machine, which is not read through this field",
            "Choose Camera above to use it in a browser on that machine, or serve it as an RTSP stream and enter its"
            " rtsp:// address.",
        )
    if scheme.lower() == "file":
        return _file(unquote(rest.removeprefix("//")), directories)
    if rest.startswith("//"):
        return _camera(text)
    if colon and SCHEME.fullmatch(scheme):
        raise _other(scheme)
    return _file(text, directories)


def _camera(text: str) -> Address:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InputError("The address is not a valid URL", REMEDY) from None
    scheme = parts.scheme.lower()
    if scheme not in SCHEMES:
        raise _other(scheme)
    if not parts.hostname or re.search(r"[\s\\]", text):
        raise InputError("The address has no host name", REMEDY)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != DEFAULT_PORTS[scheme]:
        host += f":{port}"
    user, at, _ = parts.netloc.rpartition("@")
    url = urlunsplit((scheme, f"{user}{at}{host}", parts.path, parts.query, ""))
    secret = SECRETS.search(parts.path)
    path = f"{parts.path[: secret.end()]}***" if secret else parts.path
    return Address(Secret(url), f"{scheme}://{host}{path}", live=True)


def _file(name: str, directories: Sequence[Path]) -> Address:
    for directory in directories:
        root = directory.resolve()
        try:
            path = (root / name).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            continue
        if path.is_relative_to(root) and path.is_file():
            return Address(Secret(f"file:{path}"), path.name, live=False)
    if not directories:
        raise ForbiddenError(
            "This server does not read files", "Start it with --media-dir DIRECTORY to allow videos in that directory."
        )
    raise ForbiddenError(
        "The file does not exist, or this server may not read it",
        "Use a file in a directory that the server was started with (--media-dir).",
    )


def _other(scheme: str) -> InputError:
    return InputError(f"{scheme}: addresses are not supported", REMEDY)
