"""What GitHub's responses must hold, as far as a release reads them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from releaser.adapters.forge.records import Asset, Milestone, ReleaseInfo


class Response(BaseModel):
    """What is read of a response; GitHub may send more."""

    model_config = ConfigDict(frozen=True, strict=True)


def moment(text: str | None) -> datetime | None:
    """Return the moment that GitHub writes as 2026-11-27T06:30:00Z; None for what is no moment."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None  # Python 3.10 knows no Z
    except ValueError:
        return None


class _Uploader(Response):
    login: str


class AssetResponse(Response):
    """A file of a release."""

    id: int
    name: str = Field(pattern=r"^[^/\\]*[^/\\.][^/\\]*$")  # it becomes a file's name
    size: int
    state: str
    digest: str | None = None
    uploader: _Uploader | None = None

    def record(self) -> Asset:
        """Return it in our words."""
        algorithm, _, digest = (self.digest or "").partition(":")
        sha256 = digest if algorithm == "sha256" else None
        login = self.uploader.login if self.uploader else ""
        return Asset(self.id, self.name, self.size, sha256, self.state, login)


class ReleaseResponse(Response):
    """A release, draft or published."""

    id: int
    tag_name: str
    name: str | None
    body: str | None = None
    draft: bool
    prerelease: bool
    html_url: str
    upload_url: str
    assets: list[AssetResponse]
    published_at: str | None = None
    immutable: bool = False  # servers of companies do not have it yet

    def record(self) -> ReleaseInfo:
        """Return it in our words."""
        return ReleaseInfo(
            id=self.id,
            tag=self.tag_name,
            name=self.name or "",
            body=self.body or "",
            draft=self.draft,
            prerelease=self.prerelease,
            url=self.html_url,
            assets=tuple(asset.record() for asset in self.assets),
            published=moment(self.published_at),
            immutable=self.immutable,
        )


class UserResponse(Response):
    """Whose a token is."""

    login: str


class _Permissions(Response):
    push: bool = False


class RepositoryResponse(Response):
    """A repository, and what the token's owner may do there."""

    private: bool
    permissions: _Permissions = _Permissions()


class GitObject(Response):
    """What a ref or a tag object points at."""

    type: str
    sha: str


class RefResponse(Response):
    """A ref, or a tag object."""

    object: GitObject


class MilestoneResponse(Response):
    """A milestone."""

    number: int
    title: str
    open_issues: int
    state: str

    def record(self) -> Milestone:
        """Return it in our words."""
        return Milestone(self.number, self.title, self.open_issues, self.state)


class _Titled(Response):
    title: str


class IssueResponse(Response):
    """An issue or a pull request."""

    number: int
    title: str
    milestone: _Titled | None


class RuleResponse(Response):
    """A rule; of a branch's rules also the ruleset that it comes from."""

    type: str
    parameters: dict[str, Any] | None = None
    ruleset_id: int | None = None


class _RefName(Response):
    include: list[str] = []
    exclude: list[str] = []


class _Conditions(Response):
    ref_name: _RefName | None = None


class _BypassActor(Response):
    actor_type: str
    bypass_mode: str = "always"


class RulesetResponse(Response):
    """A ruleset; a list has neither its rules nor its conditions."""

    id: int
    name: str
    target: str | None = None
    enforcement: str
    current_user_can_bypass: str | None = None
    bypass_actors: list[_BypassActor] | None = None
    conditions: _Conditions | None = None
    rules: list[RuleResponse] = []


class _StatusChecks(Response):
    enforcement_level: str | None = None
    contexts: list[str] = []


class _Enabled(Response):
    enabled: bool = False


class ProtectionResponse(Response):
    """A branch's protection: a part of it for everyone, the whole for administrators."""

    enabled: bool | None = None
    required_status_checks: _StatusChecks | None = None
    required_pull_request_reviews: dict[str, Any] | None = None
    restrictions: dict[str, Any] | None = None
    enforce_admins: _Enabled | None = None
    lock_branch: _Enabled | None = None
    required_signatures: _Enabled | None = None


class BranchResponse(Response):
    """A branch."""

    protected: bool
    protection: ProtectionResponse = ProtectionResponse()


ASSET = TypeAdapter(AssetResponse)
ASSETS = TypeAdapter(list[AssetResponse])
RELEASE = TypeAdapter(ReleaseResponse)
RELEASES = TypeAdapter(list[ReleaseResponse])
USER = TypeAdapter(UserResponse)
REPOSITORY = TypeAdapter(RepositoryResponse)
REF = TypeAdapter(RefResponse)
MILESTONE = TypeAdapter(MilestoneResponse)
MILESTONES = TypeAdapter(list[MilestoneResponse])
ISSUES = TypeAdapter(list[IssueResponse])
BRANCH = TypeAdapter(BranchResponse)
BRANCH_RULES = TypeAdapter(list[RuleResponse])
PROTECTION = TypeAdapter(ProtectionResponse)
RULESET = TypeAdapter(RulesetResponse)
RULESETS = TypeAdapter(list[RulesetResponse])
