"""Recorded SUBSCRIBE dialogs of several makers, sent byte for byte to a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clock import run
from tests.support.notifying import PASSWORDS, notifying
from tests.support.rawphone import RawPhone
from tests.support.rawstream import StreamPhone
from tests.support.recorded import DIALOGS, Player, read, transport

FILES = sorted(DIALOGS.glob("*.txt"))


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_recorded_dialog(path: Path) -> None:
    async def play() -> None:
        async with notifying() as server:
            host, port = server.address
            desk: RawPhone
            if transport(path) == "TCP":
                await server.endpoint.open(host, port, transport="TCP")
                desk = StreamPhone(server.address, "44", PASSWORDS["44"])
            else:
                desk = server.phone()
            async with desk:
                await desk.register()
                await Player(desk, f"{host}:{port}").play(read(path))
            assert server.subscriptions() == ()
            assert server.handled == []

    run(play(), patience=0.05)


def test_there_are_dialogs_of_several_makers() -> None:
    assert len(FILES) >= 4
