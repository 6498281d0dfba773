"""The sections of a server's form: transports, certificates, and allowed networks."""

from contextlib import closing
import errno
from pathlib import Path
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.support.certificates import make_certificate
from tests.support.entries import PASSWORD, Phones, add_phone, key_data, phone_subentry
from tests.support.flows import (
    ADDRESS,
    TEXTS,
    reconfigure_server,
    start_phone,
    start_server,
    submit_phone,
    submit_server,
    suggested,
)
from tests.support.ports import LOCALHOST, free_port
from tests.support.rawphone import RawPhone
from tests.support.rawstream import StreamPhone
from tests.support.streams import Contexts, tls_contexts

FORM_ERRORS = TEXTS["config"]["error"]


async def submitted(
    hass: HomeAssistant, port: int, **changes: dict[str, Any]
) -> ConfigFlowResult:
    """Submit a new server with changes in its sections."""
    form = await start_server(hass)
    merged = {name: suggested(form)[name] | change for name, change in changes.items()}
    return await submit_server(hass, form, host=LOCALHOST, port=port, **merged)


def said(result: ConfigFlowResult) -> str:
    """Return the one error of a form as the user reads it."""
    (error,) = (result["errors"] or {}).values()
    placeholders = result["description_placeholders"]
    assert placeholders is not None
    text: str = FORM_ERRORS[error].format(**placeholders)
    return text


def server_of(result: ConfigFlowResult) -> Any:
    assert result["type"] is FlowResultType.CREATE_ENTRY, result.get("errors")
    return result["result"].runtime_data.server


async def test_tcp_and_tls_beside_udp(
    hass: HomeAssistant, port: int, tmp_path: Path
) -> None:
    contexts: Contexts = tls_contexts(tmp_path)
    tcp, tls = free_port(), free_port()
    result = await submitted(
        hass,
        port,
        tcp={"enabled": True, "port": tcp},
        tls={
            "enabled": True,
            "port": tls,
            "certificate": f" {tmp_path / 'server.crt'} ",
            "private_key": str(tmp_path / "server.key"),
        },
    )
    await hass.async_block_till_done()
    server = server_of(result)
    entry: Any = result["result"]
    assert server.address == (LOCALHOST, port)
    for transport, number, context in (
        ("TCP", tcp, None),
        ("TLS", tls, contexts.client),
    ):
        assert server.address_of(transport) == (LOCALHOST, number)
        extension = f"4{number}"
        add_phone(
            hass, entry, phone_subentry(extension, [key_data("1")], password=PASSWORD)
        )
        await hass.async_block_till_done()
        async with StreamPhone(
            (LOCALHOST, number), extension, PASSWORD, context=context
        ) as phone:
            assert (await phone.register()).status == 200
            await phone.shows("1", l="Key 1")
            await hass.async_block_till_done()
            light = f"light.phone_{extension}_key_1"
            await hass.services.async_call(
                "light", "turn_on", {"entity_id": light}, blocking=True
            )
            await phone.shows("1", c="on")
        await hass.async_block_till_done()


async def test_without_udp(hass: HomeAssistant, port: int) -> None:
    tcp = free_port()
    result = await submitted(
        hass, port, udp={"enabled": False}, tcp={"enabled": True, "port": tcp}
    )
    await hass.async_block_till_done()
    assert result["title"] == f"Phones on {ADDRESS}:{tcp}"
    server = server_of(result)
    assert server.settings.ports == {"TCP": tcp}


