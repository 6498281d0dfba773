"""A phone that proves to be one extension, and writes what belongs to another."""

from __future__ import annotations

import pytest

from custom_components.snom_buttons.engine.phones import Phone, PhoneServer
from tests.support.rawphone import RawMessage, RawPhone
from tests.support.serving import lit, phone_setup, serving, setup

pytestmark = pytest.mark.usefixtures("socket_enabled")

PASSWORDS = {"44": "of 44", "45": "of 45"}


def make(extension: str) -> Phone:
    return Phone(phone_setup(extension, [setup("1")], password=PASSWORDS[extension]))


def raw(server: PhoneServer, extension: str) -> RawPhone:
    return RawPhone(server.address, extension, PASSWORDS[extension])


async def claim(
    intruder: RawPhone, owner: RawPhone, expires: int, *, to: str, contact: str = ""
) -> RawMessage:
    """Send a REGISTER with Contact, instance and Call-ID of another phone."""
    uri = f"sip:{owner.extension}@{owner.address};line={owner._line}"
    contact = contact or f'<{uri}>;+sip.instance="<{owner.instance}>"'
    for _ in range(50):  # a higher CSeq than the owner's
        next(intruder._cseq)
    return await intruder._authorized(
        "REGISTER",
        f"sip:{intruder.host}",
        to=to,
        call_id=owner._registration_call_id,
        headers=[f"Contact: {contact}", f"Expires: {expires}", "Supported: buttons"],
    )


@pytest.mark.parametrize("expires", [0, 3600])
@pytest.mark.parametrize(("to", "status"), [("45", 200), ("44", 403)])
@pytest.mark.parametrize("contact", ["", "*"])
async def test_a_binding_stays_whatever_another_extension_registers(
    expires: int, to: str, status: int, contact: str
) -> None:
    async with (
        serving(make("44"), make("45")) as server,
        raw(server, "44") as owner,
        raw(server, "45") as intruder,
    ):
        assert (await owner.register()).status == 200
        await owner.shows("1")
        assert (await intruder.register()).status == 200
        answer = await claim(intruder, owner, expires, to=to, contact=contact)
        # `*` is for removing only (RFC 3261 10.2.2).
        assert answer.status == (
            400 if (contact, expires) == ("*", 3600) and status == 200 else status
        )
        if to == "44":
            assert owner.address not in str(answer)
        [binding] = server._location.bindings("44")
        assert str(binding.flow) == f"udp {owner.address}"
        # The keys of 44 go to its phone alone.
        seen = len(intruder.requests)
        server.phones["44"].show([lit("1")])
        await owner.shows("1", c="on")
        assert not [
            request
            for request in intruder.requests[seen:]
            if "sip:44@" in request.get("To")
        ]
        assert (await owner.press("1")).status == 200


async def test_a_press_in_the_name_of_another_extension_is_challenged() -> None:
    pressed: list[str] = []
    async with (
        serving(make("44"), make("45")) as server,
        raw(server, "44") as owner,
        raw(server, "45") as intruder,
    ):
        server.pressed.subscribe(lambda press: pressed.append(press.extension))
        assert (await owner.register()).status == 200
        assert (await intruder.register()).status == 200
        await owner.shows("1")
        intruder.extension, intruder.username = "44", "45"
        assert (await intruder.press("1", number="key1")).status == 403
        assert (await intruder.register()).status == 403
        assert (await intruder.unregister()).status == 403
        assert pressed == []
        assert [str(b.flow) for b in server._location.bindings("44")] == [
            f"udp {owner.address}"
        ]
