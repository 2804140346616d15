"""Remove secrets from reports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from live_vlm_webui.config.environment import PREFIX, SECRET_FILE_BYTES, SOURCES
from live_vlm_webui.secret import Secret

HIDDEN = "***"
SHORTEST_SECRET = 6
"""A shorter one could be part of an ordinary word."""
WORD = re.compile(r"[A-Za-z0-9._~-]{0,19}", re.ASCII)
"""A path segment that is shown; a longer one, or one with other characters, may be a key."""
SHOWN = {"LIVE_VLM_DEFAULT_MODEL", "LIVE_VLM_PROCESS_EVERY", "LIVE_VLM_MONITOR_INTERVAL", "LIVE_VLM_DATA"}
ADDRESSES = {"LIVE_VLM_API_BASE"}
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def shown_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this program; of possible secrets only whether they are set.

    An unknown name may be a misspelled name of a secret.
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
    """Return an API's address without possible keys: credentials, query and long path segments."""
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
    """Return all known secrets: from the environment, from the files that it names, and from ``files``."""
    found = []
    for source in SOURCES:
        value = environ.get(source.variable, "")
        if source.setting not in {"token", "api_key"} or not value:
            continue
        if value.startswith("@"):
            files = [*files, Path(value[1:])]
        else:
            found.append(value)
    for path in files:
        try:
            with path.expanduser().open("rb") as file:
                found.append(file.read(SECRET_FILE_BYTES).decode("utf-8", "replace").strip())
        except (OSError, RuntimeError):  # RuntimeError: an unknown home directory
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
    """Replaces known secrets with asterisks, and the home directory with ``~``.

    Args:
        secrets: The secrets to remove.
        home: The user's home directory, which contains their name; None if unknown.
    """

    def __init__(self, secrets: Iterable[Secret], home: Path | None) -> None:
        self._values = sorted((one.reveal() for one in secrets), key=len, reverse=True)
        # Not where another name begins like it: the home of ann is not that of anna.
        home_is_told = home and len(home.parts) > 1
        self._home = re.compile(rf"{re.escape(str(home))}(?![\w-]|\.\w)") if home_is_told else None

    def clean(self, value: object) -> object:
        """Return ``value``, a JSON value, without secrets."""
        if isinstance(value, str):
            for secret in self._values:
                value = value.replace(secret, HIDDEN)
            return self._home.sub("~", value) if self._home else value
        if isinstance(value, Mapping):
            return {str(self.clean(name)): self.clean(held) for name, held in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean(held) for held in value]
        return value
