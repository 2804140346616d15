"""A package index: what it serves, asked over its simple JSON API (PEP 691), and uploads to it by twine."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from packaging.utils import canonicalize_name

from releaser.adapters import process
from releaser.adapters.environment import Changes, proxy_hint
from releaser.adapters.http import RERUN, Http
from releaser.adapters.index import attesting, trusted_publishing
from releaser.adapters.index.files import IndexFile, reason_of, version_of
from releaser.adapters.index.identity import in_ci_job
from releaser.adapters.index.provenance import PROVENANCE, Attestation
from releaser.adapters.index.responses import PAGE, PROJECT, ReleasePage
from releaser.adapters.index.twine_login import (
    IndexAddress,
    credentials_from_twine,
    twine_repository,
    twine_settings,
)
from releaser.adapters.index.twine_upload import run_twine
from releaser.adapters.publishers import Publisher
from releaser.core.activity import current
from releaser.core.files import replacing
from releaser.errors import CommandError, ServiceError, UsageError
from releaser.secret import Secret
from releaser.versions.version import Version

if TYPE_CHECKING:
    import requests

_JSON = "application/vnd.pypi.simple.v1+json"
_NO_CACHE = {"Cache-Control": "no-cache", "Pragma": "no-cache"}


@dataclass(frozen=True)
class Index:
    """One package index.

    Attributes:
        name: What messages call it.
        address: Where it is.
        token: What to upload with; None leaves the login to twine, or to trusted publishing.
        token_env: The variable that the token comes from, for messages.
        upload_limit: Seconds that an upload may take; twine has no time limit of its own.
        publisher: The trusted publisher that the configuration says is registered; None where it names none.
        attests: Whether uploads by trusted publishing come with attestations.
        vouched: The sha256 by name of the files that a job's identity may upload, because another job has built them
            too; None lets it upload nothing.
    """

    name: str
    address: IndexAddress
    token: Secret | None = None
    token_env: str = "PYPI_TOKEN"  # noqa: S105  the name of a variable, not a token
    upload_limit: float = 1800.0
    publisher: Publisher | None = None
    attests: bool = False
    vouched: Mapping[str, str] | None = field(default=None, repr=False, compare=False)

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
        """Return the release's page for people."""
        return f"{self._web}/project/{distribution}/{version.pep440}/"

    def manage_page(self, distribution: str, version: Version) -> str:
        """Return the page whose form yanks the release; PyPI has no API for it."""
        return f"{self._web}/manage/project/{distribution}/release/{version.pep440}/"

    def publishing_page(self, distribution: str) -> str:
        """Return the page that lists a project's trusted publishers; only its owners see it."""
        return f"{self._web}/manage/project/{self.normalized(distribution)}/settings/publishing/"

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
                f"twine knows no repository named {self.address.repository}",
                "Add it to ~/.pypirc, or give upload-url in [tool.releaser].",
            )
        return str(repository["repository"])

    @property
    def _web(self) -> str:
        return (self.address.web_url or urljoin(self.simple_url, "/")).rstrip("/")

    @staticmethod
    def normalized(distribution: str) -> str:
        """Return a project's name as addresses have it."""
        return canonicalize_name(distribution)

    # --- asking ---------------------------------------------------------------------------------------------------

    def all_files(self, distribution: str) -> list[IndexFile]:
        """Return every file of the project, past every cache; empty if the index does not know the project.

        Raises:
            ServiceError: The index refused, or did not respond, or sent something else.
        """
        doing = f"list the files of {distribution}"
        response = self._get(urljoin(self.simple_url, f"{self.normalized(distribution)}/"), _JSON, doing)
        if response is None:
            return []
        found = self._http.document(response, PROJECT, doing)
        return [
            IndexFile(one.filename, one.hashes.get("sha256", ""), where, reason_of(one.yanked), one.uploaded)
            for one in found.files
            if (where := urljoin(response.url, one.url))
        ]

    def files(self, distribution: str, version: Version) -> dict[str, IndexFile]:
        """Return the files of one version, by name."""
        return {one.name: one for one in self.all_files(distribution) if version_of(one.name) == version}

    def versions(self, distribution: str) -> list[Version]:
        """Return the versions with a file that is not yanked, in ascending order."""
        found = {version_of(one.name) for one in self.all_files(distribution) if one.yanked is None}
        return sorted(version for version in found if version)

    def release_page(self, distribution: str, version: Version) -> ReleasePage | None:
        """Return what the release's page shows; None while it is not there.

        Raises:
            ServiceError: The index refused, or did not respond, or sent something else.
        """
        doing = f"show the page of {distribution} {version.pep440}"
        url = urljoin(self.simple_url, f"/pypi/{distribution}/{version.pep440}/json")
        response = self._get(url, "application/json", doing)
        return self._http.document(response, PAGE, doing).info if response is not None else None

    def provenance(self, distribution: str, version: Version, file: str) -> list[Attestation] | None:
        """Return the attestations of a file; None if it has none, or the index tells none.

        Raises:
            ServiceError: The index refused, or did not respond, or sent something else.
        """
        doing = f"show the provenance of {file}"
        name = self.normalized(distribution)
        url = urljoin(self.simple_url, f"/integrity/{name}/{version.pep440}/{file}/provenance")
        response = self._get(url, "application/json", doing)
        return None if response is None else self._http.document(response, PROVENANCE, doing).records()

    def download(self, file: IndexFile, target: Path) -> str:
        """Download a file and put it at `target` when it has arrived whole; return its sha256.

        Raises:
            ServiceError: The transfer broke, or what arrived is not what the index lists.
        """
        doing = f"send {file.name}"

        def refusal(response: requests.Response) -> ServiceError:
            if response.status_code == 404:
                return ServiceError(f"{self.name} lists {file.name} but does not serve it (HTTP 404)", RERUN)
            return self._http.refusal(response, doing)

        with replacing(target) as partial:
            arrived = self._http.download(file.url, partial, doing, headers=_NO_CACHE, refusal=refusal)
            if file.sha256 not in ("", arrived.sha256):
                raise ServiceError(
                    f"{file.name} from {self.name} arrived as {arrived.size} bytes, sha256 {arrived.sha256}; "
                    f"the index lists sha256 {file.sha256}",
                    RERUN,
                )
        return arrived.sha256

    # --- changing -------------------------------------------------------------------------------------------------

    def upload(self, files: Sequence[Path]) -> None:
        """Upload by twine; the token travels in the environment alone, and only of that process. No files: no upload.

        Without a token, and where twine finds no password, a CI job's own identity is exchanged for one, but only
        for files that are vouched for.

        Raises:
            CommandError: twine failed; its message holds what the index said.
            ConflictError: A job's identity would upload what no other job has built.
            ServiceError: The connection broke, or the index gives the job no token.
        """
        if not files:  # They have become visible since the check.
            return
        named = ["--repository", self.address.repository]
        where: list[str | Path] = [
            *(["--repository-url", self.address.upload_url] if self.address.upload_url else named)
        ]
        login: Changes = twine_settings()
        minted = None if self.token else self._minted(files)
        if token := self.token or minted:
            login = {**login, "TWINE_USERNAME": "__token__", "TWINE_PASSWORD": token}
        with TemporaryDirectory(prefix="attestations-") as folder:
            attested = self._attested(files, Path(folder)) if minted else []
            options = [*where, *(["--attestations"] if attested else [])]
            self._run_twine([*options, *files, *attested], files[0].parent, login)

    def _attested(self, files: Sequence[Path], folder: Path) -> list[Path]:
        if not self.attests:
            return []
        if why := attesting.cannot_attest():
            current().tell(f"No attestations: {why}")
            return []
        current().tell(f"Signing attestations of {len(files)} files")
        return attesting.Attesting(self.name, self.upload_url).attest(files, folder)

    def _run_twine(self, arguments: Sequence[str | Path], folder: Path, login: Changes) -> None:
        twine = [sys.executable, "-m", "twine", "--no-color", "upload", "--non-interactive", "--disable-progress-bar"]
        try:
            run_twine([*twine, *arguments], folder, login, self.name, self.upload_limit)
        except process.NoAnswerError as error:
            raise ServiceError(
                f"{error.message}; whether it arrived is unknown",
                "Check the network, then rerun the command. Files that have arrived are not uploaded again.",
            ) from None
        except CommandError as error:
            if '\n  File "' in error.message:  # twine answers a broken connection with a traceback
                raise ServiceError(
                    f"The upload to {self.name} broke off: {error.message.splitlines()[-1]}",
                    f"Rerun the command. Files that have arrived are not uploaded again.{proxy_hint(error.message)}",
                ) from None
            raise CommandError(error.message, self._remedy(error.message) or error.remedy) from None

    def _remedy(self, said: str) -> str | None:
        """Return what to do about some of an index's refusals; None for the rest, which say it themselves."""
        again = "then rerun the command"
        if "cannot create new projects" in said:
            page = f"{self._web}/manage/account/publishing/"
            return f"A first release needs a *pending* publisher: register the workflow as one at {page}, {again}."
        if "Invalid attestations" in said:
            return f"Upload in a job of the registered workflow's own file, not of one that it calls; {again}."
        if "Credential not found" in said or " 401 " in said or " 403 " in said:
            page = f"{self._web}/manage/account/token/"
            return (
                f"Set {self.token_env} to a token that may upload this project (made at {page}), "
                f"or run this in a workflow that is a trusted publisher; {again}."
            )
        return None

    def _minted(self, files: Sequence[Path]) -> Secret | None:
        if not in_ci_job() or credentials_from_twine(self.address, self.token_env):
            return None
        trusted_publishing.refuse_unvouched(self.name, files, self.vouched)
        project = files[0].name.partition("-")[0]
        if self.all_files(project):
            page = self.publishing_page(project)
            where = f"as a publisher of the project at {page}"
        else:
            page = f"{self._web}/manage/account/publishing/"
            where = f"as a pending publisher of {self.normalized(project)}, which the first upload creates, at {page}"
        root = urljoin(self.upload_url, "/")
        return trusted_publishing.TrustedPublishing(self.name, root, where, self.token_env, self.publisher).mint()

    @cached_property
    def _http(self) -> Http:
        return Http(f"{self.name} at {self.simple_url}", f"simple-url in [tool.releaser.{self.name}]", netrc=True)

    def _get(self, url: str, accept: str, doing: str) -> requests.Response | None:
        response = self._http.send("GET", url, doing, headers={"Accept": accept, **_NO_CACHE})
        if response.status_code == 404:
            return None
        if not response.ok:
            raise self._http.refusal(response, doing)
        return response
