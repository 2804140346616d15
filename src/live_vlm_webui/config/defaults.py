"""Defaults of the command line, in a module of their own so that ``--help`` imports nothing else."""

from __future__ import annotations

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8090
DEFAULT_LOG_LEVEL = "info"
LOG_LEVELS = ("debug", "info", "warning", "error")
DEFAULT_MONITOR_INTERVAL = 1.0
"""Seconds between two samples of the system monitor."""
