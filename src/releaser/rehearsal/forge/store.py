"""The state of the stand-in for GitHub, and GitHub's rules for releases and assets.

Everything is in one folder, and a change is written whole or not at all, even if the process is killed: ``forge.json``
is replaced atomically, and an asset's bytes are in ``assets/<id>`` before the document names them.

The folder may hold two files of the person who rehearses: ``seed.json`` with what is there at the beginning (lists
``releases``, ``milestones``, ``issues``, ``workflow_runs``; ``discussion_categories`` where not every name is one; see
``ForgeStore``), and ``settings.json``, read each time, whose ``{"immutable_releases": true}`` makes what is published
from then on immutable, and which may hold ``environments``. Either may hold the rules of branches and tags (see
`protection`).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from releaser.core.files import write_atomically
from releaser.rehearsal.forge.git import BareRepository
from releaser.rehearsal.forge.shapes import Record

BODY_LIMIT = 125_000


class RefusedError(Exception):
    """GitHub's 422, with its own words."""

    def __init__(self, message: str, errors: Iterable[Mapping[str, str]] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.errors = [dict(error) for error in errors]

    @classmethod
    def invalid(cls, field: str, message: str, code: str = "custom", resource: str = "Release") -> RefusedError:
        """Return the usual form: one field of one resource is wrong."""
        error = {"resource": resource, "code": code, "field": field}
        return cls("Validation Failed", [{**error, "message": message} if message else error])


class ForgeStore:
    """The state of the stand-in.

    Seeds need only what differs: a release its ``tag_name``; a milestone its ``number`` and ``title``; an issue its
    ``number`` and ``title``, and ``labels`` (names), ``milestone`` (a title), ``pull_request`` (true), ``state``; a run
    its ``workflow`` (a file name), ``head_sha``, ``head_branch``, ``status``, ``conclusion``. A run's ``head_sha`` or
    ``head_branch`` "*" matches every branch.

    Args:
        world: The folder; it is created.
        git_dir: The bare repository whose tags are GitHub's; None is an empty repository.
    """

    def __init__(self, world: Path, git_dir: Path | None) -> None:
        self.world = world
        self.git_dir = git_dir
        self.git = BareRepository(git_dir) if git_dir else None
        self._document = world / "forge.json"
        self._assets = world / "assets"
        self._assets.mkdir(parents=True, exist_ok=True)
        if self._document.exists():
            self.state: Record = json.loads(self._document.read_bytes())
        else:
            self.state = _seeded(world / "seed.json")
            self.commit()

    def commit(self) -> None:
        """Put the state on disk."""
        write_atomically(self._document, json.dumps(self.state, indent=1))

    def new_id(self) -> int:
        """Return a number that no other thing has."""
        self.state["next_id"] += 1
        return int(self.state["next_id"])

    # Releases

    def release(self, matches: Callable[[Record], bool]) -> Record | None:
        """Return the first release that matches, newest first."""
        return next(filter(matches, self.releases()), None)

    def releases(self) -> list[Record]:
        """Return every release, newest first."""
        return sorted(self.state["releases"], key=lambda release: release["id"], reverse=True)

    def latest(self) -> Record | None:
        """Return the release that GitHub calls the latest: the one that was made so, else the highest version."""
        candidates = [r for r in self.releases() if not r["draft"] and not r["prerelease"]]
        chosen = [release for release in candidates if release["id"] == self.state["latest"]]
        ranked = sorted((r for r in candidates if r["make_latest"] != "false"), key=_rank, reverse=True)
        return next(iter(chosen + ranked), None)

    def create_release(self, wanted: Mapping[str, Any], author: str) -> Record:
        """Create a release, published unless it is to be a draft.

        Raises:
            RefusedError: GitHub's rules forbid it.
        """
        if not wanted.get("tag_name"):
            raise RefusedError.invalid("tag_name", "", code="missing_field")
        if wanted["tag_name"] in self.state["burned_tags"]:
            raise RefusedError.invalid("tag_name", "tag_name was used by an immutable release")
        release = {**_new_release(self.new_id()), "author": author}
        changed = self._changed(release, {**wanted, "draft": wanted.get("draft", False)})
        self.state["releases"].append(changed)
        self.commit()
        return changed

    def change_release(self, release: Record, wanted: Mapping[str, Any]) -> None:
        """Change a release; one that is no draft any more is published.

        Raises:
            RefusedError: GitHub's rules forbid it.
        """
        if release["immutable"] and {"draft", "tag_name", "target_commitish"} & {
            key for key in wanted if key in release and wanted[key] != release[key]
        }:
            raise RefusedError("Cannot change the tag or the state of an immutable release.")
        if wanted.get("make_latest") == "true" and wanted.get("draft", release["draft"]):
            raise RefusedError.invalid("make_latest", "Latest release cannot be draft or prerelease.")
        if release["draft"] and wanted.get("draft", True) and "tag_name" not in wanted:
            wanted = {**wanted, "tag_name": f"untagged-{release['id']}"}  # as GitHub does, to many a tool's surprise
        release.update(self._changed(release, wanted))
        self.commit()

    def delete_release(self, release: Record) -> None:
        """Delete a release and its assets; an immutable one leaves its tag's name burned."""
        if release["immutable"]:
            self.state["burned_tags"].append(release["tag_name"])
        self.state["releases"].remove(release)
        self.commit()

    def _changed(self, release: Record, wanted: Mapping[str, Any]) -> Record:
        fields = ("tag_name", "target_commitish", "name", "body", "draft", "prerelease")
        changed = {**release, **{key: wanted[key] for key in fields if key in wanted}, "updated_at": _now()}
        if len(changed["body"] or "") > BODY_LIMIT:
            raise RefusedError.invalid("body", f"body is too long (maximum is {BODY_LIMIT} characters)")
        if category := wanted.get("discussion_category_name"):
            known = self.state.get("discussion_categories")
            if known is not None and category not in known:
                raise RefusedError.invalid("discussion_category_name", "")
            changed["discussion"] = category
        if changed["draft"]:
            return changed
        make_latest = wanted.get("make_latest", "true" if release["draft"] and not changed["prerelease"] else None)
        if make_latest == "true" and changed["prerelease"]:
            raise RefusedError.invalid("make_latest", "Latest release cannot be draft or prerelease.")
        if release["draft"]:
            self._publish(changed)
        if make_latest:
            changed["make_latest"] = make_latest
            was_latest = self.state["latest"] == changed["id"]
            if make_latest == "true":
                self.state["latest"] = changed["id"]
            elif was_latest or make_latest == "legacy":
                self.state["latest"] = None
        return changed

    def _publish(self, release: Record) -> None:
        tag = release["tag_name"]
        if tag in self.state["burned_tags"]:
            raise RefusedError.invalid("tag_name", "tag_name was used by an immutable release")
        if self.release(lambda other: not other["draft"] and other["tag_name"] == tag):
            raise RefusedError.invalid("tag_name", "", code="already_exists")
        if self.git and f"refs/tags/{tag}" not in self.git.refs(f"refs/tags/{tag}"):
            commit = self.git.commit(release["target_commitish"])
            if commit is None:
                raise RefusedError.invalid("target_commitish", "", code="invalid")
            if not self.git.create_tag(tag, commit):
                raise RefusedError.invalid("tag_name", "tag_name is not a valid tag")
        release["published_at"] = _now()
        release["immutable"] = self.makes_immutable()

    def makes_immutable(self) -> bool:
        """Return whether what is published now is immutable."""
        return bool(self._settings().get("immutable_releases", False))

    def rulesets(self) -> list[Record]:
        """Return the rulesets, each in the API's form."""
        return [*self.state.get("rulesets", ()), *self._settings().get("rulesets", ())]

    def protected(self) -> Record:
        """Return the protected branches: what each requires."""
        return {**self.state.get("protected", {}), **self._settings().get("protected", {})}

    def environments(self) -> Record:
        """Return the deployment environments by name."""
        return dict(self._settings().get("environments", {}))

    def _settings(self) -> Record:
        path = self.world / "settings.json"
        return dict(json.loads(path.read_bytes())) if path.exists() else {}

    # Assets

    def asset(self, asset_id: int) -> tuple[Record, Record] | None:
        """Return a release and its asset of this number."""
        every = ((release, asset) for release in self.state["releases"] for asset in release["assets"])
        return next((pair for pair in every if pair[1]["id"] == asset_id), None)

    def asset_path(self, asset_id: int) -> Path:
        """Return where an asset's bytes are kept."""
        return self._assets / str(asset_id)

    def refuse_asset(self, release: Record, name: str) -> None:
        """Say whether an asset of this name may be added.

        Raises:
            RefusedError: The release is immutable, or the name is taken.
        """
        if release["immutable"]:
            raise RefusedError("Cannot upload assets to an immutable release.")
        if any(asset["name"] == name for asset in release["assets"]):
            raise RefusedError.invalid("name", "", code="already_exists", resource="ReleaseAsset")

    def add_asset(self, release: Record, name: str, content_type: str, content: bytes | None) -> Record:
        """Add an asset; without content it is what an upload that broke off leaves behind, in the state ``starter``."""
        asset: Record = {
            "id": self.new_id(),
            "name": name,
            "label": "",
            "content_type": content_type,
            "state": "starter" if content is None else "uploaded",
            "size": len(content or b""),
            "digest": None if content is None else f"sha256:{hashlib.sha256(content).hexdigest()}",
            "download_count": 0,
            "created_at": _now(),
            "updated_at": _now(),
        }
        if content is not None:
            write_atomically(self.asset_path(asset["id"]), content)
        release["assets"].append(asset)
        self.commit()
        return asset

    def delete_asset(self, release: Record, asset: Record) -> None:
        """Delete an asset.

        Raises:
            RefusedError: The release is immutable.
        """
        if release["immutable"]:
            raise RefusedError("Cannot delete assets of an immutable release.")
        release["assets"].remove(asset)
        self.commit()
        self.asset_path(asset["id"]).unlink(missing_ok=True)


def asset_name(name: str) -> str:
    """Return the name under which GitHub keeps an asset: special characters become dots."""
    return re.sub(r"[^\w.+@-]", ".", name, flags=re.ASCII).strip(".")


def _seeded(path: Path) -> Record:
    seed = json.loads(path.read_bytes()) if path.exists() else {}
    state: Record = {"next_id": 1, "latest": None, "burned_tags": [], "releases": [], "workflow_runs": []}
    for release in seed.get("releases", ()):
        state["next_id"] += 1
        new = {**_new_release(state["next_id"]), "draft": False, "author": "seed", "published_at": _now(), **release}
        state["releases"].append(new)
    state["milestones"] = [{"state": "open", **milestone} for milestone in seed.get("milestones", ())]
    state["issues"] = [{"state": "open", **issue} for issue in seed.get("issues", ())]
    state["discussion_categories"] = seed.get("discussion_categories")  # None: every one that is named
    state["rulesets"], state["protected"] = list(seed.get("rulesets", ())), dict(seed.get("protected", {}))
    for number, run in enumerate(seed.get("workflow_runs", ()), start=1):
        defaults = {"id": number, "head_sha": "*", "head_branch": "*", "status": "completed", "conclusion": "success"}
        state["workflow_runs"].append({**defaults, **run})
    return state


def _new_release(number: int) -> Record:
    return {
        "id": number,
        "tag_name": "",
        "target_commitish": "main",
        "name": None,
        "body": None,
        "draft": True,
        "prerelease": False,
        "immutable": False,
        "make_latest": "legacy",
        "discussion": None,
        "created_at": _now(),
        "updated_at": _now(),
        "published_at": None,
        "assets": [],
    }


def _rank(release: Record) -> tuple[list[int], str]:
    return [int(number) for number in re.findall(r"\d+", release["tag_name"])], release["created_at"]


def _now() -> str:
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
