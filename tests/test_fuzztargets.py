"""The laws of `script/fuzz` hold for good input, and find a fault."""

import logging

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.snom_buttons.engine.phones.reception import Reception
from tests.support.fuzztargets import REGISTRATION, TARGETS, FuzzTarget, check_server


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@settings(max_examples=25)
@given(st.data())
def test_a_law_holds_for_good_input(target: FuzzTarget, data: st.DataObject) -> None:
    target.law(data.draw(target.good))


@pytest.mark.usefixtures("socket_enabled")
def test_a_fault_in_a_handler_is_found(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged as an error, which the script raises."""
    check_server(REGISTRATION.replace(b"REGISTER", b"MESSAGE"))
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]
    monkeypatch.setattr(Reception, "_take_press", lambda *_: 1 / 0)
    check_server(REGISTRATION.replace(b"REGISTER", b"MESSAGE"))
    assert [r for r in caplog.records if r.levelno >= logging.ERROR]
