"""The TLS context: with the user's own certificate, or with a self-signed one."""

from __future__ import annotations

import logging
import ssl
from datetime import datetime, timezone
from pathlib import Path
from typing import NoReturn

from live_vlm_webui.config import data_dir
from live_vlm_webui.config.settings import Settings, is_loopback, read_address
from live_vlm_webui.errors import SettingsError
from live_vlm_webui.network.hosts import is_address, read_authority
from live_vlm_webui.network.local_names import own_addresses, own_names
from live_vlm_webui.tls.certificate import Address, Certificate, Wanted, describe, kept_certificate

logger = logging.getLogger(__name__)

DIRECTORY = "tls"
"""The folder in the data directory."""
BEGIN_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
BEGIN = b"-----BEGIN "
PRIVATE_KEY = b"PRIVATE KEY-----"


def server_context(settings: Settings) -> tuple[ssl.SSLContext, Certificate]:
    """Return the TLS context, and a description of its certificate.

    Raises:
        SettingsError: The user's certificate or key cannot be used, or none can be created.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if settings.ssl_cert is not None:
        certificate = _load_own(context, settings.ssl_cert, settings.ssl_key)
        _warn_of_dates(certificate)
        return context, certificate
    with data_dir.locked(settings.data_dir):
        path, key = kept_certificate(settings.data_dir / DIRECTORY, wanted_names(settings))
        context.load_cert_chain(path, key)
        return context, describe(path)


def wanted_names(settings: Settings) -> Wanted:
    """Return the names and addresses that the certificate must cover.

    A new certificate covers all names and addresses of this machine. But IPv6 addresses change daily on many machines
    (RFC 8981), a laptop's addresses with the network, and each new certificate makes every browser warn again: a new
    one is created only if one of the ``needed`` names is missing.
    """
    everywhere = own_addresses()
    needed: list[str | Address] = ["localhost", *(one for one in everywhere if is_loopback(one))]
    address = settings.address
    if address.is_unspecified:
        needed += [one for one in everywhere if one.version == 4]
    else:
        needed.append(address)
    if not settings.on_loopback:
        needed += own_names()
    for host in settings.allow_hosts:
        name, _ = read_authority(host) or ("", None)
        needed.append(read_address(name) if is_address(name) else name)
    return Wanted(tuple(dict.fromkeys(needed)), (*own_names(), *everywhere))


def _load_own(context: ssl.SSLContext, path: Path, key_path: Path | None) -> Certificate:
    pem = _read(path, "--ssl-cert")
    key_pem = pem if key_path is None else _read(key_path, "--ssl-key")
    if BEGIN_CERTIFICATE not in pem:
        _refuse_certificate(path, pem)
    if PRIVATE_KEY not in key_pem:
        _refuse_key(path, key_path, key_pem)

    def password() -> NoReturn:
        raise _EncryptedError

    try:
        context.load_cert_chain(path, key_path, password=password)
        return describe(path)
    except _EncryptedError:
        raise SettingsError(
            f"The key in {key_path or path} is encrypted and needs a password",
            "Decrypt it into a file that only you can read: `umask 077; openssl pkey -in KEY -out NEW_KEY`.",
        ) from None
    except (ssl.SSLError, ValueError) as error:
        raise _unusable(path, key_path, error) from error


class _EncryptedError(Exception):
    """Raised instead of asking the terminal for a password."""


def _read(path: Path, option: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(data_dir.LARGEST)
    except OSError as error:
        raise SettingsError(
            f"{option}: {path} cannot be read: {error.strerror or error}",
            "Use a PEM file that the user who starts the server can read.",
        ) from error


def _refuse_certificate(path: Path, content: bytes) -> NoReturn:
    if content[:1] == b"\x30":  # the first byte of DER
        raise SettingsError(
            f"--ssl-cert: {path} is DER or PKCS#12, not PEM",
            "Convert it: `openssl x509 -inform der -in FILE -out FILE.pem` or `openssl pkcs12 -in FILE -out FILE.pem`.",
        )
    if BEGIN in content and PRIVATE_KEY in content:
        raise SettingsError(f"--ssl-cert: {path} contains a key and no certificate", "Pass it as --ssl-key.")
    raise SettingsError(
        f"--ssl-cert: {path} contains no certificate", "Use a certificate or a chain of certificates in PEM format."
    )


def _refuse_key(path: Path, key_path: Path | None, content: bytes) -> NoReturn:
    if key_path is None:
        raise SettingsError(
            f"--ssl-cert: {path} contains a certificate without its key", "Pass the key's file as --ssl-key."
        )
    if content[:1] == b"\x30":
        raise SettingsError(
            f"--ssl-key: {key_path} is DER, not PEM", "Convert it: `openssl pkey -inform der -in KEY -out KEY.pem`."
        )
    raise SettingsError(
        f"--ssl-key: {key_path} contains no private key", "Use the private key of --ssl-cert in PEM format."
    )


def _unusable(path: Path, key_path: Path | None, error: Exception) -> SettingsError:
    reason = getattr(error, "reason", None) or ""
    if reason == "KEY_VALUES_MISMATCH":
        return SettingsError(
            f"The key in {key_path or path} does not match the first certificate in {path}",
            "Use the key that was created with the certificate; in a chain, the server's certificate comes first.",
        )
    if reason.endswith(("_TOO_SMALL", "_TOO_WEAK")):
        return SettingsError(
            f"The certificate in {path} is too weak ({reason.lower().replace('_', ' ')})",
            "Use one with ECDSA P-256, or RSA with at least 2048 bits, and SHA-256.",
        )
    broken = path if key_path is None else f"{path} or {key_path}"
    return SettingsError(f"{broken} is damaged: {reason or error}", "Use complete PEM files, as issued.")


def _warn_of_dates(certificate: Certificate) -> None:
    now = datetime.now(timezone.utc)
    if now > certificate.not_after:
        logger.warning(
            "%s expired on %s; browsers will reject it", certificate.path, f"{certificate.not_after:%Y-%m-%d}"
        )
    elif now < certificate.not_before:
        logger.warning(
            "%s is not valid before %s; check the clock", certificate.path, f"{certificate.not_before:%Y-%m-%d}"
        )
