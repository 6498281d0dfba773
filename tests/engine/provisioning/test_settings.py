"""A profile as settings, as the file that phones fetch, and as a link."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

from hypothesis import given
import pytest
from xmlschema import XMLSchemaValidationError

from custom_components.snom_buttons.engine.provisioning import (
    Profile,
    ProfileKey,
    Region,
    keys_of,
    reboot_link,
    region_of,
    setting_link,
    settings_file,
    settings_of,
    web_link,
)
from tests.support.profiles import profiles, readable
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
        lamps=True,
        web_password="another",
        keys=(
            ProfileKey(name="1", label="Lamp"),
            ProfileKey(name="2", label="", is_used=False),
            ProfileKey(name="3", label=""),
        ),
    )
    assert [key.number for key in keys_of(beside)] == [0, 2]
    assert {setting.identity for setting in settings_of(beside)} == {2}
    assert {key.identity for key in keys_of(beside)} == {2}
    assert b"setting_server" not in settings_file(beside)


@pytest.mark.parametrize(
    ("registrar", "value"),
    [
        ("192.0.2.1:5060", "blf sip:1@192.0.2.1:5060"),
        ("[2001:db8::1]:5061", "blf sip:1@[2001:db8::1]:5061"),
    ],
)
def test_a_phone_that_knows_no_documents_has_keys_of_type_blf(
    registrar: str, value: str
) -> None:
    profile = Profile(
        account="44",
        password="s3cret",
        name="Kitchen",
        registrar=registrar,
        has_blf_keys=True,
        keys=(ProfileKey(name="1", label="Lamp"),),
    )
    [key] = keys_of(profile)
    assert (key.name, key.label, key.value) == ("1", "Lamp", value)


def test_an_identity_that_the_phone_had_before_is_switched_off() -> None:
    """Another number of the identity takes nothing else from the phone."""
    moved = settings_of(replace(PROFILE, identity=3, former=1))
    assert [it for it in moved if it.identity == 1] == [("user_active", "off", 1)]
    assert ("user_active", "on", 3) in moved
    assert ("setting_server", PROFILE.settings_url, None) in moved
    same = replace(PROFILE, former=PROFILE.identity)
    assert settings_of(same) == settings_of(PROFILE)


def test_beside_a_telephone_system_what_was_set_before_is_taken_back() -> None:
    """What is ours: the identity, and that the phone fetches its settings here."""
    beside = replace(PROFILE, identity=2, whole=False)
    more = settings_of(replace(beside, former=1))[len(settings_of(beside)) :]
    assert more == (
        ("user_active", "off", 1),
        ("setting_server", "", None),
        ("prov_polling_enabled", "off", None),
    )
    same = replace(beside, former=2)
    assert settings_of(same)[len(settings_of(beside)) :] == more[1:]
    assert is_settings_file(settings_file(replace(beside, former=1)))


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
        (it.name, it.value, str(it.identity or "")) for it in settings_of(profile)
    ]
    assert [
        (it.get("idx"), it.get("context"), it.get("label"), it.text) for it in keys
    ] == [
        (str(it.number), str(it.identity), it.label, it.value)
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


@given(profiles)
def test_facts_have_no_character_that_a_file_cannot_have(profile: Profile) -> None:
    values = [it.value for it in (*settings_of(profile), *keys_of(profile))]
    values += [it.label for it in keys_of(profile)]
    assert list(map(readable, values)) == values


def test_a_password_of_the_web_page_has_other_names_on_a_d8xx() -> None:
    def web(model: str) -> set[str]:
        settings = settings_of(replace(PROFILE, model=model))
        return {it.name for it in settings if it.value in ("admin", "another")}

    assert web("D785") == web("820") == web("") == {"http_user", "http_pass"}
    assert web("D865") == web("D785") | {
        "webserver_admin_name",
        "webserver_admin_password",
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


def test_a_link_tells_only_where_the_settings_are() -> None:
    url = "http://192.0.2.1:8123/api/a-b_c/000413A1B2C3.xml"
    link = urlsplit(setting_link("192.0.2.9", url))
    assert (link.scheme, link.netloc, link.path) == ("http", "192.0.2.9", "/dummy.htm")
    assert parse_qs(link.query) == {
        "settings": ["save"],
        "store_settings": ["save"],
        "setting_server": [url],
    }
    assert reboot_link("192.0.2.9") == (
        "http://192.0.2.9/advanced_update.htm?reboot=Reboot"
    )
