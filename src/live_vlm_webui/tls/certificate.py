"""The certificate that is made at first start: for every name and address of this machine, renewed before it ends.

It signs for itself and is no authority, so browsers warn of it once; trusting it gives nobody power over other names.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING

from live_vlm_webui.config import data_dir
from live_vlm_webui.errors import SettingsError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

logger = logging.getLogger(__name__)

CERTIFICATE_FILE = "certificate.pem"
KEY_FILE = "key.pem"
LIFETIME = timedelta(days=800)
"""Apple's systems take no certificate that is valid for more than 825 days (support.apple.com/en-us/103769)."""
SKEW = timedelta(days=1)
"""By which clocks may differ; part of ``LIFETIME``."""
RENEWED_BEFORE = timedelta(days=30)
MOST_ADDRESSES = 64
LONGEST_COMMON_NAME = 64

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Wanted:
    """What a certificate is for: names in lower case, and addresses.

    Attributes:
        needed: Those that it must be for.
        more: Those that it is for when it is made, but is not made anew for.
    """

    needed: tuple[str | Address, ...]
    more: tuple[str | Address, ...] = ()

    @property
    def names(self) -> list[str]:
        """All names."""
        return list(dict.fromkeys(one for one in (*self.needed, *self.more) if isinstance(one, str)))

    @property
    def addresses(self) -> list[Address]:
        """All addresses; of very many the first."""
        found = dict.fromkeys(one for one in (*self.needed, *self.more) if not isinstance(one, str))
        return list(found)[:MOST_ADDRESSES]


@dataclass(frozen=True)
class Certificate:
    """What can be told about a certificate.

    Attributes:
        path: The file, PEM.
        names: Names and addresses that it is for.
        not_before: UTC.
        not_after: UTC.
        fingerprint: SHA-256 of the whole, as browsers show it: ``AB:CD:...``.
    """

    path: Path
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    fingerprint: str


def kept_certificate(directory: Path, wanted: Wanted, now: datetime | None = None) -> tuple[Path, Path]:
    """The files of the certificate and its key kept in ``directory``; made if there is none fit for ``wanted``.

    The caller holds the lock of the data directory.

    Args:
        directory: Where they are kept.
        wanted: What it must be for.
        now: UTC; None asks the clock.

    Raises:
        SettingsError: They can be neither read nor made.
    """
    now = now or datetime.now(timezone.utc)
    certificate, key = directory / CERTIFICATE_FILE, directory / KEY_FILE
    reason = _unfit(certificate, key, wanted, now)
    if reason:
        logger.info("making a certificate: %s", reason)
        pem, key_pem = make(wanted, now)
        # A kill in between leaves a key that does not match: both are made again.
        data_dir.write(key, key_pem)
        data_dir.write(certificate, pem, data_dir.PUBLIC_FILE)
    return certificate, key


def make(wanted: Wanted, now: datetime) -> tuple[bytes, bytes]:
    """Make a certificate (ECDSA, P-256) and its key, both PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

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
    """Tell about the first certificate in a PEM file.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds no certificate.
    """
    from cryptography.hazmat.primitives import hashes

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
    """Why what is kept cannot be used; empty if it can."""
    try:
        key_pem = data_dir.read_private(key_path)
    except SettingsError as error:
        logger.warning("%s", error.message)
        return "the key that is kept cannot be used"
    if key_pem is None or not path.exists():
        return "there is none yet"
    try:
        certificate = _load(path.read_bytes())
        matches = certificate.public_key() == _load_key(key_pem).public_key()
        names, addresses = _names_of(certificate)
    except (OSError, ValueError, TypeError):
        return "the one that is kept cannot be read"
    if not matches:
        return "the one that is kept does not match its key"
    if certificate.not_valid_after_utc - now < RENEWED_BEFORE:
        return f"the one that is kept ends on {certificate.not_valid_after_utc:%Y-%m-%d}"
    missing = [str(one) for one in wanted.needed if one not in names and one not in addresses]
    return f"the one that is kept is not for {', '.join(missing)}" if missing else ""


def _load(pem: bytes) -> x509.Certificate:
    from cryptography import x509

    return x509.load_pem_x509_certificate(pem)


def _load_key(pem: bytes) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ValueError("not one of ours")  # noqa: TRY004  # what is in a file is a value
    return key


def _names_of(certificate: x509.Certificate) -> tuple[list[str], list[Address]]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return [], []
    addresses = names.get_values_for_type(x509.IPAddress)
    return names.get_values_for_type(x509.DNSName), [
        one for one in addresses if isinstance(one, IPv4Address | IPv6Address)
    ]


def _digital_signature() -> x509.KeyUsage:
    from cryptography import x509

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
