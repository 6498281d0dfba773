"""docs/mqtt.md, its schemas and its examples agree with each other and with the code."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
import json
from pathlib import Path
import re
import shlex
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator
import pytest

from custom_components.snom_buttons.engine.keywords import EFFECTS, FIELDS, read_fields
from custom_components.snom_buttons.engine.mqtt.commands import (
    IGNORED,
    OWN_FIELDS,
    STATES,
)
from custom_components.snom_buttons.engine.mqtt.payloads import (
    dialled_payload,
    error_payload,
    messages_payload,
    press_payload,
    state_payload,
)
from custom_components.snom_buttons.engine.mqtt.topics import Topics
from custom_components.snom_buttons.engine.phones import (
    MESSAGES,
    Dialled,
    Key,
    KeyPress,
    KeySetup,
)
from custom_components.snom_buttons.engine.refused import Refused
from custom_components.snom_buttons.engine.xbuttons import (
    Action,
    KeyDescription,
    LightMode,
    MessageWaiting,
    parse_document,
)

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "mqtt.md").read_text()
THINGS = (DOCS / "examples" / "openhab.things").read_text()
SCRIPT = (DOCS / "examples" / "iobroker.js").read_text()
ITEMS = (DOCS / "examples" / "openhab.items").read_text()
FLOW: list[dict[str, Any]] = json.loads(
    (DOCS / "examples" / "node-red-flow.json").read_text()
)
SCHEMAS: dict[str, dict[str, Any]] = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text())
    for path in (DOCS / "schemas").glob("*.json")
}


class Topic(NamedTuple):
    """A row of the page's table of topics."""

    topic: str
    retained: bool
    ours: bool
    """Whether Snom Buttons publishes it, and not other programs."""

    def matches(self, topic: str) -> bool:
        """Return whether this row contains a topic, or all topics of a filter."""
        pattern = re.sub(r"<(?:phone|k)>", r"([^/+#]+|\\+)", self.topic)
        return bool(re.fullmatch(pattern, topic))


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table that begins with a cell."""
    table = re.search(
        rf"^\| {heading} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE
    )
    assert table
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in table[1].splitlines()
    ]


def table_of_topics() -> list[Topic]:
    """Return the rows of the table of topics."""
    found = []
    for topic, _, retained, publisher in rows("topic"):
        assert retained in ("yes", "no", "never")
        assert publisher in ("Snom Buttons", "you")
        found.append(
            Topic(
                topic.strip("`").replace("<base>", "snom_buttons"),
                retained == "yes",
                publisher == "Snom Buttons",
            )
        )
    return found


TOPICS = table_of_topics()


def documented(topic: str) -> Topic:
    """Return the row of the table that a topic belongs to."""
    (found,) = [row for row in TOPICS if row.matches(topic)]
    return found


def schema_of(topic: str) -> dict[str, Any]:
    """Return the schema of a topic's payloads."""
    return SCHEMAS[documented(topic).topic.rpartition("/")[2]]


def check(name: str, payload: object) -> None:
    """Raise ValidationError for a payload that its schema does not allow."""
    Draft202012Validator(SCHEMAS[name]).validate(payload)


def allows(name: str, payload: object) -> bool:
    """Return whether a schema allows a payload."""
    return bool(Draft202012Validator(SCHEMAS[name]).is_valid(payload))


def blocks(language: str) -> list[tuple[str, str]]:
    """Return the page's blocks of a language: the rest of their first line, and the text."""
    return re.findall(
        rf"^```{language}\b *(.*)\n((?:(?!```).*\n)*)```$", PAGE, re.MULTILINE
    )


