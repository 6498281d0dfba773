"""What tests in a browser share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from playwright.async_api import Browser
import pytest
from pytest_socket import enable_socket

from tests.support.browser import chromium, chromium_path
from tests.support.demo import Demo, demo_of, demo_without_errors


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """Run a demo with four phones, for the tests of the group `pages`.

    Modules have their own whose tests set it up, change phones, kill it or use multicast.
    """
    chromium_path()
    enable_socket()  # `socket_enabled` comes after fixtures of the session
    directory = tmp_path_factory.mktemp("pages") / "demo"
    with demo_without_errors(directory, "--no-phone") as demo:
        yield demo


@pytest.fixture
async def home(running: tuple[Path, int]) -> AsyncIterator[Demo]:
    async with demo_of(*running) as demo:
        yield demo


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser
