"""A subscription of the phone, without sockets."""

from typing import Any

import pytest

from snom_buttons.sip import Request, Response, make_address, make_uri, parse_datagram
from virtual_phone.dialog_info import State
from virtual_phone.subscription import DIALOG, BrokenAnswer, Notice, Subscription

VIA = "SIP/2.0/UDP 192.0.2.44:5060;branch=z9hG4bK1;rport"
CONTACT = "<sip:1@192.0.2.1:5060>"
BODY = (
    '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{}" state="full"'
    ' entity="sip:1@pbx"><dialog id="1"><state>{}</state></dialog></dialog-info>'
)


@pytest.fixture
def subscription() -> Subscription:
    return Subscription(
        DIALOG,
        make_uri("1", "pbx"),
        make_address(make_uri("44", "pbx"), tag="ours"),
        "call-1",
        (("Contact", "<sip:44@192.0.2.44>"), ("Accept", "application/dialog-info+xml")),
    )


def sent(subscription: Subscription, seconds: int = 3600) -> str:
    return subscription.subscribe(seconds).encode(VIA).decode()


def answer(*lines: str, to: str = "<sip:1@pbx>;tag=theirs", **changes: str) -> Response:
    headers = {"Expires": "3600", "Contact": CONTACT} | changes
    text = [
        "SIP/2.0 200 OK",
        f"Via: {VIA}",
        "From: <sip:44@pbx>;tag=ours",
        f"To: {to}",
        "Call-ID: call-1",
        "CSeq: 1 SUBSCRIBE",
        *(f"{name}: {value}" for name, value in headers.items() if value),
        *lines,
        "",
        "",
    ]
    parsed = parse_datagram("\r\n".join(text).encode())
    assert isinstance(parsed, Response)
    return parsed


