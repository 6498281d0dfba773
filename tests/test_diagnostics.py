"""The diagnostics, which a user can attach to a public report.

Each text field that exists has a value with the word `hush`, which the download must
not contain. A new field has none, and fails a test until it has one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
import json
import re
from typing import Any, Final

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import voluptuous as vol

from custom_components.snom_buttons.const import DOMAIN
from custom_components.snom_buttons.engine.phones import Drop
from custom_components.snom_buttons.engine.phones.registration import Registration
from custom_components.snom_buttons.engine.xbuttons import KeyDescription
from custom_components.snom_buttons.flows.dialling import DIALLING_SCHEMA
from custom_components.snom_buttons.flows.mqtt import MQTT_SCHEMA
from custom_components.snom_buttons.flows.phone_settings import SETTINGS_SCHEMA
from custom_components.snom_buttons.flows.sending import SENDING_SCHEMA
from custom_components.snom_buttons.flows.server_form import SERVER_SCHEMA
from custom_components.snom_buttons.hub import settings
from custom_components.snom_buttons.hub.settings import KeySettings, LinkSettings
from homeassistant.core import Event, HomeAssistant
from homeassistant.data_entry_flow import section
from tests.support.clock import hurrying
from tests.support.entries import (
    KEYS,
    PASSWORD,
    Phones,
    add_phone,
    line_subentry,
    update_phone,
)
from tests.support.hushed import (
    ADDRESS,
    CALLER,
    DIALLED,
    DIALLING,
    EVENTS,
    EXTENSION,
    KEY,
    LINE,
    LINK,
    LOOK,
    MAKER,
    MQTT,
    NO_WORDS,
    PHONE,
    SENDING,
    SERVER,
    set_up,
    texts,
)
from tests.support.ports import LOCALHOST
from tests.support.rawphone import RawPhone

REDACTED: Final = "**REDACTED**"
CHOICES: Final = {
    "D785",
    "1x D7",
    "127.0.0.0/8",
    "switch",
    "linked",
    "hold",
    "off",
    "redirect",
    "automatic",
    "state",
    "always",
    "error",
    "both",
    "decline",
    "trying",
}
"""Values of closed lists, which are shown."""


def walked(schema: vol.Schema) -> dict[str, Any]:
    """Return the fields of a form as the structure in which they are stored."""
    return {
        str(marker): walked(field.schema) if isinstance(field, section) else None
        for marker, field in schema.schema.items()
    }


def structure(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names of fields and sections, without the values."""
    return {
        name: structure(value) if isinstance(value, Mapping) else None
        for name, value in data.items()
    }


def names(value: object) -> Iterator[str]:
    """Yield the names of all fields within a value."""
    if isinstance(value, Mapping):
        yield from value
    if isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from names(item)


def test_each_field_has_a_recognisable_value() -> None:
    """A new field fails here: give it a value above, then decide in `SHOWN`."""
    assert structure(SERVER) == walked(SERVER_SCHEMA)
    assert structure(MQTT) == walked(MQTT_SCHEMA)
    assert structure(DIALLING) == walked(DIALLING_SCHEMA)
    assert structure(PHONE["provisioning"]) == walked(SETTINGS_SCHEMA)
    assert structure(SENDING) == walked(SENDING_SCHEMA)
    rules = DIALLING_SCHEMA.schema["dial_rules"].config["fields"]
    assert DIALLING["dial_rules"][0].keys() == rules.keys()
    assert KEY.keys() | {"link"} == {field.name for field in fields(KeySettings)}
    assert len(LINK) == len(fields(LinkSettings))
    assert LOOK.keys() == {field.name for field in fields(KeyDescription)}
    for event, known in EVENTS.items():
        assert known == {field.name for field in fields(event)}
    assert {field.name for field in fields(Registration)} == {
        "address",
        "transport",
        "host",
        "user_agent",
        "expires_at",
        "supports_buttons",
        "web_host",
    }
    stored = [SERVER, MQTT, PHONE, ADDRESS, MAKER, LINE]
    read = {value for name, value in vars(settings).items() if name.startswith("CONF_")}
    not_read = {*LINK["look_table"], *SENDING["states"]}
    assert read == set(names(stored)) - not_read
    plain = {text for text in texts(stored) if "hush" not in text}
    assert plain == CHOICES | {
        LOCALHOST,
        *SERVER["access"]["networks"],
        *SERVER["access"]["edges"],
        ADDRESS["address"],
        MAKER["maker"],
    }


async def download(
    hass: HomeAssistant, client: ClientSessionGenerator, entry: MockConfigEntry
) -> str:
    return json.dumps(await get_diagnostics_for_config_entry(hass, client, entry))


