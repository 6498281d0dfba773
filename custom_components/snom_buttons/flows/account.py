"""The account and the keys that a new phone gets without a question."""

from collections.abc import Callable, Sequence
from itertools import count, islice
import re
import secrets
import string
from types import MappingProxyType
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_MAC, CONF_MODEL, CONF_PASSWORD, CONF_TOKEN
from homeassistant.core import HomeAssistant, callback

from ..const import (
    CONF_EXTENSION,
    CONF_KEYS,
    CONF_MAKER,
    MODEL_OTHER,
    SUBENTRY_TYPE_PHONE,
)
from ..engine.phones import MODELS
from ..engine.provisioning import Mac
from ..hub.provisioning.profiles import async_settings_url
from ..hub.provisioning.tokens import new_token
from ..hub.settings import EntrySettings, KeySettings
from ..hub.texts import text
from .choose import Choice

# Without the characters ` and |, which the table of the last page cannot show.
PASSWORD: Final = re.compile(r"[!-_a-{}~]{8,64}")
PASSWORD_LENGTH: Final = 16
# Without the characters that look alike: the user types it into the phone.
PASSWORD_ALPHABET: Final = "".join(
    sorted(set(string.ascii_letters + string.digits) - set("0O1Iloi"))
)


def new_password() -> str:
    """Return a password for a phone."""
    return "".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(PASSWORD_LENGTH))


def next_extension(entry: ConfigEntry[Any]) -> str:
    """Return the number after the largest extension, as wide as that at least."""
    taken = {subentry.unique_id for subentry in entry.subentries.values()}
    extensions = [
        phone.data[CONF_EXTENSION]
        for phone in entry.get_subentries_of_type(SUBENTRY_TYPE_PHONE)
    ]
    largest = max((it for it in extensions if it.isdecimal()), key=int, default="9")
    numbers = (str(n).zfill(len(largest)) for n in count(int(largest) + 1))
    return next(number for number in numbers if number not in taken)


def with_count(
    keys: list[KeySettings],
    key_count: int,
    colors: bool,
    name_of: Callable[[str], str],
) -> list[KeySettings]:
    """Return `key_count` keys: the first of `keys`, then new ones."""
    known = {key.key for key in keys}
    unused = (str(number) for number in count(1) if str(number) not in known)
    new = (
        KeySettings(key=number, name=name_of(number), colors=colors)
        for number in unused
    )
    return [*keys[:key_count], *islice(new, max(0, key_count - len(keys)))]


def count_keys(model_name: str, entities: Sequence[str]) -> int:
    """Return the keys of a phone's model; of an unknown one as many as are of use."""
    model = MODELS.get(model_name)
    return model.keys if model else max(1, len(entities))


@callback
def async_by_itself(hass: HomeAssistant, entry: ConfigEntry[Any], token: str) -> str:
    """Return how a phone fetches its settings by itself, or what that needs, as Markdown."""
    url = async_settings_url(hass, EntrySettings.from_entry(entry), token)
    if url is None:
        return f"{text(hass, 'no_settings_url')}\n\n"
    return f"{text(hass, 'settings_url', url=url)}\n\n"


@callback
def async_new_phone(
    hass: HomeAssistant,
    entry: ConfigEntry[Any],
    mac: Mac | None,
    model_name: str,
    *,
    maker: str = "",
    extension: str = "",
    entities: Sequence[str] = (),
) -> ConfigSubentry:
    """Return a phone with a plain account, its first keys linked to entities.

    Without an extension it gets the next one. One of another maker, as in MAKERS, fetches
    no settings.
    `async_load_texts` is to be awaited before.
    """
    model = MODELS.get(model_name)
    extension = extension or next_extension(entry)

    def name_of(key: str) -> str:
        return text(hass, "key_name", key=key)

    colors = model is not None and model.colors
    keys = with_count([], count_keys(model_name, entities), colors, name_of)
    linked = Choice(keys, entities, name_of).linked(hass)
    return ConfigSubentry(
        data=MappingProxyType(
            {
                CONF_EXTENSION: extension,
                CONF_PASSWORD: new_password(),
                CONF_MODEL: model.name if model else MODEL_OTHER,
                **({CONF_MAKER: maker} if maker else {CONF_TOKEN: new_token()}),
                **({CONF_MAC: mac} if mac else {}),
                CONF_KEYS: [key.as_dict() for key in linked.values()],
            }
        ),
        subentry_type=SUBENTRY_TYPE_PHONE,
        title=text(hass, "phone_name", extension=extension),
        unique_id=extension,
    )