def notify(cseq: int = 1, body: str = "", **changes: str) -> Request:
    """Return a NOTIFY; a header that is "" is left out."""
    headers = {
        "From": "<sip:1@pbx>;tag=theirs",
        "To": "<sip:44@pbx>;tag=ours",
        "Call-ID": "call-1",
        "Contact": CONTACT,
        "Event": "dialog",
        "Subscription-State": "active;expires=3600",
        "Content-Type": "application/dialog-info+xml" if body else "",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    text = [
        "NOTIFY sip:44@192.0.2.44 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK2",
        f"CSeq: {cseq} NOTIFY",
        *(f"{name}: {value}" for name, value in headers.items() if value),
        f"Content-Length: {len(body)}",
        "",
        body,
    ]
    parsed = parse_datagram("\r\n".join(text).encode())
    assert isinstance(parsed, Request)
    return parsed


def test_the_first_subscribe_and_a_refresh(subscription: Subscription) -> None:
    assert sent(subscription) == (
        "SUBSCRIBE sip:1@pbx SIP/2.0\r\n"
        f"Via: {VIA}\r\n"
        "From: <sip:44@pbx>;tag=ours\r\n"
        "To: <sip:1@pbx>\r\n"
        "Call-ID: call-1\r\n"
        "CSeq: 1 SUBSCRIBE\r\n"
        "Max-Forwards: 70\r\n"
        "Contact: <sip:44@192.0.2.44>\r\n"
        "Accept: application/dialog-info+xml\r\n"
        "Event: dialog\r\n"
        "Expires: 3600\r\n"
        "Content-Length: 0\r\n\r\n"
    )
    assert not subscription.is_established
    route = ("Record-Route: <sip:a;lr>, <sip:b;lr>", "Record-Route: <sip:c;lr>")
    assert subscription.accepted(answer(*route, Expires="1800"), 3600) == 1800
    assert subscription.is_established
    again = sent(subscription, 0)
    assert again.startswith("SUBSCRIBE sip:1@192.0.2.1:5060 SIP/2.0\r\n")
    assert "To: <sip:1@pbx>;tag=theirs\r\n" in again
    assert "CSeq: 3 SUBSCRIBE\r\n" in again  # 2 is for credentials
    assert "Route: <sip:c;lr>\r\nRoute: <sip:b;lr>\r\nRoute: <sip:a;lr>\r\n" in again
    assert "Expires: 0\r\n" in again
    # The route is that of the first answer (RFC 3261 12.2.1.2).
    subscription.accepted(answer("Record-Route: <sip:d;lr>"), 3600)
    assert "Route: <sip:d;lr>" not in sent(subscription)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"Expires": ""}, "grants no time"),
        ({"Expires": "0"}, "grants no time"),
        ({"Expires": "1.5"}, "grants no time"),
        ({"Expires": "3601"}, "or more than was asked for"),
        ({"to": "<sip:1@pbx>"}, "no To tag"),
        ({"Contact": ""}, "no Contact"),
        ({"Contact": "<sip:a@b>, <sip:c@d>"}, "or more than one"),
        ({"Contact": "<sip:a b"}, "the answer is broken"),
    ],
)
def test_answers_that_are_of_no_use(
    subscription: Subscription, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(BrokenAnswer, match=said):
        subscription.accepted(answer(**changes), 3600)


def test_another_to_tag_is_of_no_use(subscription: Subscription) -> None:
    subscription.accepted(answer(), 3600)
    with pytest.raises(BrokenAnswer, match="or another one"):
        subscription.accepted(answer(to="<sip:1@pbx>;tag=other"), 3600)


@pytest.mark.parametrize(
    ("changes", "is_of"),
    [
        ({}, True),
        ({"Call_ID": "call-2"}, False),
        ({"To": "<sip:44@pbx>;tag=other"}, False),
        ({"From": "<sip:1@pbx>;tag=other"}, False),
        ({"From": "<sip:1@pbx>"}, False),
    ],
)
def test_which_notify_is_of_the_dialog(
    subscription: Subscription, changes: dict[str, str], is_of: bool
) -> None:
    subscription.accepted(answer(), 3600)
    assert subscription.is_of(notify(**changes)) is is_of


def test_a_notify_before_the_answer_begins_the_dialog(
    subscription: Subscription,
) -> None:
    """RFC 6665 4.4.1."""
    early = notify(From="<sip:1@pbx>;tag=first")
    assert subscription.is_of(early)
    assert subscription.notified(early).status == 200
    assert subscription.is_established
    assert not subscription.is_of(notify(2))
    assert subscription.accepted(answer(to="<sip:1@pbx>;tag=first"), 3600) == 3600


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Event": ""}, 489),
        ({"Event": "Dialog"}, 489),
        ({"Event": "dialog;id=1"}, 489),
        ({"Event": "message-summary"}, 489),
        ({"Subscription_State": ""}, 400),
        ({"Subscription_State": "on"}, 400),
        ({"Contact": ""}, 400),
        ({"Contact": "<sip:a@b>, <sip:c@d>"}, 400),
        ({"body": "<a/>"}, 400),
        ({"body": "<a/>", "Content_Type": "text/plain"}, 415),
        ({"cseq": 5}, 500),
        ({"cseq": 4}, 500),
    ],
)
def test_a_notify_that_is_refused(
    subscription: Subscription, changes: dict[str, Any], status: int
) -> None:
    subscription.accepted(answer(), 3600)
    subscription.notified(notify(5))
    notice = subscription.notified(notify(**{"cseq": 6} | changes))
    assert notice.status == status
    assert notice.problem
    assert notice.info is None
    # It has changed nothing.
    assert subscription.notified(notify(6)).status == 200


def test_an_older_document_says_nothing(subscription: Subscription) -> None:
    subscription.accepted(answer(), 3600)
    seen = [
        subscription.notified(notify(cseq, BODY.format(version, state))).info
        for cseq, version, state in [
            (1, 0, "early"),
            (2, 0, "confirmed"),
            (3, 7, "confirmed"),
            (4, 6, "terminated"),
            (5, 8, "terminated"),
        ]
    ]
    assert [info and info.state for info in seen] == [
        State.EARLY,
        None,
        State.CONFIRMED,
        None,
        State.TERMINATED,
    ]


@pytest.mark.parametrize(
    ("state", "ended", "retry_after"),
    [
        ("active", None, None),
        ("pending;expires=60", None, None),
        ("terminated", "", None),
        ("terminated;reason=timeout", "timeout", None),
        ("terminated ; reason=probation; retry-after=20", "probation", 20),
        ("terminated;reason=giveup;retry-after=soon", "giveup", None),
    ],
)
def test_the_end(
    subscription: Subscription, state: str, ended: str | None, retry_after: int | None
) -> None:
    subscription.accepted(answer(), 3600)
    assert subscription.notified(notify(Subscription_State=state)) == Notice(
        200, ended=ended, retry_after=retry_after
    )


def test_the_target_is_that_of_the_newest_notify(subscription: Subscription) -> None:
    subscription.accepted(answer(), 3600)
    subscription.notified(notify(Contact="<sip:1@192.0.2.9>"))
    assert sent(subscription).startswith("SUBSCRIBE sip:1@192.0.2.9 SIP/2.0\r\n")
