"""Lamps as lights."""

import asyncio
from dataclasses import replace
from itertools import groupby

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.engine.xbuttons import Color
from custom_components.snom_buttons.hub.lamp_turns import LAMPS_A_TURN
from homeassistant.components.light import (
    ATTR_BRIGHTNESS,
    ATTR_COLOR_MODE,
    ATTR_EFFECT,
    ATTR_EFFECT_LIST,
    ATTR_HS_COLOR,
    ATTR_SUPPORTED_COLOR_MODES,
    DATA_COMPONENT,
    DOMAIN as LIGHT_DOMAIN,
    ColorMode,
)
from homeassistant.const import (
    ATTR_ENTITY_ID,
    SERVICE_TOGGLE,
    SERVICE_TURN_OFF,
    SERVICE_TURN_ON,
    STATE_OFF,
    STATE_ON,
    STATE_UNAVAILABLE,
)
from homeassistant.core import (
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.setup import async_setup_component
from tests.support.blfphone import over_both_speakers
from tests.support.entries import Phones, add_phone, in_sync, key_data, phone_subentry
from tests.support.rawphone import RawPhone

PLAIN = "light.phone_44_key_1"
COLORED = "light.phone_44_key_2"


async def call(
    hass: HomeAssistant, service: str, entity_id: str, **data: object
) -> State:
    await hass.services.async_call(
        LIGHT_DOMAIN, service, {ATTR_ENTITY_ID: entity_id, **data}, blocking=True
    )
    state = hass.states.get(entity_id)
    assert state is not None
    return state


@over_both_speakers
async def test_on_and_off(hass: HomeAssistant, phone: RawPhone) -> None:
    state = await call(hass, SERVICE_TURN_ON, PLAIN)
    assert state.state == STATE_ON
    assert state.attributes[ATTR_COLOR_MODE] == ColorMode.ONOFF
    assert state.attributes[ATTR_EFFECT] == "off"
    assert state.attributes[ATTR_SUPPORTED_COLOR_MODES] == [ColorMode.ONOFF]
    shown = await phone.shows("1", c="on")
    assert shown == phone.as_shown(c="on", n="key1", a="message", l="Key 1")

    state = await call(hass, SERVICE_TURN_OFF, PLAIN)
    assert state.state == STATE_OFF
    assert state.attributes[ATTR_EFFECT] is None
    await phone.shows("1", c=None)


@over_both_speakers
@pytest.mark.parametrize(
    "effect",
    ["hold", "pickup", "park", "message", "offline", "error", "seized", "record"],
)
async def test_an_effect_is_a_light_mode(
    hass: HomeAssistant, phone: RawPhone, effect: str
) -> None:
    state = await call(hass, SERVICE_TURN_ON, PLAIN, effect=effect)
    assert state.state == STATE_ON
    assert state.attributes[ATTR_EFFECT] == effect
    assert effect in state.attributes[ATTR_EFFECT_LIST]
    await phone.shows("1", c=effect)

    state = await call(hass, SERVICE_TURN_ON, PLAIN)
    assert state.attributes[ATTR_EFFECT] == effect, "turning on keeps the effect"

    state = await call(hass, SERVICE_TURN_ON, PLAIN, effect="off")
    assert state.attributes[ATTR_EFFECT] == "off"
    await phone.shows("1", c="on")


@over_both_speakers
async def test_a_lamp_that_was_off_comes_on_steadily(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    await call(hass, SERVICE_TURN_ON, PLAIN, effect="hold")
    await call(hass, SERVICE_TOGGLE, PLAIN)
    state = await call(hass, SERVICE_TOGGLE, PLAIN)
    assert state.attributes[ATTR_EFFECT] == "off"
    await phone.shows("1", c="on")


@over_both_speakers
async def test_an_unknown_effect_is_refused(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    with pytest.raises(ServiceValidationError, match="no effect rainbow") as error:
        await call(hass, SERVICE_TURN_ON, PLAIN, effect="rainbow")
    assert error.value.translation_key == "unknown_effect"
    assert hass.states.get(PLAIN).state == STATE_OFF


@pytest.mark.parametrize(
    ("wanted", "color", "shown"),
    [
        ({"hs_color": (0, 100)}, "red", (0, 100)),
        ({"hs_color": (350, 80)}, "red", (0, 100)),
        ({"hs_color": (14, 100)}, "red", (0, 100)),
        ({"hs_color": (16, 100)}, "orange", (30, 100)),
        ({"hs_color": (60, 100)}, "orange", (30, 100)),
        ({"hs_color": (76, 100)}, "green", (120, 100)),
        ({"hs_color": (200, 100)}, "green", (120, 100)),
        ({"rgb_color": (0, 255, 0)}, "green", (120, 100)),
        ({"color_name": "darkorange"}, "orange", (30, 100)),
        ({"color_name": "blue"}, "red", (0, 100)),
        ({"hs_color": (0, 20)}, "red", (0, 100)),
    ],
)
async def test_a_color_becomes_the_nearest_that_a_lamp_has(
    hass: HomeAssistant,
    phone: RawPhone,
    wanted: dict[str, object],
    color: str,
    shown: tuple[float, float],
) -> None:
    state = await call(hass, SERVICE_TURN_ON, COLORED, **wanted)
    assert state.attributes[ATTR_HS_COLOR] == shown
    assert state.attributes[ATTR_BRIGHTNESS] == 255
    assert state.attributes[ATTR_SUPPORTED_COLOR_MODES] == [
        ColorMode.HS,
        ColorMode.WHITE,
    ]
    await phone.shows("2", c="on", o=color)


@pytest.mark.parametrize("wanted", ["white", "floralwhite"])
async def test_a_color_that_is_rather_white_leaves_the_choice_to_the_phone(
    hass: HomeAssistant, phone: RawPhone, wanted: str
) -> None:
    state = await call(hass, SERVICE_TURN_ON, COLORED, color_name=wanted)
    assert state.attributes[ATTR_COLOR_MODE] == ColorMode.WHITE
    await phone.shows("2", c="on", o=None)
    await call(hass, SERVICE_TURN_ON, COLORED, color_name="green")
    await phone.shows("2", c="on", o="green")
    state = await call(hass, SERVICE_TURN_ON, COLORED, color_name=wanted)
    assert state.attributes[ATTR_COLOR_MODE] == ColorMode.WHITE
    await phone.shows("2", c="on", o=None)


@over_both_speakers
async def test_a_scene_brings_lamps_back(hass: HomeAssistant, phone: RawPhone) -> None:
    """Including one whose colour was never set."""
    assert await async_setup_component(hass, "scene", {})
    await hass.async_block_till_done()
    lamps = [PLAIN, COLORED]
    for lamp in lamps:
        await call(hass, SERVICE_TURN_ON, lamp, effect="hold")
    await hass.services.async_call(
        "scene",
        "create",
        {"scene_id": "lamps", "snapshot_entities": lamps},
        blocking=True,
    )
    for lamp in lamps:
        await call(hass, SERVICE_TURN_OFF, lamp)
    await hass.services.async_call(
        "scene", SERVICE_TURN_ON, {ATTR_ENTITY_ID: "scene.lamps"}, blocking=True
    )
    for lamp, key in zip(lamps, ("1", "2"), strict=True):
        assert hass.states.get(lamp).state == STATE_ON
        await phone.shows(key, c="hold")


@over_both_speakers
async def test_a_lamp_that_is_off_has_no_effect(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    lamp = hass.data[DATA_COMPONENT].get_entity(PLAIN)
    assert lamp is not None
    assert lamp.effect is None
    await call(hass, SERVICE_TURN_ON, PLAIN)
    assert lamp.effect == "off"


async def test_color_and_effect_are_kept_apart(
    hass: HomeAssistant, phone: RawPhone
) -> None:
    await call(hass, SERVICE_TURN_ON, COLORED, hs_color=(0, 100), effect="message")
    await phone.shows("2", c="message", o="red")
    await call(hass, SERVICE_TURN_ON, COLORED, hs_color=(120, 100))
    await phone.shows("2", c="message", o="green")
    await call(hass, SERVICE_TURN_OFF, COLORED)
    await phone.shows("2", c=None, o="green")
    state = await call(hass, SERVICE_TURN_ON, COLORED)
    assert state.attributes[ATTR_HS_COLOR] == (120, 100)
    await phone.shows("2", c="on", o="green")


@pytest.mark.parametrize(
    ("color", "shown"),
    [
        (None, None),
        (Color.LOCAL, (120, 100)),
        (Color.REMOTE, (0, 100)),
        ("#0000FF", (240, 100)),
        ("#broken", None),
        ("mauve", None),
    ],
)
async def test_colors_that_were_set_elsewhere(
    hass: HomeAssistant,
    server: MockConfigEntry,
    phone: RawPhone,
    color: str | None,
    shown: tuple[float, float] | None,
) -> None:
    await call(hass, SERVICE_TURN_ON, COLORED)
    key = server.runtime_data.server.phones["44"].keys["2"]
    key.show(replace(key.look, color=color))
    assert hass.states.get(COLORED).attributes[ATTR_HS_COLOR] == shown


@over_both_speakers
async def test_a_word_that_is_no_effect_is_one_once_it_was_shown(
    hass: HomeAssistant, server: MockConfigEntry, phone: RawPhone
) -> None:
    key = server.runtime_data.server.phones["44"].keys["1"]
    key.show(replace(key.look, light="disco"))
    state = hass.states.get(PLAIN)
    assert state.state == STATE_ON
    assert state.attributes[ATTR_EFFECT] == "disco"
    assert "disco" in state.attributes[ATTR_EFFECT_LIST]
    await call(hass, SERVICE_TURN_OFF, PLAIN)
    await call(hass, SERVICE_TURN_ON, PLAIN, effect="disco")
    await phone.shows("1", c="disco")


@over_both_speakers
async def test_a_light_is_unavailable_while_its_phone_is_away(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    assert hass.states.get(PLAIN).state == STATE_UNAVAILABLE
    phone = await phones()
    assert hass.states.get(PLAIN).state == STATE_OFF
    assert hass.states.get("light.phone_45_key_1").state == STATE_UNAVAILABLE
    await phone.unregister()
    assert hass.states.get(PLAIN).state == STATE_UNAVAILABLE


@over_both_speakers
@pytest.mark.parametrize("kind", ["light", "switch"])
async def test_many_lamps_do_not_block_the_loop(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones, kind: str
) -> None:
    """All change, in turns; a later change of one of them waits behind."""
    extensions = ["50", "51", "52"]
    for extension in extensions:
        keys = [key_data(f"{number}", kind=kind) for number in range(1, 49)]
        add_phone(hass, server, phone_subentry(extension, keys))
    await hass.async_block_till_done()
    registered = [await phones(extension) for extension in extensions]
    for extension in extensions:
        await in_sync(server, extension)
    lamps = [
        f"{kind}.phone_{extension}_key_{number}"
        for extension in extensions
        for number in range(1, 49)
    ]
    changed: list[str] = []
    in_a_turn: list[int] = []

    def turn() -> None:
        in_a_turn.append(len(changed) - sum(in_a_turn))
        if len(changed) < len(lamps):
            hass.loop.call_soon(turn)

    @callback
    def note(event: Event[EventStateChangedData]) -> None:
        changed.append(event.data["entity_id"])

    unsubscribe = async_track_state_change_event(hass, lamps, note)
    hass.loop.call_soon(turn)
    turning = []
    for service, entity_ids in ((SERVICE_TURN_ON, lamps), (SERVICE_TURN_OFF, lamps[0])):
        turning.append(
            hass.async_create_task(
                hass.services.async_call(
                    kind, service, {ATTR_ENTITY_ID: entity_ids}, blocking=True
                )
            )
        )
        await asyncio.sleep(0)
    await asyncio.gather(*turning)
    unsubscribe()
    assert changed.count(lamps[0]) == 2
    assert hass.states.is_state(lamps[0], STATE_OFF)
    assert len(changed) == len(lamps) + 1
    # Home Assistant calls them in any order.
    assert len(list(groupby(it.split("_key_")[0] for it in changed))) == len(extensions)
    assert max(in_a_turn) <= LAMPS_A_TURN
    await registered[0].shows("1", c=None)
    for phone in registered:
        await phone.shows("48", c="on")


async def test_an_action_on_many_lamps_sends_each_phone_one_document(
    hass: HomeAssistant, server: MockConfigEntry, phones: Phones
) -> None:
    """They fit, and Home Assistant calls the lamps of all phones in any order."""
    extensions = ["50", "51", "52", "53", "54"]
    for extension in extensions:
        keys = [key_data(f"{number}") for number in range(1, 17)]
        add_phone(hass, server, phone_subentry(extension, keys))
    await hass.async_block_till_done()
    registered = [await phones(extension) for extension in extensions]
    for extension, phone in zip(extensions, registered, strict=True):
        await in_sync(server, extension)
        phone.requests.clear()
    lamps = [
        f"light.phone_{extension}_key_{number}"
        for extension in extensions
        for number in range(1, 17)
    ]
    await hass.services.async_call(
        LIGHT_DOMAIN, SERVICE_TURN_ON, {ATTR_ENTITY_ID: lamps}, blocking=True
    )
    for phone in registered:
        for number in range(1, 17):
            await phone.shows(f"{number}", c="on")
    await hass.async_block_till_done()
    assert [len(phone.requests) for phone in registered] == [1] * len(registered)


@over_both_speakers
async def test_lights_of_one_phone_leave_others_alone(
    hass: HomeAssistant, phone: RawPhone, phones: Phones
) -> None:
    other = await phones("45")
    await call(hass, SERVICE_TURN_ON, "light.phone_45_key_1")
    await other.shows("1", c="on")
    assert phone.has("1", c=None)
    assert hass.states.get(PLAIN).state == STATE_OFF
