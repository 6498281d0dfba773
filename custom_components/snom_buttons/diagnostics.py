"""Diagnostics: settings and state of a server, fit to be attached to a public report.

`SHOWN` alone decides what is private: a value that it does not name is redacted.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from datetime import datetime
import re
from typing import Any, Final

from homeassistant.components.diagnostics import REDACTED
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    CONF_DISCOVERY,
    CONF_ENABLED,
    CONF_HOST,
    CONF_MODEL,
    CONF_PORT,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr

from .const import (
    CONF_ACCESS,
    CONF_ANSWER,
    CONF_BASE_TOPIC,
    CONF_BESIDE,
    CONF_COLORS,
    CONF_COMMANDS,
    CONF_DIAL_RULES,
    CONF_DIALLING,
    CONF_EDGES,
    CONF_EXPANSION,
    CONF_EXTENSION,
    CONF_IDENTITY,
    CONF_INVERTED,
    CONF_KEEPALIVE,
    CONF_KEY,
    CONF_KEYS,
    CONF_KIND,
    CONF_LAMPS,
    CONF_LIGHT_OFF,
    CONF_LIGHT_ON,
    CONF_MAKER,
    CONF_MQTT,
    CONF_NETWORKS,
    CONF_PLUG_AND_PLAY,
    CONF_PRESS_ANSWER,
    CONF_PROVISIONING,
    CONF_REALM,
    CONF_RELEASE_AFTER,
    CONF_ROOM_LIGHTS,
    CONF_SENDING,
    CONF_SETTINGS_PORT,
    CONF_SPEAKERS,
    CONF_STATES,
    CONF_TCP,
    CONF_TLS,
    CONF_TOGGLE,
    CONF_UDP,
    DEFAULT_REALM,
    DOMAIN,
    MODEL_OTHER,
    SUBENTRY_TYPE_PHONE,
    SUBENTRY_TYPE_SHARED_LINE,
)
from .engine.dialoginfo import DialogState
from .engine.phones import (
    EXPANSIONS,
    MAKERS,
    MODELS,
    PRIVATE_NETWORKS,
    DialAnswer,
    Drop,
    KeyKind,
    Phone,
    PressAnswer,
    SentAs,
    Speakers,
)
from .engine.xbuttons import (
    Action,
    Color,
    Direction,
    KeyState,
    KeyType,
    LightMode,
    Release,
)
from .hub.hub import SnomConfigEntry
from .hub.provisioning.record import EVENTS

type Rule = Callable[[Any], object]
"""Returns what is shown of a value."""


def _private(value: Any) -> object:
    """Show only whether there is a value."""
    is_empty = value is None or value in ("", [], (), {})
    return value if is_empty else REDACTED


def _fact(value: Any) -> object:
    """Show a number, a truth value or a time, and no text."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | float) else _private(value)


def _one_of(words: Collection[str]) -> Rule:
    """Show a text only if it is one of these words."""
    return lambda value: str(value) if value in words else _private(value)


def _matching(pattern: str) -> Rule:
    """Show of a text only the beginning that matches."""
    matches = re.compile(pattern).match

    def shown(value: Any) -> object:
        match = matches(value) if isinstance(value, str) else None
        return match[0] if match else _private(value)

    return shown


def _each(rule: Rule) -> Rule:
    """Show each item of a list."""
    return lambda value: (
        [rule(item) for item in value]
        if isinstance(value, list | tuple)
        else _private(value)
    )


def _fields(rules: Mapping[str, Rule]) -> Rule:
    """Show fields by their rules; a field without a rule is private."""
    return lambda value: (
        {name: rules.get(name, _private)(item) for name, item in value.items()}
        if isinstance(value, Mapping)
        else _private(value)
    )


def _user_agent(value: Any) -> object:
    """Show maker, model and version; what follows may be a hardware address."""
    shown = AGENT.match(value) if isinstance(value, str) else None
    if shown is None:
        return _private(value)
    rest = value[shown.end() :]
    blank = rest[: len(rest) - len(rest.lstrip(" /_-"))]
    return shown[0] + (f"{blank}{REDACTED}" if rest else "")


MAKER: Final = (
    "(?:snom|yealink|fanvil|gigaset|grandstream|cisco|polycom|panasonic|avm|fritz!box"
    "|3com|zoiper|linphone|baresip|pjsua|mizudroid|sofia|asterisk|pyvoip|mjsip)"
)
AGENT: Final = re.compile(
    rf"{MAKER}(?:SoundPointIP|[a-z]?\d{{0,4}}[a-z]{{0,2}})\b"  # snomD785
    rf"(?:[ /_-]+{MAKER}\b)?"  # AVM FRITZ!Box
    r"(?:[ /_-]+SIP\b)?"
    r"(?:[ /_-]+(?:"
    r"(?:CP-|GRP|GXP|SPA|SPIP_|VVX_|Maxwell )\d{1,4}[a-z]?"  # GRP2612W
    r"|(?=.{3})[a-z]{0,2}\d{1,4}[a-z]{0,2}"  # T46S
    r")(?![^ /_-]))?"
    r"(?:-(?:UA|3PCC)\b)?"  # VVX_450-UA
    r"(?:[ /_-]+v?\d{1,3}(?:\.\d{1,4}){1,3}[a-z]?(?![^ /_;-]))?",  # 10.1.198.12
    re.ASCII | re.IGNORECASE,
)
"""The beginning of a User-Agent that is shown: each part at most once."""

