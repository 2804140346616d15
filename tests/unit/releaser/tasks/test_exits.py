from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from invoke.exceptions import Exit

from releaser.errors import ConflictError, InterruptedRunError, ReleaserError, UsageError, WaitTimeoutError
from releaser.tasks.exits import reporting_errors


def ended(error: BaseException) -> int:
    """The exit code of a task in which `error` happens."""

    @reporting_errors
    def task() -> None:
        raise error

    with pytest.raises(Exit) as caught:
        task()
    return int(caught.value.code)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ReleaserError("it broke", "Fix it."), 1),
        (UsageError("it broke", "Fix it."), 2),
        (ConflictError("it broke", "Fix it."), 3),
        (WaitTimeoutError("it broke", "Fix it."), 5),
        (InterruptedRunError("it broke", "Fix it."), 130),
    ],
)
def test_an_error_is_what_happened_and_what_to_do(
    error: ReleaserError, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(error) == code

    assert capsys.readouterr() == ("", "error: it broke\n  -> Fix it.\n")


def test_an_error_shows_no_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    ended(ReleaserError("https://me:secret@forge.invalid/ refused ghp_" + "a1" * 18))

    assert capsys.readouterr().err == "error: https://forge.invalid/ refused [hidden]\n"


def test_an_error_of_a_command_without_a_run_shows_no_token_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYPI_TOKEN", "qX7-remote-S3cret")
    ended(ReleaserError("the index refused qX7-remote-S3cret", "Replace qX7-remote-S3cret."))

    assert capsys.readouterr().err == "error: the index refused [hidden]\n  -> Replace [hidden].\n"


def test_a_traceback_that_would_show_a_token_is_printed_without_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYPI_TOKEN", "qX7-remote-S3cret")

    assert ended(ZeroDivisionError("qX7-remote-S3cret")) == 1
    lines = capsys.readouterr().err.splitlines()
    assert (lines[0], lines[-1]) == ("Traceback (most recent call last):", "ZeroDivisionError: [hidden]")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "The disk is full: /state/file could not be written"),
        (errno.EDQUOT, "The disk is full: /state/file could not be written"),
        (errno.EACCES, "/state/file cannot be read or written: Permission denied"),
        (errno.EROFS, "/state/file cannot be read or written: Read-only file system"),
        (errno.ENOTDIR, "/state/file cannot be read or written: Not a directory"),
        (errno.EEXIST, "/state/file is in the way: File exists"),
        (errno.EISDIR, "/state/file is in the way: Is a directory"),
    ],
)
def test_what_the_machine_refuses_is_told_with_a_remedy(
    number: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(OSError(number, os.strerror(number), "/state/file")) == 1

    err = capsys.readouterr().err
    assert words in err
    assert "RELEASER_STATE_DIR" in err


def test_a_file_where_a_directory_is_needed_is_not_a_matter_of_permissions(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(OSError(errno.ENOTDIR, "Not a directory", "/state/file/rehearsals")) == 1

    assert "-> Move the file in its path away" in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(KeyboardInterrupt()) == 130

    assert "Rerun the command" in capsys.readouterr().err


def test_a_locale_in_which_file_names_are_misread_is_told_before_anything_is_done() -> None:
    script = "from releaser.tasks.exits import reporting_errors\nreporting_errors(lambda: print('done'))()"
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **ascii_only}, capture_output=True, text=True, check=False
    )
    assert (ran.returncode != 0, ran.stdout) == (True, "")
    assert "Python takes file names for ascii here" in ran.stderr
    assert "-> Set PYTHONUTF8=1, or a locale with UTF-8" in ran.stderr


def test_a_bug_of_ours_has_its_traceback() -> None:
    @reporting_errors
    def task() -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file", "x")

    with pytest.raises(FileNotFoundError):
        task()


def test_what_the_terminal_cannot_show_is_shown_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii", write_through=True))

    @reporting_errors
    def task() -> None:
        sys.stdout.write("caf\u00e9 \u2713 \udce9\n")

    task()

    assert written.getvalue() == b"caf\\xe9 \\u2713 \\udce9\n"


def test_a_reader_who_leaves_is_no_traceback(tmp_path: Path) -> None:
    script = (
        "from releaser.tasks.exits import reporting_errors\n"
        "@reporting_errors\ndef task():\n    for _ in range(100_000):\n        print('a line')\n"
        "from invoke.exceptions import Exit\n"
        "try:\n    task()\nexcept Exit as end:\n    raise SystemExit(end.code)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()

    assert process.returncode == 1
    assert err == "error: The program that read the output closed it\n  -> Rerun the command to continue.\n"


def test_streams_that_were_closed_at_the_start_are_open_to_nowhere(tmp_path: Path) -> None:
    script = tmp_path / "task.py"
    script.write_text(
        "import os, sys\n"
        "from releaser.tasks.exits import reporting_errors\n"
        "@reporting_errors\n"
        "def task():\n"
        "    print('lost')\n"
        "    print('lost', file=sys.stderr)\n"
        "    for number in (0, 1, 2):\n"
        "        os.fstat(number)\n"
        "    with open('kept', 'w') as kept:\n"
        "        kept.write(f'{kept.fileno() > 2} {sys.stdin.isatty()} {sys.stdout.isatty()}')\n"
        "task()\n"
    )

    done = subprocess.run(["/bin/sh", "-c", f"exec '{sys.executable}' task.py <&- >&- 2>&-"], cwd=tmp_path, check=False)

    assert done.returncode == 0
    assert (tmp_path / "kept").read_text() == "True False False"
