"""The stored state of a server, as JSON. Bindings end in wall-clock time there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
import hashlib
from ipaddress import ip_address
import logging
import time
from typing import Any

from ..sip import (
    MAX_EXPIRES,
    Binding,
    Flow,
    LocationService,
    parse_address,
    parse_path,
    parse_uri,
    readable,
)
from ..xbuttons import KeyDescription, LightMode, format_document, parse_document
from .key import SavedLook
from .line import SharedLine
from .phone import Phone
from .settings import ServerSettings

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of what a snapshot contains."""

    extension: str | None = None
    """The phone; None for the shared lines."""
    only_label: bool = False
    """Nothing changed but the label of a key, which need not be stored soon."""


@dataclass(frozen=True, slots=True)
class Storage:
    """The snapshots of a server."""

    settings: ServerSettings
    phones: Mapping[str, Phone]
    lines: Mapping[str, SharedLine]
    location: LocationService
    clock: Callable[[], float]
    """That of `location`."""

    def snapshot(self) -> dict[str, Any]:
        """Return the argument of `restore`, as JSON."""
        return {
            "phones": {
                extension: self.phone_snapshot(phone)
                for extension, phone in self.phones.items()
            },
            "lines": self.lines_snapshot(),
        }

    def phone_snapshot(self, phone: Phone) -> dict[str, Any]:
        """Return what is stored of a phone."""
        bindings = self.location.bindings(phone.extension)
        return {
            "bindings": save_bindings(bindings, self.clock()),
            "keys": save_keys(phone.saved_looks, phone.unconfigured),
            "proof": _proof(phone),
        }

    def lines_snapshot(self) -> dict[str, Any]:
        """Return what is stored of the shared lines."""
        return {line_id: line.save() for line_id, line in self.lines.items()}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Restore the phones, keys and lines that are set up."""
        # Version 0.1 stored only the phones.
        phones = snapshot.get("phones", snapshot)
        lines = snapshot.get("lines")
        for extension, phone in self.phones.items():
            saved = phones.get(extension) if isinstance(phones, Mapping) else None
            if isinstance(saved, Mapping):
                self._restore_phone(phone, saved)
        for line_id, line in self.lines.items():
            line.restore(lines.get(line_id) if isinstance(lines, Mapping) else None)

    def _restore_phone(self, phone: Phone, saved: Mapping[str, Any]) -> None:
        phone.restore(*load_keys(saved.get("keys")))
        proofs = (_proof(phone), _proof(phone, self.settings.realm))
        if phone.setup.address is None and saved.get("proof") in proofs:
            bindings = load_bindings(saved.get("bindings"), self.clock())
            self.location.restore(
                binding
                for binding in bindings
                if binding.user == phone.extension
                and binding.flow.transport in self.settings.ports
            )


def _proof(phone: Phone, *realm: str) -> str:
    """Return a digest that shows which password a registration was made with.

    Version 0.1 had the realm in it, too.
    """
    secret = "\0".join((phone.extension, *realm, phone.setup.password))
    return hashlib.sha256(secret.encode()).hexdigest()


def save_bindings(bindings: Iterable[Binding], now: float) -> list[dict[str, Any]]:
    """Return bindings as JSON; `now` is the time in their clock.

    Left out: those by a connection, by address, or not UTF-8, which JSON cannot hold.
    """
    saved = []
    for binding in bindings:
        if binding.flow.is_reliable or binding.is_address:
            continue
        texts = (binding.aor.text, binding.contact.text, binding.call_id, *binding.path)
        if readable("".join(texts)) != "".join(texts):
            continue
        saved.append(
            {
                "user": binding.user,
                "aor": binding.aor.text,
                "contact": binding.contact.text,
                "flow": list(binding.flow[:3]),
                "call_id": binding.call_id,
                "cseq": binding.cseq,
                "expires_at": time.time() + binding.expires_at - now,
                "instance": binding.instance,
                "user_agent": binding.user_agent,
                "supports_buttons": binding.supports_buttons,
                "path": list(binding.path),
                "forwarded": binding.forwarded,
            }
        )
    return saved


def load_bindings(saved: object, now: float) -> list[Binding]:
    """Return the bindings of `save_bindings`; broken ones are left out."""
    bindings = []
    for item in saved if isinstance(saved, list) else ():
        try:
            bindings.append(_load_binding(item, now))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            _LOGGER.warning("A stored registration cannot be read: %r", error)
    return bindings


def _load_binding(item: Mapping[str, Any], now: float) -> Binding:
    """Return a binding. Raises KeyError, TypeError or ValueError if it is broken."""
    transport, host, port = item["flow"]
    if transport != "UDP" or not isinstance(port, int) or not 0 < port < 65536:
        raise ValueError(f"{item['flow']!r} is not a flow")
    for name in ("aor", "contact", "call_id"):
        if readable(item[name]) != item[name]:
            raise ValueError(f"{item[name]!r} is no {name}")
    for name in ("instance", "user_agent"):
        if not isinstance(item[name], str | None):
            raise TypeError(f"{item[name]!r} is no {name}")
    # Version 0.1 did not support proxies.
    path = item.get("path", [])
    if not isinstance(path, list) or readable("".join(path)) != "".join(path):
        raise ValueError(f"{path!r} is no path")
    left = min(item["expires_at"] - time.time(), MAX_EXPIRES)
    return Binding(
        user=item["user"],
        aor=parse_uri(item["aor"]),
        contact=parse_address(item["contact"]),
        flow=Flow(transport, str(ip_address(host)), port),
        call_id=item["call_id"],
        cseq=int(item["cseq"]),
        expires_at=now + left,
        instance=item["instance"],
        user_agent=item["user_agent"],
        supports_buttons=bool(item["supports_buttons"]),
        path=parse_path(path),
        forwarded=bool(path or item.get("forwarded")),
        restored=True,
    )


def save_keys(
    looks: Iterable[SavedLook], unconfigured: Iterable[KeyDescription]
) -> list[dict[str, Any]]:
    """Return looks as JSON: each is a buttons document."""
    return [*map(_save_look, looks), *({"shown": _save(look)} for look in unconfigured)]


def _save_look(look: SavedLook) -> dict[str, Any]:
    saved: dict[str, Any] = {
        "configured": _save(look.configured),
        "shown": _save(look.shown),
        "on": look.is_on,
    }
    if not look.used:
        saved["used"] = False
    if look.colors:
        saved["colors"] = True
    return saved


def load_keys(saved: object) -> tuple[list[SavedLook], list[KeyDescription]]:
    """Return the looks of `save_keys`, or version 0.1's; broken ones are left out."""
    if isinstance(saved, str):
        return _load_document(saved), []
    looks: list[SavedLook] = []
    unconfigured: list[KeyDescription] = []
    for item in saved if isinstance(saved, list) else ():
        try:
            if "configured" in item:
                looks.append(_load_look(item))
            else:
                (shown,) = _load(item["shown"])
                unconfigured.append(shown)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            _LOGGER.warning("A stored look of a key cannot be read: %r", error)
    return looks, unconfigured


def _load_look(item: Mapping[str, Any]) -> SavedLook:
    """Return a look. Raises KeyError, TypeError or ValueError if it is broken."""
    (configured,) = _load(item["configured"])
    (shown,) = _load(item["shown"])
    return SavedLook(
        configured=configured,
        shown=shown,
        is_on=bool(item["on"]),
        used=item.get("used") is not False,
        colors=item.get("colors") is True,
    )


def _save(description: KeyDescription) -> str:
    return format_document((description,)).decode()


def _load(document: str) -> tuple[KeyDescription, ...]:
    """Return a document's keys. Raises ValueError if it cannot be read and written."""
    keys = parse_document(document.encode())
    format_document(keys)
    return keys


def _load_document(document: str) -> list[SavedLook]:
    """Return the looks that version 0.1 stored, none if they are broken."""
    try:
        return [
            SavedLook(
                configured=replace(shown, color=None),
                shown=shown,
                is_on=shown.light != LightMode.OFF,
            )
            for shown in _load(document)
        ]
    except ValueError as error:
        _LOGGER.warning("The stored looks of a phone's keys cannot be read: %s", error)
        return []
