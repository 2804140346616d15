"""Run other programs: without credentials, with their output as progress, and none left running after a stop.

Every program is started by `start`, which gives it the environment that `environment` makes. A test keeps other modules
from starting any.

Children stay in this process's group on purpose: what kills the group (a closed terminal, a CI runner) kills them too,
and no upload continues while the next run resumes.
"""

from __future__ import annotations

import errno
import shlex
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from releaser.adapters import environment
from releaser.adapters.attending import attend, end
from releaser.adapters.environment import Changes
from releaser.core.activity import Activity, current
from releaser.errors import CommandError, InterruptedRunError
from releaser.secret import Redactor, Secret

LAST_LINES = 25
_LIMITS = {
    errno.EMFILE: "Raise the limit of open files (`ulimit -n`), then rerun the command.",
    errno.ENFILE: "Close other programs: this machine has no more open files, then rerun the command.",
    errno.EAGAIN: "Raise the limit of processes (`ulimit -u`), then rerun the command.",
    errno.ENOMEM: "Free some memory, then rerun the command.",
}
"""What keeps a program from starting that is installed."""
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
    env: Changes | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    purpose: str = "",
    log: Path | None = None,
    telling: Callable[[Sequence[str]], Sequence[str]] | None = None,
    within: float | None = None,
    umask: int = -1,
) -> Output:
    """Run a program to its end, telling each of its lines as progress.

    Args:
        command: The program and its arguments; never a secret.
        cwd: The directory it runs in.
        env: Changes to the environment that programs get; a secret is handed over here and nowhere else.
        stdin: What it reads; nothing by default.
        check: Whether an exit status other than 0 is an error.
        purpose: What it was run for, for the error message.
        log: A file to keep everything in that it writes.
        telling: Picks the lines that say why it failed, where those are not its last.
        within: The seconds that it may take, for programs that ask others.
        umask: Which permissions the files that it makes do not get, for what must not depend on the user's umask.

    Raises:
        CommandError: It could not be started, or failed; the message ends with its last lines.
        NoAnswerError: It did not end in time; it was ended.
        InterruptedRunError: The run was stopped; the program and its children were ended.
    """
    activity, redact = current(), _redactor(env)
    within = activity.at_most(within) if within else None
    feed = subprocess.DEVNULL if stdin is None else subprocess.PIPE
    process = start(command, cwd=cwd, env=env, stdin=feed, stderr=subprocess.STDOUT, umask=umask)
    lines: list[str] = []

    def take(raw: bytes) -> None:
        lines.append(redact(raw.decode("utf-8", "replace")))
        if line := lines[-1].strip():
            activity.tell(line)

    try:
        status = attend(process, activity, stdin, [(process.stdout, take)], within)
    except TimeoutError:
        raise _no_answer(purpose, command, within) from None
    finally:
        if log:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text("".join(lines), "utf-8")
    if check and status != 0:
        where = f" (all of them: {log})" if log else ""
        raise _failure(purpose or _name(command), status, telling(lines) if telling else lines, where, activity)
    return Output("".join(lines), status)


def ask(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    env: Changes | None = None,
    stdin: bytes | None = None,
    check: bool = True,
    purpose: str = "",
    within: float | None = None,
) -> Answer:
    """Run a program for what it answers on stdout. What it says on stderr goes into the error, if it fails.

    The arguments are those of `run`.

    Raises:
        CommandError: It could not be started, or failed; the message ends with its last lines.
        NoAnswerError: It did not end in time; it was ended.
        InterruptedRunError: The run was stopped; the program and its children were ended.
    """
    activity = current()
    within = activity.at_most(within) if within else None
    feed = subprocess.DEVNULL if stdin is None else subprocess.PIPE
    process = start(command, cwd=cwd, env=env, stdin=feed)
    answer: list[bytes] = []
    says: list[bytes] = []
    outputs = [(process.stdout, answer.append), (process.stderr, says.append)]
    try:
        status = attend(process, activity, stdin, outputs, within)
    except TimeoutError:
        raise _no_answer(purpose, command, within) from None
    if check and status != 0:
        redact = _redactor(env)
        lines = [redact(raw.decode("utf-8", "replace")) for raw in says or answer]
        raise _failure(purpose or _name(command), status, lines, "", activity)
    return Answer(b"".join(answer), status)


def run_in_front(command: Sequence[str | Path], *, cwd: Path, env: Changes | None = None) -> int:
    """Run a program on this terminal, as if the user had started it; return its exit status."""
    process = start(command, cwd=cwd, env=env, stdin=None, stdout=None, stderr=None)
    try:
        return process.wait()
    except BaseException:
        end(process)
        raise


def start(
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Changes | None = None,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | None = subprocess.PIPE,
    stderr: int | IO[bytes] | None = subprocess.PIPE,
    own_session: bool = False,
    umask: int = -1,
) -> subprocess.Popen[bytes]:
    """Start a program and leave it to the caller. The arguments are those of `run` and of `subprocess.Popen`.

    Raises:
        CommandError: It could not be started.
    """
    try:
        return subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=environment.for_program(env),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=own_session,
            umask=umask,
        )
    except OSError as error:
        if cwd and not cwd.is_dir():
            raise CommandError(
                f"Could not start {command[0]} in {cwd}: there is no such directory", "Rerun the command."
            ) from None
        raise CommandError(
            f"Could not start {command[0]}: {error.strerror or error}",
            _LIMITS.get(error.errno or 0, f"Install {_name(command)}, or put it on PATH."),
        ) from None


def _no_answer(purpose: str, command: Sequence[str | Path], within: float | None) -> NoAnswerError:
    words = shlex.join(str(word) for word in command)
    return NoAnswerError(
        f"{purpose or _name(command)} did not end in {within or 0:.0f} s", f"Run it by hand: `{words}`."
    )


def _name(command: Sequence[str | Path]) -> str:
    return Path(command[0]).name


def _redactor(env: Changes | None) -> Redactor:
    redact = Redactor()
    redact.learn(value for value in (env or {}).values() if isinstance(value, Secret))
    redact.learn(environment.secrets())
    return redact


def _failure(what: str, status: int, lines: Sequence[str], where: str, activity: Activity) -> CommandError:
    """Return the error for a program that failed.

    Raises:
        InterruptedRunError: It failed because the whole run is being stopped.
    """
    if activity.cancelled.wait(_SIGNAL_S):
        raise InterruptedRunError(f"{what} was stopped")
    tail = "\n".join(line.rstrip() for line in lines[-LAST_LINES:]).rstrip()
    remedy = "Fix what it names and rerun the command. Completed steps are not repeated."
    if withheld := environment.without_passwords():
        remedy += f" If it needs the password in {', '.join(withheld)}, add that to pass-env in [tool.releaser]."
    remedy += environment.proxy_hint(tail)
    return CommandError(f"{what} failed with exit status {status}. Its last lines{where}:\n{tail}", remedy)
