"""Repairs of a server, and how they go away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from http import HTTPStatus
import json
from pathlib import Path
import re
import socket
import ssl
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from markdown_it import MarkdownIt
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.engine.phones import outbox
from custom_components.snom_buttons.engine.phones.reception import (
    MORE_PRESSES,
    OWN_PRESSES,
)
from custom_components.snom_buttons.hub.issues import (
    CHECK_ADDRESS,
    CHECK_CERTIFICATE,
    MAX_SOURCES,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from tests.support.certificates import make_certificate
from tests.support.clock import hurrying
from tests.support.entries import PASSWORD, Phones, update_phone
from tests.support.flows import TEXTS
from tests.support.hammer import press
from tests.support.ports import LOCALHOST, free_port
from tests.support.rawphone import RawPhone
from tests.support.rawstream import StreamPhone
from tests.support.stranger import Stranger

ISSUES = TEXTS["issues"]


def issue(hass: HomeAssistant, name: str) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue("snom_buttons", name)


def shown(text: str) -> str:
    """Return Markdown without its escapes."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text)


def said(found: ir.IssueEntry | None) -> str:
    """Return the text of an issue as the user reads it."""
    assert found is not None
    assert found.translation_key is not None
    texts = ISSUES[found.translation_key]
    text = (
        texts.get("description") or texts["fix_flow"]["step"]["confirm"]["description"]
    )
    texts["title"].format(**(found.translation_placeholders or {}))
    return shown(text.format(**(found.translation_placeholders or {})))


def certificate_issue(
    hass: HomeAssistant, entry: MockConfigEntry
) -> ir.IssueEntry | None:
    """Return the issue of the certificate: at most one at a time."""
    issues = ir.async_get(hass).issues
    found = [
        issues["snom_buttons", issue_id]
        for _, issue_id in issues
        if issue_id.startswith(f"certificate_{entry.entry_id}")
    ]
    assert len(found) <= 1
    return found[0] if found else None


def ignore(hass: HomeAssistant, found: ir.IssueEntry | None) -> None:
    """Ignore an issue, as a user does."""
    assert found is not None
    ir.async_ignore_issue(hass, "snom_buttons", found.issue_id, ignore=True)


async def refusing(
    hass: HomeAssistant, phones: Phones, reason: str = "Whatever"
) -> RawPhone:
    """Return a phone that refuses documents, once that is reported."""
    phone: RawPhone = await phones()
    phone.reason = reason
    await phone.shows("4")
    phone.answer = 415
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    await phone.until(lambda: issue(hass, "refuses_subentry_44") is not None)
    return phone


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "FIRST_RETRY", 0.01)


