"""What the settings file may hold, and how its faults are named."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from pathlib import Path
import socket
import ssl
import textwrap

import pytest

from bridge.document import Fault, Unreadable
from bridge.reading import Reading, read
from bridge.settings import Settings
from snom_buttons.dialoginfo import DialogState
from snom_buttons.mqtt import MqttSetup
from snom_buttons.phones import (
    PRIVATE_NETWORKS,
    DialAnswer,
    KeyKind,
    PressAnswer,
    Speakers,
)
from snom_buttons.xbuttons import Action, LightMode
from tests.support.certificates import make_certificate


@pytest.fixture(autouse=True)
def own_address(socket_enabled: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the address of this machine be the one that leads to itself."""
    monkeypatch.setattr("bridge.reading._OTHERS", {4: "127.0.0.1"})


DEEP = "[" * 5000 + "]" * 5000


def doubled(number: int) -> str:
    """Return a list of lists, each of which has the one before a number of times."""
    parts = ["&a0 [x]"]
    parts += [
        f"&a{each} [{', '.join([f'*a{each - 1}'] * number)}]" for each in range(1, 40)
    ]
    return f"[{', '.join(parts)}]"


LAUGHS, CHAIN = doubled(9), doubled(1)
SMALLEST = """
    mqtt: {host: broker.example}
    phones:
      44: {password: geheim-44}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "snom-bridge.yaml"


def read_text(path: Path, text: str, former: Settings | None = None) -> Reading:
    path.write_text(textwrap.dedent(text))
    return read(path, former)


def phone_text(text: str) -> str:
    """Return a file with one phone, whose section is a text."""
    return f"server: {{host: 127.0.0.1}}\nphones: {{'44': {{password: geheim-44, {text}}}}}"


def faults_of(path: Path, text: str) -> list[str]:
    """Return the faults of a file, whether it can be used without them or not."""
    faults: Iterable[Fault]
    try:
        faults = read_text(path, text).faults
    except Unreadable as error:
        faults = error.faults
    return [*map(str, faults)]


def test_the_smallest_file(path: Path) -> None:
    settings, faults, _ = read_text(path, SMALLEST)
    assert not faults
    assert settings.server.ports == {"UDP": 5060}
    assert settings.server.host == "0.0.0.0"
    assert settings.server.networks == PRIVATE_NETWORKS
    assert settings.server.advertised_host == "127.0.0.1"
    assert settings.mqtt.hosts == (("broker.example", 1883),)
    assert settings.mqtt.setup == MqttSetup(
        base="snom_buttons", commands=True, discovery=False, retained=True
    )
    phone = settings.phones["44"]
    assert phone.name == "44"
    assert phone.maker == "snom"
    assert [key.name for key in phone.keys] == [f"{n}" for n in range(1, 13)]
    key = phone.keys[0]
    assert (key.kind, key.title, key.colors) == (KeyKind.LIGHT, "Key 1", False)
    assert (key.off.action, key.off.number) == (Action.MESSAGE, "key1")
    assert (settings.cluster, settings.secret) == (None, "")
    assert settings.http == ("127.0.0.1", 9464)
    assert settings.log == ("info", "text")


def test_a_bridge_without_phones(path: Path) -> None:
    settings, faults, _ = read_text(path, "phones:")
    assert not faults
    assert not settings.phones
    assert settings.mqtt.hosts == (("127.0.0.1", 1883),)


WHOLE = """
    server:
      host: 127.0.0.1
      port: 5070
      realm: home
      advertised_host: phones.example
      udp: {advertised: "198.51.100.7:5071"}
      tcp: {enabled: true, port: 5072}
      tls: {enabled: yes, port: 5073, certificate: server.crt, private_key: server.key}
      networks: [127.0.0.0/8, "2001:db8::/32"]
      keepalive: 0
    mqtt:
      host: [one.example, "two.example:1884"]
      port: 1885
      username: bridge
      password_file: broker.txt
      base_topic: hall/phones
      commands: off
      discovery: true
      discovery_prefix: ha
    phones:
      "44":
        name: Desk
        password_file: phone.txt
        model: d735
        keys:
          "1": {name: Door, kind: switch, toggle: on, light_on: hold, number_off: 100}
          P2: {colors: false}
          3:
          4: {kind: none}
        dialling: {answer: redirect, redirect_to: 192.0.2.7}
        room_lights: true
      045:
        password: "12345678"
        maker: yealink
        model: T46
        sending: {speakers: both, press_answer: decline, inverted: true, states: {on: early}}
        keys: 2
      hall: {address: "127.0.0.9", keys: 1}
    lines:
      co2: {name: Gate, keys: {"44": "3", 045: 1}, release_after: 60}
    secret_file: secret.txt
    cluster: {name: bridge-1}
    http: {port: 9500}
    log: {level: debug, format: json}
