"""Button entities: what a phone can be asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import override

from homeassistant.components.button import (
    ButtonDeviceClass,
    ButtonEntity,
    ButtonEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import Context

from .const import ANSWER_WAIT
from .engine.phones import KeyKind, Phone
from .engine.xbuttons import LightMode
from .entity import SnomPhoneEntity, platform_setup
from .hub.lamp_turns import LAMPS_A_TURN
from .hub.phone import SnomPhone
from .hub.refused import refusals_translated

PARALLEL_UPDATES = 0


async def _async_send_all_keys(phone: Phone, _: Context | None) -> None:
    await phone.send_all(ANSWER_WAIT)


async def _async_turn_lamps_off(phone: Phone, cause: Context | None) -> None:
    """Turn off all lamps but those of shared lines, which show who holds the line.

    A linked key shows it until it is reset, or what it follows changes.
    """
    for number, key in enumerate([*phone.keys.values()], 1):
        if key.setup.kind is not KeyKind.SHARED:
            key.turn(False, cause)
        if number % LAMPS_A_TURN == 0:
            await asyncio.sleep(0)
    lit = [look for look in phone.unconfigured if look.light != LightMode.OFF]
    phone.show([replace(look, light=LightMode.OFF) for look in lit], cause)


async def _async_check_sync(
    phone: Phone, _: Context | None, *, reboot: bool = False
) -> None:
    await phone.check_sync(reboot=reboot, within=ANSWER_WAIT)


@dataclass(frozen=True, kw_only=True)
class SnomButtonDescription(ButtonEntityDescription):
    """Description of a phone's button."""

    press: Callable[[Phone, Context | None], Awaitable[None]]
    """Called with the context of the press. Raises Refused."""


# Configuration, so that actions on an area leave them alone.
BUTTONS = (
    SnomButtonDescription(
        key="send_all_keys",
        translation_key="send_all_keys",
        entity_category=EntityCategory.CONFIG,
        press=_async_send_all_keys,
    ),
    SnomButtonDescription(
        key="all_lamps_off",
        translation_key="all_lamps_off",
        entity_category=EntityCategory.CONFIG,
        press=_async_turn_lamps_off,
    ),
    SnomButtonDescription(
        key="fetch_settings",
        translation_key="fetch_settings",
        entity_category=EntityCategory.CONFIG,
        press=_async_check_sync,
    ),
    SnomButtonDescription(
        key="restart",
        translation_key="restart",
        device_class=ButtonDeviceClass.RESTART,
        entity_category=EntityCategory.CONFIG,
        press=partial(_async_check_sync, reboot=True),
    ),
)


class SnomButton(SnomPhoneEntity, ButtonEntity):
    """A button of a phone; a press fails if the phone refuses or does not answer."""

    entity_description: SnomButtonDescription

    def __init__(self, phone: SnomPhone, description: SnomButtonDescription) -> None:
        """Create the button of a description."""
        super().__init__(phone, description.key)
        self.entity_description = description

    @override
    async def async_press(self) -> None:
        with refusals_translated():
            await self.entity_description.press(self.phone, self._context)


async_setup_entry = platform_setup(
    of_phone=[partial(SnomButton, description=button) for button in BUTTONS]
)
