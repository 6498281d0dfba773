"""Every topic, in both directions, between a subscriber and a phone."""

from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
import pytest

from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones
from tests.support.mqtt_peers import Heard, MqttClient
from tests.support.mqtt_sides import Side, over_both_versions
from tests.support.rawphone import RawPhone

pytestmark = over_both_versions

SCHEMAS = Path(__file__).parents[2] / "docs" / "schemas"
DOCUMENT = "k=1\nc=on\nl=Boiler\nk=99\nc=hold\n"


def check(heard: Heard, schema: str) -> Any:
    """Check a payload against its schema; return it."""
    said = heard.json
    validator = Draft202012Validator(
        json.loads((SCHEMAS / f"{schema}.schema.json").read_text()),
        format_checker=FormatChecker(),
    )
    validator.validate(said)
    return said


@over_both_speakers
async def test_status_and_availability(
    client: MqttClient, started: Side, phones: Phones
) -> None:
    await client.hears("snom_buttons/status", "online")
    await client.hears("snom_buttons/44/availability", "offline")
    phone: RawPhone = await phones()
    await client.hears("snom_buttons/44/availability", "online")
    await phone.unregister()
    await client.hears("snom_buttons/44/availability", "offline")
    async with client.another() as late:
        for topic in ("status", "44/availability", "44/key/1/state", "45/key/4/state"):
            heard = await late.first(f"snom_buttons/{topic}")
            assert heard.retain
            assert heard.qos == 1


async def test_stopping(client: MqttClient, started: Side) -> None:
    await client.hears("snom_buttons/status", "online")
    await started.stop()
    await client.hears("snom_buttons/status", "offline")
    await started.start()
    await client.hears("snom_buttons/status", "online")


@over_both_speakers
async def test_state(client: MqttClient, phone: RawPhone) -> None:
    heard = await client.hears("snom_buttons/44/key/1/state", in_sync=True)
    assert check(heard, "state") == {
        "state": "OFF",
        "effect": None,
        "light": "off",
        "label": "Key 1",
        "in_sync": True,
    }
    color = {"h": 121, "s": 90}
    client.publish("snom_buttons/44/key/2/set", {"effect": "hold", "color": color})
    heard = await client.hears("snom_buttons/44/key/2/state", state="ON", in_sync=True)
    assert check(heard, "state") == {
        "state": "ON",
        "effect": "hold",
        "color_mode": "hs",
        "color": {"h": 120, "s": 100},
        "light": "hold",
        "label": "Key 2",
        "in_sync": True,
    }


@over_both_speakers
async def test_a_phone_that_does_not_take_what_it_is_sent(
    client: MqttClient, phone: RawPhone
) -> None:
    await client.hears("snom_buttons/44/key/1/state", in_sync=True)
    phone.answer = 500
    client.publish("snom_buttons/44/key/1/set", "ON")
    await client.hears("snom_buttons/44/key/1/state", state="ON", in_sync=False)


@over_both_speakers
async def test_in_sync_is_published_key_by_key(
    client: MqttClient, phone: RawPhone
) -> None:
    for key in ("1", "2"):
        await client.hears(f"snom_buttons/44/key/{key}/state", in_sync=True)
    phone.answer = None
    client.publish("snom_buttons/44/key/1/set", "ON")
    await client.hears("snom_buttons/44/key/1/state", state="ON", in_sync=False)
    phone.answer = 200
    await client.hears("snom_buttons/44/key/1/state", state="ON", in_sync=True)
    assert all(h.json["in_sync"] for h in client.on("snom_buttons/44/key/2/state")[1:])


@over_both_speakers
async def test_event(client: MqttClient, phone: RawPhone, speaker: str) -> None:
    await phone.press("1")
    first = await client.hears("snom_buttons/44/key/1/event", event_type="press_end")
    assert (first.qos, first.retain) == (1, False)
    said = check(first, "event")
    sent = {"buttons": ("message", "key1"), "blf": ("invite", "1")}[speaker]
    assert (said["action"], said["number"]) == sent
    when = datetime.fromisoformat(said["time"])
    assert when.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - when) < timedelta(minutes=1)
    await phone.press("1")
    await client.until(lambda: len(client.on("snom_buttons/44/key/1/event")) == 2)
    assert client.on("snom_buttons/44/key/1/event")[1].json["id"] != said["id"]
    async with client.another() as late:
        await late.first("snom_buttons/44/key/1/state")
        assert not late.on("snom_buttons/44/key/1/event")


async def test_a_key_that_is_not_set_up_and_has_a_strange_name(
    client: MqttClient, phone: RawPhone
) -> None:
    await phone.press("a/b+c%", number="77")
    heard = await client.hears("snom_buttons/44/key/a%2Fb%2Bc%25/event", number="77")
    check(heard, "event")


@over_both_speakers
async def test_dialled(client: MqttClient, phone: RawPhone) -> None:
    await phone.invite("0815")
    heard = await client.hears("snom_buttons/44/dialled", number="0815")
    assert (heard.qos, heard.retain) == (1, False)
    assert set(check(heard, "dialled")) == {"number", "time", "id"}


@over_both_speakers
async def test_shared_line(side: Side, client: MqttClient, phone: RawPhone) -> None:
    await side.configure(lines={"co2": {"44": "1", "45": "1"}})
    await phone.shows("1", c=None, a="seize")
    await phone.press("1", "seize")
    heard = await client.hears("snom_buttons/44/key/1/event", event_type="seize")
    assert check(heard, "event")["action"] == "seize"
    client.publish("snom_buttons/44/key/1/set", "OFF")
    heard = await client.hears("snom_buttons/error", topic="snom_buttons/44/key/1/set")
    assert "shared line" in check(heard, "error")["reason"]


@over_both_speakers
@pytest.mark.parametrize("word", ["ON", "on", " On\n", "TOGGLE", '{"state": "ON"}'])
async def test_set_by_a_word(client: MqttClient, phone: RawPhone, word: str) -> None:
    client.publish("snom_buttons/44/key/1/set", word)
    await phone.shows("1", c="on")
    client.publish("snom_buttons/44/key/1/set", "Toggle")
    await phone.shows("1", c=None)


async def test_document(client: MqttClient, phone: RawPhone) -> None:
    client.publish("snom_buttons/44/document/set", DOCUMENT)
    await phone.shows("1", c="on", l="Boiler")
    await phone.shows("99", c="hold")
    client.publish("snom_buttons/44/document/set", "k=1\nc=off\nwhat is that")
    heard = await client.hears(
        "snom_buttons/error", topic="snom_buttons/44/document/set"
    )
    check(heard, "error")
