"""The forge: GitHub's releases, assets, tags, milestones, issues and workflow runs, as one release needs them.

Every method asks GitHub again and keeps nothing. Every method that changes something can be called again: it ends in
the same state. All raise ``ServiceError`` when GitHub refuses, does not respond, or sends something else; its remedy
says what to do. The token appears in no message and no representation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from releaser.adapters.forge import responses, run_responses
from releaser.adapters.forge.assets import ReleaseAssets
from releaser.adapters.forge.attestations import Attestations
from releaser.adapters.forge.http import PUBLIC_API, Connection
from releaser.adapters.forge.issues import Issues
from releaser.adapters.forge.push_rules import PushRules
from releaser.adapters.forge.records import Issue, Milestone, ReleaseInfo, Run, TokenFacts
from releaser.adapters.forge.settings import Settings
from releaser.adapters.forge.tags import Tags
from releaser.adapters.forge.workflows import Workflows
from releaser.errors import ServiceError

_TAGS_OF_TAGS = 10
BODY_LIMIT = 125_000
"""How many characters GitHub takes as the text of a release."""


class Forge:
    """One repository on GitHub.

    Args:
        repository: ``OWNER/NAME``.
        token: The access token, or None to read what is public.
        api_url: The address of the REST API; None is GitHub's own.
        web_url: The address of the pages for people; None derives it from ``api_url``.
        token_env: The variable that the token comes from, for messages.

    Attributes:
        assets: The files of its releases.
        rules: What it lets be pushed.
        attestations: Which workflows attest that they built a file.
        tags: What it tells of its tags.
        issues: What is open.
        workflows: What its workflows run.
        settings: What it tells of the token, and of settings that change what a release may do.

    Raises:
        ServiceError: The token cannot be sent.
        UsageError: The address is none.
    """

    def __init__(
        self,
        repository: str,
        token: str | None,
        api_url: str | None = None,
        web_url: str | None = None,
        token_env: str = "GITHUB_TOKEN",  # noqa: S107  the name of a variable, not a token
    ) -> None:
        self.repository = repository
        self._http = Connection(repository, token, api_url or PUBLIC_API, token_env)
        self._repo = f"/repos/{repository}"
        self.assets = ReleaseAssets(self._http, self._repo)
        self.attestations = Attestations(self._http, self._repo)
        self.rules = PushRules(self._http, self._repo)
        self.tags = Tags(self._http, self._repo)
        self.issues = Issues(self._http, self._repo)
        self.workflows = Workflows(self._http, self._repo)
        self.settings = Settings(self._http, self._repo)
        self._web = f"{(web_url or _web_url(self._http.api_url)).rstrip('/')}/{repository}"

    def __repr__(self) -> str:
        return f"Forge({self.repository!r}, api_url={self._http.api_url!r})"

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._http.close()

    def time(self) -> datetime | None:
        """Return what time it is at GitHub, to the second; None if it does not tell.

        Raises:
            ServiceError: GitHub refused, or did not respond.
        """
        return self._http.time("tell the time", self._repo)

    # What the token may do

    def permissions(self) -> TokenFacts:
        """Return what GitHub reveals about the token, without changing anything.

        A classic token names its scopes. Of a fine-grained token GitHub reveals only what its owner may do, and of a
        workflow's own token nothing, so the result for those is None unless the owner may not push either.

        Raises:
            ServiceError: The token is wrong, or the repository is not there or not to be seen with it.
        """
        user = None
        if self._http.has_token:
            # 403 for a workflow's own token, which has no owner; 404 where a proxy hides the call.
            user = self._http.find("show the token's owner", "/user", responses.USER, none_for=(403, 404))
        repository = self._http.call(
            f"show {self.repository}", "GET", self._repo, responses.REPOSITORY, permission="metadata: read"
        )
        if user is None:
            return TokenFacts(None, None)
        if not repository.permissions.push:
            return TokenFacts(user.login, False)
        scopes = self._http.scopes
        if not scopes:
            return TokenFacts(user.login, None)
        needed = {"repo"} if repository.private else {"repo", "public_repo"}
        return TokenFacts(user.login, not needed.isdisjoint(scopes))

    # Releases

    def find_release(self, tag: str) -> ReleaseInfo | None:
        """Return the release of a tag: the published one, else its only draft (get-by-tag does not know drafts).

        Raises:
            ServiceError: There are several drafts: which of them a person wants is not ours to guess.
        """
        listed = self._http.pages(
            f"list the releases of {self.repository}", f"{self._repo}/releases", responses.RELEASES
        )
        found = [release.record() for release in listed if release.tag_name == tag]
        published = [release for release in found if not release.draft]
        if published:
            return published[0]
        if len(found) > 1:
            raise ServiceError(
                f"{self.repository} has {len(found)} draft releases of {tag}: "
                + ", ".join(release.url for release in found),
                f"Delete all but one at {self.releases_url}, then rerun the command.",
            )
        return found[0] if found else None

    def latest_release(self) -> str | None:
        """Return the tag of the release that GitHub shows as the latest; None when there is none."""
        found = self._http.find("show the latest release", f"{self._repo}/releases/latest", responses.RELEASE)
        return found.tag_name if found else None

    def create_draft(self, tag: str, target_commit: str, name: str, body: str, prerelease: bool) -> ReleaseInfo:
        """Create a draft: visible to those who may push, and without effect on tags.

        Not to be called before ``find_release`` says None: GitHub keeps any number of drafts of one tag.
        """
        draft = {
            "tag_name": tag,
            "target_commitish": target_commit,
            "name": name,
            "body": body,
            "draft": True,
            "prerelease": prerelease,
        }
        path = f"{self._repo}/releases"
        return self._http.call(f"create draft release {tag}", "POST", path, responses.RELEASE, body=draft).record()

    def update_release(
        self, release_id: int, *, name: str | None = None, body: str | None = None, prerelease: bool | None = None
    ) -> ReleaseInfo:
        """Change the title, the text or the pre-release mark; None leaves a value as it is."""
        wanted = {"name": name, "body": body, "prerelease": prerelease}
        return self._patch("change", release_id, {key: value for key, value in wanted.items() if value is not None})

    def publish_release(self, release_id: int, *, make_latest: bool, discussion_category: str | None) -> ReleaseInfo:
        """Publish a draft. If its tag does not exist, GitHub makes a lightweight one: push the annotated tag before.

        Args:
            release_id: The draft. Publishing a published release changes nothing but what is latest.
            make_latest: Whether it becomes "Latest"; GitHub refuses that for a pre-release.
            discussion_category: Open a discussion in this existing category; None opens none.
        """
        change: dict[str, Any] = {"draft": False, "make_latest": "true" if make_latest else "false"}
        if discussion_category is not None:
            change["discussion_category_name"] = discussion_category
        return self._patch("publish", release_id, change)

    def delete_release(self, release_id: int) -> None:
        """Delete a release and its assets, not its tag; that it is gone already is fine."""
        self._http.delete(f"delete release {release_id}", f"{self._repo}/releases/{release_id}")

    def _patch(self, verb: str, release_id: int, change: Mapping[str, Any]) -> ReleaseInfo:
        # A PATCH without tag_name makes GitHub forget a draft's tag (it becomes "untagged-..."): always send it.
        path = f"{self._repo}/releases/{release_id}"
        tag = self._http.call(f"show release {release_id}", "GET", path, responses.RELEASE).tag_name
        body = {"tag_name": tag, **change}
        return self._http.call(f"{verb} release {tag}", "PATCH", path, responses.RELEASE, body=body).record()

    # Tags, issues, milestones, workflow runs

    def tag_commit(self, tag: str) -> str | None:
        """Return the commit that a tag points at, through annotated tags; None when there is no such tag."""
        doing = f"show what tag {tag} points at"
        path = f"{self._repo}/git/ref/tags/{quote(tag)}"
        found = self._http.find(doing, path, responses.REF, none_for=(404, 409))
        if found is None:
            return None
        pointed = found.object
        for _ in range(_TAGS_OF_TAGS):
            if pointed.type != "tag":
                return pointed.sha
            pointed = self._http.call(doing, "GET", f"{self._repo}/git/tags/{pointed.sha}", responses.REF).object
        raise ServiceError(f"Tag {tag} is a tag of {_TAGS_OF_TAGS} tags or more", "Point it at the release commit.")

    def open_blockers(self, label: str, milestone: str | None) -> list[Issue]:
        """Return open issues and pull requests that carry ``label``, but for those planned for another milestone.

        Args:
            label: The label that marks a blocker.
            milestone: The title of this release's milestone; None counts every one that carries the label.
        """
        query = {"labels": label, "state": "open"}
        listed = self._http.pages(
            f"list the open issues labelled {label}", f"{self._repo}/issues", responses.ISSUES, query
        )
        return [
            Issue(issue.number, issue.title)
            for issue in listed
            if milestone is None or issue.milestone is None or issue.milestone.title == milestone
        ]

    def find_milestone(self, title: str) -> Milestone | None:
        """Return the milestone of exactly this title, open or closed."""
        path = f"{self._repo}/milestones"
        listed = self._http.pages("list the milestones", path, responses.MILESTONES, {"state": "all"})
        return next((one.record() for one in listed if one.title == title), None)

    def close_milestone(self, number: int) -> None:
        """Close a milestone; closing a closed one changes nothing."""
        self._http.call(
            f"close milestone {number}",
            "PATCH",
            f"{self._repo}/milestones/{number}",
            responses.MILESTONE,
            body={"state": "closed"},
            permission="issues: write",
        )

    def tests_run(self, workflow_file: str, commit: str) -> Run | None:
        """Return the newest run of a workflow for a commit; None if there is none, or no such workflow."""
        found = self._http.find(
            f"find the run of {workflow_file} for {commit}",
            f"{self._repo}/actions/workflows/{quote(workflow_file, safe='')}/runs",
            run_responses.RUNS,
            query={"head_sha": commit, "per_page": 1},
            permission="actions: read",
        )
        return next((run.record() for run in found.workflow_runs), None) if found else None

    # Pages for people

    @property
    def releases_url(self) -> str:
        """The page that lists the releases, drafts as well for those who may push."""
        return f"{self._web}/releases"

    def release_url(self, tag: str) -> str:
        """Return the page of the published release of a tag."""
        return f"{self._web}/releases/tag/{quote(tag)}"

    def file_url(self, path: str, tag: str) -> str:
        """Return the page of a file, such as the changelog, as it is at a tag."""
        return f"{self._web}/blob/{quote(tag)}/{quote(path)}"


def _web_url(api_url: str) -> str:
    if api_url == PUBLIC_API:
        return "https://github.com"
    address = urlsplit(api_url)
    return f"{address.scheme}://{address.netloc}"
