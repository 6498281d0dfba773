"""*Visit* on the device of a phone: the web page of the phone itself, or nothing.

The bindings are those of phones that have registered from addresses of a network; a socket
of a test has only the loopback address, which is no address for a browser elsewhere.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
import time
from unittest.mock import patch

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.sip import Binding, Flow, parse_address
from custom_components.snom_buttons.engine.sip.net import Endpoint, TransportError
from homeassistant.const import STATE_OFF
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

AGENT = "snomD785/10.1.198.12 0004130DD7C9"

type Register = Callable[..., str | None]


def binding(contact: str, transport: str = "UDP", host: str = "192.0.2.44") -> Binding:
    return Binding(
        user="44",
        aor=parse_address("<sip:44@ha.test>").uri,
        contact=parse_address(contact),
        flow=Flow(transport, host, 2048, 0 if transport == "UDP" else 7),
        call_id="1",
        cseq=1,
        expires_at=time.monotonic() + 3600,
        instance="urn:uuid:44",
        user_agent=AGENT,
        supports_buttons=True,
    )


@pytest.fixture
def register(
    hass: HomeAssistant, server: MockConfigEntry, device_registry: dr.DeviceRegistry
) -> Iterator[Register]:
    """Yield a function that replaces the bindings of phone 44, and returns the link."""
    phones = server.runtime_data.server

    def registered(*bindings: Binding) -> str | None:
        phones._location.store("44", list(bindings))
        phones._registered("44")
        device = device_registry.async_get_device_by_identifier(
            (DOMAIN, "subentry_44"), server.entry_id
        )
        assert device is not None
        link = device.configuration_url
        # Without a page of the phone it is that on which its keys are arranged.
        return None if link == f"homeassistant://snom-phones/{device.id}" else link

    # Nothing is sent: these addresses are no phones of this test.
    with (
        patch.object(Endpoint, "request", side_effect=TransportError("no phone")),
        patch.object(Endpoint, "size_of", return_value=400),
        patch.object(Endpoint, "sent_by", return_value="ha.test:5060"),
    ):
        yield registered


@pytest.mark.parametrize(
    ("contact", "transport"),
    [
        ("<sip:44@192.0.2.44:2048;line=x>", "UDP"),
        ("<sip:44@192.0.2.44:2048;transport=tcp;line=x>", "TCP"),
        ("<sip:44@192.0.2.44:2048;transport=tls;line=x>", "TLS"),
        ("<sips:44@192.0.2.44:2048;line=x>", "TLS"),
    ],
)
async def test_each_transport(
    hass: HomeAssistant, register: Register, contact: str, transport: str
) -> None:
    """The page is not at the port of SIP, and the phone's certificate is its own."""
    assert register(binding(contact, transport)) == "http://192.0.2.44"
    shown = hass.states.get("sensor.phone_44_transport").state
    assert shown == transport.lower()


@pytest.mark.parametrize(
    ("contact", "host", "link"),
    [
        ("<sip:44@[2001:db8::44]:5060>", "2001:db8::44", "http://[2001:db8::44]"),
        ("<sip:44@[2001:DB8:0::44]:5060>", "2001:db8::44", "http://[2001:db8::44]"),
        ("<sip:44@[fe80::44]>", "fe80::44%eth0", None),  # means nothing to a browser
        ("<sip:44@192.168.1.44>", "192.0.2.1", None),  # a router has that page
        ("<sip:44@evil.example>", "192.0.2.44", None),
        ("<sip:44@127.0.0.1>", "127.0.0.1", None),
    ],
)
async def test_only_the_address_that_the_phone_itself_has(
    register: Register, contact: str, host: str, link: str | None
) -> None:
    assert register(binding(contact, host=host)) == link


async def test_behind_a_proxy_there_is_none(register: Register) -> None:
    own = binding("<sip:44@192.0.2.44>")
    assert register(replace(own, forwarded=True)) is None
    assert register(replace(own, path=("<sip:192.0.2.44;lr>",))) is None


async def test_it_follows_the_phone(hass: HomeAssistant, register: Register) -> None:
    first = binding("<sip:44@192.0.2.44>")
    moved = binding("<sip:44@192.0.2.99>", host="192.0.2.99")
    assert register(first) == "http://192.0.2.44"
    assert hass.states.get("sensor.phone_44_ip_address").state == "192.0.2.44"
    assert register(moved) == "http://192.0.2.99"
    assert hass.states.get("sensor.phone_44_ip_address").state == "192.0.2.99"
    # Behind a router from now on
    assert register(binding("<sip:44@192.168.1.44>", host="192.0.2.1")) is None


async def test_it_stays_while_the_phone_is_away(
    hass: HomeAssistant, register: Register
) -> None:
    """A phone that does not register any more is looked at there."""
    assert register(binding("<sip:44@192.0.2.44>")) == "http://192.0.2.44"
    assert register() == "http://192.0.2.44"
    assert hass.states.get("binary_sensor.phone_44_registered").state == STATE_OFF


async def test_of_two_contacts_one_until_it_is_gone(register: Register) -> None:
    desk = binding("<sip:44@192.0.2.44>")
    hall = replace(
        binding("<sip:44@192.0.2.45>", host="192.0.2.45"), instance="urn:uuid:45"
    )
    assert register(desk) == "http://192.0.2.44"
    assert register(desk, hall) == "http://192.0.2.44"
    assert register(hall, replace(desk)) == "http://192.0.2.44"
    assert register(hall) == "http://192.0.2.45"


async def test_a_phone_that_is_set_up_by_its_address(
    hass: HomeAssistant, register: Register
) -> None:
    own = replace(binding("<sip:44@192.0.2.44>"), is_address=True, user_agent=None)
    assert register(own) == "http://192.0.2.44"
