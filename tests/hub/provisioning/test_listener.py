"""Settings files by plain HTTP at a port of the server's own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import timedelta
import socket
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.hub.markdown import escape_markdown
from custom_components.snom_buttons.hub.provisioning import listener
from custom_components.snom_buttons.hub.provisioning.files import Files
from custom_components.snom_buttons.hub.provisioning.profiles import async_settings_url
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.support.entries import PASSWORD, TOKEN, update_phone
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST
from tests.support.streams import until_closed

PATH = f"/api/snom_buttons/settings/{TOKEN}"
MAC = "000413A1B2C3"
AGENT = f"Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12 {MAC} SXM:0 UXM:0)"
GET = f"GET {PATH}/ HTTP/1.1\r\nHost: x\r\n"
NOT_FOUND = "404: Not Found"


@pytest.fixture
async def server(
    hass: HomeAssistant, config_entry: MockConfigEntry, settings_port: int
) -> MockConfigEntry:
    """Return the entry, set up with a port for settings files."""
    return await set_up(hass, config_entry, settings_port)


async def set_up(
    hass: HomeAssistant, entry: MockConfigEntry, settings_port: int, **changes: Any
) -> MockConfigEntry:
    access = {"access": {"settings_port": settings_port}}
    hass.config_entries.async_update_entry(entry, data=entry.data | access | changes)
    update_phone(hass, entry, "45", token="AnotherRand0mTokenOf22")
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


@asynccontextmanager
async def connected(
    port: int, host: str = LOCALHOST
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def answer(port: int, request: bytes | str, host: str = LOCALHOST) -> str:
    """Return all that is answered until the connection ends."""
    data = request if isinstance(request, bytes) else request.encode()
    async with asyncio.timeout(PATIENCE), connected(port, host) as (reader, writer):
        writer.write(data)
        return (await reader.read()).decode()


def is_not_found(text: str) -> bool:
    """Return whether this is one answer 404 that does not say what has made it."""
    head, _, body = text.partition("\r\n\r\n")
    status, *headers = head.split("\r\n")
    named = dict(line.split(": ", 1) for line in headers)
    named.pop("Date")
    assert status in ("HTTP/1.1 404 Not Found", "HTTP/1.0 404 Not Found"), text
    assert named.pop("Connection", "close") == "close"
    assert named == {
        "Server": "",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": "14",
    }
    return body in (NOT_FOUND, "")


def reported(hass: HomeAssistant) -> list[dict[str, str] | None]:
    """Return the values in the reports of a port that is closed."""
    return [
        it.translation_placeholders
        for it in ir.async_get(hass).issues.values()
        if it.translation_key == "settings_port_closed"
    ]


async def test_the_address_is_that_with_which_phones_register(
    hass: HomeAssistant, server: MockConfigEntry, settings_port: int
) -> None:
    """Also if the container publishes the ports of another machine."""

    def url(**changes: Any) -> str | None:
        data = {**server.data, **changes}
        hass.config_entries.async_update_entry(server, data=data)
        settings = type(server.runtime_data.settings).from_entry(server)
        return async_settings_url(hass, settings, TOKEN)

    assert url(advertised_host="::1") == f"http://[::1]:{settings_port}{PATH}/"
    udp = {"enabled": True, "advertised": "192.0.2.7:15060"}
    assert url(udp=udp) == f"http://192.0.2.7:{settings_port}{PATH}/"
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.fixture
async def view(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    settings_port: int,
    hass_client_no_auth: ClientSessionGenerator,
) -> TestClient:
    """Return a client of Home Assistant itself."""
    assert await async_setup_component(hass, "http", {})
    await set_up(hass, config_entry, settings_port)
    return await hass_client_no_auth()


@pytest.mark.parametrize(
    ("path", "agent"),
    [
        (f"{PATH}/", AGENT),
        (PATH, AGENT),
        (f"{PATH}/{MAC}.xml", AGENT),
        (f"{PATH}/snomD785.htm?x=1", AGENT),
        (f"{PATH}/", "curl/8.0"),
        (f"{PATH}/other.xml", AGENT),
        (f"{PATH}/000413000000.xml", AGENT),
        (f"{PATH[:-1]}/", AGENT),
        (f"{PATH}é/", AGENT),
        ("/api/snom_buttons/settings/", AGENT),
        ("/api/snom_buttons/", AGENT),
    ],
)
async def test_the_answers_are_those_of_the_view(
    view: TestClient, settings_port: int, path: str, agent: str
) -> None:
    headers = {"User-Agent": agent}
    answers = []
    async with ClientSession(timeout=ClientTimeout(PATIENCE)) as client:
        for get, base in (
            (view.get, ""),
            (client.get, f"http://{LOCALHOST}:{settings_port}"),
        ):
            response = await get(f"{base}{path}", headers=headers)
            body = await response.read()
            answers.append((response.status, response.content_type, body))
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "request_line",
    [
        f"GET {PATH}/ HTTP/1.0",
        f"GET {PATH}/ HTTP/1.1",
        f"GET http://192.0.2.1{PATH}/ HTTP/1.1",  # absolute-form, RFC 9112 3.2.2
    ],
)
async def test_the_forms_of_a_request(
    server: MockConfigEntry, settings_port: int, request_line: str
) -> None:
    text = await answer(settings_port, f"{request_line}\r\nHost: x\r\n\r\n")
    head, _, body = text.partition("\r\n\r\n")
    assert head.split()[1] == "200"
    assert "Server: \r\n" in head
    assert PASSWORD in body


@pytest.mark.parametrize(
    "request_bytes",
    [
        # Paths
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/ HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET {PATH}/../{TOKEN}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        f"GET {PATH}/..%2f HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        f"GET /{PATH}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        b"GET /api/snom_buttons/settings/\xff\xfe/ HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET {PATH}/\xff HTTP/1.1\r\nHost: x\r\n\r\n".encode("latin-1"),
        f"GET {TOKEN} HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        # Methods
        *(
            f"{method} {PATH}/ HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
        ),
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"CONNECT 192.0.2.1:80 HTTP/1.1\r\nHost: x\r\n\r\n",
        f"POST {PATH}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc".encode(),
        f"POST {PATH}/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc".encode(),
        # No HTTP
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",  # TLS
        b"\x00" * 2000,
        b"REGISTER sip:x SIP/2.0\r\n\r\n",
        f"GET {PATH}/ HTTP/9.9\r\n\r\n".encode(),
        f"GET {PATH}/ HTTP/1.1\r\nHost x\r\n\r\n".encode(),
        f"GET {PATH}/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n".encode(),
        # Too much
        b"GET /" + b"a" * 3000,
        GET.encode() + b"X: " + b"a" * 3000,
        GET.encode() + b"X: y\r\n" * 40 + b"\r\n",
    ],
)
async def test_all_else_is_not_found(
    server: MockConfigEntry, settings_port: int, request_bytes: bytes
) -> None:
    """Without an error in the log, which the tests would find."""
    assert is_not_found(await answer(settings_port, request_bytes))


async def test_one_request_is_answered_for_each_connection(
    server: MockConfigEntry, settings_port: int
) -> None:
    text = await answer(settings_port, f"{GET}\r\n" * 3)
    assert text.count("HTTP/1.1 ") == 1
    upgrade = f"{GET}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    assert (await answer(settings_port, upgrade)).startswith("HTTP/1.1 200 OK\r\n")


async def test_a_source_outside_of_the_networks_finds_nothing(
    hass: HomeAssistant, config_entry: MockConfigEntry, settings_port: int
) -> None:
    access = {"networks": ["192.0.2.0/24"], "settings_port": settings_port}
    await set_up(hass, config_entry, settings_port, access=access)
    assert is_not_found(await answer(settings_port, f"{GET}\r\n"))
    assert config_entry.runtime_data.provisioning.files.refused == 1


async def test_ipv4_is_allowed_in_its_ipv6_form(
    hass: HomeAssistant, config_entry: MockConfigEntry, settings_port: int
) -> None:
    await set_up(hass, config_entry, settings_port, host="::")
    text = await answer(settings_port, f"{GET}\r\n")
    assert text.startswith("HTTP/1.1 200 OK\r\n")


async def test_what_fails_in_us_is_logged_and_not_shown(
    server: MockConfigEntry,
    settings_port: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Files, "async_file", fail)
    assert is_not_found(await answer(settings_port, f"{GET}\r\n"))
    [record] = [it for it in caplog.records if it.levelname == "ERROR"]
    assert record.getMessage() == "A settings file could not be served"
    caplog.clear()


@pytest.mark.parametrize("sent", ["", "GET /api", GET, f"{GET}Content-Length: 9\r\n"])
async def test_a_slow_client_is_cut_off(
    hass: HomeAssistant, server: MockConfigEntry, settings_port: int, sent: str
) -> None:
    """However often it sends another byte."""
    async with asyncio.timeout(PATIENCE), connected(settings_port) as (reader, writer):
        writer.write(sent.encode())
        await until(lambda: len(connections(server)) == 1)
        later = dt_util.utcnow() + timedelta(seconds=listener.DEADLINE)
        async_fire_time_changed(hass, later)
        await until_closed(reader)
        await until(lambda: not connections(server))


def connections(entry: MockConfigEntry) -> list[Any]:
    return list(entry.runtime_data.listener._connections)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_the_oldest_connection_ends_for_one_too_many(
    server: MockConfigEntry, settings_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MAX_CONNECTIONS", 2)
    async with (
        asyncio.timeout(PATIENCE),
        connected(settings_port) as (first, _),
        connected(settings_port) as (second, writer),
    ):
        await until(lambda: len(connections(server)) == 2)
        assert (await answer(settings_port, f"{GET}\r\n")).startswith("HTTP/1.1 200 ")
        await until_closed(first)
        writer.write(f"{GET}\r\n".encode())
        assert (await second.read()).startswith(b"HTTP/1.1 200 ")


async def test_the_port_closes_with_the_server(
    hass: HomeAssistant, server: MockConfigEntry, settings_port: int
) -> None:
    async with asyncio.timeout(PATIENCE), connected(settings_port) as (reader, _):
        await until(lambda: len(connections(server)) == 1)
        assert server.runtime_data.listening["HTTP"] == settings_port
        assert await hass.config_entries.async_unload(server.entry_id)
        await until_closed(reader)
    with pytest.raises(ConnectionRefusedError):
        await answer(settings_port, "")


async def test_a_port_that_is_taken_is_reported_and_tried_again(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    settings_port: int,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The phones work meanwhile."""

    async def later() -> None:
        freezer.tick(listener.RETRY + 1)
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)

    with closing(socket.socket()) as program:
        program.bind((LOCALHOST, settings_port))
        program.listen()
        await set_up(hass, config_entry, settings_port)
        hub = config_entry.runtime_data
        said = {
            "name": escape_markdown(config_entry.title),
            "port": str(settings_port),
            "error": "Address already in use",
        }
        assert reported(hass) == [said]
        assert list(hub.listening) == ["UDP"]
        await later()
        assert reported(hass) == [said]
    await later()
    assert reported(hass) == []
    assert (await answer(settings_port, f"{GET}\r\n")).startswith("HTTP/1.1 200 ")


async def test_a_port_that_is_taken_is_not_tried_again_without_the_server(
    hass: HomeAssistant, config_entry: MockConfigEntry, settings_port: int
) -> None:
    """The test's plugin finds a timer that is left."""
    with closing(socket.socket()) as program:
        program.bind((LOCALHOST, settings_port))
        program.listen()
        await set_up(hass, config_entry, settings_port)
        assert reported(hass)
        assert await hass.config_entries.async_unload(config_entry.entry_id)
    assert reported(hass) == []


async def test_what_is_tried_again_while_the_ports_close_stays_closed(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    settings_port: int,
) -> None:
    await set_up(hass, config_entry, settings_port)
    own = config_entry.runtime_data.listener
    async with own._lock:
        again = hass.async_create_task(own._open())
        ending = hass.async_create_task(own.close())
    await again
    await ending
    assert own.listening is None