"""


def test_all_settings(path: Path, tmp_path: Path) -> None:
    make_certificate(tmp_path)
    (tmp_path / "phone.txt").write_text("geheim-44\n")
    (tmp_path / "broker.txt").write_text("of the broker\n")
    (tmp_path / "secret.txt").write_text("sealed\r\n")
    settings, faults, _ = read_text(path, WHOLE)
    assert not faults
    server = settings.server
    assert server.ports == {"UDP": 5070, "TCP": 5072, "TLS": 5073}
    assert server.registrar_addresses == {
        "UDP": "198.51.100.7:5071",
        "TCP": "phones.example:5072",
        "TLS": "phones.example:5073",
    }
    assert server.realm == "home"
    assert server.networks == (ip_network("127.0.0.0/8"), ip_network("2001:db8::/32"))
    assert server.keepalive == 0
    assert settings.certificate == (tmp_path / "server.crt", tmp_path / "server.key")
    assert settings.contexts.server is not None
    assert settings.contexts.broker is None
    mqtt = settings.mqtt
    assert mqtt.hosts == (("one.example", 1885), ("two.example", 1884))
    assert (mqtt.username, mqtt.password) == ("bridge", "of the broker")
    assert mqtt.setup == MqttSetup(
        base="hall/phones",
        commands=False,
        discovery=True,
        prefix="ha",
        retained=True,
        member="bridge-1",
    )
    desk, yealink, hall = settings.phones.values()
    assert (desk.name, desk.password, desk.model) == ("Desk", "geheim-44", "D735")
    door, second, third, fourth = desk.keys
    assert door.kind is KeyKind.SWITCH and door.toggles and door.colors
    assert door.on is not None
    assert (door.on.light, door.on.number) == (LightMode.HOLD, "key1")
    assert (door.off.light, door.off.number) == (LightMode.OFF, "100")
    assert (second.name, second.colors, second.title) == ("P2", False, "Key P2")
    assert third.kind is KeyKind.SHARED and third.off.number == "*602co2"
    assert fourth.kind is KeyKind.NONE
    assert desk.dialling.answer is DialAnswer.REDIRECT
    assert desk.dialling.redirect_to == "sip:{number}@192.0.2.7"
    assert desk.room_lights
    assert (yealink.extension, yealink.password) == ("045", "12345678")
    assert (yealink.maker, yealink.model) == ("Yealink", "T46")
    assert yealink.speakers is Speakers.BOTH and yealink.blf.is_inverted
    assert yealink.blf.press_answer is PressAnswer.DECLINE
    assert yealink.blf.states["on"] is DialogState.EARLY
    assert [key.kind for key in yealink.keys] == [KeyKind.SHARED, KeyKind.LIGHT]
    assert (hall.address, hall.speakers) == (("127.0.0.9", 5060), Speakers.BUTTONS)
    line = settings.lines["co2"]
    assert (line.name, line.keys) == ("Gate", {"44": "3", "045": "1"})
    assert line.release_after == 60
    assert settings.secret == "sealed"
    assert settings.cluster is not None and settings.cluster.name == "bridge-1"
    assert settings.http == ("127.0.0.1", 9500)
    assert settings.log == ("debug", "json")
    shown = repr(settings)
    assert not any(it in shown for it in ("geheim", "of the broker", "sealed"))


def test_a_bridge_has_the_name_of_its_machine_by_default(path: Path) -> None:
    path.write_text("cluster: {}")
    cluster = read(path).settings.cluster
    assert cluster is not None and cluster.name == socket.gethostname()


def test_the_secret_is_the_password_of_the_broker_by_default(path: Path) -> None:
    text = "mqtt: {username: bridge, password: of the broker}"
    assert read_text(path, text).settings.secret == "of the broker"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name: [a]", "phones.44.name: has to be a text"),
        (f"name: {65 * 'a'}", "phones.44.name: has more than 64 characters"),
        (
            'name: "a\\u202eb"',
            "phones.44.name: has a character that no name may have: \\u202e",
        ),
        (
            "maker: nokia",
            (
                "phones.44.maker: nokia is none of: snom, yealink, grandstream, fanvil,"
                " poly, cisco, gigaset, other"
            ),
        ),
        (
            "models: D735",
            "phones.44.models: there is no such setting; is it model?",
        ),
        (
            "keys: {1: {icon: door}}",
            (
                "phones.44.keys.1.icon: there is no such setting. There are: name, kind,"
                " colors, toggle, light_on, light_off, number_on, number_off"
            ),
        ),
        (
            "name: !secret desk",
            (
                "phones.44.name: a text that begins with ! needs quotes, and !secret is not"
                " known here"
            ),
        ),
        ("keys: 241", "phones.44.keys: 241 is not a whole number from 0 to 240"),
        ("keys: many", "phones.44.keys: many is not a whole number from 0 to 240"),
        (
            "keys: {1: []}",
            "phones.44.keys.1: has to be a mapping, such as {name: Door}",
        ),
        (
            "keys: [1]",
            (
                'phones.44.keys: has to be a mapping, such as {"1": {name: Door}}, or a'
                " number of keys"
            ),
        ),
        (
            "keys: {1: on}",
            "phones.44.keys.1: has to be a mapping, such as {name: Door}",
        ),
        (
            "keys: {a b: {}}",
            "phones.44.keys.a b: a b is not the name of a key",
        ),
        (
            "keys: {1: {kind: linked}}",
            "phones.44.keys.1.kind: linked is none of: light, switch, none",
        ),
        (
            "keys: {1: {toggle: true}}",
            "phones.44.keys.1.toggle: only a key of kind switch has this",
        ),
        (
            "keys: {1: {kind: switch, light_on: off}}",
            "phones.44.keys.1.light_on: on and off have the same light mode",
        ),
        (
            "keys: {1: {kind: switch, toggle: perhaps}}",
            "phones.44.keys.1.toggle: perhaps is neither true nor false",
        ),
        (
            f"keys: {{1: {{kind: switch, number_on: {200 * '1'}}}}}",
            "phones.44.keys.1.number_on: is not a number that a phone can send",
        ),
        (
            f"keys: {{{', '.join(f'{n}: {{}}' for n in range(241))}}}",
            "phones.44.keys: has more than 240 keys",
        ),
        (
            "keys: {1: {}, 1: {}}",
            "phones.44.keys.1: stands on line 2 already",
        ),
        ("{a: b}: c", "phones.44: a key has to be a text"),
        (
            "dialling: {answer: redirect}",
            "phones.44.dialling.redirect_to: is missing",
        ),
        (
            "dialling: {redirect_to: 'sip:a@b'}",
            (
                "phones.44.dialling.redirect_to: sip:a@b is not a host, or such as"
                " sip:{number}@192.0.2.7"
            ),
        ),
        (
            "address: phone.example",
            "phones.44.address: phone.example is not an IP address, or address:port",
        ),
        (
            "address: 127.0.0.9, sending: {speakers: blf}",
            "phones.44.sending.speakers: a phone with an address cannot subscribe",
        ),
        (
            "sending: {states: {on: lit}}",
            (
                "phones.44.sending.states.on: lit is none of: terminated, trying, early,"
                " confirmed"
            ),
        ),
        ("password_file: x", "phones.44.password_file: password is given too"),
    ],
)
def test_a_fault_of_a_phone_names_line_and_key(
    path: Path, text: str, fault: str
) -> None:
    assert faults_of(path, phone_text(text)) == [f"line 2: {fault}"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name: a", "line 1: phones.44.password: is missing"),
        (
            "password: short",
            (
                "line 1: phones.44.password: has to have 8 to 64 printable ASCII"
                " characters, no space"
            ),
        ),
        ("password: [a]", "line 1: phones.44.password: has to be a text"),
    ],
)
def test_a_phone_needs_a_password(path: Path, text: str, fault: str) -> None:
    assert faults_of(path, f"phones: {{44: {{{text}}}}}") == [fault]


@pytest.mark.parametrize("sign", [*"!@%*&`|>#,[]{}'\"", "- ", "? ", ": "])
def test_no_fault_shows_a_password_without_quotes(path: Path, sign: str) -> None:
    for text in (
        f"phones:\n  44:\n    password: {sign}geheim44",
        f"phones: {{44: {{password: {sign}geheim44}}}}",
        f"phones: {{44: {{password:{sign}geheim44}}}}",
        f"mqtt: {{username: a, password: {sign}geheim44}}\nphones: 5",
        f"secret: {sign}geheim44\nphones: 5",
    ):
        assert not [fault for fault in faults_of(path, text) if "geheim" in fault]


def test_a_password_file_that_cannot_be_used(path: Path, tmp_path: Path) -> None:
    (tmp_path / "short").write_text("short\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    text = """
        phones:
          44: {password_file: none}
          45: {password_file: short}
          46: {password_file: binary}
    """
    assert faults_of(path, text) == [
        f"line 3: phones.44.password_file: {tmp_path}/none: No such file or directory",
        (
            f"line 4: phones.45.password_file: {tmp_path}/short: has to have 8 to 64"
            " printable ASCII characters, no space"
        ),
        f"line 5: phones.46.password_file: {tmp_path}/binary: not UTF-8",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("server: [", "line 2: not YAML: did not find expected node content"),
        (
            "phones:\n\t44: {}",
            (
                "line 2: not YAML: found character that cannot start any token (a tab:"
                " indent with spaces)"
            ),
        ),
        (
            "secret: @home",
            (
                "line 1: not YAML: found character that cannot start any token (a text"
                " that begins with @ needs quotes)"
            ),
        ),
        (
            "phones:\n  44: {password: a #b\n",
            (
                "line 3: not YAML: did not find expected ',' or '}' in what begins on line"
                " 2 (a bracket is not closed, or a text needs quotes, here or above)"
            ),
        ),
        (
            "mqtt:\n  host: a\n   port: 1",
            (
                "line 3: not YAML: mapping values are not allowed in this context (the line"
                " is indented too far, or a text with a colon needs quotes)"
            ),
        ),
        (
            "http: false\nsecret:a\n",
            (
                "line 3: not YAML: could not find expected ':' in what begins on line 2 (a"
                " space is missing after a colon)"
            ),
        ),
        ("server: \0", "not YAML: "),
        ("- a", "has to be a mapping"),
        ("# all lines were removed", "has no settings"),
        ("phones: []", "phones: has to be a mapping"),
        ("server: {ports: 1}", "server.ports: there is no such setting; is it port?"),
        (
            "broker: a",
            (
                "broker: there is no such setting. There are: server, mqtt, phones, lines,"
                " cluster, http, log, secret, secret_file"
            ),
        ),
        ("mqtt:\n  host:a", "mqtt: has to be a mapping, such as {host: 192.168.1.6}"),
        (
            "mqtt: {password: !secret a}",
            "mqtt.password: a text that begins with ! needs",
        ),
        (
            "server: {advertised_host: '192.168.1.10:5060'}",
            "server.advertised_host: 192.168.1.10:5060 is not a host without a port",
        ),
        ("server: {advertised_host: a b}", "server.advertised_host: a b is not a host"),
        ("server: {host: phones}", "server.host: phones is not an IP address"),
        ("server: {port: 0}", "server.port: 0 is not a whole number from 1 to 65535"),
        ("server: {realm: 'a\"b'}", 'server.realm: a"b is not a realm'),
        (
            "server: {networks: [10.0.0.1/8]}",
            (
                "server.networks.0: 10.0.0.1/8 is not a network such as 10.0.0.0/8; that of"
                " this address is 10.0.0.0/8"
            ),
        ),
        ("server: {edges: edge}", "server.edges: edge is not a network such as"),
        (
            "server: {udp: {advertised: 'a:b:c'}}",
            "server.udp.advertised: a:b:c is not a host, or host:port",
        ),
        ("server: {udp: {enabled: false}}", "server: no transport is enabled"),
        ("server: {tls: {enabled: true}}", "server.tls.certificate: is missing"),
        ("mqtt: {host: []}", "mqtt.host: names no host"),
        ("mqtt: {host: [a, {}]}", "mqtt.host: has to be a text"),
        ("mqtt: {password: secret}", "mqtt.username: is missing"),
        ("mqtt: {username: a, password: ''}", "mqtt.password: is empty"),
        (
            "mqtt: {username: a, password: a, password_file: b}",
            "mqtt.password_file: password is given too",
        ),
        (
            "mqtt: {base_topic: a/#}",
            "mqtt.base_topic: a/# cannot be the beginning of a topic",
        ),
        (
            "mqtt: {tls: {certificate: a}}",
            "mqtt.tls: certificate and private_key go together",
        ),
        ("mqtt: {tls: {ca: none.crt}}", "No such file or directory"),
        ("secret: a\nsecret_file: b", "secret_file: secret is given too"),
        ("cluster: {name: a b}", "cluster.name: a b is not a name of letters,"),
        ("phones: [1]", "phones: has to be a mapping"),
        ("mqtt: &a {tls: *a}", "mqtt.tls: contains itself"),
        ("mqtt: {port: 1}\nmqtt: {port: 2}", "line 2: mqtt: stands on line 1 already"),
        ("#\nmqtt: ä\nlog: '\0'", "line 3: not YAML: control characters are not"),
        pytest.param(
            f"mqtt:\n  {DEEP}",
            f"line 2: mqtt{'.0' * 19}: is nested too deeply",
            id="deep",
        ),
        pytest.param(
            f"mqtt:\n  {'- ' * 50_000}", "line 2: is nested too deeply", id="deeper"
        ),
        pytest.param(
            "".join(f"%TAG !{number}! a\n" for number in range(101)) + "--- {}",
            "line 1: has too many directives %TAG",
            id="directives",
        ),
        pytest.param(
            f"x: {LAUGHS}\nmqtt: 1",
            "line 1: x.7: has more than 4000000 values",
            id="laughs",
        ),
        pytest.param(
            f"x: {CHAIN}\nmqtt: 1", "line 1: x.18.0: is nested too deeply", id="chain"
        ),
    ],
)
def test_a_fault_outside_of_phones_and_lines_makes_the_file_unreadable(
    path: Path, text: str, fault: str
) -> None:
    path.write_text(text)
    with pytest.raises(Unreadable):
        read(path)
    [found] = faults_of(path, text)
    assert fault in found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("mqtt: {hots: a}", "mqtt.hots: there is no such setting; is it host?"),
        ("mqtt: {password: a}", "mqtt.username: is missing"),
    ],
)
def test_all_faults_are_named_at_once(path: Path, text: str, fault: str) -> None:
    """Also those of phones in a file that cannot be used."""
    phones = "phones:\n  44: {password: geheim-44, keys: many}\n  45: {}"
    assert faults_of(path, f"{text}\n{phones}") == [
        f"line 1: {fault}",
        "line 3: phones.44.keys: many is not a whole number from 0 to 240",
        "line 4: phones.45.password: is missing",
    ]


@pytest.mark.parametrize("text", ["host:a", "password:a", "password: a,word"])
def test_a_word_without_a_value(path: Path, text: str) -> None:
    """It may be a part of a password, so it is not shown."""
    [fault] = faults_of(path, f"mqtt: {{username: c, {text}}}")
    assert fault == (
        "line 1: mqtt: a word has no value: put a space after its colon, or quotes"
        " around a text with a comma"
    )


def test_many_values_below_many_brackets_are_not_read(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A megabyte would take a minute. What follows, which is not YAML, is not reached."""
    monkeypatch.setattr("bridge.document.MAX_WORK", 10_000)
    text = "mqtt:\n  " + "[" * 100 + "\n[" + "[]," * 100 + "}"
    assert faults_of(path, text) == ["line 3: is nested too deeply"]
    monkeypatch.setattr("bridge.document.MAX_WORK", 2**62)
    assert faults_of(path, "- " * 100_000) == ["line 1: is nested too deeply"]


