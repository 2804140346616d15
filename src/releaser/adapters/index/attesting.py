"""Attestations (PEP 740): which job published a file, signed with that job's identity, made before it is uploaded.

sigstore's servers sign for jobs of GitHub. An index on loopback is a rehearsal's: its own authority signs, in the same
form. An index takes attestations with the upload alone, never afterwards.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from pydantic import JsonValue, TypeAdapter

from releaser.adapters import process
from releaser.adapters.connections import is_loopback
from releaser.adapters.http import Http
from releaser.adapters.index.identity import ask_identity, in_github_job, own_variables
from releaser.adapters.index.provenance import Attestation, read_attestation
from releaser.core.files import sha256
from releaser.errors import CommandError, ServiceError

AUDIENCE = "sigstore"
"""Whom an identity is for that signs."""
ENDING = ".publish.attestation"
"""How twine and pypi-attestations name the attestation of a file, after the file's own name."""
_SIGNING_S = 300.0
_OBJECT: TypeAdapter[dict[str, JsonValue]] = TypeAdapter(dict[str, JsonValue])


def cannot_attest() -> str | None:
    """Return why this process can make no attestations; None if it can."""
    return (
        None if in_github_job() else "this is no job of GitHub Actions with `id-token: write`, and only those can sign"
    )


@dataclass(frozen=True)
class Attesting:
    """Makes the attestations of files that go to one index.

    Attributes:
        index: How messages call the index.
        upload_url: Where uploads go.
    """

    index: str
    upload_url: str

    def attest(self, files: Sequence[Path], folder: Path) -> list[Path]:
        """Make one attestation for each file, below an empty folder; return where they are.

        Raises:
            ServiceError: They could not be signed, or what was signed is not what was asked for.
        """
        folder.mkdir(parents=True, exist_ok=True)
        made = [folder / f"{file.name}{ENDING}" for file in files]
        if is_loopback(urlsplit(self.upload_url).netloc):
            self._sign_by_stand_in(files, made)
        else:
            self._sign_by_sigstore(files, folder)
        for file, path in zip(files, made, strict=True):
            self._demand_statement(file, path)
        return made

    def _sign_by_sigstore(self, files: Sequence[Path], folder: Path) -> None:
        copies = [folder / file.name for file in files]
        for file, copy in zip(files, copies, strict=True):
            shutil.copyfile(file, copy)
        try:
            # In a process of its own, which gets the job's identity and no other credential.
            process.ask(
                [sys.executable, "-m", "pypi_attestations", "sign", *copies],
                cwd=folder,
                env=own_variables(),
                purpose="Signing attestations with sigstore",
                within=_SIGNING_S,
            )
        except CommandError as error:
            raise self._failed(f"sigstore did not sign: {error.message.splitlines()[-1]}") from None
        finally:
            for copy in copies:
                copy.unlink(missing_ok=True)

    def _sign_by_stand_in(self, files: Sequence[Path], made: Sequence[Path]) -> None:
        doing, url = "sign an attestation", urljoin(self.upload_url, "/_/sigstore/attest")
        for file, path in zip(files, made, strict=True):
            identity = ask_identity(AUDIENCE)
            if identity is None:
                raise self._failed("the CI service gave this job no identity to sign with")
            body = {"token": identity.reveal(), "name": file.name, "sha256": sha256(file)}
            response = self._http.send("POST", url, doing, json=body)
            if not response.ok:
                raise self._http.refusal(response, doing)
            self._http.document(response, _OBJECT, doing)
            path.write_bytes(response.content)

    def _demand_statement(self, file: Path, path: Path) -> None:
        """Read what was signed: an index would refuse the upload for another name, digest or kind."""
        found = read_attestation(path.read_text("utf-8")) if path.is_file() else Attestation()
        if found.subjects != {file.name: sha256(file)} or not found.is_publish:
            raise self._failed(f"what was signed for {file.name} is no publish attestation of these bytes")

    def _failed(self, why: str) -> ServiceError:
        return ServiceError(
            f"No attestations for {self.index}: {why}; nothing was uploaded",
            f"Rerun the job; or set attestations = false in [tool.releaser.{self.index}] to publish without; "
            "they cannot be added later.",
        )

    @cached_property
    def _http(self) -> Http:
        return Http(self.index, f"the upload address of {self.index}")
