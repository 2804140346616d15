"""A release that is stopped says how to go on, leaves nothing running, and goes on to its good end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psutil
import pytest

from releaser.rehearsal import remote


@pytest.fixture
def stopped():
    """Stops a running release, sees that it says how to go on, and that nothing of it runs any more."""

    def stopped(world, process, send, *, code: int, by: str) -> None:
        family = world.family(process)
        send()
        ran = world.finish(process)
        assert ran.code == code, ran.text
        assert "Traceback" not in ran.text, ran.text
        assert ran.err == (
            f"error: Stopped by {by}\n  -> Rerun the command to continue. Completed steps are not repeated.\n"
        )
        psutil.wait_procs(family, timeout=15)
        assert [command_of(one) for one in family if command_of(one)] == []

    return stopped


class TestStopped:
    def test_ctrl_c_in_a_session_ends_it_and_the_same_command_comes_to_the_good_end(
        self, world, stopped, until, tmp_path
    ):
        world.own_stand_ins().configure("sessions = []", 'sessions = ["linger"]')
        lingering, before = tmp_path / "lingering", world.public()
        running = world.start("release", "--version", "0.2.0", "--yes", LINGER=str(lingering))
        until(lingering.exists, "the session")
        assert "linger.py" in " ".join(command_of(one) for one in world.family(running))
        stopped(world, running, lambda: os.killpg(running.pid, signal.SIGINT), code=130, by="Ctrl-C")
        assert world.public() == before
        again = world.release()
        assert again.code == 0, again.text
        assert "build_dists: done: " in again.words, "it was built again"
        assert_released_once(world)

    def test_sigterm_during_the_push_ends_it_and_the_same_command_comes_to_the_good_end(
        self, passed_world, stopped, until
    ):
        world = passed_world.own_stand_ins(committed=False)
        remote.guard(world.origin, {"hold": "600"})
        branch = world.git("rev-parse", "main", cwd=world.origin)
        running = world.start("release", "--version", "0.2.0", "--yes", "--skip", "testpypi")
        until((world.origin / "holding").exists, "the push")
        assert "sleep 600.0" in [command_of(one) for one in world.family(running)]
        stopped(world, running, running.terminate, code=143, by="SIGTERM")
        assert world.git("rev-parse", "main", cwd=world.origin) == branch
        assert world.git("tag", "--list", "v0.2.0", cwd=world.origin) == ""
        remote.guard(world.origin, {})
        again = world.release("--skip", "testpypi")
        assert again.code == 0, again.text
        assert_released_once(world, testpypi=False)
        assert "upload_testpypi, try_testpypi: left out by --skip testpypi" in (world.store / "report.md").read_text()

    def test_an_impatient_ctrl_c_while_services_are_asked_changes_nothing(self, world, stopped, unchanged, until):
        world.stand_in("forge")
        with unchanged(world):
            world.forge.process.send_signal(signal.SIGSTOP)
            running = world.start("release", "--version", "0.2.0", "--yes")
            until(lambda: urlsplit(world.forge.url).port in asked_by(running), "the question")

            def twice() -> None:
                os.killpg(running.pid, signal.SIGINT)
                time.sleep(0.3)
                os.killpg(running.pid, signal.SIGINT)
                world.forge.process.send_signal(signal.SIGCONT)

            stopped(world, running, twice, code=130, by="Ctrl-C")


class TestTwoAtOnce:
    def test_the_second_run_of_a_version_is_refused_and_the_first_goes_on(self, world, unchanged, until):
        blocker = {"number": 1, "title": "It burns", "labels": ["release-blocker"]}
        world.stand_in("forge", seed={"issues": [blocker]})
        with unchanged(world):
            with silent(world.forge):
                first = world.start("release", "--version", "0.2.0", "--yes")
                until(lambda: list(world.state.rglob("journal.jsonl")), "the first run")
                second = world.release()
                assert first.poll() is None
            ran = world.finish(first)
        assert second.code == 3
        assert "Another run is releasing this version: it has locked" in second.words
        assert "-> Wait until it ends." in second.words
        assert (ran.code, "have_no_blockers: 1 open" in ran.words) == (3, True)


@contextmanager
def silent(service) -> Iterator[None]:
    """A block in which a service accepts connections and does not answer."""
    service.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        service.process.send_signal(signal.SIGCONT)


def command_of(process: psutil.Process) -> str:
    """The command line of a process; empty if it has ended, also where nobody has buried it yet."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def asked_by(process) -> set[int]:
    """The ports that a running command is connected to."""
    return {one.raddr.port for one in psutil.Process(process.pid).net_connections("tcp") if one.raddr}


def assert_released_once(world, testpypi: bool = True) -> None:
    """Everything is out, and nothing is there twice."""
    assert len(world.pypi.uploads()) == 2
    assert len(world.testpypi.uploads()) == (2 if testpypi else 0)
    (release,) = world.forge.releases()
    assert (release["draft"], len(release["assets"])) == (False, 4)
    commit = world.git("rev-parse", "refs/releaser/v0.2.0")
    assert world.git("rev-parse", "main", "v0.2.0^{commit}", cwd=world.origin).split() == [commit, commit]
