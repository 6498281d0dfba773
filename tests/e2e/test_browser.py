"""The dialogues of the integration in a real browser, with a real Home Assistant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from playwright.async_api import Browser, Page, expect
import pytest
from pytest_socket import enable_socket

from tests.support.browser import chromium, chromium_path, page_of, sign_in
from tests.support.demo import Demo, demo_of, demo_process
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST, free_port
from virtual_phone import VirtualPhone

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Run a Home Assistant in which the integration is not set up."""
    chromium_path()
    enable_socket()  # `socket_enabled` comes after fixtures of the module
    directory = tmp_path_factory.mktemp("browser") / "demo"
    with demo_process(directory, "--no-setup") as pid:
        yield directory, pid
    log = (directory / "output.log").read_text()
    assert "ERROR (MainThread) [custom_components.snom_buttons" not in log


@pytest.fixture
async def home(running: tuple[Path, int]) -> AsyncIterator[Demo]:
    async with demo_of(*running) as demo:
        yield demo


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


async def add_server(page: Page, port: int) -> None:
    """Add the integration, whose dialogue goes on with the first phone."""
    await page.get_by_role("button", name="Add integration").click()
    await page.get_by_placeholder("Search for a brand name").fill("snom")
    await page.get_by_role("button", name="Snom Buttons").click()
    await page.get_by_role("textbox", name="Address for the phones").fill(LOCALHOST)
    await page.get_by_role("textbox", name="Listen on").fill(LOCALHOST)
    await page.get_by_role("spinbutton", name="Port").fill(f"{port}")
    await page.get_by_role("button", name="Submit").click()


async def choose_entity(page: Page, opener: str, name: str) -> None:
    """Choose an entity by its name, in the list that `opener` opens."""
    entities = page.locator("ha-picker-combo-box")
    await page.get_by_text(opener, exact=True).click()
    await entities.get_by_placeholder("Search").fill(name)
    await entities.get_by_text(name, exact=True).click()
    await expect(entities).to_have_count(0)


async def add_phone(page: Page, *names: str) -> tuple[str, str]:
    """Add a phone by choosing its model and entities.

    Returns its extension and password, as the last page names them.
    """
    await page.get_by_label("Model").click()
    await page.get_by_role("menuitem", name="D735").click()
    await page.get_by_role("button", name="Next").click()
    opener = "Select an entity"
    for name in names:
        await choose_entity(page, opener, name)
        opener = "Add entity"
    await page.get_by_role("button", name="Next").click()
    await page.get_by_role("button", name="Delete").first.wait_for()
    await page.get_by_role("button", name="Next").click()
    account, password = [
        await page.get_by_role("row", name=name).get_by_role("code").inner_text()
        for name in ("Account", "Password")
    ]
    await page.get_by_role("button", name="Submit").click()
    await page.get_by_role("button", name="Finish").click()
    return account, password


async def test_from_signing_in_to_a_key(
    home: Demo, browser: Browser, tmp_path: Path
) -> None:
    """A phone is added by choosing entities, and its keys show them."""
    port = free_port()
    server = f"{LOCALHOST}:{port}"
    async with page_of(browser, tmp_path) as page:
        await sign_in(page, f"{home.details['url']}/config/integrations/dashboard")
        await add_server(page, port)
        names = ("Ceiling Lights", "Decorative Lights", "Garage Door")
        extension, password = await add_phone(page, *names)
        async with VirtualPhone(extension, password, registrar=server) as phone:
            await phone.wait_for(
                lambda it: tuple(key.label for key in it.keys.values())[:3] == names,
                PATIENCE,
            )