def test_a_file_that_is_not_there_or_no_text(path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file or directory"):
        read(path)
    path.write_bytes(b"phones:\n\xff")
    with pytest.raises(Unreadable, match="line 2: not UTF-8"):
        read(path)
    with pytest.raises(Unreadable, match="has more than 33554432 bytes"):
        read(Path("/dev/zero"))
    text = phone_text("").replace("password: geheim-44", "password_file: /dev/zero")
    assert faults_of(path, text) == [
        "line 2: phones.44.password_file: /dev/zero: has more than 4096 bytes"
    ]


@pytest.mark.parametrize("keys", [DEEP, LAUGHS, CHAIN], ids=["deep", "laughs", "chain"])
def test_a_phone_that_is_nested_or_repeats_itself_is_left_out(
    path: Path, keys: str
) -> None:
    """A settings file is read in a thread, whose stack is not that of the program."""
    text = f"{SMALLEST}      '45': {{password: geheim-45, keys: {keys}}}"
    path.write_text(textwrap.dedent(text))
    with ThreadPoolExecutor() as threads:
        reading = threads.submit(read, path).result()
    assert [*reading.settings.phones] == ["44"]
    assert reading.faults
    assert all(it.key.startswith("phones.45.keys") for it in reading.faults)


def test_what_aliases_repeat(path: Path) -> None:
    """Phones may share their keys, and the faults of these."""
    shared = "      45: {password: geheim-45, keys: &keys {1: {name: A}, 2: {}}}\n"
    shared += "".join(
        f"      {number}: {{password: geheim-44, keys: *keys}}\n"
        for number in range(50, 150)
    )
    reading = read_text(path, SMALLEST + shared)
    assert reading.faults == ()
    keys = [it.keys for it in reading.settings.phones.values() if len(it.keys) == 2]
    assert {it[0].title for it in keys} == {"A"} and len(keys) == 101
    reading = read_text(path, SMALLEST + shared.replace("name: A", "name: !secret a"))
    assert [*reading.settings.phones] == ["44"]
    assert len(reading.faults) == 101


def test_a_setting_of_a_phone_that_is_indented_too_little(path: Path) -> None:
    text = "phones:\n  44:\n  password: geheim-44\n"
    assert faults_of(path, text) == [
        "line 2: phones.44.password: is missing",
        "line 3: phones.password: is a setting of a phone: indent it further",
    ]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("model: D753", "model: D753 is not a model that is known; is it D"),
        (
            "model: snomD735, keys: 4",
            "model: snomD735 is not a model that is known; is it",
        ),
        ("model: desk", "model: desk is not a model that is known, so it has 12 keys"),
        ("model: desk, keys: 4", "model: desk is not a model that is known"),
        (
            "model: D120, keys: {12: {}, P1: {}}",
            "keys: a D120 has 2 keys without an expansion module",
        ),
        ("model: D735, keys: 32", None),
        ("model: D735, keys: {}", None),
        ("maker: yealink, model: T1000", None),
    ],
)
def test_what_is_strange_about_a_model_is_noted(
    path: Path, text: str, note: str | None
) -> None:
    reading = read_text(path, phone_text(text))
    assert not reading.faults
    assert [*reading.settings.phones] == ["44"]
    notes = [*map(str, reading.notes)]
    assert len(notes) == (note is not None)
    assert all(it.startswith(f"line 2: phones.44.{note}") for it in notes)


