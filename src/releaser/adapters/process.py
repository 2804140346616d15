"""Running other programs: output as progress, secrets hidden, nothing left running when the run is stopped.

Children stay in this process's group on purpose: what kills the group (a closed terminal, a CI runner) kills them too,
and no upload goes on behind the back of the run that resumes.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from releaser.core.activity import Activity, current
from releaser.errors import CommandError, InterruptedRunError
from releaser.secret import Redactor, Secret

LAST_LINES = 25
_GRACE_S = 5.0
_POLL_S = 0.05
_DRAIN_S = 5.0
"""How long to go on reading when a program has ended and a daemon that it left behind holds its output open."""
_SIGNAL_S = 0.1
"""How long a stop may take to reach us when it has reached the program first: Ctrl-C goes to the whole group."""


class NoAnswerError(CommandError):
    """A program that was asked something did not end in the time that it had."""


@dataclass(frozen=True)
class Output:
    """What a program wrote to stdout and stderr together, and its exit status."""

    text: str
    status: int


@dataclass(frozen=True)
class Answer:
    """What a program wrote to stdout, byte for byte; its warnings on stderr are not part of it."""

    stdout: bytes
    status: int

    @property
    def text(self) -> str:
        """The bytes as text, where it does not matter that some may not be UTF-8."""
        return self.stdout.decode("utf-8", "replace")


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str | Secret | None] | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    purpose: str = "",
    log: Path | None = None,
) -> Output:
    """Runs a program to its end, telling each of its lines as progress.

    Args:
        command: The program and its arguments; never a secret.
        cwd: The directory it runs in.
        env: Changes to this process's environment; None removes a variable. Secrets go in here alone.
        stdin: What it reads; nothing by default.
        check: Whether an exit status other than 0 is an error.
        purpose: What it was run for, for the error message.
        log: A file to keep everything in that it writes.

    Raises:
        CommandError: It could not be started, or failed; the message ends with its last lines.
        InterruptedRunError: The run was stopped; the program and its children were ended.
    """
    activity, redact = current(), _redactor(env)
    process = _start(command, cwd, env, stdin is not None, subprocess.STDOUT)
    lines: list[str] = []

    def take(raw: bytes) -> None:
        lines.append(redact(raw.decode("utf-8", "replace")))
        if line := lines[-1].strip():
            activity.tell(line)

    try:
        status = _attend(process, activity, stdin, [(process.stdout, take)])
    finally:
        if log:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text("".join(lines), "utf-8")
    if check and status != 0:
        where = f" (all of them: {log})" if log else ""
        raise _failure(purpose or _name(command), status, lines, where, activity)
    return Output("".join(lines), status)


def ask(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str | Secret | None] | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    purpose: str = "",
    within: float | None = None,
) -> Answer:
    """Runs a program for what it answers on stdout. What it says on stderr goes into the error, if it fails.

    The arguments are those of `run`, and `within`: the seconds that it may take, for programs that ask others.

    Raises:
        CommandError: It could not be started, or failed; the message ends with its last lines.
        NoAnswerError: It did not end in time; it was ended.
        InterruptedRunError: The run was stopped; the program and its children were ended.
    """
    activity, redact = current(), _redactor(env)
    process = _start(command, cwd, env, stdin is not None, subprocess.PIPE)
    answer: list[bytes] = []
    says: list[bytes] = []
    outputs = [(process.stdout, answer.append), (process.stderr, says.append)]
    try:
        status = _attend(process, activity, stdin, outputs, within)
    except TimeoutError:
        raise NoAnswerError(
            f"{purpose or _name(command)} did not end in {within:.0f} s.",
            f"Try it by hand: `{shlex.join(str(word) for word in command)}`.",
        ) from None
    if check and status != 0:
        lines = [redact(raw.decode("utf-8", "replace")) for raw in says or answer]
        raise _failure(purpose or _name(command), status, lines, "", activity)
    return Answer(b"".join(answer), status)


def run_in_front(command: Sequence[str | Path], *, cwd: Path) -> int:
    """Runs a program on this terminal, as if the user had started it; returns its exit status."""
    return subprocess.run([str(word) for word in command], cwd=cwd, check=False).returncode


def _name(command: Sequence[str | Path]) -> str:
    return Path(command[0]).name


def _redactor(env: Mapping[str, str | Secret | None] | None) -> Redactor:
    redact = Redactor()
    redact.learn(value for value in (env or {}).values() if isinstance(value, Secret))
    return redact


def _start(
    command: Sequence[str | Path],
    cwd: Path,
    env: Mapping[str, str | Secret | None] | None,
    feeds: bool,
    stderr: int,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=_environment(env or {}),
            stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    except OSError as error:
        if not cwd.is_dir():
            raise CommandError(
                f"{command[0]} could not be started in {cwd}: there is no such directory.",
                "Run the same command again.",
            ) from None
        raise CommandError(
            f"{command[0]} could not be started: {error.strerror or error}.",
            f"Install {_name(command)}, or put it on PATH.",
        ) from None


def _environment(changes: Mapping[str, str | Secret | None]) -> dict[str, str]:
    environment = dict(os.environ)
    for name, value in changes.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value.reveal() if isinstance(value, Secret) else value
    return environment


def _attend(
    process: subprocess.Popen[bytes],
    activity: Activity,
    stdin: bytes | None,
    outputs: Iterable[tuple[IO[bytes] | None, Callable[[bytes], None]]],
    within: float | None = None,
) -> int:
    """Feeds a program, hands its output on line by line, and returns its exit status; ends it if the run is stopped.

    Each pipe has a thread, which owns and closes it: neither side can wait for the other for ever.

    Raises:
        TimeoutError: It took longer than `within`; it was ended.
    """
    deadline = time.monotonic() + within if within else None
    errors: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  is raised in the thread that called
            errors.append(error)

    works = [lambda pipe=pipe, take=take: _read(pipe, take) for pipe, take in outputs if pipe is not None]
    if stdin is not None and process.stdin is not None:
        works.append(lambda pipe=process.stdin, content=stdin: _feed(pipe, content))
    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]

    def look() -> None:
        if activity.cancelled.is_set():
            raise InterruptedRunError("a program was stopped")
        if errors:
            raise errors[0]
        if deadline and time.monotonic() > deadline:
            raise TimeoutError

    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive() and process.poll() is None:
                thread.join(_POLL_S)
                look()
        while True:
            try:
                status = process.wait(_POLL_S)
                break
            except subprocess.TimeoutExpired:
                look()
    except BaseException:
        _end(process)
        raise
    for thread in threads:
        thread.join(_DRAIN_S)
    if errors:
        raise errors[0]
    return status


def _read(pipe: IO[bytes], take: Callable[[bytes], None]) -> None:
    with pipe:
        for line in pipe:
            take(line)


def _feed(pipe: IO[bytes], content: bytes) -> None:
    # A program need not read all that it is given.
    with contextlib.suppress(BrokenPipeError), pipe:
        pipe.write(content)


def _failure(what: str, status: int, lines: Sequence[str], where: str, activity: Activity) -> CommandError:
    """The error that a program's failure is.

    Raises:
        InterruptedRunError: It failed because the whole run is being stopped.
    """
    if activity.cancelled.wait(_SIGNAL_S):
        raise InterruptedRunError(f"{what} was stopped")
    tail = "\n".join(line.rstrip() for line in lines[-LAST_LINES:]).rstrip()
    return CommandError(
        f"{what} failed with exit status {status}. Its last lines{where}:\n{tail}",
        "Mend what it names and run the same command again; what is done stays done.",
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a program and everything it started, gently first."""
    import psutil

    if process.poll() is not None:
        return
    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for member in family:
        _quietly(member.terminate)
    _, alive = psutil.wait_procs(family, timeout=_GRACE_S)
    for member in alive:
        _quietly(member.kill)
    process.wait()


def _quietly(action: Callable[[], object]) -> None:
    import psutil

    # What has ended meanwhile needs no end; what belongs to somebody else (sudo) cannot be given one.
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        action()
