"""The forge: GitHub's releases, assets, tags, milestones, issues and workflow runs, as one release needs them.

Every method asks the world again and keeps nothing. Every method that changes something can be called again: it ends in
the same state. All raise ``ServiceError`` when GitHub refuses or does not answer; its remedy says what to do. The token
appears in no message and no representation.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from releaser.adapters.forge.http import PUBLIC_API, Connection
from releaser.adapters.forge.records import (
    Asset,
    Issue,
    Milestone,
    ReleaseInfo,
    Run,
    TokenFacts,
    asset_from,
    release_from,
)
from releaser.adapters.forge.refusals import RUN_AGAIN
from releaser.errors import ServiceError
from releaser.files import sha256

__all__ = ["Asset", "Forge", "Issue", "Milestone", "ReleaseInfo", "Run", "TokenFacts"]


class Forge:
    """One repository on GitHub.

    Args:
        repository: ``OWNER/NAME``.
        token: The access token, or None to read what is public.
        api_url: The address of the REST API; None is GitHub's own.
        web_url: The address of the pages for people; None derives it from ``api_url``.

    Raises:
        ServiceError: The token cannot be sent.
    """

    def __init__(
        self, repository: str, token: str | None, api_url: str | None = None, web_url: str | None = None
    ) -> None:
        self.repository = repository
        self._http = Connection(repository, token, api_url or PUBLIC_API)
        self._repo = f"/repos/{repository}"
        self._web = f"{(web_url or _web_url(self._http.api_url)).rstrip('/')}/{repository}"

    def __repr__(self) -> str:
        return f"Forge({self.repository!r}, api_url={self._http.api_url!r})"

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._http.close()

    # What the token may do

    def permissions(self) -> TokenFacts:
        """What GitHub reveals about the token, without changing anything.

        A classic token names its scopes. Of a fine-grained token GitHub reveals only what its owner may do, and of a
        workflow's own token nothing, so the answer for those is None unless the owner may not push either.

        Raises:
            ServiceError: The token is wrong, or the repository is not there or not to be seen with it.
        """
        user = None
        if self._http.has_token:
            # 403 for a workflow's own token, which is nobody's; 404 where a proxy hides the call.
            user = self._http.call("say whose the token is", "GET", "/user", none_for=(403, 404))
        repository = self._http.call(f"describe {self.repository}", "GET", self._repo, permission="metadata: read")
        if user is None:
            return TokenFacts(None, None)
        if not repository.get("permissions", {}).get("push", False):
            return TokenFacts(user["login"], False)
        scopes = self._http.scopes
        if not scopes:
            return TokenFacts(user["login"], None)
        needed = {"repo"} if repository["private"] else {"repo", "public_repo"}
        return TokenFacts(user["login"], not needed.isdisjoint(scopes))

    # Releases

    def find_release(self, tag: str) -> ReleaseInfo | None:
        """The release of a tag: the published one, else its only draft (get-by-tag does not know drafts).

        Raises:
            ServiceError: There are several drafts: which of them a person wants is not ours to guess.
        """
        listed = self._http.pages(f"list the releases of {self.repository}", f"{self._repo}/releases")
        found = [release_from(raw) for raw in listed if raw["tag_name"] == tag]
        published = [release for release in found if not release.draft]
        if published:
            return published[0]
        if len(found) > 1:
            raise ServiceError(
                f"{self.repository} has {len(found)} draft releases of {tag}: "
                + ", ".join(release.url for release in found),
                f"Delete all but one at {self.releases_url}, then run again.",
            )
        return found[0] if found else None

    def latest_release(self) -> str | None:
        """The tag of the release that GitHub shows as the latest; None when there is none."""
        raw = self._http.call("name the latest release", "GET", f"{self._repo}/releases/latest", none_for=(404,))
        return None if raw is None else str(raw["tag_name"])

    def create_draft(self, tag: str, target_commit: str, name: str, body: str, prerelease: bool) -> ReleaseInfo:
        """Create a draft: visible to those who may push, and without effect on tags.

        Not to be called before ``find_release`` says None: GitHub keeps any number of drafts of one tag.
        """
        body_json = {
            "tag_name": tag,
            "target_commitish": target_commit,
            "name": name,
            "body": body,
            "draft": True,
            "prerelease": prerelease,
        }
        return release_from(
            self._http.call(f"create the draft release {tag}", "POST", f"{self._repo}/releases", body=body_json)
        )

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
        path = f"{self._repo}/releases/{release_id}"
        self._http.call(f"delete release {release_id}", "DELETE", path, none_for=(404,))

    def _patch(self, verb: str, release_id: int, change: Mapping[str, Any]) -> ReleaseInfo:
        # A PATCH without tag_name makes GitHub forget a draft's tag (it becomes "untagged-..."): always send it.
        tag = self._get_release(release_id)["tag_name"]
        path = f"{self._repo}/releases/{release_id}"
        return release_from(
            self._http.call(f"{verb} the release {tag}", "PATCH", path, body={"tag_name": tag, **change})
        )

    def _get_release(self, release_id: int) -> dict[str, Any]:
        path = f"{self._repo}/releases/{release_id}"
        return dict(self._http.call(f"show release {release_id}", "GET", path))

    # Assets

    def upload_asset(self, release_id: int, path: Path, content_type: str) -> Asset:
        """Attach a file under its own name. The same bytes already there are left alone.

        Other bytes under that name, or the rest of an upload that broke off, are replaced while the release is a draft.

        Raises:
            ServiceError: A published release holds other bytes under that name; GitHub would rename the file; what
                GitHub stored is not what was sent; GitHub refused, or did not answer.
        """
        if not re.fullmatch(r"\w[\w.+@-]*(?<!\.)", path.name, re.ASCII):
            raise ServiceError(
                f"GitHub would rename the asset {path.name!r}: only letters, digits and ._+@- keep their place",
                "Rename the file.",
            )
        release = self._get_release(release_id)
        doing = f"upload {path.name} to the release {release['tag_name']}"
        url = release["upload_url"].partition("{")[0]
        for _ in range(2):
            there = self._asset_named(release_id, path.name)
            if there is not None and self._holds(there, path):
                return there
            if there is not None and not release["draft"]:
                raise ServiceError(
                    f"the published release {release['tag_name']} holds other bytes under the name {path.name} "
                    f"(sha256 {there.sha256}, here {sha256(path)})",
                    "What is published stays: release the next version.",
                )
            if there is not None:
                self.delete_asset(there.id)
            raw = self._http.send_file(doing, url, path, path.name, content_type)
            if raw is not None:
                break
        else:
            raise ServiceError(
                f"GitHub was asked to {doing} and says that the name is taken, but it was free a moment ago",
                "Somebody else uploads at the same time: stop one of the two, then run again.",
            )
        asset = asset_from(raw)
        if not self._holds(asset, path):
            raise ServiceError(f"GitHub stored something else when asked to {doing}", RUN_AGAIN)
        return asset

    def delete_asset(self, asset_id: int) -> None:
        """Delete an asset; that it is gone already is fine."""
        path = f"{self._repo}/releases/assets/{asset_id}"
        self._http.call(f"delete asset {asset_id}", "DELETE", path, none_for=(404,))

    def download_asset(self, asset: Asset, target: Path) -> str:
        """Download an asset, of a draft as well, and put it at ``target`` when it has arrived whole.

        Returns:
            The sha256 of the file, in hex.

        Raises:
            ServiceError: The transfer broke, or what arrived is not what GitHub says it holds.
        """
        partial = target.with_name(target.name + ".part")
        try:
            digest = self._http.receive_file(f"send {asset.name}", f"{self._repo}/releases/assets/{asset.id}", partial)
            if partial.stat().st_size != asset.size or asset.sha256 not in (None, digest):
                raise ServiceError(
                    f"{asset.name} arrived as {partial.stat().st_size} bytes, sha256 {digest}; "
                    f"GitHub holds {asset.size} bytes, sha256 {asset.sha256}",
                    RUN_AGAIN,
                )
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        return digest

    def _asset_named(self, release_id: int, name: str) -> Asset | None:
        path = f"{self._repo}/releases/{release_id}/assets"
        listed = self._http.pages(f"list the assets of release {release_id}", path)
        return next((asset_from(raw) for raw in listed if raw["name"] == name), None)

    def _holds(self, asset: Asset, path: Path) -> bool:
        if asset.state != "uploaded" or asset.size != path.stat().st_size:
            return False
        if asset.sha256 is not None:
            return asset.sha256 == sha256(path)
        with tempfile.TemporaryDirectory() as folder:
            return self.download_asset(asset, Path(folder, asset.name)) == sha256(path)

    # Tags, issues, milestones, workflow runs

    def tag_commit(self, tag: str) -> str | None:
        """The commit that a tag points at, through annotated tags; None when there is no such tag."""
        doing = f"say what the tag {tag} points at"
        ref = self._http.call(doing, "GET", f"{self._repo}/git/ref/tags/{quote(tag)}", none_for=(404, 409))
        if ref is None:
            return None
        pointed = ref["object"]
        while pointed["type"] == "tag":
            pointed = self._http.call(doing, "GET", f"{self._repo}/git/tags/{pointed['sha']}")["object"]
        return str(pointed["sha"])

    def open_blockers(self, label: str, milestone: str | None) -> list[Issue]:
        """Open issues and pull requests that carry ``label``, but for those planned for another milestone.

        Args:
            label: The label that marks a blocker.
            milestone: The title of this release's milestone; None counts every one that carries the label.
        """
        listed = self._http.pages(
            f"list the open issues labelled {label}", f"{self._repo}/issues", {"labels": label, "state": "open"}
        )
        return [
            Issue(raw["number"], raw["title"], raw["html_url"], "pull_request" in raw)
            for raw in listed
            if milestone is None or raw["milestone"] is None or raw["milestone"]["title"] == milestone
        ]

    def find_milestone(self, title: str) -> Milestone | None:
        """The milestone of exactly this title, open or closed."""
        listed = self._http.pages("list the milestones", f"{self._repo}/milestones", {"state": "all"})
        return next(
            (
                Milestone(raw["number"], raw["title"], raw["open_issues"], raw["closed_issues"], raw["state"])
                for raw in listed
                if raw["title"] == title
            ),
            None,
        )

    def close_milestone(self, number: int) -> None:
        """Close a milestone; closing a closed one changes nothing."""
        path = f"{self._repo}/milestones/{number}"
        doing = f"close milestone {number}"
        self._http.call(doing, "PATCH", path, body={"state": "closed"}, permission="issues: write")

    def workflow_run(self, workflow_file: str, tag_or_sha: str) -> Run | None:
        """The newest run of a workflow for a commit (40 hex digits) or for a tag; None while there is none.

        Raises:
            ServiceError: There is no such workflow.
        """
        which = "head_sha" if re.fullmatch(r"[0-9a-f]{40}", tag_or_sha) else "branch"
        answer = self._http.call(
            f"find the run of {workflow_file} for {tag_or_sha}",
            "GET",
            f"{self._repo}/actions/workflows/{quote(workflow_file, safe='')}/runs",
            query={which: tag_or_sha, "per_page": 1},
            permission="actions: read",
        )
        runs = answer["workflow_runs"]
        return Run(runs[0]["id"], runs[0]["status"], runs[0]["conclusion"], runs[0]["html_url"]) if runs else None

    # Pages for people

    @property
    def releases_url(self) -> str:
        """The page that lists the releases, drafts as well for those who may push."""
        return f"{self._web}/releases"

    @property
    def actions_url(self) -> str:
        """The page of the workflow runs."""
        return f"{self._web}/actions"

    def release_url(self, tag: str) -> str:
        """The page of the published release of a tag."""
        return f"{self._web}/releases/tag/{quote(tag)}"

    def file_url(self, path: str, tag: str) -> str:
        """The page of a file, such as the changelog, as it is at a tag."""
        return f"{self._web}/blob/{quote(tag)}/{quote(path)}"


def _web_url(api_url: str) -> str:
    if api_url == PUBLIC_API:
        return "https://github.com"
    address = urlsplit(api_url)
    return f"{address.scheme}://{address.netloc}"
