"""Discovered phones in a real browser: from the card to lamps that are lit.

`script/test tests/e2e/test_cards.py --log-cli-level=info` prints how long it takes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
import logging
from pathlib import Path
import re
import time

from playwright.async_api import Browser, Locator, Page, expect
import pytest
from pytest_socket import enable_socket

from tests.support.browser import chromium_path, signed_in
from tests.support.demo import Demo, demo_without_errors
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.person import Person
from virtual_phone import FactoryPhone, VirtualPhone

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("socket_enabled"),
    multicast("cards"),
]

_LOGGER = logging.getLogger(__name__)

DASHBOARD = "/config/integrations/dashboard"
CHOSEN = {"Ceiling Lights": "on", "Kitchen Lights": "on", "Decorative Lights": "on"}
"""Suggestions, and the light modes of their keys."""
MOST_CLICKS = 8


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Run a Home Assistant with a server."""
    chromium_path()
    enable_socket()  # `socket_enabled` comes after fixtures of the module
    directory = tmp_path_factory.mktemp("cards") / "demo"
    with demo_without_errors(directory, "--no-phone") as demo:
        yield demo


@pytest.fixture
async def page(browser: Browser, home: Demo, tmp_path: Path) -> AsyncIterator[Page]:
    """Return the page of the integrations."""
    async with signed_in(browser, tmp_path, home, DASHBOARD) as page:
        yield page


def card_of(page: Page, name: str) -> Locator:
    return page.locator("ha-config-flow-card", has_text=name)


async def confirm(person: Person, page: Page, card: Locator) -> None:
    """Add the phone of a card, with what should be on its keys."""
    await person.click("Add", card.get_by_role("button", name="Add"))
    await page.get_by_text("Add this phone?").wait_for()
    for name in CHOSEN:
        await person.click(name, page.locator("ha-checkbox", has_text=name))
    await person.click("Submit", page.get_by_role("button", name="Submit"))


async def close(person: Person, page: Page) -> None:
    await person.click("Close", page.get_by_role("button", name="Close").last)
    await page.wait_for_function("!history.state?.dialog")


async def shows_choice(phone: VirtualPhone) -> None:
    """Wait until the lamps show what was chosen."""
    looks = [*CHOSEN.items()]
    await phone.wait_for(
        lambda it: all(
            (key := it.keys.get(f"{number}")) is not None
            and (key.label, key.light) == look
            for number, look in enumerate(looks, 1)
        ),
        PATIENCE,
    )


async def test_a_phone_that_announces_itself_is_set_up_by_its_card(page: Page) -> None:
    """Nothing is typed; the phone is plugged in, and once more when it was added."""
    phone = FactoryPhone("D865", "0004130DD865")
    async with phone:
        card = card_of(page, "snom D865, 127.0.0.1")
        await card.wait_for()
        assert not phone.is_set_up
        person = Person(page)
        await person.sit_down()
        began = time.monotonic()
        await confirm(person, page, card)
        await page.get_by_text("Restart the phone now").wait_for()
        await close(person, page)
        await expect(card).to_have_count(0)
        clicks, keys = await person.counted()
        assert keys == 0
        assert clicks == len(person.waits) <= MOST_CLICKS
    async with FactoryPhone("D865", "0004130DD865") as phone:
        await shows_choice(phone)
        assert phone.registered
        seconds = time.monotonic() - began
        _LOGGER.info("from the card to the lamps: %.1f s, %d clicks", seconds, clicks)


async def test_a_phone_that_tries_to_register_gets_its_password_from_its_card(
    home: Demo, page: Page
) -> None:
    sip = home.details["sip"]
    registrar = f"{sip['host']}:{sip['port']}"
    async with VirtualPhone("147", "of another server", registrar=registrar):
        card = card_of(page, "147, snom D735, 127.0.0.1")
        await card.wait_for()
        person = Person(page)
        await person.sit_down()
        await confirm(person, page, card)
        row = page.get_by_role("row", name=re.compile("^Password "))
        password = await row.get_by_role("code").inner_text()
        await close(person, page)
        await expect(card).to_have_count(0)
    async with VirtualPhone("147", password, registrar=registrar) as phone:
        await shows_choice(phone)
