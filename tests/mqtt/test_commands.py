"""What a command may contain, and the error when it is wrong."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
import pytest

from custom_components.snom_buttons.engine.mqtt.commands import IGNORED
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones, key_data
from tests.support.log import logging_to_a_file
from tests.support.mqtt_peers import MqttClient
from tests.support.mqtt_sides import (
    HomeAssistantSide,
    Setup,
    Side,
    over_home_assistants_versions,
)
from tests.support.rawphone import RawPhone

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
SET_SCHEMA = Draft202012Validator(json.loads((SCHEMAS / "set.schema.json").read_text()))

KEYS = [
    key_data("1"),
    key_data("2", colors=True),
    key_data(
        "3", kind="switch", name="Alarm", light_on="error", light_off="on", toggle=True
    ),
    key_data("4", kind="none"),
    key_data("last"),
]
OFF = {"n": "key1", "a": "message", "l": "Key 1"}


@pytest.fixture
def side_setup() -> Setup:
    """Return a setup with one phone."""
    return Setup(phones={"44": KEYS})


async def carried_out(client: MqttClient, phone: RawPhone) -> None:
    """Wait until the phone has what all earlier commands set."""
    for wanted in ("ON", "OFF"):
        client.publish("snom_buttons/44/key/last/set", wanted)
        await phone.shows("last", c="on" if wanted == "ON" else None)


@over_both_speakers
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
        ("2", [{"color": "green"}, {"state": "ON", "color": {"h": 9, "s": 3}}], OFF | {"n": "key2", "l": "Key 2", "c": "on"}),
        ("3", ["ON"], {"c": "error", "n": "key3", "a": "message", "l": "Alarm"}),
        ("3", ["TOGGLE", "OFF"], {"c": "on", "n": "key3", "a": "message", "l": "Alarm"}),
        ("3", [{"state": "OFF", "effect": "off", "label": "Off"}], {"c": "on", "n": "key3", "a": "message", "l": "Off"}),
        ("4", ["ON"], {"c": "on", "n": "key4", "a": "message", "l": "Key 4"}),
        ("1", [{"label": 21.5}], OFF | {"l": "21.5"}),
        ("1", [{"display_name": "Terrace"}], OFF | {"d": "Terrace"}),
        ("1", [{"caller": "19781234567"}], OFF | {"i": "19781234567"}),
        ("1", [{"direction": "in"}], OFF | {"b": "in"}),
        ("1", [{"forward": "always 0301234567"}], OFF | {"f": "always0301234567"}),
        ("1", [{"mwi": "3/1"}], OFF | {"m": "3/1"}),
        ("1", [{"release": "hangup"}], OFF | {"r": "hangup"}),
        ("1", [{"states": ["dnd", "logoff"]}], OFF | {"s": "dndlogoff"}),
        ("1", [{"treatment": "ring quietly"}], OFF | {"t": "ring quietly"}),
        ("1", [{"type": "line"}], OFF | {"x": "line"}),
        ("1", [{"type": "line"}, {"type": ""}], OFF),
        ("1", ["OFF", "ON", "TOGGLE"], OFF),
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
        if isinstance(command, dict):
            SET_SCHEMA.validate(command)
    await carried_out(client, phone)
    assert phone.keys[key] == phone.as_shown(**shown)
    assert not client.on("snom_buttons/error")


@over_both_speakers
@pytest.mark.parametrize("field", sorted(IGNORED))
async def test_ignored(client: MqttClient, phone: RawPhone, field: str) -> None:
    client.publish("snom_buttons/44/key/1/set", {"state": "ON", field: 1})
    await carried_out(client, phone)
    assert phone.keys["1"] == phone.as_shown(**(OFF | {"c": "on"}))
    assert not client.on("snom_buttons/error")
    client.publish("snom_buttons/44/key/1/set", {field: 1})
    heard = await client.first("snom_buttons/error")
    assert "Set what the key shows" in heard.json["reason"]


async def test_names_that_a_topic_cannot_hold(
    client: MqttClient, started: Side, phones: Phones
) -> None:
    # Neither the dialogues nor a settings file allow a percent sign.
    key = "a/b+%" if isinstance(started, HomeAssistantSide) else "a/b+"
    await started.configure(phones={"4+/6": [key_data(key)]})
    phone = await phones("4+/6")
    topic = "snom_buttons/4%2B%2F6"
    level = quote(key, safe="")
    client.publish(f"{topic}/key/{level}/set", "ON")
    await phone.shows(key, c="on")
    await client.hears(f"{topic}/key/{level}/state", state="ON", in_sync=True)
    client.publish(f"{topic}/document/set", f"k={key}\nc=hold\n")
    await phone.shows(key, c="hold")


@over_both_speakers
@pytest.mark.parametrize(
    "command",
    [
        {"color": "local"},
        {"color": "#112233"},
        {"effect": "hold", "color": "remote"},
        {"light": "record", "label": ""},
        "k=2\nc=disco\no=mauve\nl=" + "x" * 200,
        "k=2\nc=seized\nn=key2\na=message\nz=more",
    ],
)
async def test_what_is_published_changes_nothing_if_it_is_sent_back(
    client: MqttClient, phone: RawPhone, command: Any
) -> None:
    topic = "snom_buttons/44/key/2"
    is_document = isinstance(command, str)
    where = "snom_buttons/44/document/set" if is_document else f"{topic}/set"
    client.publish(where, command)
    await carried_out(client, phone)
    before = phone.keys["2"]
    (state,) = [
        payload
        for name, payload in (await client.kept()).items()
        if name == f"{topic}/state"
    ]
    client.publish(f"{topic}/set", state)
    await carried_out(client, phone)
    assert phone.keys["2"] is before


@over_both_speakers
@pytest.mark.parametrize(
    "document", ["k=2\nc=disco\no=#112233\nl=x\n", "k=2\nc=on\nl=y\n", "k=2\nc=record\no=local\n"]
)  # fmt: skip
async def test_what_was_published_can_be_sent_back_later(
    client: MqttClient, phone: RawPhone, document: str
) -> None:
    """Also what only a document can bring."""
    topic = "snom_buttons/44/key/2"

    async def shown() -> dict[str, Any]:
        state: dict[str, Any] = json.loads((await client.kept())[f"{topic}/state"])
        del state["in_sync"]
        return state

    client.publish("snom_buttons/44/document/set", document)
    await carried_out(client, phone)
    before = await shown()
    client.publish(f"{topic}/set", {"effect": "hold", "color": "red", "label": "z"})
    await carried_out(client, phone)
    assert await shown() != before
    client.publish(f"{topic}/set", before)
    await carried_out(client, phone)
    assert await shown() == before
    assert not client.on("snom_buttons/error")


@over_both_speakers
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
        ("44/key/1", "ONN", "ONN is not a command. Use a JSON object, or one of: ON, OFF, TOGGLE"),
        ("44/key/1", b"\xff\xfe", "is not a command"),
        ("44/key/1", "[1]", "is not a command"),
        ("44/key/1", "[" * 8_000, "is not a command"),
        ("44/key/1", "x" * 9_000, "must not take more than 8192 bytes"),
        ("44/key/1", {"effect": "park", "light": "hold"}, "The effect park contradicts the light hold"),
        ("44/key/1", {"effect": "park", "light": "off"}, "The effect park contradicts the light off"),
        ("44/key/1", {"color": {"h": True, "s": True}}, "is not a colour"),
        ("44/key/1", "o\ufb00", "is not a command"),
        ("44/key/%31", "ON", "snom_buttons/44/key/%31/set is not encoded correctly. Use snom_buttons/44/key/1/set"),
        ("%34%34/document", "k=1", "is not encoded correctly"),
        ("44/key/1", {}, "Set what the key shows, or reset it"),
        ("44/key/1", {"light": "on", "colour": "red"}, "There is no field colour."),
        ("44/key/1", {"state": "maybe"}, "maybe"),
        ("44/key/1", {"state": 1}, "state"),
        ("44/key/1", {"effect": "disco"}, "disco"),
        ("44/key/1", {"effect": ["hold"]}, "hold"),
        ("44/key/1", {"light": "disco"}, "disco"),
        ("44/key/1", {"color": {"h": 400, "s": 1}}, "is not a colour"),
        ("44/key/1", {"color": {"h": 4}}, "is not a colour"),
        ("44/key/1", {"color": {"r": 1, "g": 2, "b": "3"}}, "is not a colour"),
        ("44/key/1", {"color": "pink"}, "pink"),
        ("44/key/1", {"label": "a\nb"}, "label"),
        ("44/key/1", '{"label": "\\ud800"}', "is not a command"),
        ("44/key/1", b'{"label": "\xff"}', "is not a command"),
        ("44/key/1", '{"label": NaN}', "is not a command"),
        ("44/key/1", {"number": 10**30}, "1e+30"),
        ("44/key/1", {"label": ["a"]}, "label"),
        ("44/key/1", {"label": "x" * 200}, "128"),
        ("44/key/1", {"reset": "perhaps"}, "perhaps"),
        ("44/key/1", {"state": "OFF", "effect": "hold"}, "The state OFF contradicts the light hold"),
        ("44/key/1", {"state": "ON", "light": "off"}, "The state ON contradicts the light off"),
        ("44/key/3", {"state": "ON", "light": "on"}, "contradicts"),
        ("44/key/9", "ON", "9"),
        ("44/key/", "ON", "1, 2, 3, 4, last"),
        ("46/key/1", "ON", "There is no phone 46. There are: 44"),
        ("4%2F4/key/1", "ON", "There is no phone 4/4."),
        ("44/document", "nonsense", "Line 1 of the document"),
        ("44/document", "\n", "The document names no key"),
        ("44/document", "".join(f"k=x{n}\nc=on\n" for n in range(201)), "would have more than 200 keys"),
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


@over_both_speakers
async def test_the_key_of_a_shared_line_is_the_lines(
    side: Side, client: MqttClient, phone: RawPhone
) -> None:
    await side.configure(lines={"co2": {"44": "1"}})
    free = await phone.shows("1", c=None, a="seize")
    for where, command in (
        ("key/1", {"label": "Mine"}),
        ("document", "k=2\nc=on\nk=1\nl=Mine\n"),
    ):
        topic = f"snom_buttons/44/{where}/set"
        client.publish(topic, command)
        heard = await client.hears("snom_buttons/error", topic=topic)
        assert "belongs to the shared line Gate" in heard.json["reason"]
    await carried_out(client, phone)
    assert phone.keys["1"] == free
    assert phone.has("2", c=None)


@over_both_speakers
@pytest.mark.parametrize("where", ["key/1", "document"])
async def test_an_empty_payload_is_no_command(
    client: MqttClient, phone: RawPhone, where: str
) -> None:
    client.publish(f"snom_buttons/44/{where}/set", "")
    client.publish("snom_buttons/44/key/9/set", "ON")
    heard = await client.first("snom_buttons/error")
    assert heard.json["topic"] == "snom_buttons/44/key/9/set"


async def test_a_retained_command_is_not_carried_out_again(
    client: MqttClient, started: Side, phone: RawPhone
) -> None:
    topic = "snom_buttons/44/key/1/set"
    client.publish(topic, "ON", retain=True)
    await phone.shows("1", c="on")
    client.publish(topic, {"state": "OFF"})
    await phone.shows("1", c=None)
    await started.stop()
    await started.start()
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


@over_home_assistants_versions
async def test_what_is_retained_on_the_broker_changes_nothing(
    client: MqttClient, started: Side
) -> None:
    """The broker sends it as soon as the server subscribes; each part is refused."""
    await client.hears("snom_buttons/status", "online")
    await started.stop()
    retained: dict[str, str | bytes] = {
        "snom_buttons/44/key/3/set": "ON",
        "snom_buttons/44/key/1/set": b"\xff\x00{",
        "snom_buttons/44/key//set": "[" * 5_000,
        "snom_buttons//key/1/set": "{}",
        "snom_buttons/%34%34/key/1/set": "ON",
        "snom_buttons/44/document/set": "k=3\nc=on\n" * 8_000,
    }
    for topic, payload in retained.items():
        client.publish(topic, payload, retain=True)
        await client.first(topic)
    await started.start()

    def refused() -> set[str]:
        return {it.json["topic"] for it in client.on("snom_buttons/error")}

    await client.until(lambda: refused() == retained.keys())
    phone = started.server.phones["44"]
    assert not [key.name for key in phone.keys.values() if key.is_on]
    assert not phone.unconfigured


@over_both_speakers
async def test_the_log_has_nothing_of_a_command(
    side: Side,
    phone: RawPhone,
    client: MqttClient,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong one is explained to who sent it, on the broker."""
    commands = [
        b'{"label": "hush\xe2\x80\xae"}',
        b'{"caller": "hush\\u009b"}',
        b"hush \xff\x9b",
        b'{"hush": "hush"}',
        b"k=1\nl=hush\x9b\xff\n",
    ]
    with logging_to_a_file(*side.loggers) as log:
        for command in commands:
            for topic in ("44/key/1/set", "44/document/set", "hush/key/hush/set"):
                client.publish(f"snom_buttons/{topic}", command)
        await client.until(lambda: len(client.on("snom_buttons/error")) == 15)
    log.check()
    assert "Logging error" not in capsys.readouterr().err


@over_both_speakers
async def test_a_phone_that_refuses_stays_out_of_sync(
    client: MqttClient, phone: RawPhone
) -> None:
    """The state is what should show; the command was in order, so there is no error."""
    phone.answer = 415
    client.publish("snom_buttons/44/key/1/set", "ON")
    await phone.until(lambda: "c=on" in phone.requests[-1].body)
    # Commands are carried out in order.
    client.publish("snom_buttons/44/key/1/set", {"label": "later"})
    await client.hears("snom_buttons/44/key/1/state", label="later")
    state = json.loads((await client.kept())["snom_buttons/44/key/1/state"])
    assert (state["state"], state["in_sync"]) == ("ON", False)
    assert not client.on("snom_buttons/error")