def commands() -> list[list[str]]:
    """Return the command lines of the page, as a shell splits them."""
    text = "".join(content for _, content in blocks("sh"))
    text = re.sub(r"<<'END'\n.*?^END$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [shlex.split(line) for line in text.splitlines()]


def option(command: list[str], name: str) -> str:
    """Return the value of an option."""
    return command[command.index(name) + 1]


def nodes(kind: str) -> list[dict[str, Any]]:
    """Return the nodes of a kind in the flow."""
    return [node for node in FLOW if node["type"] == kind]


# The page.


def test_the_table_has_the_topics_of_the_code() -> None:
    topics = Topics("snom_buttons")
    ours = {topics.status, topics.error}
    ours |= {topics.availability("44"), topics.dialled("44")}
    ours |= {topics.state("44", "1"), topics.event("44", "1")}
    ours.add(topics.state("44", MESSAGES))
    theirs = {topics.set("44", "1"), *topics.commands}
    assert {documented(topic).topic for topic in ours} == {
        row.topic for row in TOPICS if row.ours
    }
    assert {documented(topic).topic for topic in theirs} == {
        row.topic for row in TOPICS if not row.ours
    }
    assert {row.topic.rpartition("/")[2] for row in TOPICS if row.retained} == {
        "status",
        "availability",
        "messages",
        "state",
    }


def test_the_page_encodes_as_the_code_does() -> None:
    assert f"`{Topics('snom_buttons').state('44', 'a/b')}`" in PAGE


def test_the_page_names_the_options() -> None:
    path = DOCS.parent / "custom_components/snom_buttons/translations/en.json"
    names = json.loads(path.read_text())["options"]["step"]["init"]["data"].values()
    assert sorted(row[0] for row in rows("option")) == sorted(names)


def test_every_schema_has_an_example() -> None:
    assert {name for name, _ in blocks("json")} == SCHEMAS.keys()


@pytest.mark.parametrize(("name", "text"), blocks("json"))
def test_examples_of_the_page(name: str, text: str) -> None:
    payload = json.loads(text)
    check(name, payload)
    if name == "set":
        read_fields(payload)


@pytest.mark.parametrize(
    "text", [text for name, text in blocks("json") if name == "state"]
)
def test_a_state_can_be_sent_back(text: str) -> None:
    check("set", json.loads(text))


def test_the_page_names_the_fields_of_commands() -> None:
    table = rows("field")
    named = [name for row in table for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == sorted({*OWN_FIELDS, *FIELDS})
    takes = {row[0]: re.findall(r"`(\w+)`", row[1]) for row in table}
    assert takes["`state`"] == list(STATES)
    assert takes["`effect`"] == list(EFFECTS)
    (ignored,) = re.findall(
        r"^(`brightness`.*?) are ignored", PAGE, re.MULTILINE | re.DOTALL
    )
    assert set(re.findall(r"`(\w+)`", ignored)) == IGNORED


def test_the_page_links_to_what_is_there() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert len(links) > 10
    for link in links:
        path, _, anchor = link.partition("#")
        assert not path or (DOCS / path).is_file(), link
        assert path or anchor in headings, link
    for schema in SCHEMAS:
        assert f"schemas/{schema}.schema.json" in links


def test_commands_of_the_page() -> None:
    tools = {command[0] for command in commands()}
    assert tools == {"mosquitto_pub", "mosquitto_sub"}
    for command in commands():
        topic = option(command, "-t")
        if command[0] == "mosquitto_sub":
            prefix = topic.removesuffix("#")
            assert any(
                row.topic.replace("<phone>", "44").startswith(prefix) for row in TOPICS
            )
            continue
        if "-r" in command:
            assert "-n" in command
            assert documented(topic).retained
            continue
        assert not documented(topic).ours
        if "-m" not in command:
            continue
        payload = option(command, "-m")
        if payload not in STATES:
            Draft202012Validator(schema_of(topic)).validate(json.loads(payload))


def test_document_of_the_page() -> None:
    (document,) = re.findall(r"<<'END'\n(.*?)^END$", PAGE, re.DOTALL | re.MULTILINE)
    (key,) = parse_document(document.encode())
    assert key.label == "Parked"


def test_acl_of_the_page() -> None:
    ((_, acl),) = [block for block in blocks("text") if block[0] == "acl"]
    users = {
        lines[0]: lines[1:]
        for lines in (part.split("\n") for part in acl.strip().split("user ")[1:])
    }
    assert users.keys() == {"homeassistant", "panel", "display"}
    for line in users["panel"] + users["display"]:
        if not line or line.startswith("#"):
            continue
        keyword, access, topic = line.split()
        assert keyword == "topic"
        if topic != "snom_buttons/#":
            assert documented(topic).ours == (access == "read")
        assert access in ("read", "write")


# The schemas.


@pytest.mark.parametrize(
    "name", ["state", "set", "event", "messages", "dialled", "error"]
)
def test_schemas(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"/{name}.schema.json")
    assert schema["additionalProperties"] is False
    assert all(field["description"] for field in schema["properties"].values())
    assert set(schema.get("required", ())) <= schema["properties"].keys()


def test_every_payload_has_a_schema() -> None:
    assert SCHEMAS.keys() == {
        row.topic.rpartition("/")[2]
        for row, cells in zip(TOPICS, rows("topic"), strict=True)
        if "JSON" in cells[1]
    }


def test_the_set_schema_knows_the_fields_of_commands() -> None:
    properties = SCHEMAS["set"]["properties"]
    assert properties.keys() == {*FIELDS, *OWN_FIELDS, *IGNORED}
    assert properties["state"]["examples"] == list(STATES)
    for state in STATES:
        for spelled in (state, state.lower(), state.title()):
            check("set", {"state": spelled})
    assert properties["effect"]["enum"] == [*EFFECTS, None]


@pytest.mark.parametrize("name", FIELDS)
def test_the_set_schema_takes_what_the_code_takes(name: str) -> None:
    field, schema = FIELDS[name], SCHEMAS["set"]["properties"][name]
    values = schema.get("examples") or schema["enum"]
    if "enum" in schema:
        words = [word for word in schema["enum"] if word and isinstance(word, str)]
        assert ", ".join(words) == field.allowed
    for value in [*values, ""]:
        check("set", {name: value})
        if not isinstance(value, dict):  # a colour in numbers, which only MQTT has
            read_fields({name: value})


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("value", ["\t\x01", "a\nb", None, {}, True, "a" * 129])
def test_the_set_schema_refuses_what_the_code_refuses(name: str, value: object) -> None:
    if (name, value) == ("light", True):  # YAML's on
        return
    assert not allows("set", {name: value})
    with pytest.raises(Refused):
        read_fields({name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, "blue!") for name in FIELDS if FIELDS[name].error != "invalid_text"],
        ("color", "#12345"),
        ("forward", "always"),
        ("forward", "never 12"),
        ("mwi", "3"),
        ("number", "1" * 65),
        ("states", ["dnd", "asleep"]),
        ("treatment", "ring"),
    ],
)
def test_the_set_schema_refuses_wrong_values(name: str, value: object) -> None:
    assert not allows("set", {name: value})
    with pytest.raises(Refused):
        read_fields({name: value})


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("set", {}),
        ("set", "ON"),
        ("set", {"blink": True}),
        ("set", {"state": "BLINK"}),
        ("set", {"state": "ONN"}),
        ("set", {"state": "NOT OFF"}),
        ("set", {"state": True}),
        ("set", {"effect": "on"}),
        ("set", {"reset": "yes"}),
        ("set", {"color": {"h": 361, "s": 100}}),
        ("set", {"color": {"r": 1, "g": 2}}),
        ("set", {"color": {"r": 1, "g": 2, "b": 256}}),
        ("set", {"color": {"h": 1, "s": 2, "b": 3}}),
    ],
)
def test_commands_that_are_none(name: str, payload: object) -> None:
    assert not allows(name, payload)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("state", {"effect": None}),
        ("state", {"light": "off"}),
        ("state", {"color_mode": "rgb"}),
        ("state", {"color": {"h": 1}}),
        ("state", {"brightness": 255}),
        ("state", {"label": None}),
        ("state", {"in_sync": "yes"}),
        ("event", {"event_type": "press"}),
        ("event", {"caller": None}),
        ("event", {"time": "2026-11-23T08:15:30"}),
        ("event", {"time": "2026-11-23T08:15:30+01:00"}),
        ("event", {"id": ""}),
        ("messages", {"mwi": "3"}),
        ("messages", {"state": True}),
        ("dialled", {"number": 100}),
        ("error", {"reason": ""}),
    ],
)
def test_payloads_that_are_wrong(name: str, changes: dict[str, object]) -> None:
    right = json.loads(next(text for known, text in blocks("json") if known == name))
    assert allows(name, right)
    assert not allows(name, right | changes)


