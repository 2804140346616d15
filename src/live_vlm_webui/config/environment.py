"""Read the settings: flags override environment variables, which override defaults. Errors name the source."""

from __future__ import annotations

import difflib
import re
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
"""Prefix of the variables that compose.yaml and the scripts read."""
SECRET_FILE_BYTES = 8192


@dataclass(frozen=True)
class Source:
    """The sources of a setting.

    Attributes:
        setting: The attribute of ``Settings``.
        flag: The command-line flag.
        variable: The environment variable; empty if there is none.
        read: Parses the text; raises ValueError with a message and a remedy.
    """

    setting: str
    flag: str
    variable: str
    read: Callable[[str], Any]


def read_settings(arguments: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Settings, tuple[str, ...]]:
    """Combine flags and environment variables.

    Args:
        arguments: The parsed command line, by setting: strings, lists of them, booleans; None for an absent flag.
        environ: The environment; an empty variable counts as absent.

    Returns:
        The settings, and warnings for the user.

    Raises:
        SettingsError: A value is invalid; the message names its source.
    """
    values: dict[str, Any] = {
        "auto_port": bool(arguments.get("auto_port")),
        "ssl": not arguments.get("no_ssl"),
        "known_servers_only": bool(arguments.get("known_servers_only")),
        "data_dir": data_dir_of(environ),
    }
    for source in SOURCES:
        given = arguments.get(source.setting)
        if isinstance(given, list):
            values[source.setting] = tuple(_read(source.flag, source.read, one) for one in given)
        elif given is not None:
            values[source.setting] = _read(source.flag, source.read, given)
        elif environ.get(source.variable):
            values[source.setting] = _read(source.variable, source.read, environ[source.variable])
    try:
        settings = Settings(**values)
    except WrongValueError as error:
        raise named(error, arguments) from None
    return settings, (*_exposed(arguments), *_unknown(environ), *_advice(settings))


def named(error: WrongValueError, arguments: Mapping[str, Any]) -> SettingsError:
    """Return ``error`` with the flag or variable that the value comes from.

    Args:
        error: The error of a value in the settings.
        arguments: The arguments of ``read_settings``.
    """
    for source in SOURCES:
        if source.setting == error.setting:
            origin = source.flag if arguments.get(source.setting) is not None else source.variable
            return SettingsError(f"{origin}: {error.message}", error.remedy)
    return SettingsError(error.message, error.remedy)


def data_dir_of(environ: Mapping[str, str]) -> Path:
    """Return the data directory set in ``environ``, else the platform's.

    Raises:
        SettingsError: There is no home directory.
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
    if not re.fullmatch(r"\s*-?[0-9]{1,20}\s*", text, re.ASCII):  # int also takes 1_0 and the digits of other scripts
        raise ValueError(f"{text!r} is not a whole number", "Use digits only.")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number", "Use digits, such as 2 or 0.5.") from None


def _path(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError(f"{text!r} refers to an unknown home directory", "Use an absolute path.") from None
    except FileNotFoundError:
        raise ValueError(
            f"{text!r} is relative to the current directory, which was deleted", "Use an absolute path."
        ) from None


def _directory(text: str) -> Path:
    path = _path(text)
    try:
        path.stat()
    except FileNotFoundError:
        pass  # said below
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read: {error.strerror}", "Use a directory that the user who starts the server can read."
        ) from None
    if not path.is_dir():
        raise ValueError(f"{path} is not a directory", "Use an existing directory.")
    return path.resolve()


def _secret(text: str) -> Secret:
    """Return the text itself, or after ``@`` the content of the file that it names."""
    if not text.startswith("@"):
        return Secret(text)
    path = _path(text[1:])
    try:
        with path.open("rb") as file:
            content = file.read(SECRET_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read: {error.strerror or error}",
            "Use a file that the user who starts the server can read.",
        ) from None
    try:
        secret = content.decode("ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    if not secret or len(content) > SECRET_FILE_BYTES or len(secret.split()) != 1:
        raise ValueError(
            f"{path} does not contain exactly one secret", "Write the secret to it as one line of ASCII text."
        )
    return Secret(secret)


def _exposed(arguments: Mapping[str, Any]) -> list[str]:
    return [
        f"{source.flag}: other users of this machine can read it in the process list."
        f" Use {source.flag} @FILE or {source.variable} instead."
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
            told.append(f"{name} is not a known setting." + (f" Did you mean {PREFIX}{nearest[0]}?" if nearest else ""))
    return told


def _advice(settings: Settings) -> list[str]:
    told = []
    if not settings.ssl and not settings.on_loopback:
        told.append(
            "--no-ssl: the token and pictures are sent unencrypted, and browsers on other machines do not allow a page"
            " without HTTPS to use the camera."
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
    Source("system_prompt", "--system-prompt", "", str),
    Source("temperature", "--temperature", "", _number),
    Source("process_every", "--process-every", "LIVE_VLM_PROCESS_EVERY", _whole_number),
    Source("monitor_interval", "--monitor-interval", "LIVE_VLM_MONITOR_INTERVAL", _number),
    Source("ssl_cert", "--ssl-cert", "", _path),
    Source("ssl_key", "--ssl-key", "", _path),
    Source("token", "--token", "LIVE_VLM_TOKEN", _secret),
    Source("media_dirs", "--media-dir", "", _directory),
    Source("allow_hosts", "--allow-host", "", str.lower),
    Source("root_path", "--root-path", "LIVE_VLM_ROOT_PATH", lambda text: text.rstrip("/")),
)
