"""Real programs, mostly the shell, and what becomes of them and of what they say."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from releaser.adapters import attending, process
from releaser.core.activity import Activity, bound
from releaser.errors import CommandError, InterruptedRunError
from releaser.secret import Secret

LONG_S = "300"
SOON_S = 60.0
"""Well under any program's own end, well above what a loaded machine takes."""


def shell(script: str) -> list[str]:
    return ["sh", "-c", script]


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def is_gone(pid: int) -> bool:
    """Whether a process ends, or is a zombie that only its parent can bury, within a moment."""
    for _ in range(750):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def stray() -> Iterator[list[int]]:
    """Pids that the test may leave behind; they are killed."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        try:
            psutil.Process(pid).kill()
        except psutil.NoSuchProcess:
            continue


class Watched:
    """An activity that keeps what it is told, and can do something at a line."""

    def __init__(self, at: Callable[[str], None] = lambda _: None) -> None:
        self.lines: list[str] = []
        self.at = at
        self.activity = Activity(self._hear)

    def _hear(self, line: str) -> None:
        self.lines.append(line)
        self.at(line)


# --- output -----------------------------------------------------------------------------------------------------------


def test_what_a_program_says_on_both_streams_is_kept_in_order_and_told_line_by_line(tmp_path: Path) -> None:
    watched = Watched()

    with bound(watched.activity):
        output = process.run(shell("echo one; echo two >&2; echo; printf three"), cwd=tmp_path)

    assert output == process.Output("one\ntwo\n\nthree", 0)
    assert watched.lines == ["one", "two", "three"]


def test_bytes_that_are_no_text_do_not_stop_a_program(tmp_path: Path) -> None:
    output = process.run(shell(r"printf 'caf\351 \377\000 ok\n'"), cwd=tmp_path)

    assert output.text == "caf\ufffd \ufffd\0 ok\n"


def test_a_failure_ends_with_the_last_lines_and_the_log_has_all(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "it.log"
    script = "i=1; while [ $i -le 40 ]; do echo line $i; i=$((i+1)); done; exit 3"

    with pytest.raises(CommandError) as caught:
        process.run(shell(script), cwd=tmp_path, purpose="Counting", log=log)

    first, *tail = caught.value.message.splitlines()
    assert first == f"Counting failed with exit status 3. Its last lines (all of them: {log}):"
    assert tail == [f"line {number}" for number in range(16, 41)]
    assert log.read_text().splitlines() == [f"line {number}" for number in range(1, 41)]


def test_a_failure_that_is_expected_is_an_answer(tmp_path: Path) -> None:
    assert process.run(shell("echo no; exit 1"), cwd=tmp_path, check=False) == process.Output("no\n", 1)
    assert process.ask(shell("echo no; exit 1"), cwd=tmp_path, check=False) == process.Answer(b"no\n", 1)


def test_an_answer_is_stdout_byte_for_byte_and_no_warning_is_mixed_in(tmp_path: Path) -> None:
    script = (
        "import sys; sys.stderr.write('warning\\n'); sys.stdout.buffer.write(b'a\\r\\nb\\0\\xff\\nghp_' + b'x' * 36)"
    )

    answer = process.ask(python(script), cwd=tmp_path)

    assert answer.stdout == b"a\r\nb\0\xff\nghp_" + b"x" * 36


def test_a_question_that_is_not_answered_in_time_is_an_error_and_who_was_asked_is_ended(tmp_path: Path) -> None:
    began = time.monotonic()

    with pytest.raises(process.NoAnswerError, match=r"^Asking did not end in 3 s") as caught:
        process.ask(shell(f"echo $$ >pid; exec sleep {LONG_S}"), cwd=tmp_path, purpose="Asking", within=3.0)

    assert time.monotonic() - began < 3 + SOON_S
    assert is_gone(int((tmp_path / "pid").read_text()))
    assert f"sleep {LONG_S}" in caught.value.remedy


def test_a_question_that_is_answered_in_time_is_an_answer(tmp_path: Path) -> None:
    assert process.ask(shell("echo here"), cwd=tmp_path, within=60.0) == process.Answer(b"here\n", 0)


def test_a_question_that_fails_says_what_stood_on_stderr(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"(?s)^Asking failed with exit status 7.*\nfatal: nobody home"):
        process.ask(shell("echo half an answer; echo fatal: nobody home >&2; exit 7"), cwd=tmp_path, purpose="Asking")


def test_a_question_that_fails_without_a_word_on_stderr_shows_stdout(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nobody home"):
        process.ask(shell("echo nobody home; exit 7"), cwd=tmp_path)


@pytest.mark.parametrize("call", [process.run, process.ask])
def test_a_program_that_is_not_there_says_so_and_what_to_do(tmp_path: Path, call: Callable[..., object]) -> None:
    with pytest.raises(CommandError, match="Could not start no-such-program: No such file") as caught:
        call(["no-such-program", "--version"], cwd=tmp_path)

    assert caught.value.remedy == "Install no-such-program, or put it on PATH."


def test_a_directory_that_is_gone_is_not_taken_for_a_missing_program(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="there is no such directory") as caught:
        process.run(["true"], cwd=tmp_path / "gone")

    assert "Install" not in caught.value.remedy


def test_a_file_that_may_not_be_executed_is_an_error_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\n")

    with pytest.raises(CommandError, match=r"Could not start .*: Permission denied"):
        process.run([tmp_path / "tool"], cwd=tmp_path)


# --- input and environment --------------------------------------------------------------------------------------------


def test_a_program_that_reads_finds_nothing_to_read(tmp_path: Path) -> None:
    assert process.run(["cat"], cwd=tmp_path).text == ""


@pytest.mark.parametrize("lines", [0, 1, 50_000], ids=["nothing", "a line", "more than pipes hold"])
def test_a_program_reads_what_it_is_given_while_it_writes(tmp_path: Path, lines: int) -> None:
    given = b"0123456789abcdefghijkl\n" * lines

    assert process.run(["cat"], cwd=tmp_path, stdin=given).text.encode() == given
    assert process.ask(["cat"], cwd=tmp_path, stdin=given).stdout == given


def test_a_program_need_not_read_what_it_is_given(tmp_path: Path) -> None:
    assert process.run(shell("exec <&-; echo ready"), cwd=tmp_path, stdin=b"x" * 1_000_000).text == "ready\n"


def test_changes_to_the_environment_reach_the_program_and_only_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOES", "yes")
    monkeypatch.setenv("STAYS", "yes")

    output = process.run(shell('echo "${GOES-gone} $STAYS $COMES"'), cwd=tmp_path, env={"GOES": None, "COMES": "too"})

    assert output.text == "gone yes too\n"
    assert os.environ["GOES"] == "yes"
    assert "COMES" not in os.environ


def test_a_secret_reaches_the_program_and_nothing_that_is_kept_or_shown(tmp_path: Path) -> None:
    watched, log = Watched(), tmp_path / "log"
    env = {"TOKEN": Secret("hunter2hunter2")}
    script = 'echo "${#TOKEN} $TOKEN"; echo "https://me:$TOKEN@example.invalid/x" >&2; exit 1'

    with bound(watched.activity), pytest.raises(CommandError) as caught:
        process.run(shell(script), cwd=tmp_path, env=env, log=log)
    with pytest.raises(CommandError) as asked:
        process.ask(shell(script), cwd=tmp_path, env=env)

    assert watched.lines == ["14 [hidden]", "https://example.invalid/x"]
    for text in (str(caught.value), str(asked.value), log.read_text(), *watched.lines):
        assert "hunter2" not in text


@pytest.mark.parametrize("call", [process.run, process.ask])
def test_a_credential_of_this_process_reaches_a_program_that_it_is_handed_to_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[..., process.Output]
) -> None:
    monkeypatch.setenv("PYPI_TOKEN", "hunter2hunter2")
    script = 'echo "${#PYPI_TOKEN}"'

    assert call(shell(script), cwd=tmp_path).text == "0\n"
    assert call(shell(script), cwd=tmp_path, env={"PYPI_TOKEN": Secret("hunter2hunter2")}).text == "14\n"
    assert process.run_in_front(shell('test -z "$PYPI_TOKEN"'), cwd=tmp_path) == 0


def test_a_program_that_finds_a_credential_by_itself_has_it_hidden_in_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYPI_TOKEN", "hunter2hunter2")
    (tmp_path / "file").write_text("hunter2hunter2, aHVudGVyMmh1bnRlcjI=\n")

    output = process.run(["cat", "file"], cwd=tmp_path, log=tmp_path / "log")

    assert output.text == (tmp_path / "log").read_text() == "[hidden], [hidden]\n"


def test_a_failure_says_which_password_was_taken_out_of_an_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://me:pass-4711@index.invalid/simple")

    with pytest.raises(CommandError) as caught:
        process.run(shell('echo "asked $PIP_INDEX_URL"; exit 1'), cwd=tmp_path)

    assert caught.value.message.endswith("asked https://index.invalid/simple")
    assert "If it needs the password in PIP_INDEX_URL, add that to pass-env" in caught.value.remedy


# --- stopping ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [process.run, process.ask])
def test_a_stop_ends_a_program_and_all_that_it_started(
    tmp_path: Path, stray: list[int], call: Callable[..., object]
) -> None:
    pids = tmp_path / "pids"
    script = f"sleep {LONG_S} & echo $! >> pids; sh -c 'echo $$ >> pids; sleep {LONG_S}; true' & echo $$ >> pids; wait"
    activity = Activity()

    def stop_when_all_run() -> None:
        while not pids.exists() or len(pids.read_text().split()) < 3:
            time.sleep(0.01)
        activity.cancelled.set()

    threading.Thread(target=stop_when_all_run, daemon=True).start()
    with bound(activity), pytest.raises(InterruptedRunError):
        call(shell(script), cwd=tmp_path)

    stray += map(int, pids.read_text().split())
    assert [is_gone(pid) for pid in stray] == [True, True, True]


def test_a_program_that_does_not_hear_is_killed(
    tmp_path: Path, stray: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attending, "_GRACE_S", 0.2)
    watched = Watched(lambda _: watched.activity.cancelled.set())

    with bound(watched.activity), pytest.raises(InterruptedRunError):
        process.run(shell(f"trap '' TERM INT; echo $$; while :; do sleep {LONG_S}; done"), cwd=tmp_path)

    stray.append(int(watched.lines[0]))  # the shell may still write "Killed" when its sleep dies first
    assert is_gone(stray[0])


def test_a_stop_reaches_a_program_that_has_closed_its_output(tmp_path: Path) -> None:
    watched = Watched(lambda _: watched.activity.cancelled.set())
    begun = time.monotonic()

    with bound(watched.activity), pytest.raises(InterruptedRunError):
        process.run(shell(f"echo $$; exec >&- 2>&-; exec sleep {LONG_S}"), cwd=tmp_path)

    assert time.monotonic() - begun < SOON_S
    assert is_gone(int(watched.lines[0]))


def test_what_was_said_until_a_stop_is_in_the_log(tmp_path: Path) -> None:
    watched = Watched(lambda _: watched.activity.cancelled.set())

    with bound(watched.activity), pytest.raises(InterruptedRunError):
        process.run(shell(f"echo so far; exec sleep {LONG_S}"), cwd=tmp_path, log=tmp_path / "log")

    assert (tmp_path / "log").read_text() == "so far\n"


def test_a_program_that_the_stop_itself_made_fail_has_not_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C goes to the whole group: the program may end before we have heard of it."""
    monkeypatch.setattr(process, "_SIGNAL_S", 30.0)
    watched = Watched(lambda _: threading.Timer(0.02, watched.activity.cancelled.set).start())

    with bound(watched.activity), pytest.raises(InterruptedRunError):
        process.run(shell("echo interrupted; exit 130"), cwd=tmp_path)


