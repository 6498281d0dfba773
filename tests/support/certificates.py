"""Certificates for tests, made on the spot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


class Certificate(NamedTuple):
    """Two files in PEM."""

    certificate: Path
    key: Path


def make_certificate(
    directory: Path,
    *,
    name: str = "server",
    days: int = 30,
    age: int = 1,
    rsa_bits: int | None = None,
    ca: Certificate | None = None,
) -> Certificate:
    """Write a certificate for 127.0.0.1, self-signed or signed by a CA, and its key.

    It is valid from `age` days ago until `days` from now. The key is EC, or RSA of so
    many bits.
    """
    key = (
        rsa.generate_private_key(65537, rsa_bits)
        if rsa_bits
        else ec.generate_private_key(ec.SECP256R1())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "snom_buttons test")])
    issuer, signing_key = subject, key
    if ca is not None:
        issuer = x509.load_pem_x509_certificate(ca.certificate.read_bytes()).subject
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signing_key = serialization.load_pem_private_key(ca.key.read_bytes(), None)  # type: ignore[assignment]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=age))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName(
                [
                    x509.DNSName("localhost"),
                    # mbedTLS 2.28, and so linphone, looks for addresses only here.
                    x509.DNSName("127.0.0.1"),
                    x509.IPAddress(ip_address("127.0.0.1")),
                    x509.IPAddress(ip_address("::1")),
                ]
            ),
            critical=False,
        )
        .add_extension(
            x509.BasicConstraints(ca=ca is None, path_length=0 if ca is None else None),
            critical=True,
        )
        .sign(signing_key, hashes.SHA256())
    )
    certificate_path = directory / f"{name}.crt"
    key_path = directory / f"{name}.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Certificate(certificate_path, key_path)


# cryptography keeps the class of dates that it meets first, which must not be the one of
# a test in which time stands still.
with TemporaryDirectory() as directory:
    make_certificate(Path(directory))
