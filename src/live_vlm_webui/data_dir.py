"""Where what must outlive the server is kept: certificate, token, process files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from live_vlm_webui.errors import SettingsError

NAME = "live-vlm-webui"
VARIABLE = "LIVE_VLM_DATA"


def default_data_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where the platform has programs keep their data.

    Args:
        environ: The environment; None takes that of the process.

    Raises:
        SettingsError: The user has no home directory.
    """
    environ = os.environ if environ is None else environ
    if sys.platform == "win32" and environ.get("LOCALAPPDATA"):
        return Path(environ["LOCALAPPDATA"]) / NAME
    if sys.platform != "darwin" and Path(environ.get("XDG_DATA_HOME", "")).is_absolute():
        return Path(environ["XDG_DATA_HOME"]) / NAME
    try:
        home = Path.home()
    except RuntimeError:
        raise SettingsError(
            "There is no home directory to keep the certificate and the token in.",
            f"Name a directory for them in the environment variable {VARIABLE}.",
        ) from None
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / NAME
    return home / ".local" / "share" / NAME