def test_ctrl_c_ends_a_program_that_runs_in_the_main_thread(tmp_path: Path) -> None:
    watched = Watched(lambda _: os.kill(os.getpid(), signal.SIGINT))

    with bound(watched.activity), pytest.raises(KeyboardInterrupt):
        process.run(shell(f"echo $$; exec sleep {LONG_S}"), cwd=tmp_path)

    assert is_gone(int(watched.lines[0]))


def test_when_nobody_can_be_told_the_program_is_ended_and_the_reason_comes_out(tmp_path: Path) -> None:
    pids: list[int] = []

    def fail(line: str) -> None:
        pids.append(int(line))
        raise OSError("standard output is gone")

    with bound(Watched(fail).activity), pytest.raises(OSError, match="standard output is gone"):
        process.run(shell(f"echo $$; exec sleep {LONG_S}"), cwd=tmp_path)

    assert is_gone(pids[0])


@pytest.mark.parametrize("call", [process.run, process.ask])
def test_a_daemon_that_a_program_leaves_behind_keeps_nobody_waiting(
    tmp_path: Path, stray: list[int], monkeypatch: pytest.MonkeyPatch, call: Callable[..., process.Output]
) -> None:
    monkeypatch.setattr(attending, "_DRAIN_S", 0.2)
    begun = time.monotonic()

    output = call(shell(f"sleep {LONG_S} & echo $!"), cwd=tmp_path)

    stray.append(int(output.text))
    assert time.monotonic() - begun < SOON_S


def test_programs_stay_in_our_process_group_so_that_what_kills_it_kills_them(tmp_path: Path) -> None:
    output = process.run(python("import os; print(os.getpgid(0))"), cwd=tmp_path)

    assert int(output.text) == os.getpgid(0)


def test_a_program_in_front_only_tells_its_exit_status(tmp_path: Path) -> None:
    assert process.run_in_front(shell("exit 4"), cwd=tmp_path) == 4


def test_a_program_that_a_limit_keeps_from_starting_is_not_called_missing(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(2)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
    try:
        with pytest.raises(CommandError, match="Too many open files") as caught:
            process.run([sys.executable, "-c", ""], cwd=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert "ulimit -n" in caught.value.remedy
