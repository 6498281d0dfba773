"""A phone as it comes from the factory, on real multicast over the loopback interface.

Who answers, serves files and registers shares no code with it, but in the last test.
"""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
import os
from pathlib import Path
from random import randrange
import re
import stat
import sys

import pytest
from textual.widgets import Static

from snom_buttons.provisioning import (
    Announcement,
    PlugAndPlay,
    Profile,
    ProfileKey,
    settings_file,
)
from snom_buttons.sip import Flow, OutgoingRequest
from snom_buttons.sip.net import Endpoint
from tests.support.announcements import SNOM_370
from tests.support.networks import multicast
from tests.support.patience import PATIENCE
from tests.support.provisioning_peers import Answerer, SettingsServer
from tests.support.stub_registrar import StubRegistrar, digest_is_right, header
from virtual_phone import FactoryPhone, Kind, VirtualPhone, announce, factory
from virtual_phone.app import Key, PhoneApp
from virtual_phone.factory import forget
from virtual_phone.headless import Headless
from virtual_phone.settings import read_settings_file

pytestmark = multicast()

# Another run of these tests on this machine has other phones.
MAC = f"000413{randrange(16**6):06X}"
AGENT = (
    "Mozilla/4.0 (compatible; snomD735-SIP 10.1.198.12"
    f" 2010.12-00004-g9ba52f5 {MAC} SXM:0 UXM:0)"
)


@pytest.fixture
async def answerer() -> AsyncIterator[Answerer]:
    async with Answerer(MAC) as peer:
        yield peer


@pytest.fixture
def server() -> Iterator[SettingsServer]:
    with SettingsServer() as serving:
        yield serving


@pytest.fixture
async def phone(answerer: Answerer) -> AsyncIterator[FactoryPhone]:
    """Yield a phone that began to ask when there was someone to hear it."""
    async with FactoryPhone("D735", MAC) as phone:
        yield phone
        forgo_good_bye(phone)


def forgo_good_bye(phone: VirtualPhone) -> None:
    """Spare the test the answer to the de-registration."""
    phone._identity.registered_until = None


def settings(registrar: StubRegistrar, more: str = "", **changed: str) -> bytes:
    """Return a file as public templates write it, with two keys of type button."""
    values = {
        "user_active": "on",
        "user_realname": "Kitchen &amp; &#x1F4A1; hall",
        "user_name": "kitchen",
        "user_pname": "cook",
        "user_pass": "secret",
        "user_host": registrar.address,
        "user_outbound": f"{registrar.address};transport=udp",
        "user_expiry": "600",
    } | changed
    account = "".join(
        f'<{name} idx="1" perm="">{value}</{name}>' for name, value in values.items()
    )
    return f"""<?xml version="1.0" encoding="utf-8"?>
        <settings>
          <phone-settings e="2">{account}{more}<language perm="">Deutsch</language>
            <mac_info_in_sip_register perm="">on</mac_info_in_sip_register>
          </phone-settings>
          <functionKeys e="2">
            <fkey idx="1" context="1" label="Hall &lt;2&gt;" perm="">button 7</fkey>
            <fkey idx="0" context="1" label="Lamp" perm="">button 1</fkey>
            <fkey idx="2" context="1" label="Ann" perm="">speed 42</fkey>
            <fkey idx="3" context="2" label="Other" perm="">button 3</fkey>
          </functionKeys>
        </settings>""".encode()


def said(phone: VirtualPhone) -> list[str]:
    """Return what became of the settings, with ports masked and without repeats."""
    texts = [entry.text for entry in phone.history if entry.kind is Kind.SETTINGS]
    texts = [text for text in texts if ", attempt " not in text]
    return [re.sub(r"127\.0\.0\.1:\d+", "HERE", text) for text in texts]


async def until_said(phone: FactoryPhone, beginning: str, count: int = 1) -> None:
    await phone.wait_for(
        lambda p: sum(text.startswith(beginning) for text in said(p)) >= count, PATIENCE
    )


