"""What holds for all tests."""

from __future__ import annotations

import os
import signal

import hypothesis

pytest_plugins = ["side_by_side"]


def pytest_configure() -> None:
    # A shell has what it puts in the background ignore Ctrl-C, and every program started here would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Messages read otherwise in a job; tests are of a user's machine, also where a job runs them.
    os.environ.pop("GITHUB_ACTIONS", None)
    # How long an example takes says what else the machine does, and the first text that is drawn takes a second.
    hypothesis.settings.register_profile(
        "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
    )
    hypothesis.settings.load_profile("patient")
