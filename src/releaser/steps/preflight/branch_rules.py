"""Preflight: the forge's rules let the release commit and its tag be pushed, as far as the forge tells them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from releaser.adapters.forge.records import Rule
from releaser.core.step import Conflict, Done, Outcome, Skipped, Step
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


class FollowRules(Step[Release]):
    """Branch and tag may be pushed. What the forge does not tell is listed as unproven."""

    name = "follow_rules"
    title = "Branch and tag rules allow the push"

    def check(self, release: Release) -> Outcome:
        """Ask for rulesets and for the older protection; once the tag is out, no rule concerns it any more."""
        config = release.config
        if release.credentials.token(config.forge.token_env) is None:
            return Skipped("no token for the forge")
        branch = config.git.branch
        refuses, unproven = _of_branch(release, branch)
        tag_refuses, tag_unproven = _of_tag(release)
        if refuses and self._branch_has_commit(release):
            refuses, unproven = [], ["only the tag is pushed"]
        if (refuses or tag_refuses) and release.git.remote_tag(config.git.remote, release.tag):
            return Done(f"{release.tag} is pushed already")
        if refuses:
            return Conflict(
                f"{branch} does not take a push: {'; '.join([*refuses, *tag_refuses])}",
                f"{by_pull_request(release)} Or let this login bypass the rule.",
            )
        if tag_refuses:
            return Conflict(
                f"the tag {release.tag} may not be pushed: {'; '.join(tag_refuses)}",
                "Let this login bypass the ruleset, or release with one that may.",
            )
        left = "; ".join([*unproven, *tag_unproven])
        return Done(left or f"nothing refuses {branch} and {release.tag}")

    def _branch_has_commit(self, release: Release) -> bool:
        commit, config = release.commit(), release.config.git
        there = release.git.remote_branch(config.remote, config.branch) if commit else None
        return bool(commit and there and release.git.commit(there) and release.git.contains(there, commit))


def by_pull_request(release: Release) -> str:
    """Return how the release commit gets into a branch that takes only pull requests, at no cost."""
    rotate = "" if release.version.is_prerelease else f", `invoke changelog.rotate --version {release.version}`"
    return (
        f"Make the release commit by a pull request: on a branch, run `invoke version.bump --to {release.version}`"
        f"{rotate}, commit, and merge it. Then rerun the command on {release.config.git.branch}: a commit that "
        "declares the version is released as it is, and only the tag is pushed."
    )


def _of_branch(release: Release, branch: str) -> tuple[list[str], list[str]]:
    rules, protection = release.forge.rules.of_branch(branch), release.forge.rules.protection(branch)
    refuses, unproven = _sorted_out(release, rules or (), _HARMLESS)
    if rules is None or protection is None:
        unproven.append(f"the forge does not tell the rules of {branch}: they are unproven")
    elif protection.protected:
        refuses += protection.refuses
        if not protection.whole and not protection.refuses:
            unproven.append(f"{branch} is protected; whether it takes this push is unproven")
    return list(dict.fromkeys(refuses)), unproven


def _of_tag(release: Release) -> tuple[list[str], list[str]]:
    rules = release.forge.rules.of_tag(release.tag)
    if rules is None:
        return [], ["the forge does not tell the rules of tags: they are unproven"]
    refuses, unproven = _sorted_out(release, (one for one in rules if one.type != "creation"), _HARMLESS_FOR_TAGS)
    if any(one.type == "creation" and not one.may_bypass for one in rules):
        refuses.append("creations are restricted")
    return refuses, unproven


def _sorted_out(release: Release, rules: Iterable[Rule], harmless: set[str]) -> tuple[list[str], list[str]]:
    refuses, unproven = [], []
    for rule in rules:
        if rule.may_bypass or rule.type in harmless:
            continue
        if rule.type in _REFUSE:
            refuses.append(_REFUSE[rule.type])
        elif rule.type == "required_signatures":
            if "commits" not in release.git_settings.signed():
                refuses.append("commits must have verified signatures, and git does not sign them (commit.gpgSign)")
            else:
                unproven.append("whether the signature is a verified one is unproven")
        elif rule.type in (known := _texts(release)):
            if not _fits(rule.parameters, known[rule.type]):
                refuses.append(f"{rule.type}: {known[rule.type]!r} does not fit {rule.parameters.get('pattern')!r}")
        else:
            unproven.append(f"whether the rule {rule.type} lets this through is unproven")
    return list(dict.fromkeys(refuses)), list(dict.fromkeys(unproven))


def _texts(release: Release) -> dict[str, str]:
    """Return what the rules about metadata look at, by their types."""
    config, settings = release.config.git, release.git_settings
    author, committer = (re.sub(r".*<(.*)>.*", r"\1", settings.identity(who) or "") for who in ("author", "committer"))
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
