"""Who publishes: as registered at an index, as a job says of itself, as a certificate says of the job that signed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.x509.oid import NameOID

# https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
_FULCIO = "1.3.6.1.4.1.57264.1."
REPOSITORY, WORKFLOW, ENVIRONMENT = f"{_FULCIO}12", f"{_FULCIO}18", f"{_FULCIO}23"
_WORKFLOW_FILE = re.compile(r"[^/]+\.(yml|yaml)(?=@)")
"""The file's name in a workflow's reference, as PyPI finds it (warehouse/oidc/models/github.py)."""
_UTF8_FROM = 8  # the extensions before are in other forms, and say nothing that these do not


@dataclass(frozen=True)
class Publisher:
    """Who may publish, as registered at an index, or who a job is.

    Attributes:
        repository: OWNER/NAME; GitHub compares it without regard to case.
        workflow: The workflow's file name.
        environment: The environment's name, without regard to case; empty is none, or where registered, any.
    """

    repository: str
    workflow: str
    environment: str = ""

    def __str__(self) -> str:
        owner, _, name = self.repository.partition("/")
        environment = f"environment {self.environment}" if self.environment else "no environment"
        return f"owner {owner}, repository {name}, workflow {self.workflow}, {environment}"

    def misfits(self, job: Publisher) -> list[str]:
        """Return in what a job is not this publisher, as an index compares them."""
        found = []
        if job.repository.lower() != self.repository.lower():
            found.append(f"its repository is {job.repository}, not {self.repository}")
        if job.workflow != self.workflow:
            found.append(f"its workflow file is {job.workflow or 'unknown'}, not {self.workflow}")
        if self.environment and job.environment.lower() != self.environment.lower():
            has = f"its environment is {job.environment}" if job.environment else "it has no environment"
            found.append(
                f"{has}, not {self.environment}" if job.environment else f"{has}, and needs {self.environment}"
            )
        return found


@dataclass(frozen=True)
class Certificate:
    """What a signing certificate says, unverified.

    Attributes:
        claims: Of the job that signed, by Fulcio's object identifiers.
        issuer: The organization that issued it; empty if it names none.
    """

    claims: Mapping[str, str] = field(default_factory=dict)
    issuer: str = ""

    @property
    def signer(self) -> Publisher | None:
        """The job that it was issued to; None if it names none."""
        if WORKFLOW not in self.claims:
            return None
        repository = "/".join(self.claims.get(REPOSITORY, "").split("/")[-2:])
        return Publisher(repository, workflow_file(self.claims[WORKFLOW]), self.claims.get(ENVIRONMENT, ""))


def workflow_file(reference: str) -> str:
    """Return the file's name in a reference such as ``OWNER/NAME/.github/workflows/FILE@REF``; empty if it has none."""
    found = _WORKFLOW_FILE.search(reference)
    return found[0] if found else ""


def read_certificate(der: bytes) -> Certificate:
    """Return what a certificate says.

    Raises:
        ValueError: It is none.
    """
    found = x509.load_der_x509_certificate(der)
    try:
        extensions = list(found.extensions)
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise ValueError(str(error)) from error
    organization = found.issuer.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    claims = {}
    for extension in extensions:
        name = extension.oid.dotted_string
        number = name.removeprefix(_FULCIO)
        if number != name and number.isdecimal() and int(number) >= _UTF8_FROM:
            claims[name] = _text(extension.value.public_bytes())
    return Certificate(claims, str(organization[0].value) if organization else "")


def _text(der: bytes) -> str:
    """Return the text of a UTF8String in DER: a tag, the length (with the count of its bytes, if long), the content."""
    if len(der) < 2:
        raise ValueError("it is no text in DER")
    start = 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)
    return der[start:].decode("utf-8")
