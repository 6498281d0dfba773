"""Subscriptions over a restart: what is stored, what is broken, and what rises."""

from __future__ import annotations

from dataclasses import fields
import json
import logging
import time
from typing import Any

import pytest

from custom_components.snom_buttons.engine.phones.stored_subscriptions import (
    GAP,
    load_subscriptions,
    save_subscriptions,
)
from custom_components.snom_buttons.engine.sip import Flow, Subscription
from custom_components.snom_buttons.engine.sip.notifier import (
    ALWAYS_OF_PHONE,
    MAX_DIALOG,
    MAX_OF_PHONE,
)
from tests.support.subscribing import NO_RESOURCE, OF_ANOTHER, SENT_BY, VIA, Subscribing

RISING = {"local_cseq", "version", "expires_at"}


@pytest.fixture
def phone() -> Subscribing:
    return Subscribing()


def call_id(text: str) -> dict[str, Any]:
    """Return what makes a SUBSCRIBE one of another dialog."""
    return {"Call-ID": text}


def stored(phone: Subscribing) -> list[dict[str, Any]]:
    """Return what is stored, as it is read again."""
    saved = save_subscriptions(phone.notifier.subscriptions("44"), phone.now)
    read: list[dict[str, Any]] = json.loads(json.dumps(saved))
    return read


def restarted(phone: Subscribing, *, after: float = 0.0) -> Subscribing:
    """Return another server with the state of the first one, whose clock is its own."""
    again = Subscribing()
    again.now = 5000.0
    saved = stored(phone)
    for item in saved:
        item["expires_at"] -= after
    loaded = load_subscriptions(saved, "44", again.now)
    again.notifier.restore("44", loaded)
    again._cseq = phone._cseq
    return again


def parts(subscription: Subscription) -> dict[str, Any]:
    names = (field.name for field in fields(subscription))
    return {name: getattr(subscription, name) for name in names if name not in RISING}


@pytest.mark.parametrize(
    "request_of",
    [
        {},
        {"event": "dialog;id=7"},
        {"event": "message-summary", "uri": "sip:44@ha.test"},
        {"expires": 60},
        {"uri": "sips:1@ha.test"},
        {"uri": "sip:**%201@ha.test"},
        {"flow": Flow("UDP", "2001:db8::4", 5060)},
        {"From": "<sip:44@ha.test>"},  # an RFC 2543 element
        {"From": "sip:44@ha.test;tag=x", "to": "1 <sip:1@ha.test:5070;user=phone>"},
        {"contact": "<sip:44@192.0.2.4;line=x?a=b>;q=1"},
        {"Via": "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKp, SIP/2.0/UDP 192.0.2.4"},
    ],
    ids=str,
)
def test_a_subscription_comes_back_as_it_was(
    phone: Subscribing, request_of: dict[str, Any]
) -> None:
    assert phone.subscribe(
        "Record-Route: <sip:a.test;lr>, <sip:b.test;lr;r2=on>", **request_of
    )[0] == 200  # fmt: skip
    (before,) = phone.notifier.subscriptions("44")
    (after,) = restarted(phone).notifier.subscriptions("44")
    assert parts(after) == parts(before)
    left = before.expires_at - phone.now
    assert after.expires_at - 5000.0 == pytest.approx(left, abs=1)


@pytest.mark.parametrize("path", [(), ("<sip:p.test;lr>",)])
def test_the_way_of_a_registration_comes_back(
    phone: Subscribing, path: tuple[str, ...]
) -> None:
    phone.subscribe()
    (before,) = phone.notifier.subscriptions("44")
    proxy = Flow("UDP", "192.0.2.9", 5060)
    # The next REGISTER has another Path.
    for registered in (("<sip:former.test;lr>",), path):
        before.follow(proxy, registered, forwarded=True)
    (after,) = restarted(phone).notifier.subscriptions("44")
    assert parts(after) == parts(before)
    assert after.path == path
    (saved,) = stored(phone)
    del saved["path"]  # as of a version before
    (loaded,) = load_subscriptions([saved], "44", 0.0)
    assert loaded.path is None


