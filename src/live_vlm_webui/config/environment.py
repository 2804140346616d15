"""Reading the settings: a flag beats the environment, which beats the default. Errors tell where a value came from."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live_vlm_webui.config.data_dir import VARIABLE, default_data_dir
from live_vlm_webui.config.settings import Settings
from live_vlm_webui.errors import SettingsError, WrongValueError
from live_vlm_webui.secret import Secret

PREFIX = "LIVE_VLM_"
SCRIPTS_PREFIX = "LIVE_VLM_WEBUI_"
"""Of the variables that compose.yaml and the scripts read."""
SECRET_FILE_BYTES = 8192


@dataclass(frozen=True)
class Source:
    """Where a setting comes from.

    Attributes:
        setting: The attribute of ``Settings``.
        flag: On the command line; empty if there is none.
        variable: In the environment; empty if there is none.
        read: Makes a value of the text; a ValueError says what would be right.
    """

    setting: str
    flag: str
    variable: str
    read: Callable[[str], Any]


def read_settings(arguments: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Put flags and environment together.

    Args:
        arguments: What the command line holds, by setting: texts, lists of them, booleans; None for an absent flag.
        environ: The environment; an empty variable counts as absent.

    Returns:
        The settings, and what the user should know about them.

    Raises:
        SettingsError: A value cannot be used; says where it came from.
    """
    values: dict[str, Any] = {
        "auto_port": bool(arguments.get("auto_port")),
        "ssl": not arguments.get("no_ssl"),
        "known_servers_only": bool(arguments.get("known_servers_only")),
        "data_dir": data_dir_of(environ),
    }
    origins = {"ssl": "--no-ssl"}
    for source in SOURCES:
        given = arguments.get(source.setting)
        if isinstance(given, list):
            origins[source.setting] = source.flag
            values[source.setting] = tuple(_read(source.flag, source.read, one) for one in given)
        elif given is not None:
            origins[source.setting] = source.flag
            values[source.setting] = _read(source.flag, source.read, given)
        elif environ.get(source.variable):
            origins[source.setting] = source.variable
            values[source.setting] = _read(source.variable, source.read, environ[source.variable])
    try:
        settings = Settings(**values)
    except WrongValueError as error:
        origin = origins.get(error.setting, "")
        raise SettingsError(f"{origin}: {error.message}" if origin else error.message, error.remedy) from None
    return settings, (*_exposed(arguments), *_unknown(environ), *_advice(settings))


def data_dir_of(environ: Mapping[str, str]) -> Path:
    """The data directory that ``environ`` asks for, else the platform's.

    Raises:
        SettingsError: There is none.
    """
    given = environ.get(VARIABLE)
    return _read(VARIABLE, _path, given) if given else default_data_dir(environ)


def _read(origin: str, read: Callable[[str], Any], text: str) -> Any:
    try:
        return read(text)
    except ValueError as error:
        message, remedy = error.args
        raise SettingsError(f"{origin}: {message}", remedy) from None


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a whole number.", "Give digits alone.") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number.", "Give it in digits, such as 2 or 0.5.") from None


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError(f"{text!r} names a home directory that is not there.", "Give the whole path.") from None


def _directory(text: str) -> Path:
    path = _path(text)
    if not path.is_dir():
        raise ValueError(f"{path} is not a directory.", "Give one that is there.")
    return path.resolve()


def _secret(text: str) -> Secret:
    """The text itself, or with ``@`` before it the file that it names."""
    if not text.startswith("@"):
        return Secret(text)
    path = _path(text[1:])
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read: {error.strerror or error}.",
            "Give a file that the user who starts the server can read.",
        ) from None
    try:
        secret = content.decode("ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    if not secret or len(content) > SECRET_FILE_BYTES or len(secret.split()) != 1:
        raise ValueError(f"{path} does not hold one secret alone.", "Put it there on a line of its own, in ASCII.")
    return Secret(secret)


def _exposed(arguments: Mapping[str, Any]) -> list[str]:
    return [
        f"{source.flag}: other users of this machine can read it in the list of processes."
        f" Give it as {source.flag} @FILE, or in {source.variable}."
        for source in SOURCES
        if source.read is _secret and (given := arguments.get(source.setting)) and not given.startswith("@")
    ]


def _unknown(environ: Mapping[str, str]) -> list[str]:
    known = [VARIABLE, *(source.variable for source in SOURCES if source.variable)]
    told = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and not name.startswith(SCRIPTS_PREFIX) and name not in known:
            bare = [one.removeprefix(PREFIX) for one in known]
            nearest = difflib.get_close_matches(name.removeprefix(PREFIX), bare, n=1)
            told.append(f"{name} is not a setting." + (f" Did you mean {PREFIX}{nearest[0]}?" if nearest else ""))
    return told


def _advice(settings: Settings) -> list[str]:
    told = []
    if not settings.ssl and not settings.on_loopback:
        told.append(
            "--no-ssl: token and pictures cross the network in the clear, and browsers on other machines give no camera"
            " to a page without HTTPS."
        )
    return told


SOURCES = (
    Source("host", "--host", "", str),
    Source("port", "--port", "", _whole_number),
    Source("log_level", "--log-level", "", str.lower),
    Source("api_base", "--api-base", "LIVE_VLM_API_BASE", str),
    Source("model", "--model", "LIVE_VLM_DEFAULT_MODEL", str),
    Source("api_key", "--api-key", "LIVE_VLM_API_KEY", _secret),
    Source("prompt", "--prompt", "", str),
    Source("process_every", "--process-every", "LIVE_VLM_PROCESS_EVERY", _whole_number),
    Source("monitor_interval", "--monitor-interval", "LIVE_VLM_MONITOR_INTERVAL", _number),
    Source("ssl_cert", "--ssl-cert", "", _path),
    Source("ssl_key", "--ssl-key", "", _path),
    Source("token", "--token", "LIVE_VLM_TOKEN", _secret),
    Source("media_dirs", "--media-dir", "", _directory),
    Source("allow_hosts", "--allow-host", "", str.lower),
)