_SHORT_NUMBER: Final = _matching(r"[0-9]{1,4}\Z")
"""A number inside the house: an extension, or a key."""

_PORT: Final = {CONF_PORT: _fact, CONF_ENABLED: _fact}
_SERVER: Final = {
    CONF_HOST: _one_of(("0.0.0.0", "::")),  # noqa: S104, compared with, not bound to
    CONF_PORT: _fact,
    CONF_REALM: _one_of((DEFAULT_REALM,)),
    CONF_UDP: _fields(_PORT),
    CONF_TCP: _fields(_PORT),
    CONF_TLS: _fields(_PORT),
    CONF_ACCESS: _fields(
        {
            CONF_NETWORKS: _each(
                _one_of([str(network) for network in PRIVATE_NETWORKS])
            ),
            CONF_EDGES: _each(_private),
            CONF_KEEPALIVE: _fact,
            CONF_PLUG_AND_PLAY: _fact,
            CONF_SETTINGS_PORT: _fact,
        }
    ),
}

_MQTT: Final = {
    CONF_MQTT: _fact,
    CONF_BASE_TOPIC: _one_of((DOMAIN,)),
    CONF_COMMANDS: _fact,
    CONF_DISCOVERY: _fact,
}

_MODELS_OF_MAKERS: Final = [
    model for maker in MAKERS.values() for model in maker.models
]
_PHONE: Final = {
    CONF_EXTENSION: _SHORT_NUMBER,
    CONF_MAKER: _one_of(MAKERS),
    CONF_MODEL: _one_of((*MODELS, *_MODELS_OF_MAKERS, MODEL_OTHER)),
    CONF_EXPANSION: _one_of(EXPANSIONS),
    CONF_ROOM_LIGHTS: _fact,
    CONF_KEYS: _each(
        _fields(
            {
                CONF_KEY: _SHORT_NUMBER,
                CONF_KIND: _one_of(list(KeyKind)),
                CONF_COLORS: _fact,
                CONF_TOGGLE: _fact,
                CONF_LIGHT_ON: _one_of(list(LightMode)),
                CONF_LIGHT_OFF: _one_of(list(LightMode)),
            }
        )
    ),
    CONF_PROVISIONING: _fields(
        dict.fromkeys((CONF_BESIDE, CONF_IDENTITY, CONF_LAMPS), _fact)
    ),
    CONF_SENDING: _fields(
        {
            CONF_SPEAKERS: _one_of(list(Speakers)),
            CONF_PRESS_ANSWER: _one_of(list(PressAnswer)),
            CONF_INVERTED: _fact,
            CONF_STATES: _fields(dict.fromkeys(LightMode, _one_of(list(DialogState)))),
        }
    ),
    CONF_DIALLING: _fields(
        {
            CONF_ANSWER: _one_of(list(DialAnswer)),
            CONF_DIAL_RULES: _each(_fields({})),
        }
    ),
}

_LOOK: Final = {
    "name": _SHORT_NUMBER,
    "light": _one_of(list(LightMode)),
    "color": _one_of(list(Color)),
    "action": _one_of(list(Action)),
    "direction": _one_of(list(Direction)),
    "release": _one_of(list(Release)),
    "states": _each(_one_of(list(KeyState))),
    "type": _one_of(list(KeyType)),
}

_MODEL: Final = r"(?:snom)?[A-Z]{0,2}\d{1,4}[A-Z]{0,2}"
_WORD: Final = (
    rf"(?:{_MODEL}|\{{mac\}}|snom|settings|general|firmware|fkeys|gui|web|phone"
    "|dialplan|directory|customization|language|certificates)"
)
_FILE: Final = re.compile(
    rf"(?:{_WORD}(?:[-_]{_WORD})*\.(?:htm|html|xml|cfg|txt|bin|php))?"
)


def _file(value: Any) -> object:
    """Show the name of a settings file, without a hardware address in it."""
    if not isinstance(value, str):
        return _private(value)
    named = re.sub("[0-9A-Fa-f]{12}", "{mac}", value)
    return named if _FILE.fullmatch(named) else _private(value)


def _agent_of_fetch(value: Any) -> object:
    """Show the part of a User-Agent, as that of a browser, that names the phone."""
    prefix = "Mozilla/4.0 (compatible; "
    return _user_agent(value.removeprefix(prefix) if isinstance(value, str) else value)


_RECORD: Final = _each(
    _fields(
        {
            "event": _one_of(EVENTS),
            "first": _fact,
            "last": _fact,
            "count": _fact,
            "vendor": _matching(rf"(?i:{MAKER}|oem)\Z"),
            "model": _matching(rf"{_MODEL}\Z"),
            "version": _matching(r"\d{1,3}(?:\.\d{1,4}){1,3}\Z"),
            "port": _fact,
            "status": _fact,
            "file": _file,
            "user_agent": _agent_of_fetch,
            "result": _matching(
                r"(?:accepted|phone_not_registered|check_sync_[a-z_]+)\Z"
            ),
        }
    )
)

