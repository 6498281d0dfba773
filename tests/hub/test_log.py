"""The log of Home Assistant has no caller, no number and no label."""

import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.snom_buttons.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support.clock import hurrying
from tests.support.entries import PASSWORD, Phones, update_phone
from tests.support.log import SECRET, logging_to_a_file

DOCUMENT = "k=1\nl=hush-label\ni=hush-caller\nn=hush-number\na=message\n"
RULES = {"dial_rules": [{"number": "hush-dialled", "run": "script.doorbell"}]}


async def test_a_day_of_a_phone(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    phones: Phones,
    capsys: pytest.CaptureFixture[str],
) -> None:
    update_phone(hass, config_entry, dialling=RULES)
    with logging_to_a_file("custom_components.snom_buttons") as log:
        assert await hass.config_entries.async_setup(config_entry.entry_id)
        await hass.async_block_till_done()
        phone = await phones(user_agent="snomD785/10.1.198.12 hush-agent\u202e")
        await hass.services.async_call(
            "snom_buttons",
            "send_document",
            {"device_id": _device(hass, config_entry), "document": DOCUMENT},
            blocking=True,
        )
        await phone.shows("1", i="hush-caller")
        await phone.press("1")
        await phone.invite("hush-dialled")
        await phone.invite("hush-other")
        phone.answer, phone.reason = 415, "hush-reason"
        await hass.services.async_call(
            "light", "turn_on", {"entity_id": "light.phone_44_key_1"}, blocking=True
        )
        with hurrying(hass.loop):
            await phone.until(lambda: "answered 415" in log.text)
        await phone.unregister()
        await hass.async_block_till_done()
        assert await hass.config_entries.async_unload(config_entry.entry_id)
    log.check()
    assert PASSWORD not in log.text
    assert phone.instance not in log.text
    assert "Phone 44 sent a press of 1" in log.text
    assert "script.doorbell, which a dial rule turns on, failed" in log.text
    assert SECRET not in capsys.readouterr().err


TEXTS = ("label", "display_name", "caller", "number", "forward", "treatment")
REFUSED: list[dict[str, Any]] = [
    *({name: value} for name in TEXTS for value in ("hush\thush", "hush" * 40)),
    *({name: ["hush"]} for name in TEXTS),
    *({name: {"hush": "hush"}} for name in TEXTS),
    {"forward": "hush"},
    {"treatment": "hush"},
    *(
        {"document": f"k=1\n{lines}\n"}
        for lines in (
            "hush",
            "l=hush\t",
            "f=always\nhush",
            "l=hush\n=hush",
            "i=hush\x85",
        )
    ),
    {"document": ["l=hush"]},
    {"document": {"l": "hush"}},
]


@pytest.mark.parametrize("data", REFUSED, ids=str)
async def test_an_action_that_fails(
    hass: HomeAssistant,
    server: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    caplog: pytest.LogCaptureFixture,
    data: dict[str, Any],
) -> None:
    """Home Assistant logs why, by each way in which an action can be called."""
    name = "send_document" if "document" in data else "set_key"
    key = {} if "document" in data else {"key": "1"}
    call = {
        "action": f"snom_buttons.{name}",
        "target": {"device_id": _device(hass, server)},
        "data": data | key,
    }
    automation = {"triggers": {"trigger": "event", "event_type": "go"}, "actions": call}
    script = {"lamp": {"sequence": call}}
    assert await async_setup_component(hass, "automation", {"automation": automation})
    assert await async_setup_component(hass, "script", {"script": script})
    client = await hass_ws_client()
    caplog.clear()
    request = {"type": "call_service", "domain": DOMAIN, "service": name}
    await client.send_json_auto_id(
        request | {"service_data": call["data"], "target": call["target"]}
    )
    assert not (await client.receive_json())["success"]
    hass.bus.async_fire("go")
    await hass.async_block_till_done()
    await hass.services.async_call("script", "lamp", blocking=False)
    await hass.async_block_till_done()
    # With tracebacks, if there are any.
    logged = [
        caplog.handler.format(record)
        for record in caplog.records
        if record.levelno >= logging.INFO
    ]
    caplog.clear()
    assert len(logged) >= 3
    assert [line for line in logged if SECRET in line] == []


def _device(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    hub = entry.runtime_data
    device: str = hub.phones["44"].device_id
    return device
