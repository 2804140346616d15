"""What GitHub's REST API says about things, in the shapes of its OpenAPI description.

The stored records (plain dictionaries, see `ForgeStore`) hold only what can differ; everything else is derived here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from releaser.rehearsal.forge.fields import RELEASE_FIELDS, REPOSITORY_URLS, USER_URLS
from releaser.rehearsal.forge.git import GitObject, GitTag

Record = dict[str, Any]

EPOCH = "2025-01-01T00:00:00Z"

# fmt: on


class Shapes:
    """GitHub's JSON for one repository.

    Args:
        base: The address that the client uses, such as ``http://127.0.0.1:40123``: API, uploads and pages share it.
        repository: ``OWNER/NAME``.
    """

    def __init__(self, base: str, repository: str) -> None:
        self.base = base
        self.repository = repository
        self.api = f"{base}/repos/{repository}"
        self.web = f"{base}/{repository}"

    def user(self, login: str) -> Record:
        """Return a simple user."""
        address = f"{self.base}/users/{login}"
        return {
            "login": login,
            "id": number_of(login),
            "node_id": node_of("User", login),
            "avatar_url": f"{self.base}/avatars/{login}",
            "gravatar_id": "",
            "url": address,
            "html_url": f"{self.base}/{login}",
            **{f"{name}_url": f"{address}/{ending}" for name, ending in USER_URLS.items()},
            "type": "User",
            "site_admin": False,
        }

    def authenticated_user(self, login: str) -> Record:
        """Return the user of the token, as GitHub shows it to a token that may not read private facts."""
        unknown = dict.fromkeys(("name", "company", "blog", "location", "email", "hireable", "bio"))
        counts = dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
        return {
            **self.user(login),
            **unknown,
            **counts,
            "created_at": EPOCH,
            "updated_at": EPOCH,
            "user_view_type": "public",
        }

    def repository_summary(self) -> Record:
        """Return a minimal repository."""
        owner, name = self.repository.split("/")
        return {
            "id": number_of(self.repository),
            "node_id": node_of("Repository", self.repository),
            "name": name,
            "full_name": self.repository,
            "owner": self.user(owner),
            "private": False,
            "html_url": self.web,
            "description": None,
            "fork": False,
            "url": self.api,
            **{f"{kind}_url": f"{self.api}/{kind}" for kind in REPOSITORY_URLS},
        }

    def repository_whole(self, open_issues: int, may: Mapping[str, bool] | None) -> Record:
        """Return a full repository; ``may`` is what the token's owner may do, None without a token."""
        counts = ("forks_count", "stargazers_count", "watchers_count", "subscribers_count", "network_count")
        has = ("has_issues", "has_projects", "has_wiki", "has_pages", "has_downloads", "has_discussions")
        return {
            **self.repository_summary(),
            **dict.fromkeys((*counts, "forks", "watchers", "size"), 0),
            **dict.fromkeys(has, True),
            "homepage": None,
            "language": None,
            "default_branch": "main",
            "open_issues_count": open_issues,
            "open_issues": open_issues,
            "archived": False,
            "disabled": False,
            "visibility": "public",
            "pushed_at": EPOCH,
            "created_at": EPOCH,
            "updated_at": EPOCH,
            "license": None,
            **({} if may is None else {"permissions": dict(may)}),
        }

    def release_page(self, release: Record) -> str:
        """Return the page of a release; a draft's address says nothing of its tag."""
        return f"{self.web}/releases/tag/{quote(_page_name(release))}"

    def release(self, release: Record) -> Record:
        """Return a release."""
        address = f"{self.api}/releases/{release['id']}"
        discussion = {"discussion_url": f"{self.web}/discussions/{release['id']}"} if release["discussion"] else {}
        tag = quote(release["tag_name"])
        return {
            "url": address,
            "html_url": self.release_page(release),
            "assets_url": f"{address}/assets",
            "upload_url": f"{self.base}/uploads/repos/{self.repository}/releases/{release['id']}/assets{{?name,label}}",
            "tarball_url": None if release["draft"] else f"{self.api}/tarball/{tag}",
            "zipball_url": None if release["draft"] else f"{self.api}/zipball/{tag}",
            "node_id": node_of("Release", release["id"]),
            "author": self.user(release["author"]),
            "assets": [self.asset(release, asset) for asset in release["assets"]],
            **{key: release[key] for key in RELEASE_FIELDS},
            **discussion,
        }

    def asset(self, release: Record, asset: Record) -> Record:
        """Return an asset of a release."""
        return {
            "url": f"{self.api}/releases/assets/{asset['id']}",
            "browser_download_url": f"{self.web}/releases/download/{quote(_page_name(release))}/{quote(asset['name'])}",
            "node_id": node_of("ReleaseAsset", asset["id"]),
            **asset,
            "uploader": self.user(asset.get("uploader") or release["author"]),
        }

    def milestone(self, milestone: Record, issues: list[Record]) -> Record:
        """Return a milestone, with its issues counted."""
        address = f"{self.api}/milestones/{milestone['number']}"
        states = [issue["state"] for issue in issues if issue.get("milestone") == milestone["title"]]
        return {
            "url": address,
            "html_url": f"{self.web}/milestone/{milestone['number']}",
            "labels_url": f"{address}/labels",
            "id": number_of(f"milestone {milestone['number']}"),
            "node_id": node_of("Milestone", milestone["number"]),
            "number": milestone["number"],
            "title": milestone["title"],
            "state": milestone["state"],
            "description": None,
            "creator": self.user(self.repository.split("/")[0]),
            "open_issues": states.count("open"),
            "closed_issues": states.count("closed"),
            "created_at": EPOCH,
            "updated_at": milestone.get("closed_at") or EPOCH,
            "closed_at": milestone.get("closed_at"),
            "due_on": None,
        }

    def issue(self, issue: Record, milestone: Record | None) -> Record:
        """Return an issue or pull request; ``milestone`` in its own JSON shape."""
        number = issue["number"]
        address = f"{self.api}/issues/{number}"
        is_pull = issue.get("pull_request", False)
        page = f"{self.web}/{'pull' if is_pull else 'issues'}/{number}"
        pull = {
            "url": f"{self.api}/pulls/{number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
        }
        labels = [
            {
                "id": number_of(label),
                "node_id": node_of("Label", label),
                "url": f"{self.api}/labels/{quote(label)}",
                "name": label,
                "color": "d73a4a",
                "default": False,
                "description": None,
            }
            for label in issue.get("labels", ())
        ]
        return {
            "id": number_of(f"issue {number}"),
            "node_id": node_of("Issue", number),
            "url": address,
            "repository_url": self.api,
            "labels_url": f"{address}/labels{{/name}}",
            "comments_url": f"{address}/comments",
            "events_url": f"{address}/events",
            "html_url": page,
            "number": number,
            "state": issue["state"],
            "title": issue["title"],
            "body": None,
            "user": self.user(self.repository.split("/")[0]),
            "labels": labels,
            "assignee": None,
            "assignees": [],
            "milestone": milestone,
            "locked": False,
            "comments": 0,
            "closed_at": None if issue["state"] == "open" else EPOCH,
            "created_at": EPOCH,
            "updated_at": EPOCH,
            **({"pull_request": pull} if is_pull else {}),
        }

    def git_ref(self, ref: str, pointed: GitObject) -> Record:
        """Return a git reference."""
        return {
            "ref": ref,
            "node_id": node_of("Ref", ref),
            "url": f"{self.api}/git/{quote(ref)}",
            "object": self._git_object(pointed),
        }

    def git_tag(self, tag: GitTag) -> Record:
        """Return an annotated tag."""
        return {
            "node_id": node_of("Tag", tag.sha),
            "sha": tag.sha,
            "url": f"{self.api}/git/tags/{tag.sha}",
            "tag": tag.name,
            "message": tag.message,
            "tagger": {"name": tag.tagger_name, "email": tag.tagger_email, "date": tag.date},
            "object": self._git_object(tag.pointed),
        }

    def _git_object(self, pointed: GitObject) -> Record:
        return {
            "type": pointed.type,
            "sha": pointed.sha,
            "url": f"{self.api}/git/{pointed.type}s/{pointed.sha}",
        }


def _page_name(release: Record) -> str:
    return f"untagged-{_digest(str(release['id']))[:20]}" if release["draft"] else str(release["tag_name"])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def number_of(text: str) -> int:
    """Return the number of what has a name and no number of its own."""
    return int(_digest(text)[:7], 16)


def node_of(kind: str, key: object) -> str:
    """Return the identifier of something for GitHub's other API."""
    return base64.b64encode(f"{kind}:{key}".encode()).decode()
