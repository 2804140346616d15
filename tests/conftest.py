"""What holds for all tests."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    # A shell has what it puts in the background ignore Ctrl-C, and every program started here would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
