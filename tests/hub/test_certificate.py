"""Usable certificates, and the errors of unusable ones."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
import ssl
from types import SimpleNamespace

from cryptography.hazmat.primitives import serialization
import pytest

from custom_components.snom_buttons.hub.certificate import (
    CertificateFiles,
    CertificateProblem,
    load_certificate,
    own_certificate,
)
from homeassistant.core import HomeAssistant
from tests.support.certificates import make_certificate


def test_a_certificate_that_can_be_used(tmp_path: Path) -> None:
    context, expires = load_certificate(
        CertificateFiles(*make_certificate(tmp_path, days=30))
    )
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert abs(expires - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)


def encrypt(key: Path) -> None:
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )


def test_what_is_wrong_with_others(tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    expired, its_key = make_certificate(tmp_path, name="old", days=-1, age=30)
    early, early_key = make_certificate(tmp_path, name="early", age=-1)
    _, another = make_certificate(tmp_path, name="another")
    _, encrypted = make_certificate(tmp_path, name="encrypted")
    encrypt(encrypted)
    rsa, rsa_key = make_certificate(tmp_path, name="rsa", rsa_bits=2048)
    weak, weak_key = make_certificate(tmp_path, name="weak", rsa_bits=1024)
    below_weak = tmp_path / "below_weak"
    below_weak.write_bytes(certificate.read_bytes() + weak.read_bytes())
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("nonsense")
    for files, problem, named in (
        ((tmp_path / "none", key), "file_unreadable", tmp_path / "none"),
        ((tmp_path, key), "file_unreadable", tmp_path),
        ((certificate, tmp_path / "none"), "file_unreadable", tmp_path / "none"),
        ((nonsense, key), "certificate_unreadable", nonsense),
        ((key, key), "certificate_unreadable", key),
        ((certificate, nonsense), "key_unreadable", nonsense),
        ((certificate, encrypted), "key_unreadable", encrypted),
        ((certificate, Path("a\0b")), "key_unreadable", Path("a\0b")),
        ((Path("a\0b"), key), "certificate_unreadable", Path("a\0b")),
        ((certificate, another), "key_of_another_certificate", None),
        ((certificate, rsa_key), "key_of_another_certificate", None),
        ((rsa, key), "key_of_another_certificate", None),
        ((weak, weak_key), "certificate_too_weak", weak),
        ((below_weak, key), "certificate_too_weak", below_weak),
        ((expired, its_key), "certificate_expired", expired),
        ((early, early_key), "certificate_not_valid_yet", early),
    ):
        with pytest.raises(CertificateProblem) as raised:
            load_certificate(CertificateFiles(*files))
        assert raised.value.key == problem
        assert raised.value.placeholders.get("path") == (named and str(named))


def test_home_assistants_own(hass: HomeAssistant) -> None:
    assert own_certificate(hass) is None
    hass.http = SimpleNamespace(ssl_certificate=None, ssl_key=None)  # type: ignore[assignment]
    assert own_certificate(hass) is None
    hass.http = SimpleNamespace(ssl_certificate="/ssl/a.pem", ssl_key="/ssl/b.pem")  # type: ignore[assignment]
    assert own_certificate(hass) == CertificateFiles(
        Path("/ssl/a.pem"), Path("/ssl/b.pem")
    )
