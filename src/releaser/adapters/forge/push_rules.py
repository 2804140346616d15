"""What GitHub lets be pushed: rulesets of branches and tags, and the older protection of a branch."""

from __future__ import annotations

from urllib.parse import quote

from releaser.adapters.forge import responses
from releaser.adapters.forge.http import Subject
from releaser.adapters.forge.patterns import concerns
from releaser.adapters.forge.records import Protection, Rule

# Servers that speak GitHub's API in part answer 404; 403 is for what only administrators see.
_NOT_TOLD = (403, 404, 405, 501)
_BYPASS = ("always", "exempt")
_METADATA = "metadata: read"


class PushRules(Subject):
    """The rules of one repository."""

    def of_branch(self, branch: str) -> list[Rule] | None:
        """Return the rules that are active for a branch; None if the forge does not tell them."""
        listed = self._http.find(
            f"list the rules of {branch}",
            f"{self._repo}/rules/branches/{quote(branch, safe='')}",
            responses.BRANCH_RULES,
            none_for=_NOT_TOLD,
            query={"per_page": 100},
            permission=_METADATA,
        )
        if listed is None:
            return None
        bypass = {number: self._who_bypasses(number) for number in {one.ruleset_id for one in listed}}
        return [Rule(one.type, one.parameters or {}, *bypass[one.ruleset_id]) for one in listed]

    def of_tag(self, tag: str) -> list[Rule] | None:
        """Return the rules that are active for a tag of this name; None if the forge does not tell them."""
        listed = self._http.find(
            "list the rulesets",
            f"{self._repo}/rulesets",
            responses.RULESETS,
            none_for=_NOT_TOLD,
            query={"targets": "tag", "per_page": 100},
            permission=_METADATA,
        )
        if listed is None:
            return None
        found: list[Rule] = []
        for one in listed:
            whole = self._ruleset(one.id) if (one.target, one.enforcement) == ("tag", "active") else None
            if whole and _concerns(whole, f"refs/tags/{tag}"):
                found += [Rule(rule.type, rule.parameters or {}, *_bypassing(whole)) for rule in whole.rules]
        return found

    def protection(self, branch: str, *, by_app: bool = False) -> Protection | None:
        """Return what a branch's protection refuses; None if the forge does not tell, or has no such branch.

        Args:
            branch: The branch.
            by_app: Whether an app pushes, such as a workflow's own token: what spares administrators holds for it.
        """
        path = f"{self._repo}/branches/{quote(branch, safe='')}"
        found = self._http.find(f"show branch {branch}", path, responses.BRANCH, none_for=_NOT_TOLD)
        if found is None:
            return None
        # A branch that only rulesets protect counts as protected too.
        if not found.protected or found.protection.enabled is False:
            return Protection(protected=found.protected)
        checks = found.protection.required_status_checks
        levels = ("everyone", "non_admins") if by_app else ("everyone",)
        if checks and checks.contexts and checks.enforcement_level in levels:
            return Protection(True, (f"status checks must have passed: {', '.join(checks.contexts)}",), whole=False)
        doing = f"show the protection of branch {branch}"
        whole = self._http.find(doing, f"{path}/protection", responses.PROTECTION, none_for=_NOT_TOLD)
        if whole is None:
            return Protection(True, whole=False)
        refuses = ["the branch is locked"] if whole.lock_branch and whole.lock_branch.enabled else []
        # Only an administrator can read it, and for administrators the rest holds only if it says so.
        if by_app or (whole.enforce_admins and whole.enforce_admins.enabled):
            reviews = whole.required_pull_request_reviews
            spared = by_app and reviews and (reviews.get("bypass_pull_request_allowances") or {}).get("apps")
            if reviews is not None and not spared:
                refuses.append("changes must be made through a pull request")
            if whole.required_status_checks:
                refuses.append("status checks must have passed")
        signatures = whole.required_signatures is not None and whole.required_signatures.enabled
        return Protection(True, tuple(refuses), whole=whole.restrictions is None and not signatures)

    def _who_bypasses(self, number: int | None) -> tuple[bool, bool | None]:
        found = self._ruleset(number) if number is not None else None
        return _bypassing(found) if found else (False, None)

    def _ruleset(self, number: int) -> responses.RulesetResponse | None:
        return self._http.find(
            f"show ruleset {number}",
            f"{self._repo}/rulesets/{number}",
            responses.RULESET,
            none_for=_NOT_TOLD,
            permission=_METADATA,
        )


def _bypassing(ruleset: responses.RulesetResponse) -> tuple[bool, bool | None]:
    """Return whether the token's owner may bypass it, and whether an app may; None where GitHub does not tell."""
    actors = ruleset.bypass_actors
    apps = (
        None
        if actors is None
        else any(one.actor_type == "Integration" and one.bypass_mode in _BYPASS for one in actors)
    )
    return ruleset.current_user_can_bypass in _BYPASS, apps


def _concerns(ruleset: responses.RulesetResponse, ref: str) -> bool:
    names = ruleset.conditions.ref_name if ruleset.conditions else None
    if names is None:
        return True
    # No tag is the default branch, and the rules of branches are asked by the branch's name.
    return concerns(ref, names.include, names.exclude, default_branch="")
