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

from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import MockHAClientWebSocket
import voluptuous as vol

from custom_components.snom_buttons.flows.arrange import FaultMessage, KeyForm
from custom_components.snom_buttons.hub.face import FaceMessage, KeyPreview
from homeassistant.auth.models import Credentials
from homeassistant.core import HomeAssistant

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
    if origin is dict:
        return {str: object}
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
FORM = vol.Schema(schema_of(KeyForm))
CHANGED = vol.Schema(schema_of(KeyPreview | FaultMessage))


async def token_of(hass: HomeAssistant, policy: dict[str, Any]) -> str:
    """Return the token of a user who is no administrator."""
    user = MockUser().add_to_hass(hass)
    user.mock_policy(policy)
    credential = Credentials(
        id="user",
        auth_provider_type="homeassistant",
        auth_provider_id=None,
        data={},
        is_new=False,
    )
    await hass.auth.async_link_user(user, credential)
    refresh = await hass.auth.async_create_refresh_token(
        user, "https://card.example/", credential=credential
    )
    return hass.auth.async_create_access_token(refresh)


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


class Arranger:
    """An administrator who arranges the keys of a phone, as the card does."""

    def __init__(self, client: MockHAClientWebSocket, device_id: str) -> None:
        self.client = client
        self.device_id = device_id

    async def send(self, **command: Any) -> dict[str, Any]:
        """Return the answer to a command."""
        await self.client.send_json_auto_id(
            {
                "type": "snom_buttons/phone/arrange",
                "device_id": self.device_id,
                **command,
            }
        )
        answer: dict[str, Any] = await self.client.receive_json()
        return answer

    async def form(self, **command: Any) -> dict[str, Any]:
        """Return the form and the settings of the keys."""
        answer = await self.send(**command)
        assert answer["success"], answer
        FORM(answer["result"])
        form: dict[str, Any] = answer["result"]
        return form

    async def values(self, key: str) -> dict[str, Any]:
        """Return the settings of a key."""
        form = await self.form()
        [values] = [each for each in form["keys"] if each["key"] == key]
        found: dict[str, Any] = values
        return found

    async def set(self, key: str, **command: Any) -> dict[str, Any]:
        """Change a key, or try it; return the result."""
        answer = await self.send(key=key, **command)
        assert answer["success"], answer
        CHANGED(answer["result"])
        result: dict[str, Any] = answer["result"]
        return result

    async def swap(self, key: str, other: str) -> dict[str, Any] | None:
        """Exchange two keys; return the fault if there is one."""
        answer = await self.send(key=key, swap_with=other)
        assert answer["success"], answer
        result: dict[str, Any] | None = answer["result"]
        return result
