"""Addresses of phones that do not register, as users write them."""

import pytest

from custom_components.snom_buttons.engine.phones import can_reach, phone_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.4", ("192.0.2.4", 5060)),
        ("192.0.2.4:2048", ("192.0.2.4", 2048)),
        ("2001:DB8::1", ("2001:db8::1", 5060)),
        ("[2001:db8::1]:2048", ("2001:db8::1", 2048)),
        # With the name of an interface, as flows have it.
        ("fe80::1%lo", ("fe80::1%lo", 5060)),
        ("[fe80::1%1]:2048", ("fe80::1%lo", 2048)),
        ("fe80::1", None),
        # It may be up later.
        ("fe80::1%gone", ("fe80::1%gone", 5060)),
        ("fe80::1%²", ("fe80::1%²", 5060)),
        ("fe80::1%" + 5000 * "9", ("fe80::1%" + 5000 * "9", 5060)),
        ("2001:db8::1%lo", ("2001:db8::1", 5060)),
        # As a socket of both families names it: what comes from there comes by IPv4.
        ("::ffff:192.0.2.4", ("192.0.2.4", 5060)),
        ("desk.example", None),
        ("192.0.2.4:70000", None),
        ("192.0.2", None),
        ("0.0.0.0", None),
        ("224.0.0.5", None),
        ("255.255.255.255", None),
        ("::", None),
        ("ff02::1", None),
    ],
)
def test_where_a_phone_is(text: str, address: tuple[str, int] | None) -> None:
    assert phone_address(text) == address


@pytest.mark.parametrize(
    ("server", "phone", "reaches"),
    [
        ("0.0.0.0", "192.0.2.4", True),
        ("0.0.0.0", "2001:db8::1", False),
        ("2001:db8::2", "2001:db8::1", True),
        ("2001:db8::2", "192.0.2.4", False),
        ("::", "192.0.2.4", True),
    ],
)
def test_which_phones_a_server_reaches(server: str, phone: str, reaches: bool) -> None:
    assert can_reach(server, phone) is reaches
