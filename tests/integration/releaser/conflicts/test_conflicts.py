"""What contradicts a release is found and named, with what to do about it, before anything is touched."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile

import pytest
import requests

NOTES = "### Added\n- Everything that the second version has"


class TestCheckout:
    def test_a_changed_file_is_refused(self, refused, world):
        world.replace("README.md", "Says", "Tells")
        refused("be_clean: 1 uncommitted changes: README.md.", "Commit, stash or ignore them.")

    def test_a_staged_file_is_refused(self, refused, world):
        world.write("more.py", "")
        world.git("add", "more.py")
        refused("be_clean: 1 uncommitted changes: more.py.", "Commit, stash or ignore them.")

    def test_an_untracked_file_is_refused(self, refused, world):
        world.write("notes.txt", "not for anybody")
        refused("be_clean: 1 uncommitted changes: notes.txt.", "Commit, stash or ignore them.")

    def test_another_branch_is_refused(self, refused, world):
        world.git("switch", "--quiet", "--create", "feature")
        refused("be_on_branch: feature is checked out, and releases are made from main.", "`git switch main`.")

    def test_a_detached_head_is_refused(self, refused, world):
        world.git("switch", "--quiet", "--detach")
        refused("be_on_branch: HEAD is detached, and releases are made from main.", "`git switch main`.")

    def test_being_behind_the_remote_is_refused(self, refused, world):
        moved = somebody_pushes(world)
        refused(f"be_level: origin/main is at {moved[:12]}", "it is behind", "`git pull --ff-only origin main`.")

    def test_being_ahead_of_the_remote_is_refused(self, refused, world):
        world.git("commit", "--quiet", "--allow-empty", "--message", "Not pushed")
        refused("be_level: 1 commit is not on origin/main yet.", "`git push origin main`, and let its checks pass.")

    def test_having_diverged_from_the_remote_is_refused(self, refused, world):
        somebody_pushes(world)
        world.git("commit", "--quiet", "--allow-empty", "--message", "Not pushed")
        refused("be_level: origin/main is at", "or has diverged", "`git pull")

    def test_a_remote_without_the_branch_is_refused(self, refused, world):
        world.git("update-ref", "-d", "refs/heads/main", cwd=world.origin)
        refused("be_level: origin has no branch main.", "`git push origin main`.")

    def test_a_git_that_knows_no_name_is_refused(self, refused, tmp_path):
        settings = tmp_path / "nameless"
        settings.write_text("[user]\n\tuseConfigOnly = true\n")
        refused(
            "find_identity: git has no name and address for the release commit and the tag.",
            "`git config user.name",
            GIT_CONFIG_GLOBAL=str(settings),
        )


class TestVersion:
    def test_a_version_below_the_files_is_refused(self, refused):
        refused(
            "raise_version: 0.0.9 is not above 0.1.0, which this branch already holds.",
            "Choose 0.1.1 (patch), 0.2.0 (minor), 1.0.0 (major)",
            version="0.0.9",
        )

    def test_a_version_below_a_tag_of_the_branch_is_refused(self, refused, world):
        world.git("tag", "--annotate", "v0.3.0", "--message", "A version ahead of its time")
        refused("raise_version: 0.2.0 is not above 0.3.0", "Choose 0.3.1 (patch)")

    def test_version_files_that_disagree_are_refused_by_name(self, refused, world):
        world.replace("src/tiny_tool/__init__.py", "0.1.0", "0.1.5")
        world.commit()
        refused(
            "agree_on_version: src/tiny_tool/__init__.py (line 3) says 0.1.5, but pyproject.toml (line 8) says 0.1.0",
            "`invoke version.bump --to 0.1.0` writes them all; commit that.",
        )


class TestTag:
    def test_a_tag_here_on_another_commit_is_refused(self, refused, world):
        world.git("tag", "--annotate", "v0.2.0", "--message", "Too early")
        refused("create_tag: the tag v0.2.0 is here already, on", "`git tag --delete v0.2.0` if it was never pushed")

    def test_a_tag_at_the_remote_on_another_commit_is_refused(self, refused, world):
        world.git("push", "--quiet", "origin", "HEAD:refs/tags/v0.2.0")
        refused("push_tag: origin has v0.2.0 on another commit", "release the next version: a tag that is out")

    def test_a_lightweight_tag_here_is_refused(self, refused, world):
        bump_by_hand(world)
        world.git("tag", "v0.2.0")
        refused("create_tag: the tag v0.2.0 is lightweight.", "`git tag --delete v0.2.0`; it is made anew, annotated.")

    def test_a_lightweight_tag_at_the_remote_is_refused(self, refused, world):
        bump_by_hand(world)
        world.git("push", "--quiet", "origin", "HEAD:refs/tags/v0.2.0")
        refused("push_tag: origin's v0.2.0 is lightweight.", "Release the next version")


class TestIndex:
    def test_other_files_of_this_version_on_pypi_are_refused(self, refused, world):
        upload_another(world.stand_in("pypi"))
        refused(
            "upload_pypi: pypi already serves tiny_tool-0.2.0-py3-none-any.whl, built elsewhere.",
            "Release 0.2.1 instead.",
        )

    def test_other_files_of_this_version_on_testpypi_can_be_left_out_with_skip(self, refused, world):
        upload_another(world.stand_in("testpypi"))
        refused(
            "upload_testpypi: testpypi already serves tiny_tool-0.2.0-py3-none-any.whl, built elsewhere.",
            "Release 0.2.1 instead, or leave this index out with `--skip testpypi`, which is recorded.",
        )
        assert world.release("--dry-run", "--skip", "testpypi").code == 0


class TestForge:
    def test_a_published_release_with_other_notes_is_refused(self, refused, world):
        world.stand_in("forge", seed={"releases": [{"tag_name": "v0.2.0", "name": "v0.2.0", "body": "Nothing much"}]})
        refused(
            "draft_release: the release v0.2.0 is published with other notes than the changelog's section.",
            f"Edit it at {world.forge.url}/someone/tiny-tool/releases/tag/v0.2.0",
        )

    def test_a_published_release_with_the_right_notes_is_none(self, world):
        world.stand_in("forge", seed={"releases": [{"tag_name": "v0.2.0", "name": "v0.2.0", "body": NOTES}]})
        assert world.release("--dry-run").code == 0

    @pytest.mark.parametrize("kind", ["issue", "pull request"])
    def test_an_open_blocker_is_refused(self, refused, world, kind):
        blocker = {"number": 7, "title": "It burns", "labels": ["release-blocker"], "pull_request": kind != "issue"}
        world.stand_in("forge", seed={"issues": [blocker, {"number": 8, "title": "It smokes", "labels": ["bug"]}]})
        refused(
            "have_no_blockers: 1 open with the label release-blocker: #7 It burns.", "Close them or take the label off."
        )


class TestTokens:
    @pytest.mark.parametrize(
        ("variable", "whose"), [("TESTPYPI_TOKEN", "testpypi"), ("PYPI_TOKEN", "pypi"), ("GITHUB_TOKEN", "the forge")]
    )
    def test_a_missing_token_is_refused_by_the_name_of_its_variable(self, refused, variable, whose):
        refused(f"there is no token for {whose}.", f"Set {variable} to", **{variable: None})

    def test_a_token_of_blanks_is_a_missing_token(self, refused):
        refused("there is no token for pypi.", "Set PYPI_TOKEN to", PYPI_TOKEN="  ")

    def test_a_forge_token_that_may_only_read_is_refused(self, refused, read_only_token):
        refused(
            "log_in_forge: the token in GITHUB_TOKEN may not write to someone/tiny-tool.",
            "Give it the permission contents: write.",
            GITHUB_TOKEN=read_only_token,
        )

    def test_a_forge_token_that_the_forge_does_not_know_is_refused(self, refused):
        refused(
            "log_in_forge: GitHub at 127.0.0.1",
            "(HTTP 401): Bad credentials",
            "The forge token is wrong, expired or revoked: create a new one.",
            code=1,
            GITHUB_TOKEN="ghp_nobodysToken0123456789",
        )


class TestChangelog:
    def test_an_empty_unreleased_section_is_refused(self, refused, world):
        world.replace("CHANGELOG.md", "### Added\n- Everything that the second version has\n", "")
        world.commit()
        refused("have_changes: CHANGELOG.md: [Unreleased] on line 3 has no entries", "List what changed", code=2)

    def test_a_missing_unreleased_section_is_refused(self, refused, world):
        world.replace("CHANGELOG.md", "## [Unreleased]\n\n### Added\n- Everything that the second version has\n", "")
        world.commit()
        refused("have_changes: CHANGELOG.md has no [Unreleased] section", "Add '## [Unreleased]' above", code=2)


class TestAllTogether:
    def test_seven_conflicts_are_shown_in_one_run_whichever_way_one_asks(self, refused, world, unchanged):
        world.replace("src/tiny_tool/__init__.py", "0.1.0", "0.1.5")
        world.replace("CHANGELOG.md", "- Everything that the second version has\n", "")
        world.git("commit", "--quiet", "--all", "--message", "Not pushed")
        world.git("switch", "--quiet", "--create", "feature")
        world.git("tag", "--annotate", "v0.2.0", "--message", "Too early")
        world.write("notes.txt", "not for anybody")
        world.env.pop("PYPI_TOKEN")
        ran = refused(
            "Found 7 problems; nothing was changed:",
            "- be_on_branch: feature is checked out",
            "- be_clean: 1 uncommitted changes: notes.txt.",
            "- be_level: 1 commit is not on origin/main yet.",
            "- agree_on_version: src/tiny_tool/__init__.py (line 3) says 0.1.5",
            "- have_changes: CHANGELOG.md: [Unreleased] on line 3 has no entries",
            "- log_in_pypi: there is no token for pypi.",
            "- create_tag: the tag v0.2.0 is here already",
            "Fix the problem above and rerun the command.",
        )
        for words in (["release", "--dry-run"], ["status"], ["-R", "release", "--yes"]):
            with unchanged(world):
                asked = world.invoke(*words, "--version", "0.2.0")
            assert (asked.code, asked.err) == (3, ran.err), words
            assert "nothing was changed." in asked.out
            assert [line.split()[1] for line in asked.out.splitlines() if "CONFLICT" in line] == [
                "be_on_branch",
                "be_clean",
                "be_level",
                "agree_on_version",
                "log_in_pypi",
                "create_tag",
            ]

    def test_asking_alone_leaves_no_state_behind(self, world, unchanged):
        with unchanged(world):
            assert world.release("--dry-run").code == 0
        assert not world.state.exists()


class TestSinceItWasBuilt:
    def test_what_others_did_meanwhile_is_refused_before_the_question(self, passed_world):
        world = passed_world
        upload_another(world.stand_in("pypi", committed=False))
        moved, pinned = somebody_pushes(world), world.git("rev-parse", "refs/releaser/v0.2.0")
        before = world.seen()
        ran = world.release()
        assert ran.code == 3
        for sentence in (
            "Found 2 conflicts; nothing was changed:",
            f"push_tag: origin/main has moved to {moved[:12]} since {pinned[:12]} was made for release.",
            "`invoke rollback --version 0.2.0` forgets that commit; then pull, and release again.",
            "upload_pypi: pypi serves other bytes under 0.2.0: tiny_tool-0.2.0-py3-none-any.whl (",
            "Release 0.2.1 instead.",
        ):
            assert sentence in ran.words, ran.text
        assert world.seen() == {**before, "refs": world.git("for-each-ref")}
        assert world.git("rev-parse", "refs/releaser/v0.2.0") == pinned


def somebody_pushes(world) -> str:
    """Somebody else's commit, at the remote and not here."""
    world.git("clone", "--quiet", world.origin, world.root / "elsewhere")
    world.git("commit", "--quiet", "--allow-empty", "--message", "Elsewhere", cwd=world.root / "elsewhere")
    world.git("push", "--quiet", "origin", "HEAD", cwd=world.root / "elsewhere")
    return world.git("rev-parse", "HEAD", cwd=world.root / "elsewhere")


