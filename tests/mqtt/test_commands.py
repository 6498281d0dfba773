"""What a command may say, and what is answered if it is wrong."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from tests.conftest import PASSWORD, key_data, phone_subentry
from tests.rawphone import RawPhone

from .peers import MqttClient

KEYS = [
    key_data("1"),
    key_data("2", colors=True),
    key_data(
        "3", kind="switch", name="Alarm", light_on="error", light_off="on", toggle=True
    ),
    key_data("4", kind="none"),
]
OFF = {"n": "key1", "a": "message", "l": "Key 1"}


@pytest.fixture
def protocol() -> str:
    """Return one version of MQTT; test_topics.py has them both."""
    return "5"


@pytest.fixture
def config_entry(hass: HomeAssistant, port: int) -> MockConfigEntry:
    """Return the entry of a server with one phone."""
    entry = MockConfigEntry(
        domain="snom_buttons",
        title="Phones",
        data={
            "host": "127.0.0.1",
            "port": port,
            "realm": "home-assistant",
            "advertised_host": "127.0.0.1",
        },
        subentries_data=[phone_subentry("44", KEYS, password=PASSWORD)],
    )
    entry.add_to_hass(hass)
    return entry


@pytest.mark.parametrize(
    ("key", "commands", "shown"),
    [
        ("1", [{"effect": "hold"}], OFF | {"c": "hold"}),
        ("1", [{"effect": "hold"}, "ON"], OFF | {"c": "hold"}),
        ("1", [{"effect": "hold"}, {"state": "on", "effect": "off"}], OFF | {"c": "on"}),
        ("1", [{"state": "ON", "brightness": 9, "transition": 2}], OFF | {"c": "on"}),
        ("1", [{"light": "park", "label": "Boiler"}], OFF | {"c": "park", "l": "Boiler"}),
        ("1", [{"light": True, "effect": None}], OFF | {"c": "on"}),
        ("1", [{"number": "*6013", "action": "invite"}], OFF | {"n": "*6013", "a": "invite"}),
        ("1", ["ON", {"label": ""}], {"c": "on", "n": "key1", "a": "message"}),
        ("1", [{"label": "x", "color": "red"}, {"reset": True, "state": "ON"}], OFF | {"c": "on"}),
        ("2", [{"color": {"h": 118, "s": 80}}], OFF | {"n": "key2", "l": "Key 2", "o": "green"}),
        ("2", ["ON", {"color": {"r": 255, "g": 120, "b": 0}}], OFF | {"n": "key2", "l": "Key 2", "c": "on", "o": "orange"}),
        ("2", ["ON", {"color": "#112233"}], OFF | {"n": "key2", "l": "Key 2", "c": "on", "o": "#112233"}),
        ("2", [{"color": "green"}, {"state": "ON", "color": {"h": 9, "s": 3}}], OFF | {"n": "key2", "l": "Key 2", "c": "on", "o": "green"}),
        ("3", ["ON"], {"c": "error", "n": "key3", "a": "message", "l": "Alarm"}),
        ("3", ["TOGGLE", "OFF"], {"c": "on", "n": "key3", "a": "message", "l": "Alarm"}),
        ("3", [{"state": "OFF", "effect": "off", "label": "Off"}], {"c": "on", "n": "key3", "a": "message", "l": "Off"}),
        ("4", ["ON"], {"c": "on", "n": "key4", "a": "message", "l": "Key 4"}),
    ],
)  # fmt: skip
async def test_set(
    client: MqttClient,
    phone: RawPhone,
    key: str,
    commands: list[Any],
    shown: dict[str, str],
) -> None:
    for command in commands:
        client.publish(f"snom_buttons/44/key/{key}/set", command)
    await phone.until(lambda: phone.keys.get(key) == shown)
    assert not client.on("snom_buttons/error")


async def test_what_is_published_can_be_sent_back(
    client: MqttClient, phone: RawPhone
) -> None:
    for key in ("1", "2", "3", "4"):
        topic = f"snom_buttons/44/key/{key}"
        off = await client.hears(f"{topic}/state", state="OFF")
        client.publish(f"{topic}/set", {"state": "ON"})
        on = await client.hears(f"{topic}/state", state="ON")
        client.publish(f"{topic}/set", off.payload)
        await client.hears(f"{topic}/state", state="OFF")
        client.publish(f"{topic}/set", on.payload)
        await client.hears(f"{topic}/state", state="ON", in_sync=True)
    assert not client.on("snom_buttons/error")


@pytest.mark.parametrize(
    ("where", "command", "reason"),
    [
        ("44/key/1", "ONN", "ONN is no command. Use a JSON object, or one of: ON, OFF, TOGGLE"),
        ("44/key/1", b"\xff\xfe", "is no command"),
        ("44/key/1", "[1]", "is no command"),
        ("44/key/1", "[" * 60_000, "is no command"),
        ("44/key/1", "x" * 70_000, "must not take more than 65536 bytes"),
        ("44/key/1", {}, "Say what the key shows, or reset it"),
        ("44/key/1", {"light": "on", "colour": "red"}, "There is no field colour."),
        ("44/key/1", {"state": "maybe"}, "maybe"),
        ("44/key/1", {"state": 1}, "state"),
        ("44/key/1", {"effect": "disco"}, "disco"),
        ("44/key/1", {"effect": ["hold"]}, "hold"),
        ("44/key/1", {"light": "disco"}, "disco"),
        ("44/key/1", {"color": {"h": 400, "s": 1}}, "is no colour"),
        ("44/key/1", {"color": {"h": 4}}, "is no colour"),
        ("44/key/1", {"color": {"r": 1, "g": 2, "b": "3"}}, "is no colour"),
        ("44/key/1", {"color": "pink"}, "pink"),
        ("44/key/1", {"label": "a\nb"}, "label"),
        ("44/key/1", '{"label": "\\ud800"}', "is no command"),
        ("44/key/1", b'{"label": "\xff"}', "is no command"),
        ("44/key/1", '{"label": NaN}', "is no command"),
        ("44/key/1", {"number": 10**30}, "1e+30"),
        ("44/key/1", {"label": ["a"]}, "label"),
        ("44/key/1", {"label": "x" * 200}, "128"),
        ("44/key/1", {"reset": "perhaps"}, "perhaps"),
        ("44/key/1", {"state": "OFF", "effect": "hold"}, "The state OFF contradicts the light hold"),
        ("44/key/1", {"state": "ON", "light": "off"}, "The state ON contradicts the light off"),
        ("44/key/3", {"state": "ON", "light": "on"}, "contradicts"),
        ("44/key/9", "ON", "9"),
        ("44/key/", "ON", "1, 2, 3, 4"),
        ("46/key/1", "ON", "There is no phone 46. There are: 44"),
        ("4%2F4/key/1", "ON", "There is no phone 4/4."),
        ("44/document", "nonsense", "nonsense"),
        ("44/document", b"k=1\r\nc=\xff", "document"),
        ("44/document", "x" * 70_000, "65536"),
        ("46/document", "k=1\nc=on", "46"),
    ],
)  # fmt: skip
async def test_broken(
    client: MqttClient, phone: RawPhone, where: str, command: Any, reason: str
) -> None:
    before = dict(phone.keys)
    topic = f"snom_buttons/{where}/set"
    client.publish(topic, command)
    heard = await client.first("snom_buttons/error")
    assert heard.json["topic"] == topic
    assert reason in heard.json["reason"]
    assert (heard.qos, heard.retain) == (1, False)
    client.publish("snom_buttons/44/key/2/set", {"label": "done"})
    await phone.shows("2", l="done")
    assert phone.keys | {"2": {}} == before | {"2": {}}


async def test_a_retained_command_is_not_carried_out_again(
    hass: HomeAssistant,
    client: MqttClient,
    mqtt_server: MockConfigEntry,
    phone: RawPhone,
) -> None:
    topic = "snom_buttons/44/key/1/set"
    client.publish(topic, "ON", retain=True)
    await phone.shows("1", c="on")
    client.publish(topic, {"state": "OFF"})
    await phone.shows("1", c=None)
    assert await hass.config_entries.async_reload(mqtt_server.entry_id)
    heard = await client.hears("snom_buttons/error", topic=topic)
    assert "clear the one that the broker keeps" in heard.json["reason"]
    assert (await client.kept())["snom_buttons/44/key/1/state"].startswith(
        '{"state":"OFF"'
    )
    client.heard.clear()
    client.publish(topic, "", retain=True)
    client.publish("snom_buttons/44/key/2/set", "ON")
    await client.hears("snom_buttons/44/key/2/state", state="ON")
    assert not client.on("snom_buttons/error")