def test_a_wrong_certificate_is_named_with_its_reason(
    path: Path, tmp_path: Path
) -> None:
    make_certificate(tmp_path)
    make_certificate(tmp_path, name="other")
    (tmp_path / "text").write_text("no certificate")
    tls = "server: {{tls: {{enabled: true, certificate: {}, private_key: {}}}}}"
    for certificate, key, reason in (
        ("none", "server.key", "No such file or directory"),
        ("server.crt", "other.key", "key_values_mismatch"),
        ("text", "server.key", "not a certificate and its key in PEM"),
    ):
        [fault] = faults_of(path, tls.format(certificate, key))
        assert fault.startswith("line 1: server.tls.certificate: ")
        assert fault.endswith(f"cannot be used: {reason}"), fault
    [fault] = faults_of(path, "mqtt: {tls: {ca: text}}")
    assert fault.startswith(f"line 1: mqtt.tls: {tmp_path}/text cannot be used: ")
    text = "mqtt: {tls: {ca: server.crt, certificate: server.crt, private_key: server.key}}"
    assert read_text(path, text).settings.contexts.broker is not None
    assert read_text(path, "mqtt: {tls: {}}").settings.contexts.broker is not None


LINES = """
    phones:
      44: {password: geheim-44, keys: 2}
      45: {password: geheim-45, keys: 2}
      46: {password: short}
    lines:
      one: {keys: {44: 1, 46: 1}}
      two: {keys: {44: 1}}
      three: {keys: {45: 3}}
      four: {keys: {47: 1}}
      a b: {keys: {45: 1}}
      six: {keys: {45: 2}, release_after: -1}
      seven:
"""


