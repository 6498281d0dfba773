"""Phones of several makers and another server announce and answer; curl fetches settings.

sipp, curl and xmllint share no code with the product.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from collections.abc import AsyncIterator
import logging
from pathlib import Path
import re
from typing import NamedTuple
from xml.sax.saxutils import escape

from aiohttp.test_utils import TestClient
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.snom_buttons.engine.provisioning import (
    GROUP,
    Outcome,
    group_socket,
)
from custom_components.snom_buttons.hub.provisioning import hearing
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from tests.support import announcements
from tests.support.entries import PASSWORD, update_phone
from tests.support.patience import PATIENCE
from tests.support.ports import LOCALHOST, free_port
from tests.support.programs import program
from tests.support.relay import GOOD, Relay
from tests.support.schema import SCHEMA

pytestmark = [pytest.mark.wire, pytest.mark.usefixtures("socket_enabled")]

SIPP = Path(__file__).parent / "sipp"
MAC = "000413AABBCC"


class Serving(NamedTuple):
    """A Home Assistant that hears a group."""

    entry: MockConfigEntry
    group_port: int
    web: str
    """The address of its web server."""


@pytest.fixture
def own_port() -> bool:
    """Return whether settings files have a port of their own."""
    return False


@pytest.fixture
async def serving(
    hass: HomeAssistant,
    config_entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    own_port: bool,
) -> Serving:
    """Return a server on real sockets; no phone has a hardware address yet."""
    settings_port = free_port()
    if own_port:
        access = {"access": {"settings_port": settings_port}}
        hass.config_entries.async_update_entry(
            config_entry, data={**config_entry.data, **access}
        )
    group_port = free_port()
    monkeypatch.setattr(hearing, "GROUP_PORT", group_port)
    assert await async_setup_component(hass, "http", {})
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    client: TestClient = await hass_client_no_auth()
    web = f"http://{LOCALHOST}:{settings_port if own_port else client.port}"
    await hass.config.async_update(internal_url=web)
    update_phone(hass, config_entry, "45", token="AnotherRand0mTokenOf22")
    await hass.async_block_till_done()
    return Serving(config_entry, group_port, web)


async def start(
    name: str, *arguments: object, cwd: Path | None = None
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(program(name), *map(str, arguments)),
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        cwd=cwd,
    )


async def ended(process: asyncio.subprocess.Process) -> str:
    """Return what a program prints; it must end without an error."""
    printed, _ = await process.communicate()
    text = printed.decode(errors="replace")
    assert process.returncode == 0, text[-3000:]
    return text


async def run(name: str, *arguments: object, cwd: Path | None = None) -> str:
    return await ended(await start(name, *arguments, cwd=cwd))


def message(announcement: bytes, cseq: int) -> str:
    """Return an announcement as a message of a scenario."""
    text = announcement.decode().replace("\r\n", "\n").rstrip("\n") + "\n"
    text = text.replace("192.0.2.55", "[local_ip]")
    text = re.sub(r"(?<=\[local_ip\]:)\d+", "[local_port]", text)
    text = re.sub("Call-ID: .*", "Call-ID: [call_id]", text)
    return re.sub("CSeq: .*", f"CSeq: {cseq} SUBSCRIBE", text)


async def announce(
    serving: Serving,
    announcement: bytes,
    folder: Path,
    *,
    before: bytes | None = None,
    port: int | None = None,
) -> str:
    """Announce a phone by sipp; return the URL that it got.

    `before` is the announcement of a phone that must get no answer, and `port` that of
    the server that must answer, if it is another one.
    """
    cseq, unheard = 1, ""
    if before is not None:
        unheard = f"<send><![CDATA[\n{message(before, 1)}\n]]></send>"
        cseq = 2
    event = re.search("Event: (.*)\r", announcement.decode())
    mac = re.search(
        "sip:MAC(?:%3a|:)?([0-9A-F]{12})", announcement.decode(), re.IGNORECASE
    )
    assert event is not None
    assert mac is not None
    scenario = (SIPP / "plug_and_play.xml.in").read_text()
    for name, value in {
        "UNHEARD": unheard,
        "ANNOUNCEMENT": message(announcement, cseq),
        "CSEQ": f"{cseq}",
        "PORT": f"{port or serving.entry.data['port']}",
        "EVENT": escape(re.escape(event[1]), {'"': "&quot;"}),
        "/MAC": f"/{mac[1]}",
    }.items():
        scenario = scenario.replace(name, value)
    (folder / "phone.xml").write_text(scenario)
    urls, errors = folder / "urls.log", folder / "errors.log"
    try:
        await run(
            *("sipp", f"{GROUP}:{serving.group_port}", "-i", LOCALHOST),
            *("-sf", folder / "phone.xml", "-m", 1, "-nostdin", "-timeout_error"),
            *("-timeout", "20s", "-trace_logs", "-log_file", urls),
            *("-trace_err", "-error_file", errors),
            cwd=folder,
        )
    except AssertionError as error:
        raise AssertionError(errors.read_text() if errors.exists() else "") from error
    return urls.read_text().strip()


@pytest.mark.parametrize("maker", ["SNOM_370", "SNOM_OEM", "GIGASET", "SIPPING"])
async def test_a_phone_of_ours_that_is_set_up_gets_its_url(
    hass: HomeAssistant, serving: Serving, tmp_path: Path, maker: str
) -> None:
    announcement = getattr(announcements, maker)
    mac = re.search(rb"MAC%3a([0-9A-F]{12})", announcement)
    assert mac is not None
    update_phone(hass, serving.entry, mac=mac[1].decode())
    await hass.async_block_till_done()
    taken = asyncio.get_running_loop().create_future()
    provisioning = serving.entry.runtime_data.provisioning
    provisioning.plug_and_play.settled.subscribe(taken.set_result)
    url = await announce(serving, announcement, tmp_path)
    assert url.startswith(f"{serving.web}/api/snom_buttons/settings/")
    outcome: Outcome = await asyncio.wait_for(taken, PATIENCE)
    assert outcome.status == 200


@pytest.mark.parametrize(
    "maker", ["SNOM_OEM", "GIGASET", "YEALINK", "YEALINK_W52P", "GRANDSTREAM"]
)
async def test_other_phones_are_heard_and_get_nothing(
    hass: HomeAssistant, serving: Serving, tmp_path: Path, maker: str
) -> None:
    """Those of snom and Gigaset because they were not confirmed.

    The phone behind it, of the same call, gets the first response.
    """
    unheard = getattr(announcements, maker)
    update_phone(hass, serving.entry, mac=MAC)
    await hass.async_block_till_done()
    await announce(serving, announcements.SNOM_370, tmp_path, before=unheard)
    provisioning = serving.entry.runtime_data.provisioning
    [newcomer] = provisioning.newcomers.phones
    assert newcomer.announcement.request.headers.get("Event") in unheard.decode()
    assert list(provisioning.plug_and_play._answered) == [MAC]


class _Ear(asyncio.DatagramProtocol):
    """A socket of the group in front of sipp, which shares no port."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._relay._from_phone(data, addr)


