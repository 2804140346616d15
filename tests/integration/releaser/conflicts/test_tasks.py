"""The small tasks, each as a user runs it alone."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
import subprocess

import pytest

from releaser.tasks import namespace

SHA256 = re.compile(r"^([0-9a-f]{64})  (\S+)$", re.MULTILINE)
FILES = ["tiny_tool-0.2.0-py3-none-any.whl", "tiny_tool-0.2.0.tar.gz"]


class TestVersion:
    def test_show_prints_each_file_with_its_line(self, world):
        ran = world.invoke("version.show")
        assert (ran.code, ran.out) == (0, "0.1.0  pyproject.toml:8\n0.1.0  src/tiny_tool/__init__.py:3\n")

    def test_check_says_that_all_agree(self, world):
        ran = world.invoke("version.check")
        agreed = "0.1.0: pyproject.toml, src/tiny_tool/__init__.py, CHANGELOG.md agree; newest tag: 0.1.0.\n"
        assert (ran.code, ran.out) == (0, agreed)

    def test_check_names_the_file_that_differs(self, world):
        world.replace("src/tiny_tool/__init__.py", "0.1.0", "0.1.5")
        ran = world.invoke("version.check")
        assert ran.code == 2
        assert "src/tiny_tool/__init__.py (line 3) says 0.1.5, but pyproject.toml (line 8) says 0.1.0" in ran.words
        assert ran.err.endswith("\n  -> `invoke version.bump --to 0.1.0`.\n")

    def test_check_names_a_changelog_and_a_tag_that_differ(self, world):
        world.invoke("version.bump", "--to", "0.1.5")
        world.git("tag", "v0.3.0")
        ran = world.invoke("version.check")
        assert ran.code == 2
        assert "the newest section of CHANGELOG.md is 0.1.0, and the files say 0.1.5" in ran.words
        assert "the newest tag is v0.3.0, and the files say 0.1.5" in ran.words
        assert "-> `invoke changelog.rotate --version 0.1.5`; `invoke version.bump --to 0.3.0`." in ran.words

    def test_bump_writes_every_file_and_nothing_else(self, world):
        ran = world.invoke("version.bump", "--part", "rc")
        assert ran.code == 0
        assert ran.out == ("0.1.0 -> 0.2.0-rc.1  pyproject.toml\n0.1.0 -> 0.2.0-rc.1  src/tiny_tool/__init__.py\n")
        lines = [line for line in world.git("diff", "--unified=0").splitlines() if re.match(r"[+-][^+-]", line)]
        assert lines == [
            '-version = "0.1.0"',
            '+version = "0.2.0rc1"',
            '-__version__ = "0.1.0"',
            '+__version__ = "0.2.0-rc.1"',
        ]

    @pytest.mark.parametrize("words", [["--to", "0.2.0"], ["--part", "minor"]])
    def test_a_dry_bump_says_what_it_would_do_and_does_not(self, world, unchanged, words):
        with unchanged(world):
            ran = world.invoke("-R", "version.bump", *words)
        assert ran.code == 0
        assert "0.1.0 -> 0.2.0  pyproject.toml  (not written)" in ran.out

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            ([], "Say either --to VERSION or --part PART. -> Parts from 0.1.0: patch (0.1.1), minor (0.2.0)"),
            (["--to", "0.2.0", "--part", "minor"], "Say either --to VERSION or --part PART."),
            (["--part", "huge"], "There is no part huge in a version. -> Parts are patch, minor, major,"),
            (["--part", "final"], "0.1.0 is already final -> Choose patch (0.1.1)"),
            (["--to", "1"], "'1' cannot be released: SemVer 2.0 §2 requires three numbers, MAJOR.MINOR.PATCH"),
        ],
    )
    def test_a_bump_to_nowhere_is_refused(self, world, unchanged, words, says):
        with unchanged(world):
            ran = world.invoke("version.bump", *words)
        assert ran.code == 2
        assert says in ran.words

    def test_explain_prints_every_form(self, world):
        ran = world.invoke("version.explain", "0.2.0-rc.1")
        assert ran.code == 0
        found = dict(line.split(maxsplit=1) for line in ran.out.replace("PEP 440", "PEP440").splitlines()[:4])
        assert found == {
            "SemVer": "0.2.0-rc.1",
            "PEP440": "0.2.0rc1",
            "tag": "v0.2.0-rc.1",
            "kind": "pre-release, never latest",
        }

    def test_explain_says_why_one_is_refused(self, world):
        ran = world.invoke("version.explain", "0.2.0-dev.3")
        assert ran.code == 2
        assert "-dev.3 is below every alpha in PEP 440 and above beta in SemVer -> Use 0.2.0-alpha.3." in ran.words


class TestChangelog:
    def test_check_finds_nothing_wrong(self, world):
        ran = world.invoke("changelog.check")
        assert (ran.code, ran.out) == (0, "CHANGELOG.md: 2 sections, no problems\n")

    def test_check_names_every_problem_with_its_line(self, world):
        world.replace("CHANGELOG.md", "## [0.1.0] - 2026-01-01\n\n### Added", "## [0.1.0] - soon\n\n### Addded")
        ran = world.invoke("changelog.check")
        assert ran.code == 2
        assert "- line 8: [0.1.0] has the invalid date 'soon'" in ran.words
        assert "- line 10: '### Addded' is not a group of changes" in ran.words

    @pytest.mark.parametrize(("version", "which"), [("0.1.0", "first"), ("0.2.0-rc.1", "second")])
    def test_notes_prints_a_section_word_for_word(self, world, version, which):
        ran = world.invoke("changelog.notes", "--version", version)
        assert ran.code == 0
        assert ran.out.startswith(f"### Added\n- Everything that the {which} version ha")
        assert ran.out.count("###") == 1

    def test_notes_of_no_section_are_refused(self, world):
        ran = world.invoke("changelog.notes", "--version", "0.2.0")
        assert ran.code == 2
        assert "CHANGELOG.md has no section for 0.2.0 -> Move the entries of [Unreleased] to '## [0.2.0]'." in ran.words

    def test_rotate_adds_a_heading_and_updates_the_links(self, world, unchanged):
        with unchanged(world):
            dry = world.invoke("-R", "changelog.rotate", "--version", "0.2.0")
        assert (dry.code, dry.out) == (0, "[Unreleased] -> [0.2.0] in CHANGELOG.md (not written)\n")
        days = {dt.datetime.now(dt.timezone.utc).date()}
        assert world.invoke("changelog.rotate", "--version", "0.2.0").code == 0
        days.add(dt.datetime.now(dt.timezone.utc).date())
        added = [line for line in world.git("diff", "--unified=0").splitlines() if re.match(r"[+-][^+-]", line)]
        assert added[0] in {f"+## [0.2.0] - {day.isoformat()}" for day in days}
        assert added[1:] == [
            "-[unreleased]: https://example.invalid/tiny-tool/compare/v0.1.0...HEAD",
            "+[unreleased]: https://example.invalid/tiny-tool/compare/v0.2.0...HEAD",
            "+[0.2.0]: https://example.invalid/tiny-tool/compare/v0.1.0...v0.2.0",
        ]
        assert world.invoke("changelog.check").code == 0
        again = world.invoke("changelog.rotate", "--version", "0.2.0")
        assert again.code == 2
        assert "CHANGELOG.md already has a section for 0.2.0, on line 5" in again.words


class TestBuild:
    def test_two_clones_build_the_same_bytes_with_their_checksums_and_bill_of_materials(self, world):
        other = world.root / "somewhere" / "else"
        other.parent.mkdir()
        world.git("clone", "--quiet", world.origin, other)
        outputs = [world.invoke("build"), world.invoke("build", "--out", world.root / "out", cwd=other)]
        assert [ran.code for ran in outputs] == [0, 0], outputs
        sums, theirs = (
            {name.rpartition("/")[2]: digest for digest, name in SHA256.findall(ran.out)} for ran in outputs
        )
        wheel, bill = "tiny_tool-0.1.0-py3-none-any.whl", "tiny_tool-0.1.0.cdx.json"
        assert sums.keys() == {wheel, bill, "tiny_tool-0.1.0.tar.gz", "SHA256SUMS"}
        assert sums == theirs

        dist = world.checkout / "dist"
        assert {path.name for path in dist.iterdir()} == sums.keys()
        checked = subprocess.run(
            ["sha256sum", "-c", "SHA256SUMS"], cwd=dist, capture_output=True, text=True, check=True
        )
        assert checked.stdout.count(": OK") == 3
        component = json.loads((dist / bill).read_text())["metadata"]["component"]
        assert component["purl"] == "pkg:pypi/tiny-tool@0.1.0"
        assert component["hashes"] == [{"alg": "SHA-256", "content": sums[wheel]}]
        assert world.git("status", "--porcelain") == ""

    def test_it_says_that_uncommitted_changes_are_built_too_and_refuses_a_wrong_file(self, world):
        world.write("src/tiny_tool/key.pem", "a secret")
        ran = world.invoke("build")
        assert ran.code == 1
        assert "The checkout has 1 uncommitted changes; they are built too." in ran.out
        assert "tiny_tool-0.1.0-py3-none-any.whl contains tiny_tool/key.pem" in ran.words
        assert not (world.checkout / "dist").exists()


class TestCheck:
    def test_it_runs_every_session_and_names_those_that_fail(self, world):
        world.replace("pyproject.toml", "sessions = []", 'sessions = ["linger"]')
        assert world.invoke("check").code == 0
        world.replace("pyproject.toml", 'sessions = ["linger"]', 'sessions = ["linger"]\nchecks = ["refuse"]')
        ran = world.invoke("check")
        assert ran.code == 1
        assert "error: Checks failed: refuse -> Fix the failures" in ran.words

    def test_without_a_session_there_is_nothing_to_check(self, world):
        ran = world.invoke("check")
        assert ran.code == 2
        assert "No session is configured" in ran.words


class TestPublish:
    def test_files_of_a_directory_go_to_either_index_once(self, world, released):
        dist = released.world.store / "dist"
        for task, name in (("publish.testpypi", "testpypi"), ("publish.pypi", "pypi")):
            index = world.stand_in(name)
            ran = world.invoke(task, "--version", "0.2.0", "--dist", dist)
            assert ran.code == 0, ran.text
            assert sorted(index.uploads()) == FILES
        assert world.invoke("publish.pypi", "--version", "0.2.0", "--dist", dist).code == 0
        assert sorted(world.pypi.uploads()) == FILES
        assert world.made() == []

    def test_files_of_the_forges_release_go_to_the_index(self, world, released):
        world.stand_in("pypi")
        world.replace("pyproject.toml", world.forge.url, released.world.forge.url)
        ran = world.invoke("publish.pypi", "--version", "0.2.0", "--from-release")
        assert ran.code == 0, ran.text
        assert sorted(world.pypi.uploads()) == FILES
        same = (world.pypi.world / "uploads.log", released.world.pypi.world / "uploads.log")
        assert len({frozenset(path.read_text().splitlines()) for path in same}) == 1

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--version", "0.2.0"], "tiny-tool 0.2.0 has not been built yet. -> Build it first:"),
            (["--version", "0.2.0", "--dist", "src"], "src has no SHA256SUMS -> Build the files with `invoke build`"),
            (["--version", "0.2.0", "--from-release"], "The forge has no release v0.2.0 -> Publish it first"),
        ],
    )
    def test_what_is_not_there_is_not_published(self, world, unchanged, words, says):
        with unchanged(world):
            ran = world.invoke("publish.pypi", *words)
        assert ran.code == 2
        assert says in ran.words

    def test_files_of_another_version_or_other_bytes_are_not_published(self, world, released):
        dist = world.checkout / "dist"
        shutil.copytree(released.world.store / "dist", dist)
        ran = world.invoke("publish.pypi", "--version", "0.3.0", "--dist", "dist")
        assert ran.code == 2
        assert "is not version 0.3.0 -> Give the directory with that version's files." in ran.words
        with (dist / FILES[0]).open("ab") as wheel:
            wheel.write(b"more")
        ran = world.invoke("publish.pypi", "--version", "0.2.0", "--dist", "dist")
        assert ran.code == 3
        assert f"{FILES[0]} was changed after it was built" in ran.words
        assert world.pypi.uploads() == []


class TestTag:
    def test_it_is_refused_before_the_release_commit_is_made(self, world, unchanged):
        with unchanged(world):
            ran = world.invoke("tag", "--version", "0.2.0", "--yes")
        assert ran.code == 2
        assert (
            "These steps must be done first: open_worktree, bump_versions, rotate_changelog, commit_release"
            in ran.words
        )
        assert "-> Run `invoke release --version 0.2.0`, which runs everything in order." in ran.words


class TestHelp:
    @pytest.mark.parametrize("task", sorted(namespace.task_names))
    def test_every_option_of_every_task_is_explained(self, world, task):
        ran = world.invoke("--help", task)
        assert ran.code == 0
        assert namespace[task].__doc__.partition(".")[0].split("\n")[0] in ran.out
        for argument in namespace[task].get_arguments():
            option = argument.name.replace("_", "-")
            assert argument.help, f"--{option} has no help"
            assert re.search(rf"--{option}\b", ran.out)
            assert " ".join(argument.help.split()) in ran.words

    @pytest.mark.parametrize("task", ["release", "rehearse", "version.explain"])
    def test_help_may_come_last(self, world, task):
        ran = world.invoke(task, "--help")
        assert ran.code == 0
        assert ran.out.startswith("Usage: ")
