"""The parts of the report, one function each, since each may fail: what a part needs is imported in the part."""

from __future__ import annotations

import os
import platform
import re
import socket
import ssl
import stat
import sys
from collections.abc import Mapping
from http.client import HTTPException
from importlib import metadata
from pathlib import Path
from typing import NoReturn
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

from live_vlm_webui import __version__
from live_vlm_webui.config.defaults import DEFAULT_HOST, DEFAULT_PORT
from live_vlm_webui.config.environment import data_dir_of, read_settings
from live_vlm_webui.doctor.redaction import shown_environment
from live_vlm_webui.errors import SettingsError

PACKAGE = "live-vlm-webui"
REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")
FOR_CONTRIBUTORS = re.compile(r"extra\s*==\s*['\"]dev['\"]")
TLS_DIRECTORY = "tls"
HEALTH_SECONDS = 3.0
MOST_OFFERS = 50
CAMERAS = Path("/sys/class/video4linux")
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"))

Finding = Mapping[str, object]


def package() -> Finding:
    """Report this program and its Python."""
    return {
        "version": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "openssl": ssl.OPENSSL_VERSION,
        "installed in": str(Path(__file__).parents[1]),
        "in a container": any(mark.exists() for mark in CONTAINER_MARKS),
    }


def dependencies() -> Finding:
    """Report the installed dependencies, including those of the user-facing extras."""
    asked = [line for line in metadata.requires(PACKAGE) or [] if not FOR_CONTRIBUTORS.search(line)]
    names = (REQUIREMENT.match(line) for line in asked)
    return {name: _version(name) for name in sorted({match[0] for match in names if match}, key=str.lower)}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def machine() -> Finding:
    """Report the machine, without its name."""
    from live_vlm_webui.system.machine import read_machine

    return {name: value for name, value in read_machine().to_json().items() if name != "name"}


async def sensors() -> Finding:
    """Report the GPUs and the state of each source of figures."""
    from live_vlm_webui.system.monitor import default_sources
    from live_vlm_webui.system.sampler import Sampler

    sampler = Sampler(default_sources())
    try:
        sample = (await sampler.sample()).to_json()
    finally:
        await sampler.close()
    return {"gpus": sample["gpus"], "sources": sample["sources"]}


def cameras(root: Path = CAMERAS) -> Finding:
    """Report the cameras of this machine, by device; the page uses those of the browser's machine."""
    if not sys.platform.startswith("linux"):
        return {"note": "not listed on this system"}
    found = {path.name: (path / "name").read_text(errors="replace").strip() for path in sorted(root.glob("video*"))}
    return {f"/dev/{device}": name for device, name in found.items()} or {"note": "none"}


async def models(environ: Mapping[str, str]) -> Finding:
    """Report the models of the server in the environment and of those found on this machine."""
    from live_vlm_webui.models.catalog import Catalog
    from live_vlm_webui.models.connections import open_client

    async with open_client() as http:
        settings, _ = read_settings({}, environ)
        catalog = Catalog(settings, http, _no_describer)
        try:
            await catalog.refresh()
        finally:
            await catalog.close()
        offers = [offer.to_json() for offer in catalog.offers[:MOST_OFFERS]]
        trouble = catalog.trouble
    return {
        "asked first": catalog.default().to_json(),
        "found": offers,
        **({"trouble": f"{trouble.code}: {trouble.sentences}"} if trouble else {}),
    }


def _no_describer() -> NoReturn:
    raise NotImplementedError  # listing opens no model


def environment(environ: Mapping[str, str]) -> Finding:
    """Report the environment variables, without secrets, and problems with them."""
    shown: dict[str, object] = dict(shown_environment(environ))
    try:
        _, warnings = read_settings({}, environ)
    except SettingsError as error:
        return {**shown, "error": error.sentences}
    return {**shown, **({"warnings": list(warnings)} if warnings else {})} or {"note": "no variable is set"}


def servers(environ: Mapping[str, str]) -> Finding:
    """Report the running servers, and whether each responds."""
    from live_vlm_webui.server.pid_file import find

    found: dict[str, object] = {}
    for path, running in find(data_dir_of(environ)):
        if isinstance(running, OSError):
            found[path.name] = f"cannot be read: {running.strerror}"
        elif running is None:
            found[path.name] = "not a valid PID file"
        elif not running.is_here:
            found[running.url] = "started in another container or on another machine"
        elif not running.is_running:
            found[running.url] = "no longer running; its PID file remains"
        else:
            found[running.url] = f"version {running.version}, process {running.pid}, {_health(running.url)}"
    return found or {"note": "none"}


def _health(url: str) -> str:
    trusting = ssl.create_default_context()  # this machine's own server; nothing secret is sent
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    try:
        opener = build_opener(ProxyHandler({}), HTTPSHandler(context=trusting))
        with opener.open(f"{url}healthz", timeout=HEALTH_SECONDS) as answer:
            return "healthy" if answer.status == 200 else f"responds with HTTP {answer.status}"
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a damaged PID file names no URL
        return f"does not respond: {error}"


def port(number: int = DEFAULT_PORT) -> Finding:
    """Report whether the default port is free."""
    place = f"{DEFAULT_HOST}:{number}"
    try:
        socket.create_server((DEFAULT_HOST, number)).close()
    except OSError as error:
        return {place: error.strerror or str(error)}
    return {place: "free"}


def certificate(environ: Mapping[str, str]) -> Finding:
    """Report the self-signed certificate; of its key only the permissions."""
    from live_vlm_webui.tls.certificate import CERTIFICATE_FILE, KEY_FILE, describe

    directory = data_dir_of(environ) / TLS_DIRECTORY
    path, key = directory / CERTIFICATE_FILE, directory / KEY_FILE
    if not path.exists():
        return {"note": "not created yet"}
    told = describe(path)
    return {
        "file": str(path),
        "names": list(told.names),
        "from": told.not_before.isoformat(),
        "to": told.not_after.isoformat(),
        "sha256": told.fingerprint,
        "key": _mode(key),
    }


def data_directory(environ: Mapping[str, str]) -> Finding:
    """Report the data directory and its permissions."""
    directory = data_dir_of(environ)
    if not directory.exists():
        return {"path": str(directory), "note": "not created yet"}
    return {
        "path": str(directory),
        "mode": _mode(directory),
        "writable": os.access(directory, os.W_OK | os.X_OK),
        "token": _mode(directory / "token"),
    }


def _mode(path: Path) -> str:
    try:
        status = path.stat()
    except OSError as error:
        return "missing" if isinstance(error, FileNotFoundError) else str(error.strerror)
    mine = "" if not hasattr(os, "getuid") or status.st_uid == os.getuid() else ", owned by another user"
    return f"{stat.filemode(status.st_mode)}{mine}"
