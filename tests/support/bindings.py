"""Bindings for tests that need no REGISTER."""

from __future__ import annotations

from custom_components.snom_buttons.engine.sip import (
    Binding,
    Flow,
    LocationService,
    make_address,
    make_uri,
)


def bind(
    location: LocationService, flow: Flow, *, user: str = "44", forwarded: bool = False
) -> None:
    """Bind a user to a flow as a REGISTER on it does, for a very long time."""
    uri = make_uri(user, flow.host, flow.port)
    binding = Binding(
        user=user,
        aor=uri,
        contact=make_address(uri),
        flow=flow,
        call_id="call-1",
        cseq=1,
        expires_at=1e9,
        instance=None,
        user_agent=None,
        supports_buttons=True,
        forwarded=forwarded,
    )
    location.store(user, [*location.bindings(user), binding])