async def until_registered(phone: FactoryPhone) -> None:
    await phone.wait_for(lambda p: p.registered, PATIENCE)


async def check_sync(registrar: StubRegistrar, phone: FactoryPhone, how: str) -> None:
    once = how.replace(";", "").replace("=", "")
    registrar.send(
        (
            f"NOTIFY {phone._identity._contact_uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {registrar.address};branch=z9hG4bK{once};rport\r\n"
            "From: <sip:kitchen@x>;tag=1\r\nTo: <sip:kitchen@x>\r\n"
            f"Call-ID: {once}\r\nCSeq: 1 NOTIFY\r\nEvent: check-sync;{how}\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode()
    )
    await registrar.receive("SIP/2.0 200")


class TestPluggedIn:
    async def test_it_asks_is_set_up_and_registers(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        server.files[f"/token/{MAC}.xml"] = settings(registrar)
        await answerer.give(f"{server.url}/token/{{mac}}.xml")
        register = await registrar.accept_registration()
        await until_registered(phone)
        assert server.requests == [(f"/token/{MAC}.xml", AGENT)]
        assert digest_is_right(register, "Authorization", "cook", "secret")
        assert header(register, "From").startswith(
            '"Kitchen & 💡 hall" <sip:kitchen@127.0.0.1>'
        )
        assert header(register, "Expires") == "600"
        assert header(register, "User-Agent") == f"snomD735/10.1.198.12 {MAC}"
        assert {name: key.label for name, key in phone.keys.items()} == {
            "1": "Lamp",
            "7": "Hall <2>",
        }
        assert phone.settings["language"] == "Deutsch"
        assert said(phone) == [
            "asks 224.0.1.75:5060 for its settings",
            "HERE answers: 200 OK",
            "HERE says: the settings are at http://HERE/token/{mac}.xml",
            f"fetched http://HERE/token/{MAC}.xml: 10 settings, 4 keys",
            "set up as kitchen, identity 1: keys 1 7",
        ]
        assert phone.title == f"kitchen (D735 {MAC})"

    async def test_busy_lamp_keys_subscribe(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        path = f"/token/{MAC}.xml"
        own = f"<setting_server>{server.url}{path}</setting_server>"
        file = settings(registrar, own)
        server.files[path] = file.replace(b"speed 42", b"blf sip:42@x|*8")
        await answerer.give(f"{server.url}{path}")
        await registrar.accept_registration()
        subscribe = await registrar.receive("SUBSCRIBE sip:42@127.0.0.1;user=phone ")
        accepted = ("Expires: 3600", "Contact: <sip:42@127.0.0.1>")
        registrar.answer(subscribe, "200 OK", *accepted)
        await phone.wait_for(lambda p: p.subscribed == {"42"}, PATIENCE)
        assert list(phone.keys) == ["1", "7", "42"]
        assert phone.keys["42"].label == "Ann"
        # The key becomes one of type button, and another one a busy lamp key.
        file = file.replace(b"speed 42", b"button 42")
        server.files[path] = file.replace(b"button 7", b"blf sip:7@x")
        phone._fetch_settings()
        again = {await registrar.receive("SUBSCRIBE ") for _ in range(2)}
        for request in again:
            registrar.answer(request, "200 OK", *accepted)
        assert {header(request, "Expires") for request in again} == {"0", "3600"}
        await phone.wait_for(lambda p: p.subscribed == {"7"}, PATIENCE)
        phone._subscriber.forget()

    async def test_it_asks_as_a_real_phone_does(
        self, phone: FactoryPhone, answerer: Answerer
    ) -> None:
        """No branch, no Max-Forwards, a port of its own: a snom 370 was recorded."""
        subscribe = (await answerer.hear()).decode()
        recorded = SNOM_370.decode().replace("snom370", "snomD735")
        recorded = recorded.replace("8.7.5.48", "10.1.198.12")
        own = header(subscribe.encode(), "Contact").removeprefix("<sip:").strip(">")
        assert own == f"127.0.0.1:{answerer._phone[1]}"
        assert phone.address[1] != answerer._phone[1]
        for random in ("Call-ID", "From"):
            recorded = re.sub(rf"(?m)^{random}: .*\r$", f"{random}: *\r", recorded)
            subscribe = re.sub(rf"(?m)^{random}: .*\r$", f"{random}: *\r", subscribe)
        recorded = recorded.replace("000413AABBCC", MAC)
        assert subscribe.splitlines() == (
            recorded.replace("192.0.2.55:1053", own).splitlines()
        )

    async def test_it_repeats_then_pauses_then_asks_anew(
        self, answerer: Answerer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(announce, "T1", 0.01)
        monkeypatch.setattr(announce, "T2", 0.08)
        async with FactoryPhone("D735", MAC) as phone:
            first = await answerer.hear()
            assert await answerer.hear() == first
            await phone.wait_for(
                lambda p: any(each.text.endswith(", attempt 3") for each in p.history),
                PATIENCE,
            )
            await until_said(phone, "got no answer")
            assert phone.status == (
                "factory-new: got no answer; asks again in 60 s, or with “register”"
            )
            # Before the second time, which may be over when it is heard.
            monkeypatch.setattr(factory, "ASK_AGAIN", 0.0)
            phone.register_again()
            while (second := await answerer.hear()) == first:
                pass
            assert header(second, "Call-ID") != header(first, "Call-ID")
            await until_said(phone, "got no answer", 2)
            while await answerer.hear() in (first, second):
                pass

    async def test_a_refusal_does_not_end_the_asking(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        server.files["/x.xml"] = settings(registrar)
        answerer.answer(await answerer.hear(), "489 Bad Event")
        await answerer.give(f"{server.url}/x.xml?mac={{mac}}")
        await until_said(phone, "cannot fetch")
        assert "HERE answers: 489 Bad Event" in said(phone)
        assert phone.user == ""


class TestNotify:
    async def test_the_first_one_is_taken_and_its_repeats_get_the_same_answer(
        self, phone: FactoryPhone, answerer: Answerer
    ) -> None:
        subscribe = await answerer.hear()  # and no answer to it
        notify = answerer.notify(subscribe, "tftp://127.0.0.1/x")
        first = await answerer.receive()
        assert first.startswith(b"SIP/2.0 200 OK\r\n")
        assert header(first, "Via").startswith("SIP/2.0/UDP 127.0.0.1:")
        answerer.send(notify)
        assert await answerer.receive() == first
        # The other server in the network is late.
        answerer.notify(
            subscribe,
            "http://127.0.0.1:9/",
            From=f"{header(subscribe, 'To')};tag=other",
        )
        assert (await answerer.receive()).startswith(b"SIP/2.0 481 ")
        await until_said(phone, "got no settings")
        assert [text for text in said(phone) if "says" in text] == [
            "HERE says: the settings are at tftp://127.0.0.1/x"
        ]
        assert "cannot fetch tftp://127.0.0.1/x: this phone fetches by http and" in (
            " ".join(said(phone))
        )

    async def test_one_that_repeats_the_headers_of_the_phone_is_taken(
        self, phone: FactoryPhone, answerer: Answerer
    ) -> None:
        """As snom's own script for servers sends it."""
        subscribe = await answerer.hear()
        answerer.notify(
            subscribe,
            "tftp://x/y",
            Via=header(subscribe, "Via"),
            From=header(subscribe, "From"),
            To=header(subscribe, "To"),
            CSeq="3 NOTIFY",
            Max_Forwards="",
        )
        assert (await answerer.receive()).startswith(b"SIP/2.0 200 ")

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({"Call_ID": "of-a-stranger"}, 481),
            ({"Event": "check-sync;reboot=true"}, 489),
            ({"Event": ""}, 489),
            ({"Content_Type": "text/plain"}, 415),
        ],
    )
    async def test_what_is_no_answer_is_refused(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        changed: dict[str, str],
        status: int,
    ) -> None:
        answerer.notify(await answerer.hear(), "http://127.0.0.1:9/", **changed)
        assert (await answerer.receive()).startswith(f"SIP/2.0 {status} ".encode())
        assert said(phone)[-1].endswith(f"of HERE: {status}")

    async def test_other_requests_are_refused(
        self, phone: FactoryPhone, answerer: Answerer
    ) -> None:
        subscribe = await answerer.hear()
        answerer.notify(subscribe, "")
        assert (await answerer.receive()).startswith(b"SIP/2.0 400 ")
        notify = answerer.notify(subscribe, "x", Call_ID="b")
        await answerer.receive()
        for method, status in ((b"OPTIONS", b"405"), (b"ACK", b"")):
            answerer.send(notify.replace(b"NOTIFY", method))
            if status:
                assert (await answerer.receive()).startswith(b"SIP/2.0 405 ")
        answerer.send(b"rubbish\r\n\r\n")
        await until_said(phone, "HERE sent a malformed message")


class TestFetching:
    async def test_without_a_file_name_it_asks_for_its_model_then_for_itself(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        server.files["/token/snomD735.htm"] = (
            b"<phone-settings><language>English</language></phone-settings>"
        )
        server.files[f"/token/snomD735-{MAC}.htm"] = settings(registrar)
        await answerer.give(f"{server.url}/token/")
        await registrar.accept_registration()
        assert server.paths == ["/token/snomD735.htm", f"/token/snomD735-{MAC}.htm"]
        assert phone.settings["language"] == "Deutsch", "the last file counts"
        await until_registered(phone)

    async def test_a_file_of_its_own_is_asked_for_beside_one_with_a_name(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        server.files["/all.xml?a=b"] = settings(registrar)
        await answerer.give(f"{server.url}/all.xml?a=b")
        await registrar.accept_registration()
        assert server.paths == ["/all.xml?a=b", f"/all-{MAC}.xml?a=b"]
        assert f"cannot fetch http://HERE/all-{MAC}.xml?a=b: 404 Not Found" in (
            said(phone)
        )
        await until_registered(phone)

    async def test_an_index_of_files(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        server.files["/index"] = (
            '<setting-files><file url="{phone_type}.xml"/><file url="/keys-{mac}"/>'
            f'<file url="{server.url}/gone"/></setting-files>'
        ).encode()
        server.files["/snomD735.xml"] = settings(registrar)
        server.files[f"/keys-{MAC}"] = (
            b"<function-keys><fkey idx='0' label='Bell'>Button  9</fkey></function-keys>"
        )
        await answerer.give(f"{server.url}/index")
        await registrar.accept_registration()
        assert server.paths == [
            *("/index", "/snomD735.xml", f"/keys-{MAC}", "/gone"),
            f"/index-{MAC}",
        ]
        assert {name: key.label for name, key in phone.keys.items()} == {
            "9": "Bell",
            "7": "Hall <2>",
        }
        await until_registered(phone)

    async def test_a_fetch_does_not_outlive_the_phone(
        self, answerer: Answerer, server: SettingsServer
    ) -> None:
        phone = FactoryPhone("D735", MAC)
        await phone.open()
        with server.holding():
            await answerer.give(f"{server.url}/{{mac}}")
            assert await asyncio.to_thread(server.asked.wait, PATIENCE)
            closing = asyncio.create_task(phone.close())
            done, _ = await asyncio.wait([closing], timeout=0.1)
            assert not done, "its thread would be left behind"
        await closing

    @pytest.mark.parametrize(
        "path_and_reason",
        [
            ("/{mac}", "404 Not Found"),
            ("/page?{mac}", "<html> is no settings file"),
            ("/broken?{mac}", "no XML: "),
            ("/no words?{mac}", "URL can't contain control characters"),
        ],
    )
    async def test_without_settings_it_stays_factory_new_and_asks_again(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
        path_and_reason: tuple[str, str],
    ) -> None:
        path, reason = path_and_reason
        server.files[f"/page?{MAC}"] = b"<html/>"
        server.files[f"/broken?{MAC}"] = b"<settings>"
        await answerer.give(server.url + path)
        await until_said(phone, "got no settings")
        assert reason in said(phone)[-2]
        assert phone.status.startswith("factory-new: got no settings; asks again in")
        server.files["/good"] = settings(registrar)
        phone.register_again()
        await answerer.give(f"{server.url}/good")
        await registrar.accept_registration()
        await until_registered(phone)

    @pytest.mark.parametrize("url", ["http://[::/{mac}", "http://127.0.0.1:1/{mac}"])
    async def test_a_server_that_is_none(
        self, phone: FactoryPhone, answerer: Answerer, url: str
    ) -> None:
        await answerer.give(url)
        await until_said(phone, "cannot fetch http://")
        await until_said(phone, "got no settings")

    async def test_a_file_that_is_too_long(
        self, phone: FactoryPhone, answerer: Answerer, server: SettingsServer
    ) -> None:
        server.files[f"/{MAC}"] = b" " * 1024 * 1024 + b"<settings/>"
        await answerer.give(f"{server.url}/{{mac}}")
        await until_said(phone, "got no settings")
        assert said(phone)[-2].endswith(": more than 1048576 bytes")


class TestSettingItUp:
    @pytest.mark.parametrize(
        "change_and_text",
        [
            ({"user_active": "off"}, "the settings name no account"),
            ({"user_host": ""}, "the settings name no account"),
            (
                {"user_outbound": "127.0.0.1;transport=tls"},
                "cannot use identity 1: this phone has UDP only, not tls",
            ),
            (
                {"user_host": "a:b:c", "user_outbound": ""},
                "cannot use identity 1: the port 'x:x' is not a number",
            ),
        ],
    )
    async def test_an_account_that_cannot_be_used(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
        change_and_text: tuple[dict[str, str], str],
    ) -> None:
        changed, text = change_and_text
        server.files["/1"] = settings(registrar, **changed)
        await answerer.give(f"{server.url}/1")
        await until_said(phone, text)
        assert not phone.is_set_up
        assert phone.where.startswith("127.0.0.1:")

    async def test_another_identity_with_its_keys(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        """As beside a telephone system, which has the first identity."""
        file = settings(registrar, "<user_name>9</user_name><volume>9</volume>")
        server.files["/2"] = file.replace(b'idx="1" perm', b'idx="2" perm')
        await answerer.give(f"{server.url}/2")
        await registrar.accept_registration()
        await until_registered(phone)
        assert list(phone.keys) == ["3"]
        assert "ignored what it does not know: user_name, volume" in said(phone)

    async def test_check_sync_fetches_again(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        """The phone registers anew if its account is another one."""
        steady = f"<setting_server>{server.url}/steady?{{mac}}</setting_server>"
        server.files["/first"] = settings(registrar, steady)
        server.files[f"/steady?{MAC}"] = settings(registrar, steady).replace(
            b'"Lamp"', b'"Light"'
        )
        await answerer.give(f"{server.url}/first")
        await registrar.accept_registration()
        await until_registered(phone)
        await check_sync(registrar, phone, "reboot=false")
        await until_said(phone, "is still kitchen, identity 1: keys 1 7")
        assert phone.keys["1"].label == "Light"
        assert phone.registered
        assert registrar.idle
        server.files[f"/steady?{MAC}"] = settings(registrar, steady, user_pass="new")
        await check_sync(registrar, phone, "reboot=false;x=1")
        good_bye = await registrar.receive("REGISTER ")
        assert header(good_bye, "Expires") == "0"
        registrar.answer(good_bye, "200 OK")
        register = await registrar.accept_registration()
        assert digest_is_right(register, "Authorization", "cook", "new")
        await until_registered(phone)
        await check_sync(registrar, phone, "reboot=reregister-only")
        await registrar.accept_registration()
        assert server.paths[2:] == [f"/steady?{MAC}"] * 2

    async def test_a_restart_keeps_the_settings(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        """It asks again by multicast if no file set `setting_server`."""
        server.files[f"/1?{MAC}"] = settings(registrar)
        await answerer.give(f"{server.url}/1?{{mac}}")
        await registrar.accept_registration()
        await until_registered(phone)
        show(registrar, phone, b"k=1\r\nc=on\r\n")
        await registrar.receive("SIP/2.0 200")
        assert (phone.keys["1"].light, phone.keys["1"].label) == ("on", "Lamp")
        await check_sync(registrar, phone, "reboot=true")
        good_bye = await registrar.receive("REGISTER ")
        registrar.answer(good_bye, "200 OK")
        await registrar.accept_registration()
        assert (phone.keys["1"].light, phone.keys["1"].label) == ("off", "Lamp")
        await answerer.give(f"{server.url}/1?{{mac}}")
        await until_said(phone, "is still kitchen")
        await until_registered(phone)

    async def test_what_is_shown_outlives_new_settings(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        server.files[f"/1?{MAC}"] = settings(registrar)
        await answerer.give(f"{server.url}/1?{{mac}}")
        await registrar.accept_registration()
        await until_registered(phone)
        show(registrar, phone, b"k=1\r\nc=on\r\nl=21.5\r\n\r\nk=7\r\nc=on\r\n")
        await registrar.receive("SIP/2.0 200")
        server.files[f"/1?{MAC}"] = (
            settings(registrar)
            .replace(b'"Lamp"', b'"Light"')
            .replace(b'"Hall &lt;2&gt;"', b'"Door"')
        )
        await check_sync(registrar, phone, "reboot=false")
        await answerer.give(f"{server.url}/1?{{mac}}")
        await until_said(phone, "is still kitchen")
        assert [(key.light, key.label) for key in phone.keys.values()] == [
            ("on", "21.5"),
            ("on", "Door"),
        ]

    async def test_an_account_that_is_gone_is_given_up(
        self,
        phone: FactoryPhone,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        server.files[f"/1?{MAC}"] = settings(registrar)
        await answerer.give(f"{server.url}/1?{{mac}}")
        await registrar.accept_registration()
        await until_registered(phone)
        server.files[f"/1?{MAC}"] = settings(registrar, user_active="off")
        await check_sync(registrar, phone, "reboot=false")
        await answerer.give(f"{server.url}/1?{{mac}}")
        good_bye = await registrar.receive("REGISTER ")
        registrar.answer(good_bye, "200 OK")
        await until_said(phone, "the settings name no account")
        assert phone.keys == {}
        assert phone.status == "factory-new: the settings name no account"


def show(registrar: StubRegistrar, phone: FactoryPhone, document: bytes) -> None:
    head = (
        f"MESSAGE {phone._identity._contact_uri} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {registrar.address};branch=z9hG4bKm;rport\r\n"
        "From: <sip:kitchen@x>;tag=1\r\nTo: <sip:kitchen@x>\r\n"
        "Call-ID: m\r\nCSeq: 1 MESSAGE\r\nContent-Type: application/x-buttons\r\n"
        f"Content-Length: {len(document)}\r\n\r\n"
    )
    registrar.send(head.encode() + document)


class TestScreens:
    async def test_the_keys_appear_when_they_are_set_up(
        self,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
    ) -> None:
        phone = FactoryPhone("D735", MAC)
        app = PhoneApp(phone)
        server.files[f"/1?{MAC}"] = settings(registrar)
        async with app.run_test(size=(160, 24)) as pilot, phone:
            status = app.query_one("#status", Static)
            subscribe = await answerer.hear()
            await pilot.pause()
            assert str(status.content).startswith(
                f"snom D735 {MAC} on {phone.where}"
                " · factory-new: asks 224.0.1.75:5060 for its settings"
            )
            assert app.keys == []
            answerer.notify(subscribe, f"{server.url}/1?{{mac}}")
            await registrar.accept_registration()
            await until_registered(phone)
            await pilot.pause()
            assert str(status.content).startswith(f"snom kitchen (D735 {MAC}) on 127.")
            assert [key.render().plain.splitlines()[0] for key in app.keys] == [
                "1 ○ Lamp",
                "2 ○ Hall <2>",
            ]
            assert list(app.query(Key)) == app.keys
            server.files[f"/1?{MAC}"] = b"<settings/>"
            phone.keys = {}
            app.keys[0].blink()  # until the screen follows
            forgo_good_bye(phone)

    async def test_lines_set_a_setting(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        phone = FactoryPhone("D735", MAC)
        phone.settings.apply(
            read_settings_file(
                b'<phone-settings><timezone perm="R">GER+1</timezone></phone-settings>'
            )
        )
        lines = Headless(phone)
        for line in ("set language English", "set timezone USA-5", "set", "dance"):
            lines.obey(line)
        commands = "there is: press KEY, dial NUMBER, register, quit, set NAME VALUE"
        said = capsys.readouterr().out.splitlines()
        assert said[0].endswith(" language is English")
        assert said[1:] == [
            "cannot set it: timezone is read-only",
            f"cannot do 'set'; {commands}",
            f"cannot do 'dance'; {commands}",
        ]
        assert phone.settings["language"] == "English"

    async def test_the_command(
        self,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
        tmp_path: Path,
    ) -> None:
        state = tmp_path / "phone.json"
        state.write_text('{"settings": [["pnp_config", null, "off"]], "keys": []}')
        server.files["/1"] = settings(registrar)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "virtual_phone", "--headless", "--factory-new"),
            *("--model", "D785", "--mac", re.sub("(..)(?=.)", r"\1:", MAC).lower()),
            *("--state", str(state), "--reset"),
            stdin=PIPE,
            stdout=PIPE,
            cwd=Path(__file__).parents[2],
        )
        subscribe = await answerer.give(f"{server.url}/1")
        assert b'model="snomD785"' in subscribe
        await registrar.accept_registration()
        process.terminate()
        registrar.answer(await registrar.receive("REGISTER "), "200 OK")
        async with asyncio.timeout(PATIENCE):
            printed, _ = await process.communicate()
        assert process.returncode == 0
        assert printed.startswith(f"D785 {MAC} listens on 127.0.0.1:".encode())
        assert b": set up as kitchen, identity 1: keys 1 7\n" in (
            re.sub(rb"(?m)^\S+ set", b": set", printed)
        )
        assert "kitchen" in state.read_text()


class TestFlash:
    async def test_a_file_keeps_the_settings(
        self,
        answerer: Answerer,
        server: SettingsServer,
        registrar: StubRegistrar,
        tmp_path: Path,
    ) -> None:
        state = tmp_path / "phone.json"
        kept = f'<setting_server perm="">{server.url}/gone?</setting_server>'
        server.files["/1"] = settings(registrar, kept)
        async with FactoryPhone("D735", MAC, state=state) as phone:
            await answerer.give(f"{server.url}/1")
            await registrar.accept_registration()
            await until_registered(phone)
            phone.change("language", "English")
            forgo_good_bye(phone)
        assert stat.S_IMODE(state.stat().st_mode) == 0o600
        assert [each.name for each in os.scandir(tmp_path)] == [state.name]
        answerer.subscribes.clear()
        async with FactoryPhone("D735", MAC, state=state) as phone:
            await registrar.accept_registration()
            await until_registered(phone)
            await until_said(phone, "got no settings")
            assert list(phone.keys) == ["1", "7"]
            assert phone.settings["language"] == "English"
            assert not answerer.subscribes, "it knows the server of its settings"
            forgo_good_bye(phone)
        forget(state)
        forget(state)
        async with FactoryPhone("D735", MAC, state=state):
            await answerer.hear()

    @pytest.mark.parametrize("text", ["", "{}", '{"settings": [1], "keys": []}'])
    def test_a_file_of_something_else_is_an_error(
        self, tmp_path: Path, text: str
    ) -> None:
        state = tmp_path / "phone.json"
        state.write_text(text)
        with pytest.raises(ValueError, match="has no settings of a phone"):
            FactoryPhone(state=state)

    async def test_a_full_disk_is_said(self, tmp_path: Path) -> None:
        phone = FactoryPhone(state=tmp_path / "gone" / "phone.json")
        phone.change("language", "English")
        assert said(phone)[0].startswith("cannot keep the settings: ")


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({}, None),
        ({"enabled": "on", "period": "86400"}, 86400),
        ({"enabled": "on", "mode": "rel", "period": "1"}, 60),
        ({"enabled": "on", "mode": "abs", "period": "86400"}, None),
        ({"enabled": "on", "period": "often"}, None),
        ({"enabled": "off", "period": "86400"}, None),
    ],
)
def test_polling(values: dict[str, str], seconds: float | None) -> None:
    phone = FactoryPhone()
    for name, value in values.items():
        phone.change(f"prov_polling_{name}", value)
    assert phone._polling == seconds


async def test_plug_and_play_can_be_off(answerer: Answerer, tmp_path: Path) -> None:
    phone = FactoryPhone()
    phone.change("pnp_config", "off")
    async with phone:
        await until_said(phone, "got no answer")
    assert not answerer.subscribes


async def test_a_port_that_is_taken_is_an_error() -> None:
    with pytest.raises(OSError, match="assign"):
        await FactoryPhone(interface="192.0.2.7").open()


async def test_a_phone_without_a_route_says_so(phone: FactoryPhone) -> None:
    phone._announcer.error_received(OSError("no route"))
    assert said(phone)[-1] == "could not ask: no route"


class Wire:
    """An endpoint as plug and play has it."""

    def __init__(self) -> None:
        self.endpoint = Endpoint(lambda _: None)

    def send(self, data: bytes, flow: Flow) -> None:
        self.endpoint.send(data, flow)

    async def request(self, outgoing: OutgoingRequest, flow: Flow) -> int | None:
        return (await self.endpoint.request(outgoing, flow)).status

    def sent_by(self, flow: Flow) -> str:
        return self.endpoint.sent_by(flow.transport)


async def test_with_the_engine(
    server: SettingsServer, registrar: StubRegistrar
) -> None:
    """All that the engine says is taken, and no setting of its file is ignored."""
    name = f"{MAC}.xml"
    label = 'Lamp <1> & "2" 💡'
    profile = Profile(
        account="44",
        password="hush & <hush>",
        name="Küche",
        registrar=registrar.address,
        model="D865",
        keys=(ProfileKey(name="1", label=label), ProfileKey(name="x y", label="")),
        settings_url=f"{server.url}/steady/{name}",
        lamps=True,
        web_password="secret",
    )
    server.files[f"/first/{name}"] = settings_file(profile)
    wire = Wire()
    await wire.endpoint.open("127.0.0.1", 0)
    heard: list[Announcement] = []

    def url_of(said: Announcement) -> str | None:
        return f"{server.url}/first/{{mac}}.xml" if said.mac == MAC else None

    service = PlugAndPlay(wire, url_of, asyncio.get_running_loop().time)
    service.heard.subscribe(heard.append)
    await service.open(["127.0.0.1"])
    settled = asyncio.get_running_loop().create_future()
    service.settled.subscribe(settled.set_result)
    try:
        async with FactoryPhone("D735", MAC) as phone:
            register = await registrar.accept_registration()
            await until_registered(phone)
            assert (await settled).status == 200
            assert [(each.mac, each.model) for each in heard] == [(MAC, "D735")]
            assert digest_is_right(register, "Authorization", "44", profile.password)
            assert header(register, "User-Agent") == f"snomD735/10.1.198.12 {MAC}"
            assert {key.name: key.label for key in phone.keys.values()} == {
                "1": label,
                "x y": None,
            }
            assert phone.settings["setting_server"] == profile.settings_url
            assert not [text for text in said(phone) if text.startswith("ignored")]
            forgo_good_bye(phone)
    finally:
        await service.close()
        await wire.endpoint.close()
