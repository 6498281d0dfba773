"""Fixtures of the tests of the virtual phone."""

from collections.abc import AsyncIterator

import pytest

from tests.support.stub_registrar import StubRegistrar


@pytest.fixture(autouse=True)
def sockets(socket_enabled: None) -> None:
    """Allow sockets in every test here."""


@pytest.fixture
async def registrar() -> AsyncIterator[StubRegistrar]:
    async with StubRegistrar() as stub:
        yield stub
