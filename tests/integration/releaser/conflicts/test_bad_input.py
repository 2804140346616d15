"""What a user gets wrong is answered with one paragraph and a remedy, and changes nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def corrected(world, unchanged):
    """Runs a command, and sees it answered in these words, with nothing changed."""

    def corrected(*words: str, says: tuple[str, ...], code: int = 2, **env: str) -> None:
        with unchanged(world):
            ran = world.invoke(*words, **env)
        assert ran.code == code, ran.text
        for sentence in says:
            assert sentence in ran.words, ran.text
        assert ran.err.startswith("error: ")
        assert ran.err.splitlines()[-1].startswith("  -> ")

    return corrected


def release(version: str = "0.2.0") -> tuple[str, ...]:
    return ("release", "--version", version, "--yes")


class TestVersion:
    @pytest.mark.parametrize(
        ("version", "reason", "instead"),
        [
            ("1.2", "SemVer 2.0 §2 requires three numbers, MAJOR.MINOR.PATCH", "1.2.0"),
            ("v0.2.0", "the v belongs to the tag's name, not to the version", "0.2.0"),
            ("0.2.0-1", "-1 comes after 0.2.0 in PEP 440 and before it in SemVer", "0.2.1"),
            ("0.2.0+x", "+x is a local version in PEP 440, which the index rejects", "0.2.0"),
        ],
    )
    def test_one_that_cannot_be_released_is_answered_with_one_that_can(self, corrected, version, reason, instead):
        corrected(*release(version), says=(f"'{version}' cannot be released: {reason}", f"-> Use {instead}."))

    @pytest.mark.parametrize("task", ["release", "rehearse", "status", "rollback", "yank", "tag", "publish.pypi"])
    def test_a_missing_one_is_answered_with_what_could_be_next(self, corrected, task):
        offered = "patch 0.1.1 minor 0.2.0 major 1.0.0 alpha 0.2.0-alpha.1 beta 0.2.0-beta.1 rc 0.2.0-rc.1"
        corrected(task, says=(f"Which version? The project is at 0.1.0; next could be {offered}", "--version"))


class TestConfiguration:
    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("[tool.releaser]", "[tool.releaser]\nchangelogg = 1", "unknown key changelogg (did you mean changelog?)"),
            ("sessions = []", "session = []", "unknown key qualify.session (did you mean sessions?)"),
            ("simple-url", "simple-uri", "unknown key testpypi.simple-uri (did you mean simple-url?)"),
            ("key = ", "keey = ", "unknown key version-files.0.keey (did you mean key?)"),
            ("timeout = 30", "patience = 30", "unknown key wait.patience (known here: first-delay, longest-delay,"),
            ("timeout = 30", 'timeout = "soon"', "wait.timeout: Input should be a valid number"),
            ('"pep440"', '"calver"', "version-files.0.scheme: Input should be 'semver' or 'pep440'"),
            ('= "{version}"', "= 1", "version-files.1: pattern must hold {version} exactly once"),
            ("someone/tiny-tool", "tiny-tool", "repository is OWNER/NAME, not 'tiny-tool'"),
        ],
    )
    def test_a_wrong_key_or_value_is_named_with_what_is_right(self, corrected, world, old, new, says):
        world.configure(old, new)
        corrected(*release(), says=("[tool.releaser] in pyproject.toml: ", says, "-> Mend it; nothing was changed."))

    def test_two_mistakes_are_named_together(self, corrected, world):
        world.configure("[tool.releaser]", "[tool.releaser]\nchangelogg = 1\npakage = 1")
        corrected(*release(), says=("unknown key changelogg", "unknown key pakage"))

    def test_a_pyproject_that_is_not_toml_is_shown_where(self, corrected, world):
        world.configure("[tool.releaser]", "[tool.releaser")
        corrected(*release(), says=("pyproject.toml is not TOML:", "(at line 18, column 15)", "Mend the file"))

    def test_a_pyproject_without_the_table_is_told_how_to_get_one(self, corrected, world):
        world.configure("tool.releaser", "tool.other")
        corrected(*release(), says=("pyproject.toml has no [tool.releaser] table.", "Add one"))

    def test_no_pyproject_at_all_is_said(self, corrected, world):
        world.git("rm", "--quiet", "pyproject.toml")
        world.commit()
        corrected(*release(), says=("There is no pyproject.toml in", "Run this in the root of a checkout."))

    def test_a_pattern_that_matches_twice_is_refused_with_both_lines(self, corrected, world):
        world.write("src/tiny_tool/__init__.py", '__version__ = "0.1.0"\n\n__version__ = "0.1.0"\n')
        world.commit()
        twice = """src/tiny_tool/__init__.py contains '__version__ = "{version}"' 2 times, on lines 1, 3"""
        corrected(*release(), says=(twice, "so that it occurs exactly once"))

    def test_a_pattern_that_matches_nowhere_is_refused(self, corrected, world):
        world.write("src/tiny_tool/__init__.py", 'VERSION = "0.1.0"\n')
        world.commit()
        nowhere = """src/tiny_tool/__init__.py does not contain '__version__ = "{version}"'"""
        corrected(*release(), says=(nowhere, "correct the pattern in [tool.releaser] version-files"))


class TestRepository:
    def test_one_without_a_remote_has_nowhere_to_release_to(self, corrected, world):
        world.git("remote", "remove", "origin")
        corrected(*release(), says=("has no git remote named origin", "Add it: `git remote add origin ADDRESS`"))

    def test_a_directory_that_is_none_is_refused(self, world):
        shutil.move(world.checkout / ".git", world.root / "elsewhere")
        ran = world.invoke(*release())
        assert ran.code == 2
        assert "checkout is not in a git checkout, or git does not run" in ran.words
        assert "-> Run this in a clone of the project." in ran.words
        assert not world.state.exists()

    def test_one_without_a_commit_is_refused(self, corrected, world):
        world.git("update-ref", "-d", "refs/heads/main")
        corrected(*release(), says=("checkout has no commit yet", "Commit the project first."))


class TestOptions:
    def test_an_unknown_step_to_skip_is_answered_with_the_nearest(self, corrected):
        corrected(*release(), "--skip", "testpipi", says=("There is no step named testpipi", "upload_testpypi"))

    @pytest.mark.parametrize(("word", "step"), [("push_tag", "push_tag"), ("preflight", "find_tools")])
    def test_a_step_that_others_need_cannot_be_skipped(self, corrected, word, step):
        corrected(*release(), "--skip", word, says=(f"{step} cannot be skipped: later steps or users need it",))

    @pytest.mark.parametrize(
        ("fault", "says"),
        [
            ("nobody:delay=1", "there is no such fault. -> Write WHO:NAME[=VALUE] with WHO one of testpypi, pypi,"),
            ("remote:explode", "there is no such fault."),
            ("remote:hold=long", "it needs a number of seconds. -> Write --fault remote:hold=5."),
            ("engine:kill-before=lunch", "there is no such step."),
        ],
    )
    def test_a_disaster_that_nobody_knows_is_refused(self, corrected, fault, says):
        corrected("rehearse", "--version", "0.2.0", "--fault", fault, says=(f"--fault {fault}: {says}",))

    def test_a_task_that_does_not_exist_is_invokes_own_error(self, world):
        ran = world.invoke("relaese")
        assert ran.code == 1
        assert "No idea what 'relaese' is!" in ran.text


class TestChangelog:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (b"## [Unreleased]\n- caf\xe9\n", "is not UTF-8: line 2 has the byte 0xe9 -> Save it as UTF-8."),
            (b"## [Unreleased]\n- a\n```\n", "line 3: the code block is never closed"),
            (b"## [Unreleased]\n- a\n## [Unreleased]\n- b\n", "has 2 [Unreleased] sections, on lines 1 and 3 -> Merge"),
        ],
    )
    def test_a_broken_one_is_refused_with_the_line(self, corrected, world, text, says):
        (world.checkout / "CHANGELOG.md").write_bytes(text)
        world.commit()
        corrected(*release(), says=("error: have_changes: ", says))

    def test_a_missing_one_is_refused(self, corrected, world):
        world.git("rm", "--quiet", "CHANGELOG.md")
        world.commit()
        corrected(
            *release(),
            says=("error: have_changes: ", "CHANGELOG.md does not exist", "Create it with a '## [Unreleased]' section"),
        )


class TestUnreachable:
    @pytest.mark.parametrize("index", ["testpypi", "pypi"])
    def test_an_index_is_named_with_its_address(self, corrected, world, closed, index):
        world.configure(f'{world.stand_ins[index].url}/simple/"', f'{closed}/simple/"')
        says = (f"upload_{index}: {index} at {closed}/simple/ refused the connection", "Check the network")
        corrected(*release(), says=says, code=1)

    def test_the_forge_is_named_with_its_address(self, corrected, world, closed):
        world.configure(f'api-url = "{world.forge.url}"', f'api-url = "{closed}"')
        says = ("log_in_forge: GitHub at 127.0.0.1:", "refused the connection", "rerun the command")
        corrected(*release(), says=says, code=1)

    def test_a_remote_that_nobody_serves_is_named(self, corrected, world, closed):
        world.git("remote", "set-url", "origin", f"{closed}/origin.git")
        says = "be_level, push_tag: Could not read the git remote origin: fatal: unable to access"
        corrected(*release(), says=(says, "Check its address"), code=1)

    def test_a_remote_that_is_no_repository_is_told_in_gits_words(self, corrected, world):
        world.git("remote", "set-url", "origin", world.root / "gone.git")
        corrected(*release(), says=("be_level, push_tag:", "gone.git' does not appear to be a git repository"), code=1)


class TestFullDisk:
    def test_too_little_room_is_refused_before_anything_is_made(self, corrected, world, disk):
        disk(world.state, mib=100)
        corrected(
            *release(),
            says=("find_tools:", "MiB are free at", "and a release needs 200.", "or set RELEASER_STATE_DIR to"),
            code=3,
        )

    def test_a_disk_that_fills_up_on_the_way_stops_the_release_which_goes_on_when_there_is_room(
        self, world, disk, tmp_path, until
    ):
        disk(world.state, mib=240)
        world.configure("sessions = []", 'sessions = ["linger"]')
        lingering, ballast = tmp_path / "lingering", world.state / "ballast"
        running = world.start("release", "--version", "0.2.0", LINGER=str(lingering))
        until(lingering.exists, "the session")
        fill(ballast)
        lingering.unlink()
        ran = world.finish(running)
        assert ran.code == 1, ran.text
        assert "Traceback" not in ran.text, ran.text
        assert "error: The disk is full" in ran.words or "No space left on device" in ran.words, ran.text
        assert "\n  -> " in ran.err
        ballast.unlink()
        again = world.invoke("release", "--version", "0.2.0")
        assert again.code == 4, again.text
        assert "build_dists: done" in again.words


@pytest.fixture
def closed() -> str:
    """An address at which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def disk():
    """Mounts a small disk at a directory, where that is allowed."""
    mounted: list[Path] = []

    def mount(path: Path, *, mib: int) -> None:
        path.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(path)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
        except OSError as error:
            pytest.skip(f"no disk can be mounted here: {error}")
        if done.returncode != 0:
            pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
        mounted.append(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(path: Path) -> None:
    """Writes a file until the disk that it is on has no room."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(os.urandom(1 << 10) * 64)
        except OSError:
            return
