"""Subscriptions: their dialogs (RFC 3261 12), what is kept of them, and how many."""

from __future__ import annotations

from functools import partial

from hypothesis import given, strategies as st
import pytest

from custom_components.snom_buttons.engine.sip import Flow, MalformedMessage
from custom_components.snom_buttons.engine.sip.notifier import (
    ALWAYS_OF_PHONE,
    MAX_DIALOG,
    MAX_OF_PHONE,
    MAX_OF_RESOURCE,
)
from tests.support.messages import lines_of
from tests.support.subscribing import CONTACT, FLOW, SENT_BY, VIA, Subscribing

ELSEWHERE = Flow("UDP", "192.0.2.4", 4096)
TLS = Flow("TLS", "192.0.2.4", 2048, 1)


@pytest.fixture
def phone() -> Subscribing:
    return Subscribing()


class TestDialog:
    def test_bytes_of_a_notify(self, phone: Subscribing) -> None:
        phone.subscribe(
            "Record-Route: <sip:a.test;lr>, <sip:b.test;lr;r2=on>",
            event="dialog;id=3",
            to='"Key" <sip:1@ha.test>',
        )
        (subscription,) = phone.notifier.subscriptions("44")
        outgoing = subscription.notify(SENT_BY, phone.now + 0.5, "text/plain", b"on")
        assert lines_of(outgoing.encode(VIA)) == [
            "NOTIFY sip:44@192.0.2.4:2048;line=x SIP/2.0",
            f"Via: {VIA}",
            "From: <sip:1@ha.test>;tag=ours",
            "To: <sip:44@ha.test>;tag=theirs",
            "Call-ID: call-1@192.0.2.4",
            "CSeq: 2 NOTIFY",
            "Max-Forwards: 70",
            "Route: <sip:a.test;lr>",
            "Route: <sip:b.test;lr;r2=on>",
            "Contact: <sip:1@192.0.2.1:5060;transport=udp>",
            "Event: dialog;id=3",
            "Subscription-State: active;expires=3599",
            "Content-Type: text/plain",
            "Content-Length: 2",
        ]

    def test_a_notify_without_a_body_has_no_type(self, phone: Subscribing) -> None:
        phone.subscribe()
        (subscription,) = phone.notifier.subscriptions("44")
        outgoing = subscription.notify(SENT_BY, phone.now, "text/plain")
        assert "Content-Type" not in dict(outgoing.headers)

    def test_versions_rise_from_0(self, phone: Subscribing) -> None:
        """RFC 4235 4.1."""
        phone.subscribe()
        (subscription,) = phone.notifier.subscriptions("44")
        assert [subscription.next_version() for _ in range(3)] == [0, 1, 2]

    def test_the_answer_has_our_contact_and_the_route(self, phone: Subscribing) -> None:
        """RFC 3261 12.1.1."""
        answer = phone.subscribe(
            "Record-Route: <sip:a.test;lr>", "Record-Route: <sip:b.test;lr>"
        )
        assert [item for item in answer.headers if item[0] != "Allow-Events"] == [
            ("Expires", "3600"),
            ("Contact", "<sip:1@192.0.2.1:5060;transport=udp>"),
            ("Record-Route", "<sip:a.test;lr>"),
            ("Record-Route", "<sip:b.test;lr>"),
        ]

    def test_the_user_part_of_our_contact_is_escaped(self, phone: Subscribing) -> None:
        phone.subscribe(uri="sip:a%40b%3e@ha.test")
        contact = phone.notices[0].headers.get("Contact")
        assert contact == "<sip:a%40b%3E@192.0.2.1:5060;transport=udp>"

    def test_the_newest_contact_is_the_target(self, phone: Subscribing) -> None:
        """RFC 3261 12.2.2: SUBSCRIBE is a target refresh request."""
        phone.subscribe()
        phone.refresh(contact="<sip:44@192.0.2.9>;x=y")
        phone.refresh(contact=None)
        assert [notice.uri.text for notice in phone.notices] == [
            "sip:44@192.0.2.4:2048;line=x",
            *(2 * ["sip:44@192.0.2.9"]),
        ]

    def test_the_newest_flow_is_the_way(self, phone: Subscribing) -> None:
        """Whatever the Contact, the Via and the route say."""
        phone.subscribe(
            "Record-Route: <sip:203.0.113.1;lr>", contact="<sip:203.0.113.2>"
        )
        (subscription,) = phone.notifier.subscriptions("44")
        assert subscription.flow == FLOW
        phone.refresh(flow=ELSEWHERE)
        assert subscription.flow == ELSEWHERE

    def test_the_route_is_that_of_the_first_subscribe(self, phone: Subscribing) -> None:
        """RFC 3261 12.2."""
        phone.subscribe("Record-Route: <sip:a.test;lr>")
        phone.refresh("Record-Route: <sip:b.test;lr>")
        routes = [notice.headers.lines("Route") for notice in phone.notices]
        assert routes == 2 * [["<sip:a.test;lr>"]]

    @pytest.mark.parametrize(
        ("route", "uri", "routes"),
        [
            (
                "<sip:a.test;method=x?h=v>, <sip:b.test;lr>",
                "sip:a.test",
                ["<sip:b.test;lr>", CONTACT],
            ),
            ("<sip:a.test>", "sip:a.test", [CONTACT]),
            # The nearest one decides; it rewrites for the next.
            (
                "<sip:a.test;lr>, <sip:b.test>",
                CONTACT.strip("<>"),
                ["<sip:a.test;lr>", "<sip:b.test>"],
            ),
        ],
    )
    def test_a_strict_router(
        self, phone: Subscribing, route: str, uri: str, routes: list[str]
    ) -> None:
        """RFC 3261 12.2.1.1: its URI is the Request-URI, the target the last Route."""
        assert phone.subscribe(f"Record-Route: {route}").status == 200
        (notice,) = phone.notices
        assert notice.uri.text == uri
        assert notice.headers.lines("Route") == routes

    def test_a_refresh_that_would_not_be_restored(self, phone: Subscribing) -> None:
        """It is refused, and the subscription stays as it is."""
        call_id = (MAX_DIALOG - 200) * "x"
        phone.subscribe(Call_ID=call_id)
        (subscription,) = phone.notifier.subscriptions("44")
        longer = f"<sip:44@192.0.2.4;x={200 * 'x'}>"
        assert phone.refresh(Call_ID=call_id, contact=longer).status == 400
        assert phone.notifier.subscriptions("44") == (subscription,)
        assert subscription.size <= MAX_DIALOG
        assert phone.refresh(Call_ID=call_id).status == 200

    def test_a_dialog_that_is_secure(self, phone: Subscribing) -> None:
        """RFC 3261 12.1.1: a sips Request-URI means a sips Contact in answer."""
        answer = phone.subscribe(
            uri="sips:1@ha.test", flow=TLS, contact="<sips:44@192.0.2.4>"
        )
        own = "<sips:1@192.0.2.1:5060>"
        assert dict(answer.headers)["Contact"] == own
        assert phone.notices[0].headers.get("Contact") == own

    @pytest.mark.parametrize(
        ("contact", "route", "own"),
        [
            ("sips:44@h", None, "<sips:1@192.0.2.1:5060>"),
            ("sips:44@h", "sip:p;lr", "<sip:1@192.0.2.1:5060;transport=tls>"),
            ("sip:44@h", "sips:p;lr", "<sips:1@192.0.2.1:5060>"),
            ("sip:44@h", None, "<sip:1@192.0.2.1:5060;transport=tls>"),
        ],
    )
    def test_what_makes_our_contact_secure(
        self, phone: Subscribing, contact: str, route: str | None, own: str
    ) -> None:
        """RFC 3261 12.1.1 and 8.1.1.8: the top Route, or else the target."""
        routes = [f"Record-Route: <{route}>"] if route else []
        answer = phone.subscribe(*routes, contact=f"<{contact}>", flow=TLS)
        assert dict(answer.headers)["Contact"] == own
        assert phone.notices[0].headers.get("Contact") == own

    def test_a_phone_without_tags(self, phone: Subscribing) -> None:
        """RFC 3261 12.1.1: RFC 2543 did not require one of From."""
        phone.subscribe(From="<sip:44@ha.test>")
        phone.refresh(From="<sip:44@ha.test>")
        assert phone.trace[::2] == 2 * ["200 Expires: 3600"]
        assert phone.notices[1].to.text == "<sip:44@ha.test>"

    def test_the_dialog_of_another_user(self, phone: Subscribing) -> None:
        phone.subscribe()
        phone.refresh(user="45", expires=0)
        assert phone.trace[2:] == ["481"]
        assert len(phone.notifier.subscriptions("44")) == 1

    @pytest.mark.parametrize(
        "change",
        [{"tag": "other"}, {"From": "<sip:44@ha.test>;tag=x"}, {"Call_ID": "x"}],
        ids=["local tag", "remote tag", "Call-ID"],
    )
    def test_another_dialog(self, phone: Subscribing, change: dict[str, str]) -> None:
        phone.subscribe()
        assert phone.refresh(**change).status == 481

    def test_a_first_subscribe_that_comes_again(self, phone: Subscribing) -> None:
        """It has the same local tag: the endpoint makes that of Call-ID and Via."""
        phone.subscribe(cseq=1)
        assert phone.subscribe(cseq=1).status == 500
        assert phone.subscribe(cseq=2).status == 200
        assert len(phone.notifier.subscriptions("44")) == 1

    def test_a_refresh_that_is_refused_still_counts(self, phone: Subscribing) -> None:
        """RFC 3261 12.2.2: its CSeq is the newest whatever the answer."""
        phone.subscribe()
        assert phone.refresh(expires=5, cseq=9).status == 423
        assert phone.refresh(cseq=9).status == 500

    def test_an_interval_that_is_no_number(self, phone: Subscribing) -> None:
        """It counts as the default (RFC 3261 20.19)."""
        assert phone.subscribe(expires="soon").headers[0] == ("Expires", "3600")

    def test_a_proxy_without_a_route(self, phone: Subscribing) -> None:
        via = "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1, SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK2"
        phone.subscribe(Via=via)
        (subscription,) = phone.notifier.subscriptions("44")
        assert subscription.forwarded