def test_trusted_edges(path: Path, tmp_path: Path) -> None:
    make_certificate(tmp_path)
    make_certificate(tmp_path, name="ca")
    tls = "tls: {enabled: true, certificate: server.crt, private_key: server.key}"
    edges = "edges: [192.0.2.7, 'fd00:1::/64'], networks: 192.0.2.0/24"
    settings, faults, _ = read_text(
        path, f"server: {{{tls}, {edges}, edge_ca: ca.crt}}\n"
    )
    assert faults == ()
    assert list(map(str, settings.server.edges)) == ["192.0.2.7/32", "fd00:1::/64"]
    assert settings.server.networks == (ip_network("192.0.2.0/24"),)
    assert settings.server.edge_ca == str(tmp_path / "ca.crt")
    assert settings.contexts.edge is not None
    assert settings.contexts.edge.verify_mode is ssl.CERT_OPTIONAL
    assert settings.contexts[0] is not None
    assert settings.contexts[0].verify_mode is ssl.CERT_NONE
    [fault] = faults_of(path, f"server: {{{tls}, edge_ca: nowhere}}")
    assert fault == (
        f"line 1: server.edge_ca: {tmp_path / 'nowhere'} cannot be used:"
        " No such file or directory"
    )
    # Without TLS it is not read.
    assert (
        read_text(path, "server: {edge_ca: nowhere}\n").settings.contexts.edge is None
    )


