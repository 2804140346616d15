"""`invoke rollback`: what it shows, what it asks, what it takes back in which order, and what it never guesses."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from harness.coming_back import make_immutable
from harness.scene import Scene, assert_says
from harness.wheels import other_wheel

from releaser import engine
from releaser.core.activity import Activity
from releaser.core.step import Done, Step, Todo, part_of
from releaser.plan import release_plan
from releaser.release import Release
from releaser.steps.publish.draft_release import DraftRelease
from releaser.steps.publish.publish_release import PublishRelease
from releaser.steps.publish.upload_assets import UploadAssets
from releaser.steps.publish.upload_dists import UploadDists
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag
from releaser.steps.rollback.published import WarnOnRelease
from releaser.steps.verify.verify_release import VerifyRelease

BACK = ("rollback", "--version", "0.2.0")
WHEEL = "tiny_thing-0.2.0-py3-none-any.whl"


def make(release: Release, *steps: Step[Release]) -> Release:
    """Run steps."""
    for step in steps:
        step.run(release)
    return release


@pytest.fixture
def pushed(scene: Scene) -> Scene:
    """0.2.0 has its commit, its files and its tag, and its release is published; PyPI has nothing."""
    make(scene.with_dists(), CreateTag(), PushTag(), DraftRelease(), UploadAssets(), PublishRelease())
    return scene


def configure(scene: Scene, old: str, new: str) -> None:
    """Change pyproject.toml in the checkout alone: the release commit is at the remote already."""
    scene.project.replace("pyproject.toml", old, new)


class TestLag:
    """PyPI shows late what it took; nothing may be deleted meanwhile."""

    def test_what_pypi_took_and_does_not_show_is_found_at_its_own_address(self, pushed: Scene) -> None:
        pushed.pypi.accept(other_wheel(pushed.others, "0.1.0"), "tiny-thing", "0.1.0")
        pushed.pypi.late(0)
        release = pushed.release()
        UploadDists("pypi").run(release)
        # The project's page is an hour old; the files of 0.2.0 show in no list.
        document = pushed.pypi.folder / "index.json"
        held = json.loads(document.read_text())
        held["projects"]["tiny-thing"]["created"] = "2026-01-01T00:00:00Z"
        for file in held["projects"]["tiny-thing"]["releases"]["0.1.0"]["files"].values():
            file["uploaded"] = "2026-01-01T00:00:00Z"
        document.write_text(json.dumps(held))
        pushed.pypi.late(3600)
        assert release.pypi.files("tiny-thing", release.version) == {}

        refs = pushed.at_origin("for-each-ref")
        ran = pushed.run(*BACK, "--yes")
        assert ran.code == 7, ran.text
        assert_says(ran.out, f"pypi serves {WHEEL}", "the files' own addresses")
        assert_says(ran.err, "Not all of 0.2.0 is taken back", "invoke yank --version 0.2.0", "release --version 0.2.1")
        assert pushed.at_origin("for-each-ref") == refs
        (one,) = pushed.forge.releases()
        assert one["body"].startswith("> [!WARNING]")
        assert pushed.release().dists() is not None

    def test_what_pypi_accepted_and_nothing_shows_is_waited_for_and_then_not_guessed(self, pushed: Scene) -> None:
        configure(pushed, "timeout = 30", "timeout = 1")
        pushed.pypi.late(3600)
        UploadDists("pypi").run(pushed.release())
        refs, releases = pushed.at_origin("for-each-ref"), pushed.forge.releases()
        ran = pushed.run(*BACK, "--yes")
        assert ran.code == 3, ran.text
        assert_says(ran.err, f"pypi accepted {WHEEL} and does not show it yet", "cannot be told", "--absent")
        assert (pushed.at_origin("for-each-ref"), pushed.forge.releases()) == (refs, releases)
        assert pushed.release().dists() is not None

    def test_what_shows_while_it_waits_ends_it_before_anything_is_deleted(self, pushed: Scene) -> None:
        pushed.pypi.late(3600)
        UploadDists("pypi").run(pushed.release())
        refs, releases = pushed.at_origin("for-each-ref"), pushed.forge.releases()
        pushed.patch.setattr(Activity, "sleep", lambda *_: pushed.pypi.late(0))
        ran = pushed.run(*BACK, "--yes")
        assert ran.code == 3, ran.text
        assert_says(ran.err, "it arrived after all; nothing was taken back", "Run `invoke rollback --version 0.2.0`")
        assert (pushed.at_origin("for-each-ref"), pushed.forge.releases()) == (refs, releases)

    def test_an_upload_that_pypi_refused_is_in_nobodys_way(self, pushed: Scene) -> None:
        pushed.set(PYPI_TOKEN="wrong")
        with pytest.raises(Exception, match="403"):
            UploadDists("pypi").run(pushed.release())
        ran = pushed.run(*BACK, "--yes")
        assert ran.code == 7, ran.text
        assert pushed.at_origin("tag", "--list") == ""


class TestPlan:
    def test_a_dry_run_shows_it_and_changes_nothing(self, pushed: Scene) -> None:
        with pushed.unchanged():
            ran = pushed.run("-R", *BACK)
        assert ran.code == 0, ran.text
        assert_says(ran.out, "to do delete_tag", "to do delete_release", "STAYS revert_bump", "to do discard_state")

    def test_without_a_terminal_and_without_yes_it_changes_nothing(self, pushed: Scene) -> None:
        pushed.refuses(*BACK, code=4, says=["Taking back what is public needs confirmation", "--yes"])

    def test_what_is_taken_back_and_what_stays_is_told_recorded_and_told_again(self, pushed: Scene) -> None:
        ran = pushed.run(*BACK, "--yes")
        assert ran.code == 7, ran.text
        assert_says(ran.out, "Taken back: delete_tag: delete v0.2.0", "Stays: revert_bump: origin/main keeps the bump")
        lines = [json.loads(line) for line in (pushed.store / "journal.jsonl").read_text().splitlines()]
        done = [one["step"] for one in lines if one["event"] == "finished" and one["outcome"] == "done"]
        assert done[-3:] == ["delete_tag", "delete_release", "discard_state"]
        assert pushed.at_origin("tag", "--list") + pushed.git("tag", "--list") == ""
        assert pushed.forge.releases() == []
        # Asked again, nothing is left but what stays.
        again = pushed.run(*BACK)
        assert again.code == 7, again.text
        assert_says(again.err, "nothing else was there; these stay: revert_bump")

    def test_a_remote_that_refuses_to_delete_the_tag_leaves_the_release_and_what_remains_is_told(
        self, pushed: Scene
    ) -> None:
        hook = pushed.origin / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho tags are for good >&2\nexit 1\n")
        hook.chmod(0o755)
        before = pushed.public()
        ran = pushed.run(*BACK, "--yes")
        assert ran.code == 1, ran.text
        assert_says(ran.err, "tags are for good", "The tag and the release v0.2.0 are as they were")
        assert_says(ran.out, "Not reached: delete_tag:", "delete_release:")
        assert pushed.public() == before
        hook.unlink()
        again = pushed.run(*BACK, "--yes")
        assert again.code == 7, again.text
        assert pushed.forge.releases() == []


class TestPublished:
    """PyPI serves it: users are led elsewhere."""

    @pytest.fixture
    def served(self, pushed: Scene) -> Scene:
        """0.2.0 is released, after 0.1.0."""
        pushed.git("tag", "--annotate", "v0.1.0", f"{pushed.at_origin('rev-parse', 'main')}^", "--message", "Before")
        pushed.git("push", "--quiet", "origin", "v0.1.0")
        release = pushed.release()
        before = release.forge.create_draft("v0.1.0", "main", "v0.1.0", "The first", False)
        release.forge.publish_release(before.id, make_latest=False, discussion_category=None)
        UploadDists("pypi").run(release)
        return pushed

    def test_the_version_before_is_the_latest_again_and_stays_it_when_the_same_is_released_again(
        self, served: Scene
    ) -> None:
        forge = served.release().forge
        assert forge.latest_release() == "v0.2.0"
        ran = served.run(*BACK, "--yes")
        assert ran.code == 7, ran.text
        assert_says(ran.out, "Taken back:", "warn_on_release: put a warning on", "latest_back: make v0.1.0 the latest")
        assert forge.latest_release() == "v0.1.0"
        for step in (PublishRelease(), DraftRelease(), UploadAssets()):
            assert isinstance(served.check(step), Done), step.name
        VerifyRelease().run(served.release())
        assert isinstance(served.check(VerifyRelease()), Done)
        assert forge.latest_release() == "v0.1.0"

    def test_notes_that_a_person_keeps_stay_theirs_under_the_warning(self, served: Scene) -> None:
        release = served.release()
        found = release.forge.find_release("v0.2.0")
        assert found
        release.forge.update_release(found.id, body="Nothing much\r\n")
        DraftRelease().run(replace(release, choices={"draft_release": "theirs"}))
        assert served.run(*BACK, "--yes").code == 7
        marked = release.forge.find_release("v0.2.0")
        assert marked
        assert "Withdrawn:" in marked.body
        assert "Nothing much" in marked.body
        assert isinstance(served.check(DraftRelease()), Done)
        # As a browser saves it: line ends of another kind, and still one warning.
        release.forge.update_release(found.id, body=marked.body.replace("\n", "\r\n"))
        assert isinstance(served.check(WarnOnRelease()), Done)


def test_a_version_that_was_taken_back_is_released_again(pushed: Scene) -> None:
    before = pushed.forge.releases()
    assert pushed.run(*BACK, "--yes").code == 7
    pushed.git("pull", "--quiet", "origin", "main")
    again = pushed.with_dists()
    plan = part_of(
        release_plan(again.config), "push", "draft_release", "upload_assets", "publish_release", "upload_pypi"
    )
    engine.carry_out(again, plan, skip={}, confirm=engine.say_yes)
    (made,) = pushed.forge.releases()
    assert (made["tag_name"], made["draft"], made["body"]) == ("v0.2.0", False, before[0]["body"])
    assert sorted(pushed.pypi.uploads()) == sorted(path.name for path in again.built().uploads)
    assert pushed.at_origin("rev-parse", "v0.2.0^{commit}") == again.commit()


class TestImmutable:
    """GitHub keeps the tag of an immutable release as long as that exists, and its name for good."""

    @pytest.fixture
    def immutable(self, scene: Scene) -> Scene:
        """0.2.0 is published and immutable; the remote keeps its tag as GitHub does."""
        make_immutable(scene)
        make(scene.with_dists(), CreateTag(), PushTag(), DraftRelease(), UploadAssets(), PublishRelease())
        return scene

    def test_it_goes_before_its_tag_and_the_name_that_is_used_up_stays_and_is_not_released_again(
        self, immutable: Scene
    ) -> None:
        with immutable.unchanged():
            planned = immutable.run("-R", *BACK)
        assert_says(planned.out, "to do delete_immutable", "before its tag; v0.2.0 can never be used again")
        ran = immutable.run(*BACK, "--yes", "--revert")
        assert ran.code == 7, ran.text
        assert_says(ran.out, "Stays: delete_immutable: the name v0.2.0", "Release 0.2.1 next")
        assert_says(ran.out, "delete_release: delete the published release")
        assert "Not reached" not in ran.out
        assert immutable.at_origin("tag", "--list") == ""
        assert immutable.forge.releases() == []
        again = immutable.run(*BACK)
        assert again.code == 7, again.text
        assert_says(again.err, "nothing else was there; these stay: delete_immutable")
        immutable.refused(DraftRelease(), "an immutable release of v0.2.0 was deleted", remedy="Release 0.2.1 instead.")

    def test_a_rule_that_keeps_the_tag_keeps_the_release_too(self, immutable: Scene) -> None:
        rule = {"id": 1, "name": "Keep", "target": "tag", "enforcement": "active", "rules": [{"type": "deletion"}]}
        kept = {"immutable_releases": True, "rulesets": [{**rule, "conditions": {"ref_name": {"include": ["~ALL"]}}}]}
        (immutable.forge.folder / "settings.json").write_text(json.dumps(kept))
        immutable.refuses(*BACK, "--yes", code=3, says=["the immutable release of v0.2.0 stays: a rule of"])

    def test_doctor_and_the_plan_say_what_it_means_before(self, scene: Scene) -> None:
        (scene.forge.folder / "settings.json").write_text('{"immutable_releases": true}')
        scene.project.configure("[tool.releaser.forge]\n", "[tool.releaser.forge]\nattach-report = true\n")
        said = scene.run("doctor")
        assert_says(said.out, "so 0.1.1 can be published once", "only the last hash will be in the notes")
        assert scene.check(PublishRelease()) == Todo("publish it; v0.2.0 is immutable from then on")


class TestRevert:
    def test_the_bump_is_reverted_by_a_pushed_commit_and_the_next_release_has_its_entries(self, pushed: Scene) -> None:
        bump = pushed.at_origin("rev-parse", "main")
        ran = pushed.run(*BACK, "--yes", "--revert")
        assert ran.code == 0, ran.text
        assert_says(ran.out, "All of 0.2.0 is taken back.")
        head = pushed.at_origin("rev-parse", "main")
        assert pushed.at_origin("rev-parse", f"{head}^") == bump
        assert pushed.at_origin("diff", "--stat", f"{head}~2", head) == ""
        pushed.git("checkout", "--quiet", "--", ".")
        pushed.git("pull", "--quiet", "origin", "main")
        again = pushed.release("0.2.1")
        assert "### " in again.notes()

    def test_it_can_be_asked_for_later(self, pushed: Scene) -> None:
        assert pushed.run(*BACK, "--yes").code == 7
        ran = pushed.run(*BACK, "--yes", "--revert")
        assert ran.code == 0, ran.text
        assert 'version = "0.1.0"' in pushed.at_origin("show", "main:pyproject.toml")

    def test_a_branch_that_went_on_keeps_its_commits(self, pushed: Scene) -> None:
        moved = pushed.others_push()
        assert pushed.run(*BACK, "--yes", "--revert").code == 0
        assert pushed.at_origin("rev-parse", "main^") == moved


class TestWorkflow:
    """A workflow uploads: publishing the release starts it."""

    @pytest.fixture
    def run_of(self, scene: Scene) -> Callable[..., Scene]:
        """Publish 0.2.0, whose workflow has one run of this status."""

        def publish(status: str, conclusion: str | None = None, branch: str = "v0.2.0") -> Scene:
            scene.project.configure("[tool.releaser.pypi]\n", '[tool.releaser.pypi]\nvia = "ci"\nworkflow = "up.yml"\n')
            run = {"workflow": "up.yml", "status": status, "conclusion": conclusion, "head_branch": branch}
            scene.forge.hold({"workflow_runs": [run]})
            make(scene.with_dists(), CreateTag(), PushTag(), DraftRelease(), UploadAssets(), PublishRelease())
            configure(scene, "timeout = 30", "timeout = 0")
            return scene

        return publish

    @pytest.mark.parametrize("status", ["queued", "waiting", "in_progress"])
    def test_a_run_that_has_not_ended_is_cancelled_first_and_what_it_did_is_not_guessed(
        self, run_of: Callable[..., Scene], status: str
    ) -> None:
        scene = run_of(status)
        refs = scene.at_origin("for-each-ref")
        ran = scene.run(*BACK, "--yes")
        assert_says(ran.out, "stop_workflow", f"({status})")
        assert any("/cancel" in one for one in scene.forge.mutations())
        assert ran.code == 3, ran.text
        assert_says(ran.err, "up.yml ended with cancelled", "cannot be told", "--absent")
        assert scene.at_origin("for-each-ref") == refs
        # A person has looked at the page that shows its owner every file.
        again = scene.run(*BACK, "--yes", "--absent")
        assert again.code == 7, again.text
        assert scene.at_origin("tag", "--list") == ""

    def test_a_run_that_was_started_by_hand_may_be_of_any_version(self, run_of: Callable[..., Scene]) -> None:
        scene = run_of("in_progress", branch="main")
        scene.refuses(*BACK, "--yes", code=3, says=["up.yml is in_progress for main", "Wait until it ends, or cancel"])

    def test_a_release_that_was_published_may_be_about_to_start_one(self, run_of: Callable[..., Scene]) -> None:
        scene = run_of("completed", "success", branch="v0.1.0")
        scene.refuses(*BACK, "--yes", code=3, says=["up.yml may be about to start"])
