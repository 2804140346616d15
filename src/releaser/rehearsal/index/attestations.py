"""Attestations (PEP 740) that come with an upload, checked as PyPI does (warehouse/attestations/services.py).

PyPI has pypi-attestations verify all of it against sigstore's servers. Here the library reads the objects and compares
the certificate with the publisher, and the certificate must be of the index's own authority.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from aiohttp import web
from cryptography import x509
from packaging.utils import parse_sdist_filename, parse_wheel_filename
from pydantic import BaseModel, JsonValue, StrictStr, TypeAdapter, ValidationError
from pypi_attestations import Attestation, AttestationBundle, AttestationType, GitHubPublisher, Provenance
from sigstore.errors import VerificationError

from releaser.adapters.publishers import ENVIRONMENT, Certificate, read_certificate
from releaser.rehearsal.authority import Authority, is_signed, statement_of
from releaser.rehearsal.index.distribution import Distribution, RefusedError
from releaser.rehearsal.index.oidc import TokenRefusedError, TrustedPublishing
from releaser.rehearsal.index.store import MintedToken

AUDIENCE = "sigstore"
_LONGEST = 500  # of what is said of malformed ones: it stands in the status line
_OBJECTS = TypeAdapter(list[Attestation])


class _SigningRequest(BaseModel):
    token: StrictStr
    name: StrictStr
    sha256: StrictStr
    predicate: StrictStr = AttestationType.PYPI_PUBLISH_V1.value


class Attestations:
    """What the index does with attestations.

    Args:
        root: Where its authority's key is kept.
        clock: The time now, with its zone.
    """

    def __init__(self, root: Path, clock: Callable[[], datetime]) -> None:
        self._authority = Authority(root, clock)

    def sign(self, body: bytes, trusted: TrustedPublishing) -> web.Response:
        """Answer ``POST /_/sigstore/attest``: the attestation that the job whose identity comes with it makes."""
        try:
            asked = _SigningRequest.model_validate_json(body)
            claims = trusted.verified(asked.token, AUDIENCE)
            made = self._authority.attest(statement_of(asked.name, asked.sha256, asked.predicate), claims)
        except ValidationError:
            return web.json_response({"message": "The body has no token, name and sha256"}, status=400)
        except TokenRefusedError as refused:
            return web.json_response({"message": refused.error["description"]}, status=401)
        except KeyError as error:
            return web.json_response({"message": f"The identity has no claim {error}"}, status=400)
        return web.json_response(made)

    def provenance_of(self, text: str, minted: MintedToken | None, distribution: Distribution) -> JsonValue:
        """Return the provenance object for an upload form's ``attestations``.

        Raises:
            RefusedError: PyPI would not take them.
        """
        try:
            return self._provenance(text, minted, distribution)
        except RefusedError as refused:
            raise RefusedError(f"Invalid attestations supplied during upload: {refused.reason}") from refused

    def _provenance(self, text: str, minted: MintedToken | None, distribution: Distribution) -> JsonValue:
        if minted is None:
            raise RefusedError("Attestations are only supported when using Trusted Publishing")
        try:
            attestations = _OBJECTS.validate_json(text)
        except ValidationError as error:
            raise RefusedError(f"Malformed attestations: {str(error)[:_LONGEST]}") from error
        if not attestations:
            raise RefusedError("Malformed attestations: an empty attestation set is not permitted")
        if len(attestations) > len(AttestationType):
            raise RefusedError(f"A maximum of {len(AttestationType)} attestations per file are supported")
        publisher, seen = GitHubPublisher.model_validate(minted.publisher), set[str]()
        for one in attestations:
            try:
                predicate = self._verify(one, publisher, distribution)
            except VerificationError as error:
                raise RefusedError(
                    "Could not verify the uploaded artifact using the included attestation: "
                    f"Verification failed: {error}"
                ) from error
            if predicate in seen:
                raise RefusedError(
                    "Multiple attestations for the same file with the same predicate type "
                    f"({predicate}) are not supported"
                )
            seen.add(predicate)
        bundle = AttestationBundle(publisher=publisher, attestations=attestations)
        found: JsonValue = Provenance(attestation_bundles=[bundle]).model_dump(mode="json")
        return found

    def _verify(self, attestation: Attestation, publisher: GitHubPublisher, distribution: Distribution) -> str:
        """Check what `pypi_attestations.Attestation.verify` does, in its words; return the predicate's type."""
        try:
            certificate = x509.load_der_x509_certificate(attestation.verification_material.certificate)
            attestation.to_bundle()
        except ValueError as error:
            raise VerificationError(str(error)) from error
        if not self._authority.issued(certificate):
            raise VerificationError("failed to build chain: the certificate is not of this rehearsal's authority")
        publisher._as_policy().verify(certificate)
        self._verify_environment(read_certificate(attestation.verification_material.certificate), publisher)
        if not is_signed(certificate, attestation.envelope.statement, attestation.envelope.signature):
            raise VerificationError("DSSE: invalid signature")
        return _checked_statement(attestation, distribution)

    @staticmethod
    def _verify_environment(certificate: Certificate, publisher: GitHubPublisher) -> None:
        """Compare the environment too, which PyPI leaves to the token: here both must be of one job."""
        held = certificate.claims.get(ENVIRONMENT, "")
        if publisher.environment and held.lower() != publisher.environment.lower():
            raise VerificationError(
                f"Certificate's Deployment Environment ({held or 'none'}) does not match expected Trusted Publisher "
                f"({publisher.environment})"
            )


def _checked_statement(attestation: Attestation, distribution: Distribution) -> str:
    try:
        statement = attestation.statement
        subjects, predicate = statement["subject"], statement["predicateType"]
        named = [(one.get("name"), one["digest"].get("sha256")) for one in subjects]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise VerificationError(f"invalid statement: {error}") from error
    if len(named) != 1:
        raise VerificationError("too many subjects in statement (must be exactly one)")
    ((name, digest),) = named
    if not name:
        raise VerificationError("invalid subject: missing name")
    parse = parse_wheel_filename if distribution.filename.endswith(".whl") else parse_sdist_filename
    try:
        same = parse(name) == parse(distribution.filename)
    except ValueError as error:
        raise VerificationError(f"invalid subject: {error}") from error
    if not same:
        raise VerificationError(f"subject does not match distribution name: {name} != {distribution.filename}")
    if digest != distribution.digests["sha256"]:
        raise VerificationError("subject does not match distribution digest")
    if predicate not in [one.value for one in AttestationType]:
        raise VerificationError(f"unknown attestation type: {predicate}")
    return str(predicate)
