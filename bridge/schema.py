"""What each value of the settings file may be.

Each check gets a text, and raises vol.Invalid, whose text must not show a secret.
"""

from collections.abc import Callable
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
import re
from typing import Any, Final

import voluptuous as vol

from snom_buttons.dialoginfo import DialogState
from snom_buttons.mqtt import is_base
from snom_buttons.names import MAX_NAME, SIP_USER, USER_CHARACTERS, forbidden_in
from snom_buttons.phones import (
    MAKERS,
    DialAnswer,
    KeyKind,
    PressAnswer,
    Speakers,
    host_and_port,
    phone_address,
    redirection,
)
from snom_buttons.refused import kind_of, quoted
from snom_buttons.xbuttons import MAX_TEXT, LightMode

from .claims import NAME

MAX_KEYS: Final = 240


# Values


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise vol.Invalid("has to be a text")
    return value


def word(pattern: re.Pattern[str], what: str) -> Callable[[Any], str]:
    """Return a check that a text matches a pattern."""

    def read(value: Any) -> str:
        text = _text(value)
        if not pattern.fullmatch(text):
            raise vol.Invalid(f"{quoted(text)} is not {what}")
        return text

    return read


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if (
            not isinstance(value, str)
            or not re.fullmatch("[0-9]{1,9}", value)
            or not low <= int(value) <= high
        ):
            raise vol.Invalid(
                f"{kind_of(value)} is not a whole number from {low} to {high}"
            )
        return int(value)

    return read


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in words:
            raise vol.Invalid(f"{kind_of(value)} is none of: {', '.join(words)}")
        return str(value)

    return read


_TRUE: Final = ("true", "yes", "on")
_FALSE: Final = ("false", "no", "off")


def _truth(value: Any) -> bool:
    if not isinstance(value, str) or value.lower() not in (*_TRUE, *_FALSE):
        raise vol.Invalid(f"{kind_of(value)} is neither true nor false")
    return value.lower() in _TRUE


def _name(value: Any) -> str:
    text = _text(value).strip()
    if len(text) > MAX_NAME:
        raise vol.Invalid(f"has more than {MAX_NAME} characters")
    if (sign := forbidden_in(text)) is not None:
        raise vol.Invalid(f"has a character that no name may have: {quoted(sign)}")
    return text


def _number(value: Any) -> str:
    text = _text(value).strip()
    if len(text) > MAX_TEXT or forbidden_in(text) is not None:
        raise vol.Invalid("is not a number that a phone can send")
    return text


def check_password(value: Any) -> str:
    """Return the password of a phone. Raises vol.Invalid."""
    if not re.fullmatch("[!-~]{8,64}", _text(value)):
        raise vol.Invalid("has to have 8 to 64 printable ASCII characters, no space")
    return str(value)


def check_secret(value: Any) -> str:
    """Return any text that is not empty. Raises vol.Invalid."""
    if not _text(value):
        raise vol.Invalid("is empty")
    return str(value)


def _ip(value: Any) -> str:
    try:
        return str(ip_address(_text(value)))
    except ValueError:
        raise vol.Invalid(f"{quoted(value)} is not an IP address") from None


def _network(value: Any) -> Any:
    try:
        return ip_network(_text(value))
    except ValueError:
        pass
    try:
        hint = f"; that of this address is {ip_network(value, strict=False)}"
    except ValueError:
        hint = ""
    raise vol.Invalid(f"{quoted(value)} is not a network such as 10.0.0.0/8{hint}")


def _networks(value: Any) -> list[Any]:
    if not isinstance(value, list):
        return [_network(value)]
    networks: list[Any] = vol.Schema([_network])(value)
    return networks


_HOST: Final = re.compile(r"[A-Za-z0-9._:%-]{1,253}")


def _host(value: Any) -> str:
    text = _text(value)
    try:
        if ":" in text:
            ip_address(text.partition("%")[0])
    except ValueError:
        raise vol.Invalid(f"{quoted(text)} is not a host without a port") from None
    if not _HOST.fullmatch(text):
        raise vol.Invalid(f"{quoted(text)} is not a host")
    return text


