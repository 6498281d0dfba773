"""The fixture of the tests of registrar, location service and trust."""

from __future__ import annotations

import pytest

from tests.support.registration import Stack


@pytest.fixture
def stack() -> Stack:
    return Stack()
