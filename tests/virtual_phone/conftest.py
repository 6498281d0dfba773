"""What the tests of the virtual phone share."""

from collections.abc import AsyncIterator

import pytest

from tests.support.stub_registrar import StubRegistrar


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Let every test here use the loopback network."""


@pytest.fixture
async def registrar() -> AsyncIterator[StubRegistrar]:
    async with StubRegistrar() as stub:
        yield stub
