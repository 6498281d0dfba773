"""The programs beside a test end with it, and a failure shows their output."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE
from tests.support.running import running

from ..support import running as module


async def test_what_it_says_is_found_line_by_line(tmp_path: Path) -> None:
    script = "echo one; echo two; read line; echo got $line in $HOME"
    async with running("sh", "-c", script, home=tmp_path) as program:
        assert (await program.says("t(w)o"))[1] == "w"
        await program.write_line("three")
        assert (await program.says("got (.*)"))[1] == f"three in {tmp_path}"


@pytest.mark.parametrize(
    ("script", "why"),
    [("echo hello", "sh ended and"), ("echo hello; sleep 60", "sh runs, but")],
)
async def test_what_it_does_not_say_fails_with_its_output(
    script: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    with pytest.raises(pytest.fail.Exception, match=f"{why} did not say 'bye':\nhello"):
        async with running("sh", "-c", script, home=tmp_path) as program:
            await program.says("bye")
    assert not program.is_running()


async def test_its_children_end_with_it(tmp_path: Path) -> None:
    gone = asyncio.Event()
    script = "sleep 600 & echo child $!; wait"
    async with running("sh", "-c", script, home=tmp_path) as program:
        child = os.pidfd_open(int((await program.says(r"child (\d+)"))[1]))
        asyncio.get_running_loop().add_reader(child, gone.set)
    async with asyncio.timeout(PATIENCE):
        await gone.wait()
    asyncio.get_running_loop().remove_reader(child)
    os.close(child)