class TestRefusals:
    @pytest.mark.parametrize(
        "change",
        [
            {"contact": None},
            {"contact": f"{CONTACT}, {CONTACT}"},
            {"contact": "*"},
            {"contact": "<tel:44>"},
            {"contact": "44@192.0.2.4"},
            {"contact": "<sips:44@192.0.2.4>"},
            {"contact": f"<sip:44@192.0.2.4;x={512 * 'x'}>"},
            {"Record_Route": "<tel:1>"},
            {"Record_Route": "<tel:44>"},
            {"Call_ID": MAX_DIALOG * "x"},
            {"event": ";id=1"},
            {"event": "dialog;id="},
            {"event": 'dialog;id="a b"'},
            {"event": "dialog;id=1;id=2"},
            {"Accept": '"a, b'},
        ],
        ids=str,
    )
    def test_400(self, phone: Subscribing, change: dict[str, str | None]) -> None:
        assert phone.subscribe(**change) == (400, (), None)
        assert phone.notifier.next_expiry is None

    @pytest.mark.parametrize("contact", ["<tel:44>", f"<sip:a;x={512 * 'x'}>"])
    def test_400_of_a_refresh(self, phone: Subscribing, contact: str) -> None:
        phone.subscribe()
        assert phone.refresh(contact=contact).status == 400
        phone.change()
        assert phone.notices[-1].uri.text == "sip:44@192.0.2.4:2048;line=x"

    @pytest.mark.parametrize(
        ("accept", "status"),
        [
            ("*/*", 200),
            ("application/*;q=0.1", 200),
            ("text/*, Application / Dialog-Info+XML ;level=1", 200),
            ("text/*", 406),
            ("", 406),  # none is accepted (RFC 3261 20.1)
            ("application/dialog-info+xml;q=0", 406),
            ("text/*, */* ; Q = 0.000", 406),
            # The most specific range decides (RFC 2616 14.1).
            ("*/*, application/dialog-info+xml;q=0.0, application/*", 406),
            ("*/*;q=0, application/*;q=0, application/dialog-info+xml;q=0.01", 200),
            (
                "application/dialog-info+xml;level=1;q=0, application/\tdialog-info+xml",
                200,
            ),
        ],
    )
    def test_accept(self, phone: Subscribing, accept: str, status: int) -> None:
        assert phone.subscribe(f"Accept: {accept}").status == status

    @pytest.mark.parametrize("coding", ["identity", "gzip"])
    def test_a_filter(self, phone: Subscribing, coding: str) -> None:
        """RFC 4235 3.3; the body would have to be understood (RFC 3261 8.2.3)."""
        answer = phone.subscribe(
            "Content-Type: text/plain", f"Content-Encoding: {coding}", body=b"all"
        )
        assert answer.status == 415
        assert answer.headers[0] == ("Accept", "")