@pytest.mark.parametrize("name", SCHEMAS)
def test_payloads_that_lack_something(name: str) -> None:
    right = json.loads(next(text for known, text in blocks("json") if known == name))
    for field in SCHEMAS[name].get("required", ()):
        assert not allows(name, {key: right[key] for key in right if key != field})
    if name == "state":
        assert not allows(name, {key: right[key] for key in right if key != "color"})


@pytest.mark.parametrize("label", ["Garage", None])
@pytest.mark.parametrize("colors", [True, False])
def test_states_of_the_code(colors: bool, label: str | None) -> None:
    key = Key(KeySetup(off=KeyDescription(name="1"), colors=colors), lambda *_: None)
    for light, color in product([*LightMode, "disco"], [None, "green", "#FF8800"]):
        key.show(replace(key.look, light=light, color=color, label=label))
        state = json.loads(state_payload(key, in_sync=False))
        check("state", state)
        assert ("color" in state) == colors
        if light in EFFECTS.values():
            check("set", state)


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (999_999_999, 999_999_999)])
def test_messages_of_the_code(counts: tuple[int, int]) -> None:
    payload = json.loads(messages_payload(MessageWaiting(*counts), in_sync=True))
    check("messages", payload)
    check("set", {name: payload[name] for name in ("state", "mwi")})


