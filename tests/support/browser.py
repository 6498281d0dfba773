"""Chromium, and Home Assistant's frontend as a person uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
from typing import Any

from playwright.async_api import (
    Browser,
    ConsoleMessage,
    Page,
    StorageState,
    async_playwright,
    expect,
)

from .demo import Demo
from .patience import PATIENCE
from .programs import program

ARGUMENTS = (
    "--no-sandbox",  # which Chromium does not offer to root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
USER = "demo"
HASS = "document.querySelector('home-assistant').hass"
"""What the frontend has of Home Assistant, in a script of its page."""
MILLISECONDS = 1000
NEVER = 10**13
"""Milliseconds since the epoch at which a token in a page ends."""


def chromium_path() -> str:
    """Return the path of Chromium without windows, or of the program that CHROMIUM names.

    Without it the test is skipped with the reason, or fails where `CI=true`.
    """
    return program(os.environ.get("CHROMIUM", "chromium-headless-shell"))


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium_path(), args=ARGUMENTS
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def page_of(
    browser: Browser, evidence: Path, **options: Any
) -> AsyncIterator[Page]:
    """Give a page of a browser that has seen nothing yet, with Playwright's options.

    If the block fails, a picture of the page, its texts and its console are in the
    directory `evidence`.
    """
    expect.set_options(timeout=PATIENCE * MILLISECONDS)
    # Drawing what moves takes a third of Chromium's time.
    context = await browser.new_context(**{"reduced_motion": "reduce", **options})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE * MILLISECONDS)
    console: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        console.append(f"{message.type}: {message.text} {message.location}")

    page.on("console", hear)
    page.on("pageerror", lambda error: console.append(f"uncaught: {error}"))
    try:
        yield page
    except BaseException as error:
        error.add_note(f"The page is in {evidence}: page.png, page.txt, console.log")
        (evidence / "console.log").write_text("\n".join(console))
        await page.screenshot(path=evidence / "page.png")
        texts = await page.locator("body").aria_snapshot()
        (evidence / "page.txt").write_text(f"{page.url}\n{texts}")
        raise
    finally:
        await context.close()


def tokens_of(url: str, token: str) -> StorageState:
    """Return what signs in a page: Playwright's option `storage_state`.

    It takes the time of the form away from tests of other things.
    """
    tokens = {
        "access_token": token,
        "token_type": "Bearer",
        "refresh_token": "",
        "expires_in": NEVER,
        "expires": NEVER,
        "hassUrl": url,
        "clientId": f"{url}/",
    }
    stored = {"name": "hassTokens", "value": json.dumps(tokens)}
    return {"cookies": [], "origins": [{"origin": url, "localStorage": [stored]}]}


@asynccontextmanager
async def signed_in(
    browser: Browser, evidence: Path, home: Demo, path: str, **options: Any
) -> AsyncIterator[Page]:
    """Give a page at a path of Home Assistant, as `page_of` does, signed in already."""
    url = home.details["url"]
    tokens = tokens_of(url, home.details["token"])
    async with page_of(browser, evidence, storage_state=tokens, **options) as page:
        await page.goto(url + path)
        await page.locator("ha-sidebar").wait_for()
        yield page


async def sign_in(page: Page, url: str, user: str = USER) -> None:
    """Go to a page of Home Assistant, which asks for name and password, the same word."""
    await page.goto(url)
    await page.locator("input[name=username]").fill(user)
    await page.locator("input[name=password]").fill(user)
    await page.keyboard.press("Enter")
    await page.locator("ha-sidebar").wait_for()


async def call_websocket(page: Page, type_: str, **data: Any) -> Any:
    """Return the result of a command that the page sends over its websocket."""
    await page.wait_for_function(HASS)
    return await page.evaluate(
        f"message => {HASS}.callWS(message)",
        {"type": type_, **data},
    )


async def device_of(page: Page, entity_id: str) -> str:
    """Return the ID of an entity's device."""
    device: str = await page.evaluate(f"id => {HASS}.entities[id].device_id", entity_id)
    return device


async def choose_entity(page: Page, opener: str, name: str) -> None:
    """Choose an entity by its name, in the list that `opener` opens."""
    entities = page.locator("ha-picker-combo-box")
    await page.get_by_text(opener, exact=True).click()
    await entities.get_by_placeholder("Search").fill(name)
    await entities.get_by_text(name, exact=True).click()
    await expect(entities).to_have_count(0)


async def end_dialog(page: Page, button: str) -> None:
    """Click the last button of this name, and wait until the dialogue is gone.

    It goes one step back in the history of the page, which would undo a `goto`.
    """
    await page.get_by_role("button", name=button).last.click()
    await page.wait_for_function("!history.state?.dialog")
