"""The certificate of the server for TLS."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
import ssl
from typing import Any, Final

from cryptography.x509 import load_pem_x509_certificates

from homeassistant.core import HomeAssistant

from ..engine.phones import asking_edges
from ..engine.refused import Refused
from .settings import CertificateSettings

# OpenSSL's names of its reasons.
OF_ANOTHER: Final = {
    "KEY_TYPE_MISMATCH",
    "KEY_VALUES_MISMATCH",
    "NO_CERTIFICATE_ASSIGNED",  # for a key of this type
}
TOO_WEAK: Final = {"CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK", "EE_KEY_TOO_SMALL"}


class CertificateProblem(Refused):
    """A certificate that cannot be used."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """The paths of a certificate and its private key, both PEM."""

    certificate: Path
    key: Path


def own_certificate(hass: HomeAssistant) -> CertificateFiles | None:
    """Return the certificate of Home Assistant's web server, None if it has none."""
    http: Any = getattr(hass, "http", None)
    if http is None or not http.ssl_certificate or not http.ssl_key:
        return None
    return CertificateFiles(Path(http.ssl_certificate), Path(http.ssl_key))


def certificate_files(
    hass: HomeAssistant, settings: CertificateSettings
) -> CertificateFiles:
    """Return the configured files, or Home Assistant's. Raises CertificateProblem."""
    certificate, key = settings
    if certificate and key:
        return CertificateFiles(Path(certificate), Path(key))
    if certificate or key:
        raise CertificateProblem("certificate_incomplete")
    if (own := own_certificate(hass)) is None:
        raise CertificateProblem("no_certificate")
    return own


def load_certificate(files: CertificateFiles) -> tuple[ssl.SSLContext, datetime]:
    """Return a context for TLS 1.2 and later, and the expiry of its certificate, in UTC.

    Reads files. Raises CertificateProblem. A renewed certificate needs a new context: a
    context keeps the old certificate if the type of the key differs.
    """
    expires = _expiry(files.certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # Without a password OpenSSL asks for one in the terminal.
        context.load_cert_chain(files.certificate, files.key, password=lambda: "")
    except ssl.SSLError as err:
        if err.reason in OF_ANOTHER:
            raise CertificateProblem("key_of_another_certificate") from err
        if err.reason in TOO_WEAK:
            raise CertificateProblem(
                "certificate_too_weak", path=str(files.certificate), error=err.reason
            ) from err
        raise CertificateProblem("key_unreadable", path=str(files.key)) from err
    except OSError as err:
        raise CertificateProblem(
            "file_unreadable", path=str(files.key), error=err.strerror or str(err)
        ) from err
    except ValueError as err:  # a path with a NUL
        raise CertificateProblem("key_unreadable", path=str(files.key)) from err
    return context, expires


def load_edge_context(files: CertificateFiles, edge_ca: str) -> ssl.SSLContext:
    """Return a context as `load_certificate` does, which asks for the certificate of an edge.

    Reads files. Raises CertificateProblem.
    """
    context, _ = load_certificate(files)
    try:
        return asking_edges(context, edge_ca)
    except ssl.SSLError as err:
        raise CertificateProblem("certificate_unreadable", path=edge_ca) from err
    except OSError as err:
        raise CertificateProblem(
            "file_unreadable", path=edge_ca, error=err.strerror or str(err)
        ) from err
    except ValueError as err:  # a path with a NUL
        raise CertificateProblem("certificate_unreadable", path=edge_ca) from err


def _expiry(path: Path) -> datetime:
    """Return the expiry in UTC. Raises CertificateProblem, also if not valid now."""
    try:
        certificates = load_pem_x509_certificates(path.read_bytes())
    except OSError as err:
        raise CertificateProblem(
            "file_unreadable", path=str(path), error=err.strerror or str(err)
        ) from err
    except ValueError as err:
        raise CertificateProblem("certificate_unreadable", path=str(path)) from err
    leaf, now = certificates[0], datetime.now(UTC)
    begins, expires = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if now < begins:
        raise CertificateProblem(
            "certificate_not_valid_yet",
            path=str(path),
            date=f"{begins:%Y-%m-%d %H:%M} UTC",
        )
    if expires <= now:
        raise CertificateProblem(
            "certificate_expired", path=str(path), date=expires.date().isoformat()
        )
    return expires
