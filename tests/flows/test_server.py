"""The dialogue of a server."""

import asyncio
from contextlib import closing
import errno
from http import HTTPStatus
import socket
from typing import Any
from unittest.mock import Mock, patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.flows.server_form import SERVER_PLACEHOLDERS
from homeassistant.config_entries import SOURCE_RECONFIGURE, ConfigEntryState, FlowType
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.setup import async_setup_component
from tests.support.entries import PASSWORD
from tests.support.flows import (
    ADDRESS,
    SECTIONS,
    reconfigure_server,
    start_server,
    submit_server,
    suggested,
)
from tests.support.ports import LOCALHOST, free_port
from tests.support.rawphone import RawPhone

FLOW = "custom_components.snom_buttons.flows.server"
FORM = "custom_components.snom_buttons.flows.server_form"


async def test_a_server_with_the_suggested_values(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    result = await start_server(hass)
    assert suggested(result) == SECTIONS | {
        "host": "0.0.0.0",
        "port": 5060,
        "realm": "home-assistant",
        "advertised_host": ADDRESS,
    }
    with patch(f"{FLOW}.check_bind") as check_bind:
        result = await submit_server(hass, result, host=LOCALHOST)
    check_bind.assert_called_once_with(LOCALHOST, 5060, "UDP")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"Phones on {ADDRESS}:5060"


@pytest.mark.parametrize(
    ("addresses", "proposal"),
    [
        (["192.0.2.7", "2001:db8::7"], "192.0.2.7"),
        (["fe80::7", "2001:db8::7"], "2001:db8::7"),
        (["fe80::7"], LOCALHOST),
        ([], LOCALHOST),
    ],
    ids=["both", "IPv6 only", "link-local only", "no network"],
)
async def test_the_address_of_this_machine_is_filled_in(
    hass: HomeAssistant, addresses: list[str], proposal: str
) -> None:
    def nic(name: str, *texts: str) -> Mock:
        ips = [
            Mock(is_IPv6=True, ip=(text, 0, 2), network_prefix=64)
            if ":" in text
            else Mock(is_IPv6=False, ip=text, network_prefix=24)
            for text in texts
        ]
        return Mock(nice_name=name, index=1, ips=ips)

    def source_ip(_: str) -> str | None:
        return next((text for text in addresses if "." in text), None)

    adapters = [nic("lo", LOCALHOST, "::1"), nic("eth0", *addresses)]
    util = "homeassistant.components.network.util"
    with (
        patch(f"{util}.ifaddr.get_adapters", return_value=adapters),
        patch(f"{util}.async_get_source_ip", source_ip),
    ):
        result = await start_server(hass)
    assert suggested(result)["advertised_host"] == proposal


async def test_a_server_goes_on_with_its_first_phone(
    hass: HomeAssistant, port: int
) -> None:
    result = await submit_server(
        hass, await start_server(hass), host=LOCALHOST, port=port
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == f"Phones on {ADDRESS}:{port}"
    assert result["data"] == SECTIONS | {
        "host": LOCALHOST,
        "port": port,
        "realm": "home-assistant",
        "advertised_host": ADDRESS,
    }
    await hass.async_block_till_done()
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED

    flow_type, flow_id = result["next_flow"]
    assert flow_type is FlowType.CONFIG_SUBENTRIES_FLOW
    flow = hass.config_entries.subentries.async_get(flow_id)
    assert flow["handler"] == (entry.entry_id, "phone")
    assert flow["step_id"] == "user"


async def test_a_taken_port_is_named_and_the_next_free_one_filled_in(
    hass: HomeAssistant, port: int
) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as voip:
        voip.bind((LOCALHOST, port))
        result = await submit_server(
            hass, await start_server(hass), host=LOCALHOST, port=port
        )
        assert result["type"] is FlowResultType.FORM
        assert result["errors"] == {"port": "port_in_use"}
        free = suggested(result)["port"]
        assert free > port
        assert result["description_placeholders"] == SERVER_PLACEHOLDERS | {
            "port": str(port),
            "free_port": str(free),
            "error": "Address already in use",
        }
        result = await submit_server(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["port"] == free


async def test_no_port_is_free(hass: HomeAssistant) -> None:
    taken = OSError(errno.EADDRINUSE, "Address already in use")
    with (
        patch(f"{FLOW}.check_bind", side_effect=taken),
        patch(f"{FORM}.free_port", side_effect=taken),
    ):
        result = await submit_server(hass, await start_server(hass), port=65535)
    assert result["errors"] == {"port": "port_in_use"}
    assert suggested(result)["port"] == 65535


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"host": "192.0.2.99"}, {"host": "not_our_address"}),
        ({"host": "snom.example"}, {"host": "invalid_address"}),
        ({"advertised_host": "two words"}, {"advertised_host": "invalid_host"}),
        ({"advertised_host": "1.2.3"}, {"advertised_host": "invalid_host"}),
        ({"advertised_host": "0.0.0.0"}, {"advertised_host": "invalid_host"}),
        ({"advertised_host": "::"}, {"advertised_host": "invalid_host"}),
        ({"advertised_host": "fe80::1%eth0"}, {"advertised_host": "invalid_host"}),
        ({"advertised_host": "ha\n.example"}, {"advertised_host": "invalid_host"}),
        ({"realm": 'a "realm"'}, {"realm": "invalid_realm"}),
        ({"realm": ""}, {"realm": "invalid_realm"}),
        (
            {"host": "nowhere", "advertised_host": "", "realm": ""},
            {
                "host": "invalid_address",
                "advertised_host": "invalid_host",
                "realm": "invalid_realm",
            },
        ),
    ],
)
async def test_what_is_wrong_with_a_server_is_said(
    hass: HomeAssistant, port: int, changes: dict[str, Any], errors: dict[str, str]
) -> None:
    good = {"host": LOCALHOST, "port": port}
    result = await submit_server(hass, await start_server(hass), **(good | changes))
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    for field, value in changes.items():
        assert suggested(result)[field] == value
    result = await submit_server(
        hass, result, **{f: good.get(f, ADDRESS) for f in changes}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("error", "errors"),
    [
        (OSError(errno.EACCES, "Permission denied"), {"port": "port_not_permitted"}),
        (OSError(errno.ENOBUFS, "No buffer space"), {"base": "cannot_listen"}),
        (OSError("Whatever"), {"base": "cannot_listen"}),
    ],
)
async def test_what_the_system_refuses_is_said(
    hass: HomeAssistant, port: int, error: OSError, errors: dict[str, str]
) -> None:
    with patch(f"{FLOW}.check_bind", side_effect=error):
        result = await submit_server(
            hass, await start_server(hass), host=LOCALHOST, port=port
        )
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == errors
    placeholders = result["description_placeholders"]
    assert placeholders is not None and placeholders["error"] == error.args[-1]
    result = await submit_server(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("bad", [0, 65536, "many"])
async def test_a_port_is_a_port(hass: HomeAssistant, bad: object) -> None:
    with pytest.raises(InvalidData):
        await submit_server(hass, await start_server(hass), port=bad)


async def test_a_server_is_set_up_once(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    result = await submit_server(
        hass, await start_server(hass), host=LOCALHOST, port=port
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_a_second_server(
    hass: HomeAssistant, server: MockConfigEntry, port: int
) -> None:
    result = await submit_server(
        hass, await start_server(hass), host=LOCALHOST, port=free_port()
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_server_without_udp_is_set_up_once(
    hass: HomeAssistant, port: int
) -> None:
    tcp_only = {
        "host": LOCALHOST,
        "port": port,
        "udp": {"enabled": False},
        "tcp": {"enabled": True, "port": free_port()},
    }
    result = await submit_server(hass, await start_server(hass), **tcp_only)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert "port" not in result["data"]
    await hass.async_block_till_done()
    result = await submit_server(hass, await start_server(hass), **tcp_only)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    # Another server may use the UDP port that the form had.
    result = await submit_server(
        hass, await start_server(hass), host=LOCALHOST, port=port
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_server_changes_its_port(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    new_port = free_port()
    result = await submit_server(
        hass, await reconfigure_server(hass, server), port=new_port
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert server.state is ConfigEntryState.LOADED
    assert server.title == f"Phones on {LOCALHOST}:{new_port}"
    phone.server = (LOCALHOST, new_port)
    assert (await phone.register()).status == 200


async def test_the_title_of_a_server_is_in_the_language_of_home_assistant(
    hass: HomeAssistant, port: int
) -> None:
    """And keeps the language that it was made in, with another address, too."""
    hass.config.language = "de"
    result = await submit_server(
        hass, await start_server(hass), host=LOCALHOST, port=port
    )
    assert result["title"] == f"Telefone an {ADDRESS}:{port}"
    await hass.async_block_till_done()
    hass.config.language = "en"
    entry = result["result"]
    context = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    dialogue = await hass.config_entries.flow.async_init(DOMAIN, context=context)
    await submit_server(hass, dialogue, advertised_host="ha.example")
    await hass.async_block_till_done()
    assert entry.title == f"Telefone an ha.example:{port}"


async def test_a_server_keeps_its_port_and_its_own_title(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    """Its port is taken by the server itself."""
    hass.config_entries.async_update_entry(server, title="Ground floor")
    result = await submit_server(
        hass, await reconfigure_server(hass, server), advertised_host="ha.example"
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert server.state is ConfigEntryState.LOADED
    assert server.title == "Ground floor"
    assert server.data["advertised_host"] == "ha.example"


async def test_the_address_of_a_running_server_is_checked_too(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    result = await submit_server(
        hass, await reconfigure_server(hass, server), host="192.0.2.99"
    )
    assert result["errors"] == {"host": "not_our_address"}


async def test_blanks_around_the_address_for_the_phones_do_not_matter(
    hass: HomeAssistant, port: int
) -> None:
    result = await start_server(hass)
    result = await submit_server(
        hass, result, host=LOCALHOST, port=port, advertised_host=" ha.example\n"
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["advertised_host"] == "ha.example"
    assert result["title"] == f"Phones on ha.example:{port}"


async def test_a_server_widens_its_address_on_its_own_port(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, port: int
) -> None:
    """Its own socket is in the way, but a socket of another program must still be found."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as other:
        other.bind(("127.0.0.2", port))
        result = await submit_server(
            hass, await reconfigure_server(hass, server), host="0.0.0.0"
        )
        assert result["errors"] == {"port": "port_in_use"}
        assert (await phone.press("1")).status == 200
        assert hass.states.get("light.phone_44_key_1").state == "off"
        result = await submit_server(hass, result, host=LOCALHOST, port=port)
        assert result["reason"] == "reconfigure_successful"

    result = await submit_server(
        hass, await reconfigure_server(hass, server), host="0.0.0.0"
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert server.state is ConfigEntryState.LOADED
    assert server.runtime_data.server.address == ("0.0.0.0", port)
    assert (await phone.press("1")).status == 200


async def test_a_server_that_loses_its_port_while_another_address_is_tried(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    """The entry is set up again."""
    hub = server.runtime_data
    flow = await reconfigure_server(hass, server)
    taken = OSError(errno.EADDRINUSE, "Address already in use")
    with (
        patch(
            "custom_components.snom_buttons.hub.ports.check_bind",
            side_effect=[taken, None],
        ),
        patch.object(hub.server, "start", side_effect=taken),
    ):
        result = await submit_server(hass, flow, host="0.0.0.0")
    assert result["errors"] == {"port": "port_in_use"}
    await hass.async_block_till_done()
    assert server.state is ConfigEntryState.LOADED
    assert server.runtime_data is not hub


@pytest.mark.parametrize("end", ["reload", "unload", "stop"])
@pytest.mark.parametrize("first", ["the check", "the end"])
async def test_a_server_that_ends_while_another_address_is_tried(
    hass: HomeAssistant, server: MockConfigEntry, port: int, end: str, first: str
) -> None:
    """It does not start again beside the one that follows it."""
    begun = asyncio.Event()
    stop = server.runtime_data.server.stop

    async def stop_slowly() -> None:
        if begun.is_set():
            await stop()
        else:
            begun.set()
            await asyncio.sleep(0.05)
            await stop()
            await asyncio.sleep(0.2)

    async def end_it() -> None:
        if end == "reload":
            await hass.config_entries.async_reload(server.entry_id)
        elif end == "unload":
            await hass.config_entries.async_unload(server.entry_id)
        else:
            await server.runtime_data.async_stop()

    async def try_it() -> None:
        await submit_server(hass, flow, host="0.0.0.0")

    flow = await reconfigure_server(hass, server)
    with patch.object(server.runtime_data.server, "stop", stop_slowly):
        steps = [try_it, end_it] if first == "the check" else [end_it, try_it]
        tasks = [asyncio.create_task(steps[0]())]
        await begun.wait()
        tasks.append(asyncio.create_task(steps[1]()))
        await asyncio.gather(*tasks)
    await hass.async_block_till_done()
    assert server.state in (ConfigEntryState.LOADED, ConfigEntryState.NOT_LOADED)
    assert await hass.config_entries.async_unload(server.entry_id)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind(("0.0.0.0", port))


async def test_a_server_cannot_take_the_address_of_another(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    other = {**server.data, "port": free_port()}
    MockConfigEntry(domain=DOMAIN, data=other).add_to_hass(hass)
    result = await submit_server(
        hass, await reconfigure_server(hass, server), port=other["port"]
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_a_server_that_could_not_start_gets_another_port(
    hass: HomeAssistant, config_entry: MockConfigEntry, port: int
) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as voip:
        voip.bind((LOCALHOST, port))
        assert not await hass.config_entries.async_setup(config_entry.entry_id)
        result = await submit_server(hass, await reconfigure_server(hass, config_entry))
        assert result["errors"] == {"port": "port_in_use"}
        result = await submit_server(hass, result)
        assert result["reason"] == "reconfigure_successful"
        await hass.async_block_till_done()
    assert config_entry.state is ConfigEntryState.LOADED


# Over the REST API, as the demo does it


async def test_everything_over_rest(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, port: int
) -> None:
    assert await async_setup_component(hass, "config", {})
    # The client closes the router, which Home Assistant itself keeps open.
    assert await async_setup_component(hass, DOMAIN, {})
    client = await hass_client()

    async def post(path: str, **data: Any) -> dict[str, Any]:
        response = await client.post(f"/api/config/config_entries/{path}", json=data)
        assert response.status == HTTPStatus.OK, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer

    form = await post("flow", handler=DOMAIN)
    assert [field["name"] for field in form["data_schema"]] == [
        "advertised_host",
        "port",
        "host",
        "realm",
        "udp",
        "tcp",
        "tls",
        "access",
    ]
    made = await post(
        f"flow/{form['flow_id']}", host=LOCALHOST, port=port, advertised_host=LOCALHOST
    )
    assert made["type"] == "create_entry"
    entry_id = made["result"]["entry_id"]
    flow_type, flow_id = made["next_flow"]
    assert flow_type == "config_subentries_flow"

    path = f"subentries/flow/{flow_id}"
    await post(path, next_step_id="manual")
    await post(path, extension="44", password=PASSWORD, model="D785")
    form = await post(path)
    assert form["step_id"] == "keys"
    assert len(form["data_schema"][0]["default"]) == 24
    assert (await post(path))["step_id"] == "phone"
    assert (await post(path))["type"] == "create_entry"

    form = await post("subentries/flow", handler=[entry_id, "phone"])
    path = f"subentries/flow/{form['flow_id']}"
    account = {"extension": "45", "password": PASSWORD}
    assert form["menu_options"] == ["plug_in", "found", "manual", "other_maker"]
    await post(path, next_step_id="manual")
    await post(path, **account, model="other", key_count=12)
    await post(path)
    form = await post(path, keys=[{"key": "1"}, {"key": "2", "kind": "switch"}])
    assert form["description_placeholders"]["registrar"] == f"{LOCALHOST}:{port}"
    assert (await post(path))["type"] == "create_entry"
    await hass.async_block_till_done()
    assert hass.states.get("light.phone_44_key_24") is not None
    assert hass.states.get("switch.phone_45_key_2") is not None

    [subentry] = [
        subentry
        for subentry in hass.config_entries.async_get_entry(
            entry_id
        ).subentries.values()
        if subentry.unique_id == "45"
    ]
    menu = await post(
        "subentries/flow",
        handler=[entry_id, "phone"],
        subentry_id=subentry.subentry_id,
    )
    assert menu["type"] == "menu"
    assert menu["step_id"] == SOURCE_RECONFIGURE
    path = f"subentries/flow/{menu['flow_id']}"
    form = await post(path, next_step_id="account")
    assert form["step_id"] == "account"
    await post(path, **account, model="other", key_count=3, name="Hall")
    await post(path)
    await post(path)
    assert (await post(path))["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert hass.states.get("light.hall_key_3") is not None
