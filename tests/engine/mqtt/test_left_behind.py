"""The stored list of topics on the broker: what is broken in it, or not ours, is left out."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.snom_buttons.engine.mqtt.left_behind import (
    MAX_TOPICS,
    LeftBehind,
    read_left_behind,
)

IDS = "snom_buttons_"
STATES = ["desk/status", "desk/44/availability", "desk/44/key/P1%2B/state"]
ANNOUNCED = f"homeassistant/device/{IDS}01ABC/config"
COMPONENTS = {"dialled": "event", "1_light": "light"}
SAVED = {
    "known": [*STATES, ANNOUNCED],
    "announced": {ANNOUNCED: COMPONENTS},
    "bases": ["desk"],
}
ALL = LeftBehind([*STATES, ANNOUNCED], {ANNOUNCED: COMPONENTS}, ["desk"])


@pytest.mark.parametrize(
    ("saved", "base", "read"),
    [
        (None, "desk", LeftBehind([], {}, [])),
        ({"known": [], "announced": {}}, "desk", LeftBehind([], {}, [])),
        (SAVED, "desk", ALL),
        # After the base was changed while the server did not run.
        (SAVED, "kitchen", ALL),
        # Version 0.1 stored no bases.
        (SAVED | {"bases": None}, "desk", ALL._replace(bases=[])),
    ],
)
def test_what_was_stored_is_read(
    saved: object, base: str, read: LeftBehind, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_left_behind(saved, base, IDS) == read
    assert not caplog.records


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "/",
        "desk",
        "desk/",
        "desk/x",
        "desk/+/availability",
        "desk/#",
        "desk//availability",
        "desk/44/key/1/event",
        "desk/44/key/1/set",
        "desk/44/key//state",
        "desk/44/key/\0/state",
        "desk/44/key/\ud800/state",
        "desks/status",
        "homeassistant/status",
        "zigbee2mqtt/bridge/state",
        "zigbee2mqtt/lamp/availability",
        "homeassistant/device/zigbee_0x01/config",
        f"homeassistant/device/+/{IDS}01ABC/config",
        f"device/{IDS}01ABC/config",
        f"homeassistant/light/{IDS}01ABC/config",
        f"homeassistant/device/{IDS}#/config",
        f"desk/{66_000 * 'x'}/availability",
        None,
        7,
        ["desk/status"],
        {},
    ],
    ids=lambda topic: ascii(topic)[:40],
)
def test_a_topic_that_the_server_never_has_is_left_out(
    topic: object, caplog: pytest.LogCaptureFixture
) -> None:
    saved = SAVED | {"known": [topic, *STATES, ANNOUNCED]}
    assert read_left_behind(saved, "desk", IDS) == ALL
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "has 1 parts that cannot be read" in record.message


@pytest.mark.parametrize("broken", [7, True, [], [[]], "x", "", {"known": 7}])
def test_a_list_of_a_wrong_type_costs_one_warning(
    broken: object, caplog: pytest.LogCaptureFixture
) -> None:
    saved = broken if isinstance(broken, dict) else SAVED | {"known": broken}
    assert read_left_behind(saved, "desk", IDS).known == []
    assert len(caplog.records) == (broken != [])


def test_a_list_that_is_too_long_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    saved = {"known": (MAX_TOPICS + 5) * ["desk/status"]}
    assert len(read_left_behind(saved, "desk", IDS).known) == MAX_TOPICS
    (record,) = caplog.records
    assert "has 5 parts" in record.message


@pytest.mark.parametrize(
    ("components", "read"),
    [
        (None, {}),
        (7, {}),
        (["light"], {}),
        ({"a": "light", "b": "lock", "c": 7, "d": ["light"]}, {"a": "light"}),
    ],
)
def test_components_that_are_never_announced_are_left_out(
    components: object, read: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    saved = SAVED | {"announced": {ANNOUNCED: components}}
    assert read_left_behind(saved, "desk", IDS).announced == {ANNOUNCED: read}
    assert len(caplog.records) == 1


@pytest.mark.parametrize("bases", [["", "#", "a//b", 7], "desk", 7])
def test_bases_that_none_can_have_are_left_out(
    bases: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert read_left_behind(SAVED | {"bases": bases}, "desk", IDS).bases == []
    assert len(caplog.records) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(STATES),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text() | st.sampled_from([*SAVED]), inner)
        | st.fixed_dictionaries({}, optional=dict.fromkeys(SAVED, inner))
    ),
)


@given(JSON)
def test_anything_is_read(saved: Any) -> None:
    read = read_left_behind(saved, "desk", IDS)
    known, announced, bases = read
    assert announced.keys() <= set(known)
    for topic in known:
        below = topic.partition("/")[0] in ("desk", *bases)
        assert topic in announced or below
    again = {"known": known, "announced": announced, "bases": bases}
    assert read_left_behind(again, "desk", IDS) == read