async def test_udp_is_switched_off(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """Phones on UDP become unavailable, and nothing is sent to their addresses."""
    await phones("44")
    tcp = free_port()
    changes = {"udp": {"enabled": False}, "tcp": {"enabled": True, "port": tcp}}
    subentry = next(s for s in server.subentries.values() if s.unique_id == "45")
    by_address = {**subentry.data, "address": "127.0.0.3"}
    hass.config_entries.async_update_subentry(server, subentry, data=by_address)
    await hass.async_block_till_done()
    form = await submit_server(hass, await reconfigure_server(hass, server), **changes)
    assert form["errors"] == {"base": "udp_needed"}
    by_address["address"] = ""
    hass.config_entries.async_update_subentry(server, subentry, data=by_address)
    await hass.async_block_till_done()
    result = await submit_server(
        hass, await reconfigure_server(hass, server), **changes
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert server.state is ConfigEntryState.LOADED
    hub = server.runtime_data
    assert hub.server.listening == {"TCP": tcp}
    assert not hub.phones["44"].phone.available
    # A phone by its address could not be reached now.
    dialogue = await start_phone(hass, server)
    page = {"extension": "46", "password": PASSWORD, "model": "D785"}
    form = await submit_phone(hass, dialogue, **page, address="127.0.0.3")
    assert form["errors"] == {"address": "address_needs_udp"}


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("desk.example", "invalid_address"),
        ("fe80::44", "invalid_address"),
        ("2001:db8::44", "address_out_of_reach"),
    ],
)
async def test_a_phone_that_could_not_be_reached(
    hass: HomeAssistant, config_entry: MockConfigEntry, address: str, error: str
) -> None:
    page = {"extension": "46", "password": PASSWORD, "model": "D785"}
    dialogue = await start_phone(hass, config_entry)
    form = await submit_phone(hass, dialogue, **page, address=address)
    assert form["errors"] == {"address": error}


