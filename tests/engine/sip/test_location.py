"""The location service, with a clock that only tests move."""

from __future__ import annotations

from dataclasses import replace
import math

from custom_components.snom_buttons.engine.sip import (
    Answer,
    Flow,
    LocationService,
    parse_uri,
)
from tests.support.bindings import bind
from tests.support.registration import CONTACT, House


class TestExpiry:
    def test_a_binding_ends_on_time(self, house: House) -> None:
        house.register(CONTACT, lines=("Expires: 60",))
        house.now += 59.9
        assert house.location.expire() == []
        assert house.contacts() == [CONTACT]
        house.now += 0.1
        assert house.contacts() == [], "even before `expire` is called"
        assert house.location.expire() == ["44"]
        assert house.location.expire() == []
        assert house.location.next_expiry is None

    def test_only_what_is_over_goes(self, house: House) -> None:
        house.register("<sip:44@a>;expires=60")
        house.register("<sip:44@b>;expires=120")
        house.register("<sip:45@c>;expires=90", user="45")
        assert house.location.next_expiry == house.now + 60
        house.now += 60
        assert house.location.expire() == ["44"]
        assert house.contacts() == ["<sip:44@b>;expires=120"]
        assert house.location.next_expiry == house.now + 30


class TestDrop:
    def test_of_all_bindings_of_a_user(self, house: House) -> None:
        house.register(CONTACT)
        house.location.forget("44")
        house.location.forget("99")
        assert house.contacts() == []

    def test_of_a_single_binding(self, house: House) -> None:
        house.register("<sip:44@a>", "<sip:44@b>")
        first, _ = house.location.bindings("44")
        assert not house.location.drop(replace(first)), "an equal one is another"
        assert house.location.drop(first)
        assert not house.location.drop(first)
        assert house.contacts() == ["<sip:44@b>"]


class TestRestore:
    def test_bindings_from_before_a_restart(self, house: House) -> None:
        house.register("<sip:44@a>", lines=("Expires: 60",))
        house.register("<sip:44@b>", lines=("Expires: 600",))
        house.register("<sip:45@c>", user="45")
        saved = [*house.location.bindings("44"), *house.location.bindings("45")]
        later = House()
        later.now = house.now + 60
        later.location.restore(saved)
        assert later.contacts() == ["<sip:44@b>"]
        assert later.contacts("45") == ["<sip:45@c>"]
        assert later.told == []
        assert later.location.next_expiry == house.now + 600
        assert later.location.expire() == []

    def test_their_order_still_counts(self, house: House) -> None:
        house.register(CONTACT, cseq=5)
        later = House()
        later.location.restore(house.location.bindings("44"))
        assert later.register(CONTACT, cseq=5) == Answer(500)
        assert later.register(CONTACT, cseq=6).status == 200


PHONE = Flow("UDP", "192.0.2.4", 2048)
PROXY = Flow("UDP", "192.0.2.5", 5060)
ADDRESS = Flow("UDP", "192.0.2.6", 5060)


class TestFlows:
    """What the location service answers about a flow or a URI."""

    def test_of_a_registration(self) -> None:
        location = LocationService(lambda: 0.0)
        bind(location, PHONE)
        assert location.knows(PHONE)
        assert location.serves(PHONE)
        assert location.is_from_contact("44", PHONE)
        assert not location.is_from_contact("45", PHONE)
        assert not location.is_from_address("44", PHONE)
        elsewhere = PHONE._replace(port=9)
        assert not location.knows(elsewhere)
        assert not location.serves(elsewhere)
        assert not location.is_from_contact("44", elsewhere)
        location.forget("44")
        assert not location.knows(PHONE)
        assert not location.serves(PHONE)

    def test_of_a_registration_through_a_proxy(self) -> None:
        location = LocationService(lambda: 0.0)
        bind(location, PROXY, forwarded=True)
        assert not location.knows(PROXY)
        assert location.serves(PROXY)
        assert not location.is_from_contact("44", PROXY)

    def test_that_two_users_share(self) -> None:
        location = LocationService(lambda: 0.0)
        bind(location, PHONE)
        bind(location, PHONE, user="45")
        location.forget("44")
        assert location.knows(PHONE)
        location.forget("45")
        assert not location.knows(PHONE)

    def test_of_an_address(self) -> None:
        location = LocationService(lambda: 0.0)
        location.bind_address("44", ADDRESS.host, ADDRESS.port)
        (binding,) = location.bindings("44")
        assert str(binding.contact) == "<sip:44@192.0.2.6:5060>"
        assert binding.expires_at == math.inf
        assert location.knows(ADDRESS)
        another_port = ADDRESS._replace(port=9)
        assert not location.knows(another_port)
        assert location.serves(another_port)
        assert location.is_from_contact("44", another_port)
        assert location.is_from_address("44", another_port)
        assert not location.is_from_contact("45", another_port)
        assert not location.serves(another_port._replace(transport="TCP"))
        location.forget("44")
        assert not location.serves(another_port)

    def test_of_an_ipv6_address_with_its_interface(self) -> None:
        location = LocationService(lambda: 0.0)
        location.bind_address("44", "fe80::1%eth0", 5060)
        (binding,) = location.bindings("44")
        assert str(binding.contact) == "<sip:44@[fe80::1]:5060>"
        assert binding.flow.host == "fe80::1%eth0"

    def test_a_contact_is_found_by_the_target_of_our_requests(
        self, house: House
    ) -> None:
        house.register("<sip:44@192.0.2.4:2048;line=x;method=MESSAGE>")
        for text, is_contact in (
            ("sip:44@192.0.2.4:2048;line=x", True),
            ("sip:44@192.0.2.4:2048;line=y", False),
            ("sip:44@192.0.2.4:2049;line=x", False),
            ("sip:ha.test", False),
        ):
            assert house.location.is_contact("44", parse_uri(text)) is is_contact
            assert not house.location.is_contact("45", parse_uri(text))