class TestHowMany:
    @staticmethod
    def fill(phone: Subscribing, first: int, count: int) -> list[int]:
        return [
            phone.subscribe(uri=f"sip:k{n}@ha.test", local_tag=f"t{n}").status
            for n in range(first, first + count)
        ]

    def test_of_a_phone(self, phone: Subscribing) -> None:
        assert set(self.fill(phone, 0, MAX_OF_PHONE)) == {200}
        refused = phone.subscribe(local_tag="x")
        assert refused == (480, (("Retry-After", "300"),), None)
        # What it has stays, and a fetch needs no room.
        assert phone.refresh(tag="t0").status == 200
        assert phone.subscribe(expires=0, local_tag="y").status == 200
        assert phone.refresh(tag="t0", expires=0).status == 200
        assert phone.subscribe(local_tag="z").status == 200

    def test_of_all_phones(
        self, phone: Subscribing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each may have some, however many the others have."""
        notifier = "custom_components.snom_buttons.engine.sip.notifier"
        monkeypatch.setattr(f"{notifier}.MAX_SUBSCRIPTIONS", 10)
        statuses = self.fill(phone, 0, ALWAYS_OF_PHONE + 1)
        assert statuses == [*ALWAYS_OF_PHONE * [200], 480]

    def test_of_a_resource(self, phone: Subscribing) -> None:
        """A phone that restarts again and again leaves its subscriptions behind.

        RFC 6665 4.1.3: `deactivated` would have one that is alive subscribe at once, and
        so end the next one, without an end.
        """
        for n in range(MAX_OF_RESOURCE):
            phone.subscribe(local_tag=f"t{n}")
        phone.subscribe(local_tag="other", event="message-summary")
        assert len(phone.notifier.subscriptions("44")) == MAX_OF_RESOURCE + 1
        phone.trace.clear()
        phone.subscribe(local_tag="new", event="dialog;id=7")  # whatever its id
        assert phone.trace == [
            "200 Expires: 3600",
            "NOTIFY 2 dialog terminated;reason=probation",
            "NOTIFY 1 dialog;id=7 active;expires=3600",
        ]
        assert phone.refresh(tag="t0").status == 481
        assert phone.refresh(tag="t1").status == 200

    def test_of_a_resource_while_none_of_the_new_ones_is_taken(
        self, phone: Subscribing
    ) -> None:
        """The source of their SUBSCRIBEs may be forged: the phone's own stays."""
        phone.subscribe(local_tag="own")
        phone.answered(200)
        for n in range(2 * MAX_OF_RESOURCE):
            phone.subscribe(local_tag=f"t{n}")
        assert len(phone.notifier.subscriptions("44")) == MAX_OF_RESOURCE
        assert phone.refresh(tag="own").status == 200
        phone.answered(200)
        phone.subscribe(local_tag="new")
        assert phone.refresh(tag="own").status == 481

    def test_ends(self, phone: Subscribing) -> None:
        phone.subscribe(expires=600)
        phone.later(10)
        phone.subscribe(expires=60, local_tag="t2")
        assert phone.notifier.next_expiry == phone.now + 60
        first, second = phone.notifier.subscriptions("44")
        phone.later(60)
        assert second.ended == "timeout"
        assert phone.notifier.subscriptions("44") == (first,)
        phone.end("noresource")
        assert phone.trace[-1] == "NOTIFY 2 dialog terminated;reason=noresource"
        phone.notifier.end(first, "noresource")
        assert phone.due == []
        assert phone.notifier.next_expiry is None


TEXTS = st.text(
    # With bytes that are no UTF-8.
    st.characters(exclude_categories=["Cc", "Cs"]) | st.sampled_from("\udc80\udcff"),
    max_size=40,
) | st.sampled_from(
    [
        "dialog",
        "dialog;id=1",
        '"',
        "<sip:a;lr>",
        "<sip:a>",
        "*",
        "0",
        "60",
        "*/*",
        ";,;",
    ]
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["Event", "Expires", "Contact", "Record-Route", "Accept", "Call-ID"]
        ),
        TEXTS,
    ),
    st.booleans(),
)
def test_whatever_the_headers_say(changes: dict[str, str], is_refresh: bool) -> None:
    """There is an answer, and what is due after a 200 is a message that can be read."""
    phone = Subscribing()
    phone.subscribe()
    event, contact = changes.pop("Event", "dialog"), changes.pop("Contact", CONTACT)
    send = phone.refresh if is_refresh else partial(phone.subscribe, local_tag="b")
    try:
        answer = send(event=event, contact=contact, **changes)
    except MalformedMessage:
        return
    assert answer.status in {200, 400, 403, 406, 423, 481, 489}
    assert len(phone.notices) == 1 + (answer.status == 200)
    phone.change()
