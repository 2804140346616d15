"""`invoke release`, `status`, `tag` and `yank`: what is refused, and that a refusal changes nothing."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from harness.scene import Scene, assert_says
from harness.stand_ins import TOKENS
from harness.waiting import wait_until
from harness.wheels import other_wheel

from releaser.core.chain import read_chain

RELEASE = ("release", "--version", "0.2.0", "--yes")
PREFLIGHT = ["be_on_branch", "be_clean", "be_level", "agree_on_version", "log_in_pypi", "create_tag"]


class TestConflicts:
    @pytest.mark.parametrize(
        "words",
        [
            ["release", "--yes"],
            ["release", "--dry-run"],
            ["status"],
            ["-R", "release", "--yes"],
        ],
        ids=" ".join,
    )
    def test_all_are_shown_in_one_run_whichever_way_one_asks(self, scene: Scene, words: list[str]) -> None:
        scene.project.replace("src/tiny_thing/__init__.py", "0.1.0", "0.1.5")
        scene.project.write("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n")
        scene.git("commit", "--quiet", "--all", "--message", "Not pushed")
        scene.git("switch", "--quiet", "--create", "feature")
        scene.git("tag", "--annotate", "v0.2.0", "--message", "Too early")
        scene.project.write("notes.txt", "not for anybody")
        scene.set(PYPI_TOKEN=None)
        ran = scene.refuses(
            *words,
            "--version",
            "0.2.0",
            code=3,
            says=[
                "7 ",
                "- be_on_branch: feature",
                "- be_clean: 1 uncommitted",
                "- be_level: 1 commit",
                "- agree_on_version: src/tiny_thing/__init__.py (line 5) says 0.1.5",
                "- have_changes, fit_notes: CHANGELOG.md",
                "- log_in_pypi:",
                "- create_tag:",
            ],
        )
        if words != ["release", "--yes"]:
            assert [line.split()[1] for line in ran.out.splitlines() if "CONFLICT" in line] == PREFLIGHT
            assert not scene.state.exists()

    def test_what_others_did_since_it_was_built_is_refused_before_the_question(self, scene: Scene) -> None:
        pinned = scene.with_dists().commit()
        scene.pypi.accept(other_wheel(scene.others), "tiny-thing", "0.2.0")
        moved = scene.others_push()
        scene.refuses(
            *RELEASE,
            code=3,
            says=[
                f"push_tag: origin/main has moved to {moved[:12]}",
                str(pinned)[:12],
                "`invoke rollback --version 0.2.0`",
                "upload_pypi: pypi",
                "tiny_thing-0.2.0-py3-none-any.whl",
                "0.2.1",
            ],
        )

    def test_what_testpypi_keeps_of_another_attempt_is_not_in_the_way(self, scene: Scene) -> None:
        scene.testpypi.accept(other_wheel(scene.others), "tiny-thing", "0.2.0")
        with scene.unchanged():
            ran = scene.run("release", "--version", "0.2.0", "--dry-run")
            left_out = scene.run("release", "--version", "0.2.0", "--dry-run", "--skip", "testpypi")
        assert (ran.code, left_out.code) == (0, 0), ran.text
        assert_says(ran.out, "testpypi already serves tiny_thing-0.2.0-py3-none-any.whl")
        assert_says(left_out.out, "left out by --skip testpypi")


class TestNothingInTheWay:
    @pytest.mark.parametrize("words", [["release", "--dry-run"], ["status"]], ids=" ".join)
    def test_asking_alone_leaves_no_state_behind(self, scene: Scene, words: list[str]) -> None:
        with scene.unchanged():
            ran = scene.run(*words, "--version", "0.2.0")
        assert ran.code == 0, ran.text
        assert not scene.state.exists()

    def test_a_rollback_of_nothing_is_told(self, scene: Scene) -> None:
        with scene.unchanged():
            ran = scene.run("rollback", "--version", "0.2.0")
        assert (ran.code, ran.err) == (0, "")
        assert_says(ran.out, "There is nothing of 0.2.0 to take back.")


class TestUnanswered:
    def test_every_service_that_does_not_answer_is_named(self, scene: Scene, closed: str) -> None:
        for name in ("testpypi", "pypi"):
            scene.project.replace("pyproject.toml", f'{scene.stand_ins[name].url}/simple/"', f'{closed}/simple/"')
        scene.project.replace("pyproject.toml", f'api-url = "{scene.forge.url}"', f'api-url = "{closed}"')
        scene.project.commit()
        scene.refuses(*RELEASE, code=1, says=["upload_testpypi", "upload_pypi", "log_in_forge", closed])

    def test_one_that_fails_for_two_steps_is_told_once(self, scene: Scene, closed: str) -> None:
        scene.git("remote", "set-url", "origin", f"{closed}/origin.git")
        ran = scene.refuses(*RELEASE, code=1, says=["be_level, log_in_remote, raise_version, ask_again, push_tag:"])
        assert ran.err.count("unable to access") == 1


class TestTag:
    def test_it_is_refused_before_the_release_commit_is_made(self, scene: Scene) -> None:
        scene.refuses(
            "tag",
            "--version",
            "0.2.0",
            "--yes",
            says=[
                "open_worktree, bump_versions, rotate_changelog, commit_release",
                "`invoke release --version 0.2.0`",
            ],
        )

    def test_branch_and_tag_are_pushed_and_taken_back(self, scene: Scene) -> None:
        commit = scene.with_dists().commit()
        ran = scene.run("tag", "--version", "0.2.0", "--yes")
        assert ran.code == 0, ran.text
        assert scene.at_origin("cat-file", "-t", "v0.2.0") == "tag"
        assert scene.at_origin("rev-parse", "main", "v0.2.0^{commit}").split() == [commit, commit]

        back = scene.run("rollback", "--version", "0.2.0", "--yes")
        assert back.code == 7, back.text
        assert_says(back.out, "Taken back: delete_tag:", "origin/main keeps the bump")
        assert scene.git("tag", "--list") + scene.at_origin("tag", "--list") == ""
        assert "refs/releaser" not in scene.git("for-each-ref")
        assert scene.at_origin("rev-parse", "main") == commit
        assert not any(name.startswith("state/") for name in scene.everything())


class TestSecrets:
    @pytest.mark.parametrize("words", [["release", "--yes"], ["status"], ["rollback"], ["tag", "--yes"]], ids=" ".join)
    def test_credentials_in_the_remotes_address_are_shown_nowhere(
        self, scene: Scene, closed: str, words: list[str]
    ) -> None:
        secret = "qX7-remoteS3cret"
        address = closed.replace("http://", f"http://somebody:{secret}@")
        scene.git("remote", "set-url", "origin", f"{address}/origin.git")
        with scene.unchanged():
            ran = scene.run(*words, "--version", "0.2.0")
        assert secret not in ran.text
        assert ran.code != 0
        if words[0] in ("release", "status", "rollback"):
            assert_says(ran.err, f"unable to access '{closed}/origin.git/'")
        assert [path for path in scene.state.rglob("*") if path.is_file() and secret in path.read_text()] == []

    def test_a_token_that_a_service_repeats_is_hidden(self, scene: Scene) -> None:
        scene.project.configure("someone/tiny-thing", f"someone/{TOKENS['PYPI_TOKEN']}")
        ran = scene.run(*RELEASE)
        assert ran.code == 1, ran.text
        assert "someone/[hidden]" in ran.text
        journal = (scene.store / "journal.jsonl").read_text()
        for name, token in TOKENS.items():
            assert token not in ran.text + journal, f"{name} is shown"


class TestJournal:
    def test_an_altered_one_is_named_at_once_and_kept_aside_by_choice(self, scene: Scene) -> None:
        scene.project.write("notes.txt", "in the way")
        assert scene.run(*RELEASE).code == 3
        journal = scene.store / "journal.jsonl"
        text = journal.read_text()
        altered = text.replace('"version": "0.2.0"', '"version": "0.1.9"')
        assert altered != text
        journal.write_text(altered)
        for words in (RELEASE, ("status", "--version", "0.2.0")):
            scene.refuses(*words, code=3, says=[f"{journal} was altered: line 2", "--choose trust_journal=begin"])
        assert journal.read_text() == altered
        assert scene.run(*RELEASE, "--choose", "trust_journal=begin").code == 3
        chain = read_chain(journal)
        (kept,) = scene.store.glob("journal.altered-*.jsonl")
        assert kept.read_text() == altered
        assert (chain.entries[0]["event"], chain.entries[0]["file"]) == ("altered", kept.name)
        assert chain.problem is None


class TestYank:
    PAGE = "/manage/project/tiny-thing/release/0.2.0/"

    @pytest.fixture
    def published(self, scene: Scene) -> Scene:
        """0.2.0 is on the index."""
        for path in scene.with_dists().built().uploads:
            scene.pypi.accept(path, "tiny-thing", "0.2.0")
        return scene

    @pytest.mark.parametrize(
        ("words", "facts"),
        [
            (["--version", "0.2.0"], ["reason", "--reason", "0.2.1"]),
            (["--version", "0.3.0", "--reason", "x"], ["no tiny-thing 0.3.0"]),
        ],
        ids=["without a reason", "of a version that is not there"],
    )
    def test_one_that_cannot_be_is_refused(self, published: Scene, words: list[str], facts: list[str]) -> None:
        published.refuses("yank", *words, says=facts)

    def test_it_is_watched_until_the_index_shows_it_and_so_is_its_end(self, published: Scene) -> None:
        index, reason = published.pypi, "Burns toast, use 0.2.1 instead"
        for action, words, told in (
            ("yank", ["--reason", reason], ["as yanked", "==0.2.0"]),
            ("unyank", ["--undo"], ["as un-yanked"]),
        ):
            looks = index.count("/simple/tiny-thing/") + 2

            def manage(action: str = action, looks: int = looks) -> None:
                index.wait_until_asked("/simple/tiny-thing/", looks)
                index.manage("tiny-thing", "0.2.0", action=action, reason=reason)

            owner = threading.Thread(target=manage)
            owner.start()
            ran = published.run("yank", "--version", "0.2.0", *words)
            owner.join()
            assert (ran.code, ran.err) == (0, "")
            page, _, end = ran.out.partition("Waiting until")
            assert f"{index.url}{self.PAGE}" in page
            assert (reason in page) == (action == "yank")
            assert_says(end, "tiny-thing 0.2.0", *told)

    def test_one_that_is_there_already_is_not_waited_for(self, published: Scene) -> None:
        published.pypi.manage("tiny-thing", "0.2.0", action="yank", reason="Burns toast")
        ran = published.run("yank", "--version", "0.2.0", "--reason", "Burns toast")
        assert ran.code == 0
        assert "Waiting" not in ran.out


class TestFailed:
    def test_it_is_taken_back_whole_and_the_next_release_starts_fresh_and_asks_before_anything_public(
        self, scene: Scene
    ) -> None:
        scene.project.configure("sessions = []", 'sessions = ["trial"]')
        before, public = scene.everything(), scene.public()
        scene.with_dists()
        failed = scene.run(*RELEASE, TRIAL="refuse")
        assert failed.code == 1, failed.text
        assert_says(failed.err, "pass_trial: ", "trial", "this project is not good enough")
        assert scene.public() == public
        first = sdist(scene)

        back = scene.run("rollback", "--version", "0.2.0", "--yes")
        assert back.code == 0, back.text
        assert scene.everything() == before

        scene.project.replace("README.md", "smallest", "tiniest")
        scene.project.commit()
        public, refs = scene.public(), set(scene.git("for-each-ref").splitlines())
        again = scene.run("release", "--version", "0.2.0")
        assert again.code == 4, again.text
        assert_says(again.err, "--yes")
        assert sdist(scene) != first
        assert scene.public() == public
        commit = scene.git("rev-parse", "refs/releaser/v0.2.0")
        assert set(scene.git("for-each-ref").splitlines()) - refs == {f"{commit} commit\trefs/releaser/v0.2.0"}
        assert scene.git("rev-parse", f"{commit}^") == scene.project.head()
        assert scene.git("status", "--porcelain") == ""


class TestFullDisk:
    def test_a_disk_that_fills_up_on_the_way_stops_the_release_which_goes_on_when_there_is_room(
        self, scene: Scene, disk: Callable[..., None], tmp_path: Path
    ) -> None:
        disk(scene.state, mib=240)
        scene.project.configure("sessions = []", 'sessions = ["trial"]')
        scene.with_dists()
        lasting, ballast = tmp_path / "lasting", scene.state / "ballast"

        def fill_meanwhile() -> None:
            wait_until(lasting.exists, "the session")
            fill(ballast)
            lasting.unlink()

        meanwhile = threading.Thread(target=fill_meanwhile)
        meanwhile.start()
        ran = scene.run("release", "--version", "0.2.0", TRIAL=str(lasting))
        meanwhile.join()
        assert ran.code == 1, ran.text
        assert "The disk is full" in ran.words or "No space left on device" in ran.words, ran.text
        assert "\n  -> " in ran.err
        ballast.unlink()
        again = scene.run("release", "--version", "0.2.0")
        assert again.code == 4, again.text
        assert "build_dists: done" in again.words


def sdist(scene: Scene) -> str:
    """The sdist's checksum."""
    return scene.release().built().sha256["tiny_thing-0.2.0.tar.gz"]


def fill(path: Path) -> None:
    """Write a file until the disk that it is on has no room."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(os.urandom(1 << 10) * 64)
