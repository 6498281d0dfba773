"""What to enter in the web page of a phone of another maker."""

from xml.etree import ElementTree as ET

import pytest

from custom_components.snom_buttons.engine.provisioning import (
    WORDS,
    Profile,
    ProfileKey,
    by_hand,
)

PROFILE = Profile(
    account="46",
    password="secret{name}",
    name="Phone {account}",
    registrar="192.168.1.10:5070",
    transport="tcp",
    keys=(
        ProfileKey(name="1", label="Lamp; hall"),
        ProfileKey(name="2", label="unused", is_used=False),
        ProfileKey(name="3", label='"Door" & {key}'),
    ),
)


@pytest.mark.parametrize("maker", WORDS)
def test_the_account_is_complete(maker: str) -> None:
    values = [value for _, value in by_hand(WORDS[maker], PROFILE).account]
    assert "46" in values
    assert "secret{name}" in values
    assert "Phone {account}" in values
    assert {"192.168.1.10:5070", "192.168.1.10"} & set(values)
    assert "192.168.1.10:5070" in values or "5070" in values


def test_yealink_names_the_transport() -> None:
    assert ("Transport", "TCP") in by_hand(WORDS["yealink"], PROFILE).account


@pytest.mark.parametrize(
    ("maker", "first_key", "keys"),
    [
        (
            "yealink",
            1,
            {
                "1": ("Line Key 1", "BLF", "1", "Lamp; hall"),
                "3": ("Line Key 3", "BLF", "3", '"Door" & {key}'),
            },
        ),
        (
            "grandstream",
            1,
            {
                "1": ("VPK 1", "Busy Lamp Field (BLF)", "Lamp; hall", "1"),
                "3": ("VPK 3", "Busy Lamp Field (BLF)", '"Door" & {key}', "3"),
            },
        ),
        (
            "fanvil",
            1,
            {
                "1": ("DSS Key 1", "Memory Key", "Lamp; hall", "1", "BLF/NEW CALL"),
                "3": ("DSS Key 3", "Memory Key", '"Door" & {key}', "3", "BLF/NEW CALL"),
            },
        ),
        (
            "cisco",
            2,
            {
                "1": (
                    "Line Key 2",
                    "Disabled",
                    "fnc=blf+sd;sub=1@$PROXY;ext=1@$PROXY;nme=Lamp, hall",
                ),
                "3": (
                    "Line Key 4",
                    "Disabled",
                    'fnc=blf+sd;sub=3@$PROXY;ext=3@$PROXY;nme="Door" & {key}',
                ),
            },
        ),
    ],
)
def test_each_used_key_monitors_its_name(
    maker: str, first_key: int, keys: dict[str, tuple[str, ...]]
) -> None:
    entered = by_hand(WORDS[maker], PROFILE, first_key)
    assert entered.keys == keys
    assert entered.file == ""


def test_poly_loads_a_file_whose_resources_have_no_gap() -> None:
    entered = by_hand(WORDS["poly"], PROFILE, 2)
    assert not entered.keys
    root = ET.fromstring(entered.file)
    assert root.tag == "polycomConfig"
    [attendant] = root
    assert attendant.attrib == {
        "attendant.reg": "1",
        "attendant.resourceList.1.address": "1",
        "attendant.resourceList.1.label": "Lamp; hall",
        "attendant.resourceList.1.type": "normal",
        "attendant.resourceList.2.address": "3",
        "attendant.resourceList.2.label": '"Door" & {key}',
        "attendant.resourceList.2.type": "normal",
    }


def test_an_address_of_ipv6_is_split_before_its_port() -> None:
    profile = Profile(account="46", password="p", name="", registrar="[fd00::1]:5060")
    account = dict(by_hand(WORDS["yealink"], profile).account)
    assert account["SIP Server 1: Server Host"] == "[fd00::1]"
    assert account["SIP Server 1: Port"] == "5060"
