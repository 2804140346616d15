"""Running other programs: output as progress, secrets hidden, nothing left running when the run is stopped.

Children stay in this process's group on purpose: what kills the group (a closed terminal, a CI runner) kills them too,
and no upload goes on behind the back of the run that resumes.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from releaser.activity import current
from releaser.errors import CommandError, InterruptedRunError
from releaser.secret import Redactor, Secret

LAST_LINES = 25
_GRACE_S = 5.0


@dataclass(frozen=True)
class Output:
    """What a program wrote to stdout and stderr together, and its exit status."""

    text: str
    status: int


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
    activity = current()
    redact = Redactor()
    redact.learn(value for value in (env or {}).values() if isinstance(value, Secret))
    words = [str(word) for word in command]
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=_environment(env or {}),
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError as error:
        if not cwd.is_dir():
            raise CommandError(
                f"{words[0]} could not be started in {cwd}: there is no such directory.", "Run the same command again."
            ) from None
        raise CommandError(
            f"{words[0]} could not be started: {error.strerror or error}.",
            f"Install {Path(words[0]).name}, or put it on PATH.",
        ) from None
    lines: list[str] = []
    reader = threading.Thread(target=_read, args=(process, stdin, lines, redact, activity.tell), daemon=True)
    reader.start()
    try:
        while reader.is_alive():
            reader.join(0.05)
            if activity.cancelled.is_set():
                _end(process)
                raise InterruptedRunError(f"{Path(words[0]).name} was stopped")
        status = process.wait()
    except KeyboardInterrupt:
        _end(process)
        raise
    finally:
        if process.stdout is not None and not reader.is_alive():
            process.stdout.close()
    text = "".join(lines)
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(text, "utf-8")
    if check and status != 0:
        tail = "\n".join(line.rstrip() for line in deque(lines, LAST_LINES)).rstrip()
        where = f" (all of them: {log})" if log else ""
        raise CommandError(
            f"{purpose or Path(words[0]).name} failed with exit status {status}. Its last lines{where}:\n{tail}",
            "Mend what it names and run the same command again; what is done stays done.",
        )
    return Output(text, status)


def run_in_front(command: Sequence[str | Path], *, cwd: Path) -> int:
    """Runs a program on this terminal, as if the user had started it; returns its exit status."""
    return subprocess.run([str(word) for word in command], cwd=cwd, check=False).returncode


def _environment(changes: Mapping[str, str | Secret | None]) -> dict[str, str]:
    environment = dict(os.environ)
    for name, value in changes.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value.reveal() if isinstance(value, Secret) else value
    return environment


def _read(
    process: subprocess.Popen[bytes],
    stdin: bytes | None,
    lines: list[str],
    redact: Redactor,
    tell: Callable[[str], None],
) -> None:
    if process.stdout is None:
        return
    if stdin is not None and process.stdin is not None:
        process.stdin.write(stdin)
        process.stdin.close()
    for raw in process.stdout:
        line = redact(raw.decode("utf-8", "replace"))
        lines.append(line)
        if line.strip():
            tell(line.strip())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a program and everything it started, gently first."""
    import psutil

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

    try:
        action()
    except psutil.NoSuchProcess:
        return
