"""Looks outlive a restart, and a broken part of the store costs only that part."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
import time
from typing import Any

from hypothesis import given, strategies as st
import orjson
import pytest

from custom_components.snom_buttons.engine.phones import (
    Key,
    KeyKind,
    KeySetup,
    LineSetup,
    Phone,
    PhoneServer,
    PhoneSetup,
    ServerSettings,
)
from custom_components.snom_buttons.engine.phones.phone import MAX_UNCONFIGURED
from custom_components.snom_buttons.engine.phones.storage import (
    load_bindings,
    load_keys,
    load_refusals,
    save_keys,
)
from custom_components.snom_buttons.engine.sip import MAX_EXPIRES
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    Color,
    KeyDescription,
    LightMode,
)
from tests.support.descriptions import keys as descriptions

PLAIN = KeyDescription(name="1", action=Action.MESSAGE, number="key1", label="Key 1")


def make_key(setup: KeySetup) -> Key:
    return Key(setup, lambda *_: None)


def stored(saved: object) -> Any:
    """Return data as Home Assistant's store returns it."""
    return orjson.loads(orjson.dumps(saved))


@given(descriptions, descriptions, st.none() | descriptions, st.booleans())
def test_a_restart_brings_back_any_look(
    shown: KeyDescription, off: KeyDescription, on: KeyDescription | None, turned: bool
) -> None:
    """For any configuration, any look set beyond it, toggled or not."""
    setup = KeySetup(
        off=replace(off, name=shown.name),
        on=on and replace(on, name=shown.name),
    )
    key = make_key(setup)
    key.show(shown)
    key.turn(turned)
    looks, unconfigured = load_keys(stored(save_keys([key.saved], [])), "44")
    assert unconfigured == []
    again = make_key(setup)
    again.restore(looks[0])
    assert again.look == key.look
    assert again.is_on == key.is_on
    assert again.document == key.document


@pytest.mark.parametrize(
    ("setup", "marks"),
    [
        (KeySetup(off=PLAIN), {}),
        (KeySetup(off=PLAIN, kind=KeyKind.NONE), {"used": False}),
        (KeySetup(off=PLAIN, colors=True), {"colors": True}),
    ],
)
def test_what_is_not_as_usual_of_a_key_is_stored(
    setup: KeySetup, marks: dict[str, bool]
) -> None:
    key = make_key(setup)
    document = "k=1\r\nn=key1\r\na=message\r\nl=Key 1\r\n\r\n"
    (item,) = save_keys([key.saved], [])
    assert item == {"configured": document, "shown": document, "on": False} | marks
    assert load_keys(stored([item]), "44") == ([key.saved], [])


@given(st.lists(descriptions))
def test_keys_that_are_not_configured_come_back_as_they_are_shown(
    unconfigured: list[KeyDescription],
) -> None:
    assert load_keys(stored(save_keys([], unconfigured)), "44") == ([], unconfigured)


@pytest.mark.parametrize(
    "item",
    [
        None,
        7,
        "k=1\r\n",
        [],
        {},
        {"shown": 7},
        {"shown": None},
        {"shown": "no document"},
        {"shown": ""},
        {"shown": "k=1\r\nl=\ud800"},
        {"shown": "k=1\r\n\r\nk=2\r\n"},
        {"shown": "k=1\r\n", "configured": None, "on": True},
        {"shown": "k=1\r\n", "configured": "c=on", "on": True},
        {"shown": "k=1\r\n", "configured": "", "on": True},
        {"shown": "k=1\r\n", "configured": "k=1\r\n"},
        {"shown": "", "configured": "", "on": True},
        {"shown": "k=1\r\n", "configured": "k=1\r\n", "on": 1},
        {"shown": "k=1\r\n", "configured": "k=1\r\n", "on": True, "used": None},
        {"shown": "k=1\r\n", "configured": "k=1\r\n", "on": True, "colors": "no"},
    ],
    ids=repr,
)
def test_a_broken_look_costs_one_warning_and_no_other_look(
    item: object, caplog: pytest.LogCaptureFixture
) -> None:
    key = make_key(KeySetup(off=PLAIN))
    key.turn(True)
    other = KeyDescription(name="P1")
    good = save_keys([key.saved], [other])
    assert load_keys([item, *good], "44") == ([key.saved], [other])
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message.startswith(
        "1 of the stored keys of phone 44 cannot be read, such as: "
    )


