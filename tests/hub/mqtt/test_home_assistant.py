"""What entities, actions and the life of Home Assistant itself do on the broker."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HassJob, HomeAssistant, callback
from tests.support.blfphone import over_both_speakers
from tests.support.entries import key_data, update_phone
from tests.support.mqtt_peers import MqttClient
from tests.support.rawphone import RawPhone


async def test_it_stops(
    hass: HomeAssistant, client: MqttClient, mqtt_server: MockConfigEntry
) -> None:
    await client.hears("snom_buttons/status", "online")
    run = []
    hass.async_add_shutdown_job(HassJob(callback(lambda: run.append("job"))))
    await hass.async_stop(force=True)
    await client.hears("snom_buttons/status", "offline")
    assert run == ["job"]


@over_both_speakers
async def test_a_light_is_turned_on(
    hass: HomeAssistant, client: MqttClient, phone: RawPhone
) -> None:
    data = {
        "entity_id": "light.phone_44_key_2",
        "effect": "hold",
        "hs_color": (121, 90),
    }
    await hass.services.async_call("light", "turn_on", data, blocking=True)
    heard = await client.hears("snom_buttons/44/key/2/state", state="ON", in_sync=True)
    assert heard.json == {
        "state": "ON",
        "effect": "hold",
        "color_mode": "hs",
        "color": {"h": 120, "s": 100},
        "light": "hold",
        "label": "Key 2",
        "in_sync": True,
    }


@pytest.mark.parametrize("protocol", ["5"])
async def test_messages_are_set(
    hass: HomeAssistant, client: MqttClient, mqtt_server: MockConfigEntry
) -> None:
    await client.hears("snom_buttons/44/messages", state="OFF", mwi="0/0")
    device_id = mqtt_server.runtime_data.phones["44"].device_id
    data = {"mwi": "3/1", "device_id": device_id}
    await hass.services.async_call("snom_buttons", "set_messages", data, blocking=True)
    await client.hears("snom_buttons/44/messages", state="ON", mwi="3/1")


@pytest.mark.parametrize("protocol", ["5"])
@over_both_speakers
async def test_a_linked_key_is_published_and_not_set(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    client: MqttClient,
    phone: RawPhone,
) -> None:
    hass.states.async_set("light.hall", "on")
    link = key_data("1", kind="linked", follows="light.hall")
    update_phone(hass, config_entry, keys=[link])
    await phone.shows("1", c="on")
    for where, command in (
        ("key/1", "OFF"),
        ("key/1", "ON"),
        ("key/1", '{"label": "Mine"}'),
        ("document", "k=9\nc=on\n\nk=1\nc=hold\nl=Mine\n"),
    ):
        topic = f"snom_buttons/44/{where}/set"
        client.publish(topic, command)
        heard = await client.hears("snom_buttons/error", topic=topic)
        assert heard.json["reason"] == (
            "Key 1 of Phone 44 shows what it is linked to, and cannot be set"
        )
    assert phone.has("1", c="on")
    assert "9" not in phone.keys
    hass.states.async_set("light.hall", "off")
    await client.hears("snom_buttons/44/key/1/state", state="OFF")