async def test_tcp_moves_to_where_tls_was(
    hass: HomeAssistant, config_entry: MockConfigEntry, port: int, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    tls = {
        "enabled": True,
        "port": free_port(),
        "certificate": str(certificate),
        "private_key": str(key),
    }
    data = {**config_entry.data, "tls": tls}
    hass.config_entries.async_update_entry(config_entry, data=data)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    result = await submit_server(
        hass,
        await reconfigure_server(hass, config_entry),
        tls=tls | {"enabled": False},
        tcp={"enabled": True, "port": tls["port"]},
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    server = config_entry.runtime_data.server
    assert server.listening == {"UDP": port, "TCP": tls["port"]}


async def test_home_assistants_own_certificate(
    hass: HomeAssistant, port: int, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    hass.http = SimpleNamespace(  # type: ignore[assignment]
        ssl_certificate=str(certificate), ssl_key=str(key)
    )
    tls = free_port()
    result = await submitted(hass, port, tls={"enabled": True, "port": tls})
    await hass.async_block_till_done()
    assert server_of(result).address_of("TLS") == (LOCALHOST, tls)


async def test_what_is_wrong_with_a_certificate(
    hass: HomeAssistant, port: int, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    old, old_key = make_certificate(tmp_path, name="old", days=-1, age=30)
    early, early_key = make_certificate(tmp_path, name="early", age=-1)
    _, other = make_certificate(tmp_path, name="other")
    weak, weak_key = make_certificate(tmp_path, name="weak", rsa_bits=1024)
    nowhere = tmp_path / "nowhere.pem"
    for given, text in (
        ((None, None), "TLS needs a certificate"),
        ((certificate, None), "Enter both the certificate and its private key"),
        ((nowhere, key), f"{nowhere} cannot be read: No such file"),
        ((certificate, nowhere), f"{nowhere} cannot be read: No such file"),
        ((key, key), f"{key} is not a certificate"),
        ((certificate, certificate), f"{certificate} is not a private key"),
        ((certificate, other), "The private key belongs to another certificate."),
        ((weak, weak_key), "OpenSSL finds it too weak: EE_KEY_TOO_SMALL."),
        ((old, old_key), f"The certificate {old} expired on "),
        ((early, early_key), f"The certificate {early} is not valid before "),
    ):
        names = zip(("certificate", "private_key"), given, strict=True)
        result = await submitted(
            hass,
            port,
            tls={"enabled": True, "port": free_port()}
            | {name: str(path) for name, path in names if path},
        )
        assert result["type"] is FlowResultType.FORM
        assert text in said(result)
    for ca, text in (
        (nowhere, f"{nowhere} cannot be read: No such file"),
        (key, f"{key} is not a certificate"),
        ("\0", "is not a certificate"),
    ):
        tls = {"enabled": True, "port": free_port()}
        pair = {"certificate": str(certificate), "private_key": str(key)}
        result = await submitted(
            hass, port, tls=tls | pair, access={"edge_ca": str(ca)}
        )
        assert result["type"] is FlowResultType.FORM
        assert text in said(result)
    # While TLS is off, certificates are not checked.
    result = await submitted(hass, port, tls={"certificate": "nonsense"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"udp": {"enabled": False}},
            "Switch on at least one of UDP, TCP and TLS.",
        ),
        (
            {"udp": {"advertised": "two words"}},
            "UDP: two words is neither an address nor address:port.",
        ),
        (
            {"tcp": {"advertised": "192.168.1.10:70000"}},
            "TCP: 192.168.1.10:70000 is neither",
        ),
        ({"tls": {"advertised": "[fd00::1"}}, "TLS: [fd00::1 is neither"),
        (
            {"access": {"networks": ["192.168.1.0/24", "192.168.1.1/24"]}},
            "192.168.1.1/24 is not a network.",
        ),
        ({"access": {"networks": ["home"]}}, "home is not a network."),
        ({"access": {"edges": ["10.0.0.1/8"]}}, "10.0.0.1/8 is not a network."),
    ],
)
async def test_what_is_wrong_with_a_section(
    hass: HomeAssistant, port: int, changes: dict[str, Any], text: str
) -> None:
    result = await submitted(hass, port, **changes)
    assert result["type"] is FlowResultType.FORM
    assert said(result).startswith(text)
    for name, change in changes.items():
        assert suggested(result)[name].items() >= change.items()


async def test_tcp_and_tls_on_one_port(
    hass: HomeAssistant, port: int, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    tcp = free_port()
    tls = {"enabled": True, "port": tcp}
    tls |= {"certificate": str(certificate), "private_key": str(key)}  # type: ignore[dict-item]
    result = await submitted(hass, port, tcp={"enabled": True, "port": tcp}, tls=tls)
    assert said(result) == f"TCP and TLS cannot share port {tcp}."


@pytest.mark.parametrize("name", ["tcp", "tls"])
async def test_a_taken_port_is_named_and_another_filled_in(
    hass: HomeAssistant, port: int, tmp_path: Path, name: str
) -> None:
    certificate, key = make_certificate(tmp_path)
    more = {"certificate": str(certificate), "private_key": str(key)}
    with closing(socket.socket()) as taken:
        taken.bind((LOCALHOST, 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        section = {"enabled": True, "port": wanted} | (more if name == "tls" else {})
        result = await submitted(hass, port, **{name: section})
        free = suggested(result)[name]["port"]
        assert free > wanted
        text = said(result)
        assert f"TCP port {wanted}" in text
        assert f"Port {free} is filled in now" in text
        result = await submit_server(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_the_port_for_settings_files(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    settings_port = free_port()

    async def submit(settings_port: int, **changes: Any) -> ConfigFlowResult:
        form = await reconfigure_server(hass, server)
        access = suggested(form)["access"] | {"settings_port": settings_port}
        result = await submit_server(hass, form, access=access, **changes)
        await hass.async_block_till_done(wait_background_tasks=True)
        return result

    assert (await submit(settings_port))["reason"] == "reconfigure_successful"
    both = {"UDP": port, "HTTP": settings_port}
    assert server.runtime_data.listening == both
    # The own port is not taken, here or at another address.
    for host in ("127.0.0.2", LOCALHOST):
        result = await submit(settings_port, host=host)
        assert result["reason"] == "reconfigure_successful"
        assert server.runtime_data.listening == both
    with closing(socket.socket()) as taken:
        taken.bind((LOCALHOST, 0))
        taken.listen()
        wanted = taken.getsockname()[1]
        result = await submit(wanted)
        free = suggested(result)["access"]["settings_port"]
        assert free > wanted
        assert said(result) == (
            f"The port for settings files, TCP {wanted}, is already taken."
            f" Port {free} is filled in now: submit again to use it."
        )
    # SIP may take it over.
    tcp = {"enabled": True, "port": settings_port}
    assert said(await submit(settings_port, tcp=tcp)) == (
        f"The port for settings files cannot be {settings_port}, which TCP or TLS has."
    )
    result = await submit(free_port(), tcp=tcp)
    assert result["reason"] == "reconfigure_successful"
    assert server.runtime_data.listening["TCP"] == settings_port


async def test_a_port_for_settings_files_that_is_not_permitted(
    hass: HomeAssistant, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str, port: int, transport: str) -> None:
        if transport == "HTTP":
            raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(
        "custom_components.snom_buttons.flows.server.check_bind", refuse
    )
    result = await submitted(hass, port, access={"settings_port": 80})
    assert said(result) == (
        "Home Assistant may not use TCP port 80 for settings files. Use one from 1024 up."
    )


async def test_advertised_addresses_and_networks(
    hass: HomeAssistant, port: int
) -> None:
    result = await submitted(
        hass,
        port,
        udp={"advertised": "docker.example:15060"},
        access={
            "networks": [" 127.0.0.0/8 ", "fd00::/8", ""],
            "keepalive": 0,
            "edges": [" 192.0.2.7", " ", "fd00:1::/64"],
        },
    )
    assert result["title"] == "Phones on docker.example:15060"
    settings = server_of(result).settings
    assert settings.advertised == {"UDP": ("docker.example", 15060)}
    assert [str(network) for network in settings.networks] == [
        "127.0.0.0/8",
        "fd00::/8",
    ]
    assert [str(edge) for edge in settings.edges] == ["192.0.2.7/32", "fd00:1::/64"]
    assert settings.edge_ca == ""
    assert settings.keepalive == 0


async def test_all_of_ipv6_and_ipv4(hass: HomeAssistant, port: int) -> None:
    form = await start_server(hass)
    result = await submit_server(hass, form, host="::", port=port)
    await hass.async_block_till_done()
    entry: Any = result["result"]
    add_phone(hass, entry, phone_subentry("44", [key_data("1")], password=PASSWORD))
    await hass.async_block_till_done()
    async with RawPhone((LOCALHOST, port), "44", PASSWORD) as phone:
        assert (await phone.register()).status == 200
        await phone.shows("1")
        registration = entry.runtime_data.phones["44"].phone.registration
        assert registration.address.startswith("udp 127.0.0.1:")


async def test_a_running_server_is_changed(
    hass: HomeAssistant, server: MockConfigEntry, tmp_path: Path
) -> None:
    certificate, key = make_certificate(tmp_path)
    tcp, tls = free_port(), free_port()
    form = await reconfigure_server(hass, server)
    sections = {
        "tcp": suggested(form)["tcp"] | {"enabled": True, "port": tcp},
        "tls": {
            "enabled": True,
            "port": tls,
            "certificate": str(certificate),
            "private_key": str(key),
        },
    }
    result = await submit_server(hass, form, **sections)
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert server.state is ConfigEntryState.LOADED
    hub = server.runtime_data
    assert hub.server.address_of("TLS") == (LOCALHOST, tls)
    # Its own ports do not count as taken, here or at another address.
    form = await reconfigure_server(hass, server)
    result = await submit_server(hass, form, realm="another")
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    form = await reconfigure_server(hass, server)
    result = await submit_server(hass, form, host="127.0.0.2")
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert server.runtime_data.server.address_of("TCP") == ("127.0.0.2", tcp)
    new_port = free_port()
    result = await submit_server(
        hass, await reconfigure_server(hass, server), port=new_port
    )
    await hass.async_block_till_done()
    assert server.runtime_data.server.address == ("127.0.0.2", new_port)


async def test_another_realm_keeps_the_registrations(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    phone.keys.clear()
    form = await reconfigure_server(hass, server)
    result = await submit_server(hass, form, realm="another")
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    await phone.shows("1")
    assert server.runtime_data.server.phones["44"].available
    assert (await phone.press("1")).status == 200
    assert (await phone.register()).status == 200