def test_cseq_and_version_rise(phone: Subscribing) -> None:
    """RFC 3261 12.2.2 and RFC 4235 4.3: otherwise the phone would refuse or ignore them."""
    phone.subscribe()
    again = phone
    for _ in range(3):
        saved = stored(again)
        (before,) = again.notifier.subscriptions("44")
        for _ in range(GAP):  # since it was stored
            before.next_version()
            before.notify(SENT_BY, again.now)
        again = Subscribing()
        again.notifier.restore("44", load_subscriptions(saved, "44", again.now))
        (after,) = again.notifier.subscriptions("44")
        assert after.next_version() > before.version
        encoded = after.notify(SENT_BY, again.now).encode(VIA).decode()
        assert f"CSeq: {after.local_cseq} NOTIFY" in encoded
        assert after.local_cseq > before.local_cseq


def test_the_dialog_goes_on(phone: Subscribing) -> None:
    phone.subscribe()
    phone.subscribe(event="dialog;id=2", local_tag="other", **call_id("other"))
    again = restarted(phone)
    assert again.due == []  # nothing, until the phones are there
    assert again.refresh()[0] == 200
    assert again.refresh(cseq=1)[0] == 500
    assert again.refresh(cseq=9, expires=0)[0] == 200
    (left,) = again.notifier.subscriptions("44")
    assert left.event.parameters == {"id": "2"}
    again.later(3600)
    assert again.notifier.subscriptions("44") == ()
    assert again.trace[-1].endswith("terminated;reason=timeout")


def test_those_of_a_phone_keep_their_order_and_are_not_too_many(
    phone: Subscribing,
) -> None:
    for number in range(MAX_OF_PHONE):
        phone.subscribe(uri=f"sip:k{number}@ha.test", **call_id(f"{number}"))
    again = restarted(phone)
    names = [s.resource for s in again.notifier.subscriptions("44")]
    assert names == [f"k{number}" for number in range(MAX_OF_PHONE)]
    assert again.subscribe(**call_id("x"))[0] == 480
    twice = load_subscriptions(2 * stored(phone), "44", again.now)
    assert len(twice) == MAX_OF_PHONE
    again.notifier.restore("44", twice)
    assert len(again.notifier.subscriptions("44")) == MAX_OF_PHONE


def test_the_same_dialog_twice_counts_once(phone: Subscribing) -> None:
    phone.subscribe()
    again = Subscribing()
    again.notifier.restore("44", load_subscriptions(3 * stored(phone), "44", again.now))
    assert len(again.notifier.subscriptions("44")) == 1
    for number in range(ALWAYS_OF_PHONE):
        again.subscribe(uri=f"sip:k{number}@ha.test", **call_id(f"{number}"))
    again.notifier.forget("44")
    assert again.notifier._count == 0


def test_what_has_expired_is_subscribed_to_anew(phone: Subscribing) -> None:
    """Until then a call to the key is a press of it."""
    phone.subscribe()
    again = restarted(phone, after=3601)
    assert again.notifier.subscriptions("44") == ()
    assert again.notifier.has_subscribed("44", "1")
    assert again.refresh()[0] == 481


def test_what_is_no_resource_any_more_is_left_out(phone: Subscribing) -> None:
    phone.subscribe()
    saved = stored(phone)
    saved += [saved[0] | {"resource": gone} for gone in (NO_RESOURCE, OF_ANOTHER)]
    again = Subscribing()
    again.notifier.restore("44", load_subscriptions(saved, "44", again.now))
    assert [s.resource for s in again.notifier.subscriptions("44")] == ["1"]
    assert not again.notifier.has_subscribed("44", NO_RESOURCE)


