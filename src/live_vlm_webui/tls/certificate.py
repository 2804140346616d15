"""The self-signed certificate: created at first start for all names and addresses of this machine, and renewed.

It is not a certificate authority: browsers warn about it once, and trusting it does not extend to other names.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from live_vlm_webui.config import data_dir
from live_vlm_webui.errors import SettingsError

logger = logging.getLogger(__name__)

CERTIFICATE_FILE = "certificate.pem"
KEY_FILE = "key.pem"
LIFETIME = timedelta(days=800)
"""Apple's systems reject certificates that are valid for more than 825 days (support.apple.com/en-us/103769)."""
SKEW = timedelta(days=1)
"""Tolerance for other clocks; part of ``LIFETIME``."""
RENEWED_BEFORE = timedelta(days=30)
MOST_ADDRESSES = 64
LONGEST_COMMON_NAME = 64

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Wanted:
    """What a certificate covers: names in lower case, and addresses.

    Attributes:
        needed: What it must cover; else a new one is created.
        more: What a new one covers as well.
    """

    needed: tuple[str | Address, ...]
    more: tuple[str | Address, ...] = ()

    @property
    def names(self) -> list[str]:
        """All names."""
        return list(dict.fromkeys(one for one in (*self.needed, *self.more) if isinstance(one, str)))

    @property
    def addresses(self) -> list[Address]:
        """The first ``MOST_ADDRESSES`` addresses."""
        found = dict.fromkeys(one for one in (*self.needed, *self.more) if not isinstance(one, str))
        return list(found)[:MOST_ADDRESSES]


@dataclass(frozen=True)
class Certificate:
    """A description of a certificate.

    Attributes:
        path: The PEM file.
        names: The names and addresses that it covers.
        not_before: UTC.
        not_after: UTC.
        fingerprint: Its SHA-256, as browsers show it: ``AB:CD:...``.
    """

    path: Path
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    fingerprint: str


def kept_certificate(directory: Path, wanted: Wanted, now: datetime | None = None) -> tuple[Path, Path]:
    """Return the files of the certificate and its key in ``directory``; create them if none suits ``wanted``.

    The caller holds the lock of the data directory.

    Args:
        directory: The directory of both files.
        wanted: What the certificate must cover.
        now: The time in UTC; None uses the clock.

    Raises:
        SettingsError: They can be neither read nor created.
    """
    now = now or datetime.now(timezone.utc)
    certificate, key = directory / CERTIFICATE_FILE, directory / KEY_FILE
    reason = _unfit(certificate, key, wanted, now)
    if reason:
        logger.info("creating a certificate: %s", reason)
        pem, key_pem = make(wanted, now)
        # If killed in between, the key does not match, and both are created again.
        data_dir.write(key, key_pem)
        data_dir.write(certificate, pem, data_dir.PUBLIC_FILE)
    return certificate, key


def make(wanted: Wanted, now: datetime) -> tuple[bytes, bytes]:
    """Create a certificate (ECDSA P-256) and its key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    machine = next((name for name in wanted.names if name != "localhost"), "this machine")
    common = f"live-vlm-webui on {machine}"[:LONGEST_COMMON_NAME]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in wanted.names]
    names += [x509.IPAddress(address) for address in wanted.addresses]
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_digital_signature(), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False),
        (x509.SubjectAlternativeName(names), False),
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now - SKEW + LIFETIME)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return pem, key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def describe(path: Path) -> Certificate:
    """Describe the first certificate in a PEM file.

    Raises:
        OSError: It cannot be read.
        ValueError: It contains no certificate.
    """
    certificate = _load(path.read_bytes())
    names, addresses = _names_of(certificate)
    return Certificate(
        path=path,
        names=(*names, *map(str, addresses)),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(":").upper(),
    )


def _unfit(path: Path, key_path: Path, wanted: Wanted, now: datetime) -> str:
    """Return why the existing certificate cannot be used; empty if it can."""
    try:
        key_pem = data_dir.read_private(key_path)
    except SettingsError as error:
        logger.warning("%s", error.message)
        return "the existing key cannot be used"
    if key_pem is None or not path.exists():
        return "there is none yet"
    try:
        certificate = _load(path.read_bytes())
        matches = certificate.public_key() == _load_key(key_pem).public_key()
        names, addresses = _names_of(certificate)
    except (OSError, ValueError, TypeError):
        return "the existing one cannot be read"
    if not matches:
        return "the existing one does not match its key"
    if certificate.not_valid_after_utc - now < RENEWED_BEFORE:
        return f"the existing one expires on {certificate.not_valid_after_utc:%Y-%m-%d}"
    coverable = {*wanted.names, *wanted.addresses}  # a machine may have more addresses than a certificate takes
    missing = [str(one) for one in wanted.needed if one in coverable and one not in names and one not in addresses]
    return f"the existing one does not cover {', '.join(missing)}" if missing else ""


def _load(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def _load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not a key created here")  # noqa: TRY004  # what is in a file is a value
    return key


def _names_of(certificate: x509.Certificate) -> tuple[list[str], list[Address]]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    addresses = names.get_values_for_type(x509.IPAddress)
    return names.get_values_for_type(x509.DNSName), [
        one for one in addresses if isinstance(one, IPv4Address | IPv6Address)
    ]


def _digital_signature() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
