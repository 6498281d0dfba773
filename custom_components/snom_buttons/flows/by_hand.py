"""The last page for a phone of another maker: what to enter, in the words of its web page."""

from collections.abc import Iterable, Mapping

from homeassistant.core import HomeAssistant, callback

from ..engine.dialoginfo import DialogState
from ..engine.phones import MAKERS, BlfSetup
from ..engine.provisioning import WORDS, ByHand, Profile, Words, by_hand
from ..engine.xbuttons import KeyDescription
from ..hub.markdown import code
from ..hub.texts import text


@callback
def async_by_hand_placeholders(
    hass: HomeAssistant,
    maker: str,
    profile: Profile,
    blf: BlfSetup,
    lines: Mapping[str, str],
) -> dict[str, str]:
    """Return the placeholders of the page. `lines` say what a key is for, by its name."""
    about = MAKERS[maker]
    words = WORDS.get(maker)
    known = (
        text(hass, "by_hand_known", maker=about.name)
        if words
        else text(hass, "by_hand_unknown")
    )
    words = words or _usual_words(hass)
    is_idle = blf.state_of(KeyDescription(name="")) is DialogState.TERMINATED
    is_green = about.idle_is_green and is_idle
    entered = by_hand(words, profile, about.first_key)
    return {
        "known": known,
        "account_page": words.account_page,
        "account": "\n".join(
            f"| {field} | {code(value)} |" for field, value in entered.account
        ),
        "keys": _keys(hass, words, entered, lines),
        "idle": f"{text(hass, 'by_hand_green')}\n\n" if is_green else "",
    }


def _keys(
    hass: HomeAssistant, words: Words, entered: ByHand, lines: Mapping[str, str]
) -> str:
    """Return what to enter for the keys, as Markdown."""
    page = words.keys_page
    if not words.fields:
        return text(hass, "by_hand_file", page=page, file=entered.file)
    more = ""
    if field := words.account_field:
        more += f" {text(hass, 'by_hand_account_field', field=field)}"
    if field := words.pickup_field:
        more += f" {text(hass, 'by_hand_pickup_field', field=field)}"
    return text(
        hass,
        "by_hand_keys",
        page=page,
        more=more,
        keys="\n".join(
            _key(words, key, values, lines.get(name, ""))
            for name, (key, *values) in entered.keys.items()
        ),
    )


def key_item(key: str, fields: Iterable[tuple[str, str]], line: str) -> str:
    """Return an item of the list of keys. A table would not fit in a narrow page."""
    values = ", ".join(f"*{field}* {code(value)}" for field, value in fields if value)
    return f"- **{key}**: {values}" + (f"\\\n  {line}" if line else "")


def _key(words: Words, key: str, values: Iterable[str], line: str) -> str:
    """Return an item of the list of keys, with the words of the maker."""
    fields = [field for field, _ in words.fields]
    return key_item(key, zip(fields, values, strict=True), line)


def _usual_words(hass: HomeAssistant) -> Words:
    """Return what most makers call it, in the language of Home Assistant."""
    return Words(
        account_page=text(hass, "by_hand_account_page"),
        account=(
            (text(hass, "web_user_realname"), "{name}"),
            (text(hass, "web_user_name"), "{account}"),
            (text(hass, "web_user_pname"), "{account}"),
            (text(hass, "web_user_pass"), "{password}"),
            (text(hass, "by_hand_host"), "{host}"),
            (text(hass, "by_hand_port"), "{port}"),
            (text(hass, "by_hand_transport"), "{transport}"),
        ),
        keys_page=text(hass, "by_hand_keys_page"),
        fields=(
            (text(hass, "by_hand_type"), "BLF"),
            (text(hass, "by_hand_number"), "{key}"),
            (text(hass, "by_hand_label"), "{label}"),
        ),
    )