@pytest.mark.parametrize("saved", [None, [], ""], ids=repr)
def test_a_store_without_looks_is_no_fault(
    saved: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_keys(saved, "44") == ([], [])
    assert caplog.records == []


@pytest.mark.parametrize("saved", [7, {}, {"1": {}}, True, 0.5], ids=repr)
def test_looks_that_are_no_list_cost_one_warning(
    saved: object, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_keys(saved, "44") == ([], [])
    (record,) = caplog.records
    assert record.message.startswith("The stored keys of phone 44 cannot be read: ")


def test_however_many_looks_are_stored_there_is_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    saved = [*save_keys([], [KeyDescription(name="P1")]), *[7] * 20_000]
    assert load_keys(saved, "44") == ([], [KeyDescription(name="P1")])
    (record,) = caplog.records
    assert record.message.startswith("20000 of the stored keys of phone 44 cannot")


# Version 0.1

TOGGLE = KeySetup(
    off=replace(PLAIN, number="*78"),
    on=replace(PLAIN, number="*79", light=LightMode.OFFLINE),
    toggles=True,
)


@pytest.mark.parametrize(
    ("document", "setup", "wanted"),
    [
        pytest.param(
            "k=1\r\nc=on\r\no=red\r\nn=key1\r\na=message\r\nl=Key 1\r\n\r\n",
            KeySetup(off=PLAIN),
            replace(PLAIN, light=LightMode.ON, color=Color.RED),
            id="a lamp with a colour",
        ),
        pytest.param(
            "k=1\r\nc=park\r\no=red\r\nn=old\r\na=message\r\nl=Old\r\n\r\n",
            KeySetup(off=PLAIN),
            replace(PLAIN, light=LightMode.PARK, color=Color.RED),
            id="all else is the configuration's",
        ),
        pytest.param(
            "k=1\r\nn=key1\r\na=message\r\nl=Key 1\r\n\r\n",
            KeySetup(off=PLAIN),
            PLAIN,
            id="a lamp that is off",
        ),
        pytest.param(
            "k=1\r\nc=on\r\nl=Key 1\r\n\r\n",
            TOGGLE,
            TOGGLE.on,
            id="a lit lamp that is a switch by now",
        ),
        pytest.param(
            "k=1\r\nl=Key 1\r\n\r\n",
            TOGGLE,
            TOGGLE.off,
            id="a dark lamp that is a switch by now",
        ),
    ],
)
def test_what_version_0_1_stored(
    document: str, setup: KeySetup, wanted: KeyDescription
) -> None:
    looks, unconfigured = load_keys(document, "44")
    assert unconfigured == []
    key = make_key(setup)
    key.restore(looks[0])
    assert key.look == wanted


def test_the_keys_of_version_0_1_are_one_document() -> None:
    looks, _ = load_keys("k=1\r\nc=on\r\n\r\nk=2\r\n\r\n", "44")
    shown = [(look.shown.name, look.is_on) for look in looks]
    assert shown == [("1", True), ("2", False)]


@pytest.mark.parametrize("document", ["no document", "c=on\r\n", "k=1\ud800"])
def test_a_broken_document_of_version_0_1_is_one_warning(
    document: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert load_keys(document, "44") == ([], [])
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "The stored keys of phone 44 cannot be read" in record.message


def test_what_could_not_be_stored_again_is_left_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Such as a document that fits only with short line ends."""
    large = "k=1\n" + "z=\n" * 21_000
    saved = [{"shown": large, "configured": "k=1\n", "on": False}, {"shown": large}]
    assert load_keys(saved, "44") == ([], [])
    assert "2 of the stored keys of phone 44 cannot be read" in caplog.text


def test_not_more_keys_come_back_than_are_remembered() -> None:
    phone = Phone(PhoneSetup(extension="44", password="secret"))
    phone.restore([], [KeyDescription(name=f"{number}") for number in range(5000)])
    assert len(phone.unconfigured) == MAX_UNCONFIGURED


# Registrations


def binding(**changes: Any) -> dict[str, Any]:
    """Return a stored registration of phone 44."""
    fields = {
        "user": "44",
        "aor": "sip:44@ha.test",
        "contact": "<sip:44@192.0.2.7:2048;line=abc>",
        "flow": ["UDP", "192.168.0.7", 2048],
        "call_id": "abc",
        "cseq": 7,
        "expires_at": time.time() + 600,
        "instance": None,
        "user_agent": "snom",
        "supports_buttons": True,
        "path": [],
        "forwarded": False,
    }
    return {name: it for name, it in (fields | changes).items() if it is not ...}


def contacts(number: int) -> list[dict[str, Any]]:
    """Return stored registrations of this many contacts."""
    return [
        binding(contact=f"<sip:44@192.0.2.7:{port}>", flow=["UDP", "192.168.0.7", port])
        for port in range(1024, 1024 + number)
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"path": ..., "forwarded": ...},  # version 0.1
        {"path": ["<sip:192.0.2.9;lr>"], "forwarded": True},
        {"flow": ["UDP", "fe80::1%eth0", 2048]},
        {"contact": '"Küche" <sip:44@192.0.2.7>', "instance": "urn:uuid:1"},
        {"expires_at": 2**62},
        {"aor": "44@ha.test"},  # an old one of a phone that writes no scheme
    ],
    ids=repr,
)
def test_a_registration(
    changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    (loaded,) = load_bindings([binding(**changes)], "44", 1000.0)
    assert loaded.restored
    assert str(loaded.aor) == "sip:44@ha.test"
    assert loaded.forwarded == ("forwarded" in changes and changes["forwarded"] is True)
    assert 1000 < loaded.expires_at <= 1000 + MAX_EXPIRES
    assert not caplog.records


@pytest.mark.parametrize(
    "changes",
    [
        *({name: ...} for name in binding() if name not in ("path", "forwarded")),
        *({name: value} for name in binding() for value in ({}, [[]], 7j)),
        {"user": "45"},
        {"aor": "nonsense"},
        {"aor": "sip:45@ha.test"},
        {"aor": "tel:44"},
        {"aor": f"sip:44@{600 * 'a'}.test"},
        {"contact": "<sip:44@192.0.2.7>;x=a\r\nRoute: <sip:192.0.2.1;lr>"},
        {"contact": "<sip:44@192.0.2.7>;x=\ud800"},
        {"contact": "kitchen"},
        {"contact": "<sips:44@192.0.2.7>"},
        {"contact": "<mailto:44@ha.test>"},
        {"contact": f"<sip:44@192.0.2.7;x={600 * 'a'}>"},
        {"flow": "UDP"},
        {"flow": ["UDP", "192.168.0.7"]},
        {"flow": ["TCP", "192.168.0.7", 2048]},
        {"flow": ["UDP", "192.168.0.7", 0]},
        {"flow": ["UDP", "192.168.0.7", 65536]},
        {"flow": ["UDP", "192.168.0.7", True]},
        {"flow": ["UDP", "192.168.0.7", "2048"]},
        {"flow": ["UDP", 1, 2048]},
        {"flow": ["UDP", "phone.test", 2048]},
        {"flow": ["UDP", "224.0.1.75", 2048]},
        {"flow": ["UDP", "0.0.0.0", 2048]},
        {"flow": ["UDP", "::", 2048]},
        {"call_id": "a\nb"},
        {"call_id": 17_000 * "a"},
        {"cseq": True},
        {"cseq": "7"},
        {"cseq": 2**31},
        {"expires_at": float("nan")},
        {"expires_at": float("inf")},
        {"expires_at": "soon"},
        {"instance": "urn:\0"},
        {"user_agent": 129 * "x"},
        {"supports_buttons": "yes"},
        {"path": ["<sip:192.0.2.9>"]},
        {"path": ["<sip:192.0.2.9;lr>\r\n"]},
        {"path": [None]},
        {"path": 600 * ["<sip:192.0.2.9;lr>"]},
        {"forwarded": None},
    ],
    ids=ascii,
)
def test_a_broken_registration_costs_one_warning_and_no_other_registration(
    changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    (loaded,) = load_bindings([binding(**changes), binding()], "44", 0.0)
    assert loaded.contact.text == binding()["contact"]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.message.startswith("1 of the stored registrations of phone 44 cannot")


def test_no_more_registrations_come_back_than_a_phone_can_have(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The newest do, as after as many REGISTERs."""
    loaded = load_bindings(contacts(20_000), "44", 0.0)
    assert [it.flow.port for it in loaded] == [*range(21_014, 21_024)]
    (record,) = caplog.records
    assert record.message.startswith("19990 of the stored registrations of phone 44")
    assert record.message.endswith("there are too many")


# Whole snapshots


def server(networks: str = "192.168.0.0/16") -> PhoneServer:
    """Return a server with two phones and a line that they share."""
    server = PhoneServer(
        ServerSettings(
            host="127.0.0.1",
            port=5060,
            realm="ha",
            advertised_host="127.0.0.1",
            networks=(ip_network(networks),),
        )
    )
    keys = (KeySetup(off=PLAIN), KeySetup(off=replace(PLAIN, name="2")))
    for extension in ("44", "45"):
        server.add_phone(PhoneSetup(extension=extension, password="x", keys=keys))
    server.add_line("gate", LineSetup(code="co1", name="Gate", keys={"44": "2"}))
    return server


def snapshot() -> dict[str, Any]:
    """Return a snapshot in which everything differs from a new server."""
    before = server()
    for phone in before.phones.values():
        phone.keys["1"].turn(True)
        phone.show([KeyDescription(name="P1", label="One")])
        bound = [binding(user=phone.extension, aor=f"sip:{phone.extension}@ha")]
        before._location.restore(
            phone.extension,
            load_bindings(bound, phone.extension, before._clock()),
        )
    before.lines["gate"].restore({"seized": True, "phone": "44"})
    saved: dict[str, Any] = stored(before.snapshot())
    assert stored(restored(saved).snapshot()).keys() == saved.keys()
    return saved


def restored(saved: Any) -> PhoneServer:
    after = server()
    after.restore(saved)
    return after


@pytest.mark.parametrize(
    ("networks", "number"), [("192.168.0.0/24", 1), ("10.0.0.0/8", 0)]
)
def test_a_registration_from_a_network_that_is_no_longer_allowed_ends(
    networks: str, number: int
) -> None:
    after = server(networks)
    after.restore(snapshot())
    assert len(after._location.bindings("44")) == number


@pytest.mark.parametrize(("networks", "number"), [("192.0.2.0/24", 1), ("::/0", 0)])
def test_a_registration_by_an_address_of_ipv4_in_ipv6_is_one_of_ipv4(
    networks: str, number: int
) -> None:
    saved = snapshot()
    [bound] = saved["phones"]["44"]["bindings"]
    bound["flow"][1] = "::ffff:192.0.2.7"
    after = server(networks)
    after.restore(saved)
    assert len(after._location.bindings("44")) == number


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
"""What Home Assistant's JSON can hold."""


def garble(draw: st.DrawFn, value: Any) -> Any:
    """Return a value with one part of it, at any depth, replaced or removed."""
    if not isinstance(value, dict | list) or not value or draw(st.integers(0, 3)) == 0:
        return draw(JSON)
    parts = [*(value.items() if isinstance(value, dict) else enumerate(value))]
    name, part = draw(st.sampled_from(parts))
    if draw(st.integers(0, 5)) == 0:
        parts.remove((name, part))
    else:
        parts[parts.index((name, part))] = (name, garble(draw, part))
    return dict(parts) if isinstance(value, dict) else [it for _, it in parts]


@given(st.data())
def test_a_garbled_part_costs_that_part(data: st.DataObject) -> None:
    """The other phone has all its looks and registrations, and all can be stored anew."""
    saved = snapshot()
    damaged = {**saved["phones"], "44": garble(data.draw, saved["phones"]["44"])}
    after = restored(saved | {"phones": damaged})
    again = stored(after.snapshot())
    assert without_time(again["phones"]["45"]) == without_time(saved["phones"]["45"])
    assert again["lines"] == saved["lines"]
    once_more = stored(restored(again).snapshot())
    for extension in ("44", "45"):
        assert without_time(once_more["phones"][extension]) == without_time(
            again["phones"][extension]
        )


def without_time(phone: dict[str, Any]) -> dict[str, Any]:
    bindings = [it | {"expires_at": 0} for it in phone["bindings"]]
    return phone | {"bindings": bindings}


@given(st.data())
def test_a_garbled_snapshot_is_read(data: st.DataObject) -> None:
    saved = garble(data.draw, snapshot())
    if isinstance(saved, dict):
        stored(restored(saved).snapshot())


@pytest.mark.parametrize(
    "changes",
    [
        {"phones": 7},
        {"phones": {"44": []}},
        {"phones": {"44": {"bindings": 7, "keys": []}}},
        {"lines": ["gate"]},
        {"lines": {"gate": {"seized": "yes"}}},
        {"lines": {"gate": {"seized": True, "phone": 44}}},
        {"lines": {"gate": {"seized": True}}},
        {"lines": {"gate": 1}},
    ],
    ids=repr,
)
def test_each_broken_part_costs_one_warning(
    changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    saved = snapshot()
    if "phones" in changes and isinstance(changes["phones"], dict):
        proof = saved["phones"]["44"]["proof"]
        for phone in changes["phones"].values():
            if isinstance(phone, dict):
                phone["proof"] = proof
    restored(saved | changes)
    (record,) = caplog.records
    assert record.levelname == "WARNING"


@pytest.mark.parametrize(
    "broken",
    [None, "x", ["snom"], {"snom": 415}, {1: "415"}, {"a\nb": "415"}, {"a": 200 * "x"}],
    ids=str,
)
def test_refusals_that_are_broken_are_left_out(broken: object) -> None:
    assert load_refusals(broken) == {}


def test_refusals_are_not_too_many() -> None:
    assert len(load_refusals({f"agent/{n}": "415" for n in range(100)})) == 10
    assert load_refusals({"": "415 No", "a/1": "501"}) == {"": "415 No", "a/1": "501"}
