"""A profile as the settings file that snom phones fetch: XML."""

from typing import Final
from xml.etree import ElementTree as ET

from .profile import Profile, keys_of, settings_of

CONTENT_TYPE: Final = "application/xml"


def settings_file(profile: Profile) -> bytes:
    """Return the file of a profile.

    `perm=""` lets the user change a setting in the phone; the next fetch sets it again.
    Settings that are not named stay as they are.
    """
    root = ET.Element("settings")
    phone = ET.SubElement(root, "phone-settings", {"e": "2"})
    for setting in settings_of(profile):
        of = {} if setting.identity is None else {"idx": str(setting.identity)}
        element = ET.SubElement(phone, setting.name, {**of, "perm": ""})
        element.text = setting.value
    keys = ET.SubElement(root, "functionKeys", {"e": "2"})
    for key in keys_of(profile):
        attributes = {
            "idx": str(key.number),
            "context": str(key.identity),
            "label": key.label,
            "perm": "",
        }
        ET.SubElement(keys, "fkey", attributes).text = key.value
    ET.indent(root)
    file: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return file
