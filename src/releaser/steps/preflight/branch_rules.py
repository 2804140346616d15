"""Preflight: the forge's rules let the release commit and its tag be pushed, as far as the forge tells them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from releaser.adapters.forge.records import Rule
from releaser.adapters.git.job import BOT
from releaser.core.step import Conflict, Done, Outcome, Skipped, Step, Warned
from releaser.release import Release

# What no direct push can fulfil, in the words of GitHub's own refusals.
_REFUSE: Mapping[str, str] = {
    "pull_request": "changes must be made through a pull request",
    "merge_queue": "changes must be made through the merge queue",
    "update": "updates are restricted",
    "required_status_checks": "status checks must have passed",
    "required_deployments": "deployments must have succeeded",
    "workflows": "workflows must have passed",
    "code_scanning": "code scanning must have passed",
    "code_quality": "code quality must have passed",
}
_HARMLESS = {"deletion", "non_fast_forward", "required_linear_history", "creation", "copilot_code_review"}
_HARMLESS_FOR_TAGS = {"deletion", "non_fast_forward", "required_linear_history", "update"}


@dataclass
class _Verdict:
    """What rules say of a push, in words.

    Attributes:
        refuses: What refuses it.
        perhaps: What refuses it unless the pusher is an app that is let through, which is not told.
        unproven: What cannot be told.
    """

    refuses: list[str] = field(default_factory=list)
    perhaps: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)


class FollowRules(Step[Release]):
    """Branch and tag may be pushed, by whom pushes them: this login, or with `run = "ci"` the workflow's own token.

    What the forge does not tell is listed as unproven.
    """

    name = "follow_rules"
    title = "Branch and tag rules allow the push"

    def check(self, release: Release) -> Outcome:
        """Ask for rulesets and for the older protection; once the tag is out, no rule concerns it any more."""
        config = release.config
        if release.credentials.token(config.forge.token_env) is None:
            return Skipped("no token for the forge")
        branch, by_ci = config.git.branch, config.run == "ci"
        of_branch, of_tag = _of_branch(release, branch), _of_tag(release)
        if (of_branch.refuses or of_branch.perhaps) and self._branch_has_commit(release):
            of_branch = _Verdict(unproven=["only the tag is pushed"])
        refuses, perhaps = [*of_branch.refuses, *of_tag.refuses], [*of_branch.perhaps, *of_tag.perhaps]
        if (refuses or perhaps) and release.git.remote_tag(config.git.remote, release.tag):
            return Done(f"{release.tag} is pushed already")
        if refuses:
            what = f"{branch} does not take a push" if of_branch.refuses else f"the tag {release.tag} may not be pushed"
            return Conflict(
                f"{what}{' by the workflow' if by_ci else ''}: {'; '.join(refuses)}",
                _way_out(release, of_branch.refuses),
            )
        if perhaps:
            return Warned(
                f"a push by the workflow is refused unless an app is let through, which GitHub tells administrators "
                f"only: {'; '.join(perhaps)}",
                f"{_way_out(release, of_branch.perhaps)} If {config.release_workflow} pushes as an app instead, let "
                "that app bypass the ruleset.",
            )
        left = "; ".join([*of_branch.unproven, *of_tag.unproven])
        return Done(left or f"nothing refuses {branch} and {release.tag}")

    def _branch_has_commit(self, release: Release) -> bool:
        commit, config = release.commit(), release.config.git
        there = release.git.remote_branch(config.remote, config.branch) if commit else None
        return bool(commit and there and release.git.commit(there) and release.git.contains(there, commit))


def _way_out(release: Release, of_branch: list[str]) -> str:
    """Return what to do about rules that refuse a push.

    GitHub takes no workflow's own token (`github.token`) as an exception to a ruleset: HTTP 422, "Actor GitHub Actions
    integration must be part of the ruleset source or owner organization".
    """
    if release.config.run == "ci":
        rule = "take the rule away, which a workflow's own token cannot bypass"
        if of_branch:
            return f'{by_pull_request(release)} Or {rule}; or release from here, with run = "here".'
        return f'{rule[:1].upper()}{rule[1:]}, or release from here, with run = "here".'
    if of_branch:
        return f"{by_pull_request(release)} Or let this login bypass the rule."
    return "Let this login bypass the ruleset, or release with one that may."


def by_pull_request(release: Release) -> str:
    """Return how the release commit gets into a branch that takes only pull requests, at no cost."""
    rotate = "" if release.version.is_prerelease else f", `invoke changelog.rotate --version {release.version}`"
    return (
        f"Make the release commit by a pull request: on a branch, run `invoke version.bump --to {release.version}`"
        f"{rotate}, commit, and merge it. Then rerun the command on {release.config.git.branch}: a commit that "
        "declares the version is released as it is, and only the tag is pushed."
    )


def _of_branch(release: Release, branch: str) -> _Verdict:
    rules = release.forge.rules.of_branch(branch)
    protection = release.forge.rules.protection(branch, by_app=release.config.run == "ci")
    found = _sorted_out(release, rules or (), _HARMLESS, _REFUSE)
    if rules is None or protection is None:
        found.unproven.append(f"the forge does not tell the rules of {branch}: they are unproven")
    elif protection.protected:
        found.refuses = list(dict.fromkeys([*found.refuses, *protection.refuses]))
        if not protection.whole and not protection.refuses:
            found.unproven.append(f"{branch} is protected; whether it takes this push is unproven")
    return found


def _of_tag(release: Release) -> _Verdict:
    rules = release.forge.rules.of_tag(release.tag)
    if rules is None:
        return _Verdict(unproven=["the forge does not tell the rules of tags: they are unproven"])
    return _sorted_out(release, rules, _HARMLESS_FOR_TAGS, {**_REFUSE, "creation": "creations are restricted"})


def _sorted_out(release: Release, rules: Iterable[Rule], harmless: set[str], refuse: Mapping[str, str]) -> _Verdict:
    found, by_ci = _Verdict(), release.config.run == "ci"
    for rule in rules:
        if rule.type in harmless or (rule.may_bypass and not by_ci):
            continue
        wrong = refuse.get(rule.type)
        if rule.type == "required_signatures":
            wrong = _unsigned(release)
            if wrong is None:
                found.unproven.append("whether the signature is a verified one is unproven")
        elif wrong is None and rule.type in (known := _texts(release)):
            if not _fits(rule.parameters, known[rule.type]):
                wrong = f"{rule.type}: {known[rule.type]!r} does not fit {rule.parameters.get('pattern')!r}"
        elif wrong is None:
            found.unproven.append(f"whether the rule {rule.type} lets this through is unproven")
        if wrong and by_ci and rule.lets_apps:
            found.unproven.append(f"whether the workflow pushes as an app that is let through is unproven ({wrong})")
        elif wrong:
            (found.perhaps if by_ci and rule.lets_apps is None else found.refuses).append(wrong)
    return _Verdict(*(list(dict.fromkeys(one)) for one in (found.refuses, found.perhaps, found.unproven)))


def _unsigned(release: Release) -> str | None:
    """Return what is wrong with the release commit's signature; None if it has one."""
    if release.config.run == "ci":
        return "commits must have verified signatures, and a workflow does not sign them"
    if "commits" not in release.git_settings.signed():
        return "commits must have verified signatures, and git does not sign them (commit.gpgSign)"
    return None


def _texts(release: Release) -> dict[str, str]:
    """Return what the rules about metadata look at, by their types."""
    config, settings = release.config.git, release.git_settings
    author, committer = (re.sub(r".*<(.*)>.*", r"\1", settings.identity(who) or "") for who in ("author", "committer"))
    if release.config.run == "ci":
        author = committer = str(BOT["GIT_AUTHOR_EMAIL"])
    return {
        "branch_name_pattern": config.branch,
        "tag_name_pattern": release.tag,
        "commit_message_pattern": config.commit_message.format(version=release.version),
        "commit_author_email_pattern": author,
        "committer_email_pattern": committer,
    }


def _fits(parameters: Mapping[str, Any], text: str) -> bool:
    pattern = str(parameters.get("pattern", ""))
    match parameters.get("operator"):
        case "starts_with":
            fits = text.startswith(pattern)
        case "ends_with":
            fits = text.endswith(pattern)
        case "contains":
            fits = pattern in text
        case _:
            try:
                fits = re.search(pattern, text) is not None
            except re.error:  # RE2 knows forms that Python does not
                return True
    return fits is not bool(parameters.get("negate", False))
