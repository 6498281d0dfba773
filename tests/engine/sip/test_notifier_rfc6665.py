"""What RFC 6665 requires of a notifier, as a table: clause, input, what must come.

A row's input is what a phone does, its output all answers and NOTIFYs in order. Of the
MUSTs two are left out: 4.5.1 requires a GRUU (RFC 5627) as the local target; the Contact
is an address of the server itself, which all requests to it reach; and 4.6 is about CANCEL,
which the endpoint answers. The SHOULD of 4.2.2 that no answer to a NOTIFY ends a
subscription is not followed (docs/decisions/0020).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.subscribing import Subscribing

type Step = Callable[[Subscribing], Any]

OK = "200 Expires: 3600"
FIRST = "NOTIFY 1 dialog active;expires=3600"
BEGUN = [OK, FIRST]


def subscribe(*lines: str, **changes: Any) -> Step:
    return lambda phone: phone.subscribe(*lines, **changes)


def refresh(*lines: str, **changes: Any) -> Step:
    return lambda phone: phone.refresh(*lines, **changes)


def later(seconds: float) -> Step:
    return lambda phone: phone.later(seconds)


def answered(status: int) -> Step:
    return lambda phone: phone.answered(status)


def change(phone: Subscribing) -> None:
    phone.change()


ROWS: list[tuple[str, list[Step], list[str]]] = [
    (
        "3.1.1 the interval in the response may be shorter",
        [subscribe(expires=7200)],
        ["200 Expires: 3600", "NOTIFY 1 dialog active;expires=3600"],
    ),
    (
        "3.1.1 the interval in the response must not be longer",
        [subscribe(expires=600)],
        ["200 Expires: 600", "NOTIFY 1 dialog active;expires=600"],
    ),
    (
        "3.1.1 an `expires` of the Contact means nothing",
        [subscribe(contact="<sip:44@192.0.2.4>;expires=90")],
        BEGUN,
    ),
    ("3.1.1 without Expires the package's default, an hour", [subscribe()], BEGUN),
    ("3.1.2 no Event", [subscribe(event=None)], ["489"]),
    (
        "3.1.2 exactly one Event",
        [subscribe("Event: dialog")],
        ["400"],
    ),
    (
        "3.1.3 a body must be in an accepted format",
        [subscribe("Accept: application/pidf+xml, text/plain")],
        ["406"],
    ),
    (
        "3.1.3 one of the accepted formats",
        [subscribe("Accept: application/pidf+xml, application/dialog-info+xml;q=0.5")],
        BEGUN,
    ),
    (
        "3.2.1 the package of a NOTIFY is that of the SUBSCRIBE",
        [subscribe(event="message-summary")],
        [OK, "NOTIFY 1 message-summary active;expires=3600"],
    ),
    (
        "4.2.1 no subscription without a SUBSCRIBE that was accepted",
        [subscribe(event="presence"), change],
        ["489"],
    ),
    (
        "4.2.1.1 489 for a package that is not understood",
        [subscribe(event="presence")],
        ["489"],
    ),
    (
        "4.2.1.1 423 for an interval that is too brief",
        [subscribe(expires=1), subscribe(expires=59)],
        ["423 Min-Expires: 60", "423 Min-Expires: 60"],
    ),
    (
        "4.2.1.1 no 423 for zero, nor for an hour",
        [subscribe(expires=0), subscribe(expires=60), subscribe(expires=3600, local_tag="b")],
        [
            "200 Expires: 0",
            "NOTIFY 1 dialog terminated;reason=timeout",
            "200 Expires: 60",
            "NOTIFY 1 dialog active;expires=60",
            "200 Expires: 3600",
            "NOTIFY 1 dialog active;expires=3600",
        ],
    ),
    ("4.2.1.2 a NOTIFY immediately after the acceptance", [subscribe()], BEGUN),
    (
        "4.2.1.2 a NOTIFY immediately after a refresh",
        [subscribe(), later(1800), refresh()],
        [*BEGUN, OK, "NOTIFY 2 dialog active;expires=3600"],
    ),
    ("4.2.1.3 403 for what is not the user's", [subscribe(uri="sip:45@ha.test")], ["403"]),
    ("4.2.1.3 404 for what does not exist", [subscribe(uri="sip:99@ha.test")], ["404"]),
    ("4.2.1.3 404 for no resource", [subscribe(uri="sip:99@ha.test", expires=0)], ["404"]),
    (
        "4.2.1.4 a refresh must not lengthen the interval",
        [subscribe(), later(1800), refresh(expires=120)],
        [*BEGUN, "200 Expires: 120", "NOTIFY 2 dialog active;expires=120"],
    ),
    (
        "4.2.1.4 423 for a refresh that is too brief, which changes nothing",
        [subscribe(), refresh(expires=10), later(3599), change],
        [*BEGUN, "423 Min-Expires: 60", "NOTIFY 2 dialog active;expires=1"],
    ),
    (
        "4.1.3 an active subscription has not expired, also in its last second",
        [subscribe(), later(3599.5), change],
        [*BEGUN, "NOTIFY 2 dialog active;expires=1"],
    ),
    (
        "4.2.1.4 a subscription that was not refreshed ends",
        [subscribe(), later(3599), later(1), change],
        [*BEGUN, "NOTIFY 2 dialog terminated;reason=timeout"],
    ),
    (
        "4.2.1.4 a refresh moves the end",
        [subscribe(), later(3599), refresh(), later(3599), change],
        [*BEGUN, OK, "NOTIFY 2 dialog active;expires=3600", "NOTIFY 3 dialog active;expires=1"],
    ),
    (
        "4.2.1.4 Expires: 0 ends it immediately",
        [subscribe(), refresh(expires=0), change],
        [*BEGUN, "200 Expires: 0", "NOTIFY 2 dialog terminated;reason=timeout"],
    ),
    (
        "4.2.2 a NOTIFY for each change",
        [subscribe(), later(10), change, later(10.5), change],
        [
            *BEGUN,
            "NOTIFY 2 dialog active;expires=3590",
            "NOTIFY 3 dialog active;expires=3579",
        ],
    ),
    *(
        (
            f"4.2.2 it must end after {status}, without a NOTIFY",
            [subscribe(), answered(status), change, refresh()],
            [*BEGUN, "481"],
        )
        for status in (404, 405, 410, 416, *range(480, 486), 489, 501, 604)
    ),
    *(
        (
            f"4.2.2 it goes on after {status}",
            [subscribe(), answered(status), change],
            [*BEGUN, "NOTIFY 2 dialog active;expires=3600"],
        )
        for status in (200, 202, 400, 408, 413, 500, 503, 603)
    ),
    (
        "4.4.1 no dialog after its end",
        [subscribe(), refresh(expires=0), refresh(), refresh(expires=0)],
        [*BEGUN, "200 Expires: 0", "NOTIFY 2 dialog terminated;reason=timeout", "481", "481"],
    ),
    (
        "4.4.2 a migration: the phone subscribes anew",
        [
            subscribe(),
            lambda phone: phone.end("deactivated"),
            subscribe(local_tag="new"),
        ],
        [*BEGUN, "NOTIFY 2 dialog terminated;reason=deactivated", *BEGUN],
    ),
    (
        "4.4.3 a fetch: one NOTIFY, and nothing is kept",
        [subscribe(expires=0), change, refresh()],
        ["200 Expires: 0", "NOTIFY 1 dialog terminated;reason=timeout", "481"],
    ),
    (
        "4.4.3 a fetch in a subscription: the rest of it",
        [subscribe(), later(600), refresh(expires=3000)],
        [*BEGUN, "200 Expires: 3000", "NOTIFY 2 dialog active;expires=3000"],
    ),
    (
        "4.5.2 the id is in each NOTIFY",
        [subscribe(event="dialog; id=17; x=y"), refresh(event="dialog;id=17")],
        [
            OK,
            "NOTIFY 1 dialog;id=17 active;expires=3600",
            OK,
            "NOTIFY 2 dialog;id=17 active;expires=3600",
        ],
    ),
    (
        "4.5.2 no second subscription in the dialog",
        [subscribe(), refresh(event="dialog;id=1"), refresh(event="message-summary")],
        [*BEGUN, *(2 * ["403 Dialog Sharing Not Supported"])],
    ),
    ("8.2.1 event types are compared byte by byte", [subscribe(event="Dialog")], ["489"]),
    (
        "8.2.1 other parameters are not compared",
        [subscribe(event="dialog;sla"), refresh(event="dialog")],
        [*BEGUN, OK, "NOTIFY 2 dialog active;expires=3600"],
    ),
    (
        "RFC 3261 12.2.2: 481 for a dialog that does not exist",
        [refresh(), refresh(expires=0)],
        ["481", "481"],
    ),
    (
        "RFC 3261 12.2.2: 500 for a request that was overtaken",
        [subscribe(cseq=7), refresh(cseq=7), refresh(cseq=6), refresh(cseq=8)],
        [*BEGUN, "500", "500", OK, "NOTIFY 2 dialog active;expires=3600"],
    ),
    (
        "RFC 4235 3.7.2: no subscription to single dialogs",
        [subscribe(event='dialog;call-id="a@b";from-tag=c;to-tag=d')],
        ["403"],
    ),
    (
        "RFC 3842 3.5: the default format of message-summary",
        [
            subscribe("Accept: application/simple-message-summary", event="message-summary"),
            subscribe("Accept: application/dialog-info+xml", event="message-summary"),
        ],
        [OK, "NOTIFY 1 message-summary active;expires=3600", "406"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "trace"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_clause(steps: list[Step], trace: list[str]) -> None:
    phone = Subscribing()
    for step in steps:
        step(phone)
    assert phone.trace == trace


def test_allow_events_has_all_packages() -> None:
    """4.4.4, in the answer to a SUBSCRIBE and beside 489."""
    phone = Subscribing()
    for event in ("dialog", "presence"):
        answer = phone.subscribe(event=event)
        assert dict(answer.headers)["Allow-Events"] == "dialog, message-summary"


def test_no_event_nor_state_in_a_response() -> None:
    """8.2.1 and 8.2.3."""
    answer = Subscribing().subscribe()
    assert {name for name, _ in answer.headers} == {
        *("Allow-Events", "Contact", "Expires")
    }
