"""A profile as settings, as the file that phones fetch, and as a link."""

from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

from hypothesis import given, strategies as st
import pytest
from xmlschema import XMLSchemaValidationError

from custom_components.snom_buttons.engine.phones import MODELS
from custom_components.snom_buttons.engine.provisioning import (
    Profile,
    ProfileKey,
    Region,
    keys_of,
    region_of,
    settings_file,
    settings_of,
    web_link,
)
from tests.support.descriptions import texts
from tests.support.schema import is_settings_file

PROFILE = Profile(
    account="46",
    password="s3cret&<>",
    name="Kitchen",
    registrar="192.0.2.1:5060",
    settings_url="http://192.0.2.1:8123/api/x/000413AABBCC.xml",
    keys=(ProfileKey(name="1", label="Lamp"), ProfileKey(name="2", label="Door")),
    region=Region("Deutsch", "GER+1", "GER"),
    web_password="another",
)

regions = st.builds(
    region_of,
    st.sampled_from(["de", "en-GB", "nb", "xx"]),
    st.sampled_from(["DE", "GB", "US", "NZ", "BR", "ZZ"]),
    st.sampled_from([-8, -3, 0, 1, 12.75]),
)
profiles = st.builds(
    Profile,
    account=texts,
    password=texts,
    name=st.text(max_size=80),
    registrar=st.sampled_from(
        ["192.0.2.1:5060", "[2001:db8::1]:5061", "ha.local:5060"]
    ),
    transport=st.sampled_from(["udp", "tcp", "tls"]),
    model=st.sampled_from(["", *MODELS]),
    identity=st.integers(1, 12),
    keys=st.lists(st.builds(ProfileKey, name=texts, label=st.text(max_size=80))).map(
        tuple
    ),
    whole=st.booleans(),
    settings_url=st.none() | st.just(PROFILE.settings_url),
    web_password=st.none() | texts,
    region=st.none() | regions,
)
"""Of names and labels with any characters."""


def readable(text: str) -> str:
    """Return a text without what XML does not allow or keep (XML 1.0, 2.2 and 3.3.3)."""
    return "".join(
        it
        for it in text
        if " " <= it <= "\ud7ff" or "\ue000" <= it <= "\ufffd" or it > "\uffff"
    )


def test_the_file_of_a_phone() -> None:
    root = ET.fromstring(settings_file(PROFILE))
    assert [child.tag for child in root] == ["phone-settings", "functionKeys"]
    assert [child.get("e") for child in root] == ["2", "2"]
    settings = {(it.tag, it.get("idx")): it.text for it in root[0]}
    assert settings == {
        ("user_active", "1"): "on",
        ("user_realname", "1"): "Kitchen",
        ("user_name", "1"): "46",
        ("user_pname", "1"): "46",
        ("user_pass", "1"): "s3cret&<>",
        ("user_host", "1"): "192.0.2.1:5060",
        ("user_outbound", "1"): "192.0.2.1:5060;transport=udp",
        ("user_expiry", "1"): "600",
        ("user_srtp", "1"): "off",
        ("user_server_type", "1"): "default",
        ("user_idle_text", "1"): "Kitchen",
        ("logon_wizard", None): "off",
        ("was_never_registered", None): "off",
        ("mac_info_in_sip_register", None): "on",
        ("setting_server", None): "http://192.0.2.1:8123/api/x/000413AABBCC.xml",
        ("prov_polling_enabled", None): "on",
        ("prov_polling_mode", None): "rel",
        ("prov_polling_period", None): "86400",
        ("language", None): "Deutsch",
        ("web_language", None): "Deutsch",
        ("timezone", None): "GER+1",
        ("tone_scheme", None): "GER",
        ("http_user", None): "admin",
        ("http_pass", None): "another",
    }
    assert {it.get("perm") for it in root.iter() if it.get("perm") is not None} == {""}
    keys = [(it.attrib, it.text) for it in root[1]]
    assert keys == [
        ({"idx": "0", "context": "1", "label": "Lamp", "perm": ""}, "button 1"),
        ({"idx": "1", "context": "1", "label": "Door", "perm": ""}, "button 2"),
    ]


def test_beside_a_telephone_system_nothing_else_is_set() -> None:
    beside = Profile(
        account="46",
        password="s3cret",
        name="Kitchen",
        registrar="192.0.2.1:5060",
        identity=2,
        whole=False,
        settings_url="http://192.0.2.1/",
        region=Region("Deutsch", "GER+1", "GER"),
        web_password="another",
        keys=(ProfileKey(name="1", label="Lamp"),),
    )
    assert {setting.identity for setting in settings_of(beside)} == {2}
    assert {key.identity for key in keys_of(beside)} == {2}
    assert b"setting_server" not in settings_file(beside)


