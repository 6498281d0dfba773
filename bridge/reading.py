"""How the settings of a bridge are read from the settings file."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
import socket
import ssl
from typing import Any, Final, NamedTuple

import voluptuous as vol

from snom_buttons.dialoginfo import DialogState
from snom_buttons.mqtt import MqttSetup
from snom_buttons.phones import (
    MAKERS,
    MODELS,
    PRIVATE_NETWORKS,
    BlfSetup,
    DialAnswer,
    Dialling,
    KeyKind,
    KeySetup,
    LineSetup,
    PhoneSetup,
    PressAnswer,
    ServerSettings,
    Speakers,
    asking_edges,
    model_name,
    shared_key,
)
from snom_buttons.refused import quoted
from snom_buttons.xbuttons import Action, KeyDescription, LightMode

from .document import Document, Fault, Path as Where, Unreadable, flat, text_of
from .schema import (
    CODE,
    LINE,
    WHOLE,
    check_password,
    check_secret,
    filled,
    phone_data,
    word,
)
from .settings import ClusterSettings, HttpSettings, LogSettings, MqttSettings, Settings
from .tls import (
    BrokerTls,
    CertificateFiles,
    Contexts,
    broker_context,
    reason_of,
    server_context,
)

KEYS: Final = 12
"""The keys of a phone that names neither its keys nor its model."""
KEEPALIVE: Final = 60
MAX_SECRET: Final = 4096
"""Bytes of a file with a password or a secret."""
DEFAULT_BASE: Final = "snom_buttons"


class Reading(NamedTuple):
    """What was read of a settings file."""

    settings: Settings
    faults: tuple[Fault, ...]
    """Those of phones and lines, which are left out or as they were before."""
    notes: tuple[Fault, ...] = ()
    """What is as it should not be, and is applied all the same."""


def read(path: Path, former: Settings | None = None) -> Reading:
    """Return what a file holds. Raises Unreadable if it is wrong outside of phones and lines.

    Its faults are then those of phones and lines, too. A phone or line that is wrong is as
    it was in `former`, or left out.
    """
    return _Reader(Document(text_of(path)), path.parent, former).read()


class _Reader:
    """Reads one document; the folder is where relative paths begin."""

    def __init__(
        self, document: Document, folder: Path, former: Settings | None
    ) -> None:
        self._document = document
        self._folder = folder
        self._former = former
        self._faults: list[Fault] = []
        self._notes: list[Fault] = []
        self._broken: set[Where] = set()
        """The phones and lines that are wrong."""

    def _add(self, where: Where, fault: Fault) -> None:
        self._faults.append(fault)
        if where[0] in ("phones", "lines"):
            self._broken.add(where[:2])

    def _add_all(self, faults: Iterable[tuple[Where, str, int]]) -> None:
        for where, text, line in faults:
            fault = self._document.fault(where, text)._replace(line=line)
            if len(where) < 2 or where[0] not in ("phones", "lines"):
                raise Unreadable(fault)
            self._add(where, fault)

    def read(self) -> Reading:
        """Return the settings. Raises Unreadable, with all faults."""
        try:
            self._add_all(self._document.faults)
            whole = self._whole()
            phones = self._phones(whole.get("phones", {}))
            lines = self._lines(whole.get("lines", {}), phones)
            settings = self._settings(whole, phones, lines)
        except Unreadable as error:
            faults = {*error.faults, *self._faults}
            raise Unreadable(*sorted(faults)) from error
        return Reading(
            settings, tuple(sorted(self._faults)), tuple(sorted(self._notes))
        )

    def _whole(self) -> dict[str, Any]:
        """Return the sections, of which phones and lines are unread. Raises Unreadable."""
        value = self._document.value
        if isinstance(value, dict):
            value = {name: filled(part) for name, part in value.items()}
        try:
            whole: dict[str, Any] = WHOLE(value)
        except vol.Invalid as error:
            if isinstance(value, dict) and isinstance(value.get("phones"), dict):
                self._phones(value["phones"])  # for their faults
            raise self._unreadable(error, ()) from None
        return whole

    # Phones and lines

    def _phones(self, section: Mapping[str, Any]) -> dict[str, PhoneSetup]:
        """Return the phones that can be set up, and what is kept of the former ones."""
        phones = {}
        for extension, value in section.items():
            where = ("phones", extension)
            try:
                data = phone_data(extension, value)
                phones[extension] = self._phone(extension, data)
            except vol.Invalid as error:
                for at, text in flat(error, where):
                    self._add(at, self._document.fault(at, text))
            if where in self._broken:
                phones.pop(extension, None)
                if self._former and extension in self._former.own:
                    phones[extension] = self._former.own[extension]
        return phones

    def _phone(self, extension: str, data: dict[str, Any]) -> PhoneSetup:
        """Return a phone without its lines. Raises vol.Invalid."""
        address = data.get("address")
        password = self._secret_of(data, "password", check_password)
        if password is None and address is None:
            raise vol.Invalid("required key not provided", ["password"])
        maker = MAKERS.get(data.get("maker", ""))
        models = maker.models if maker else MODELS
        model = data.get("model", "")
        model = model if maker else model_name(model)
        keys = _keys_of(data.get("keys"), models.get(model))
        if model and not maker:
            self._note_of_model(extension, model, "keys" in data, keys)
        dialling = _dialling_of(**data.get("dialling", {}))
        if dialling.answer is DialAnswer.REDIRECT and not dialling.redirect_to:
            raise vol.Invalid("required key not provided", ["dialling", "redirect_to"])
        speakers, blf = (
            (maker.speakers, maker.blf) if maker else (Speakers.AUTOMATIC, _USUAL_BLF)
        )
        sending = data.get("sending", {})
        speakers = Speakers(sending.get("speakers", speakers))
        if address is not None:  # without a registration it cannot subscribe
            if sending.get("speakers") in (Speakers.BLF, Speakers.BOTH):
                raise vol.Invalid(
                    "a phone with an address cannot subscribe", ["sending", "speakers"]
                )
            speakers = Speakers.BUTTONS
        if sending.keys() - {"speakers"}:
            states = {
                light: DialogState(state)
                for light, state in sending.get("states", {}).items()
            }
            blf = BlfSetup(
                press_answer=PressAnswer(sending.get("press_answer", blf.press_answer)),
                states={**blf.states, **states},
                is_inverted=sending.get("inverted", blf.is_inverted),
            )
        return PhoneSetup(
            extension=extension,
            name=data.get("name") or extension,
            password=password or "",
            maker=maker.name if maker else "snom",
            model=model,
            keys=keys,
            dialling=dialling,
            speakers=speakers,
            blf=blf,
            address=address,
            room_lights=data.get("room_lights", False),
        )

    def _note_of_model(
        self, extension: str, model: str, says_keys: bool, keys: Sequence[KeySetup]
    ) -> None:
        """Note a snom that is not known, or that has fewer keys than are set up."""
        where: Where = ("phones", extension, "model")
        numbers = [int(key.name) for key in keys if key.name.isdecimal()]
        if (known := MODELS.get(model)) is None:
            text = f"{quoted(model)} is not a model that is known"
            bare = model.upper().removeprefix("SNOM").strip()
            if close := get_close_matches(bare, MODELS):
                text += f"; is it {' or '.join(close)}?"
            elif not says_keys:
                text += f", so it has {len(keys)} keys"
        elif says_keys and max(numbers, default=0) > known.keys:
            where = ("phones", extension, "keys")
            text = f"a {model} has {known.keys} keys without an expansion module"
        else:
            return
        self._notes.append(self._document.fault(where, text))

    def _lines(
        self, section: Mapping[str, Any], phones: Mapping[str, PhoneSetup]
    ) -> dict[str, LineSetup]:
        """Return the lines that can be set up, and what is kept of the former ones."""
        lines: dict[str, LineSetup] = {}
        names = {
            extension: {key.name for key in phone.keys}
            for extension, phone in phones.items()
        }
        taken: dict[tuple[str, str], str] = {}
        for code, value in section.items():
            where = ("lines", code)
            line = None
            try:
                word(CODE, "the code of a line")(code)
                line = self._line(code, LINE(value), names, taken)
            except vol.Invalid as error:
                for at, text in flat(error, where):
                    self._add(at, self._document.fault(at, text))
            if where in self._broken:
                line = self._former.lines.get(code) if self._former else None
            if line is not None:
                lines[code] = line
                taken |= dict.fromkeys(line.keys.items(), code)
        return lines

    def _line(
        self,
        code: str,
        data: dict[str, Any],
        names: Mapping[str, set[str]],
        taken: Mapping[tuple[str, str], str],
    ) -> LineSetup:
        """Return a line. Raises vol.Invalid."""
        if "keys" not in data:
            raise vol.Invalid("required key not provided", ["keys"])
        keys: dict[str, str] = data["keys"]
        for extension, key in keys.items():
            if ("phones", extension) in self._broken and extension not in names:
                continue  # it may come later
            if extension not in names:
                raise vol.Invalid("there is no such phone", ["keys", extension])
            if key not in names[extension]:
                raise vol.Invalid(
                    f"phone {extension} has no key {quoted(key)}", ["keys", extension]
                )
            if other := taken.get((extension, key)):
                raise vol.Invalid(
                    f"the key belongs to line {other} already", ["keys", extension]
                )
        release = data.get("release_after")
        return LineSetup(
            name=data.get("name") or code,
            code=code,
            keys=keys,
            release_after=None if release is None else float(release),
        )

    # All else

    def _settings(
        self,
        whole: Mapping[str, Any],
        phones: Mapping[str, PhoneSetup],
        lines: Mapping[str, LineSetup],
    ) -> Settings:
        """Return all settings. Raises Unreadable."""
        server = _server(whole.get("server", {}))
        if server.edge_ca:
            server = replace(server, edge_ca=str(self._folder / server.edge_ca))
        if not server.ports:
            raise Unreadable(
                self._document.fault(("server",), "no transport is enabled")
            )
        certificate, server_tls = self._certificate(whole.get("server", {}))
        cluster = None
        if "cluster" in whole:
            # A container has a host name of its own.
            name = whole["cluster"].get("name") or socket.gethostname()
            cluster = ClusterSettings(name)
        mqtt, broker_tls = self._mqtt(whole.get("mqtt", {}), cluster)
        http = whole.get("http", {})
        try:
            secret = self._secret_of(whole, "secret", check_secret)
        except vol.Invalid as error:
            raise self._unreadable(error, ()) from None
        return Settings(
            server=server,
            certificate=certificate,
            mqtt=mqtt,
            phones=_with_lines(phones, lines),
            lines=lines,
            cluster=cluster,
            http=(
                HttpSettings(http.get("host", "127.0.0.1"), http.get("port", 9464))
                if http is not None
                else None
            ),
            log=LogSettings(**whole.get("log", {})),
            secret=secret or mqtt.password or "",
            own=phones,
            contexts=Contexts(
                server_tls, self._edge_context(certificate, server.edge_ca), broker_tls
            ),
        )

    def _edge_context(
        self, files: CertificateFiles | None, edge_ca: str
    ) -> ssl.SSLContext | None:
        if files is None or not edge_ca:
            return None
        try:
            return asking_edges(server_context(files), edge_ca)
        except OSError as error:
            text = f"{edge_ca} cannot be used: {reason_of(error)}"
            fault = self._document.fault(("server", "edge_ca"), text)
            raise Unreadable(fault) from error

    def _certificate(
        self, section: Mapping[str, Any]
    ) -> tuple[CertificateFiles | None, ssl.SSLContext | None]:
        tls = section.get("tls", {})
        if not tls.get("enabled"):
            return None, None
        where = ("server", "tls")
        for name in ("certificate", "private_key"):
            if name not in tls:
                raise Unreadable(self._document.fault((*where, name), "is missing"))
        files = self._files(tls)
        assert files is not None
        try:
            return files, server_context(files)
        except ValueError as error:
            fault = self._document.fault((*where, "certificate"), str(error))
            raise Unreadable(fault) from error

    def _mqtt(
        self, section: Mapping[str, Any], cluster: ClusterSettings | None
    ) -> tuple[MqttSettings, ssl.SSLContext | None]:
        tls, context = None, None
        if "tls" in section:
            given = section["tls"]
            if ("certificate" in given) != ("private_key" in given):
                raise Unreadable(
                    self._document.fault(
                        ("mqtt", "tls"), "certificate and private_key go together"
                    )
                )
            ca = self._folder / given["ca"] if "ca" in given else None
            tls = BrokerTls(ca, self._files(given))
            try:
                context = broker_context(tls)
            except ValueError as error:
                where = ("mqtt", "tls")
                raise Unreadable(self._document.fault(where, str(error))) from error
        try:
            password = self._secret_of(section, "password", check_secret)
        except vol.Invalid as error:
            raise self._unreadable(error, ("mqtt",)) from None
        if password is not None and "username" not in section:
            where = ("mqtt", "username")
            raise Unreadable(self._document.fault(where, "is missing"))
        port = section.get("port", 8883 if tls else 1883)
        hosts = section.get("host", [("127.0.0.1", None)])
        settings = MqttSettings(
            hosts=tuple((host, own or port) for host, own in hosts),
            username=section.get("username"),
            password=password,
            tls=tls,
            setup=MqttSetup(
                base=section.get("base_topic", DEFAULT_BASE),
                member=cluster.name if cluster else None,
                commands=section.get("commands", True),
                discovery=section.get("discovery", False),
                prefix=section.get("discovery_prefix", "homeassistant"),
                retained=True,
            ),
            is_retained_by_node=section.get("retained") == "node",
        )
        return settings, context

    def _files(self, section: Mapping[str, str]) -> CertificateFiles | None:
        if "certificate" not in section:
            return None
        return CertificateFiles(
            self._folder / section["certificate"],
            self._folder / section["private_key"],
        )

    def _secret_of(
        self, data: Mapping[str, Any], name: str, check: Callable[[Any], str]
    ) -> str | None:
        """Return a secret that is given, or that a file holds. Raises vol.Invalid."""
        given: str | None = data.get(name)
        of_file = f"{name}_file"
        if of_file not in data:
            return given
        if given is not None:
            raise vol.Invalid(f"{name} is given too", [of_file])
        path = self._folder / data[of_file]
        try:
            return check(text_of(path, MAX_SECRET).strip("\r\n"))
        except Unreadable as error:
            raise vol.Invalid(f"{path}: {error.faults[0].text}", [of_file]) from None
        except vol.Invalid as error:
            raise vol.Invalid(f"{path}: {error.msg}", [of_file]) from None

    def _unreadable(self, error: vol.Invalid, where: Where) -> Unreadable:
        return Unreadable(*(self._document.fault(*it) for it in flat(error, where)))


def _keys_of(keys: int | Mapping[str, Any] | None, model: Any) -> tuple[KeySetup, ...]:
    """Return the keys; of a number, or of none, plain keys in this number."""
    if keys is None:
        keys = model.keys if model else KEYS
    colors = bool(model and model.colors)
    if isinstance(keys, int):
        return _plain_keys(keys, colors)
    return tuple(
        _key_of(name, **{"colors": colors, **key}) for name, key in keys.items()
    )


# Phones whose settings are equal have the same objects, which takes less memory: a bridge
# of a cluster has the settings of all phones.

_USUAL_BLF: Final = BlfSetup()


@lru_cache(maxsize=4096)
def _dialling_of(answer: str = DialAnswer.BUSY, redirect_to: str = "") -> Dialling:
    return Dialling(answer=DialAnswer(answer), redirect_to=redirect_to)


@lru_cache
def _plain_keys(count: int, colors: bool) -> tuple[KeySetup, ...]:
    return tuple(_key_of(f"{number}", colors) for number in range(1, count + 1))


@lru_cache(maxsize=4096)
def _key_of(  # noqa: PLR0917, one for each setting
    name: str,
    colors: bool,
    kind: str = KeyKind.LIGHT,
    title: str = "",
    toggle: bool = False,
    light_on: str = LightMode.ON,
    light_off: str = LightMode.OFF,
    number_on: str = "",
    number_off: str = "",
) -> KeySetup:
    """Return a key: `message` makes presses go to the server."""
    number, title = f"key{name}", title or f"Key {name}"
    is_switch = kind == KeyKind.SWITCH

    def look(light: str, own: str) -> KeyDescription:
        return KeyDescription(
            name=name,
            light=LightMode(light),
            action=Action.MESSAGE,
            number=own or number,
            label=title,
        )

    return KeySetup(
        off=look(light_off, number_off),
        on=look(light_on, number_on) if is_switch else None,
        toggles=toggle,
        kind=KeyKind(kind),
        colors=colors,
        title=title,
    )


def _with_lines(
    phones: Mapping[str, PhoneSetup], lines: Mapping[str, LineSetup]
) -> dict[str, PhoneSetup]:
    """Return the phones, with the keys that belong to lines."""
    codes: dict[str, dict[str, str]] = {}
    for line in lines.values():
        for extension, key in line.keys.items():
            codes.setdefault(extension, {})[key] = line.code
    result = dict(phones)
    for extension, code_of in codes.items():
        if (phone := result.get(extension)) is not None:
            keys = tuple(
                replace(
                    shared_key(key.name, code_of[key.name]),
                    colors=key.colors,
                    title=key.title,
                )
                if key.name in code_of
                else key
                for key in phone.keys
            )
            result[extension] = replace(phone, keys=keys)
    return result


def _server(section: Mapping[str, Any]) -> ServerSettings:
    udp, tcp, tls = (section.get(name, {}) for name in ("udp", "tcp", "tls"))
    host = section.get("host", "0.0.0.0")  # noqa: S104, phones are on the network
    return ServerSettings(
        host=host,
        port=section.get("port", 5060) if udp.get("enabled", True) else None,
        tcp_port=tcp.get("port", 5060) if tcp.get("enabled") else None,
        tls_port=tls.get("port", 5061) if tls.get("enabled") else None,
        realm=section.get("realm", "snom-bridge"),
        advertised_host=section.get("advertised_host") or _own_address(host),
        advertised={
            name: part["advertised"]
            for name, part in (("UDP", udp), ("TCP", tcp), ("TLS", tls))
            if "advertised" in part
        },
        networks=tuple(section.get("networks", ())) or PRIVATE_NETWORKS,
        edges=tuple(section.get("edges", ())),
        edge_ca=section.get("edge_ca", ""),
        keepalive=float(section.get("keepalive", KEEPALIVE)),
    )


_OTHERS: Final = {4: "192.0.2.1", 6: "2001:db8::1"}
"""Addresses of documentation (RFC 5737, RFC 3849), to which the default route leads."""


def _own_address(host: str) -> str:
    """Return the address under which phones reach a server. Nothing is sent."""
    address = ip_address(host)
    if not address.is_unspecified:
        return host
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_OTHERS[address.version], 9))
            own: str = probe.getsockname()[0]
        except OSError:
            return "127.0.0.1" if address.version == 4 else "::1"
    return own
