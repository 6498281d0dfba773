"""The message lamp of the software phone: its reader, and at a whole server."""

import pytest

from custom_components.snom_buttons.engine.xbuttons import MessageWaiting
from tests.support.serving import PASSWORD, make_phone, serving
from virtual_phone import Kind, VirtualPhone
from virtual_phone.maker import MAKERS
from virtual_phone.message_summary import (
    MessageSummary,
    MessageSummaryError,
    read_message_summary,
)

YES, NO = "Messages-Waiting: yes\r\n", "Messages-Waiting: no\r\n"


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        (YES, MessageSummary(True)),
        ("messages-waiting :  NO", MessageSummary(False)),
        (f"{YES}Message-Account: sip:a@b\r\n", MessageSummary(True, "sip:a@b")),
        (f"{YES}Voice-Message: 4/8 (1/2)\r\n", MessageSummary(True, "", 4, 8)),
        (f"{NO}Voice-Message:0 / 8\r\n", MessageSummary(False, "", 0, 8)),
        (f"{YES}Fax-Message: 1/0\r\n", MessageSummary(True)),
        (f"{YES}\r\nTo: <sip:a@b>\r\nSubject: none", MessageSummary(True)),
    ],
)
def test_reading(text: str, summary: MessageSummary) -> None:
    assert read_message_summary(text.encode()) == summary


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n",
        "Messages-Waiting: maybe\r\n",
        "Voice-Message: 1/0\r\n",
        f"Voice-Message: 1/0\r\n{YES}",
        f"{YES}Voice-Message: many\r\n",
        f"{YES}nonsense\r\n",
        "\xff",
    ],
)
def test_what_is_no_summary(text: str) -> None:
    with pytest.raises(MessageSummaryError):
        read_message_summary(text.encode("latin-1"))


@pytest.mark.usefixtures("socket_enabled")
@pytest.mark.parametrize("maker", MAKERS)
async def test_at_a_server(maker: str) -> None:
    async with serving(make_phone()) as server:
        host, port = server.address
        ours = server.phones["44"]
        async with VirtualPhone(
            "44",
            PASSWORD,
            registrar=f"{host}:{port}",
            maker=MAKERS[maker],
            messages=True,
            keys=2,
        ) as phone:
            account = (
                "sip:44@" + host + (f":{port}" if MAKERS[maker].names_port else "")
            )
            await phone.wait_for(lambda p: p.waiting is not None)
            assert phone.waiting == MessageSummary(False, account)
            ours.show_messages(MessageWaiting(3, 1))
            await phone.wait_for(lambda p: p.waiting is not None and p.waiting.new == 3)
            assert phone.waiting == MessageSummary(True, account, 3, 1)
            assert "messages waiting · 3 new, 1 old" in [
                entry.text for entry in phone.history if entry.kind is Kind.MESSAGES
            ]
            # A restart forgets the subscription, and begins another one.
            await ours.check_sync(reboot=True, within=5.0)
            await phone.wait_for(lambda p: p.waiting is None)
            await phone.wait_for(lambda p: p.waiting is not None)
        # When it has quit, it has unsubscribed.
        assert not ours.has_subscribed_messages
        assert phone.waiting is None


@pytest.mark.usefixtures("socket_enabled")
async def test_without_it_there_is_no_subscription() -> None:
    async with serving(make_phone()) as server:
        host, port = server.address
        async with VirtualPhone("44", PASSWORD, registrar=f"{host}:{port}") as phone:
            await phone.wait_for(lambda p: p.registered)
            assert not server.phones["44"].has_subscribed_messages
            assert phone.waiting is None
