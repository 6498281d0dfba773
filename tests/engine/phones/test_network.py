"""Checks of this machine's ports and addresses before a server is set up."""

from __future__ import annotations

from contextlib import closing
import errno
import socket

import pytest

from custom_components.snom_buttons.engine.phones import MODELS, check_bind, free_port

pytestmark = pytest.mark.usefixtures("socket_enabled")


def taken_port() -> socket.socket:
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    holder.bind(("127.0.0.1", 0))
    return holder


def test_a_taken_port_is_refused_and_the_next_free_one_found() -> None:
    with closing(taken_port()) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(OSError) as error:
            check_bind("127.0.0.1", port)
        assert error.value.errno == errno.EADDRINUSE
        found = free_port("127.0.0.1", port)
        assert found > port
        check_bind("127.0.0.1", found)


def test_when_all_ports_from_there_are_taken() -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as holder:
        holder.bind(("127.0.0.1", 65535))
        with pytest.raises(OSError) as error:
            free_port("127.0.0.1", 65535)
    assert error.value.errno == errno.EADDRINUSE


def test_an_address_of_another_machine_is_refused_at_once() -> None:
    with pytest.raises(OSError) as error:
        free_port("192.0.2.77", 5060)
    assert error.value.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize("host", ["phones.local", "300.1.1.1", "", "fe80::zz"])
def test_a_host_that_is_no_address_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="is not an IP address"):
        check_bind(host, 5060)


def test_every_model_has_keys_and_is_found_by_its_name() -> None:
    assert all(model.keys > 0 for model in MODELS.values())
    assert all(name == model.name for name, model in MODELS.items())
