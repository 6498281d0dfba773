"""A client that looks at phones as the card does, and checks each message that it gets."""

import asyncio
import json
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    TypeAliasType,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket
import voluptuous as vol

from custom_components.snom_buttons.hub.faces import FaceMessage

from .patience import PATIENCE

MAX_MESSAGE = 1024
"""Bytes of a message about one changed key, whatever it shows."""


def schema_of(hint: Any) -> Any:
    """Return the schema of a type of JSON: of a TypedDict exactly its fields."""
    if isinstance(hint, TypeAliasType):
        return schema_of(hint.__value__)
    if is_typeddict(hint):
        fields = get_type_hints(hint, include_extras=True)
        return vol.Schema(
            {
                vol.Optional(name) if optional else vol.Required(name): schema_of(
                    get_args(each)[0] if optional else each
                )
                for name, each in fields.items()
                for optional in [get_origin(each) is NotRequired]
            },
            extra=vol.PREVENT_EXTRA,
        )
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return vol.In(arguments)
    if origin in (Union, UnionType):
        return vol.Any(*map(schema_of, arguments))
    if origin is list:
        return [schema_of(arguments[0])]
    if hint in (None, NoneType):
        return None
    assert hint in (str, int, bool), hint
    return exactly(hint)


def exactly(wanted: type) -> Any:
    """Return a validator of a type, of which a truth value is no number."""

    def check(value: object) -> object:
        if type(value) is not wanted:
            raise vol.Invalid(f"expected {wanted.__name__}")
        return value

    return check


MESSAGE = vol.Schema(schema_of(FaceMessage))


class Viewer:
    """A subscription to a phone over a websocket."""

    def __init__(self, client: MockHAClientWebSocket, device_id: str) -> None:
        self.client = client
        self.device_id = device_id
        self.raw: list[str] = []
        """The messages as they came."""
        self.face: dict[str, Any] = {}
        """The face with all changes so far."""
        self.gone: str | None = None
        self.id = 0

    async def subscribe(self) -> dict[str, Any]:
        """Subscribe; return the answer."""
        await self.client.send_json_auto_id(
            {"type": "snom_buttons/phone/subscribe", "device_id": self.device_id}
        )
        answer: dict[str, Any] = await self.client.receive_json()
        self.id = answer["id"]
        return answer

    async def next(self) -> dict[str, Any]:
        """Return the next message."""
        async with asyncio.timeout(PATIENCE):
            text = (await self.client.receive()).data
        self.raw.append(text)
        event = json.loads(text)
        assert (event["id"], event["type"]) == (self.id, "event"), event
        message: dict[str, Any] = event["event"]
        MESSAGE(message)
        self.gone = message.get("gone")
        if "phone" in message:
            self.face = message["phone"]
        for name, value in message.get("changes", {}).items():
            if name == "keys":
                changed = {key["key"]: key for key in value}
                keys = self.face["keys"]
                assert changed.keys() <= {key["key"] for key in keys}
                value = [changed.get(key["key"], key) for key in keys]
            self.face[name] = value
        return message

    async def until(self, **wanted: Any) -> None:
        """Read messages until the phone has these properties."""
        while not wanted.items() <= self.face.items():
            await self.next()

    async def until_key(self, name: str, **wanted: Any) -> dict[str, Any]:
        """Read messages until a key has these properties; return its face."""
        while not wanted.items() <= self.key(name).items():
            await self.next()
        return self.key(name)

    def key(self, name: str) -> dict[str, Any]:
        """Return the face of a key as it is now."""
        [key] = [key for key in self.face["keys"] if key["key"] == name]
        return key
