"""Reads the face of a phone, and of a key as it would be with other settings."""

from collections.abc import Mapping
from typing import Final, TypedDict, cast

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..const import DOMAIN
from ..engine.keywords import color_of, lamp_of_state, pattern_of
from ..engine.phones import (
    MAKERS,
    MODELS,
    Key,
    Phone,
    PhoneServer,
    PhoneSetup,
    key_groups,
    modules_of,
)
from ..engine.refused import Refused
from ..engine.xbuttons import KeyDescription
from .card import card_version
from .face import GroupKind, KeyFace, KeyGroup, Messages, Pattern, Status
from .links.follower import KeyLinks
from .links.look import CONFIRM, LinkPreview
from .phone import SnomPhone
from .settings import KeySettings


class FaceHead(TypedDict):
    """The part of a face that changes with settings, and is the same for all users."""

    name: str
    maker: str
    model: str
    card: str
    groups: list[KeyGroup]


class FaceReader:
    """Reads the faces of the phones of one server; it keeps nothing."""

    def __init__(
        self,
        hass: HomeAssistant,
        server: PhoneServer,
        phones: Mapping[str, SnomPhone],
        links: KeyLinks,
    ) -> None:
        """Create a reader. `phones` are the phones by extension, which may change."""
        self._hass = hass
        self._server = server
        self._phones = phones
        self._links = links

    def head(self, part: SnomPhone) -> FaceHead:
        """Return the part of a phone's face that changes with settings."""
        setup = part.settings.setup
        model = self._device(part).model or ""
        groups = key_groups(
            list(part.phone.keys),
            MODELS.get(model),
            modules_of(part.settings.expansion),
        )
        return {
            "name": self._name(part),
            "maker": setup.maker,
            "model": model,
            "card": card_version(),
            "groups": [
                {
                    "kind": _GROUP_KINDS[group.layout and group.layout.on_paper],
                    "module": group.module or None,
                    "columns": group.columns,
                    "rows": group.rows,
                    "keys": list(group.keys),
                }
                for group in groups
            ],
        }

    def key(self, part: SnomPhone, key: Key) -> KeyFace:
        """Return the face of a key."""
        phone = part.phone
        link = self._links.async_link(phone.extension, key.name)
        return self._face(
            part, key, link.link.follows if link is not None else None
        ) | {
            "held_by": self._holder(phone, key),
            "lacking": phone.lacks(key.name),
            "confirming": link is not None and link.look.passing == CONFIRM,
            "pressable": key.setup.used and _is_pressable(part, key),
        }

    def preview(self, part: SnomPhone, settings: KeySettings) -> KeyFace:
        """Return the face of a key as it would be with other settings."""
        key, link = Key(settings.setup, _ignore), settings.link
        current = part.phone.keys.get(key.name)
        is_linked = self._links.async_link(part.phone.extension, key.name) is not None
        if current is not None and not is_linked:
            key.restore(current.saved)
        if link is not None:
            look = LinkPreview(
                self._hass, extension=part.phone.extension, key=key, link=link
            )
            look.async_start()
            look.async_stop()
        return self._face(part, key, link.follows if link is not None else None)

    def _face(self, part: SnomPhone, key: Key, follows: str | None) -> KeyFace:
        """Return the face of a key that is not held, and that a phone has taken."""
        look, setup = key.look, key.setup
        pattern, color = _lamp(part.phone, look)
        waiting = str(look.message_waiting or "")
        return {
            "key": key.name,
            "kind": setup.kind.value,
            "title": setup.title,
            "label": look.label or look.display_name or "",
            "caller": look.caller or "",
            "waiting": "" if waiting == "0/0" else waiting,
            "light": look.light,
            "pattern": pattern,
            "color": color,
            "held_by": None,
            "lacking": False,
            "confirming": False,
            "pressable": setup.used,
            "entity_id": follows or self._event_entity(part, key),
        }

    def _holder(self, phone: Phone, key: Key) -> str | None:
        line = self._server.line_of(phone.extension, key.name)
        if line is None or not line.seized:
            return None
        holder = self._phones.get(line.owner or "")
        return self._name(holder) if holder is not None else ""

    def _event_entity(self, part: SnomPhone, key: Key) -> str | None:
        registry = er.async_get(self._hass)
        unique_id = f"{part.settings.subentry_id}_{key.name}_press"
        entity_id = registry.async_get_entity_id("event", DOMAIN, unique_id)
        known = registry.async_get(entity_id) if entity_id else None
        return known.entity_id if known is not None and not known.disabled else None

    def _name(self, part: SnomPhone) -> str:
        device = self._device(part)
        return device.name_by_user or device.name or part.settings.setup.name

    def _device(self, part: SnomPhone) -> dr.DeviceEntry:
        device = dr.async_get(self._hass).async_get(part.device_id)
        assert isinstance(device, dr.DeviceEntry)
        return device


_GROUP_KINDS: Final[Mapping[bool | None, GroupKind]] = {
    True: "paper",
    False: "screen",
    None: "generic",
}
"""By whether the labels are on paper."""


def _ignore(_: Key, __: bool) -> None:
    """Send nothing of a key that is only looked at."""


def _is_pressable(part: SnomPhone, key: Key) -> bool:
    number = key.look.number
    if number and number.isprintable():  # the phone sends it, or the name of the key
        return True
    try:
        part.check_press(key.name)
    except Refused:
        return False
    return True


def status_of(phone: Phone) -> Status:
    """Return whether a phone has taken what its keys should show."""
    if not phone.registrations:
        return "absent"
    if not phone.available:
        return "silent"
    if phone.refusal is not None:
        return "refusing"
    return "in_sync" if phone.in_sync else "behind"


def messages_of(phone: Phone) -> Messages | None:
    """Return what the message lamp shows, None if the phone has not subscribed to it."""
    if not phone.has_subscribed_messages:
        return None
    return {"new": phone.waiting.new, "old": phone.waiting.old}


def _lamp(phone: Phone, look: KeyDescription) -> tuple[Pattern, str]:
    """Return the pattern and the colour of a lamp, as the phone shows it."""
    pattern, color = pattern_of(look), color_of(look)
    if phone.shows_dialog_state(look.name):
        pattern, color = lamp_of_state(
            phone.setup.blf.state_of(look), idle_is_green=_is_idle_green(phone.setup)
        )
    return cast("Pattern", pattern.name.lower()), color.lower()


def _is_idle_green(setup: PhoneSetup) -> bool:
    """Return whether the lamp of a BLF key is green while its state is terminated.

    If the maker's lamps are not known, it is if the user has inverted them: that is for
    lamps which are lit then.
    """
    if setup.maker == "snom":
        return False
    about = MAKERS.get(setup.maker.lower())
    is_green = about and about.idle_is_green
    return setup.blf.is_inverted if is_green is None else is_green