def _host_port(value: Any) -> tuple[str, int | None]:
    address = host_and_port(_text(value))
    if address is None or not _HOST.fullmatch(address[0]):
        raise vol.Invalid(f"{quoted(value)} is not a host, or host:port")
    return address


def _hosts(value: Any) -> list[tuple[str, int | None]]:
    if isinstance(value, list):
        if not value:
            raise vol.Invalid("names no host")
        return [_host_port(it) for it in value]
    return [_host_port(value)]


def _address(value: Any) -> tuple[str, int]:
    if (address := phone_address(_text(value))) is None:
        raise vol.Invalid(f"{quoted(value)} is not an IP address, or address:port")
    return address


def _redirect(value: Any) -> str:
    text = _text(value).strip()
    if "@" not in text and not text.startswith(("sip:", "sips:")):
        host = f"[{text}]" if text.count(":") > 1 and "[" not in text else text
        text = f"sip:{{number}}@{host}"
    try:
        redirection(text, "0")
    except ValueError:
        raise vol.Invalid(
            f"{quoted(value)} is not a host, or such as sip:{{number}}@192.0.2.7"
        ) from None
    return text


def _base(value: Any) -> str:
    if not is_base(_text(value)):
        raise vol.Invalid(f"{quoted(value)} cannot be the beginning of a topic")
    return str(value)


# Sections


def filled(value: Any) -> Any:
    """Return a section; one without anything in it is a text without characters."""
    return {} if value == "" else value


class Section:
    """Settings by their names, all of which are optional."""

    def __init__(self, example: str, **values: Any) -> None:
        """Create it with what each setting has to be; `example` is shown in faults."""
        self.names = values.keys()
        self.schema: Final = vol.Schema(
            {vol.Optional(name): value for name, value in values.items()}
        )
        self._example = example

    def __call__(self, value: Any) -> dict[str, Any]:
        """Return the settings. Raises vol.Invalid."""
        if not isinstance(value, dict):
            raise vol.Invalid(_no_mapping(self._example))
        faults = []
        if strange := [name for name in value if name not in self.names]:
            faults = [self._unknown(name, value[name]) for name in strange]
            value = {name: value[name] for name in value if name in self.names}
        settings: dict[str, Any] = {}
        try:
            settings = self.schema(value)
        except vol.MultipleInvalid as error:
            faults += error.errors
        if faults:
            raise vol.MultipleInvalid(faults)
        return settings

    def _unknown(self, name: str, value: Any) -> vol.Invalid:
        if value == "":  # {password:a} and {password: b,a} have a key that is a secret
            return vol.Invalid(
                "a word has no value: put a space after its colon, or quotes around a"
                " text with a comma"
            )
        if close := get_close_matches(name, self.names, 1):
            text = f"there is no such setting; is it {close[0]}?"
        else:
            text = f"there is no such setting. There are: {', '.join(self.names)}"
        return vol.Invalid(text, [name])


def _no_mapping(example: str) -> str:
    return f"has to be a mapping, such as {example}"


