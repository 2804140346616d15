from __future__ import annotations

import subprocess
import sys

import pytest

from releaser.core.step import Done
from releaser.errors import UsageError
from releaser.rehearsal.faults import KillAt, RehearsalFaults


def test_disasters_are_sorted_by_whom_they_strike() -> None:
    faults = RehearsalFaults.parse(
        ["pypi:delay=1", "pypi:upload-hold=2.5", "remote:refuse", "engine:kill-after=push_tag"]
    )

    assert faults.named("pypi") == {"delay": "1", "upload-hold": "2.5"}
    assert faults.named("remote") == {"refuse": ""}
    assert faults.named("engine") == {"kill-after": "push_tag"}
    assert faults.named("forge") == {}


def test_a_stand_in_is_told_its_faults_as_options_and_its_lag_as_one_of_its_own() -> None:
    faults = RehearsalFaults.parse(["pypi:delay=1", "pypi:lag=3", "testpypi:upload-drop-once"])

    assert faults.options("pypi") == ["--fault", "delay=1", "--lag", "3"]
    assert faults.options("testpypi") == ["--fault", "upload-drop-once"]
    assert faults.options("forge") == []


@pytest.mark.parametrize(
    "text",
    [
        *("", "refuse", "nobody:refuse", "remote:", "remote:explode", "engine:kill", "remote:hold", "remote:hold=long"),
        *("world:", "world:flood", "world:torn-journal=", "world:torn-journal=push_tag", "world:torn-journal=after:"),
    ],
)
def test_a_disaster_that_cannot_strike_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"--fault {text}: ") as caught:
        RehearsalFaults.parse(["pypi:delay=1", text])

    assert caught.value.remedy.startswith("Write ")


def test_the_step_at_which_something_strikes_is_known_by_the_text_of_the_fault() -> None:
    faults = RehearsalFaults.parse(
        ["engine:kill-after=push_tag", "world:disk-full", "world:torn-wheel=before:upload_pypi"]
    )

    assert faults.steps == {
        "engine:kill-after=push_tag": "push_tag",
        "world:torn-wheel=before:upload_pypi": "upload_pypi",
    }
    assert [str(one) for one in faults.world] == ["disk-full", "torn-wheel=before:upload_pypi"]


def test_a_kill_waits_for_its_step() -> None:
    kill = KillAt(before="push_tag", after="upload_pypi")

    kill.phase("push", "")
    kill.progress("push_tag", "half way")
    kill.finished("push_tag", "", Done(""), 0.0)
    kill.started("upload_pypi", "")


@pytest.mark.parametrize("leads_its_group", [True, False])
@pytest.mark.parametrize("event", ["started('a', '')", "finished('a', '', Done(''), 0.0)"])
def test_a_kill_is_what_kill_9_does(event: str, leads_its_group: bool) -> None:
    script = (
        "from releaser.rehearsal.faults import KillAt\nfrom releaser.core.step import Done\n"
        f"try:\n    KillAt('a', 'a').{event}\nfinally:\n    print('lives')"
    )

    done = subprocess.run([sys.executable, "-c", script], start_new_session=leads_its_group, stdout=subprocess.PIPE)

    assert (done.returncode, done.stdout) == (-9, b"")
