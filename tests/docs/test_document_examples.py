"""snom's LED Remote Control document, example by example, with software phones.

Home Assistant's actions, dialogues and switches set the keys; what the phones show is
compared with the documents on snom's page. test_services.py, test_shared_line.py and
test_keys_page.py do the same with a phone that shares no code with the product.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from snom_buttons.xbuttons import KeyDescription, parse_document
from tests.support.entries import PASSWORD, key_data, phone_subentry, reaches
from tests.support.ports import LOCALHOST
from virtual_phone import Kind, VirtualPhone

KEYS = [
    key_data("1"),
    key_data("2"),
    key_data("3"),
    key_data(
        "4",
        name="DND",
        kind="switch",
        toggle=True,
        light_on="offline",
        number_off="*78",
        number_on="*79",
    ),
]


@pytest.fixture
async def phones(hass: HomeAssistant, port: int) -> AsyncIterator[list[VirtualPhone]]:
    """Return extensions 402 and 404, which share the line co2 on their keys 2."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        data={
            "host": LOCALHOST,
            "port": port,
            "realm": "home-assistant",
            "advertised_host": LOCALHOST,
        },
        subentries_data=[
            phone_subentry("402", KEYS),
            phone_subentry("404", KEYS),
            ConfigSubentryData(
                data={
                    "code": "co2",
                    "keys": [
                        {"phone": "subentry_402", "key": "2"},
                        {"phone": "subentry_404", "key": "2"},
                    ],
                },
                subentry_id="subentry_co2",
                subentry_type="shared_line",
                title="co2",
                unique_id="co2",
            ),
        ],
    )
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    registrar = f"{LOCALHOST}:{port}"
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                VirtualPhone(extension, PASSWORD, registrar=registrar, keys=4)
            )
            for extension in ("402", "404")
        ]


async def show(document: str, *phones: VirtualPhone) -> None:
    """Wait until the phones show all keys of a document of the page."""
    wanted = {key.name: key for key in parse_document(document.encode())}
    for phone in phones:
        await phone.wait_for(lambda p: p.keys | wanted == p.keys)


async def test_turning_the_led_of_key_1_on_and_off(
    hass: HomeAssistant, phones: list[VirtualPhone]
) -> None:
    """The example for sipsak, whose file says `k=1 c=on`."""
    devices = [
        part.device_id
        for part in hass.config_entries.async_entries(DOMAIN)[
            0
        ].runtime_data.phones.values()
    ]
    for document in ("k=1\nc=on", "k=1\nc=off"):
        await hass.services.async_call(
            DOMAIN,
            "send_document",
            {"device_id": devices, "document": document},
            blocking=True,
        )
        await show(document, *phones)


async def test_initial_state_and_an_incoming_call(
    hass: HomeAssistant, phones: list[VirtualPhone]
) -> None:
    phone, other = phones
    presses = async_capture_events(hass, "snom_buttons_key_press")

    async def set_key(key: str, **fields: Any) -> None:
        await hass.services.async_call(
            DOMAIN,
            "set_key",
            {"entity_id": f"light.phone_402_key_{key}", **fields},
            blocking=True,
        )

    await set_key("1", label="Office Hours", light="on", number="79", action="invite")
    await set_key("3", label="42", number="", action="invite")
    await show("k=1\nc=on\nn=79\na=invite\nl=Office Hours\n\nk=3\nl=42", phone)
    # "Then there is a call coming in for that extension."
    await set_key(
        "3",
        label="42",
        light="pickup",
        caller="19781234567",
        number="*6013",
        action="invite",
    )
    await show("k=3\nl=42\nc=pickup\ni=19781234567\nn=*6013\na=invite", phone)
    # "If the user would pick up the call, the device would send out an INVITE"
    assert await phone.press("3") == 486
    await hass.async_block_till_done()
    [press] = presses
    assert press.data["number"] == "*6013"
    assert press.data["caller"] == "19781234567"
    # "The registrar also clears the line"
    await set_key("3", label="42", number="", action="invite")
    await show("k=3\nl=42", phone)
    assert await phone.press("3") is None
    assert other.keys["3"].label == "Key 3"


async def test_extensions_402_and_404_share_a_line(
    hass: HomeAssistant, phones: list[VirtualPhone]
) -> None:
    free = "k=2\nn=*602co2\na=seize\nl=(co2)"
    seized = "k=2\nc=on\nn=*603co2\na=release\nl=(co2)"
    await show(free, *phones)
    other, phone = phones
    # "The owner of extension 404 decides to seize the line"
    assert await phone.press("2") == 200
    await show(seized, *phones)
    await reaches(hass, "switch.co2", "on")
    assert hass.states.get("switch.co2").attributes["phone"] == "404"
    assert await other.press("2") == 200
    assert hass.states.get("switch.co2").attributes["phone"] == "404"
    # "the user changes his mind and wants to release the line"
    assert await phone.press("2") == 200
    await show(free, *phones)
    documents = [
        entry.body
        for entry in other.history
        if entry.kind is Kind.DOCUMENT and b"(co2)" in entry.body
    ]
    assert len(documents[1]) == 44, "as the document says"


async def test_do_not_disturb_is_turned_on_and_off(
    hass: HomeAssistant, phones: list[VirtualPhone]
) -> None:
    off = "k=4\nl=DND\nn=*78\na=message"
    on = "k=4\nc=offline\nl=DND\nn=*79\na=message"
    await show(off, *phones)
    phone, other = phones
    for document, state in ((on, "on"), (off, "off")):
        assert await phone.press("4") == 200
        await show(document, phone)
        await reaches(hass, "switch.phone_402_dnd", state)
    assert other.keys["4"] == KeyDescription(
        name="4", number="*78", action="message", label="DND"
    )