def _by_name(name: Any, value: Any, example: str) -> Callable[[Any], dict[str, Any]]:
    """Return what reads a mapping with names of the user."""
    schema = vol.Schema({name: value})

    def read(given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise vol.Invalid(_no_mapping(example))
        found: dict[str, Any] = schema(given)
        return found

    return read


_PORT: Final = _whole(1, 65535)
KEY: Final = Section(
    "{name: Door}",
    name=_name,
    kind=_one_of(KeyKind.LIGHT, KeyKind.SWITCH, KeyKind.NONE),
    colors=_truth,
    toggle=_truth,
    light_on=_one_of(*LightMode),
    light_off=_one_of(*LightMode),
    number_on=_number,
    number_off=_number,
)
_SWITCH_ONLY: Final = ("toggle", "light_on", "light_off", "number_on", "number_off")


def _key(value: Any) -> dict[str, Any]:
    key: dict[str, Any] = KEY(filled(value))
    if key.get("kind") != KeyKind.SWITCH:
        for name in _SWITCH_ONLY:
            if name in key:
                raise vol.Invalid("only a key of kind switch has this", [name])
    elif key.get("light_on", LightMode.ON) == key.get("light_off", LightMode.OFF):
        raise vol.Invalid("on and off have the same light mode", ["light_on"])
    if "name" in key:
        key["title"] = key.pop("name")
    return key


_EXTENSION: Final = word(
    SIP_USER, "an extension: up to 64 letters, digits and some signs, no space"
)
_KEYS: Final = _by_name(
    word(SIP_USER, "the name of a key"),
    _key,
    '{"1": {name: Door}}, or a number of keys',
)


def _keys(value: Any) -> int | dict[str, Any]:
    if isinstance(value, str):
        return _whole(0, MAX_KEYS)(value)
    keys: dict[str, Any] = _KEYS(value)
    if len(keys) > MAX_KEYS:
        raise vol.Invalid(f"has more than {MAX_KEYS} keys")
    return keys


PHONE: Final = Section(
    "{password: choose-your-own}",
    name=_name,
    password=check_password,
    password_file=_text,
    maker=_one_of("snom", *MAKERS),
    model=_name,
    keys=_keys,
    dialling=Section(
        "{answer: decline}", answer=_one_of(*DialAnswer), redirect_to=_redirect
    ),
    sending=Section(
        "{speakers: blf}",
        speakers=_one_of(*Speakers),
        press_answer=_one_of(*PressAnswer),
        inverted=_truth,
        states=Section(
            "{on: confirmed}",
            **{light.value: _one_of(*DialogState) for light in LightMode},
        ),
    ),
    address=_address,
    room_lights=_truth,
)


def phone_data(extension: str, value: Any) -> dict[str, Any]:
    """Return what is set of a phone. Raises vol.Invalid."""
    if extension in PHONE.names and isinstance(value, str) and value:
        raise vol.Invalid("is a setting of a phone: indent it further")
    _EXTENSION(extension)
    return PHONE(filled(value))


LINE: Final = Section(
    '{keys: {"44": "1"}}',
    name=_name,
    keys=_by_name(_EXTENSION, word(SIP_USER, "the name of a key"), '{"44": "1"}'),
    release_after=_whole(0, 86_400),
)
CODE: Final = re.compile(USER_CHARACTERS + "{1,32}")
_HTTP: Final = Section("{port: 9464}, or false", host=_ip, port=_PORT)


def _http(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str) and value.lower() in _FALSE:
        return None
    return _HTTP(value)


_TRANSPORT: Final = {"enabled": _truth, "advertised": _host_port}
WHOLE: Final = Section(
    "phones: {}",
    server=Section(
        "{port: 5060}",
        host=_ip,
        port=_PORT,
        realm=word(re.compile(r"[A-Za-z0-9 ._@-]{1,64}"), "a realm"),
        advertised_host=_host,
        udp=Section("{enabled: false}", **_TRANSPORT),
        tcp=Section("{enabled: true}", **_TRANSPORT, port=_PORT),
        tls=Section(
            "{enabled: true, certificate: home.crt, private_key: home.key}",
            **_TRANSPORT,
            port=_PORT,
            certificate=_text,
            private_key=_text,
        ),
        networks=_networks,
        edges=_networks,
        edge_ca=_text,
        keepalive=_whole(0, 600),
    ),
    mqtt=Section(
        "{host: 192.168.1.6}",
        host=_hosts,
        port=_PORT,
        username=_text,
        password=check_secret,
        password_file=_text,
        tls=Section(
            "{}, or {ca: home.crt}", ca=_text, certificate=_text, private_key=_text
        ),
        base_topic=_base,
        commands=_truth,
        discovery=_truth,
        discovery_prefix=_base,
        retained=vol.In(("cluster", "node"), "has to be cluster or node"),
    ),
    phones=_by_name(vol.Extra, object, '{"44": {password: choose-your-own}}'),
    lines=_by_name(vol.Extra, object, '{co1: {keys: {"44": "1"}}}'),
    cluster=Section(
        "{name: bridge-1}",
        name=word(NAME, "a name of letters, digits, '_', '.' and '-'"),
    ),
    http=_http,
    log=Section(
        "{level: debug}",
        level=_one_of("debug", "info", "warning", "error"),
        format=_one_of("text", "json"),
    ),
    secret=check_secret,
    secret_file=_text,
)
