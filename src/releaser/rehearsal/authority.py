"""The rehearsal's own authority, where sigstore's servers are in reality: certificates for jobs, and attestations.

It certifies who a job is as Fulcio does, signs a statement as sigstore's client does, and logs it as Rekor does, in a
log of one entry. ``DIR/authority.pem`` is its key and certificate. No verifier outside of the rehearsal accepts it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import JsonValue

from releaser.core.files import write_atomically

ORGANIZATION = "releaser rehearsal"
SLSA = "https://slsa.dev/provenance/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
_HOST = "https://github.com"
_VALID_FOR = timedelta(minutes=10)
_ECDSA = ec.ECDSA(hashes.SHA256())
_FULCIO = "1.3.6.1.4.1.57264.1"


def now_in_utc() -> datetime:
    """Return the time now, with its zone."""
    return datetime.now(timezone.utc)


class Authority:
    """Issues certificates and signs with them.

    Args:
        root: Where its key is kept; made at first.
        clock: The time now, with its zone.
    """

    def __init__(self, root: Path, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        path = root / "authority.pem"
        if not path.exists():
            write_atomically(path, self._make())
            path.chmod(0o600)
        content = path.read_bytes()
        key = serialization.load_pem_private_key(content, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        self.certificate = x509.load_pem_x509_certificate(content)

    def issued(self, certificate: x509.Certificate) -> bool:
        """Return whether a certificate is one of this authority's."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    def attest(self, statement: bytes, claims: Mapping[str, Any]) -> dict[str, JsonValue]:
        """Return the attestation (PEP 740) that a job with these claims makes of a statement.

        Args:
            statement: An in-toto statement.
            claims: What the job's identity says, for the audience of sigstore.
        """
        certificate, signature, entry = self._sign(statement, claims)
        return {
            "version": 1,
            "verification_material": {"certificate": certificate, "transparency_entries": [entry]},
            "envelope": {"statement": _b64(statement), "signature": signature},
        }

    def bundle(self, statement: bytes, claims: Mapping[str, Any]) -> dict[str, JsonValue]:
        """Return the same as the bundle of sigstore's that GitHub keeps as an artifact attestation."""
        certificate, signature, entry = self._sign(statement, claims)
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {"certificate": {"rawBytes": certificate}, "tlogEntries": [entry]},
            "dsseEnvelope": {
                "payload": _b64(statement),
                "payloadType": PAYLOAD_TYPE,
                "signatures": [{"sig": signature}],
            },
        }

    def _sign(self, statement: bytes, claims: Mapping[str, Any]) -> tuple[str, str, dict[str, JsonValue]]:
        """Return certificate and signature in base64, and the log's entry."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._certify(key.public_key(), claims)
        signature = key.sign(signed_bytes(statement), _ECDSA)
        entry = self._log(statement, signature, certificate.public_bytes(serialization.Encoding.PEM))
        return _b64(certificate.public_bytes(serialization.Encoding.DER)), _b64(signature), entry

    def _make(self) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION)])
        now = self._clock()
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _VALID_FOR)
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return private + certificate.public_bytes(serialization.Encoding.PEM)

    def _certify(self, key: ec.EllipticCurvePublicKey, claims: Mapping[str, Any]) -> x509.Certificate:
        now = self._clock()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.certificate.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + _VALID_FOR)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.UniformResourceIdentifier(f"{_HOST}/{claims['job_workflow_ref']}")]),
                critical=True,
            )
        )
        for number, text in _extensions(claims).items():
            value = x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{_FULCIO}.{number}"), _utf8_string(text))
            builder = builder.add_extension(value, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _log(self, statement: bytes, signature: bytes, certificate: bytes) -> dict[str, JsonValue]:
        """Return what a transparency log says of an entry that is its only one: its leaf is the root."""
        body = json.dumps(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(statement).hexdigest()},
                    "signatures": [{"signature": _b64(signature), "verifier": _b64(certificate)}],
                },
            },
            separators=(",", ":"),
            sort_keys=True,
        ).encode()
        root = hashlib.sha256(b"\x00" + body).digest()
        note = f"{ORGANIZATION}\n1\n{_b64(root)}\n"
        log_id = hashlib.sha256(self.certificate.public_bytes(serialization.Encoding.DER)).digest()
        return {
            "logIndex": "0",
            "logId": {"keyId": _b64(log_id)},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(int(self._clock().timestamp())),
            "inclusionPromise": {"signedEntryTimestamp": _b64(self._key.sign(body, _ECDSA))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": _b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {
                    "envelope": f"{note}\n\u2014 {ORGANIZATION} "
                    f"{_b64(log_id[:4] + self._key.sign(note.encode(), _ECDSA))}\n"
                },
            },
            "canonicalizedBody": _b64(body),
        }


def statement_of(name: str, sha256: str, predicate: str) -> bytes:
    """Return the in-toto statement about one file that says nothing but its kind."""
    return _statement({name: sha256}, predicate, None)


def provenance_of_build(files: Mapping[str, str], claims: Mapping[str, Any]) -> bytes:
    """Return the in-toto statement that GitHub's action attests: where files (sha256 by name) were built.

    https://actions.github.io/buildtypes/workflow/v1
    """
    run = f"{_HOST}/{claims['repository']}/actions/runs/{claims['run_id']}/attempts/{claims['run_attempt']}"
    path, _, ref = str(claims["workflow_ref"]).removeprefix(f"{claims['repository']}/").partition("@")
    predicate: JsonValue = {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {"ref": ref, "repository": f"{_HOST}/{claims['repository']}", "path": path}
            },
            "resolvedDependencies": [
                {
                    "uri": f"git+{_HOST}/{claims['repository']}@{claims['ref']}",
                    "digest": {"gitCommit": str(claims["sha"])},
                }
            ],
        },
        "runDetails": {
            "builder": {"id": f"{_HOST}/{claims['workflow_ref']}"},
            "metadata": {"invocationId": run},
        },
    }
    return _statement(files, SLSA, predicate)


def _statement(files: Mapping[str, str], kind: str, predicate: JsonValue) -> bytes:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in files.items()],
        "predicateType": kind,
        "predicate": predicate,
    }
    return json.dumps(statement, separators=(",", ":")).encode()


def signed_bytes(statement: bytes) -> bytes:
    """Return what is signed of a statement: DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(statement), statement)


