"""How little a person does until a phone from the factory shows the house.

`script/test tests/e2e/test_clicks.py --log-cli-level=info` prints where the time goes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import logging
from pathlib import Path
import sys
import time

from playwright.async_api import expect
import pytest

from tests.support.browser import chromium, chromium_path, page_of, sign_in
from tests.support.demo import ROOT, demo_of, demo_process
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.person import Lines, Person

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("socket_enabled"),
    multicast("clicks"),
]

_LOGGER = logging.getLogger(__name__)

MAC = "0004130DD7C9"
SERVER_PAGE = "/config/integrations/integration/snom_buttons"
CHOSEN = {
    "Ceiling Lights": "on",
    "Kitchen Lights": "on, red",
    "Decorative Lights": "on",
}
"""Three suggestions, and what the lamps of their keys show."""
MOST_CLICKS = 8


@asynccontextmanager
async def plugged_in() -> AsyncIterator[Lines]:
    """Run a phone as it comes from the factory; give what it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "virtual_phone", "--factory-new", "--headless"),
        *("--model", "D735", "--mac", MAC),
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        yield Lines(process.stdout)
    finally:
        process.terminate()
        await process.wait()


async def test_all_that_a_person_does_is_counted(tmp_path: Path) -> None:
    """Also what is done without `Person.click`."""
    async with chromium() as browser, page_of(browser, tmp_path) as page:
        await page.set_content("<input><button>Go</button>")
        person = Person(page)
        await person.sit_down()
        go = page.get_by_role("button")
        await person.click("Go", go)
        assert await person.counted() == (1, 0)
        await go.click()
        await page.get_by_role("textbox").press_sequentially("ab")
        await page.keyboard.insert_text("without a key")
        assert await person.counted() == (2, 3)
        assert len(person.waits) == 1


async def test_a_phone_from_the_factory_takes_eight_clicks_and_no_key(
    tmp_path: Path,
) -> None:
    """From the page of the integration to three lamps that are lit and a closed dialogue.

    The person reads nothing: each click is made as soon as it can be. What the test takes
    is therefore the time without the person's.
    """
    chromium_path()
    directory = tmp_path / "demo"
    with demo_process(directory, "--no-phone") as pid:
        async with (
            demo_of(directory, pid) as demo,
            chromium() as browser,
            page_of(browser, tmp_path) as page,
        ):
            await sign_in(page, demo.details["url"] + SERVER_PAGE)
            add = page.get_by_role("button", name="Add phone")
            await expect(add).to_be_enabled()

            person = Person(page)
            await person.sit_down()
            began = time.monotonic()
            await person.click("Add phone", add)
            await person.click("Plug it in now", page.get_by_text("Plug it in now"))
            for name in CHOSEN:
                await person.click(name, page.locator("ha-checkbox", has_text=name))
            await person.click("Next", page.get_by_role("button", name="Next"))
            await page.get_by_text("Nothing yet.").wait_for()
            plugged = time.monotonic()
            async with plugged_in() as phone, asyncio.timeout(PATIENCE):
                for number, (name, light) in enumerate(CHOSEN.items(), 1):
                    lit = await phone.until(f"key {number}: {light} · {name}")
                await page.get_by_text("has fetched its settings").wait_for()
                shown = time.monotonic()
                submit = page.get_by_role("button", name="Submit")
                await person.click("Submit", submit)
                await page.get_by_text("The phone was added").wait_for()
                close = page.get_by_role("button", name="Close").last
                await person.click("Close", close)
                await page.wait_for_function("!history.state?.dialog")
                closed = time.monotonic()

                clicks, keys = await person.counted()
                assert keys == 0
                assert clicks == len(person.waits) <= MOST_CLICKS

                legs = [
                    ("until the dialogue waits for the phone", plugged - began),
                    ("until the phone runs and asks", await phone.until("asks")),
                    ("until it is answered", await phone.until("200 OK")),
                    ("until it has the URL", await phone.until("the settings are at")),
                    ("until it has fetched the file", await phone.until("fetched")),
                    ("until it is registered", await phone.until("registered with")),
                    ("until the third lamp is lit", lit),
                    ("until the page says so", shown),
                    ("until the dialogue is closed", closed),
                ]
    before = plugged
    for what, at in legs[1:]:
        _LOGGER.info("%s: %.2f s", what, at - before)
        before = at
    for what, seconds in person.waits:
        _LOGGER.info("click on %s: %.2f s", what, seconds)
    _LOGGER.info("%s: %.2f s", *legs[0])
    _LOGGER.info("all: %.2f s, %d clicks", closed - began, clicks)
