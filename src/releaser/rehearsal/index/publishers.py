"""Trusted publishers as PyPI registers and finds them (warehouse/oidc/models/github.py), with its own words.

PyPI compares owner, repository, workflow file and environment, and no branch: what else may run is GitHub's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict

_WORKFLOW_FILE = re.compile(r"[^/]+\.(yml|yaml)(?=@)")
_REQUIRED = ("sub", "repository", "repository_owner", "repository_owner_id", "job_workflow_ref", "jti", "ref", "sha")


class InvalidPublisherError(Exception):
    """No publisher has such claims; the text is PyPI's."""


class Publisher(BaseModel):
    """One line of ``publishers.json``; an empty environment is any, an empty owner's number too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    project: str
    repository: str
    workflow: str
    environment: str = ""
    pending: bool = False
    owner_id: str = ""

    @property
    def key(self) -> str:
        """Which registration this is, in the store's lists."""
        return f"{canonicalize_name(self.project)} {'|'.join(self.who)}"

    @property
    def who(self) -> tuple[str, str, str]:
        """Who may publish: lines with the same are one publisher, of several projects."""
        return self.repository.lower(), self.workflow, self.environment.lower()

    def verify(self, claims: dict[str, Any]) -> None:
        """Check what a lookup does not.

        Raises:
            InvalidPublisherError: The subject or the workflow's reference is another's.
        """
        slug = f"{self.repository}/.github/workflows/{self.workflow}"
        if ":".join(str(claims["sub"]).split(":")[:2]).lower() != f"repo:{self.repository}".lower():
            raise InvalidPublisherError("Check failed for required claim 'sub'")
        expected = sorted({f"{slug}@{claims[name]}" for name in ("ref", "sha") if claims[name]})
        if str(claims["job_workflow_ref"]).lower() not in [one.lower() for one in expected]:
            raise InvalidPublisherError(
                f"The job_workflow_ref claim does not match, expecting one of {expected!r}, "
                f"got {claims['job_workflow_ref']!r}"
            )


def find(publishers: Iterable[Publisher], claims: dict[str, Any]) -> Publisher:
    """Return the publisher that a job with these claims is; one for its environment comes before one for any.

    Raises:
        InvalidPublisherError: A claim is missing, or there is none.
    """
    for name in _REQUIRED:
        if claims.get(name) is None:
            raise InvalidPublisherError(f"Missing claim {name!r}")
    file = _WORKFLOW_FILE.search(str(claims["job_workflow_ref"]))
    if file is None:
        raise InvalidPublisherError("Could not job extract workflow filename from OIDC claims")
    # GitHub's names of owners, repositories and environments have no case; a file's name has.
    matching = {
        one.environment.lower(): one
        for one in publishers
        if one.repository.lower() == str(claims["repository"]).lower()
        and one.workflow == file[0]
        and one.owner_id in ("", str(claims["repository_owner_id"]))
    }
    environment = str(claims.get("environment") or "").lower()
    found = matching.get(environment) or matching.get("")
    if found is None:
        raise InvalidPublisherError("Publisher with matching claims was not found")
    found.verify(claims)
    return found
