"""What must be true of the project's own files before a release."""

from __future__ import annotations

import zlib
from dataclasses import replace

import pytest
from harness.projects import git
from harness.scene import Scene, assert_says

from releaser.core.step import Done
from releaser.errors import ChangelogError, ConflictError, ReleaserError
from releaser.steps.preflight.project import AgreeOnVersion, FindTools, HaveChanges, KnowBackend, RaiseVersion

INIT = "src/tiny_thing/__init__.py"


@pytest.mark.parametrize(
    "step", [AgreeOnVersion(), FindTools(), HaveChanges(), KnowBackend(), RaiseVersion()], ids=lambda step: step.name
)
def test_nothing_stands_against_the_project_as_it_is(scene: Scene, step: FindTools) -> None:
    assert isinstance(scene.check(step), Done)


class TestFindTools:
    def test_programs_are_named_with_their_versions(self, scene: Scene) -> None:
        outcome = scene.check(FindTools())
        assert isinstance(outcome, Done)
        for tool in ("build", "twine", "virtualenv"):
            assert_says(outcome.evidence, f"{tool} ")
        assert "nox" not in outcome.evidence

    def test_nox_is_needed_where_sessions_are(self, scene: Scene) -> None:
        scene.project.replace("pyproject.toml", "sessions = []", 'sessions = ["trial"]')
        outcome = scene.check(FindTools())
        assert isinstance(outcome, Done)
        assert "nox " in outcome.evidence


class TestAgreeOnVersion:
    def test_version_files_that_disagree_are_refused_by_name(self, scene: Scene) -> None:
        scene.project.replace(INIT, "0.1.0", "0.1.5")
        scene.refused(
            AgreeOnVersion(),
            f"{INIT} (line 5) says 0.1.5",
            "pyproject.toml (line 8) says 0.1.0",
            remedy="`invoke version.bump --to 0.1.0`",
        )

    def test_a_pattern_that_matches_twice_is_refused_with_both_lines(self, scene: Scene) -> None:
        scene.project.write(INIT, '__version__ = "0.1.0"\n\n__version__ = "0.1.0"\n')
        self._refuses(scene, INIT, '__version__ = "{version}"', "1, 3", remedy="exactly once")

    def test_a_pattern_that_matches_nowhere_is_refused(self, scene: Scene) -> None:
        scene.project.write(INIT, 'VERSION = "0.1.0"\n')
        self._refuses(scene, INIT, '__version__ = "{version}"', remedy="pattern")

    def _refuses(self, scene: Scene, *facts: str, remedy: str) -> None:
        with pytest.raises(ReleaserError) as caught:
            scene.check(AgreeOnVersion())
        assert caught.value.exit_code == 2
        assert_says(caught.value.message, *facts)
        assert_says(caught.value.remedy, remedy)


class TestRaiseVersion:
    def test_a_version_below_the_files_is_refused(self, scene: Scene) -> None:
        scene.refused(RaiseVersion(), "0.0.9", "0.1.0", remedy="0.1.1 (patch), 0.2.0 (minor), 1.0.0", version="0.0.9")

    def test_a_version_below_a_tag_of_the_branch_is_refused(self, scene: Scene) -> None:
        scene.git("tag", "--annotate", "v0.3.0", "--message", "A version ahead of its time")
        assert scene.check(RaiseVersion()) == Done("0.1.0 -> 0.2.0")  # what is only here was not released
        scene.git("push", "--quiet", "origin", "v0.3.0")
        scene.refused(RaiseVersion(), "0.2.0", "0.3.0", remedy="0.3.1 (patch)")

    def test_a_tag_of_another_branch_does_not_matter(self, scene: Scene) -> None:
        scene.git("switch", "--quiet", "--create", "other")
        scene.git("commit", "--quiet", "--allow-empty", "--message", "Elsewhere")
        scene.git("tag", "--annotate", "v0.3.0", "--message", "A version of another branch")
        scene.git("push", "--quiet", "origin", "v0.3.0")
        scene.git("switch", "--quiet", "main")
        assert scene.check(RaiseVersion()) == Done("0.1.0 -> 0.2.0")

    @pytest.mark.parametrize(
        "options",
        [("--depth=1", "--no-tags"), ("--no-tags",), ("--single-branch",), ("--filter=tree:0",)],
        ids=["shallow", "without tags", "single branch", "partial"],
    )
    def test_a_clone_without_tags_or_history_decides_as_a_full_one_does(
        self, scene: Scene, options: tuple[str, ...]
    ) -> None:
        git(scene.origin, "config", "uploadpack.allowFilter", "true")
        for version, parent in (("0.3.0", "main"), ("0.5.0", "v0.3.0^0")):  # on main, and on a branch of its own
            made = scene.git("commit-tree", "-p", parent, "-m", version, "HEAD^{tree}")
            scene.git("tag", "--annotate", f"v{version}", "--message", version, made)
        scene.git("merge", "--quiet", "v0.3.0^{commit}")
        scene.git("commit", "--quiet", "--allow-empty", "--message", "Later")
        scene.git("push", "--quiet", "origin", "main", "v0.3.0", "v0.5.0")
        clone = scene.project.path.with_name("clone")
        git(scene.origin, "clone", "--quiet", *options, f"file://{scene.origin}", clone)
        there = replace(scene, project=replace(scene.project, path=clone))

        there.refused(RaiseVersion(), "0.2.0", "0.3.0", remedy="0.3.1 (patch)")
        assert there.check(RaiseVersion(), "0.4.0") == Done("0.3.0 -> 0.4.0")
        assert not there.release("0.4.0").highest_stable()
        assert there.release("0.6.0").highest_stable()


