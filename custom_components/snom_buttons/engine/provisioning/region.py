"""Language, time zone and tones of a phone, from a country and its time zone."""

from typing import Final, NamedTuple


class Region(NamedTuple):
    """What a phone asks for at its first start if it does not know it; "" if unknown."""

    language: str
    """As snom spells it, such as `Deutsch`."""
    time_zone: str
    """As snom spells it, such as `GER+1`."""
    tones: str
    """As snom spells it, such as `GER`."""

    @property
    def settings(self) -> dict[str, str]:
        """The settings of what is known."""
        known = {
            "language": self.language,
            "web_language": self.language,
            "timezone": self.time_zone,
            "tone_scheme": self.tones,
        }
        return {name: value for name, value in known.items() if value}


def region_of(language: str, country: str, offset: float) -> Region:
    """Return the region of a language (`de`), a country (ISO 3166, `DE`) and a time zone.

    `offset` is the zone's, in hours without daylight saving time.
    """
    prefix = _PREFIXES.get(country, "")
    return Region(
        language=_LANGUAGES.get(language.partition("-")[0], ""),
        time_zone=_time_zone(prefix, offset),
        tones=_TONES.get(country, prefix if prefix in _WITH_TONES else ""),
    )


def _time_zone(prefix: str, offset: float) -> str:
    """Return snom's name of a zone; "" for one that would have another daylight time."""
    number = f"{offset:+g}" if offset else "-0"
    zone = f"{prefix}{number}"
    return zone if zone in _ZONES else ""


_LANGUAGES: Final = {
    "bs": "Bosanski",
    "cs": "Čeština",
    "da": "Dansk",
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fi": "Suomi",
    "fr": "Français",
    "hu": "Magyar",
    "it": "Italiano",
    "lt": "Lietuvių",
    "nl": "Nederlands",
    "no": "Norsk",
    "nb": "Norsk",
    "pt": "Português",
    "ru": "Русский",
    "sl": "Slovenščina",
    "sv": "Svenska",
    "tr": "Türkçe",
}

_PREFIXES: Final = {
    "AL": "ALB", "AM": "ARM", "AR": "ARG", "AT": "AUT", "AU": "AUS", "AZ": "AZE",
    "BE": "BEL", "BG": "BGR", "BM": "BMU", "BR": "BRA1", "BS": "BHS", "CA": "CAN",
    "CH": "CHE", "CL": "CHL", "CU": "CUB", "CY": "CYP", "CZ": "CZE", "DE": "GER",
    "DK": "DNK", "EE": "EST", "EG": "EGY", "ES": "ESP", "FI": "FIN", "FR": "FRA",
    "GB": "GBR", "GE": "GEO", "GR": "GRC", "HR": "HRV", "HU": "HUN", "IE": "IRL",
    "IL": "ISR", "IN": "IND", "IQ": "IRQ", "IR": "IRN", "IT": "ITA", "JO": "JOR",
    "LB": "LBN", "LU": "LUX", "MD": "MDA", "MX": "MEX", "NL": "NLD", "NO": "NOR",
    "NZ": "NZL", "PL": "POL", "PT": "PRT", "PY": "PRY", "RO": "ROU", "RU": "RUS",
    "SE": "SWE", "SG": "SGP", "SK": "SVK", "SY": "SYR", "TR": "TUR", "UA": "UKR",
    "US": "USA",
}  # fmt: skip
"""snom's names of countries, which mostly are those of ISO 3166 with three letters."""

_ZONES: Final = frozenset(
    [
        "ALB+1",
        "ARG-3",
        "ARM+4",
        "AUS+8",
        "AUS+9.5",
        "AUS+10",
        "AUS+10.5",
        "AUT+1",
        "AZE+4",
        "BEL+1",
        "BGR+2",
        "BHS-5",
        "BLR+2",
        "BMU-4",
        "BRA1-3",
        "CAN-3.5",
        "CAN-4",
        "CAN-5",
        "CAN-6",
        "CAN-7",
        "CAN-8",
        "CHE+1",
        "CHL-4",
        "CUB-5",
        "CYP+2",
        "CZE+1",
        "DNK+1",
        "EGY+2",
        "ESP+1",
        "ESP-0",
        "EST+2",
        "FIN+2",
        "FRA+1",
        "GBR-0",
        "GEO+4",
        "GER+1",
        "GRC+2",
        "HRV+1",
        "HUN+1",
        "IND+5.5",
        "IRL-0",
        "IRN+3.5",
        "IRQ+3",
        "ISR+2",
        "ITA+1",
        "JOR+2",
        "LBN+2",
        "LUX+1",
        "MDA+2",
        "MEX-6",
        "MEX-7",
        "MEX-8",
        "NLD+1",
        "NOR+1",
        "NZL+12",
        "NZL+12.75",
        "POL+1",
        "PRT-0",
        "PRT-1",
        "PRY-4",
        "ROU+2",
        "RUS+2",
        "RUS+3",
        "RUS+4",
        "RUS+5",
        "RUS+6",
        "RUS+7",
        "RUS+8",
        "RUS+10",
        "SGP+8",
        "SVK+1",
        "SWE+1",
        "SYR+2",
        "TUR+2",
        "UKR+2",
        "USA-5",
        "USA-6",
        "USA-7",
        "USA-8",
        "USA-9",
        "USA-10",
    ]
)

_WITH_TONES: Final = frozenset(
    [
        "AUS",
        "AUT",
        "CHN",
        "DNK",
        "ESP",
        "FRA",
        "GBR",
        "GER",
        "IND",
        "ITA",
        "JPN",
        "MEX",
        "NLD",
        "NOR",
        "NZL",
        "SWE",
        "USA",
    ]
)
_TONES: Final = {"CA": "USA", "CH": "SWI", "IE": "GBR", "CN": "CHN", "JP": "JPN"}
