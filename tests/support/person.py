"""A person in front of a page: what is clicked and typed, and how long each click waits."""

from __future__ import annotations

import asyncio
import time

from playwright.async_api import Locator, Page, expect

_COUNT = """() => {
    window.counted = {clicks: 0, keys: 0};
    const count = (type, what) => window.addEventListener(
        type, (event) => { if (event.isTrusted) window.counted[what] += 1; }, true
    );
    count('pointerdown', 'clicks');
    count('keydown', 'keys');
    // Without a key before it, such as by a paste or an input method.
    let pressed = false;
    window.addEventListener('keydown', () => { pressed = true; }, true);
    window.addEventListener('keyup', () => { pressed = false; }, true);
    window.addEventListener('input', (event) => {
        if (event.inputType && !pressed) window.counted.keys += 1;
    }, true);
}"""


class Person:
    """Clicks, and nothing else. The page counts clicks and keys itself."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self.waits: list[tuple[str, float]] = []
        """For each click: what it is on, and the seconds until that could be clicked."""
        self._since = 0.0

    async def sit_down(self) -> None:
        """Begin to count."""
        await self._page.evaluate(_COUNT)
        self._since = time.monotonic()

    async def click(self, what: str, target: Locator) -> None:
        """Click when it can be done. A person would read first; this does not."""
        await expect(target).to_be_enabled()
        await target.click()
        now = time.monotonic()
        self.waits.append((what, now - self._since))
        self._since = now

    async def counted(self) -> tuple[int, int]:
        """Return the clicks and the keys that the page got since `sit_down`."""
        counted = await self._page.evaluate("window.counted")
        return counted["clicks"], counted["keys"]


class Lines:
    """What a program prints, with the time of each line."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self.read: list[tuple[float, str]] = []
        """Times of `time.monotonic`, and lines."""

    async def until(self, part: str) -> float:
        """Return when a line had this part; read on until there is one."""
        for at, line in self.read:
            if part in line:
                return at
        while line := (await self._stream.readline()).decode():
            self.read.append((time.monotonic(), line))
            if part in line:
                return self.read[-1][0]
        raise AssertionError(f"{part!r} is not in {self.read}")
