"""What GitHub tells of a tag: whether it is annotated and signed, and whether its commit is on a branch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, TypeAdapter

from releaser.adapters.forge import responses
from releaser.adapters.forge.http import Subject


class _Verification(BaseModel):
    model_config = ConfigDict(frozen=True)

    verified: bool
    reason: str = ""


class _TagResponse(BaseModel):
    model_config = ConfigDict(frozen=True)

    object: responses.GitObject
    verification: _Verification | None = None


class _CompareResponse(BaseModel):
    model_config = ConfigDict(frozen=True)

    status: str


_TAG = TypeAdapter(_TagResponse)
_COMPARE: TypeAdapter[Any] = TypeAdapter(_CompareResponse)


@dataclass(frozen=True)
class TagLook:
    """A tag as GitHub shows it.

    Attributes:
        commit: What it leads to.
        annotated: Whether it is an object of its own.
        verified: Whether GitHub could verify its signature; None where it does not tell.
        reason: GitHub's word for that, such as valid, unsigned or unknown_key.
    """

    commit: str
    annotated: bool
    verified: bool | None
    reason: str


class Tags(Subject):
    """The tags of one repository."""

    def look(self, tag: str) -> TagLook | None:
        """Return a tag; None when there is none of that name."""
        doing = f"show tag {tag}"
        path = f"{self._repo}/git/ref/tags/{quote(tag)}"
        found = self._http.find(doing, path, responses.REF, none_for=(404, 409))
        if found is None:
            return None
        if found.object.type != "tag":
            return TagLook(found.object.sha, False, None, "")
        whole = self._http.call(doing, "GET", f"{self._repo}/git/tags/{found.object.sha}", _TAG)
        told = whole.verification
        return TagLook(whole.object.sha, True, told.verified if told else None, told.reason if told else "")

    def on_branch(self, branch: str, commit: str) -> bool | None:
        """Return whether a branch contains a commit; None where GitHub does not tell."""
        path = f"{self._repo}/compare/{quote(branch, safe='')}...{commit}"
        found = self._http.find(
            f"compare {commit[:12]} with {branch}", path, _COMPARE, none_for=(403, 404, 405, 501), query={"per_page": 1}
        )
        return found.status in ("behind", "identical") if found else None
