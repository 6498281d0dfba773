"""The 200 and the NOTIFY that answer an announcement (RFC 6080, RFC 6665 4.2.2)."""

from custom_components.snom_buttons.engine.provisioning import (
    notify,
    ok,
    read_announcement,
)
from tests.support.announcements import SNOM_370

OURS = "192.0.2.1:5060"
URL = "http://192.0.2.1:8123/api/x/000413AABBCC.xml"


def test_the_answers_to_a_snom_370() -> None:
    """Each line, as a phone without a branch has to match it by RFC 2543's rules."""
    said = read_announcement(SNOM_370, "192.0.2.55", 1053)
    assert said is not None
    assert ok(said, tag="t1", sent_by=OURS).decode().split("\r\n") == [
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP 192.0.2.55:1053;rport=1053;received=192.0.2.55",
        "From: <sip:MAC%3a000413AABBCC@lan>;tag=658512961",
        "To: <sip:MAC%3a000413AABBCC@lan>;tag=t1",
        "Call-ID: 3c2670a09c56-x0b1t0q1k2pl",
        "CSeq: 1 SUBSCRIBE",
        f"Contact: <sip:{OURS}>",
        "Expires: 0",
        "Content-Length: 0",
        "",
        "",
    ]
    request = notify(said, tag="t1", sent_by=OURS, url=URL)
    via = f"SIP/2.0/UDP {OURS};branch=z9hG4bKb;rport"
    assert request.encode(via).decode().split("\r\n") == [
        "NOTIFY sip:192.0.2.55:1053 SIP/2.0",
        f"Via: SIP/2.0/UDP {OURS};branch=z9hG4bKb;rport",
        "From: <sip:MAC%3a000413AABBCC@lan>;tag=t1",
        "To: <sip:MAC%3a000413AABBCC@lan>;tag=658512961",
        "Call-ID: 3c2670a09c56-x0b1t0q1k2pl",
        "CSeq: 1 NOTIFY",
        "Max-Forwards: 70",
        f"Contact: <sip:{OURS}>",
        f"Event: {said.request.headers.get('Event')}",
        "Subscription-State: terminated;reason=timeout",
        "Content-Type: application/url",
        f"Content-Length: {len(URL)}",
        "",
        URL,
    ]


def test_without_a_contact_the_request_names_the_source() -> None:
    lean = SNOM_370.replace(b"Contact:", b"X-Contact:")
    said = read_announcement(lean, "127.0.0.9", 1053)
    assert said is not None
    request = notify(said, tag="t1", sent_by=OURS, url=URL)
    assert request.uri.text == "sip:127.0.0.9:1053"
