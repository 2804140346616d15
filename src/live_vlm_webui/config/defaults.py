"""What the command line falls back on: apart from settings.py, so that ``--help`` loads nothing to show it."""

from __future__ import annotations

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8090
DEFAULT_LOG_LEVEL = "info"
LOG_LEVELS = ("debug", "info", "warning", "error")
DEFAULT_MONITOR_INTERVAL = 1.0
"""Between two samples of the machine's figures, in seconds."""
