"""Fixtures of the tests of settings files."""

import pytest

from tests.support.ports import free_port


@pytest.fixture
def settings_port(port: int) -> int:
    """Return the port for settings files."""
    while (other := free_port()) == port:
        pass
    return other
