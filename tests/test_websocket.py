"""The websocket commands of the card, over a real websocket."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import pairwise
import json
from typing import Any
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.snom_buttons.engine.xbuttons import KeyDescription
from custom_components.snom_buttons.hub import faces
from custom_components.snom_buttons.hub.card import card_version
from custom_components.snom_buttons.hub.face_reader import FaceReader
from custom_components.snom_buttons.hub.faces import Subscriber
from homeassistant.config_entries import (
    SIGNAL_CONFIG_ENTRY_CHANGED,
    ConfigEntryDisabler,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.json import json_bytes
from tests.support.clock import hurrying
from tests.support.entries import (
    KEYS,
    add_phone,
    device_of,
    in_sync,
    key_data,
    line_subentry,
    phone_subentry,
    update_phone,
)
from tests.support.faces import MAX_MESSAGE, Viewer, token_of
from tests.support.hushed import (
    CALLER,
    DIALLED,
    EXTENSION,
    LOOK,
    NO_WORDS,
    PHONE,
    set_up,
    texts,
)
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST
from tests.support.rawphone import RawPhone

type Look = Callable[..., Awaitable[Viewer]]
LAMP = "light.phone_44_key_1"


@pytest.fixture
def look(hass: HomeAssistant, hass_ws_client: WebSocketGenerator) -> Look:
    """Return a function that subscribes to a phone."""

    async def subscribe(
        subentry_id: str = "subentry_44", token: str | None = None
    ) -> Viewer:
        client = await (hass_ws_client(hass, token) if token else hass_ws_client(hass))
        viewer = Viewer(client, device_of(hass, subentry_id))
        assert (await viewer.subscribe())["success"]
        await viewer.next()
        return viewer

    return subscribe


async def turn(hass: HomeAssistant, on: bool) -> None:
    await hass.services.async_call(
        "light", "turn_on" if on else "turn_off", {"entity_id": LAMP}, blocking=True
    )


def show(entry: MockConfigEntry, *, on: bool, extension: str = "44") -> None:
    """Turn the first key of a phone on or off, which need not be registered."""
    entry.runtime_data.server.phones[extension].keys["1"].turn(on)


def feeds(entry: MockConfigEntry) -> dict[str, Any]:
    found: dict[str, Any] = entry.runtime_data.faces._feeds
    return found


async def test_a_whole_face_and_then_what_changes(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, look: Look
) -> None:
    await in_sync(server)
    viewer = await look()
    assert viewer.face == {
        "name": "Phone 44",
        "maker": "snom",
        "model": "D785",
        "card": card_version(),
        "may": {"press": True, "arrange": True},
        "status": "in_sync",
        "messages": None,
        "groups": [
            {
                "kind": "screen",
                "module": None,
                "columns": 1,
                "rows": 6,
                "keys": [str(number) for number in range(1, 25)],
            }
        ],
        "keys": viewer.face["keys"],
    }
    assert [key["key"] for key in viewer.face["keys"]] == ["1", "2", "3", "4"]
    dark = {
        "key": "1",
        "kind": "light",
        "title": "Key 1",
        "label": "Key 1",
        "caller": "",
        "waiting": "",
        "light": "off",
        "pattern": "dark",
        "color": "#ff453a",
        "held_by": None,
        "lacking": False,
        "confirming": False,
        "pressable": True,
        "entity_id": "event.phone_44_key_1_press",
    }
    assert viewer.key("1") == dark
    assert (viewer.key("4")["kind"], viewer.key("4")["pressable"]) == ("none", False)
    assert viewer.key("4")["entity_id"] is None
    await turn(hass, True)
    changes = await viewer.next()
    assert changes == {
        "changes": {"keys": [dark | {"light": "on", "pattern": "steady"}]}
    }


async def test_all_that_a_key_shows(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, look: Look
) -> None:
    viewer = await look()
    await hass.services.async_call(
        "snom_buttons",
        "set_key",
        {
            "device_id": viewer.device_id,
            "key": "2",
            "light": "pickup",
            "color": "#00FF7F",
            "label": "<b>Door</b>",
            "caller": "Ann",
            "mwi": "2/1",
        },
        blocking=True,
    )
    key = await viewer.until_key("2", caller="Ann")
    shown = ("pattern", "light", "color", "label", "waiting")
    assert [key[name] for name in shown] == [
        "fast",
        "pickup",
        "#00ff7f",
        "<b>Door</b>",
        "2/1",
    ]


async def test_a_key_that_sends_nothing_cannot_be_pressed(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    viewer = await look()
    assert viewer.key("2")["pressable"] is True
    key = server.runtime_data.server.phones["44"].keys["2"]
    key.show(replace(key.look, number=None))
    await viewer.until_key("2", pressable=False)
    update_phone(hass, server, sending={"speakers": "blf"})
    await viewer.until_key("2", pressable=True)


async def test_the_status_of_the_phone(
    hass: HomeAssistant, server: MockConfigEntry, phones: Any, look: Look
) -> None:
    viewer = await look()
    assert viewer.face["status"] == "absent"
    assert viewer.key("1")["lacking"] is True
    phone = await phones()
    await viewer.until(status="in_sync")
    await viewer.until_key("1", lacking=False)
    phone.answer = 488
    await turn(hass, True)
    running = server.runtime_data.server.phones["44"]
    with hurrying(hass.loop):
        await phone.until(lambda: running.refusal is not None)
    await viewer.until(status="refusing")
    await viewer.until_key("1", lacking=True)
    phone.answer = 200
    await phone.register()
    await viewer.until(status="in_sync")


async def test_a_phone_that_does_not_answer_is_silent(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone, look: Look
) -> None:
    await in_sync(server)
    viewer = await look()
    [contact] = server.runtime_data.server.phones["44"]._contacts.values()
    contact.lost()
    await viewer.until(status="silent")
    await viewer.until_key("1", lacking=True)


async def test_a_phone_that_has_not_taken_all_is_behind(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    look: Look,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    viewer = await look()
    running = server.runtime_data.server.phones["44"]
    with monkeypatch.context() as patched:
        patched.setattr(type(running), "in_sync", property(lambda _: False))
        running.status.emit(None)
        await viewer.until(status="behind")
    running.status.emit(None)
    await viewer.until(status="in_sync")


@pytest.mark.parametrize("speaker", ["blf"], indirect=True)
async def test_a_blf_key_has_the_lamp_of_its_dialog_state(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Any, look: Look
) -> None:
    update_phone(hass, config_entry, maker="yealink", model="T46")
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    viewer = await look()
    assert viewer.face["groups"][0]["kind"] == "generic"
    green = {"pattern": "steady", "color": "#30d158", "light": "off"}
    assert green.items() <= viewer.key("1").items()
    await phones()
    await turn(hass, True)
    await viewer.until_key("1", pattern="steady", color="#ff453a", light="on")
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": LAMP, "effect": "hold"}, blocking=True
    )
    await viewer.until_key("1", pattern="fast", light="hold")


GREEN, RED = ("steady", "#30d158"), ("steady", "#ff453a")
DARK = ("dark", "#ff453a")


@pytest.mark.parametrize("speaker", ["blf"], indirect=True)
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(("yealink", *GREEN), id="green while terminated"),
        # The user says that their lamps are lit while nothing is on.
        pytest.param(("poly", *GREEN), id="not known"),
        pytest.param(("other", *GREEN), id="not known, nor its maker"),
        pytest.param((None, *DARK), id="snom, dark while terminated"),
    ],
)
async def test_an_inverted_lamp_is_drawn_as_the_phone_shows_it(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    phones: Any,
    look: Look,
    case: tuple[str | None, str, str],
) -> None:
    maker, pattern, color = case
    more = {"maker": maker} if maker else {}
    sending = {"inverted": True, "speakers": "blf"}
    update_phone(hass, config_entry, sending=sending, **more)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    viewer = await look()
    await phones()
    await viewer.until(status="in_sync")
    key = viewer.key("1")
    assert (key["pattern"], key["color"]) == RED
    await turn(hass, True)
    await viewer.until_key("1", pattern=pattern, color=color)


@pytest.mark.parametrize("speaker", ["blf"], indirect=True)
async def test_waiting_messages(
    hass: HomeAssistant, server: MockConfigEntry, phones: Any, look: Look
) -> None:
    viewer = await look()
    phone = await phones()
    await phone.subscribe("44", event="message-summary")
    await viewer.until(messages={"new": 0, "old": 0})
    await hass.services.async_call(
        "snom_buttons",
        "set_messages",
        {"device_id": viewer.device_id, "mwi": "3/1"},
        blocking=True,
    )
    await viewer.until(messages={"new": 3, "old": 1})


async def test_who_holds_a_shared_line(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Any, look: Look
) -> None:
    add_phone(hass, config_entry, line_subentry())
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    viewer = await look()
    assert viewer.key("1")["kind"] == "shared"
    assert viewer.key("1")["held_by"] is None
    other = await phones("45")
    registry = dr.async_get(hass)
    registry.async_update_device(
        device_of(hass, "subentry_45"), name_by_user="Workshop"
    )
    assert (await other.press("1", action="seize", number="*602co2")).status == 200
    key = await viewer.until_key("1", held_by="Workshop")
    assert (key["pattern"], key["label"]) == ("steady", "(co2)")
    registry.async_update_device(device_of(hass, "subentry_45"), name_by_user="Garage")
    await viewer.until_key("1", held_by="Garage")
    line = config_entry.runtime_data.lines["subentry_line"].line
    line.release()
    await viewer.until_key("1", held_by=None)
    line.seize()
    await viewer.until_key("1", held_by="")


async def test_a_second_press_acts(
    hass: HomeAssistant, config_entry: MockConfigEntry, phones: Any, look: Look
) -> None:
    # A look that is the one of a press to repeat: only `confirming` tells them apart.
    link = {"look_table": {"locked": "pickup"}, "confirm": "always"}
    keys = [key_data("1", kind="linked", follows="lock.door", **link)]
    hass.states.async_set("lock.door", "locked")
    update_phone(hass, config_entry, keys=keys)
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    phone = await phones()
    viewer = await look()
    key = await viewer.until_key("1", light="pickup", confirming=False)
    assert key["entity_id"] == "lock.door"
    assert (await phone.press("1")).status == 200
    await viewer.until_key("1", light="pickup", confirming=True)
    hass.states.async_set("lock.door", "unlocked")
    await viewer.until_key("1", confirming=False)


# What may be seen, and by whom


async def test_only_phones_can_be_looked_at(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    add_phone(hass, config_entry, line_subentry())
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    client = await hass_ws_client(hass)
    server = config_entry.runtime_data.device_id
    other = dr.async_get(hass).async_get_or_create(
        config_entry_id=config_entry.entry_id,
        identifiers={("other", "of", "three")},  # type: ignore[arg-type]
    )
    line = device_of(hass, "subentry_line")
    for device_id in ("", "other", other.id, server, line):
        answer = await Viewer(client, device_id).subscribe()
        assert answer["error"]["code"] == "not_found"
    await client.send_json_auto_id({"type": "snom_buttons/phone/subscribe"})
    assert (await client.receive_json())["error"]["code"] == "invalid_format"
    await client.send_json_auto_id(
        {"type": "snom_buttons/phone/subscribe", "device_id": 44}
    )
    assert (await client.receive_json())["error"]["code"] == "invalid_format"
    await client.send_json_auto_id(
        {
            "type": "snom_buttons/phone/subscribe",
            "device_id": device_of(hass),
            "more": True,
        }
    )
    assert (await client.receive_json())["error"]["code"] == "invalid_format"
    caplog.clear()  # Home Assistant logs that as an error
    assert feeds(config_entry) == {}


@pytest.mark.usefixtures("local_auth")
@pytest.mark.parametrize(
    "policy", [{}, {"entities": {"entity_ids": {LAMP: {"read": True}}}}]
)
async def test_a_user_who_may_not_read_the_entities(
    hass: HomeAssistant,
    server: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    policy: dict[str, Any],
) -> None:
    client = await hass_ws_client(hass, await token_of(hass, policy))
    answer = await Viewer(client, device_of(hass)).subscribe()
    assert answer["error"]["code"] == "unauthorized"
    assert feeds(server) == {}


@pytest.mark.usefixtures("local_auth")
@pytest.mark.parametrize("policy", [{}, {"domains": {"event": True}}, {"all": True}])
async def test_a_phone_without_entities_is_for_who_may_do_all(
    hass: HomeAssistant,
    server: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    policy: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They are disabled, or not added yet."""
    registry = er.async_get(hass)
    for entity in er.async_entries_for_device(registry, device_of(hass)):
        registry.async_update_entity(
            entity.entity_id, disabled_by=er.RegistryEntryDisabler.USER
        )
    await hass.async_block_till_done()
    token = await token_of(hass, {"entities": policy})
    client = await hass_ws_client(hass, token)
    answer = await Viewer(client, device_of(hass)).subscribe()
    assert answer["success"] is ("all" in policy)
    if answer["success"]:
        await client.receive_json()
    await client.send_json_auto_id(
        {
            "type": "call_service",
            "domain": "snom_buttons",
            "service": "press_key",
            "service_data": {"device_id": device_of(hass), "key": "1"},
        }
    )
    answer = await client.receive_json()
    assert answer["success"] is ("all" in policy)
    caplog.clear()  # Home Assistant logs that as an error