async def test_no_value_is_shown(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, port: int
) -> None:
    entry = await set_up(hass, port)
    server = entry.runtime_data.server
    happened: list[Event] = []
    for name in ("key_press", "dialled", "shared_line"):
        hass.bus.async_listen(f"{DOMAIN}_{name}", happened.append)
    [line] = server.lines.values()
    async with RawPhone(
        (LOCALHOST, port),
        EXTENSION,
        PHONE["password"],
        user_agent="snomD785/10.1.198.12 0004130DD7C9 (hush-agent)",
    ) as phone:
        phone.supported = "buttons, path"
        phone.more = ["Path: <sip:hush-path.example;lr>", "X-Real-IP: 192.0.2.77"]
        phone.instance = "urn:uuid:hush-instance"
        assert (await phone.register()).status == 200
        await phone.until(lambda: "hush-key" in phone.keys)
        assert (await phone.invite(DIALLED)).status == 486
        assert line.seize(EXTENSION)
        server.phones[EXTENSION].show([KeyDescription(**LOOK)])
        assert (
            await phone.press("hush-key", number="hush-pressed")
        ).status == phone.press_status
        phone.answer, phone.reason = 415, "hush-reason"
        server.phones[EXTENSION].show([KeyDescription(**LOOK)])
        with hurrying(hass.loop):
            await phone.until(lambda: server.phones[EXTENSION].refusal is not None)
        shown = await download(hass, hass_client, entry)
        stored = server.snapshot()
        secrets = [*NO_WORDS, phone.address]

    assert {event.event_type for event in happened} == {
        f"{DOMAIN}_key_press",
        f"{DOMAIN}_dialled",
        f"{DOMAIN}_shared_line",
    }
    assert CALLER in json.dumps([dict(event.data) for event in happened])
    assert "hush" not in shown.casefold()
    assert [text for text in [*secrets, *texts(stored)] if text in shown] == []


async def test_no_setting_of_a_server_that_does_not_run(
    hass: HomeAssistant, hass_client: ClientSessionGenerator, port: int
) -> None:
    entry = await set_up(hass, port)
    await hass.config_entries.async_unload(entry.entry_id)
    shown = await download(hass, hass_client, entry)
    assert "hush" not in shown
    assert [text for text in NO_WORDS if text in shown] == []


async def test_no_short_number_but_extensions_and_keys(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    config_entry: MockConfigEntry,
) -> None:
    """A code that is dialled, and a caller in the house, are as short as an extension."""
    switch = KEYS[2] | {"name": "7101", "number_on": "7102", "number_off": "7103"}
    rules = [{"number": "7104", "run": "script.7105"}]
    update_phone(
        hass,
        config_entry,
        title="7106",
        password="71077107",
        keys=[*KEYS[:2], switch],
        dialling={"redirect_to": "sip:7108@7109", "dial_rules": rules},
    )
    add_phone(hass, config_entry, line_subentry(code="7110"))
    assert await hass.config_entries.async_setup(config_entry.entry_id)
    await hass.async_block_till_done()
    phone = RawPhone((LOCALHOST, config_entry.data["port"]), "44", "71077107")
    async with phone:
        assert (await phone.register()).status == 200
        await hass.services.async_call(
            DOMAIN,
            "set_key",
            {
                "device_id": config_entry.runtime_data.phones["44"].device_id,
                "key": "2",
                "label": "7111",
                "display_name": "7112",
                "caller": "7113",
                "number": "7114",
                "forward": "always7115",
                "mwi": "7116/7117",
                "treatment": "7118 7119",
            },
            blocking=True,
        )
        await phone.shows("2", i="7113")
        assert (await phone.invite("7104")).status == 486
        assert (await phone.invite("7120")).status == 486
        assert (await phone.press("2", number="7121")).status == phone.press_status
        shown = await download(hass, hass_client, config_entry)
    assert re.findall(r"\b71[0-2]\d\b", shown) == []
    assert '"extension": "44"' in shown


async def test_what_is_shown(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    server: MockConfigEntry,
    phones: Phones,
) -> None:
    phone = await phones()
    await hass.services.async_call(
        "light", "turn_on", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    await phone.shows("1", c="on")
    phone.answer = 415
    await hass.services.async_call(
        "light", "turn_off", {"entity_id": "light.phone_44_key_1"}, blocking=True
    )
    running = server.runtime_data.server.phones["44"]
    with hurrying(hass.loop):
        await phone.until(lambda: running.refusal is not None)

    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, server)

    assert PASSWORD not in json.dumps(diagnostics)
    assert diagnostics["server"] == {
        "host": REDACTED,
        "port": server.data["port"],
        "realm": "home-assistant",
        "advertised_host": REDACTED,
    }
    assert diagnostics["dropped"] == dict.fromkeys(Drop, 0)
    assert diagnostics["provisioning"] == {
        "refused_fetches": 0,
        "unread_announcements": 0,
        "strangers": [],
    }
    here, away = diagnostics["phones"]
    assert here["settings"] == {
        "extension": "44",
        "password": REDACTED,
        "token": REDACTED,
        "model": "D785",
        "keys": [key | {"name": REDACTED} for key in KEYS],
    }
    assert here["available"] is True
    assert here["refusal"] == "415"
    assert here["registration"]["user_agent"] == f"snomD785/10.1.198.12 {REDACTED}"
    assert here["registration"]["supports_buttons"] is True
    assert here["registration"]["expires_at"].endswith("+00:00")
    assert here["looks"][0] == {
        "name": "1",
        "light": "off",
        "number": REDACTED,
        "action": "message",
        "label": REDACTED,
    }
    assert away["available"] is False
    assert away["in_sync"] is False
    assert away["registration"] is None


