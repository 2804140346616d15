"""What the forge lets be pushed is known before anything is public."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from harness.scene import Scene, assert_says

from releaser.core.step import Conflict, Done, Outcome, Skipped, Warned
from releaser.errors import ServiceError
from releaser.rehearsal import remote, rules
from releaser.steps.preflight.branch_rules import FollowRules
from releaser.steps.push.create_tag import CreateTag
from releaser.steps.push.push_tag import PushTag


def ruleset(*kinds: Mapping[str, Any] | str, target: str = "branch", **more: Any) -> dict[str, Any]:
    folder = "heads/main" if target == "branch" else "tags/v*"
    return {
        "id": 7,
        "name": "Rules",
        "target": target,
        "conditions": {"ref_name": {"include": [f"refs/{folder}"], "exclude": []}},
        "rules": [{"type": kind} if isinstance(kind, str) else dict(kind) for kind in kinds],
        **more,
    }


def pattern(kind: str, text: str, operator: str = "regex", *, negate: bool = False) -> dict[str, Any]:
    return {"type": kind, "parameters": {"operator": operator, "pattern": text, "negate": negate}}


def test_without_rules_nothing_refuses(scene: Scene) -> None:
    assert scene.check(FollowRules()) == Done("nothing refuses main and v0.2.0")


def test_without_a_token_the_forge_is_not_asked(scene: Scene) -> None:
    scene.set(GITHUB_TOKEN=None)
    assert scene.check(FollowRules()) == Skipped("no token for the forge")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("pull_request", "changes must be made through a pull request"),
        ("update", "updates are restricted"),
        ("required_status_checks", "status checks must have passed"),
        ("required_signatures", "git does not sign them"),
        (pattern("commit_message_pattern", "^(feat|fix): "), "commit_message_pattern: 'chore: bump version to 0.2.0'"),
        (pattern("commit_author_email_pattern", "@example.com", "ends_with"), "'somebody@localhost' does not fit"),
        (pattern("committer_email_pattern", "localhost", "contains", negate=True), "'somebody@localhost' does not fit"),
    ],
    ids=lambda value: value if isinstance(value, str) else value["type"],
)
def test_a_branch_that_takes_no_push_is_refused_and_the_way_by_a_pull_request_named(
    scene: Scene, kind: Mapping[str, Any] | str, words: str
) -> None:
    scene.forge.hold({"rulesets": [ruleset(kind)]})
    scene.refused(FollowRules(), "main does not take a push", words, remedy="by a pull request: on a branch, run")


@pytest.mark.parametrize(
    "kind",
    [
        "deletion",
        "non_fast_forward",
        "required_linear_history",
        pattern("commit_message_pattern", "chore: ", "starts_with"),
        pattern("commit_message_pattern", "(?P<RE2"),
    ],
)
def test_a_rule_that_lets_it_through_does_not_matter(scene: Scene, kind: Mapping[str, Any] | str) -> None:
    scene.forge.hold({"rulesets": [ruleset(kind)]})
    assert isinstance(scene.check(FollowRules()), Done)


@pytest.mark.parametrize("name", ["~ALL", "~DEFAULT_BRANCH"])
def test_rules_of_every_branch_and_of_the_default_one_hold_too(scene: Scene, name: str) -> None:
    everywhere = ruleset("update", conditions={"ref_name": {"include": [name], "exclude": []}})
    scene.forge.hold({"rulesets": [everywhere]})
    scene.refused(FollowRules(), "updates are restricted", remedy="pull request")
    remote.guard(scene.origin, {}, [everywhere])
    with pytest.raises(ServiceError, match="Cannot update this protected ref"):
        scene.release().git.push("origin", f"{scene.with_release_commit().commit()}:refs/heads/main")


@pytest.mark.parametrize(
    ("include", "exclude"),
    [(["refs/*"], []), (["refs/heads/m?"], []), (["~ALL"], ["refs/heads/main"]), (["refs/heads/m*"], ["refs/**/main"])],
)
def test_rules_whose_patterns_stop_at_a_slash_or_leave_the_branch_out_do_not_concern_it(
    scene: Scene, include: list[str], exclude: list[str]
) -> None:
    elsewhere = ruleset("update", conditions={"ref_name": {"include": include, "exclude": exclude}})
    scene.forge.hold({"rulesets": [elsewhere]})
    assert scene.check(FollowRules()) == Done("nothing refuses main and v0.2.0")
    remote.guard(scene.origin, {}, [elsewhere])
    scene.release().git.push("origin", f"{scene.with_release_commit().commit()}:refs/heads/main")


@pytest.mark.parametrize("include", ["refs/tags/*", "refs/**/v[0-9].?.*", "~ALL"])
def test_rules_of_tags_hold_for_those_that_their_patterns_fit(scene: Scene, include: str) -> None:
    tags = ruleset("creation", target="tag", conditions={"ref_name": {"include": [include], "exclude": []}})
    scene.forge.hold({"rulesets": [tags]})
    scene.refused(FollowRules(), "v0.2.0", remedy="")
    remote.guard(scene.origin, {}, [tags])
    with pytest.raises(ServiceError, match="creations being restricted"):
        scene.release().git.push("origin", f"{scene.with_release_commit().commit()}:refs/tags/v0.2.0")
    tags["conditions"]["ref_name"]["include"] = ["refs/*"]
    scene.forge.hold({"rulesets": [tags]})
    assert scene.check(FollowRules()) == Done("nothing refuses main and v0.2.0")


def test_whom_the_ruleset_lets_through_may_push(scene: Scene) -> None:
    scene.forge.hold({"rulesets": [ruleset("pull_request", bypass="always")]})
    assert scene.check(FollowRules()) == Done("nothing refuses main and v0.2.0")


def test_a_ruleset_that_is_not_in_force_does_not_matter(scene: Scene) -> None:
    scene.forge.hold({"rulesets": [ruleset("pull_request", enforcement="evaluate")]})
    assert scene.check(FollowRules()) == Done("nothing refuses main and v0.2.0")


def test_a_rule_that_nobody_knows_is_unproven(scene: Scene) -> None:
    scene.forge.hold({"rulesets": [ruleset("moon_phase")]})
    assert scene.check(FollowRules()) == Done("whether the rule moon_phase lets this through is unproven")


def test_a_forge_that_does_not_tell_its_rules_leaves_them_unproven(scene: Scene) -> None:
    scene.project.replace("pyproject.toml", 'repository = "someone/tiny-thing"', 'repository = "someone/else"')
    assert scene.check(FollowRules()) == Done(
        "the forge does not tell the rules of main: they are unproven; "
        "the forge does not tell the rules of tags: they are unproven"
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("creation", "creations are restricted"),
        (pattern("tag_name_pattern", "release-", "starts_with"), "tag_name_pattern: 'v0.2.0' does not fit 'release-'"),
    ],
    ids=["creation", "name"],
)
def test_a_tag_that_may_not_be_created_is_refused(scene: Scene, kind: Mapping[str, Any] | str, words: str) -> None:
    scene.forge.hold({"rulesets": [ruleset(kind, target="tag")]})
    scene.refused(FollowRules(), "the tag v0.2.0 may not be pushed", words, remedy="bypass")


class TestOlderProtection:
    def test_checks_that_bind_everyone_refuse(self, scene: Scene) -> None:
        scene.forge.hold({"protected": {"main": {"contexts": ["unit"], "enforcement_level": "everyone"}}})
        scene.refused(FollowRules(), "status checks must have passed: unit", remedy="pull request")

    def test_what_it_does_not_tell_is_unproven(self, scene: Scene) -> None:
        scene.forge.hold({"protected": {"main": {}}})
        assert scene.check(FollowRules()) == Done("main is protected; whether it takes this push is unproven")

    def test_rulesets_do_not_hide_that_it_is_unproven(self, scene: Scene) -> None:
        scene.forge.hold({"rulesets": [ruleset("deletion")], "protected": {"main": {}}})
        assert scene.check(FollowRules()) == Done("main is protected; whether it takes this push is unproven")

    @pytest.mark.parametrize("binds_administrators", [True, False])
    def test_an_administrator_is_told_the_whole(self, scene: Scene, binds_administrators: bool) -> None:
        whole = {"required_pull_request_reviews": {"url": ""}, "enforce_admins": {"enabled": binds_administrators}}
        scene.forge.hold({"protected": {"main": {"whole": whole}}})
        if binds_administrators:
            scene.refused(FollowRules(), "through a pull request", remedy="pull request")
        else:
            assert scene.check(FollowRules()) == Done("nothing refuses main and v0.2.0")


class TestByAWorkflow:
    """With `run = "ci"` the workflow's own token pushes, which no ruleset can name as an exception."""

    APP = ({"actor_id": 3, "actor_type": "Integration", "bypass_mode": "always"},)
    PERSON = ({"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"},)

    def check(self, scene: Scene, *kinds: Mapping[str, Any] | str, target: str = "branch", **more: Any) -> Outcome:
        scene.project.replace("pyproject.toml", "[tool.releaser]\n", '[tool.releaser]\nrun = "ci"\n')
        scene.forge.hold({"rulesets": [ruleset(*kinds, target=target, **more)]})
        return scene.check(FollowRules())

    def test_that_this_login_may_bypass_a_rule_does_not_help(self, scene: Scene) -> None:
        found = self.check(scene, "pull_request", bypass="always", bypass_actors=self.PERSON)
        assert isinstance(found, Conflict)
        assert found.what == "main does not take a push by the workflow: changes must be made through a pull request"
        assert_says(found.remedy, "by a pull request: on a branch, run", "take the rule away, which a workflow's own")

    def test_who_may_bypass_is_told_to_administrators_only_so_others_are_warned(self, scene: Scene) -> None:
        found = self.check(scene, "creation", target="tag", bypass="always")
        assert isinstance(found, Warned)
        assert_says(found.reason, "refused unless an app is let through", "creations are restricted")
        assert_says(found.remedy, "Take the rule away", "If release.yml pushes as an app instead, let")

    def test_an_app_that_is_let_through_may_be_what_pushes(self, scene: Scene) -> None:
        found = self.check(scene, "pull_request", bypass_actors=self.APP)
        assert isinstance(found, Done)
        assert_says(found.evidence, "whether the workflow pushes as an app that is let through is unproven")

    def test_the_commit_is_the_workflow_s_so_it_is_not_signed_and_has_its_address(self, scene: Scene) -> None:
        mail = pattern("committer_email_pattern", "users.noreply.github.com", "ends_with")
        other = pattern("commit_author_email_pattern", "localhost", "ends_with")
        found = self.check(scene, "required_signatures", mail, other, bypass_actors=())
        assert isinstance(found, Conflict)
        assert_says(
            found.what, "a workflow does not sign them", "commit_author_email_pattern: '41898282+github-actions"
        )
        assert "committer" not in found.what

    @pytest.mark.parametrize("apps", [[], [{"slug": "ours"}]])
    def test_what_spares_administrators_does_not_spare_it(self, scene: Scene, apps: list[dict[str, str]]) -> None:
        self.check(scene)
        reviews = {"url": "", "bypass_pull_request_allowances": {"apps": apps}}
        whole = {"required_pull_request_reviews": reviews, "enforce_admins": {"enabled": False}}
        scene.forge.hold({"protected": {"main": {"whole": whole}}})
        assert isinstance(scene.check(FollowRules()), Done if apps else Conflict)
        scene.forge.hold({"protected": {"main": {"contexts": ["unit"]}}})
        assert isinstance(scene.check(FollowRules()), Conflict)