@pytest.mark.parametrize("caller", [None, "100"])
def test_events_of_the_code(caller: str | None) -> None:
    uses = (None, Action.SEIZE, Action.RELEASE)
    for action, use in product([*Action, "another"], uses):
        press = KeyPress(
            extension="44",
            key="1",
            action=action,
            number="*6013",
            caller=caller,
            use=use,  # type: ignore[arg-type]
        )
        event = json.loads(press_payload(press))
        check("event", event)
        assert ("caller" in event) == (caller is not None)
        assert "simulated" not in event
        event = json.loads(press_payload(replace(press, simulated=True)))
        check("event", event)
        assert event["simulated"] is True


def test_other_payloads_of_the_code() -> None:
    dialled = Dialled(extension="44", number="100")
    check("dialled", json.loads(dialled_payload(dialled)))
    check("error", json.loads(error_payload("snom_buttons/44/key/1/set", "No.")))


# Node-RED.


def test_the_flow_is_wired() -> None:
    ids = [node["id"] for node in FLOW]
    assert len(set(ids)) == len(ids)
    (tab,), (broker,) = nodes("tab"), nodes("mqtt-broker")
    position = nodes("mqtt in")[0]
    way = [position]
    while wires := position["wires"]:
        ((target,),) = wires
        (position,) = [node for node in FLOW if node["id"] == target]
        assert position not in way
        way.append(position)
    assert [node["type"] for node in way] == [
        "mqtt in",
        "json",
        "switch",
        "change",
        "mqtt out",
    ]
    assert len(FLOW) == len(way) + 2
    assert all(node["z"] == tab["id"] for node in way)
    assert way[0]["broker"] == way[-1]["broker"] == broker["id"]


