"""What a phone is to be set to, and how it asks for that and gets it. No Home Assistant."""

from .announcement import MAX_WORD, Announcement, read_announcement
from .answer import notify, ok
from .fetch import Fetch, read_fetch
from .group import GROUP, PORT, group_socket
from .link import reboot_link, setting_link, web_link
from .mac import Mac, find_mac, is_snom, read_mac
from .plug_and_play import Outcome, PlugAndPlay, Wire
from .profile import (
    WEB_USER,
    FunctionKey,
    Profile,
    ProfileKey,
    Setting,
    digest_of,
    keys_of,
    settings_of,
)
from .region import Region, region_of
from .web_page import WORDS, ByHand, Words, by_hand
from .xml_file import CONTENT_TYPE, settings_file

__all__ = [
    "CONTENT_TYPE",
    "GROUP",
    "MAX_WORD",
    "PORT",
    "WEB_USER",
    "WORDS",
    "Announcement",
    "ByHand",
    "Fetch",
    "FunctionKey",
    "Mac",
    "Outcome",
    "PlugAndPlay",
    "Profile",
    "ProfileKey",
    "Region",
    "Setting",
    "Wire",
    "Words",
    "by_hand",
    "digest_of",
    "find_mac",
    "group_socket",
    "is_snom",
    "keys_of",
    "notify",
    "ok",
    "read_announcement",
    "read_fetch",
    "read_mac",
    "reboot_link",
    "region_of",
    "setting_link",
    "settings_file",
    "settings_of",
    "web_link",
]
