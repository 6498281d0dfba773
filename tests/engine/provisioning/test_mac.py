"""Hardware addresses in the forms in which they are written."""

import pytest

from custom_components.snom_buttons.engine.provisioning import (
    find_mac,
    is_snom,
    read_mac,
)


@pytest.mark.parametrize(
    "text",
    ["000413a1b2c3", "00:04:13:A1:B2:C3", "00-04-13-a1-b2-c3", " 00.04.13.a1.b2.c3 "],
)
def test_an_address_is_read_in_each_form(text: str) -> None:
    assert read_mac(text) == "000413A1B2C3"


@pytest.mark.parametrize(
    "text", ["", "000413a1b2", "000413a1b2c3d4", "00:04-13:a1:b2:c3", "000413a1b2cg"]
)
def test_what_is_no_address(text: str) -> None:
    assert read_mac(text) is None


def test_an_address_within_a_text() -> None:
    agent = (
        "Mozilla/4.0 (compatible; snom710-SIP 8.7.5.35 1.1.5-IFX-05.01.12 000413a41767)"
    )
    assert find_mac(agent) == "000413A41767"
    assert find_mac("snom/8.7.5.35 9000413a41767") is None


def test_addresses_of_snom() -> None:
    snom, other = read_mac("000413A1B2C3"), read_mac("0015654093A7")
    assert snom is not None
    assert other is not None
    assert is_snom(snom)
    assert not is_snom(other)
