"""What the user has set, typed: the data of a config entry and of its phones."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import (
    CONF_HOST,
    CONF_MODEL,
    CONF_NAME,
    CONF_PASSWORD,
    CONF_PORT,
)

from .const import (
    CONF_ADVERTISED_HOST,
    CONF_COLORS,
    CONF_EXTENSION,
    CONF_KEY,
    CONF_KEYS,
    CONF_KIND,
    CONF_REALM,
    SUBENTRY_TYPE_PHONE,
)
from .phones import Action, KeyDescription, ServerSettings


class KeyKind(StrEnum):
    """What a key is in Home Assistant."""

    LIGHT = "light"
    SWITCH = "switch"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """One key of a phone, as the user has set it."""

    key: str
    """The key's name in the buttons document: the number of its *Button*."""
    name: str
    kind: KeyKind = KeyKind.LIGHT
    colors: bool = False
    """Whether its lamp has several colours."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the key that `as_dict` stored."""
        return cls(
            key=data[CONF_KEY],
            name=data[CONF_NAME],
            kind=KeyKind(data[CONF_KIND]),
            colors=data[CONF_COLORS],
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the key as the config entry stores it."""
        return {
            CONF_KEY: self.key,
            CONF_NAME: self.name,
            CONF_KIND: self.kind.value,
            CONF_COLORS: self.colors,
        }

    @property
    def description(self) -> KeyDescription:
        """Return the key as the phone gets it, its lamp off.

        With this action and a number a press always comes to us.
        """
        return KeyDescription(
            name=self.key,
            action=Action.MESSAGE,
            number=f"key{self.key}",
            label=self.name,
        )

    def limit(self, shown: KeyDescription) -> KeyDescription:
        """Return of what the key shows only what somebody can change here.

        Nothing could darken the lamp of a key that is not used any more, and nothing
        could change the colour of a lamp that has lost its colours.
        """
        if self.kind is KeyKind.NONE:
            return self.description
        return shown if self.colors else replace(shown, color=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneSettings:
    """One phone, as the user has set it."""

    subentry_id: str
    name: str
    extension: str
    password: str = field(repr=False)
    model: str
    keys: tuple[KeySettings, ...]

    @classmethod
    def from_subentry(cls, subentry: ConfigSubentry) -> Self:
        """Return the phone that a subentry holds."""
        return cls(
            subentry_id=subentry.subentry_id,
            name=subentry.title,
            extension=subentry.data[CONF_EXTENSION],
            password=subentry.data[CONF_PASSWORD],
            model=subentry.data[CONF_MODEL],
            keys=tuple(map(KeySettings.from_dict, subentry.data[CONF_KEYS])),
        )


def phone_settings(entry: ConfigEntry) -> list[PhoneSettings]:
    """Return the phones of a config entry."""
    return [
        PhoneSettings.from_subentry(subentry)
        for subentry in entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE)
    ]


def server_settings(data: Mapping[str, Any]) -> ServerSettings:
    """Return the server that the data of a config entry describes."""
    return ServerSettings(
        host=data[CONF_HOST],
        port=data[CONF_PORT],
        realm=data[CONF_REALM],
        advertised_host=data[CONF_ADVERTISED_HOST],
    )


def registrar_address(server: Mapping[str, Any]) -> str:
    """Return the server as phones take it."""
    host = server[CONF_ADVERTISED_HOST]
    return (
        f"[{host}]:{server[CONF_PORT]}"
        if ":" in host
        else f"{host}:{server[CONF_PORT]}"
    )
