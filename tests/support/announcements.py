"""Announcements of phones: the form of public traces, with addresses of documentation."""


def _announcement(
    user: str,
    event: str,
    *,
    host: str = "224.0.1.75",
    via: str = "192.0.2.55:5060;branch=z9hG4bK1;rport",
    contact: str = "192.0.2.55:5060",
    at: str = "@",
    cseq: int = 1,
    more: str = "",
) -> bytes:
    lines = (
        f"SUBSCRIBE sip:{user}@{host} SIP/2.0",
        f"Via: SIP/2.0/UDP {via}",
        f"From: <sip:{user}{at and f'{at}{host}'}>;tag=658512961",
        f"To: <sip:{user}{at and f'{at}{host}'}>",
        "Call-ID: 3c2670a09c56-x0b1t0q1k2pl",
        f"CSeq: {cseq} SUBSCRIBE",
        f"Event: {event}",
        "Expires: 0",
        "Accept: application/url",
        f"Contact: <sip:{contact}>",
        *more.splitlines(),
        "Content-Length: 0",
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def _event(vendor: str, model: str, version: str) -> str:
    return (
        f'ua-profile;profile-type="device";vendor="{vendor}";model="{model}"'
        f';version="{version}"'
    )


SNOM_370 = _announcement(
    "MAC%3a000413AABBCC",
    _event("snom", "snom370", "8.7.5.48"),
    host="lan",
    via="192.0.2.55:1053;rport",
    contact="192.0.2.55:1053",
    more="User-Agent: snom370/8.7.5.48",
)
"""Of a snom 370: no branch, no Max-Forwards, source port 1053."""

SNOM_OEM = _announcement(
    "MAC%3a00135E874B49", _event("OEM", "OEM", "7.1.19"), host="intern.example"
)
"""Of snom's own page on plug and play."""

GIGASET = _announcement(
    "MAC%3a7C2F80AABBCC",
    _event("Gigaset", "P850", "10.1.99"),
    host="gigaset.com",
    more="Max-Forwards: 70",
)
YEALINK = _announcement(
    "MAC:0015654093A7",
    _event("Yealink", "SIP-T21P_E2", "52.84.0.15"),
    more="Max-Forwards: 70",
)
YEALINK_W52P = _announcement(
    "MAC001565ABCDEF",
    _event("yealink", "W52P", "25.81.0.10"),
    via="192.0.2.55:5059;branch=z9hG4bK1536537630",
    contact="MAC001565ABCDEF@192.0.2.55:5059",
    more="Max-Forwards: 70\nUser-Agent: Yealink W52P 25.81.0.10",
)
"""Of a base for cordless phones: nothing stands between `MAC` and the address."""

GRANDSTREAM = _announcement(
    "MAC%3A000B82AABBCC",
    _event("Grandstream", "GRP2612W", "1.0.5.67"),
    via="192.0.2.55:5080;branch=z9hG4bK1611133778;rport",
    contact="192.0.2.55:5080",
    cseq=20000,
    more="Max-Forwards: 70\nUser-Agent: Grandstream GRP2612W 1.0.5.67\n"
    "Supported: replaces, path\nAllow: INVITE, ACK, OPTIONS, CANCEL, BYE, SUBSCRIBE,"
    " NOTIFY, INFO, REFER, UPDATE, MESSAGE",
)
SIPPING = _announcement(
    "MAC%3a000413AABBCC",
    _event("snom", "snomD735", "7.1.19"),
    host="fake",
    via="192.0.2.55:5060;rport",
    at="",
)
"""Of SIPPing, a tool of pbertera for tests: From and To have no host."""
