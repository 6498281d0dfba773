"""Fixtures for tests of connections."""

import pytest

from .streams import Contexts, tls_contexts


@pytest.fixture(scope="module", params=["TCP", "TLS"])
def contexts(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Contexts:
    """Return both sides of a connection, with TLS and without."""
    if request.param == "TCP":
        return Contexts(None, None)
    return tls_contexts(tmp_path_factory.mktemp("certificate"))