def bump_by_hand(world) -> None:
    """The release commit, made by a pull request instead of the engine."""
    world.replace("pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0"')
    world.replace("src/tiny_tool/__init__.py", "0.1.0", "0.2.0")
    world.replace("CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2026-02-02\n")
    world.commit("chore: bump version to 0.2.0")


def upload_another(index) -> None:
    """Puts a wheel of 0.2.0 there that this project did not make."""
    content, info = io.BytesIO(), "tiny_tool-0.2.0.dist-info"
    members = {
        "tiny_tool/__init__.py": "import somebody_else",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny-tool\nVersion: 0.2.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    members[f"{info}/RECORD"] = "".join(f"{path},sha256={_recorded(text)},\n" for path, text in members.items())
    with zipfile.ZipFile(content, "w") as wheel:
        for path, text in members.items():
            wheel.writestr(path, text)
    form = {":action": "file_upload", "name": "tiny-tool", "version": "0.2.0", "filetype": "bdist_wheel"}
    form["sha256_digest"] = hashlib.sha256(content.getvalue()).hexdigest()
    file = ("tiny_tool-0.2.0-py3-none-any.whl", content.getvalue())
    answer = requests.post(
        f"{index.url}/legacy/", data=form, files={"content": file}, auth=("__token__", index.token), timeout=10
    )
    assert answer.ok, answer.text


def _recorded(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
