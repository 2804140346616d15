"""What the forge adapter returns: plain frozen records of what GitHub held at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class TokenFacts:
    """What GitHub reveals about a token.

    Attributes:
        login: Whose it is; None for a workflow's own token, and without a token.
        can_push: Whether it may write releases; None when GitHub does not reveal it (fine-grained and workflow tokens).
    """

    login: str | None
    can_push: bool | None


@dataclass(frozen=True)
class Asset:
    """A file of a release.

    Attributes:
        id: GitHub's number.
        name: The file's name.
        size: Bytes.
        sha256: In hex, as GitHub computed it; None where it does not tell.
        state: ``uploaded``, or ``starter`` for an upload that broke off.
        uploader: The login of who attached it; empty where GitHub does not tell.
    """

    id: int
    name: str
    size: int
    sha256: str | None
    state: str
    uploader: str = ""


@dataclass(frozen=True)
class ReleaseInfo:
    """A release, draft or published.

    Attributes:
        url: Its page.
        published: When it was.
        immutable: Whether its assets can change no more; it keeps its tag as long as it exists, and its tag's name
            for good.
    """

    id: int
    tag: str
    name: str
    body: str
    draft: bool
    prerelease: bool
    url: str
    assets: tuple[Asset, ...]
    published: datetime | None = None
    immutable: bool = False


@dataclass(frozen=True)
class Issue:
    """An open issue or pull request."""

    number: int
    title: str


@dataclass(frozen=True)
class Milestone:
    """A milestone and how many of its issues and pull requests are open; ``state`` is open or closed."""

    number: int
    title: str
    open_issues: int
    state: str


@dataclass(frozen=True)
class Run:
    """A workflow run; ``conclusion`` (success, failure, cancelled ...) is None until ``status`` is completed.

    Attributes:
        id: GitHub's number.
        status: ``completed``, or queued, waiting, in_progress and others before that.
        conclusion: How it ended.
        url: Its page.
        commit: What it runs at.
        branch: The branch or the tag that it runs for.
        updated: When its status last changed.
        title: What its page shows as its title; the workflow's `run-name` decides it.
        event: What started it, such as release or workflow_dispatch.
        attempt: Which attempt this is: 2 once failed jobs were run again.
        workflow: The workflow's file name.
        created: When its first attempt was started.
        actor: Who did what started it.
    """

    id: int
    status: str
    conclusion: str | None
    url: str
    commit: str = ""
    branch: str = ""
    updated: datetime | None = None
    title: str = ""
    event: str = ""
    attempt: int = 1
    workflow: str = ""
    created: datetime | None = None
    actor: str = ""

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self.status == "completed"


@dataclass(frozen=True)
class JobStep:
    """A step of a job; ``status`` is queued, in_progress or completed, and ``conclusion`` None before that."""

    number: int
    name: str
    status: str
    conclusion: str | None


@dataclass(frozen=True)
class Job:
    """A job of a run's newest attempt.

    Attributes:
        id: GitHub's number.
        name: As its page shows it; of a matrix with its values.
        status: ``completed``, or queued, waiting, in_progress and others before that.
        conclusion: How it ended; ``skipped`` too.
        url: Its page.
        steps: Empty before it runs.
        started: When it began.
        completed: When it ended.
    """

    id: int
    name: str
    status: str
    conclusion: str | None
    url: str
    steps: tuple[JobStep, ...] = ()
    started: datetime | None = None
    completed: datetime | None = None

    @property
    def failed(self) -> bool:
        """Whether it ended as no job of a successful run does."""
        return self.status == "completed" and self.conclusion not in ("success", "skipped", "neutral")

    @property
    def seconds(self) -> float | None:
        """How long it ran; None before its end, where it did not run, and where GitHub does not tell."""
        if self.conclusion == "skipped" or not (self.started and self.completed):
            return None
        return (self.completed - self.started).total_seconds()


@dataclass(frozen=True)
class Artifact:
    """What a run's jobs hand to each other; one that has expired is listed for a while."""

    name: str
    expired: bool


@dataclass(frozen=True)
class Approval:
    """An environment that a run waits for.

    Attributes:
        environment: Its name.
        reviewers: Who may approve: logins of people, slugs of teams; empty if it only waits for its timer.
        may_approve: Whether the token's owner may.
        since: Since when it waits; None where GitHub does not tell.
    """

    environment: str
    reviewers: tuple[str, ...]
    may_approve: bool
    since: datetime | None = None


@dataclass(frozen=True)
class Rule:
    """A rule for a branch or a tag that does not let everything through.

    Attributes:
        type: GitHub's name for it, such as pull_request or tag_name_pattern.
        parameters: Its own.
        may_bypass: Whether it does not apply to whom the token belongs to.
        lets_apps: Whether it does not apply to an app; None where GitHub does not tell, as it does administrators only.
    """

    type: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    may_bypass: bool = False
    lets_apps: bool | None = None


@dataclass(frozen=True)
class Protection:
    """A branch's classic protection, as far as GitHub tells it.

    Attributes:
        protected: Whether there is any.
        refuses: In words, what of it refuses a push.
        whole: Whether all that matters of it is known: GitHub tells the whole to administrators only.
    """

    protected: bool
    refuses: tuple[str, ...] = ()
    whole: bool = True
