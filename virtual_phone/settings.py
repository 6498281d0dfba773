"""The settings of the phone, and how it reads them from the XML of a settings file.

After snom's pages on configuration files. The reader shares no code with the part of the
product that writes these files.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
import re
from typing import Any, Final
from xml.etree import ElementTree as ET

READ_ONLY: Final = ("R", "&", " ")
"""Permissions with which the user cannot change a setting."""
UNLESS_CHANGED: Final = "!"
"""The permission with which a file does not replace what the user has changed."""

MAX_FILES: Final = 10
"""Files that are fetched from one index."""

_OF_IDENTITY: Final = re.compile(
    r"user_[a-z_0-9]+|keepalive_interval|codec_priority_list"
)
_KNOWN: Final = re.compile(
    r"""(
    # Identities
    user_( active | realname | name | pname | pass | hash | host | outbound | expiry | srtp
    | savp | auth_tag | server_type | idle_text | idle_number | mailbox | uid | dp_str
    | sipusername_as_line | remove_all_bindings | subscription_expiry | symmetrical_rtp
    | additional_supported_header | failover_identity )
    | keepalive_interval | codec_priority_list
    # Provisioning
    | setting_server | settings_refresh_timer | update_policy | pnp_config
    | provisioning_order
    | prov_polling_( enabled | mode | period | time | time_rand_end )
    | firmware | firmware_status | firmware_interval
    # Region, first start
    | language | web_language | timezone | tone_scheme | ntp_server | date_us_format
    | time_24_format | logon_wizard | was_never_registered
    # Web pages
    | http_( user | pass | scheme | client_user | client_pass ) | webserver_type
    | webserver_admin_( name | password ) | admin_mode
    | admin_mode_( password | password_confirm | login ) | use_hidden_tags
    | restrict_uri_queries | ignore_security_warning | web_logout_timer
    # SIP
    | network_id_port | filter_registrar | offer_gruu | offer_outbound
    | challenge_( response | checksync | reboot ) | register_http_contact | xml_notify
    | csta_control | naptr_sip_uri | enable_rport_rfc3581 | retry_after_failed_register
    | mac_info_in_sip_register | hide_identity | pbx_buttons | allow_sip_settings
    | mb_trusted_hosts
    # Keys and lamps
    | led_( on | blink_slow | blink_medium | blink_fast | blink_short_off | red | green
    | orange | blue | red_green | red_orange | green_orange | message_usage
    | call_indicator_usage )
    | fkey_delay_timeout | context_key | gui_fkey[1-4] | dkey_[a-z]+
    | idle_( ok | cancel | up | down | left | right )_key_action
    | screen_saver_timeout | dim_timer | backlight | custom_bg_image_url
    | smartlabel_idle_default | phone_name | action_[a-z_]+
    )""",
    re.VERBOSE,
)
"""Names of settings that public templates for snom phones have."""

# A reference to a character above 255, which only a tag with e="2" may have; in between it
# is the number between two characters of a private area.
_REFERENCE: Final = re.compile(rb"&#(x[0-9a-fA-F]{1,6}|[0-9]{1,7});")
_MARKED: Final = re.compile("\ue0f0([0-9]+)\ue0f1")


class SettingsFileError(Exception):
    """What was fetched is not a settings file."""


class ReadOnly(Exception):
    """The user cannot change the setting."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting with its permission."""

    text: str
    permission: str = ""
    by_user: bool = False
    """Whether the user has changed it since a file set it."""


@dataclass(frozen=True, slots=True)
class FunctionKey:
    """A function key: its type with an argument, and what is on its label."""

    value: str
    """Such as `button 1`."""
    context: str = "active"
    """The number of its identity, or `active`."""
    label: str = ""
    permission: str = ""

    @property
    def button(self) -> str | None:
        """The name of a key of type button in the buttons document, else None."""
        kind, _, argument = self.value.strip().partition(" ")
        return (argument.strip() or None) if kind.lower() == "button" else None

    @property
    def blf(self) -> tuple[str, str] | None:
        """The number of a key of type BLF and what picks its call up, else None.

        Such as `blf sip:4@192.0.2.1|*8`, where `*8` is dialled before the number.
        """
        kind, _, argument = self.value.strip().partition(" ")
        uri, _, pickup = argument.strip().partition("|")
        number = uri.strip("<>").partition(":")[2].partition("@")[0]
        return (number, pickup) if kind.lower() == "blf" and number else None


type Name = tuple[str, int | None]
"""A setting and the number of its identity, None for one of the whole phone."""


@dataclass(slots=True)
class SettingsFile:
    """What is in a settings file."""

    settings: dict[Name, Setting] = field(default_factory=dict)
    keys: dict[int, FunctionKey] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    """Settings that the phone does not know, or that lack the number of an identity."""
    urls: list[str] = field(default_factory=list)
    """Where other settings files are: this one is an index."""


