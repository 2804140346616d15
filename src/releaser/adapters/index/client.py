"""A package index: what it serves, asked over its simple JSON API (PEP 691), and uploads to it by twine."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from releaser.adapters import process
from releaser.adapters.environment import Changes
from releaser.adapters.index import trusted_publishing
from releaser.adapters.index.twine_login import (
    IndexAddress,
    credentials_from_twine,
    twine_repository,
    twine_settings,
)
from releaser.errors import CommandError, ServiceError, UsageError
from releaser.secret import Secret
from releaser.versions.version import Version

_JSON = "application/vnd.pypi.simple.v1+json"
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class IndexFile:
    """One file as the index lists it; `yanked` holds the reason, empty if none was given, None if it is not yanked."""

    name: str
    sha256: str
    url: str
    yanked: str | None


@dataclass(frozen=True)
class Index:
    """One package index.

    Attributes:
        name: What messages call it.
        address: Where it is.
        token: What to upload with; None leaves the login to twine, or to trusted publishing.
        token_env: The variable that the token comes from, for messages.
    """

    name: str
    address: IndexAddress
    token: Secret | None = None
    token_env: str = "PYPI_TOKEN"  # noqa: S105  the name of a variable, not a token

    @property
    def simple_url(self) -> str:
        """The base of the simple API, with a slash at the end; hosts come from the libraries that own them."""
        if self.address.simple_url:
            return self.address.simple_url.rstrip("/") + "/"
        if self.address.repository == "testpypi":
            from twine.utils import TEST_REPOSITORY

            return urljoin(TEST_REPOSITORY, "/simple/")
        from pypi_simple import PYPI_SIMPLE_ENDPOINT

        return PYPI_SIMPLE_ENDPOINT

    def page(self, distribution: str, version: Version) -> str:
        """The release's page for people."""
        return f"{self._web}/project/{distribution}/{version.pep440}/"

    def manage_page(self, distribution: str, version: Version) -> str:
        """The page whose form yanks the release; PyPI has no API for it."""
        return f"{self._web}/manage/project/{distribution}/release/{version.pep440}/"

    @property
    def upload_url(self) -> str:
        """Where uploads go: as configured, else as twine knows the repository.

        Raises:
            UsageError: twine does not know it either.
        """
        if self.address.upload_url:
            return self.address.upload_url
        repository = twine_repository(self.address)
        if repository is None:
            raise UsageError(
                f"twine knows no repository named {self.address.repository}.",
                "Add it to ~/.pypirc, or give upload-url in [tool.releaser].",
            )
        return str(repository["repository"])

    @property
    def _web(self) -> str:
        return (self.address.web_url or urljoin(self.simple_url, "/")).rstrip("/")

    # --- asking ---------------------------------------------------------------------------------------------------

    def all_files(self, distribution: str) -> list[IndexFile]:
        """Every file of the project, past every cache; empty if the index does not know the project.

        Raises:
            ServiceError: The index did not answer, or with an error.
        """
        answer = self._get(urljoin(self.simple_url, f"{_normalized(distribution)}/"), accept=_JSON)
        if answer is None:
            return []
        try:
            return [
                IndexFile(
                    str(one["filename"]),
                    str(one["hashes"].get("sha256", "")),
                    urljoin(answer.url, one["url"]),
                    _reason(one.get("yanked", False)),
                )
                for one in answer.json()["files"]
            ]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ServiceError(
                f"{self.name} at {self.simple_url} does not answer in the simple JSON form (PEP 691).",
                "Check simple-url in [tool.releaser].",
            ) from None

    def files(self, distribution: str, version: Version) -> dict[str, IndexFile]:
        """The files of one version, by name."""
        return {one.name: one for one in self.all_files(distribution) if version_of(one.name) == version}

    def versions(self, distribution: str) -> list[Version]:
        """The versions with a file that is not yanked, in ascending order."""
        found = {version_of(one.name) for one in self.all_files(distribution) if one.yanked is None}
        return sorted(version for version in found if version)

    def metadata(self, distribution: str, version: Version) -> dict[str, Any] | None:
        """What the release's page is made of (PyPI's JSON API); None while it is not there."""
        answer = self._get(
            urljoin(self.simple_url, f"/pypi/{distribution}/{version.pep440}/json"), accept="application/json"
        )
        if answer is None:
            return None
        try:
            return dict(answer.json())
        except (ValueError, TypeError):
            raise ServiceError(
                f"{self.name} does not answer in JSON to GET {answer.url}.", "Check simple-url in [tool.releaser]."
            ) from None

    def download(self, file: IndexFile, target: Path) -> str:
        """Fetches a file's bytes and returns their sha256."""
        answer = self._get(file.url, accept="*/*")
        if answer is None:
            raise ServiceError(f"{self.name} lists {file.name} and does not serve it.", "Wait a little and run again.")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(answer.content)
        return hashlib.sha256(answer.content).hexdigest()

    # --- changing -------------------------------------------------------------------------------------------------

    def upload(self, files: Sequence[Path]) -> None:
        """Uploads by twine; the token travels in the environment alone, and only of that process. No files: no upload.

        Without a token, and where twine finds no password either, a CI job's own identity is exchanged for one.

        Raises:
            CommandError: twine failed; its message holds what the index said.
            ServiceError: The connection broke, or the index gives the job no token.
        """
        if not files:  # They have become visible since somebody looked.
            return
        named = ["--repository", self.address.repository]
        where = ["--repository-url", self.address.upload_url] if self.address.upload_url else named
        login: Changes = twine_settings()
        if token := self.token or self._minted(files[0]):
            login = {**login, "TWINE_USERNAME": "__token__", "TWINE_PASSWORD": token}
        twine = [sys.executable, "-m", "twine", "--no-color", "upload", "--non-interactive", "--disable-progress-bar"]
        try:
            process.run(
                [*twine, *where, *files],
                cwd=files[0].parent,
                env={"NO_COLOR": "1", "COLUMNS": "200", **login},
                purpose=f"Uploading to {self.name}",
            )
        except CommandError as error:
            if '\n  File "' in error.message:  # twine answers a broken connection with a traceback
                raise ServiceError(
                    f"The upload to {self.name} broke off: {error.message.splitlines()[-1]}.",
                    "Nothing is lost: run the same command again, it recognises what already arrived.",
                ) from None
            raise CommandError(error.message, self._remedy(error.message) or error.remedy) from None

    def _remedy(self, said: str) -> str | None:
        """What some of an index's refusals mean; None for the rest, which say it themselves."""
        again = "then run the same command again"
        if "cannot create new projects" in said:
            page = f"{self._web}/manage/account/publishing/"
            return f"A first release needs a *pending* publisher: register the workflow as one at {page}, {again}."
        if "Credential not found" in said or " 401 " in said or " 403 " in said:
            page = f"{self._web}/manage/account/token/"
            return (
                f"Set {self.token_env} to a token that may upload this project (made at {page}), "
                f"or run this in a workflow that is a trusted publisher; {again}."
            )
        return None

    def _minted(self, file: Path) -> Secret | None:
        if not trusted_publishing.in_ci_job() or credentials_from_twine(self.address):
            return None
        project = file.name.partition("-")[0]
        if self.all_files(project):
            page = f"{self._web}/manage/project/{_normalized(project)}/settings/publishing/"
            where = f"as a publisher of the project at {page}"
        else:
            page = f"{self._web}/manage/account/publishing/"
            where = f"as a pending publisher of {_normalized(project)}, which the first upload creates, at {page}"
        root = urljoin(self.upload_url, "/")
        return trusted_publishing.TrustedPublishing(self.name, root, where, self.token_env).mint()

    def _get(self, url: str, *, accept: str) -> Any:
        import requests

        headers = {"Accept": accept, "Cache-Control": "no-cache", "Pragma": "no-cache"}
        try:
            answer = requests.get(url, headers=headers, timeout=_TIMEOUT_S)
        except requests.RequestException as error:
            raise ServiceError(
                f"{self.name} at {self.simple_url} did not answer: {type(error).__name__}.",
                "Check the network and run the same command again; nothing is lost.",
            ) from None
        if answer.status_code == 404:
            return None
        if not answer.ok:
            raise ServiceError(
                f"{self.name} answered {answer.status_code} {answer.reason} to GET {url}.",
                "Wait until it is well again, then run the same command again.",
            )
        return answer


def version_of(filename: str) -> Version | None:
    """The version that a wheel's or an sdist's name holds; None for other names and versions without a SemVer form."""
    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    try:
        found = parse_wheel_filename(filename)[1] if filename.endswith(".whl") else parse_sdist_filename(filename)[1]
    except (InvalidSdistFilename, InvalidWheelFilename):
        return None
    return Version.from_pep440(str(found))


def _normalized(distribution: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(distribution)


def _reason(yanked: object) -> str | None:
    if yanked is False or yanked is None:
        return None
    return yanked if isinstance(yanked, str) else ""