def test_a_sparse_checkout_needs_no_file_on_disk(scene: Scene) -> None:
    scene.git("mv", "CHANGELOG.md", "src/changelog.md")
    scene.project.replace("pyproject.toml", "[tool.releaser]\n", '[tool.releaser]\nchangelog = "src/changelog.md"\n')
    scene.project.commit("Keep it there")
    scene.git("sparse-checkout", "set", "--cone", "docs")
    assert not (scene.project.path / "src").exists()

    for step in (AgreeOnVersion(), RaiseVersion(), HaveChanges()):
        assert isinstance(scene.check(step), Done), step.name
    assert (scene.with_release_commit().tree / INIT).exists()


class TestHaveChanges:
    def test_entries_are_counted(self, scene: Scene) -> None:
        assert scene.check(HaveChanges()) == Done("3 entries in CHANGELOG.md")

    @pytest.mark.parametrize(
        ("text", "facts", "remedy"),
        [
            ("## [Unreleased]\n\n### Added\n", ("CHANGELOG.md", "[Unreleased]", "line 1", "no entries"), "List"),
            ("## [0.1.0] - 2026-01-01\n- a\n", ("CHANGELOG.md", "no [Unreleased]"), "## [Unreleased]"),
            ("## [Unreleased]\n- a\n```\n", ("the code block is never closed", "line 3"), ""),
            ("## [Unreleased]\n- a\n## [Unreleased]\n- b\n", ("2 [Unreleased]", "lines 1 and 3"), "Merge"),
        ],
        ids=["no entries", "no section", "a code block without end", "two sections"],
    )
    def test_a_changelog_with_nothing_to_publish_is_refused(
        self, scene: Scene, text: str, facts: tuple[str, ...], remedy: str
    ) -> None:
        scene.project.write("CHANGELOG.md", text)
        scene.failed(ChangelogError, HaveChanges(), *facts, remedy=remedy)

    @pytest.mark.parametrize("version", ["0.2.0", "0.2.0-rc.1"])
    def test_one_with_an_unfinished_merge_is_refused_with_its_lines(self, scene: Scene, version: str) -> None:
        scene.project.replace("CHANGELOG.md", "- Nothing.", "<<<<<<< HEAD\n- Nothing.\n=======\n>>>>>>> feature")
        facts = ("line 18: the conflict marker <<<<<<<", "line 21: the conflict marker >>>>>>>")
        scene.failed(ChangelogError, HaveChanges(), *facts, remedy="Correct these lines and commit", version=version)

    def test_a_section_that_came_by_pull_request_is_checked_as_well(self, scene: Scene) -> None:
        scene.bump_by_hand()
        scene.project.replace("CHANGELOG.md", "2026-02-02", "1970-01-01")
        scene.project.commit()
        scene.failed(ChangelogError, HaveChanges(), "line 5: [0.2.0] has the date 1970-01-01", remedy="Correct")

    def test_what_is_already_tagged_is_not_refused_any_more(self, scene: Scene) -> None:
        scene.bump_by_hand()
        scene.project.replace("CHANGELOG.md", "2026-02-02", "1970-01-01")
        scene.project.commit()
        scene.git("tag", "--annotate", "v0.2.0", "--message", "Out")
        assert isinstance(scene.check(HaveChanges()), Done)

    def test_what_only_looks_odd_is_counted(self, scene: Scene) -> None:
        scene.project.replace("CHANGELOG.md", "### Fixed", "### Mended")
        outcome = scene.check(HaveChanges())
        assert isinstance(outcome, Done)
        assert_says(outcome.evidence, "3 entries", "`invoke changelog.check` shows 1 problem that does not change what")

    def test_one_that_is_not_utf8_is_refused_with_the_line(self, scene: Scene) -> None:
        (scene.project.path / "CHANGELOG.md").write_bytes(b"## [Unreleased]\n- caf\xe9\n")
        scene.failed(ChangelogError, HaveChanges(), "UTF-8", "line 2", "0xe9", remedy="UTF-8")

    def test_a_missing_one_is_refused(self, scene: Scene) -> None:
        (scene.project.path / "CHANGELOG.md").unlink()
        scene.failed(ChangelogError, HaveChanges(), "CHANGELOG.md", remedy="'## [Unreleased]' section")