def read_settings_file(data: bytes) -> SettingsFile:
    """Read `<settings>`, one of its parts alone, or `<setting-files>`.

    Raises SettingsFileError.
    """
    try:
        root = ET.fromstring(_REFERENCE.sub(_mark, data))  # noqa: S314 the phone's server
    except (ET.ParseError, ValueError) as error:
        raise SettingsFileError(f"no XML: {error}") from error
    found = SettingsFile()
    match root.tag:
        case "setting-files":
            urls = [file.get("url", "").strip() for file in root.iter("file")]
            found.urls = [url for url in urls if url][:MAX_FILES]
        case "settings":
            for part in root:
                _read_part(part, found)
        case _ if not _read_part(root, found):
            raise SettingsFileError(f"<{root.tag}> is no settings file")
    return found


def _mark(reference: re.Match[bytes]) -> bytes:
    digits = reference[1].decode()
    code = int(digits[1:], 16) if digits[0] == "x" else int(digits)
    return f"\ue0f0{code}\ue0f1".encode() if code > 255 else reference[0]


def _read_part(part: ET.Element, found: SettingsFile) -> bool:
    """Read a part of `<settings>`; return whether the phone knows it."""
    wide = part.get("e") == "2"

    def text_of(text: str | None) -> str:
        return _MARKED.sub(lambda m: _character(int(m[1]), wide=wide), text or "")

    match part.tag:
        case "phone-settings":
            for element in part:
                name = _name_of(element)
                if name is None:
                    found.ignored.append(str(element.tag))
                    continue
                found.settings[name] = Setting(
                    text_of(element.text).strip(), element.get("perm", "")
                )
        case "functionKeys" | "function-keys":
            for element in part.iter("fkey"):
                index = element.get("idx", "")
                if not index.isdecimal():
                    found.ignored.append(f"fkey {index}".rstrip())
                    continue
                found.keys[int(index)] = FunctionKey(
                    text_of(element.text).strip(),
                    element.get("context", "active"),
                    text_of(element.get("label")),
                    element.get("perm", ""),
                )
        case _:
            return False
    return True


def _character(code: int, *, wide: bool) -> str:
    """Return a character of a reference; without `wide` only one byte of it is left."""
    try:
        return chr(code if wide else code % 256)
    except ValueError, OverflowError:
        return "\N{REPLACEMENT CHARACTER}"


def _name_of(element: ET.Element) -> Name | None:
    """Return the name of a setting; None for one that the phone does not know."""
    name, index = str(element.tag), element.get("idx", "")
    if _KNOWN.fullmatch(name) is None:
        return None
    if _OF_IDENTITY.fullmatch(name):
        return (name, int(index)) if index.isdecimal() and int(index) else None
    return name, int(index) if index.isdecimal() else None


class Settings:
    """All settings of the phone, as they are in its flash memory."""

    def __init__(self) -> None:
        """Create the settings as they leave the factory."""
        self._settings: dict[Name, Setting] = {}
        self.keys: Mapping[int, FunctionKey] = {}

    def __getitem__(self, name: str | Name) -> str:
        """Return the value of a setting, "" without one."""
        key = (name, None) if isinstance(name, str) else name
        return self._settings[key].text if key in self._settings else ""

    def is_on(self, name: str | Name, *, default: bool) -> bool:
        """Return whether a setting of `on` or `off` is on."""
        return (self[name] or ("on" if default else "off")) != "off"

    @property
    def identities(self) -> Iterator[int]:
        """The numbers of the identities that are set up and active, in their order."""
        numbers = {index for name, index in self._settings if name == "user_name"}
        for number in sorted(index for index in numbers if index is not None):
            account = self["user_name", number] and self["user_host", number]
            if account and self.is_on(("user_active", number), default=True):
                yield number

    def apply(self, file: SettingsFile) -> None:
        """Set what a file says; all that it does not name stays as it is."""
        for name, setting in file.settings.items():
            before = self._settings.get(name)
            if (
                before is None
                or not before.by_user
                or setting.permission != UNLESS_CHANGED
            ):
                self._settings[name] = setting
        self.keys = dict(sorted({**self.keys, **file.keys}.items()))

    def change(self, name: str, text: str) -> None:
        """Change a setting as the user does. Raises ReadOnly."""
        before = self._settings.get((name, None), Setting(""))
        if before.permission in READ_ONLY:
            raise ReadOnly(f"{name} is read-only")
        self._settings[name, None] = replace(before, text=text, by_user=True)

    def to_json(self) -> Any:
        """Return what `from_json` takes."""
        return {
            "settings": [
                [*name, each.text, each.permission, each.by_user]
                for name, each in self._settings.items()
            ],
            "keys": [
                [index, key.value, key.context, key.label, key.permission]
                for index, key in self.keys.items()
            ],
        }

    @classmethod
    def from_json(cls, stored: Any) -> Settings:
        """Return settings that were stored. Raises KeyError, TypeError or ValueError."""
        settings = cls()
        for name, index, *rest in stored["settings"]:
            settings._settings[name, index] = Setting(*rest)
        settings.keys = {index: FunctionKey(*rest) for index, *rest in stored["keys"]}
        return settings
