"""Taking secrets out of what is shown to others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from live_vlm_webui.config.environment import PREFIX, SECRET_FILE_BYTES, SOURCES
from live_vlm_webui.secret import Secret

HIDDEN = "***"
SHORTEST_SECRET = 6
"""A shorter one could be part of any word."""
WORD = re.compile(r"[A-Za-z0-9._~-]{0,19}", re.ASCII)
"""What a part of a path may be; a longer one, or one with other signs, may be a key."""
SHOWN = {"LIVE_VLM_DEFAULT_MODEL", "LIVE_VLM_PROCESS_EVERY", "LIVE_VLM_MONITOR_INTERVAL", "LIVE_VLM_DATA"}
ADDRESSES = {"LIVE_VLM_API_BASE"}
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def shown_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that matter to this program; of those that may be secrets only that they are there.

    A name that is not known may be a slip of the pen in that of a secret.
    """
    shown = {}
    for name in sorted(environ):
        value = environ[name]
        if name.upper() in PROXIES:
            shown[name] = "set"
        elif not name.startswith(PREFIX):
            continue
        elif name in ADDRESSES:
            shown[name] = shown_address(value)
        elif name in SHOWN:
            shown[name] = value
        else:
            shown[name] = "empty" if not value else "from a file" if value.startswith("@") else "set"
    return shown


def shown_address(address: str) -> str:
    """An API's address without what may be a key: credentials, query, and long parts of the path."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "not an address"
    if parts.scheme not in {"http", "https"} or not host:
        return "not an address"
    name = f"[{host}]" if ":" in host else host
    path = "/".join(segment if WORD.fullmatch(segment) else HIDDEN for segment in parts.path.split("/"))
    credentials = f"{HIDDEN}@" if "@" in parts.netloc else ""
    rest = f"?{HIDDEN}" if parts.query or parts.fragment else ""
    return f"{parts.scheme}://{credentials}{name}{f':{port}' if port else ''}{path}{rest}"


def secrets_in(environ: Mapping[str, str], files: Iterable[Path]) -> list[Secret]:
    """The secrets themselves, wherever they can be read: in the environment, in files that it names, in ``files``."""
    found = []
    for source in SOURCES:
        value = environ.get(source.variable, "")
        if source.setting not in {"token", "api_key"} or not value:
            continue
        if value.startswith("@"):
            files = [*files, Path(value[1:]).expanduser()]
        else:
            found.append(value)
    for path in files:
        try:
            with path.open("rb") as file:
                found.append(file.read(SECRET_FILE_BYTES).decode("utf-8", "replace").strip())
        except OSError:
            continue
    for name in (*ADDRESSES, *PROXIES, *map(str.lower, PROXIES)):
        netloc = environ.get(name, "").partition("://")[2].partition("/")[0]
        credentials = netloc.rpartition("@")[0]
        found += [credentials, credentials.partition(":")[2]]
    for name in ADDRESSES:
        hidden = [part for part in _path_of(environ.get(name, "")).split("/") if not WORD.fullmatch(part)]
        found += [*hidden, *map(unquote, hidden)]
    return [Secret(value) for value in found if len(value) >= SHORTEST_SECRET]


def _path_of(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


class Redactor:
    """Puts asterisks in the place of known secrets, whatever they are part of, and ``~`` in that of the home directory.

    Args:
        secrets: What must not be shown.
        home: The user's home directory, which holds their name; None has none.
    """

    def __init__(self, secrets: Iterable[Secret], home: Path | None) -> None:
        self._values = sorted((one.reveal() for one in secrets), key=len, reverse=True)
        self._home = str(home) if home and len(home.parts) > 1 else ""

    def clean(self, value: object) -> object:
        """``value``, which JSON can hold, without them."""
        if isinstance(value, str):
            for secret in self._values:
                value = value.replace(secret, HIDDEN)
            return value.replace(self._home, "~") if self._home else value
        if isinstance(value, Mapping):
            return {str(self.clean(name)): self.clean(held) for name, held in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean(held) for held in value]
        return value
