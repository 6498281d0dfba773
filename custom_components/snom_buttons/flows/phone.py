"""The dialogue that adds a phone with its keys, or changes one."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

import voluptuous as vol

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    SubentryFlowResult,
)
from homeassistant.const import (
    CONF_ADDRESS,
    CONF_ENTITIES,
    CONF_MAC,
    CONF_MODEL,
    CONF_NAME,
    CONF_PASSWORD,
    CONF_TOKEN,
)
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ..const import (
    CONF_DIALLING,
    CONF_EXPANSION,
    CONF_EXTENSION,
    CONF_KEYS,
    CONF_MAKER,
    CONF_PROVISIONING,
    CONF_ROOM_LIGHTS,
    CONF_SENDING,
    DOMAIN,
    MODEL_OTHER,
    PANEL_PATH,
)
from ..engine.names import SIP_USER, without_forbidden
from ..engine.phones import EXPANSIONS, MAKERS, Model, can_reach, phone_address
from ..hub.markdown import escape_markdown
from ..hub.provisioning.renewal import async_with_former_password
from ..hub.provisioning.tokens import new_token
from ..hub.settings import KeySettings, server_settings
from ..hub.texts import async_load_texts, text
from .account import PASSWORD, new_password, next_extension, with_count
from .choose import (
    CHOOSE_PLACEHOLDERS,
    CONF_AREA,
    Choice,
    async_add_area,
    async_left_out,
    choose_schema,
    find_choice_faults,
    followed,
)
from .dialling import (
    DIALLING_PLACEHOLDERS,
    DIALLING_SCHEMA,
    find_dialling_faults,
    read_dialling,
)
from .forms import NAME_PLACEHOLDERS, Faults, name_error, whole_number
from .found import FoundFlow
from .keys import (
    KEYS_PLACEHOLDERS,
    MAX_KEYS,
    async_find_key_faults,
    async_keys_selector,
    has_colors,
    models_of,
    read_keys,
)
from .phone_settings import SettingsFlow
from .sending import SendingFlow

CONF_KEY_COUNT: Final = "key_count"
NO_EXPANSION: Final = "none"

SNOM: Final = "snom"
"""What stands for snom among the makers; a phone of snom is stored without one."""


def maker_schema(*, has_snom: bool) -> vol.Schema:
    """Return the form of a maker, one of MAKERS or perhaps snom."""
    options = [
        SelectOptionDict(value=maker, label=about.name)
        for maker, about in MAKERS.items()
    ]
    if has_snom:
        options.insert(0, SelectOptionDict(value=SNOM, label=SNOM))
    return vol.Schema(
        {
            vol.Required(CONF_MAKER): SelectSelector(
                SelectSelectorConfig(
                    options=options,
                    mode=SelectSelectorMode.DROPDOWN,
                    translation_key="maker",
                )
            ),
        }
    )


def account_schema(models: Iterable[str], *, is_snom: bool) -> vol.Schema:
    """Return the form of an account; that of another maker registers, without modules."""
    of_snom = {
        vol.Required(CONF_EXPANSION, default=NO_EXPANSION): SelectSelector(
            SelectSelectorConfig(
                options=[NO_EXPANSION, *EXPANSIONS],
                mode=SelectSelectorMode.DROPDOWN,
                translation_key="expansion",
            )
        ),
    }
    return vol.Schema(
        {
            vol.Required(CONF_MODEL): SelectSelector(
                SelectSelectorConfig(
                    # The frontend preselects the first: the one that asks for the keys.
                    options=[MODEL_OTHER, *models],
                    mode=SelectSelectorMode.DROPDOWN,
                    translation_key="model",
                )
            ),
            **(of_snom if is_snom else {}),
            vol.Optional(CONF_KEY_COUNT): whole_number(1, MAX_KEYS),
            vol.Required(CONF_EXTENSION): TextSelector(),
            vol.Required(CONF_PASSWORD): TextSelector(),
            vol.Optional(CONF_NAME): TextSelector(),
            **({vol.Optional(CONF_ADDRESS): TextSelector()} if is_snom else {}),
        }
    )


class PhoneFlow(FoundFlow, SettingsFlow, SendingFlow):
    """Add a phone, or change one: its account, its keys, then the settings to enter in it.

    Dialling, how keys are sent, and other settings have pages of their own, for existing
    phones only.
    """

    _account: dict[str, Any]
    _maker = ""
    """The maker as in MAKERS, "" for snom."""
    _room_lights = False

    @property
    def _models(self) -> Mapping[str, Model]:
        """The models of the phone's maker."""
        return models_of(self._maker)

    async def async_step_user(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Offer the ways to add a phone."""
        return self.async_show_menu(
            step_id=SOURCE_USER,
            menu_options=["plug_in", "found", "manual", "other_maker"],
        )

    async def async_step_other_maker(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the maker of a new phone with keys of type BLF."""
        if user_input is not None:
            self._maker = user_input[CONF_MAKER]
            return await self.async_step_other_account()
        return self.async_show_form(
            step_id="other_maker",
            data_schema=maker_schema(has_snom=False),
            last_step=False,
        )

    async def async_step_other_account(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the account of a phone of another maker."""
        if self.source == SOURCE_USER:
            return await self.async_step_manual(user_input)
        return await self.async_step_account(user_input)

    async def async_step_manual(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the account of a new phone."""
        suggested = {
            CONF_EXTENSION: next_extension(self._get_entry()),
            CONF_PASSWORD: new_password(),
        }
        return await self._async_ask_account("manual", user_input, suggested, [])

    async def async_step_reconfigure(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Offer the parts of a phone that can be changed."""
        self._maker = self._former_maker
        options = [
            *("account", "arrange", CONF_DIALLING, CONF_SENDING, "settings", CONF_MAKER)
        ]
        if self._maker:
            # Those are settings of snom.
            options.remove("settings")
        return self.async_show_menu(step_id=SOURCE_RECONFIGURE, menu_options=options)

    async def async_step_arrange(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Lead to the picture on which keys are arranged."""
        subentry = self._get_reconfigure_subentry()
        device = dr.async_get(self.hass).async_get_device_by_identifier(
            (DOMAIN, subentry.subentry_id), self._get_entry().entry_id
        )
        return self.async_abort(
            reason="arrange",
            description_placeholders={
                "phone": escape_markdown(subentry.title),
                "link": f"/{PANEL_PATH}/{device.id if device else ''}",
            },
        )

    @property
    def _former_maker(self) -> str:
        """The maker of an existing phone before the dialogue."""
        maker: str = self._get_reconfigure_subentry().data.get(CONF_MAKER, "")
        return maker

    async def async_step_maker(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the maker of an existing phone that was replaced or chosen wrong."""
        if user_input is not None:
            maker = user_input[CONF_MAKER]
            self._maker = "" if maker == SNOM else maker
            return await self.async_step_account()
        return self.async_show_form(
            step_id=CONF_MAKER,
            data_schema=self.add_suggested_values_to_schema(
                maker_schema(has_snom=True), {CONF_MAKER: self._maker or SNOM}
            ),
            last_step=False,
        )

    async def async_step_account(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the account of an existing phone."""
        subentry = self._get_reconfigure_subentry()
        keys = [KeySettings.from_dict(key) for key in subentry.data[CONF_KEYS]]
        self._room_lights = subentry.data.get(CONF_ROOM_LIGHTS, False)
        # The form has no field for the rest.
        suggested = {**subentry.data, CONF_NAME: without_forbidden(subentry.title)}
        if self._maker != self._former_maker:
            # All keys stay, unless the user enters fewer.
            suggested[CONF_MODEL] = MODEL_OTHER
            if self._maker:
                keys = [replace(key, colors=False) for key in keys]
        if self._key_count(suggested) != len(keys):
            suggested[CONF_KEY_COUNT] = len(keys)
        return await self._async_ask_account("account", user_input, suggested, keys)

    def _key_name(self, key: str) -> str:
        """Return the name of a key that has none."""
        return text(self.hass, "key_name", key=key)

    def _key_count(self, account: Mapping[str, Any]) -> int:
        """Return the number of keys: the user's, else the model's with modules, else 0."""
        if key_count := account.get(CONF_KEY_COUNT):
            return int(key_count)
        model = self._models.get(account[CONF_MODEL])
        if model is None:
            return 0
        return model.keys + EXPANSIONS.get(account.get(CONF_EXPANSION, ""), 0)

    def _has_colors(self, account: Mapping[str, Any]) -> bool:
        """Return whether the lamps of a phone's model have several colours."""
        return has_colors(self._maker, account[CONF_MODEL])

    def _address_error(self, text: str) -> str | None:
        """Return the error of the address of a phone, None if it has none."""
        address = phone_address(text)
        if address is None:
            return "invalid_address"
        server = server_settings(self._get_entry().data)
        if server.port is None:
            return "address_needs_udp"
        return None if can_reach(server.host, address[0]) else "address_out_of_reach"

    async def _async_ask_account(
        self,
        step_id: str,
        user_input: dict[str, Any] | None,
        suggested: dict[str, Any],
        keys: list[KeySettings],
    ) -> SubentryFlowResult:
        faults = Faults(NAME_PLACEHOLDERS)
        await async_load_texts(self.hass)
        if user_input is not None:
            extension = user_input[CONF_EXTENSION].strip()
            if self._is_taken(extension):
                return self.async_abort(reason="already_configured")
            if not SIP_USER.fullmatch(extension):
                faults.add(CONF_EXTENSION, "invalid_extension")
            if not PASSWORD.fullmatch(user_input[CONF_PASSWORD]):
                faults.add(CONF_PASSWORD, "invalid_password")
            name = user_input.get(CONF_NAME, "").strip()
            if error := name_error(name):
                faults.add(CONF_NAME, error)
            address = user_input.get(CONF_ADDRESS, "").strip()
            if address and (error := self._address_error(address)):
                faults.add(CONF_ADDRESS, error)
            key_count = self._key_count(user_input)
            if not key_count:
                faults.add(CONF_KEY_COUNT, "key_count_missing")
            if not faults:
                self._title = name or text(self.hass, "phone_name", extension=extension)
                self._account = {
                    CONF_EXTENSION: extension,
                    CONF_PASSWORD: user_input[CONF_PASSWORD],
                    CONF_MODEL: user_input[CONF_MODEL],
                }
                if user_input.get(CONF_EXPANSION, NO_EXPANSION) != NO_EXPANSION:
                    self._account[CONF_EXPANSION] = user_input[CONF_EXPANSION]
                if address:
                    self._account[CONF_ADDRESS] = address
                if self._maker:
                    self._account[CONF_MAKER] = self._maker
                else:
                    self._account[CONF_TOKEN] = suggested.get(CONF_TOKEN) or new_token()
                colors = self._has_colors(user_input)
                model = user_input[CONF_MODEL]
                if model != suggested.get(CONF_MODEL) and model in self._models:
                    keys = [replace(key, colors=colors) for key in keys]
                self._keys = with_count(keys, key_count, colors, self._key_name)
                return await self.async_step_choose()
            suggested = user_input
        return self.async_show_form(
            step_id="other_account" if self._maker else step_id,
            data_schema=self.add_suggested_values_to_schema(
                account_schema(self._models, is_snom=not self._maker), suggested
            ),
            errors=faults.errors,
            description_placeholders=faults.placeholders | self._about_maker,
            last_step=False,
        )

    @property
    def _about_maker(self) -> dict[str, str]:
        """The placeholders of the account of another maker."""
        if not self._maker:
            return {}
        about = MAKERS[self._maker]
        is_line = about.first_key > 1
        return {
            "maker": about.name or text(self.hass, "other_maker"),
            "first_key": f" {text(self.hass, 'first_key_is_line')}" if is_line else "",
        }

    async def async_step_choose(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask which entities the keys follow. A choice of an area adds its entities."""
        keys = self._own_keys
        entities = followed(keys)
        faults = Faults(CHOOSE_PLACEHOLDERS)
        if user_input is not None:
            entities = list(dict.fromkeys(user_input.get(CONF_ENTITIES, ())))
            choice = Choice(keys, entities, self._key_name)
            if area := user_input.get(CONF_AREA):
                faults = async_add_area(self.hass, area, choice, entities)
            elif not (faults := find_choice_faults(self.hass, choice)):
                linked = choice.linked(self.hass)
                self._keys = [linked.get(key.key, key) for key in self._keys]
                return await self.async_step_keys()
        choice = Choice(keys, entities, self._key_name)
        return self.async_show_form(
            step_id="choose",
            data_schema=self.add_suggested_values_to_schema(
                choose_schema(async_left_out(self.hass, keys)),
                {CONF_ENTITIES: entities},
            ),
            errors=faults.errors,
            description_placeholders=faults.placeholders
            | {"free": str(len(choice.free))},
            last_step=False,
        )

    async def async_step_keys(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask for the use of each key."""
        faults = Faults(KEYS_PLACEHOLDERS)
        colors = self._has_colors(self._account)
        suggested = [key.as_dict() for key in self._keys]
        if user_input is not None:
            suggested = user_input[CONF_KEYS]
            self._room_lights = user_input[CONF_ROOM_LIGHTS]
            self._keys = read_keys(self.hass, suggested, colors, self._key_name)
            faults = await async_find_key_faults(self.hass, self._keys, self._key_name)
            if not faults:
                self._make_data = self._with_account
                return await self.async_step_phone()
        selector = await async_keys_selector(self.hass, colors)
        if user_input is None:
            suggested = [selector.usual | key for key in suggested]
        names = {
            key.key: escape_markdown(f"{key.key} {key.name}") for key in self._keys
        }
        links = "\n".join(
            f"- **{names[key]}**: {line}" for key, line in self._lines.items()
        )
        return self.async_show_form(
            step_id="keys",
            data_schema=vol.Schema(
                {
                    vol.Required(CONF_KEYS, default=suggested): selector,
                    vol.Required(
                        CONF_ROOM_LIGHTS, default=self._room_lights
                    ): BooleanSelector(),
                }
            ),
            errors=faults.errors,
            description_placeholders=faults.placeholders | {"links": links},
            last_step=False,
        )

    def _with_account(self) -> dict[str, Any]:
        """Return the phone with what was entered."""
        data = {**self._account, CONF_KEYS: [key.as_dict() for key in self._keys]}
        if self._room_lights:
            data[CONF_ROOM_LIGHTS] = True
        if self.source != SOURCE_USER:
            subentry = self._get_reconfigure_subentry()
            is_same = self._maker == self._former_maker
            of_maker = (CONF_MAC, CONF_PROVISIONING, CONF_SENDING) if is_same else ()
            # As they are now: a phone may have fetched its settings meanwhile.
            for name in (CONF_DIALLING, *of_maker):
                if kept := subentry.data.get(name):
                    data[name] = kept
            if is_same:
                data = async_with_former_password(
                    self._get_entry(), subentry.subentry_id, data
                )
        return data

    async def async_step_dialling(
        self, user_input: dict[str, Any] | None = None
    ) -> SubentryFlowResult:
        """Ask how calls of a phone are answered, and which numbers run something."""
        subentry = self._get_reconfigure_subentry()
        faults = Faults(DIALLING_PLACEHOLDERS)
        suggested = subentry.data.get(CONF_DIALLING, {})
        if user_input is not None:
            dialling = read_dialling(user_input)
            faults = find_dialling_faults(dialling)
            if not faults:
                data = {k: v for k, v in subentry.data.items() if k != CONF_DIALLING}
                if dialling:
                    data[CONF_DIALLING] = dialling
                return self.async_update_and_abort(
                    self._get_entry(), subentry, data=data
                )
            suggested = user_input
        return self.async_show_form(
            step_id=CONF_DIALLING,
            data_schema=self.add_suggested_values_to_schema(DIALLING_SCHEMA, suggested),
            errors=faults.errors,
            description_placeholders=faults.placeholders,
            last_step=True,
        )
