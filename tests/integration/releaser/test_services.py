"""Stand-ins as processes: they end with whoever started them, or stay when they are told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from releaser.errors import ReleaserError
from releaser.rehearsal import services

SOON_S = 60.0

PARENT = """\
import sys, time
from pathlib import Path
from releaser.rehearsal import services

root, keep = Path(sys.argv[1]), sys.argv[2] == "keep"
started = []
for name in ("one", "two"):
    arguments = ["--world", root / name]
    process = services.start("releaser.rehearsal.index", arguments, root / "log", keep=keep)
    started.append(services.ready(name, process, root / "log"))
print(*(f"{service.process.pid} {service.url}" for service in started), flush=True)
if not keep:
    time.sleep(300)
"""


def is_gone(pid: int) -> bool:
    """Whether a process ends, or is a zombie that only its parent can bury, in a little while."""
    give_up = time.monotonic() + SOON_S
    while time.monotonic() < give_up:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def parents(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that start stand-ins; whatever is left of them is killed."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for parent in started:
        parent.kill()
        parent.communicate()
    for left in psutil.process_iter():
        try:
            if left.pid != os.getpid() and any(str(tmp_path) in word for word in left.cmdline()):
                left.kill()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


def parent(tmp_path: Path, parents: list[subprocess.Popen[str]], keep: str) -> tuple[list[int], list[str]]:
    """Starts one, as the leader of a group; the pids and the addresses of its stand-ins."""
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path, keep], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    parents.append(process)
    assert process.stdout is not None
    words = process.stdout.readline().split()
    return [int(word) for word in words[::2]], words[1::2]


def start(tmp_path: Path, *options: str, keep: bool = False) -> services.Service:
    arguments = ["--world", tmp_path / "world", *options]
    process = services.start("releaser.rehearsal.index", arguments, tmp_path / "log", keep=keep)
    return services.ready("pypi", process, tmp_path / "log")


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/simple/", timeout=5).status_code < 500
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["kill -9", "kill"])
@pytest.mark.parametrize("whom", ["the process", "its group"])
def test_stand_ins_end_with_the_run_that_started_them_however_it_ends(
    tmp_path: Path, parents: list[subprocess.Popen[str]], how: signal.Signals, whom: str
) -> None:
    pids, urls = parent(tmp_path, parents, "strike")
    assert [answers(url) for url in urls] == [True, True]

    if whom == "its group":
        os.killpg(parents[0].pid, how)
    else:
        parents[0].send_signal(how)

    parents[0].wait(SOON_S)
    assert [is_gone(pid) for pid in pids] == [True, True]


def test_kept_stand_ins_outlive_their_run_and_the_next_one_ends_them(
    tmp_path: Path, parents: list[subprocess.Popen[str]]
) -> None:
    pids, urls = parent(tmp_path, parents, "keep")
    assert parents[0].wait(SOON_S) == 0
    assert [answers(url) for url in urls] == [True, True]
    record = tmp_path / "kept.json"
    record.write_text(json.dumps(pids))

    services.stop_kept(record)

    assert [is_gone(pid) for pid in pids] == [True, True]
    assert [answers(url) for url in urls] == [False, False]
    assert not record.exists()


def test_a_number_that_another_program_has_by_now_is_left_alone(tmp_path: Path) -> None:
    record = tmp_path / "kept.json"
    with subprocess.Popen(["sleep", "300"]) as stranger, subprocess.Popen(["true"]) as ended:
        ended.wait()
        record.write_text(json.dumps([stranger.pid, ended.pid, 2**22 - 1]))

        services.stop_kept(record)

        assert stranger.poll() is None
        stranger.kill()
    assert not record.exists()


def test_nothing_kept_is_nothing_to_stop(tmp_path: Path) -> None:
    services.stop_kept(tmp_path / "kept.json")


def test_a_stand_in_is_stopped_once_and_for_all(tmp_path: Path) -> None:
    service = start(tmp_path)
    assert answers(service.url)

    services.stop([service])
    services.stop([service])

    assert service.process.returncode == 0
    assert not answers(service.url)


def test_a_stand_in_that_holds_an_answer_on_purpose_is_stopped_all_the_same(tmp_path: Path) -> None:
    service = start(tmp_path, "--fault", "delay=300")
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{service.url}/simple/", timeout=0.2)

    services.stop([service])

    assert is_gone(service.process.pid)


def test_the_same_world_is_met_again_by_the_next_one(tmp_path: Path) -> None:
    first = start(tmp_path)
    with pytest.raises(ReleaserError, match=r"The stand-in for pypi did not start: .*another index serves"):
        start(tmp_path)
    services.stop([first])

    second = start(tmp_path)

    assert answers(second.url)
    services.stop([second])


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--fault", "nonsense"], "there is no fault"), (["--token-file", "none"], "none cannot be read")],
)
def test_a_stand_in_that_cannot_start_says_why(tmp_path: Path, options: list[str], words: str) -> None:
    with pytest.raises(ReleaserError, match=f"The stand-in for pypi did not start: .*{words}"):
        start(tmp_path, *options)