def test_the_keys_of_an_expansion_module_of_a_d385_begin_at_174() -> None:
    keys = tuple(ProfileKey(name=str(n), label="") for n in range(1, 51))
    d385 = Profile(
        account="1", password="p", name="", registrar="h", model="D385", keys=keys
    )
    assert [key.number for key in keys_of(d385)][46:] == [46, 47, 174, 175]
    d785 = Profile(
        account="1", password="p", name="", registrar="h", model="D785", keys=keys
    )
    assert [key.number for key in keys_of(d785)][46:] == [46, 47, 48, 49]


@given(profiles)
def test_the_file_of_any_profile_is_valid_and_says_the_same(profile: Profile) -> None:
    file = settings_file(profile)
    assert is_settings_file(file)
    phone, keys = ET.fromstring(file)
    assert [(it.tag, it.text or "", it.get("idx", "")) for it in phone] == [
        (it.name, readable(it.value), str(it.identity or ""))
        for it in settings_of(profile)
    ]
    assert [
        (it.get("idx"), it.get("context"), it.get("label"), it.text) for it in keys
    ] == [
        (str(it.number), str(it.identity), readable(it.label), readable(it.value))
        for it in keys_of(profile)
    ]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (">on</user_active", ">yes</user_active"),
        (' idx="1" perm="">on', ' perm="">on'),
        (' perm="">off</logon', ' perm="R">off</logon'),
        (' perm="">off</logon', ">off</logon"),
        ("<language", "<languages/><language"),
        ("<http_pass", '<http_user perm="">x</http_user><http_pass'),
        ("192.0.2.1:5060<", "192.0.2.1<"),
        ("transport=udp", "transport=sctp"),
        ("GER+1", "Europe/Berlin"),
        (">http://", ">ftp://"),
        ("button 1", "line"),
        ('fkey idx="1"', 'fkey idx="0"'),
        ('context="1"', 'context="active"'),
        (' label="Lamp"', ""),
        ("<functionKeys e", "<functionKeys f"),
        ("</settings>", "<settings/></settings>"),
    ],
)
def test_the_schema_refuses_what_is_wrong(right: str, wrong: str) -> None:
    file = settings_file(PROFILE).decode()
    assert right in file
    with pytest.raises(XMLSchemaValidationError):
        is_settings_file(file.replace(right, wrong, 1).encode())


def test_labels_are_escaped() -> None:
    label = '<b> & "it\'s" 🚪'
    profile = Profile(
        account="46",
        password="s3cret",
        name="",
        registrar="h",
        keys=(ProfileKey(name="1", label=label),),
    )
    root = ET.fromstring(settings_file(profile))
    assert root[1][0].get("label") == label


def test_the_link_sets_the_same() -> None:
    link = urlsplit(web_link(PROFILE, "192.0.2.9"))
    assert (link.scheme, link.netloc, link.path) == ("http", "192.0.2.9", "/dummy.htm")
    query = {name: values[0] for name, values in parse_qs(link.query).items()}
    assert query.pop("settings") == query.pop("store_settings") == "save"
    for setting in settings_of(PROFILE):
        name = setting.name if setting.identity is None else f"{setting.name}1"
        assert query.pop(name) == setting.value
    assert query == {
        "fkey0": "button 1",
        "fkey_context0": "1",
        "fkey_label0": "Lamp",
        "fkey1": "button 2",
        "fkey_context1": "1",
        "fkey_label1": "Door",
    }


def test_no_secret_is_printed() -> None:
    assert "s3cret" not in repr(PROFILE)
    assert "another" not in repr(PROFILE)
    assert "/api/x/" not in repr(PROFILE)


@pytest.mark.parametrize(
    ("language", "country", "offset", "region"),
    [
        ("de", "DE", 1, ("Deutsch", "GER+1", "GER")),
        ("en-GB", "GB", 0, ("English", "GBR-0", "GBR")),
        ("en", "US", -8, ("English", "USA-8", "USA")),
        ("fr", "CA", -3.5, ("Français", "CAN-3.5", "USA")),
        ("en", "IN", 5.5, ("English", "IND+5.5", "IND")),
        ("de", "CH", 1, ("Deutsch", "CHE+1", "SWI")),
        ("xx", "ZZ", 3, ("", "", "")),
    ],
)
def test_regions(
    language: str, country: str, offset: float, region: tuple[str, str, str]
) -> None:
    assert region_of(language, country, offset) == Region(*region)


def test_what_is_not_known_of_a_region_is_not_set() -> None:
    assert Region("", "GER+1", "").settings == {"timezone": "GER+1"}