def test_what_is_not_stored(phone: Subscribing) -> None:
    """A connection ends with the server; JSON cannot hold bytes that are not UTF-8."""
    phone.subscribe(flow=Flow("TCP", "192.0.2.4", 5060, 3))
    phone.subscribe(uri="sip:1@ha.test", **call_id("\udcff"))
    assert len(phone.notifier.subscriptions("44")) == 2
    assert stored(phone) == []


@pytest.mark.parametrize(
    "broken",
    [
        None,
        "x",
        [],
        {},
        {"event": None},
        {"event": "presence"},
        {"event": "dialog;call-id=x"},
        {"event": 'dialog;id="a b"'},
        {"event": "dialog;id"},
        {"event": "dialog\r\nX: y"},
        {"resource": 1},
        {"call_id": "a\r\nX: y"},
        {"call_id": MAX_DIALOG * "x"},
        {"call_id": "\udcff"},
        {"local_tag": "a;b"},
        {"local_tag": "a\r\nb"},
        {"local_tag": None},
        {"remote_tag": "a b,<"},
        {"remote_tag": 7},
        {"local": "tel:1"},
        {"local": ""},
        {"remote": "sip:45@ha.test"},
        {"remote": "44"},
        {"secure": 1},
        {"route": None},
        {"route": ["tel:1"]},
        {"route": ["<sip:a.test;lr>\r\nX: y"]},
        {"route": [MAX_DIALOG * "x"]},
        {"target": "sips:44@192.0.2.4"},
        {"target": "tel:44"},
        {"target": "sip:44@192.0.2.4>"},
        {"flow": None},
        {"flow": ["UDP", "192.0.2.4"]},
        {"flow": ["TCP", "192.0.2.4", 5060]},
        {"flow": ["UDP", "224.0.0.1", 5060]},
        {"flow": ["UDP", "0.0.0.0", 5060]},
        {"flow": ["UDP", "ha.test", 5060]},
        {"flow": ["UDP", 7, 5060]},
        {"flow": ["UDP", "192.0.2.4", 0]},
        {"forwarded": None},
        {"path": "<sip:a.test;lr>"},
        {"path": ["<sip:a.test>"]},
        {"path": ["<sip:a.test;lr>\r\nX: y"]},
        {"remote_cseq": -1},
        {"remote_cseq": 2**31},
        {"local_cseq": True},
        {"local_cseq": 2**31 - 1},
        {"version": -2},
        {"version": 2**31 - 1},
        {"version": 1.5},
        {"expires_at": "now"},
        {"expires_at": float("inf")},
    ],
    ids=str,
)
def test_what_is_broken_is_left_out(
    phone: Subscribing, broken: Any, caplog: pytest.LogCaptureFixture
) -> None:
    phone.subscribe()
    (good,) = stored(phone)
    item = good | broken if isinstance(broken, dict) and broken else broken
    with caplog.at_level(logging.WARNING):
        (left,) = load_subscriptions([item, good], "44", 0.0)
    assert left.resource == "1"
    (record,) = caplog.records
    assert "1 of the stored subscriptions of phone 44" in record.getMessage()


@pytest.mark.parametrize("saved", ["x", 7, {"a": 1}])
def test_what_is_no_list(saved: object, caplog: pytest.LogCaptureFixture) -> None:
    assert load_subscriptions(saved, "44", 0.0) == []
    assert "subscriptions of phone 44 cannot be read" in caplog.text


def test_without_any(caplog: pytest.LogCaptureFixture) -> None:
    """As from a version that stored none."""
    assert load_subscriptions(None, "44", 0.0) == []
    assert load_subscriptions([], "44", 0.0) == []
    assert caplog.records == []


def test_no_subscription_is_longer_than_an_hour(phone: Subscribing) -> None:
    phone.subscribe()
    (item,) = stored(phone)
    item["expires_at"] = time.time() + 10**9
    (loaded,) = load_subscriptions([item], "44", 100.0)
    assert loaded.expires_at == 3700.0