class TestByAPullRequest:
    """The way that the conflict names costs neither a version nor a skipped index."""

    def test_the_merged_commit_is_released_as_it_is_and_only_the_tag_is_pushed(self, scene: Scene) -> None:
        scene.bump_by_hand()
        scene.forge.hold({"rulesets": [rules.protected("main")]})
        remote.guard(scene.origin, {}, [rules.protected("main")])
        assert scene.check(FollowRules()) == Done("only the tag is pushed")

        release = scene.with_release_commit()
        assert release.must_have_commit() == scene.project.head()
        CreateTag().run(release)
        PushTag().run(release)
        assert isinstance(PushTag().verify(release), Done)
        assert scene.check(FollowRules()) == Done("only the tag is pushed")

    def test_the_stand_in_refuses_what_its_forge_lists(self, scene: Scene) -> None:
        remote.guard(scene.origin, {}, [rules.protected("main"), ruleset("creation", target="tag")])
        release = scene.with_release_commit()
        CreateTag().run(release)
        with pytest.raises(ServiceError) as caught:
            PushTag().run(release)
        assert "GH013: Repository rule violations found for refs/heads/main." in caught.value.message
        assert "Changes must be made through a pull request." in caught.value.message
        with pytest.raises(ServiceError, match="creations being restricted"):
            release.git.push("origin", "HEAD:refs/tags/v9")
        release.git.push("origin", "HEAD:refs/heads/other")
