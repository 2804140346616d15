"""The one question before anything public: asked of a person at a terminal, once, and never answered by silence."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess

QUESTION = "Continue? [y/N] "
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
PATIENCE = 240  # seconds without a word
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


class Terminal:
    """A pseudo-terminal in front of which somebody runs a command."""

    def __init__(self, world, *words: str) -> None:
        self.read_to, tty = pty.openpty()
        # The leader of a new session that opens a terminal is controlled by it: Ctrl-C then means its whole group.
        opening = ["sh", "-c", 'exec "$@" <"$TTY"', "sh"]
        self.process = subprocess.Popen(
            [*opening, *world.command(*words)],
            cwd=world.checkout,
            env={**world.env, "TTY": os.ttyname(tty)},
            stdin=tty,
            stdout=tty,
            stderr=tty,
            start_new_session=True,
        )
        os.close(tty)
        world.closing.callback(self.close)
        self.raw = ""

    @property
    def text(self) -> str:
        """What has been written, without colours and cursor moves."""
        return CONTROLS.sub("", self.raw)

    def wait_for(self, sentence: str) -> None:
        """Reads until a sentence is there."""
        while sentence not in self.text and self._read(PATIENCE):
            pass
        assert sentence in self.text, self.text

    def is_quiet(self, seconds: float) -> bool:
        """Whether nothing is written for so long."""
        before = self.raw
        self._read(seconds)
        return self.raw == before

    def type(self, keys: str) -> None:
        os.write(self.read_to, keys.encode())

    def end(self) -> int:
        """Reads the rest, and returns the exit code."""
        while self._read(PATIENCE):
            pass
        assert "Traceback" not in self.text, self.text
        assert self.raw.count(HIDE_CURSOR) == self.raw.count(SHOW_CURSOR)
        return self.process.wait(10)

    def close(self) -> None:
        os.close(self.read_to)
        self.process.kill()
        self.process.wait()

    def _read(self, seconds: float) -> bool:
        """Takes what comes within that time; whether anything came, and the terminal is not closed at its other end."""
        readable, _, _ = select.select([self.read_to], [], [], seconds)
        try:
            self.raw += os.read(self.read_to, 1 << 16).decode("utf-8", "replace") if readable else ""
        except OSError:  # how Linux says that the other end is closed
            return False
        return bool(readable)


class TestAsked:
    def test_without_a_terminal_nothing_goes_public(self, passed):
        assert "publishing needs confirmation and stdin is not a terminal -> Rerun the command with --yes" in (
            passed.ran.words
        )
        differing = {name for name, held in passed.after.items() if held != passed.before[name]}
        assert differing == {"refs", "worktrees"}
        assert set(passed.after["refs"].splitlines()) - set(passed.before["refs"].splitlines()) == {
            f"{passed.world.git('rev-parse', 'refs/releaser/v0.2.0')} commit\trefs/releaser/v0.2.0"
        }

    def test_at_a_terminal_it_is_asked_once_and_only_a_yes_goes_on(self, passed_world):
        world = passed_world.own_stand_ins(committed=False)
        before = world.public()
        for keys, code, says in (
            ("n\n", 4, "Stopped before publishing"),
            ("\n", 4, "Rerun the command to be asked again."),
            ("maybe\n", 4, "Stopped before publishing"),
            ("\x03", 130, "Stopped by Ctrl-C"),
        ):
            terminal = Terminal(world, "release", "--version", "0.2.0")
            terminal.wait_for(QUESTION)
            assert terminal.is_quiet(0.4), "something is drawn over the question"
            assert terminal.text.endswith(QUESTION)
            terminal.type(keys)
            assert (terminal.end(), says in terminal.text) == (code, True), terminal.text
            assert terminal.text.count(QUESTION) == 1
            assert world.public() == before

        terminal = Terminal(world, "release", "--version", "0.2.0")
        terminal.wait_for(QUESTION)
        terminal.type("y\n")
        assert terminal.end() == 0
        assert terminal.text.count(QUESTION) == 1
        assert HIDE_CURSOR in terminal.raw, "the display was not live"
        assert "# tiny-tool 0.2.0" in terminal.text
        assert [release["draft"] for release in world.forge.releases()] == [False]
        assert len(world.pypi.uploads()) == 2
