"""The tags of the bare repository that belongs to the stand-in for GitHub, read with the `git` program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from releaser.adapters import process

NO_OBJECT = "0" * 40


@dataclass(frozen=True)
class GitObject:
    """What a reference or an annotated tag points at; ``type`` is commit, tag, tree or blob."""

    type: str
    sha: str


@dataclass(frozen=True)
class GitTag:
    """An annotated tag; ``date`` is ISO 8601 in UTC."""

    sha: str
    name: str
    message: str
    tagger_name: str
    tagger_email: str
    date: str
    pointed: GitObject


class BareRepository:
    """A bare git repository on this disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def refs(self, prefix: str) -> dict[str, GitObject]:
        """Return every reference whose full name starts with ``prefix``, such as ``refs/tags/v0.``, in git's order."""
        listed = self._git("for-each-ref", "--format=%(refname)%09%(objecttype)%09%(objectname)")
        rows = (line.split("\t") for line in (listed or "").splitlines())
        return {name: GitObject(kind, sha) for name, kind, sha in rows if name.startswith(prefix)}

    def tag(self, sha: str) -> GitTag | None:
        """Return the annotated tag of this hash; None when there is no such tag object."""
        text = self._git("cat-file", "tag", sha) if re.fullmatch(r"[0-9a-f]{40}", sha) else None
        if text is None:
            return None
        head, _, message = text.partition("\n\n")
        fields = dict(line.split(" ", 1) for line in head.splitlines())
        who = re.fullmatch(r"(?P<name>.*) <(?P<email>.*)> (?P<seconds>\d+) [+-]\d{4}", fields.get("tagger", ""))
        if who is None:
            return None
        date = datetime.fromtimestamp(int(who["seconds"]), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        pointed = GitObject(fields["type"], fields["object"])
        return GitTag(sha, fields["tag"], message.rstrip("\n"), who["name"], who["email"], date, pointed)

    def commit(self, revision: str) -> str | None:
        """Return the commit that a branch, tag or hash names; None when it names none."""
        found = self._git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        return None if found is None else found.strip()

    def text(self, revision: str, path: str) -> str | None:
        """Return the text of a file at a branch, tag or hash; None if there is none."""
        return self._git("cat-file", "blob", f"{revision}:{path}")

    def contains(self, commit: str, other: str) -> bool:
        """Return whether ``other`` is in the history of ``commit``."""
        return self._git("merge-base", "--is-ancestor", other, commit) is not None

    def create_tag(self, name: str, commit: str) -> bool:
        """Create a lightweight tag; False when the name is taken or is not a valid one."""
        return self._git("update-ref", f"refs/tags/{name}", commit, NO_OBJECT) is not None

    def _git(self, *arguments: str) -> str | None:
        answer = process.ask(["git", f"--git-dir={self._path}", *arguments], cwd=self._path, check=False)
        return answer.text if answer.status == 0 else None
