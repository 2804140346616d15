"""This machine: programs, clock, proxies, certificates, container engine, emulation and builder."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from releaser.adapters import tools
from releaser.core.holder import MACHINE
from releaser.inspection.findings import Findings
from releaser.release import Release

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT", "GIT_SSL_CAINFO")
_MACHINES = {"x86_64": "linux/amd64", "amd64": "linux/amd64", "aarch64": "linux/arm64", "arm64": "linux/arm64"}
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_NEEDED = {"git": "Install git.", "ssh": "", "gh": "", "docker": ""}


def look_at_programs() -> list[Findings]:
    """Ask each program who it is."""
    notes = Findings("programs")
    notes.right("python", f"{platform.python_version()} at {sys.executable}")
    for name, remedy in _NEEDED.items():
        said = tools.version_of(name, *(("-V",) if name == "ssh" else ()))
        if said:
            notes.right(name, said)
        elif remedy:
            notes.wrong(name, "not here, or it does not run", remedy)
        elif name != "ssh":  # which writes its version to stderr
            notes.none(name, "not here; a release does without")
    return [notes]


def look_at_name(release: Release) -> list[Findings]:
    """Say what this machine is called in tags, by which a release that loses to it names it."""
    notes = Findings("this machine")
    if "{machine}" not in release.config.git.tag_message:
        notes.none("name", "tag-message in [tool.releaser.git] has no {machine}, so tags do not name it")
    elif name := release.store.machine(make=False):
        notes.right("name", f"{name}, which tags tell others; {MACHINE} sets another")
    else:
        notes.none("name", f"chosen at random with the first tag; {MACHINE} sets it")
    return [notes]


def look_at_network_settings(environment: Mapping[str, str] = os.environ) -> list[Findings]:
    """Say which proxies and certificates are set; a file of certificates that is missing breaks every connection."""
    notes = Findings("network settings")
    for name in _PROXIES:
        value = environment.get(name) or environment.get(name.lower())
        if value and name == "NO_PROXY":
            notes.right(name, value)
        elif value:
            parts = urlsplit(value if "://" in value else f"//{value}")
            where = f"{parts.hostname}:{parts.port or 'its usual port'}" if parts.hostname else ""
            if where:
                notes.right(name, where + (", with a password" if parts.password else ""))
            else:
                notes.wrong(name, "it holds no address", "Correct it: http://HOST:PORT.")
    for name in _CERTIFICATES:
        if value := environment.get(name):
            if Path(value).exists():
                notes.right(name, value)
            else:
                notes.wrong(name, f"{value} does not exist", "Correct the path there, or unset it.")
    if not notes.found:
        notes.none("variables", "no proxy, no certificates of your own")
    return [notes]


def look_at_containers(release: Release) -> list[Findings]:
    """Look for an engine, a builder, and what lets images of other platforms run."""
    notes, targets = Findings("containers"), release.config.images.targets
    if not targets:
        notes.none("images", "the project has no images")
        return [notes]
    if release.no_engine:
        notes.warning("engine", release.no_engine, "Start one to publish images; without, their steps are skipped.")
        return [notes]
    notes.right("engine", tools.version_of("docker", "version", "--format", "{{.Server.Version}}") or "it answers")
    built = tools.platforms_of_builder(release.git.root)
    wanted = sorted({one for target in targets for one in target.platforms})
    if built is None:
        notes.warning("builder", "`docker buildx inspect` does not answer", "Run `docker buildx create --use`.")
        return [notes]
    driver, platforms = built
    missing = [one for one in wanted if not any(have.startswith(one) for have in platforms)]
    if missing:
        notes.wrong(
            "builder",
            f"{driver} does not build for {', '.join(missing)}",
            "Install emulation: `docker run --privileged --rm tonistiigi/binfmt --install all`.",
        )
    else:
        notes.right("builder", f"{driver}; builds for {', '.join(wanted)}")
    own = _MACHINES.get(platform.machine().lower(), "")
    foreign = [one for one in wanted if one != own]
    emulated = [one.name for one in _BINFMT.glob("qemu-*")] if _BINFMT.is_dir() else []
    if foreign and not emulated:
        notes.unproven("emulation", f"{', '.join(foreign)} may not run here: no emulator is registered")
    elif foreign:
        notes.right("emulation", f"{', '.join(sorted(emulated))}")
    return [notes]
