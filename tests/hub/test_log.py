"""The log of Home Assistant has no caller, no number and no label."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
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


def _device(hass: HomeAssistant, entry: MockConfigEntry) -> str:
    hub = entry.runtime_data
    device: str = hub.phones["44"].device_id
    return device
