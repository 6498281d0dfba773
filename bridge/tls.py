"""The TLS contexts of the server and of the client of the broker. They read files."""

from pathlib import Path
import ssl
from typing import NamedTuple


class CertificateFiles(NamedTuple):
    """The paths of a certificate and its private key, both PEM."""

    certificate: Path
    private_key: Path


class BrokerTls(NamedTuple):
    """The certificates for the connection to the broker."""

    ca: Path | None
    """None for those that the system trusts."""
    own: CertificateFiles | None
    """The certificate of the client."""


class Contexts(NamedTuple):
    """The contexts of a bridge, from the files as they are now; None without TLS."""

    server: ssl.SSLContext | None = None
    edge: ssl.SSLContext | None = None
    """That of the server which asks for the certificates of edges."""
    broker: ssl.SSLContext | None = None


def server_context(files: CertificateFiles) -> ssl.SSLContext:
    """Return a context for TLS 1.2 and later. Raises ValueError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, files)
    return context


def broker_context(files: BrokerTls) -> ssl.SSLContext:
    """Return a context that verifies the broker. Raises ValueError."""
    context = ssl.create_default_context()
    if files.ca is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(files.ca)
        except OSError as error:  # SSLError is one
            raise ValueError(
                f"{files.ca} cannot be used: {reason_of(error)}"
            ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if files.own is not None:
        _load(context, files.own)
    return context


def _load(context: ssl.SSLContext, files: CertificateFiles) -> None:
    """Load a certificate. Raises ValueError."""
    try:
        # Without a password OpenSSL asks for one in the terminal.
        context.load_cert_chain(*files, password=lambda: "")
    except OSError as error:
        both = f"{files.certificate} with {files.private_key}"
        raise ValueError(f"{both} cannot be used: {reason_of(error)}") from error


def reason_of(error: OSError) -> str:
    """Return why a file of certificates cannot be used."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "").lower() or "not a certificate and its key in PEM"
    return error.strerror or str(error)