@pytest.fixture
async def other_answerer(serving: Serving, tmp_path: Path) -> AsyncIterator[int]:
    """Run the server of a telephone system in the same network; yield its port."""
    folder, port = tmp_path / "other", free_port()
    folder.mkdir()
    process = await start(
        *("sipp", "-i", LOCALHOST, "-p", port, "-m", 1, "-nostdin"),
        *("-sf", SIPP / "other_answerer.xml", "-timeout", "20s", "-timeout_error"),
        cwd=folder,
    )
    async with Relay((LOCALHOST, port), 0, GOOD) as relay:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Ear(relay), sock=group_socket(LOCALHOST, port=serving.group_port)
        )
        yield port
        await ended(process)
        transport.close()


async def test_beside_another_answerer_a_phone_that_is_not_ours_is_left_to_it(
    serving: Serving, other_answerer: int, tmp_path: Path
) -> None:
    url = await announce(serving, announcements.SNOM_370, tmp_path, port=other_answerer)
    assert url == f"http://192.0.2.200/phones/{MAC}.xml"
    provisioning = serving.entry.runtime_data.provisioning
    [newcomer] = provisioning.newcomers.phones
    assert newcomer.announcement.mac == MAC
    assert not provisioning.plug_and_play._answered


AGENT = "Mozilla/4.0 (compatible; snom370-SIP 8.7.5.48 1.1.3-s)"
LABEL = "\"/></fkey>]]><!--&amp;&x;'<br>\U0001f6aa"