@pytest.mark.usefixtures("local_auth")
@pytest.mark.parametrize("control", [False, True])
async def test_what_a_user_may(
    hass: HomeAssistant,
    server: MockConfigEntry,
    look: Look,
    control: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """As the action decides it."""
    token = await token_of(
        hass, {"entities": {"all": {"read": True, "control": control}}}
    )
    viewer = await look(token=token)
    assert viewer.face["may"] == {"press": control, "arrange": False}
    await viewer.client.send_json_auto_id(
        {
            "type": "call_service",
            "domain": "snom_buttons",
            "service": "press_key",
            "service_data": {"device_id": viewer.device_id, "key": "1"},
        }
    )
    answer = await viewer.client.receive_json()
    assert answer["success"] is control
    caplog.clear()  # as above


@pytest.mark.usefixtures("local_auth")
async def test_a_user_whose_permissions_change(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    everything = {"read": True, "control": True}
    token = await token_of(hass, {"entities": {"all": everything}})
    viewer = await look(token=token)
    refresh = hass.auth.async_validate_access_token(token)
    assert refresh is not None
    user = refresh.user
    assert isinstance(user, MockUser)

    async def allow(entities: dict[str, Any]) -> None:
        user.mock_policy({"entities": entities})
        await hass.auth.async_update_user(user, name=user.name)

    await allow({"all": {"read": True}})
    await viewer.next()
    assert viewer.face["may"] == {"press": False, "arrange": False}
    await allow({})
    assert await viewer.next() == {"gone": "unauthorized"}
    assert feeds(server) == {}
    assert await hass.config_entries.async_reload(server.entry_id)
    assert await viewer.next() == {"gone": "unauthorized"}
    assert feeds(server) == {}
    await allow({"all": everything})
    await viewer.next()
    assert viewer.face["may"] == {"press": True, "arrange": False}
    other = next(each for each in await hass.auth.async_get_users() if each != user)
    await hass.auth.async_update_user(other, name="Other")
    assert await hass.config_entries.async_unload(server.entry_id)
    assert await viewer.next() == {"gone": "stopped"}
    await allow({})
    hass.config_entries.async_remove_subentry(server, "subentry_44")
    assert await viewer.next() == {"gone": "removed"}


# How long it lasts


async def test_it_outlives_a_reload(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    viewer = await look()
    before = viewer.face
    assert await hass.config_entries.async_reload(server.entry_id)
    assert await viewer.next() == {"gone": "stopped"}
    await viewer.next()
    assert viewer.face == before
    show(server, on=True)
    await viewer.until_key("1", light="on")
    assert await hass.config_entries.async_unload(server.entry_id)
    assert await viewer.next() == {"gone": "stopped"}


async def test_a_server_that_does_not_run(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    await hass.config_entries.async_set_disabled_by(
        server.entry_id, ConfigEntryDisabler.USER
    )
    assert server.state is ConfigEntryState.NOT_LOADED
    viewer = await look()
    assert viewer.gone == "stopped"
    await hass.config_entries.async_set_disabled_by(server.entry_id, None)
    await viewer.next()
    assert viewer.face["name"] == "Phone 44"


async def test_a_phone_that_is_removed(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    viewer, other = await look(), await look("subentry_45")
    hass.config_entries.async_remove_subentry(server, "subentry_44")
    assert await viewer.next() == {"gone": "removed"}
    await hass.async_block_till_done()
    assert feeds(server).keys() == {"subentry_45"}
    assert await hass.config_entries.async_unload(server.entry_id)
    assert await other.next() == {"gone": "stopped"}
    hass.config_entries.async_remove_subentry(server, "subentry_45")
    assert await other.next() == {"gone": "removed"}


async def test_a_server_that_is_removed(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    viewer = await look()
    await hass.config_entries.async_remove(server.entry_id)
    assert await viewer.next() == {"gone": "stopped"}
    assert await viewer.next() == {"gone": "removed"}


async def test_a_phone_that_is_not_running_yet(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    """Its device may be there before: that of a phone that was removed and comes back."""
    messages: list[bytes] = []
    end = server.runtime_data.faces.async_subscribe(
        "subentry_46",
        Subscriber(messages.append, lambda: {"press": True, "arrange": True}),
    )
    assert [json.loads(each) for each in messages] == [{"gone": "stopped"}]
    add_phone(hass, server, phone_subentry("46"))
    await hass.async_block_till_done()
    assert json.loads(messages[-1])["phone"]["name"] == "Phone 46"
    end()
    assert feeds(server) == {}


async def test_the_device_of_another_phone_costs_nothing(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    """All phones may register at once, each with a firmware that its device gets."""
    viewer = await look()
    registry = dr.async_get(hass)
    with patch.object(FaceReader, "key") as read:
        registry.async_update_device(device_of(hass, "subentry_45"), sw_version="1")
        await hass.async_block_till_done()
        assert not read.called
    registry.async_update_device(device_of(hass), name_by_user="Hall")
    await viewer.until(name="Hall")


async def test_new_settings(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    viewer = await look()
    update_phone(hass, server, keys=[*KEYS[:2], key_data("3", name="Door"), KEYS[3]])
    message = await viewer.next()
    [key] = message["changes"]["keys"]
    assert (key["key"], key["title"], key["kind"]) == ("3", "Door", "light")
    # The same device with another number
    update_phone(hass, server, extension="77", title="Seventy-seven")
    message = await viewer.next()
    assert message["phone"]["name"] == "Seventy-seven"
    show(server, on=True, extension="77")
    await viewer.until_key("1", light="on")
    update_phone(hass, server, "44", keys=KEYS[:1], expansion="1x D7")
    await viewer.next()
    assert [key["key"] for key in viewer.face["keys"]] == ["1"]
    assert [group["module"] for group in viewer.face["groups"]] == [None, "D7"]


async def test_new_names(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    viewer = await look()
    dr.async_get(hass).async_update_device(viewer.device_id, name_by_user="Kitchen")
    assert (await viewer.next())["phone"]["name"] == "Kitchen"
    registry = er.async_get(hass)
    before = "event.phone_44_key_1_press"
    registry.async_update_entity(before, new_entity_id="event.bell")
    await viewer.until_key("1", entity_id="event.bell")
    registry.async_update_entity(
        "event.bell", disabled_by=er.RegistryEntryDisabler.USER
    )
    await viewer.until_key("1", entity_id=None)
    # of others
    registry.async_update_entity("event.phone_45_key_1_press", name="Other")
    dr.async_get(hass).async_update_device(server.runtime_data.device_id, name="Other")
    await hass.async_block_till_done()
    show(server, on=True)
    assert (await viewer.next())["changes"]["keys"][0]["light"] == "on"


async def test_nothing_is_left_of_clients_that_are_gone(
    hass: HomeAssistant,
    server: MockConfigEntry,
    look: Look,
    hass_ws_client: WebSocketGenerator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phone = server.runtime_data.server.phones["44"]
    ended = asyncio.Event()
    stop = faces.FaceFeed.async_stop

    def stopped(feed: faces.FaceFeed) -> None:
        stop(feed)
        hass.loop.call_soon(ended.set)

    monkeypatch.setattr(faces.FaceFeed, "async_stop", stopped)

    def followers() -> tuple[int, ...]:
        signals = [
            phone.status,
            phone.messages,
            *(k.shown for k in phone.keys.values()),
        ]
        return (
            *(len(signal._listeners) for signal in signals),
            *(
                hass.bus.async_listeners().get(event, 0)
                for event in (
                    dr.EVENT_DEVICE_REGISTRY_UPDATED,
                    er.EVENT_ENTITY_REGISTRY_UPDATED,
                )
            ),
            len(hass.data["dispatcher"].get(SIGNAL_CONFIG_ENTRY_CHANGED, ())),
        )

    # of the websocket itself, which comes with the first client
    await (await hass_ws_client(hass)).close()
    await hass.async_block_till_done()
    before = followers()
    viewers = [await look() for _ in range(3)]
    assert len(feeds(server)) == 1
    assert followers() > before
    show(server, on=True)  # a timer is set when the last one leaves
    await viewers[0].client.send_json_auto_id(
        {"type": "unsubscribe_events", "subscription": viewers[0].id}
    )
    for viewer in viewers[1:]:
        await viewer.client.close()
    async with asyncio.timeout(PATIENCE):
        await ended.wait()
    assert feeds(server) == {}
    await hass.async_block_till_done()
    assert followers() == before
    assert timers_of(hass) == []


def timers_of(hass: HomeAssistant) -> list[Any]:
    """Return the messages of feeds that are still due."""
    loop: Any = hass.loop
    return [
        handle
        for handle in (*loop._scheduled, *loop._ready)
        if not handle.cancelled() and "FaceFeed" in repr(handle)
    ]


async def test_two_clients_get_the_same_json(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    viewers = [await look(), await look()]
    made = []

    def count(value: Any) -> bytes:
        made.append(value)
        return json_bytes(value)

    with patch.object(faces, "json_bytes", count):
        show(server, on=True)
        texts = [json.dumps(await viewer.next()) for viewer in viewers]
    assert texts[0] == texts[1]
    assert len(made) == 1


async def test_a_face_comes_together_with_the_state_of_the_light(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Else a page that shows both would draw the state first."""
    await in_sync(server)
    client = await hass_ws_client(hass)
    features = {"type": "supported_features", "features": {"coalesce_messages": 1}}
    for command in (
        features,
        {"type": "subscribe_entities", "entity_ids": [LAMP]},
        {"type": "snom_buttons/phone/subscribe", "device_id": device_of(hass)},
    ):
        await client.send_json_auto_id(command)
    came: list[Any] = []
    while sum("event" in each for each in came) < len(("state", "face")):
        answer = await client.receive_json()
        came += answer if isinstance(answer, list) else [answer]
    await turn(hass, True)
    both = await client.receive_json()
    assert isinstance(both, list)
    assert [*both[0]["event"]["c"]] == [LAMP]
    assert [key["key"] for key in both[1]["event"]["changes"]["keys"]] == ["1"]


async def test_a_client_that_comes_late_has_what_the_others_have(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    """A change that is taken back before it is sent must not stay with one of them."""
    first: list[bytes] = []
    late: list[bytes] = []
    may = {"press": True, "arrange": True}
    subscribe = server.runtime_data.faces.async_subscribe
    subscribe("subentry_44", Subscriber(first.append, lambda: may))
    key = server.runtime_data.server.phones["44"].keys["1"]
    key.turn(True)
    subscribe("subentry_44", Subscriber(late.append, lambda: may))
    key.turn(False)
    await hass.async_block_till_done()
    assert first == late
    assert json.loads(late[-1])["phone"]["keys"][0]["light"] == "off"


async def test_at_most_ten_messages_a_second_and_the_newest_wins(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    times: list[float] = []
    messages: list[dict[str, Any]] = []

    def take(message: bytes) -> None:
        times.append(hass.loop.time())
        messages.append(json.loads(message))

    server.runtime_data.faces.async_subscribe(
        "subentry_44", Subscriber(take, lambda: {"press": True, "arrange": True})
    )
    keys = server.runtime_data.server.phones["44"].keys
    label = 0
    with hurrying(hass.loop, only_jumps=True):
        for label in range(300):
            for name in ("1", "2"):
                key = keys[name]
                key.show(replace(key.look, label=str(label), caller=f"a{label}"))
                key.show(replace(key.look, caller=str(label)))
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
    changes = [message["changes"] for message in messages[1:]]
    assert all(len(change["keys"]) == 2 for change in changes)
    assert [face["label"] for face in changes[-1]["keys"]] == 2 * [str(label)]
    assert [face["caller"] for face in changes[-1]["keys"]] == 2 * [str(label)]
    # The first one comes in the next turn.
    assert changes[0]["keys"][0]["caller"] == "0"
    gaps = [after - before for before, after in pairwise(times[1:])]
    assert min(gaps) == pytest.approx(faces.INTERVAL)
    assert len(changes) == 31  # at each tenth of three seconds, both ends included


async def test_nothing_is_sent_to_a_subscriber_that_has_left(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    messages: list[bytes] = []
    may = {"press": True, "arrange": True}
    end = server.runtime_data.faces.async_subscribe(
        "subentry_44", Subscriber(messages.append, lambda: may)
    )
    show(server, on=True)
    assert len(timers_of(hass)) == 1
    end()
    assert timers_of(hass) == []
    await hass.async_block_till_done()
    assert len(messages) == 1
    end()  # as a connection does that is closed after an unsubscription


async def test_a_change_that_is_taken_back_is_not_sent(
    hass: HomeAssistant, server: MockConfigEntry
) -> None:
    messages: list[bytes] = []
    server.runtime_data.faces.async_subscribe(
        "subentry_44",
        Subscriber(messages.append, lambda: {"press": True, "arrange": True}),
    )
    key = server.runtime_data.server.phones["44"].keys["1"]
    key.turn(True)
    key.turn(False)
    await hass.async_block_till_done()
    assert len(messages) == 1


async def test_bytes_per_change(
    hass: HomeAssistant, server: MockConfigEntry, look: Look
) -> None:
    viewer = await look()
    show(server, on=True)
    await viewer.next()
    assert len(viewer.raw[-1].encode()) < MAX_MESSAGE


# What is private


async def test_no_private_value_is_sent(
    hass: HomeAssistant, port: int, hass_ws_client: WebSocketGenerator
) -> None:
    """Names and what a key shows are seen, and nothing else."""
    entry = await set_up(hass, port)
    server = entry.runtime_data.server
    viewer = Viewer(await hass_ws_client(hass), device_of(hass, "hush-subentry"))
    assert (await viewer.subscribe())["success"]
    await viewer.next()
    async with RawPhone(
        (LOCALHOST, port),
        EXTENSION,
        PHONE["password"],
        user_agent="snomD785/10.1.198.12 0004130DD7C9 (hush-agent)",
    ) as phone:
        phone.supported = "buttons, path"
        phone.more = ["Path: <sip:hush-path.example;lr>", "X-Real-IP: 192.0.2.77"]
        phone.instance = "urn:uuid:hush-instance"
        assert (await phone.register()).status == 200
        await viewer.until(status="in_sync")
        assert (await phone.invite(DIALLED)).status == 486
        server.phones[EXTENSION].show([KeyDescription(**LOOK)])
        await viewer.until_key("hush-key", light="hush-light")
        assert (await phone.press("hush-key", number="hush-pressed")).status == 200
        phone.answer, phone.reason = 415, "hush-reason"
        running = server.phones[EXTENSION]
        running.show([KeyDescription(**LOOK)])
        with hurrying(hass.loop):
            await phone.until(lambda: running.refusal is not None)
        await viewer.until(status="refusing")
        secrets = [*NO_WORDS, phone.address]
    sent = " ".join(viewer.raw)
    seen = {text for each in viewer.raw for text in texts(json.loads(each))}
    assert {text for text in seen if "hush" in text.casefold()} == {
        "hush-phone",
        "hush-key",
        "hush-key-name",
        "hush-linked",
        "hush-linked-name",
        "hush-light",
        "hush-label",
        CALLER,
        "light.hush_follows",
        "event.hush_phone_hush_key_name_press",
    }
    # The colour and the messages of a key are shown, and so is its caller.
    shown = {"#1B2C3D", "4711", "555 0123456"}
    assert [text for text in secrets if text not in shown and text in sent] == []


@pytest.mark.usefixtures("local_auth")
async def test_no_private_value_is_in_an_error(
    hass: HomeAssistant, port: int, hass_ws_client: WebSocketGenerator
) -> None:
    await set_up(hass, port)
    client = await hass_ws_client(hass, await token_of(hass, {}))
    for device_id in (device_of(hass, "hush-subentry"), "other"):
        answer = await Viewer(client, device_id).subscribe()
        assert "hush" not in json.dumps(answer)