async def test_what_is_shown_of_a_server_that_does_not_run(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    server: MockConfigEntry,
) -> None:
    await hass.config_entries.async_unload(server.entry_id)
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, server)
    keys = [key | {"name": REDACTED} for key in KEYS]
    common = {
        "password": REDACTED,
        "token": REDACTED,
        "model": "D785",
        "keys": keys,
    }
    assert diagnostics["phones"] == [
        {"settings": common | {"extension": "44"}},
        {"settings": common | {"extension": "45"}},
    ]


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        ("snomD785/10.1.198.12 0004130DD7C9", f"snomD785/10.1.198.12 {REDACTED}"),
        ("snom105-3.56p", "snom105-3.56p"),
        ("snom821/8.9.3.80", "snom821/8.9.3.80"),
        (
            "snomM700/03.23.0005 (MAC=000413AABBCC; HW=255)",
            f"snomM700/03.23.0005 {REDACTED}",
        ),
        (
            "Yealink SIP-T46S 66.86.0.15 805ec0aabbcc",
            f"Yealink SIP-T46S 66.86.0.15 {REDACTED}",
        ),
        ("Fanvil X6U 2.4.5 0C:38:3E:AA:BB:CC", f"Fanvil X6U 2.4.5 {REDACTED}"),
        (
            "Fanvil X6U 0c-38-3e-a1-bb-cc",
            f"Fanvil X6U {REDACTED}",
        ),
        # Hardware addresses that look like models and versions.
        ("snomD785/10.1.198.12 0004-1312-3456", f"snomD785/10.1.198.12 {REDACTED}"),
        ("snomD785/10.1.198.12 0004.1312.3456", f"snomD785/10.1.198.12 {REDACTED}"),
        ("snomD785 0004.1312.3456", f"snomD785 {REDACTED}"),
        ("snomD785/10.1.198.12 192.0.2.7", f"snomD785/10.1.198.12 {REDACTED}"),
        ("snomD785/10.1.198.12 0171 2345 678", f"snomD785/10.1.198.12 {REDACTED}"),
        ("snomhush/10.1.198.12", REDACTED),
        ("AVM FRITZ!Box 7590 154.07.29", "AVM FRITZ!Box 7590 154.07.29"),
        ("Grandstream GRP2612W 1.0.5.67", "Grandstream GRP2612W 1.0.5.67"),
        ("PolycomVVX-VVX_450-UA/6.4.3.5018", "PolycomVVX-VVX_450-UA/6.4.3.5018"),
        (
            "PolycomSoundPointIP-SPIP_650-UA/3.1.3.0439",
            "PolycomSoundPointIP-SPIP_650-UA/3.1.3.0439",
        ),
        ("Cisco/SPA303-7.5.6a", "Cisco/SPA303-7.5.6a"),
        ("Cisco-CP8865/14.4.1", "Cisco-CP8865/14.4.1"),
        (
            "Cisco-CP-8841-3PCC/11.3.7 (00562b043615)",
            f"Cisco-CP-8841-3PCC/11.3.7 {REDACTED}",
        ),
        (
            "Gigaset Maxwell 3/2.23.0;7C2F80AABBCC",
            f"Gigaset Maxwell 3/2.23.0{REDACTED}",
        ),
        ("Grandstream GXPANN 1.0.5.67", f"Grandstream {REDACTED}"),
        ("Cisco/SPA303 2004 1.0.5", f"Cisco/SPA303 {REDACTED}"),
        ("Gigaset 0123456789abcdef", f"Gigaset {REDACTED}"),
        ("baresip v1.0.0", "baresip v1.0.0"),
        ("Some-Phone_0c-38-3e-aa-bb-cc/1.0", REDACTED),
        ("Kitchen 1.0", REDACTED),
    ],
)
async def test_makers_models_and_versions_of_a_user_agent(
    hass: HomeAssistant,
    hass_client: ClientSessionGenerator,
    server: MockConfigEntry,
    phones: Phones,
    *,
    user_agent: str,
    shown: str,
) -> None:
    await phones(user_agent=user_agent)
    diagnostics = await get_diagnostics_for_config_entry(hass, hass_client, server)
    assert diagnostics["phones"][0]["registration"]["user_agent"] == shown
