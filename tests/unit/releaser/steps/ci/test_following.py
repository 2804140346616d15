from __future__ import annotations

import threading
from pathlib import Path

import pytest

from releaser.adapters.forge.records import Approval, Run
from releaser.adapters.git import Git
from releaser.config.load import parse_config
from releaser.core.activity import Activity, Clock, bound
from releaser.errors import WaitTimeoutError
from releaser.release import Release
from releaser.secret import Credentials
from releaser.steps.ci.following import Watch
from releaser.steps.ci.runs import Seen
from releaser.store import ReleaseStore
from releaser.versions.version import Version

APPROVAL = Approval("testpypi", ("alice",), False)


class ByHand(Clock):
    """A clock that only waits move."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        self.seconds += seconds
        return stop.is_set()


EARLIER = Run(4, "waiting", None, "https://forge.example/runs/4")


def seen(status: str, *approvals: Approval, ahead: Run | None = None) -> Seen:
    return Seen("release.yml", Run(5, status, None, "https://forge.example/runs/5"), (), approvals, ahead)


def watch(patience: float) -> Watch:
    table = {"version-files": [{"path": "pyproject.toml", "key": "project.version"}]}
    nowhere = Path("nowhere")
    config = parse_config(table, {"name": "demo"})
    release = Release(config, Version.parse("0.2.0"), Git(nowhere), ReleaseStore(nowhere), Credentials({}))
    return Watch(release, "release.yml", patience)


@pytest.mark.parametrize(
    "waiting",
    [seen("waiting", APPROVAL), seen("in_progress", APPROVAL), seen("waiting"), seen("pending", ahead=EARLIER)],
)
def test_time_in_which_a_person_or_another_run_is_awaited_does_not_count_as_time_without_a_change(
    waiting: Seen,
) -> None:
    clock = ByHand()
    with bound(Activity(clock=clock)):
        waits = watch(1800)
        waits.seen = waiting
        while clock.seconds < 3 * 86_400:
            waits.pause("release.yml waits", "Approve it.")
        approved = clock.seconds
        waits.seen = seen("in_progress")
        with pytest.raises(WaitTimeoutError, match=r"release\.yml runs after 1800 s without any change"):
            while True:
                waits.pause("release.yml runs", "Watch it.")
        assert 1700 < clock.seconds - approved <= 1800
