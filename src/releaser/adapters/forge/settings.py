"""What GitHub tells of a token, and of settings that change what a release may do."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, TypeAdapter

from releaser.adapters.forge.http import Subject

# Not found: off, or not shown to this token; the others: only administrators see it, or no such server does.
_NOT_TOLD = (401, 403, 404, 405, 501)


class _Immutable(BaseModel):
    model_config = ConfigDict(frozen=True)

    enabled: bool


_IMMUTABLE = TypeAdapter(_Immutable)


@dataclass(frozen=True)
class TokenSays:
    """What GitHub says of a token with each response.

    Attributes:
        scopes: A classic token's scopes; empty for others.
        expires: When it ends, in GitHub's words; empty where it does not say.
    """

    scopes: tuple[str, ...]
    expires: str


class Settings(Subject):
    """The settings of one repository."""

    def token(self) -> TokenSays:
        """Return what GitHub says of the token.

        Raises:
            ServiceError: GitHub refused it, or did not respond.
        """
        headers = self._http.headers("show the repository", self._repo)
        scopes = headers.get("x-oauth-scopes", "")
        return TokenSays(
            tuple(sorted(filter(None, (one.strip() for one in scopes.split(","))))),
            headers.get("github-authentication-token-expiration", ""),
        )

    def immutable_releases(self) -> bool | None:
        """Return whether published releases can be changed no more; None where GitHub does not tell."""
        found = self._http.find(
            "show whether releases are immutable", f"{self._repo}/immutable-releases", _IMMUTABLE, none_for=_NOT_TOLD
        )
        return found.enabled if found else None