class TestKnowBackend:
    def test_it_is_named(self, scene: Scene) -> None:
        assert scene.check(KnowBackend()) == Done("backend")

    @pytest.mark.parametrize("table", ['build-backend = "setuptools.build_meta"', ""], ids=["named", "by default"])
    def test_one_that_does_not_build_the_same_bytes_again_is_told(self, scene: Scene, table: str) -> None:
        scene.project.replace("pyproject.toml", 'build-backend = "backend"', table)
        outcome = scene.check(KnowBackend())
        assert isinstance(outcome, Done)
        assert_says(outcome.evidence, "setuptools", "not reproducible")

    @pytest.mark.parametrize(
        ("table", "key"),
        [("[tool.releaser]", 'run = "ci"'), ("[tool.releaser.pypi]", 'via = "ci"')],
        ids=["carried out in CI", "uploaded by CI"],
    )
    def test_one_whose_files_a_workflow_could_not_build_again_is_refused_there(
        self, scene: Scene, table: str, key: str
    ) -> None:
        scene.project.replace("pyproject.toml", '"backend"', '"setuptools.build_meta"')
        scene.project.replace("pyproject.toml", f"{table}\n", f"{table}\n{key}\n")
        scene.refused(
            KnowBackend(),
            "setuptools.build_meta: its sdists are not reproducible",
            "a workflow publishes only what it can build again",
            remedy='via = "upload" in [tool.releaser.pypi]',
        )

    def test_a_python_that_compresses_otherwise_than_the_workflow_is_refused(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
        scene.project.replace("pyproject.toml", "[tool.releaser.pypi]\n", '[tool.releaser.pypi]\nvia = "ci"\n')
        monkeypatch.setattr(zlib, "ZLIB_RUNTIME_VERSION", "1.2.13")
        assert scene.check(KnowBackend()) == Done("backend; zlib 1.2.13")

        monkeypatch.setattr(zlib, "ZLIB_RUNTIME_VERSION", "1.3.1.zlib-ng")
        refused = "compresses with zlib-ng (1.3.1.zlib-ng)", "release.yml would build other bytes from the tag"
        scene.refused(KnowBackend(), *refused, remedy="Release with a Python that has zlib")

    def test_the_version_that_the_lock_holds_is_named(self, scene: Scene) -> None:
        self._lock(scene, "hatchling==1.33.0")
        assert scene.check(KnowBackend()) == Done("backend; lock.txt locks hatchling 1.33.0")

    def test_a_lock_without_the_backend_is_refused(self, scene: Scene) -> None:
        self._lock(scene, "flit-core==4.0.0")
        scene.failed(ConflictError, KnowBackend(), "hatchling>=1.27 is not in lock.txt", remedy="Write the lock again")

    def _lock(self, scene: Scene, pin: str) -> None:
        scene.project.replace("pyproject.toml", "requires = []", 'requires = ["hatchling>=1.27"]')
        scene.project.replace(
            "pyproject.toml", "[project.scripts]", '[tool.releaser.build]\nlock = "lock.txt"\n\n[project.scripts]'
        )
        scene.project.write("lock.txt", f"{pin} --hash=sha256:{'0' * 64}\n")
