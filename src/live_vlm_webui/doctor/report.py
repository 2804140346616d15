"""``live-vlm-webui doctor``: diagnostics for a bug report, without secrets, even if parts of them fail."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from live_vlm_webui.config.environment import data_dir_of
from live_vlm_webui.doctor import findings
from live_vlm_webui.doctor.redaction import Redactor, secrets_in
from live_vlm_webui.errors import WebUIError
from live_vlm_webui.security.access_token import token_path

PATIENCE_SECONDS = 15.0
"""Time limit for one part."""
INDENT = "  "

Look = Callable[[], "findings.Finding | Awaitable[findings.Finding]"]


def report(environ: Mapping[str, str] | None = None, *, as_json: bool = False) -> str:
    """Return the report, ending with a line break.

    Args:
        environ: The environment; None uses ``os.environ``.
        as_json: Whether to format it as JSON.
    """
    environ = os.environ if environ is None else environ
    logging.disable(logging.CRITICAL)  # failures are in the report
    try:
        found = _redactor(environ).clean(asyncio.run(examine(parts(environ))))
    finally:
        logging.disable(logging.NOTSET)
    if as_json:
        return json.dumps(found, indent=2, default=str) + "\n"
    return "\n".join(_lines(found, "")) + "\n"


def parts(environ: Mapping[str, str]) -> dict[str, Look]:
    """Return the parts of the report, in order."""
    return {
        "live-vlm-webui": findings.package,
        "dependencies": findings.dependencies,
        "machine": findings.machine,
        "sensors": findings.sensors,
        "cameras of this machine": findings.cameras,
        "models": lambda: findings.models(environ),
        "environment": lambda: findings.environment(environ),
        "servers": lambda: findings.servers(environ),
        "port": findings.port,
        "certificate": lambda: findings.certificate(environ),
        "data directory": lambda: findings.data_directory(environ),
    }


async def examine(looks: Mapping[str, Look]) -> dict[str, object]:
    """Run each part; a failure is reported and does not affect the others."""
    return {title: await _look(look) for title, look in looks.items()}


async def _look(look: Look) -> object:
    try:
        finding = look()
        if isinstance(finding, Mapping):
            return finding
        return await asyncio.wait_for(finding, PATIENCE_SECONDS)
    except asyncio.TimeoutError:
        return {"error": f"no answer within {PATIENCE_SECONDS:.0f} s"}
    except WebUIError as error:
        return {"error": error.sentences}
    except Exception as error:  # noqa: BLE001  # whatever is broken here belongs in the report
        return {"error": f"{type(error).__name__}: {error}"}


def _redactor(environ: Mapping[str, str]) -> Redactor:
    try:
        files = [token_path(data_dir_of(environ))]
    except WebUIError:
        files = []
    try:
        home: Path | None = Path.home()
    except RuntimeError:
        home = None
    return Redactor(secrets_in(environ, files), home)


def _lines(found: object, indent: str) -> list[str]:
    """Return indented lines ``name: value``."""
    if isinstance(found, Mapping):
        lines = []
        for name, held in found.items():
            if isinstance(held, (Mapping, list)) and held:
                lines += [f"{indent}{name}:", *_lines(held, indent + INDENT)]
            else:
                lines.append(f"{indent}{name}: {_short(held)}")
        return lines
    if isinstance(found, list):
        return [f"{indent}- {_short(held)}" for held in found]
    return [f"{indent}{_short(found)}"]


def _short(value: object) -> str:
    """Return ``value`` on one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_short(held)}" for name, held in value.items() if held not in (None, "", [], {}))
    if isinstance(value, list):
        return ", ".join(map(_short, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value in (None, "") else " ".join(str(value).split())