async def curl(*arguments: object) -> tuple[int, str]:
    """Return the status and the body of a response."""
    printed = await run("curl", "-s", "-w", "\n%{http_code}", *arguments)
    body, _, status = printed.rpartition("\n")
    return int(status), body


async def test_curl_with_the_name_of_a_snom_gets_a_file_that_xmllint_accepts(
    hass: HomeAssistant, serving: Serving, tmp_path: Path
) -> None:
    keys = list(serving.entry.subentries["subentry_44"].data["keys"])
    keys[0] = {**keys[0], "name": LABEL}
    update_phone(hass, serving.entry, mac=MAC, keys=keys)
    await hass.async_block_till_done()
    url = await announce(serving, announcements.SNOM_370, tmp_path)
    status, file = await curl("-A", AGENT, url)
    assert status == 200
    assert f">{PASSWORD}</user_pass>" in file
    stored = tmp_path / "settings.xml"
    stored.write_text(file)
    await run("xmllint", "--noout", "--nonet", "--schema", SCHEMA, stored)
    label = await run("xmllint", "--xpath", "string(//fkey[1]/@label)", stored)
    assert label.removesuffix("\n") == LABEL


@pytest.mark.parametrize("own_port", [False, True])
async def test_curl_gets_nothing_by_any_other_request(
    hass: HomeAssistant,
    serving: Serving,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither by a guess, nor as another phone, nor by a path that climbs."""
    # It has the User-Agent as it came, of which xdist can report no byte 0xff.
    caplog.set_level(logging.WARNING, "aiohttp.access")
    update_phone(hass, serving.entry, mac=MAC)
    await hass.async_block_till_done()
    url = await announce(serving, announcements.SNOM_370, tmp_path)
    assert url.startswith(f"{serving.web}/")
    folder, _, name = url.rpartition("/")
    settings, _, token = folder.rpartition("/")
    other = AGENT.replace("1.1.3-s", "1.1.3-s 000413000001")
    climbing = [
        f"{folder}/../{name}",
        f"{folder}/./../../../snom_buttons/settings/x/{name}",
        f"{folder}/%2e%2e/{name}",
        f"{folder}/..%2f{name}",
        f"{folder}/..%5c{name}",
        f"{folder}/%252e%252e%252f{name}",
        f"{folder}//{name}",
        f"{settings}/{token}%00/{name}",
        f"{settings}/{token}%20/{name}",
        f"{settings}/{token}%ed%b0%80/{name}",
        f"{settings}/{token}%ff/{name}",
        f"{settings}/%ff/{name}",
        f"{settings}/*/{name}",
        f"{settings}//{name}",
        f"{url}%00",
        f"{url}/",
        f"{url};x",
        f"{url.upper()}",
        f"{settings.rpartition('/')[0]}/",
    ]
    wrong = [
        *(("-A", AGENT, "--path-as-is", "-g", path) for path in climbing),
        ("-A", AGENT, f"{settings}/{'A' * 22}/{name}"),
        ("-A", AGENT, f"{settings}/{token[:-1]}/{name}"),
        ("-A", AGENT, f"{settings}/{'A' * 5000}/{name}"),
        ("-A", AGENT, f"{folder}/000413000001.xml"),
        ("-A", AGENT, f"{folder}/snom370-000413000001.htm"),
        ("-A", AGENT, f"{folder}/passwd"),
        ("-A", other, url),
        ("-A", other, folder),
        ("-A", f"{AGENT}\udcff", f"{folder}/"),
        ("-A", AGENT, "-I", url),
        ("-A", AGENT, "-X", "POST", "-d", "x=1", url),
        ("-A", AGENT, "-X", "PROPFIND", url),
    ]
    for arguments in wrong:
        status, body = await curl(*arguments)
        assert status in (400, 404, 405), arguments
        assert "user_" not in body, arguments
    assert (await curl("-A", AGENT, url))[0] == 200