SHOWN: Final = _fields(
    {
        "server": _fields(_SERVER),
        "dropped": _fields(dict.fromkeys(Drop, _fact)),
        "provisioning": _fields(
            {
                "refused_fetches": _fact,
                "unread_announcements": _fact,
                "strangers": _each(
                    _fields({"mac": _matching("[0-9A-F]{6}"), "record": _RECORD})
                ),
            }
        ),
        "mqtt": _fields(
            {
                "settings": _fields(_MQTT),
                "published": _fact,
                "dropped": _fact,
                "waiting": _fact,
            }
        ),
        "phones": _each(
            _fields(
                {
                    "settings": _fields(_PHONE),
                    "available": _fact,
                    "in_sync": _fact,
                    "refusal": _matching(r"[1-6]\d\d\b"),  # without its reason phrase
                    "round_trip": _fact,
                    "traffic": _fields(
                        dict.fromkeys(("sent", "repeated", "refused"), _fact)
                    ),
                    "registration": _fields(
                        {
                            "transport": _one_of(("udp", "tcp", "tls")),
                            "user_agent": _user_agent,
                            "expires_at": _fact,
                            "supports_buttons": _fact,
                        }
                    ),
                    "contacts": _each(
                        _fields(
                            {
                                "user_agent": _user_agent,
                                "sent_as": _one_of(list(SentAs)),
                                "subscriptions": _fact,
                                # without its reason phrase
                                "documents_refused": _matching(r"[1-6]\d\d\b"),
                            }
                        )
                    ),
                    "looks": _each(_fields(_LOOK)),
                    "provisioning": _RECORD,
                }
            )
        ),
        "shared_lines": _each(
            _fields(
                {
                    "settings": _fields(
                        {
                            CONF_KEYS: _each(_fields({CONF_KEY: _SHORT_NUMBER})),
                            CONF_RELEASE_AFTER: _fact,
                        }
                    ),
                    "seized": _fact,
                    "phone": _SHORT_NUMBER,
                }
            )
        ),
    }
)
"""All that is shown, by the structure of the diagnostics."""


async def async_get_config_entry_diagnostics(
    hass: HomeAssistant, entry: SnomConfigEntry
) -> object:
    """Return the settings, and the state of each phone while the server runs."""
    return _diagnostics(entry, list(entry.subentries))


async def async_get_device_diagnostics(
    hass: HomeAssistant, entry: SnomConfigEntry, device: dr.DeviceEntry
) -> object:
    """Return the same of one phone or line alone, or of the whole server."""
    ids = {identifier[1] for identifier in device.identifiers}
    whole = entry.entry_id in ids
    return _diagnostics(entry, [it for it in entry.subentries if whole or it in ids])


def _diagnostics(entry: SnomConfigEntry, subentries: Collection[str]) -> object:
    """Return what is shown, with those phones and lines."""
    status: dict[str, dict[str, Any]] = {}
    mqtt: dict[str, Any] = {}
    dropped: dict[str, int] = {}
    provisioning: dict[str, Any] = {}
    if entry.state is ConfigEntryState.LOADED:
        hub = entry.runtime_data
        mqtt = hub.mqtt.diagnostics
        dropped = hub.server.dropped
        provisioning = {
            "refused_fetches": hub.provisioning.files.refused,
            "unread_announcements": hub.provisioning.plug_and_play.dropped,
            "strangers": hub.provisioning.record.strangers,
        }
        for phone in hub.phones.values():
            record = hub.provisioning.record.of(phone.settings)
            status[phone.settings.subentry_id] = _phone_status(phone.phone) | {
                "provisioning": record
            }
        for subentry_id, part in hub.lines.items():
            status[subentry_id] = part.line.save()

    def parts(subentry_type: str) -> list[dict[str, Any]]:
        return [
            {"settings": subentry.data} | status.get(subentry.subentry_id, {})
            for subentry in entry.get_subentries_of_type(subentry_type)
            if subentry.subentry_id in subentries
        ]

    return SHOWN(
        {
            "server": entry.data,
            "dropped": dropped,
            "provisioning": provisioning,
            "mqtt": {"settings": entry.options} | mqtt,
            "phones": parts(SUBENTRY_TYPE_PHONE),
            "shared_lines": parts(SUBENTRY_TYPE_SHARED_LINE),
        }
    )


def _phone_status(phone: Phone) -> dict[str, Any]:
    registration = phone.registration
    return {
        "available": phone.available,
        "in_sync": phone.in_sync,
        "refusal": phone.refusal,
        "round_trip": phone.round_trip,
        "traffic": asdict(phone.traffic),
        "registration": registration and asdict(registration),
        "contacts": [sending._asdict() for sending in phone.sendings],
        "looks": [
            {name: value for name, value in asdict(key.look).items() if value}
            for key in phone.keys.values()
        ],
    }
