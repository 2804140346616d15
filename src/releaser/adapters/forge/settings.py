"""What GitHub tells of a token, and of settings that change what a release may do."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, TypeAdapter

from releaser.adapters.forge.http import Subject

# Not found: off, or not shown to this token; the others: only administrators see it, or no such server does.
_NOT_TOLD = (401, 403, 404, 405, 501)


class _Immutable(BaseModel):
    model_config = ConfigDict(frozen=True)

    enabled: bool


_IMMUTABLE = TypeAdapter(_Immutable)


class _Reviewer(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str = ""


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True)

    type: str
    reviewers: tuple[_Reviewer, ...] = ()
    prevent_self_review: bool = False


class _Policy(BaseModel):
    model_config = ConfigDict(frozen=True)

    custom_branch_policies: bool


class _Environment(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    protection_rules: tuple[_Rule, ...] = ()
    deployment_branch_policy: _Policy | None = None


class _Environments(BaseModel):
    model_config = ConfigDict(frozen=True)

    total_count: int = 0
    environments: tuple[_Environment, ...] = ()


class _Pattern(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    type: str = "branch"


class _Patterns(BaseModel):
    model_config = ConfigDict(frozen=True)

    branch_policies: tuple[_Pattern, ...] = ()


_ENVIRONMENTS, _PATTERNS = TypeAdapter(_Environments), TypeAdapter(_Patterns)
_MOST = {"per_page": 100}
_READ = "actions: read"
PROTECTED = ("protected branches",)
"""What `branches` holds where an environment lets in those that have rules, whichever these are."""


@dataclass(frozen=True)
class Environment:
    """The rules of a deployment environment.

    Attributes:
        branches: Patterns of the branches that it lets in; None lets in everything.
        tags: Patterns of tags.
        reviewers: How many people or teams may approve; none are asked if there are none.
        by_one: Whether one person alone may approve.
        prevents_self_review: Whether the one who started a run may not approve it.
    """

    branches: tuple[str, ...] | None
    tags: tuple[str, ...]
    reviewers: int
    by_one: bool
    prevents_self_review: bool


@dataclass(frozen=True)
class TokenSays:
    """What GitHub says of a token with each response.

    Attributes:
        scopes: A classic token's scopes; empty for others.
        expires: When it ends, in GitHub's words; empty where it does not say.
    """

    scopes: tuple[str, ...]
    expires: str


class Settings(Subject):
    """The settings of one repository."""

    def token(self) -> TokenSays:
        """Return what GitHub says of the token.

        Raises:
            ServiceError: GitHub refused it, or did not respond.
        """
        headers = self._http.headers("show the repository", self._repo)
        scopes = headers.get("x-oauth-scopes", "")
        return TokenSays(
            tuple(sorted(filter(None, (one.strip() for one in scopes.split(","))))),
            headers.get("github-authentication-token-expiration", ""),
        )

    def immutable_releases(self) -> bool | None:
        """Return whether published releases can be changed no more; None where GitHub does not tell."""
        found = self._http.find(
            "show whether releases are immutable", f"{self._repo}/immutable-releases", _IMMUTABLE, none_for=_NOT_TOLD
        )
        return found.enabled if found else None

    def environments(self) -> dict[str, Environment] | None:
        """Return the deployment environments by name; None where GitHub does not tell.

        Raises:
            ServiceError: GitHub did not respond.
        """
        found = self._environments()
        return None if found is None else {one.name: self._environment(one) for one in found}

    def environment_names(self) -> frozenset[str] | None:
        """Return the names of the deployment environments; None where GitHub does not tell.

        Raises:
            ServiceError: GitHub did not respond.
        """
        found = self._environments()
        return None if found is None else frozenset(one.name for one in found)

    def _environments(self) -> tuple[_Environment, ...] | None:
        path, doing = f"{self._repo}/environments", "list the environments"
        first = self._http.find(doing, path, _ENVIRONMENTS, none_for=_NOT_TOLD, query=_MOST, permission=_READ)
        if first is None:
            return None
        listed, more = first.environments, first.environments
        while more and len(listed) < first.total_count:
            page = {**_MOST, "page": len(listed) // _MOST["per_page"] + 1}
            more = self._http.call(doing, "GET", path, _ENVIRONMENTS, query=page, permission=_READ).environments
            listed += more
        return listed

    def _environment(self, found: _Environment) -> Environment:
        review = next((rule for rule in found.protection_rules if rule.type == "required_reviewers"), None)
        branches: tuple[str, ...] | None = None
        tags: tuple[str, ...] = ()
        if found.deployment_branch_policy:
            branches = PROTECTED
            if found.deployment_branch_policy.custom_branch_policies:
                where = f"{self._repo}/environments/{quote(found.name, safe='')}/deployment-branch-policies"
                doing = f"show the branches of the environment {found.name}"
                listed = self._http.call(doing, "GET", where, _PATTERNS, query=_MOST, permission=_READ)
                branches = tuple(one.name for one in listed.branch_policies if one.type == "branch")
                tags = tuple(one.name for one in listed.branch_policies if one.type == "tag")
        who = review.reviewers if review else ()
        return Environment(
            branches,
            tags,
            reviewers=len(who),
            by_one=[one.type for one in who] == ["User"],
            prevents_self_review=bool(review and review.prevent_self_review),
        )
