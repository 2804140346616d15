"""What a rehearsal has published and kept, read without the engine."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .projects import git


@dataclass(frozen=True)
class World:
    """What a rehearsal has published and kept, as its files show it; nothing here asks the engine."""

    path: Path
    version: str

    @property
    def origin(self) -> Path:
        """The bare repository."""
        return self.path / "origin.git"

    @property
    def store(self) -> Path:
        """What the engine keeps of this version."""
        (found,) = (self.path / "state").glob(f"*/{self.version}")
        return found

    def built(self) -> dict[str, str]:
        """Return the sha256 of each file in the build directory, computed from its bytes."""
        return {file.name: _sha256(file) for file in sorted((self.store / "dist").iterdir())}

    def served(self, index: str) -> dict[str, str]:
        """Return the sha256 of each file that an index's document names, computed from the bytes that it holds."""
        path = self.path / index / "index.json"
        document = json.loads(path.read_bytes()) if path.exists() else {"projects": {}}
        files = [
            file
            for project in document["projects"].values()
            for release in project["releases"].values()
            for file in release["files"].values()
        ]
        stored = self.path / index / "files"
        return {one["filename"]: _sha256(stored / one["digests"]["sha256"][:16] / one["filename"]) for one in files}

    def uploads(self, index: str) -> list[str]:
        """Return the index's log: a line for each file accepted, and one for each that was sent again."""
        return _lines(self.path / index / "uploads.log")

    def mutations(self) -> list[str]:
        """Return method, path and status of each request that could change something at the forge."""
        return _lines(self.path / "forge" / "mutations.log")

    def releases(self) -> list[dict[str, Any]]:
        """Return the forge's releases."""
        return list(self._forge()["releases"])

    def milestones(self) -> dict[str, str]:
        """Return the forge's milestones by title: open or closed."""
        return {one["title"]: one["state"] for one in self._forge()["milestones"]}

    def latest(self) -> int | None:
        """Return the number of the release that was made the latest."""
        return self._forge()["latest"]

    def assets(self, release: Mapping[str, Any]) -> dict[str, str]:
        """Return the sha256 of each complete asset, computed from the bytes that the forge holds."""
        stored = self.path / "forge" / "assets"
        return {
            one["name"]: _sha256(stored / str(one["id"])) for one in release["assets"] if one["state"] == "uploaded"
        }

    def refs(self) -> dict[str, str]:
        """Return the remote's refs: what each holds, and what its object is."""
        lines = git(self.origin, "for-each-ref", "--format=%(refname) %(objecttype) %(objectname)").splitlines()
        return dict(line.split(" ", 1) for line in lines)

    def report(self) -> str:
        """Return the last report."""
        return (self.store / "report.md").read_text("utf-8")

    def _forge(self) -> dict[str, Any]:
        document = self.path / "forge" / "forge.json"
        return dict(json.loads(document.read_bytes()))

    def facts(self, tag: str) -> dict[str, Any]:
        """Return all that matters of a release, in words that are the same wherever it went well.

        Hashes are replaced by what they are the hash of, addresses of stand-ins and dates by a word.
        """
        built = self.built()
        commit = git(self.origin, "rev-parse", f"{tag}^{{commit}}")
        checkout = self.path / "checkout"
        tagged = git(self.origin, "for-each-ref", "--format=%(*objectname)%0a%(contents)", f"refs/tags/{tag}")
        return {
            "built": sorted(built),
            **self.public_facts(built, commit),
            "tag": plain(tagged, commit),
            "change": plain(git(self.origin, "show", "--format=", commit), commit),
            "checkout": plain(git(checkout, "for-each-ref", "--format=%(refname) %(objecttype)"), commit),
            "checkout at": plain(git(checkout, "rev-parse", "HEAD"), commit) + git(checkout, "status", "--porcelain"),
            "working trees": len(git(checkout, "worktree", "list").splitlines()),
            "kept": self.kept(),
        }

    def public_facts(self, built: Mapping[str, str], commit: str) -> dict[str, Any]:
        """Return what others can see of a release, in words that are the same wherever it went the same way.

        Args:
            built: The sha256 of each file that was built.
            commit: The release commit.
        """
        return {
            **{index: _same(self.served(index), built) for index in ("testpypi", "pypi")},
            "uploads": {
                index: sorted(line.split()[0] for line in self.uploads(index)) for index in ("testpypi", "pypi")
            },
            "releases": [
                {
                    key: plain(str(one[key]), commit)
                    for key in ("tag_name", "name", "body", "draft", "prerelease", "target_commitish")
                }
                | {"assets": _same(self.assets(one), built), "latest": self.latest() == one["id"]}
                | {"broken assets": len(one["assets"]) - len(self.assets(one))}
                for one in self.releases()
            ],
            "releases made": sum(bool(re.fullmatch(r"POST \S+/releases 201", line)) for line in self.mutations()),
            "milestones": self.milestones(),
            "refs": {ref: held.split()[0] for ref, held in self.refs().items()},
            "history": git(self.origin, "log", "--format=%s", "--all"),
        }

    def kept(self) -> list[str]:
        """Return what the engine keeps of this version, by file."""
        return sorted(_kept(self.store))


def _same(files: Mapping[str, str], built: Mapping[str, str]) -> dict[str, str]:
    return {name: "as built" if built.get(name) == digest else "other" for name, digest in sorted(files.items())}


def plain(text: str, commit: str) -> str:
    """Return a text with words in place of what differs from world to world: a commit, addresses, dates."""
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://loopback", text.replace(commit, "COMMIT"))
    return re.sub(r"\d{4}-\d\d-\d\d", "DATE", re.sub(r"(?m)^index .*\n", "", text))


def _kept(store: Path) -> Iterator[str]:
    for file in store.rglob("*"):
        if file.is_file() or file.name == "worktree":
            yield re.sub(r"receipts/[0-9a-f]+/", "receipts/WHEEL/", file.relative_to(store).as_posix())


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines() if path.exists() else []


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