def is_signed(certificate: x509.Certificate, statement: bytes, signature: bytes) -> bool:
    """Return whether a statement was signed with a certificate's key."""
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, signed_bytes(statement), _ECDSA)
    except InvalidSignature:
        return False
    return True


def _extensions(claims: Mapping[str, Any]) -> dict[int, str]:
    """Return Fulcio's extensions (github.com/sigstore/fulcio, docs/oid-info.md) for a job, by their numbers."""
    repository, owner = f"{_HOST}/{claims['repository']}", f"{_HOST}/{claims['repository_owner']}"
    found = {
        8: claims["iss"],
        9: f"{_HOST}/{claims['job_workflow_ref']}",
        10: claims.get("job_workflow_sha"),
        11: claims.get("runner_environment"),
        12: repository,
        13: claims["sha"],
        14: claims["ref"],
        15: claims.get("repository_id"),
        16: owner,
        17: claims.get("repository_owner_id"),
        18: f"{_HOST}/{claims.get('workflow_ref', claims['job_workflow_ref'])}",
        19: claims.get("workflow_sha"),
        20: claims.get("event_name"),
        21: f"{repository}/actions/runs/{claims['run_id']}/attempts/{claims.get('run_attempt', 1)}"
        if "run_id" in claims
        else None,
        22: claims.get("repository_visibility"),
        23: claims.get("environment"),
        24: claims["sub"],
    }
    return {number: str(text) for number, text in found.items() if text}


def _utf8_string(text: str) -> bytes:
    """Return text as DER's UTF8String."""
    content = text.encode()
    size = len(content)
    if size < 0x80:
        return bytes([0x0C, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x0C, 0x80 | len(length)]) + length + content


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()