def test_the_flow_speaks_as_documented() -> None:
    (heard,), (said,) = nodes("mqtt in"), nodes("mqtt out")
    (json_node,), (switch,), (change,) = nodes("json"), nodes("switch"), nodes("change")
    assert documented(heard["topic"]).ours
    assert not documented(said["topic"]).ours
    assert said["retain"] == "false"
    assert heard["qos"] == said["qos"] == "1"
    # As text: otherwise the broker node parses it, and the node `json` formats it again.
    assert (heard["datatype"], json_node["action"]) == ("utf8", "obj")
    field = switch["property"].removeprefix("payload.")
    (rule,) = switch["rules"]
    assert rule["v"] in schema_of(heard["topic"])["properties"][field]["enum"]
    (rule,) = change["rules"]
    assert (rule["t"], rule["p"], rule["tot"]) == ("set", "payload", "json")
    payload = json.loads(rule["to"])
    Draft202012Validator(schema_of(said["topic"])).validate(payload)
    assert payload == {"state": "ON", "effect": "hold"}


# ioBroker.


def test_iobroker_speaks_as_documented() -> None:
    [state_id] = re.findall(r"'mqtt\.0\.([^']+)'", SCRIPT)
    heard = state_id.replace(".", "/")
    [said] = re.findall(r"topic: '([^']+)'", SCRIPT)
    assert documented(heard).ours
    assert not documented(said).ours
    [(field, value)] = re.findall(r"press\.(\w+) === '(\w+)'", SCRIPT)
    assert value in schema_of(heard)["properties"][field]["enum"]
    commands = re.findall(r"'([A-Z]+)'", SCRIPT)
    assert commands
    assert {*commands} <= {*STATES}
    assert "retain: false" in SCRIPT


# openHAB.


def test_openhab_speaks_as_documented() -> None:
    channels = re.findall(r"^ +Type (\w+) : (\w+) .*\[ (.*) \]$", THINGS, re.MULTILINE)
    assert len(channels) == THINGS.count("Type ") == 4
    for kind, _, settings in channels:
        given = {
            name: re.sub(r"\\(.)", r"\1", value)
            for name, value in re.findall(r'(\w+)="((?:\\.|[^"\\])*)"', settings)
        }
        topic = given["stateTopic"]
        assert documented(topic).ours
        assert documented(topic).retained == (kind != "trigger")
        field = given["transformationPattern"].removeprefix("JSONPATH:$.")
        assert field in schema_of(topic)["required"]
        if kind == "trigger":
            assert "commandTopic" not in given
            continue
        assert not documented(given["commandTopic"]).ours
        if kind == "switch":
            assert {given["on"], given["off"]} < set(STATES)
            assert [given["on"], given["off"]] == schema_of(topic)["properties"][field][
                "enum"
            ]
        else:
            command = json.loads(given["formatBeforePublish"] % "hold")
            assert command == {field: "hold"}
            check("set", command)


def test_openhab_knows_availability() -> None:
    (topic,) = re.findall(r'availabilityTopic="([^"]+)"', THINGS)
    assert documented(topic).topic == "snom_buttons/<phone>/availability"
    (payloads,) = [cells[1] for cells in rows("topic") if "/availability`" in cells[0]]
    said = re.findall(r'payload(?:Not)?Available="([^"]+)"', THINGS)
    assert said == re.findall(r"`(\w+)`", payloads) == ["online", "offline"]


def test_openhab_items_have_their_channels() -> None:
    (bridge,) = re.findall(r"^Bridge mqtt:broker:(\w+)", THINGS, re.MULTILINE)
    (thing,) = re.findall(r"^ +Thing topic (\w+)", THINGS, re.MULTILINE)
    known = {
        f"mqtt:topic:{bridge}:{thing}:{channel}": kind
        for kind, channel in re.findall(r"Type (\w+) : (\w+)", THINGS)
    }
    linked = re.findall(r'^(\w+) .*channel="([^"]+)"( \[profile)?', ITEMS, re.MULTILINE)
    assert len(linked) == 3
    for item, channel, profile in linked:
        assert item == ("Switch" if known[channel] == "switch" else "String")
        assert bool(profile) == (known[channel] == "trigger")
    (triggering, event) = re.findall(r'Channel "([^"]+)" triggered "(\w+)"', PAGE)[0]
    assert known[triggering] == "trigger"
    assert event in SCHEMAS["event"]["properties"]["event_type"]["enum"]
