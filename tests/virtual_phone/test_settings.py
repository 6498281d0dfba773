"""How the phone reads settings files, and what its user may change."""

import json

import pytest

from virtual_phone.fetch import addresses_of
from virtual_phone.hardware import Hardware
from virtual_phone.settings import (
    FunctionKey,
    ReadOnly,
    Settings,
    SettingsFile,
    SettingsFileError,
    read_settings_file,
)


def phone_settings(content: str, attributes: str = 'e="2"') -> SettingsFile:
    return read_settings_file(
        f"<phone-settings {attributes}>{content}</phone-settings>".encode()
    )


class TestReading:
    def test_a_part_alone_is_a_file(self) -> None:
        file = phone_settings("<language> Deutsch\n</language>")
        assert file.settings["language", None].text == "Deutsch"
        keys = '<fkey idx="4" context="2" label="A&amp;B" perm="R">button 4</fkey>'
        for tag in ("functionKeys", "function-keys"):
            file = read_settings_file(f"<{tag}>{keys}</{tag}>".encode())
            assert file.keys == {4: FunctionKey("button 4", "2", "A&B", "R")}

    @pytest.mark.parametrize(
        ("attributes", "text"),
        [('e="2"', "@ü→💡"), ("", "@ü\x92\xa1"), ('e="1"', None)],
    )
    def test_references_above_255_need_e_2(
        self, attributes: str, text: str | None
    ) -> None:
        """Snom: "defines that unicode-values inside xml-escapes may be greater"."""
        text = text or "@ü\x92\xa1"
        file = phone_settings(
            "<language>&#64;&#xFC;&#8594;&#x1F4A1;</language>", attributes
        )
        assert file.settings["language", None].text == text
        file = phone_settings("<language>ü→💡</language>", attributes)
        assert file.settings["language", None].text == "ü→💡", "they are UTF-8"

    def test_a_reference_to_nothing(self) -> None:
        file = phone_settings("<language>&#x110000;</language>")
        assert file.settings["language", None].text == "\ufffd"

    def test_what_it_does_not_know_is_ignored(self) -> None:
        file = read_settings_file(
            b"<settings><tbook/><phone-settings><!-- x --><colour>red</colour>"
            b'<user_name>1</user_name><user_name idx="0">1</user_name>'
            b'<language idx="x">English</language></phone-settings>'
            b'<functionKeys><fkey idx="a">line</fkey><fkey>line</fkey><key/>'
            b"</functionKeys></settings>"
        )
        assert list(file.settings) == [("language", None)]
        assert file.keys == {}
        assert file.ignored == ["colour", "user_name", "user_name", "fkey a", "fkey"]

    def test_an_index_is_bounded(self) -> None:
        many = '<file url="x"/>' * 50 + "<file/>"
        file = read_settings_file(f"<setting-files>{many}</setting-files>".encode())
        assert file.urls == ["x"] * 10

    @pytest.mark.parametrize("data", [b"", b"\xff", b"<html/>", b"<settings>"])
    def test_what_is_no_settings_file(self, data: bytes) -> None:
        with pytest.raises(SettingsFileError):
            read_settings_file(data)


class TestPermissions:
    @pytest.mark.parametrize("permission", ["", "RW", "$"])
    def test_what_the_user_changed_is_set_again(self, permission: str) -> None:
        settings = Settings()
        file = phone_settings(f'<language perm="{permission}">Deutsch</language>')
        settings.apply(file)
        settings.change("language", "English")
        assert settings["language"] == "English"
        settings.apply(file)
        assert settings["language"] == "Deutsch"

    def test_it_stays_with_an_exclamation_mark(self) -> None:
        settings = Settings()
        file = phone_settings('<language perm="!">Deutsch</language>')
        settings.apply(file)
        settings.apply(phone_settings('<language perm="!">Dansk</language>'))
        assert settings["language"] == "Dansk", "only what the user changed stays"
        settings.change("language", "English")
        settings = Settings.from_json(json.loads(json.dumps(settings.to_json())))
        settings.apply(file)
        assert settings["language"] == "English"

    @pytest.mark.parametrize("permission", ["R", "&amp;", " "])
    def test_what_is_read_only_cannot_be_changed(self, permission: str) -> None:
        settings = Settings()
        file = phone_settings(f'<language perm="{permission}">Deutsch</language>')
        settings.apply(file)
        with pytest.raises(ReadOnly):
            settings.change("language", "English")
        assert settings["language"] == "Deutsch"

    def test_what_a_file_does_not_name_stays(self) -> None:
        settings = Settings()
        settings.change("timezone", "GER+1")
        settings.apply(phone_settings("<language>Deutsch</language>"))
        assert settings["timezone"] == "GER+1"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("button 1", "1"),
        ("Button  a b", "a b"),
        ("button", None),
        ("buttons 1", None),
        ("line", None),
        ("", None),
    ],
)
def test_keys_of_type_button(value: str, name: str | None) -> None:
    assert FunctionKey(value).button == name


@pytest.mark.parametrize(
    ("value", "blf"),
    [
        ("blf sip:4@192.0.2.1", ("4", "")),
        ("BLF  <sip:4@192.0.2.1;user=phone>|*8", ("4", "*8")),
        ("blf", None),
        ("blf 4", None),
        ("button 4", None),
        ("", None),
    ],
)
def test_keys_of_type_blf(value: str, blf: tuple[str, str] | None) -> None:
    assert FunctionKey(value).blf == blf


OWN = "http://h/snomD735-0004130DD7C9.htm"


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://h", ["http://h/snomD735.htm", OWN]),
        ("http://h/", ["http://h/snomD735.htm", OWN]),
        ("http://h/t/{mac}.xml", ["http://h/t/0004130DD7C9.xml"]),
        ("http://h/?mac={mac}", ["http://h/?mac=0004130DD7C9"]),
        ("http://h/t", ["http://h/t", "http://h/t-0004130DD7C9"]),
        (
            "http://h/{phone_type}.xml?a",
            ["http://h/snomD735.xml?a", "http://h/snomD735-0004130DD7C9.xml?a"],
        ),
    ],
)
def test_addresses_of_a_url(url: str, addresses: list[str]) -> None:
    assert addresses_of(url, Hardware("0004130DD7C9", "D735")) == addresses
