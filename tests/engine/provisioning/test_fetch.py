"""What phones ask for when they fetch their settings."""

import pytest

from custom_components.snom_buttons.engine.provisioning import Fetch, read_fetch

AGENTS = [
    ("Mozilla/4.0 (compatible; snom lid 3605)", Fetch(None, None, None)),
    (
        "Mozilla/4.0 (compatible; snom320-SIP 6.5.20; snom320 jffs2 v3.36)",
        Fetch(None, "320", "6.5.20"),
    ),
    (
        "Mozilla/4.0 (compatible; snom710-SIP 8.7.5.35 1.1.5-IFX-05.01.12 000413741767)",
        Fetch("000413741767", "710", "8.7.5.35"),
    ),
    (
        "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010 000413922D24 SXM:0)",
        Fetch("000413922D24", "D785", "10.1.33.33"),
    ),
    ("curl/8.0", Fetch(None, None, None)),
]


@pytest.mark.parametrize(("agent", "fetch"), AGENTS)
def test_what_a_user_agent_says(agent: str, fetch: Fetch) -> None:
    assert read_fetch("", agent) == fetch


@pytest.mark.parametrize(
    ("name", "mac", "model"),
    [
        ("snomD735.htm", None, "D735"),
        ("snomd735.xml", None, "D735"),
        ("snomD735-000413a1b2c3.htm", "000413A1B2C3", "D735"),
        ("000413A1B2C3.xml", "000413A1B2C3", None),
        ("", None, None),
    ],
)
def test_what_a_name_says(name: str, mac: str | None, model: str | None) -> None:
    assert read_fetch(name, "") == Fetch(mac, model, None)


@pytest.mark.parametrize(
    "name",
    ["..", "settings.xml", "snom.htm", "snomD735-0004.htm", "a/b.xml", "x" * 999],
)
def test_other_names(name: str) -> None:
    assert read_fetch(name, AGENTS[3][0]) is None


def test_two_addresses_contradict() -> None:
    assert read_fetch("000413A1B2C3.xml", AGENTS[3][0]) is None
