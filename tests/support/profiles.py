"""Strategies of what phones are set to (hypothesis)."""

from hypothesis import strategies as st

from custom_components.snom_buttons.engine.phones import MODELS
from custom_components.snom_buttons.engine.provisioning import (
    Profile,
    ProfileKey,
    region_of,
)

from .descriptions import texts

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
    former=st.none() | st.integers(1, 12),
    keys=st.lists(
        st.builds(
            ProfileKey,
            name=texts.filter(lambda name: name == name.strip()),
            label=st.text(max_size=80),
            is_used=st.booleans(),
        )
    ).map(tuple),
    has_blf_keys=st.booleans(),
    lamps=st.booleans(),
    whole=st.booleans(),
    settings_url=st.none() | st.just("http://192.0.2.1:8123/api/x/000413AABBCC.xml"),
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
