"""Issues and pull requests that are open: those of a milestone, and those opened since a moment."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, TypeAdapter

from releaser.adapters.forge import responses
from releaser.adapters.forge.http import Query, Subject
from releaser.adapters.forge.records import Issue


class _Opened(BaseModel):
    model_config = ConfigDict(frozen=True)

    number: int
    title: str
    created_at: str


class _Published(BaseModel):
    model_config = ConfigDict(frozen=True)

    published_at: str | None = None


_OPENED = TypeAdapter(list[_Opened])
_PUBLISHED = TypeAdapter(_Published)


class Issues(Subject):
    """The issues of one repository."""

    def of_milestone(self, number: int) -> list[Issue]:
        """Return what is open in a milestone."""
        query: Query = {"milestone": number, "state": "open"}
        listed = self._http.pages(f"list milestone {number}", f"{self._repo}/issues", responses.ISSUES, query)
        return [Issue(one.number, one.title) for one in listed]

    def since_release(self, release_id: int) -> list[Issue]:
        """Return what was opened after a release was published, and is open."""
        path = f"{self._repo}/releases/{release_id}"
        when = self._http.call(f"show release {release_id}", "GET", path, _PUBLISHED).published_at
        if when is None:
            return []
        query: Query = {"state": "open", "since": when}  # changed since then; what was opened is among it
        listed = self._http.pages("list the open issues", f"{self._repo}/issues", _OPENED, query)
        # Dates in one form of ISO 8601, in UTC: their order is that of their texts.
        return [Issue(one.number, one.title) for one in listed if one.created_at > when]