@pytest.mark.usefixtures("quick_retries")
async def test_a_phone_that_keeps_refusing(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    name = "refuses_subentry_44"
    phone = await refusing(hass, phones)
    found = issue(hass, name)
    assert said(found).startswith(
        "Phone 44 has answered several times with: 415 Whatever."
    )
    assert found is not None
    assert not found.is_fixable
    phone.answer = 200
    assert (await phone.register()).status == 200
    await phone.shows("1", c="on")
    await phone.press("1")  # which arrives after its answer
    await hass.async_block_till_done()
    assert issue(hass, name) is None


@pytest.mark.usefixtures("quick_retries")
async def test_an_answer_and_a_name_make_no_links_in_a_repair(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    name = "*Küche* www.example.test"
    update_phone(hass, server, title=name)
    await hass.async_block_till_done()
    await refusing(hass, phones, "Renew at http://evil.test/?id=44")
    found = issue(hass, "refuses_subentry_44")
    assert found is not None
    placeholders = found.translation_placeholders or {}
    texts = ISSUES["phone_refuses"]
    # The title is no Markdown.
    assert texts["title"].format(**placeholders) == f"{name} refuses what it is sent"
    html = MarkdownIt("gfm-like").render(texts["description"].format(**placeholders))
    assert html.startswith(
        f"<p>{name} has answered several times with: 415 Renew at"
        " http://evil.test/?id=44. Its keys"
    )


@pytest.mark.usefixtures("quick_retries")
async def test_a_phone_that_refused_and_is_removed(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    await refusing(hass, phones)
    hass.config_entries.async_remove_subentry(server, "subentry_44")
    await hass.async_block_till_done()
    assert issue(hass, "refuses_subentry_44") is None


async def test_a_phone_that_exceeds_its_share(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """What reaches the bus, and with it the recorder, is bounded."""
    presses = async_capture_events(hass, "snom_buttons_key_press")
    phone: RawPhone = await phones()
    await phone.shows("4")
    for number in range(1000):
        data = press(phone, number, "k=1\r\nk=2\r\nk=3\r\nk=4\r\n")
        phone._transport.sendto(data, phone.server)
        if number % 50 == 0:
            await asyncio.sleep(0)
    name = "exceeds_subentry_44"
    await phone.until(lambda: issue(hass, name) is not None)
    found = issue(hass, name)
    assert said(found).startswith("Phone 44 sends far more messages or presses")
    assert found is not None
    assert not found.is_fixable
    allowed = OWN_PRESSES.at_once + MORE_PRESSES.at_once
    assert 0 < len(presses) < 2 * allowed
    # It goes away by itself when the phone is calm.
    withdrawn = hass.loop.create_future()
    subscribe = hass.bus.async_listen(
        ir.EVENT_REPAIRS_ISSUE_REGISTRY_UPDATED,
        lambda event: withdrawn.done() or withdrawn.set_result(event.data),
    )
    with hurrying(hass.loop):
        assert (await withdrawn)["action"] == "remove"
    subscribe()
    assert issue(hass, name) is None


@pytest.fixture
async def guesser(server: MockConfigEntry, port: int) -> AsyncIterator[RawPhone]:
    """Return a phone that has not registered."""
    async with RawPhone((LOCALHOST, port), "44", PASSWORD) as phone:
        yield phone


async def guess(phone: RawPhone) -> None:
    """Give wrong passwords until the address is locked out."""
    phone.password = "wrong"
    for _ in range(10):
        assert (await phone.register()).status == 401


async def test_a_source_that_is_locked_out_can_be_let_in_again(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    server: MockConfigEntry,
    guesser: RawPhone,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await async_setup_component(hass, "repairs", {})
    await guess(guesser)
    name = f"locked_out_{server.entry_id}"
    found = issue(hass, name)
    assert "Too many wrong passwords came from 127.0.0.1." in said(found)
    assert found is not None
    assert found.is_fixable
    assert caplog.text.count("127.0.0.1 gave 10 wrong passwords") == 1
    assert "wrong" not in caplog.text.replace("wrong passwords", "").replace(
        "Wrong credentials", ""
    )
    client = await hass_client()
    flow = await client.post(
        "/api/repairs/issues/fix", json={"handler": "snom_buttons", "issue_id": name}
    )
    form = await flow.json()
    assert form["step_id"] == "confirm"
    assert shown(form["description_placeholders"]["sources"]) == "127.0.0.1"
    done = await client.post(f"/api/repairs/issues/fix/{form['flow_id']}", json={})
    assert done.status == HTTPStatus.OK
    await hass.async_block_till_done()
    assert issue(hass, name) is None
    guesser.password = PASSWORD
    assert (await guesser.register()).status == 200


async def test_what_strangers_call_themselves_is_not_shown(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    """Through a proxy it could be any text."""
    proxy = "Via: SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKproxy"
    with Stranger((LOCALHOST, port), "127.0.9.1") as stranger:
        for user in ("44", "[Click](http://a.test)"):
            for number in range(10):
                await stranger.guess(f"wrong{number}", proxy, user=user)
    text = said(issue(hass, f"locked_out_{server.entry_id}"))
    assert "127.0.9.1 (44)" in text
    assert "Click" not in text


async def test_only_some_of_many_sources_are_named(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    for host in range(1, MAX_SOURCES + 2):
        with Stranger((LOCALHOST, port), f"127.0.9.{host}") as stranger:
            for number in range(10):
                await stranger.guess(f"wrong{number}")
    text = said(issue(hass, f"locked_out_{server.entry_id}"))
    assert f"127.0.9.{MAX_SOURCES}, …" in text
    assert f"127.0.9.{MAX_SOURCES + 1}" not in text


async def test_issues_go_with_the_server(
    hass: HomeAssistant, server: MockConfigEntry, guesser: RawPhone
) -> None:
    await guess(guesser)
    assert issue(hass, f"locked_out_{server.entry_id}") is not None
    assert await hass.config_entries.async_unload(server.entry_id)
    assert issue(hass, f"locked_out_{server.entry_id}") is None


def with_tls(entry: MockConfigEntry, certificate: Path, key: Path) -> dict[str, Any]:
    """Return the data of a server that has TLS."""
    return {
        **entry.data,
        "tls": {
            "enabled": True,
            "port": free_port(),
            "certificate": str(certificate),
            "private_key": str(key),
        },
    }


async def pass_time(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, time: timedelta
) -> None:
    freezer.tick(time + timedelta(seconds=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_a_certificate_that_expires_and_is_renewed(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    tmp_path: Path,
    freezer: FrozenDateTimeFactory,
) -> None:
    certificate, key = make_certificate(tmp_path, days=20)
    data = with_tls(config_entry, certificate, key)
    hass.config_entries.async_update_entry(config_entry, data=data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    server = config_entry.runtime_data.server
    assert server.address_of("TLS") == (LOCALHOST, data["tls"]["port"])
    assert certificate_issue(hass, config_entry) is None
    await pass_time(hass, freezer, timedelta(days=7))
    assert f"The certificate {certificate}" in said(
        certificate_issue(hass, config_entry)
    )
    assert "expires on" in said(certificate_issue(hass, config_entry))
    await pass_time(hass, freezer, timedelta(days=20))
    assert "expired on" in said(certificate_issue(hass, config_entry))
    make_certificate(tmp_path, days=90)
    await pass_time(hass, freezer, CHECK_CERTIFICATE)
    assert certificate_issue(hass, config_entry) is None
    assert config_entry.runtime_data.server is server


async def test_the_certificates_of_edges(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    tmp_path: Path,
    freezer: FrozenDateTimeFactory,
) -> None:
    certificate, key = make_certificate(tmp_path)
    ca = tmp_path / "ca.crt"
    data = with_tls(config_entry, certificate, key)
    data["access"] = {**data.get("access", {}), "edge_ca": str(ca)}
    hass.config_entries.async_update_entry(config_entry, data=data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    assert f"{ca} cannot be read" in said(certificate_issue(hass, config_entry))
    server = config_entry.runtime_data.server
    assert server.address_of("TLS") is not None
    make_certificate(tmp_path, name="ca")
    await pass_time(hass, freezer, CHECK_CERTIFICATE)
    assert certificate_issue(hass, config_entry) is None
    assert config_entry.runtime_data.server is server
    first = server.edge_context
    assert first.verify_mode is ssl.CERT_OPTIONAL
    await pass_time(hass, freezer, CHECK_CERTIFICATE)
    assert server.edge_context is not first
    assert server.context.verify_mode is ssl.CERT_NONE


async def test_an_ignored_expiry_is_reported_again_when_it_has_expired(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    tmp_path: Path,
    freezer: FrozenDateTimeFactory,
) -> None:
    data = with_tls(config_entry, *make_certificate(tmp_path, days=7))
    hass.config_entries.async_update_entry(config_entry, data=data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    ignore(hass, certificate_issue(hass, config_entry))
    await pass_time(hass, freezer, CHECK_CERTIFICATE)
    found = certificate_issue(hass, config_entry)
    assert found is not None
    assert found.dismissed_version  # as long as nothing changes
    await pass_time(hass, freezer, timedelta(days=7))
    found = certificate_issue(hass, config_entry)
    assert "expired on" in said(found)
    assert found is not None
    assert found.dismissed_version is None


async def restart(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Do what a restart of Home Assistant does to a server and to the issues."""
    hass.set_state(CoreState.stopping)
    assert await hass.config_entries.async_unload(entry.entry_id)
    store = ir.async_get(hass)._store
    stored = json.loads(json.dumps(ir.async_get(hass)._data_to_save()))
    hass.set_state(CoreState.running)
    with patch.object(store, "async_load", return_value=stored):
        await ir.async_get(hass).async_load()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def test_what_is_ignored_stays_so_after_a_restart(
    hass: HomeAssistant, config_entry: MockConfigEntry, tmp_path: Path
) -> None:
    data = with_tls(config_entry, *make_certificate(tmp_path, days=7))
    hass.config_entries.async_update_entry(config_entry, data=data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    ignore(hass, certificate_issue(hass, config_entry))
    await restart(hass, config_entry)
    found = certificate_issue(hass, config_entry)
    assert found is not None
    assert found.active
    assert found.dismissed_version
    # An issue that went away is not ignored when it comes back.
    make_certificate(tmp_path, days=90)
    await restart(hass, config_entry)
    assert certificate_issue(hass, config_entry) is None


async def test_that_mqtt_is_missing_stays_ignored_after_a_restart(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    hass.config_entries.async_update_entry(config_entry, options={"mqtt": True})
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    name = f"mqtt_missing_{config_entry.entry_id}"
    ignore(hass, issue(hass, name))
    for job in hass._shutdown_jobs:  # which Home Assistant runs before it stops
        await hass.async_run_hass_job(job.job)
    await restart(hass, config_entry)
    found = issue(hass, name)
    assert found is not None
    assert found.active
    assert found.dismissed_version


async def test_the_name_of_a_server_has_nothing_that_no_name_has(
    hass: HomeAssistant, config_entry: MockConfigEntry
) -> None:
    """Home Assistant's own dialogue accepts any text as the name of an entry."""
    title = "\x1b[2J\u202eGround\nfloor"
    hass.config_entries.async_update_entry(
        config_entry, title=title, options={"mqtt": True}
    )
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    found = issue(hass, f"mqtt_missing_{config_entry.entry_id}")
    assert said(found).startswith("[2JGroundfloor is to be published over MQTT")


async def test_a_lock_out_is_reported_anew_after_a_restart(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    """The restart has ended the lock-out."""
    name = f"locked_out_{server.entry_id}"
    async with RawPhone((LOCALHOST, port), "44", PASSWORD) as phone:
        await guess(phone)
        ignore(hass, issue(hass, name))
        await restart(hass, server)
        assert issue(hass, name) is None
        await guess(phone)
    found = issue(hass, name)
    assert found is not None
    assert found.dismissed_version is None


def client_context(version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return the context of a phone that accepts any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    return context


async def shown_certificate(
    address: tuple[str, int], context: ssl.SSLContext, server_hostname: str
) -> str:
    """Return the certificate that a new connection gets, as PEM."""
    _, writer = await asyncio.open_connection(
        *address, ssl=context, server_hostname=server_hostname
    )
    shown: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return ssl.DER_cert_to_PEM_cert(shown)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("before", "after"), [(2048, None), (None, 2048)])
async def test_a_renewed_certificate_with_another_type_of_key(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    tmp_path: Path,
    freezer: FrozenDateTimeFactory,
    *,
    version: ssl.TLSVersion,
    before: int | None,
    after: int | None,
) -> None:
    """New connections get it; existing connections stay."""
    certificate, key = make_certificate(tmp_path, rsa_bits=before)
    data = with_tls(config_entry, certificate, key)
    hass.config_entries.async_update_entry(config_entry, data=data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    address, context = (LOCALHOST, data["tls"]["port"]), client_context(version)
    if before:
        # The RSA certificate comes first as long as the server has one.
        context.set_ciphers("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256")
    assert await shown_certificate(address, context, "") == certificate.read_text()
    async with StreamPhone(address, "44", PASSWORD, context=context) as phone:
        assert (await phone.register()).status == 200
        make_certificate(tmp_path, days=90, rsa_bits=after)
        await pass_time(hass, freezer, CHECK_CERTIFICATE)
        for name in ("", "localhost"):
            shown = await shown_certificate(address, context, name)
            assert shown == certificate.read_text()
        assert (await phone.register()).status == 200
    await hass.async_block_till_done()


async def test_what_is_renewed_by_half_does_not_harm_the_one_before(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    tmp_path: Path,
    freezer: FrozenDateTimeFactory,
) -> None:
    """A new certificate whose key is missing: phones get the old certificate."""
    certificate, key = make_certificate(tmp_path)
    before = certificate.read_text()
    data = with_tls(config_entry, certificate, key)
    hass.config_entries.async_update_entry(config_entry, data=data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    newer, _ = make_certificate(tmp_path, name="newer")
    newer.rename(certificate)
    await pass_time(hass, freezer, CHECK_CERTIFICATE)
    text = said(certificate_issue(hass, config_entry))
    assert "the private key belongs to another certificate" in text
    context = client_context(ssl.TLSVersion.TLSv1_3)
    address = (LOCALHOST, data["tls"]["port"])
    assert await shown_certificate(address, context, "") == before


async def test_tls_begins_once_its_certificate_is_there(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    tmp_path: Path,
    freezer: FrozenDateTimeFactory,
) -> None:
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    data = with_tls(config_entry, certificate, key)
    hass.config_entries.async_update_entry(config_entry, data=data)
    # Phones are still served by UDP.
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    assert f"{certificate} cannot be read: No such file" in said(
        certificate_issue(hass, config_entry)
    )
    make_certificate(tmp_path)
    await pass_time(hass, freezer, CHECK_CERTIFICATE)
    assert config_entry.state is ConfigEntryState.LOADED
    server = config_entry.runtime_data.server
    assert server.address_of("TLS") == (LOCALHOST, data["tls"]["port"])
    assert certificate_issue(hass, config_entry) is None


async def test_tls_begins_once_its_certificate_is_valid(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    tmp_path: Path,
    freezer: FrozenDateTimeFactory,
) -> None:
    data = with_tls(config_entry, *make_certificate(tmp_path, age=-1))
    hass.config_entries.async_update_entry(config_entry, data=data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    assert "is not valid before" in said(certificate_issue(hass, config_entry))
    await pass_time(hass, freezer, timedelta(days=1))
    server = config_entry.runtime_data.server
    assert server.address_of("TLS") == (LOCALHOST, data["tls"]["port"])
    assert certificate_issue(hass, config_entry) is None


async def test_no_issue_of_a_server_that_has_stopped_or_not_started(
    hass: HomeAssistant, config_entry: MockConfigEntry, port: int, tmp_path: Path
) -> None:
    data = with_tls(config_entry, tmp_path / "server.crt", tmp_path / "server.key")
    hass.config_entries.async_update_entry(config_entry, data=data)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind((LOCALHOST, port))
        assert not await hass.config_entries.async_setup(config_entry.entry_id)
    assert config_entry.state is ConfigEntryState.SETUP_RETRY
    assert certificate_issue(hass, config_entry) is None
    assert await hass.config_entries.async_reload(config_entry.entry_id)
    assert certificate_issue(hass, config_entry) is not None
    hub = config_entry.runtime_data
    assert await hass.config_entries.async_unload(config_entry.entry_id)
    # As when the file is read while the server is stopped.
    assert await hub.issues.async_load_certificate() == (None, None)
    assert certificate_issue(hass, config_entry) is None


async def test_the_address_goes_and_comes_back(
    hass: HomeAssistant, server: MockConfigEntry, freezer: FrozenDateTimeFactory
) -> None:
    name = f"address_{server.entry_id}"
    gone = OSError(99, "Cannot assign requested address")
    with patch(
        "custom_components.snom_buttons.hub.issues.check_bind", side_effect=gone
    ):
        await pass_time(hass, freezer, CHECK_ADDRESS)
    assert f"listens on {LOCALHOST}, which is no longer" in said(issue(hass, name))
    await pass_time(hass, freezer, CHECK_ADDRESS)
    assert issue(hass, name) is None


@pytest.mark.parametrize(
    ("advertised_host", "changes", "is_reported"),
    [
        ("127.0.9.9", {}, True),
        ("127.0.9.9", {"udp": {"enabled": True, "advertised": "192.0.2.1"}}, False),
        # As in a container, where the machine never has that address.
        ("192.0.2.1", {}, False),
        ("phones.example", {}, False),
    ],
)
async def test_the_address_for_the_phones_goes_and_comes_back(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
    *,
    advertised_host: str,
    changes: dict[str, Any],
    is_reported: bool,
) -> None:
    """For a server that listens on all addresses."""
    changes = changes | {"host": "0.0.0.0", "advertised_host": advertised_host}
    data = {**config_entry.data, **changes}
    hass.config_entries.async_update_entry(config_entry, data=data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    name = f"address_{config_entry.entry_id}"
    await pass_time(hass, freezer, CHECK_ADDRESS)
    assert issue(hass, name) is None
    gone = OSError(99, "Cannot assign requested address")
    with patch(
        "custom_components.snom_buttons.hub.issues.check_bind", side_effect=gone
    ):
        await pass_time(hass, freezer, CHECK_ADDRESS)
    found = issue(hass, name)
    assert (found is not None) is is_reported
    if is_reported:
        assert f"at {advertised_host}, which is no longer" in said(found)
    await pass_time(hass, freezer, CHECK_ADDRESS)
    assert issue(hass, name) is None


@pytest.mark.parametrize("key", sorted(ISSUES))
def test_every_issue_has_its_texts(key: str) -> None:
    texts = ISSUES[key]
    assert texts["title"]
    assert texts.get("description") or texts["fix_flow"]
