"""A password that is renewed: the former one holds until the phone has the new one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from custom_components.snom_buttons.engine.phones import PhoneServer
from custom_components.snom_buttons.engine.refused import Failed
from tests.support.serving import (
    PASSWORD,
    jumping,
    make_phone,
    phone_setup,
    raw_phone,
    serving,
    setup,
)

pytestmark = pytest.mark.usefixtures("socket_enabled")

NEW = "renewed-44"
WITHIN = 10.0


def renew(server: PhoneServer, former: str = PASSWORD, new: str = NEW) -> None:
    server.configure_phone(
        phone_setup("44", [setup("1")], password=new, former_password=former)
    )


async def test_the_former_password_holds_until_the_phone_has_the_new_one() -> None:
    phone = make_phone(keys=1)
    async with serving(phone) as server, raw_phone(server) as desk:
        renewed: list[str] = []
        server.renewed.subscribe(renewed.append)
        await desk.register()
        await desk.shows("1")
        renew(server)
        assert phone.available
        await phone.check_sync(reboot=False, within=WITHIN)
        assert len(desk.notices) == 1
        assert (await desk.register()).status == 200
        assert (await desk.press("1")).status == 200
        assert renewed == []

        desk.password = NEW
        assert (await desk.register()).status == 200
        assert renewed == ["44"]
        assert phone.available
        assert len(phone.registrations) == 1
        desk.password = PASSWORD
        assert (await desk.register()).status == 401
        # The setup without it ends nothing.
        server.configure_phone(phone_setup("44", [setup("1")], password=NEW))
        assert phone.available
        desk.password = NEW
        assert (await desk.register()).status == 200
        assert renewed == ["44"]


async def test_only_a_registration_shows_that_the_phone_has_the_new_one() -> None:
    """A press is sent by what may be another program at the same phone."""
    phone = make_phone(keys=1)
    async with (
        serving(phone) as server,
        raw_phone(server) as desk,
        raw_phone(server) as other,
    ):
        await desk.register()
        await desk.shows("1")
        renew(server)
        other.password = NEW
        assert (await other.press("1", number="key1")).status == 200
        assert (await desk.register()).status == 200
        assert phone.setup.former_password == PASSWORD


async def test_what_else_was_registered_with_the_former_password_ends_with_it() -> None:
    phone = make_phone(keys=1)
    async with (
        serving(phone) as server,
        raw_phone(server) as desk,
        raw_phone(server) as other,
    ):
        await desk.register()
        await other.register()
        renew(server)
        assert len(phone.registrations) == 2
        desk.password = NEW
        await desk.register()
        [left] = phone.registrations
        assert left.address == f"udp {desk.address}"
        assert (await other.press("1", number="key1")).status == 401


async def test_without_the_new_password_the_registration_ends_with_the_time() -> None:
    phone = make_phone(keys=1)
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        renew(server)
        server.configure_phone(phone_setup("44", [setup("1")], password=NEW))
        assert not phone.available
        assert phone.registrations == []
        assert (await desk.register()).status == 401


async def test_it_is_renewed_again_and_then_taken_back() -> None:
    phone = make_phone(keys=1)
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        renew(server)
        renew(server, new="third-44x")
        assert phone.available
        server.configure_phone(phone_setup("44", [setup("1")]))
        assert phone.available
        assert (await desk.register()).status == 200


@pytest.mark.parametrize(("former", "is_known"), [(PASSWORD, True), ("", False)])
def test_the_registration_is_known_after_a_restart_while_it_holds(
    former: str, is_known: bool
) -> None:
    async def test() -> None:
        phone = make_phone(keys=1)
        async with serving(phone) as server, raw_phone(server) as desk:
            await desk.register()
            renew(server)
            snapshot, port = server.snapshot(), server.address[1]
            await server.stop()
            again = make_phone(keys=1)
            again.setup = replace(again.setup, password=NEW, former_password=former)
            async with serving(again, snapshot=snapshot, port=port) as second:
                assert bool(again.registrations) is is_known
                status = 200 if is_known else 401
                assert (await desk.register()).status == status
                desk.password = NEW
                assert (await desk.register()).status == 200
                assert again.setup.former_password == ""
                assert len(second.snapshot()["phones"]["44"]["bindings"]) == 1

    jumping(test)


# Another extension


async def test_a_phone_whose_extension_changes_is_asked_once_where_it_was() -> None:
    phone = make_phone(keys=1)
    async with serving(phone) as server, raw_phone(server) as desk:
        await desk.register()
        await desk.shows("1")
        server.remove_phone("44")
        moved = server.add_phone(phone_setup("47", [setup("1")]), phone)
        assert not moved.available
        server.remove_phone("47")
        again = server.add_phone(phone_setup("48", [setup("1")]), moved)
        await again.check_sync(reboot=False, within=WITHIN)
        [notice] = desk.notices
        assert notice.get("Event") == "check-sync;reboot=false"
        assert notice.start.startswith(f"NOTIFY sip:44@{desk.address}")
        with pytest.raises(Failed):
            await again.check_sync(reboot=False, within=WITHIN)


async def test_it_is_asked_where_it_is_when_it_has_registered_anew() -> None:
    phone = make_phone(keys=1)
    async with (
        serving(phone) as server,
        raw_phone(server) as desk,
        raw_phone(server, "47") as other,
    ):
        await desk.register()
        server.remove_phone("44")
        moved = server.add_phone(phone_setup("47", [setup("1")]), phone)
        assert (await other.register()).status == 200
        await moved.check_sync(reboot=False, within=WITHIN)
        await asyncio.sleep(0)
        assert len(other.notices) == 1
        assert desk.notices == []
