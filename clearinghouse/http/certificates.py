"""Certificates: a development authority and what it signs, and the reading and checking of any pair of files."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from clearinghouse.domain.errors import ClearinghouseError

AUTHORITY = "ca"
AUTHORITY_LIFE = timedelta(days=5 * 365)
SERVER_LIFE = timedelta(days=397)
SKEW = timedelta(minutes=10)


class BadCertificate(ClearinghouseError):  # noqa: N818
    """A certificate or key that cannot be used; the text tells which and why."""


@dataclass(frozen=True, kw_only=True)
class TlsFiles:
    """Where the certificate chain and its private key are, in PEM."""

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True, repr=False)
class TlsPair:
    """A chain and the key that belongs to its first certificate, as bytes that every server takes: PEM and PKCS#8."""

    chain: bytes
    key: bytes


def read_pair(files: TlsFiles) -> TlsPair:
    """The pair in the files. Keys may be PKCS#1, SEC 1 or PKCS#8. Raises BadCertificate, never with a secret in it."""
    chain, key_bytes = _bytes(files.certificate), _bytes(files.key)
    try:
        certificates = x509.load_pem_x509_certificates(chain)
    except ValueError as error:
        raise BadCertificate(f"{files.certificate} holds no PEM certificate") from error
    try:
        key = load_pem_private_key(key_bytes, password=None)
    except TypeError:
        raise BadCertificate(f"{files.key} is encrypted; a server needs a key without a passphrase") from None
    except ValueError:
        raise BadCertificate(f"{files.key} holds no PEM private key") from None
    public = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificates[0].public_key().public_bytes(*public) != key.public_key().public_bytes(*public):
        raise BadCertificate(f"{files.key} is not the key of the first certificate in {files.certificate}")
    if certificates[0].not_valid_after_utc <= datetime.now(UTC):
        raise BadCertificate(f"{files.certificate} ended on {certificates[0].not_valid_after_utc:%Y-%m-%d}")
    return TlsPair(chain=chain, key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def write_private(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write a file that nobody else may read. Raises FileExistsError unless it may be replaced."""
    if replace:
        path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def make(folder: Path, name: str, hosts: Sequence[str], *, force: bool = False) -> TlsFiles:
    """A server certificate for these host names and addresses, signed by the folder's authority (made if missing).

    Raises FileExistsError where the certificate is there and `force` is not given; the authority is never replaced.
    """
    if not hosts:
        raise BadCertificate("a server certificate needs at least one host name or address")
    if name == AUTHORITY or Path(name).name != name:
        raise BadCertificate(f"{name!r} cannot be the name of a server certificate")
    files = TlsFiles(certificate=folder / f"{name}.pem", key=folder / f"{name}.key")
    taken = [path for path in (files.certificate, files.key) if path.exists()]
    if taken and not force:
        raise FileExistsError(f"{taken[0]} is there already")
    folder.mkdir(parents=True, exist_ok=True)
    authority, authority_key = _authority(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(name, key, hosts, authority, authority_key)
    write_private(files.key, _key_bytes(key), replace=force)
    files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM))
    return files


def describe(path: Path) -> list[dict[str, str]]:
    """What the certificates in a file say: subject, hosts, issuer, validity, fingerprint."""
    try:
        certificates = x509.load_pem_x509_certificates(_bytes(path))
    except ValueError as error:
        raise BadCertificate(f"{path} holds no PEM certificate") from error
    return [_described(certificate) for certificate in certificates]


def _described(certificate: x509.Certificate) -> dict[str, str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = ", ".join(str(name.value) for name in names)
    except x509.ExtensionNotFound:
        hosts = ""
    return {
        "subject": certificate.subject.rfc4514_string(),
        "hosts": hosts,
        "issuer": certificate.issuer.rfc4514_string(),
        "from": certificate.not_valid_before_utc.isoformat(),
        "until": certificate.not_valid_after_utc.isoformat(),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(":"),
    }


def _authority(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    files = TlsFiles(certificate=folder / f"{AUTHORITY}.pem", key=folder / f"{AUTHORITY}.key")
    if not files.certificate.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _self_signed(key)
        write_private(files.key, _key_bytes(key))
        files.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
        return certificate, key
    pair = read_pair(files)
    loaded = load_pem_private_key(pair.key, password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise BadCertificate(f"{files.key} is not an authority of this tool")
    return x509.load_pem_x509_certificate(pair.chain), loaded


def _builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name("Clearinghouse development authority")
    return (
        _builder(name, key, AUTHORITY_LIFE)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    hosts: Sequence[str],
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    uses = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(_name(name), key, SERVER_LIFE)
        .issuer_name(authority.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise BadCertificate(f"{host!r} is neither a host name in ASCII nor an address") from error


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadCertificate(f"{path} cannot be read: {error.strerror}") from error
