"""What tests in a browser share. A module has its own demo, the fixture `running`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Browser
import pytest

from tests.support.browser import chromium
from tests.support.demo import Demo, demo_of


@pytest.fixture
async def home(running: tuple[Path, int]) -> AsyncIterator[Demo]:
    async with demo_of(*running) as demo:
        yield demo


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser
