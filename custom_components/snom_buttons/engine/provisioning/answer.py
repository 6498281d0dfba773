"""Answers to an announcement: 200, then a NOTIFY with the URL of the settings (RFC 6080).

Via is repeated as the phone sent it: one without a branch is matched by RFC 2543's rules.
"""

from typing import Final

from ..sip import OutgoingRequest, encode_response, make_uri, parse_address
from .announcement import Announcement

URL_TYPE: Final = "application/url"
STATE: Final = "terminated;reason=timeout"
"""Subscription-State of the NOTIFY, which ends the subscription (snom, "SIP Plug & Play")."""


def ok(announcement: Announcement, *, tag: str, sent_by: str) -> bytes:
    """Return the 200; `sent_by` is our address as `host:port`.

    Expires is 0, what phones ask for: nothing but the one NOTIFY follows.
    """
    request = announcement.request
    return encode_response(
        request.headers,
        request.via.seen_from(announcement.host, announcement.port),
        200,
        to_tag=tag,
        headers=(("Contact", f"<sip:{sent_by}>"), ("Expires", "0")),
    )


def notify(
    announcement: Announcement, *, tag: str, sent_by: str, url: str
) -> OutgoingRequest:
    """Return the NOTIFY within the dialog of the subscription (RFC 6665 4.2.2)."""
    request = announcement.request
    target = announcement.contact or make_uri(
        None, announcement.host, announcement.port
    )
    return OutgoingRequest(
        method="NOTIFY",
        uri=target.target,
        from_=parse_address(f"{request.to.text};tag={tag}"),
        to=request.from_,
        call_id=request.call_id,
        cseq=1,
        headers=(
            ("Contact", f"<sip:{sent_by}>"),
            ("Event", request.headers.get("Event") or ""),
            ("Subscription-State", STATE),
            ("Content-Type", URL_TYPE),
        ),
        body=url.encode(),
    )