def test_a_line_that_is_wrong_is_left_out(path: Path) -> None:
    settings = read_text(path, LINES).settings
    assert faults_of(path, LINES) == [
        (
            "line 5: phones.46.password: has to have 8 to 64 printable ASCII characters,"
            " no space"
        ),
        "line 8: lines.two.keys.44: the key belongs to line one already",
        "line 9: lines.three.keys.45: phone 45 has no key 3",
        "line 10: lines.four.keys.47: there is no such phone",
        "line 11: lines.a b: a b is not the code of a line",
        "line 12: lines.six.release_after: -1 is not a whole number from 0 to 86400",
        ('line 13: lines.seven: has to be a mapping, such as {keys: {"44": "1"}}'),
    ]
    assert list(settings.phones) == ["44", "45"]
    assert list(settings.lines) == ["one"]
    kinds = [key.kind for key in settings.phones["44"].keys]
    assert kinds == [KeyKind.SHARED, KeyKind.LIGHT]


def test_what_is_wrong_is_as_it_was_before(path: Path) -> None:
    good = """
        phones:
          44: {password: geheim-44, keys: 2}
          45: {password: geheim-45, keys: 2}
        lines:
          co2: {keys: {44: 1}}
    """
    former = read_text(path, good).settings
    settings, faults, _ = read_text(
        path, good.replace("geheim-44", "short").replace("44: 1", "44: 9"), former
    )
    assert [fault.key for fault in faults] == [
        "phones.44.password",
        "lines.co2.keys.44",
    ]
    assert settings.phones == former.phones
    assert settings.lines == former.lines


def test_sections_that_need_a_restart_are_named(path: Path) -> None:
    running = read_text(path, SMALLEST).settings
    assert not read_text(path, SMALLEST).settings.needs_restart(running)
    other = SMALLEST + "    server: {port: 5080}\n    log: {level: debug}\n"
    assert read_text(path, other).settings.needs_restart(running) == ["server", "log"]
