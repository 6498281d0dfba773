"""What a phone says of itself: its User-Agent, and where its web page is."""

import pytest

from custom_components.snom_buttons.engine.phones import hardware_of
from custom_components.snom_buttons.engine.phones.registration import Registration
from custom_components.snom_buttons.engine.sip import Binding, Flow, parse_address

MAC = "00041364A1B2"


@pytest.mark.parametrize(
    ("user_agent", "named"),
    [
        ("snom105-3.56p", ("105", "snom105", "3.56p", None, None, None)),
        ("snom360/7.3.30", ("360", "snom360", "7.3.30", None, None, None)),
        ("snom370/8.7.5.48", ("370", "snom370", "8.7.5.48", None, None, None)),
        ("snomD120/10.1.39.11", ("D120", "snomD120", "10.1.39.11", None, None, None)),
        ("SNOMd785/10.1", ("D785", "SNOMd785", "10.1", None, None, None)),
        ("snom/8.7", (None, "snom", "8.7", None, None, None)),
        (
            f"snomD785/10.1.198.12 {MAC}",
            ("D785", "snomD785", "10.1.198.12", MAC, MAC, None),
        ),
        (
            f"snomM700/03.23.0005 (MAC={MAC.lower()}; SER= 00000; HW=255)",
            ("M700", "snomM700", "03.23.0005", MAC, MAC, "255"),
        ),
        (
            f"snomM700/03.23.0005 (MAC={MAC}; SER= 12040; HW=255)",
            ("M700", "snomM700", "03.23.0005", MAC, "12040", "255"),
        ),
        # Hidden by its user
        (
            "snomM700/03.23.0005 (MAC=0004136*****; SER= 00000; HW=255)",
            ("M700", "snomM700", "03.23.0005", None, None, "255"),
        ),
    ],
)
def test_snom_phones(user_agent: str, named: tuple[str | None, ...]) -> None:
    assert hardware_of(user_agent) == named


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "baresip v1.0.0 (x86_64/Linux)",
        "Yealink SIP-T46U 108.86.0.20",
        "snom",
        "snomD785/",
        "snom\u202eD785/1",
        "not a snom370/8.7",
    ],
)
def test_other_phones(user_agent: str) -> None:
    assert hardware_of(user_agent) is None


def test_what_is_named_is_bounded() -> None:
    named = hardware_of(f"snomD785/{'1' * 200} SER={'2' * 200}")
    assert named is not None
    assert len(named.version) == 32
    assert named.serial == "2" * 32


def binding(contact: str, host: str, **changes: object) -> Binding:
    values = {
        "user": "44",
        "aor": parse_address("<sip:44@ha.test>").uri,
        "contact": parse_address(contact),
        "flow": Flow("UDP", host, 2048),
        "call_id": "1",
        "cseq": 1,
        "expires_at": 60.0,
        "instance": None,
        "user_agent": None,
        "supports_buttons": True,
    }
    return Binding(**values | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("contact", "host", "web_host"),
    [
        ("<sip:44@192.0.2.44:5060>", "192.0.2.44", "192.0.2.44"),
        ("<sip:44@[2001:DB8:0::44]>", "2001:db8::44", "[2001:db8::44]"),
        # Behind a NAT: the page at its address is the router's.
        ("<sip:44@192.168.1.44>", "192.0.2.1", None),
        ("<sip:44@desk.example>", "192.0.2.44", None),
        ("<tel:+49301234567>", "192.0.2.44", None),
        # A browser elsewhere does not find these.
        ("<sip:44@127.0.0.1>", "127.0.0.1", None),
        ("<sip:44@[::1]>", "::1", None),
        ("<sip:44@[fe80::44]>", "fe80::44%eth0", None),
    ],
)
def test_where_the_web_page_of_a_phone_is(
    contact: str, host: str, web_host: str | None
) -> None:
    assert Registration.of(binding(contact, host), 0).web_host == web_host
    by_tcp = binding(contact, host, flow=Flow("TCP", host, 2048, 1))
    assert Registration.of(by_tcp, 0).web_host == web_host


def test_a_proxy_has_no_web_page_of_a_phone() -> None:
    """Whatever the Contact says."""
    contact, host = "<sip:44@192.0.2.1>", "192.0.2.1"
    assert Registration.of(binding(contact, host), 0).web_host == host
    forwarded = binding(contact, host, forwarded=True)
    assert Registration.of(forwarded, 0).web_host is None
    by_path = binding(contact, host, path=("<sip:192.0.2.1;lr>",))
    assert Registration.of(by_path, 0).web_host is None
