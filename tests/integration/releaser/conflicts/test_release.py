"""A release to its good end, asked about, taken back as far as that goes, and yanked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

FILES = ["tiny_tool-0.2.0-py3-none-any.whl", "tiny_tool-0.2.0.tar.gz"]


class TestReleased:
    def test_both_indexes_have_each_file_once(self, released):
        assert sorted(released.world.testpypi.uploads()) == FILES
        assert sorted(released.world.pypi.uploads()) == FILES

    def test_the_forge_has_one_published_release_with_every_file(self, released):
        (release,) = released.world.forge.releases()
        assert (release["tag_name"], release["draft"], release["prerelease"]) == ("v0.2.0", False, False)
        assert {asset["name"] for asset in release["assets"]} == {*FILES, "tiny_tool-0.2.0.cdx.json", "SHA256SUMS"}
        assert "### Added\n- Everything that the second version has" in release["body"]

    def test_branch_and_annotated_tag_are_at_the_remote_and_here(self, released):
        world = released.world
        head = world.git("rev-parse", "HEAD")
        assert world.git("cat-file", "-t", "v0.2.0", cwd=world.origin) == "tag"
        assert world.git("rev-parse", "main", "v0.2.0^{commit}", cwd=world.origin).split() == [head, head]
        assert world.git("show", "--no-patch", "--format=%s") == "chore: bump version to 0.2.0"
        assert world.git("status", "--porcelain") == ""

    def test_it_ends_with_its_report(self, released):
        report = (released.world.store / "report.md").read_text()
        assert report in released.ran.out
        assert report.startswith("# tiny-tool 0.2.0\n")

    def test_its_report_has_one_line_for_all_that_one_reason_skips(self, released):
        lines = (released.world.store / "report.md").read_text().splitlines()
        steps = "log_in_for_images, build_images, start_images, push_images, verify_images"
        assert [line for line in lines if "_images" in line] == [f"- {steps}: the project has no images"]

    def test_status_says_that_all_is_done(self, released):
        with nothing_moves(released.world):
            ran = released.world.invoke("status", "--version", "0.2.0")
        assert ran.code == 0
        steps = [line.split()[:2] for line in ran.out.splitlines() if line.startswith("  ")]
        assert {mark for mark, _ in steps} == {"done", "skipped"}
        skipped = [step for mark, step in steps if mark == "skipped" and not step.endswith("_images")]
        assert skipped == ["upgrade_from_pypi", "close_milestone"]
        assert f"0 of {len(steps)} steps to do; nothing was changed." in ran.out

    def test_releasing_again_uploads_nothing_again(self, released):
        with nothing_moves(released.world):
            assert released.world.release().code == 0

    def test_a_rollback_stops_at_pypi_and_says_which_way_is_forward(self, released):
        with nothing_moves(released.world):
            ran = released.world.invoke("rollback", "--version", "0.2.0")
        assert ran.code == 1
        assert "upload_pypi: pypi serves 0.2.0 for good: it can be yanked, not replaced." in ran.words
        assert "`invoke yank --version 0.2.0 --reason" in ran.words
        assert "release 0.2.1." in ran.words

    def test_a_yank_is_watched_until_the_index_shows_it_and_so_is_its_end(self, released):
        world, reason = released.world, "Burns toast, use 0.2.1 instead"
        page = f"{world.pypi.url}/manage/project/tiny-tool/release/0.2.0/"
        for action, words, said in (
            ("yank", ["--reason", reason], "yanked. It still installs with ==0.2.0."),
            ("unyank", ["--undo"], "un-yanked."),
        ):
            watching = world.start("yank", "--version", "0.2.0", *words)
            shown = ""
            while "Waiting until" not in shown:
                line = watching.stdout.readline()
                assert line, shown + watching.stderr.read()
                shown += line
            assert page in shown
            assert (reason in shown) == (action == "yank")
            assert watching.poll() is None
            world.pypi.manage("0.2.0", action=action, reason=reason)
            ran = world.finish(watching)
            assert (ran.code, ran.out, ran.err) == (0, f"The index shows tiny-tool 0.2.0 as {said}\n", "")

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["--version", "0.2.0"], "A yank needs a reason: users read it."),
            (["--version", "0.3.0", "--reason", "x"], "The index has no tiny-tool 0.3.0."),
        ],
    )
    def test_a_yank_without_a_reason_or_a_release_is_refused(self, released, words, says):
        ran = released.world.invoke("yank", *words)
        assert ran.code == 2
        assert says in ran.words


class TestTakenBack:
    def test_what_failed_in_qualify_is_taken_back_whole_and_the_next_release_starts_fresh(self, world):
        world.configure("sessions = []", 'sessions = ["refuse"]')
        before = world.seen()
        failed = world.release()
        assert failed.code == 1, failed.text
        assert "pass_refuse: Session refuse failed with exit status 1." in failed.words
        assert "this project is not good enough" in failed.words
        assert world.public() == {name: before[name] for name in world.public()}
        assert "refs/releaser/v0.2.0" in world.git("for-each-ref")
        first = sum256(world)

        back = world.invoke("rollback", "--version", "0.2.0")
        assert back.code == 0, back.text
        assert "and what was built from it are forgotten here" in back.out
        assert "Taken back as far as it had come." in back.out
        assert world.seen() == before
        assert world.made() == []
        assert "There was nothing of 0.2.0 to take back." in world.invoke("rollback", "--version", "0.2.0").out

        world.configure('sessions = ["refuse"]', "sessions = []")
        again = world.invoke("release", "--version", "0.2.0")
        assert again.code == 4, again.text
        assert world.git("rev-parse", "refs/releaser/v0.2.0^") == world.git("rev-parse", "HEAD")
        assert sum256(world) != first

        pushed = world.invoke("tag", "--version", "0.2.0", "--yes")
        assert pushed.code == 0, pushed.text
        assert world.git("cat-file", "-t", "v0.2.0", cwd=world.origin) == "tag"
        assert world.git("rev-parse", "main", cwd=world.origin) == world.git("rev-parse", "refs/releaser/v0.2.0")

        untagged = world.invoke("rollback", "--version", "0.2.0")
        assert untagged.code == 0, untagged.text
        assert "push_tag: v0.2.0 is deleted at origin; the bump stays in main" in untagged.out
        assert world.git("tag", "--list", "v0.2.0") + world.git("tag", "--list", "v0.2.0", cwd=world.origin) == ""
        assert world.made() == []


@contextmanager
def nothing_moves(world) -> Iterator[None]:
    """A block in which nothing changes in public or in the checkout."""
    before = world.seen()
    yield
    assert world.seen() == before


def sum256(world) -> str:
    """The sdist's checksum."""
    return next(line for line in (world.store / "dist" / "SHA256SUMS").read_text().splitlines() if "tar.gz" in line)
