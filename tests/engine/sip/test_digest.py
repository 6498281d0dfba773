"""Digest authentication: known answers of the RFCs, and the server's verdicts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from custom_components.snom_buttons.engine.sip import SipSyntaxError
from custom_components.snom_buttons.engine.sip.digest import (
    NONCE_LIFETIME,
    Algorithm,
    Authentication,
    Challenger,
    Verdict,
    answer_challenge,
    digest_response,
    parse_credentials,
)

REALM = "home-assistant"
PASSWORDS = {"44": "geheim", "45": "anders", 'a"b': "geheim"}
SOURCE = "udp 192.0.2.4:2048"
URI = "sip:ha.test"

MISSING, STALE, WRONG, ACCEPTED = (
    Verdict.MISSING,
    Verdict.STALE,
    Verdict.WRONG,
    Verdict.ACCEPTED,
)


class TestKnownAnswers:
    """Examples of the RFCs."""

    @pytest.mark.parametrize(
        ("algorithm", "expected"),
        [
            (Algorithm.MD5, "8ca523f5e9506fed4657c9700eebdbec"),
            (
                Algorithm.SHA_256,
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
        ],
    )
    def test_rfc_7616_3_9_1(self, algorithm: Algorithm, expected: str) -> None:
        assert expected == digest_response(
            algorithm,
            username="Mufasa",
            realm="http-auth@example.org",
            password="Circle of Life",
            method="GET",
            uri="/dir/index.html",
            nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
            qop="auth",
            nc="00000001",
            cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        )

    def test_rfc_2617_3_5(self) -> None:
        assert (
            digest_response(
                Algorithm.MD5,
                username="Mufasa",
                realm="testrealm@host.com",
                password="Circle Of Life",
                method="GET",
                uri="/dir/index.html",
                nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
                qop="auth",
                nc="00000001",
                cnonce="0a4f113b",
            )
            == "6629fae49393a05397450978507c4ef1"
        )

    def test_without_qop_as_in_rfc_2069(self) -> None:
        """Section 2.4 with the result of erratum 749."""
        assert (
            digest_response(
                Algorithm.MD5,
                username="Mufasa",
                realm="testrealm@host.com",
                password="CircleOfLife",
                method="GET",
                uri="/dir/index.html",
                nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
            )
            == "1949323746fe6a43ef61f9606e7febea"
        )


class TestParseCredentials:
    @pytest.mark.parametrize(
        ("value", "parameters"),
        [
            ('Digest realm="a, b",nonce=x', {"realm": "a, b", "nonce": "x"}),
            (' DIGEST  Realm = "a" , , NC=1', {"realm": "a", "nc": "1"}),
            ('Digest username="a\\"b"', {"username": 'a"b'}),
            ("Digest username*=UTF-8''x", {"username*": "UTF-8''x"}),
            ("Digest ", {}),
            ('Digest qop="auth,auth-int"', {"qop": "auth,auth-int"}),
            ("Digest a=b=c", {"a": "b=c"}),
        ],
    )
    def test_good(self, value: str, parameters: dict[str, str]) -> None:
        assert parse_credentials(value) == parameters

    @pytest.mark.parametrize(
        ("value", "fault"),
        [
            ("", "not Digest"),
            ("Basic QWxhZGRpbg==", "not Digest"),
            ("NoOneKnowsThisScheme opaque-data=here", "not Digest"),
            ('Digest realm="a', "quoted string is not closed"),
            ("Digest realm", "is not a parameter"),
            ("Digest re alm=x", "is not a parameter"),
            ('Digest realm="a", Digest realm="b"', "is not a parameter"),
            ("Digest nc=1, NC=2", "occurs twice"),
            ("Digest " + ",".join(f"p{n}=1" for n in range(65)), "more than 64"),
        ],
        ids=lambda text: text[:20],
    )
    def test_bad(self, value: str, fault: str) -> None:
        with pytest.raises(SipSyntaxError, match=fault):
            parse_credentials(value)


class Clock:
    """Seconds that only tests move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def challenger(clock: Clock) -> Challenger:
    return Challenger(REALM, PASSWORDS.get, clock)


def answer(challenges: list[str], **changes: object) -> str:
    """Return the credentials of phone 44, except for `changes`."""
    arguments = {
        "username": "44",
        "password": "geheim",
        "method": "REGISTER",
        "uri": URI,
    } | changes
    value = answer_challenge(challenges, **arguments)  # type: ignore[arg-type]
    assert value is not None
    return value


def judged(challenger: Challenger, *values: str) -> Verdict:
    return challenger.judge(
        values, source=SOURCE, method="REGISTER", request_uri=URI
    ).verdict


def challenge(
    algorithm: str = "MD5", qop: str = 'qop="auth"', nonce: str = "n"
) -> list[str]:
    value = f'Digest realm="{REALM}",nonce="{nonce}",algorithm={algorithm}'
    return [f"{value},{qop}" if qop else value]


class TestChallenge:
    """RFC 7616 3.3, RFC 8760 2.3."""

    def test_md5_is_offered_before_sha_256(self, challenger: Challenger) -> None:
        """Some clients read only the first challenge (docs/decisions/0008)."""
        challenges = challenger.challenges(SOURCE)
        assert [parse_credentials(c)["algorithm"] for c in challenges] == [
            "MD5",
            "SHA-256",
        ]

    def test_text(self, challenger: Challenger) -> None:
        md5, _ = challenger.challenges(SOURCE)
        nonce = parse_credentials(md5)["nonce"]
        assert md5 == (
            f'Digest realm="home-assistant", nonce="{nonce}", algorithm=MD5, qop="auth"'
        )

    def test_stale(self, challenger: Challenger) -> None:
        assert challenger.challenges(SOURCE, stale=True)[0].endswith(", stale=true")

    def test_no_nonce_comes_twice(self, challenger: Challenger) -> None:
        nonces = {
            parse_credentials(challenger.challenges(SOURCE)[0])["nonce"]
            for _ in range(100)
        }
        assert len(nonces) == 100


class TestVerdict:
    """RFC 7616 3.4 and RFC 3261 22.4."""

    @pytest.mark.parametrize("which", [0, 1], ids=["MD5", "SHA-256"])
    def test_right(self, challenger: Challenger, which: int) -> None:
        value = answer([challenger.challenges(SOURCE)[which]])
        verdict = challenger.judge(
            [value], source=SOURCE, method="REGISTER", request_uri=URI
        )
        assert verdict == Authentication(ACCEPTED, "44")

    def test_a_user_with_a_quote(self, challenger: Challenger) -> None:
        value = answer(challenger.challenges(SOURCE), username='a"b')
        assert judged(challenger, value) is ACCEPTED

    def test_algorithm_is_md5_where_none_is_named(self, challenger: Challenger) -> None:
        md5, _ = challenger.challenges(SOURCE)
        value = answer([md5.replace(" algorithm=MD5,", "")])
        assert judged(challenger, value.replace("algorithm=MD5, ", "")) is ACCEPTED

    @pytest.mark.parametrize("uri", ["sip:other.test", "*"])
    def test_a_proxy_may_have_changed_the_request_uri(
        self, challenger: Challenger, uri: str
    ) -> None:
        """RFC 3261 22.4, 6: the server itself computes digests for its own requests."""
        value = answer(challenger.challenges(SOURCE), uri=uri)
        assert judged(challenger, value) is ACCEPTED
        value = answer(challenger.challenges(SOURCE), uri=uri, method="MESSAGE")
        verdict = challenger.judge(
            [value], source=SOURCE, method="MESSAGE", request_uri=URI
        )
        # It is not counted: the password is right.
        assert verdict.verdict is Verdict.MISSING

    def test_without_qop(self, challenger: Challenger) -> None:
        """RFC 2069: once for each nonce."""
        value = answer([challenger.challenges(SOURCE)[1].replace(', qop="auth"', "")])
        assert "cnonce" not in value
        assert judged(challenger, value) is ACCEPTED
        assert judged(challenger, value) is STALE

    @pytest.mark.parametrize(
        ("changes", "alter"),
        [
            ({"password": "falsch"}, None),
            ({"password": "anders"}, None),
            ({"username": "45"}, None),
            ({"username": "99"}, None),
            ({"username": ""}, None),
            ({"username": "\udcff"}, None),
            ({"method": "INVITE"}, None),
            ({}, ('uri="sip:ha.test"', 'uri="sip:other.test"')),
            ({}, ("nc=00000001", "nc=00000002")),
            ({}, ("algorithm=MD5", "algorithm=SHA-256")),
            ({}, ("algorithm=MD5", "algorithm=MD5-sess")),
            ({}, ("algorithm=MD5", "algorithm=SHA-512-256")),
            ({}, ("qop=auth", "qop=auth-int")),
            ({}, ('response="', 'response="0')),
            ({}, ('response="', 'response="\udcff')),
            ({}, ("response=", "unresponsive=")),
            ({}, ("username=", "username*=")),
        ],
        ids=repr,
    )
    def test_wrong(
        self,
        challenger: Challenger,
        changes: dict[str, str],
        alter: tuple[str, str] | None,
    ) -> None:
        value = answer(challenger.challenges(SOURCE), **changes)
        if alter:
            assert alter[0] in value
            value = value.replace(*alter)
        assert judged(challenger, value) is WRONG

    @pytest.mark.parametrize(
        "count", ["", "-1", "+1", "1_0", "0x1", " 1", "zz", "000000001", "١"], ids=repr
    )
    def test_a_count_that_is_none_is_wrong(
        self, challenger: Challenger, count: str
    ) -> None:
        """Even with the right password."""
        nonce = parse_credentials(challenger.challenges(SOURCE)[1])["nonce"]
        response = digest_response(
            Algorithm.MD5,
            username="44",
            realm=REALM,
            password="geheim",
            method="REGISTER",
            uri=URI,
            nonce=nonce,
            qop="auth",
            nc=count,
            cnonce="c",
        )
        value = (
            f'Digest username="44", realm="{REALM}", nonce="{nonce}", uri="{URI}",'
            f' response="{response}", qop=auth, nc="{count}", cnonce="c"'
        )
        assert judged(challenger, value) is WRONG

    @pytest.mark.parametrize("uri", ["SIP:HA.TEST", "sip:ha.test"], ids=repr)
    def test_the_uri_may_be_spelled_otherwise(
        self, challenger: Challenger, uri: str
    ) -> None:
        assert (
            judged(challenger, answer(challenger.challenges(SOURCE), uri=uri))
            is ACCEPTED
        )

    @pytest.mark.parametrize(
        "values",
        [
            [],
            [""],
            ["Basic QWxhZGRpbg=="],
            ["Digest"],
            ['Digest realm="a'],
            ['Digest username="44"'],
            ['Digest realm="other", username="44"'],
        ],
        ids=repr,
    )
    def test_missing(self, challenger: Challenger, values: list[str]) -> None:
        verdict = challenger.judge(
            values, source=SOURCE, method="REGISTER", request_uri=URI
        )
        assert verdict == Authentication(MISSING, None)

    def test_credentials_for_others_are_passed_over(
        self, challenger: Challenger
    ) -> None:
        """A request may have credentials for several realms (RFC 3261 22.3)."""
        mine = answer(challenger.challenges(SOURCE))
        other = mine.replace(f'realm="{REALM}"', 'realm="other"')
        assert judged(challenger, other, "Basic x", mine) is ACCEPTED


class TestUnknownUsers:
    """The answers do not reveal which extensions exist."""

    def test_verdict_is_that_of_a_wrong_password(self, challenger: Challenger) -> None:
        unknown = answer(challenger.challenges(SOURCE), username="99")
        assert judged(challenger, unknown) is WRONG

    def test_the_password_that_stands_in_is_not_to_be_guessed(
        self, challenger: Challenger
    ) -> None:
        for password in ("", "None", "geheim"):
            value = answer(
                challenger.challenges(SOURCE), username="99", password=password
            )
            assert judged(challenger, value) is WRONG

    def test_even_the_decoy_password_is_wrong(self, challenger: Challenger) -> None:
        value = answer(
            challenger.challenges(SOURCE),
            username="99",
            password=challenger._decoy_password,
        )
        assert judged(challenger, value) is WRONG

    def test_they_cost_as_many_hashes(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As a known one, and as one whose former password still holds."""
        passwords = PASSWORDS | {"45": "geheim"}
        former = {"45": "earlier"}
        challenger = Challenger(REALM, passwords.get, clock, former.get)
        values = {
            user: answer(
                challenger.challenges(SOURCE), username=user, password="falsch"
            )
            for user in ("44", "45", "99")
        }
        hashed: list[int] = []
        real: Callable[[Algorithm, str], str] = Algorithm.hash

        def counting(self: Algorithm, text: str) -> str:
            hashed.append(len(text))
            return real(self, text)

        monkeypatch.setattr(Algorithm, "hash", counting)
        costs = {}
        for user, value in values.items():
            hashed.clear()
            judged(challenger, value)
            costs[user] = len(hashed)
        assert costs == {"44": 6, "45": 6, "99": 6}


class TestFormerPassword:
    def test_both_are_accepted_and_told_apart(self, clock: Clock) -> None:
        challenger = Challenger(REALM, PASSWORDS.get, clock, {"44": "earlier"}.get)

        def authentication(password: str) -> Authentication:
            value = answer(challenger.challenges(SOURCE), password=password)
            return challenger.judge(
                [value], source=SOURCE, method="REGISTER", request_uri=URI
            )

        assert authentication("geheim") == (Authentication(ACCEPTED, "44"))
        assert authentication("earlier") == Authentication(ACCEPTED, "44", True)
        assert authentication("falsch").verdict is WRONG


class TestNonces:
    """They contain their time and a seal, and are not stored before they are used."""

    def test_lifetime(self, challenger: Challenger, clock: Clock) -> None:
        challenges = challenger.challenges(SOURCE)
        clock.now += NONCE_LIFETIME
        assert judged(challenger, answer(challenges)) is ACCEPTED
        clock.now += 0.1
        assert judged(challenger, answer(challenges, nc=2)) is STALE

    @pytest.mark.parametrize("password", ["geheim", "falsch"])
    def test_an_invalid_one_reveals_nothing_about_the_password(
        self, challenger: Challenger, clock: Clock, password: str
    ) -> None:
        """Otherwise a guess would not be counted (RFC 7616 3.3 allows both)."""
        challenges = challenger.challenges(SOURCE)
        clock.now += NONCE_LIFETIME + 1
        assert judged(challenger, answer(challenges, password=password)) is STALE
        elsewhere = challenger.challenges("udp 192.0.2.9:9")
        assert judged(challenger, answer(elsewhere, password=password)) is STALE

    def test_count_rises_strictly(self, challenger: Challenger) -> None:
        challenges = challenger.challenges(SOURCE)
        counts = [1, 1, 2, 5, 4, 5, 6, 0]
        verdicts = [judged(challenger, answer(challenges, nc=nc)) for nc in counts]
        assert verdicts == [
            ACCEPTED, STALE, ACCEPTED, ACCEPTED, STALE, STALE, ACCEPTED, STALE,
        ]  # fmt: skip

    def test_a_failure_does_not_use_a_count_up(self, challenger: Challenger) -> None:
        challenges = challenger.challenges(SOURCE)
        assert judged(challenger, answer(challenges, nc=9, password="x")) is WRONG
        assert judged(challenger, answer(challenges)) is ACCEPTED

    def test_both_algorithms_share_a_nonces_count(self, challenger: Challenger) -> None:
        sha, md5 = challenger.challenges(SOURCE)
        assert judged(challenger, answer([sha])) is ACCEPTED
        assert judged(challenger, answer([md5])) is STALE

    @pytest.mark.parametrize(
        "forge",
        [
            lambda nonce: "",
            lambda nonce: "not hexadecimal",
            lambda nonce: nonce[:-2],
            lambda nonce: nonce + "00",
            lambda nonce: nonce[:-1] + ("1" if nonce[-1] == "0" else "0"),
            lambda nonce: ("1" if nonce[0] == "0" else "0") + nonce[1:],
            lambda nonce: f"{nonce[:2]} {nonce[2:]}",
            lambda nonce: f"{nonce} ",
            lambda nonce: "٠" + nonce[1:],
            lambda nonce: "ab" * 12 + "00" * 16,
        ],
        ids=[
            "none",
            "no hex",
            "short",
            "long",
            "other seal",
            "other time",
            "blank inside",
            "blank behind",
            "other digits",
            "made up",
        ],
    )
    def test_only_ours_count(
        self, challenger: Challenger, forge: Callable[[str], str]
    ) -> None:
        """Nonces from before a restart are unknown, too, so they are stale, not wrong."""
        nonce = forge(parse_credentials(challenger.challenges(SOURCE)[1])["nonce"])
        assert judged(challenger, answer(challenge(nonce=nonce))) is STALE

    def test_another_spelling_begins_no_new_count(self, challenger: Challenger) -> None:
        nonce = parse_credentials(challenger.challenges(SOURCE)[1])["nonce"]
        assert nonce != nonce.upper()
        assert judged(challenger, answer(challenge(nonce=nonce.upper()))) is STALE

    def test_another_servers_do_not_count(self, clock: Clock) -> None:
        one, other = (Challenger(REALM, PASSWORDS.get, clock) for _ in range(2))
        assert judged(other, answer(one.challenges(SOURCE))) is STALE

    def test_counts_are_forgotten_with_their_nonces(
        self, challenger: Challenger, clock: Clock
    ) -> None:
        for _ in range(10):
            judged(challenger, answer(challenger.challenges(SOURCE)))
        clock.now += 10
        young = challenger.challenges(SOURCE)
        judged(challenger, answer(young))
        assert len(challenger._highest_nc) == 11
        clock.now += NONCE_LIFETIME - 5
        judged(challenger, answer(challenger.challenges(SOURCE)))
        assert len(challenger._highest_nc) == 2
        assert judged(challenger, answer(young)) is STALE

    def test_nothing_is_stored_for_a_wrong_password(
        self, challenger: Challenger
    ) -> None:
        judged(challenger, answer(challenger.challenges(SOURCE), password="falsch"))
        assert challenger._highest_nc == {}


class TestAnswer:
    """The client's side (RFC 7616 3.4, RFC 8760 2.4)."""

    def test_text(self) -> None:
        offered = [f'{challenge()[0]}, opaque="a\\"b"']
        value = answer_challenge(
            offered,
            username="44",
            password="geheim",
            method="MESSAGE",
            uri="sip:44@ha.test",
            nc=10,
            cnonce="c0",
        )
        response = digest_response(
            Algorithm.MD5,
            username="44",
            realm=REALM,
            password="geheim",
            method="MESSAGE",
            uri="sip:44@ha.test",
            nonce="n",
            qop="auth",
            nc="0000000a",
            cnonce="c0",
        )
        assert value == (
            'Digest username="44", realm="home-assistant", nonce="n",'
            f' uri="sip:44@ha.test", response="{response}", algorithm=MD5,'
            ' qop=auth, nc=0000000a, cnonce="c0", opaque="a\\"b"'
        )

    def test_each_answer_has_a_cnonce_of_its_own(self) -> None:
        assert answer(challenge()) != answer(challenge())

    @pytest.mark.parametrize(
        ("challenges", "algorithm"),
        [
            ([*challenge("SHA-256"), *challenge("MD5")], "SHA-256"),
            (challenge("MD5"), "MD5"),
            (challenge("md5"), "MD5"),
            (challenge('"SHA-256"'), "SHA-256"),
            ([*challenge("SHA-512-256"), *challenge("MD5")], "MD5"),
            ([*challenge("MD5-sess"), *challenge("SHA-256")], "SHA-256"),
            (["Basic realm=x", 'Digest realm="', "Digest nonce=x", "Digest realm=x", *challenge("MD5")], "MD5"),
            ([*challenge("SHA-256", 'qop="auth-int"'), *challenge("MD5")], "MD5"),
            ([f'Digest realm="{REALM}", nonce="n"'], "MD5"),
        ],
    )  # fmt: skip
    def test_the_first_that_we_can_answer(
        self, challenges: list[str], algorithm: str
    ) -> None:
        assert parse_credentials(answer(challenges))["algorithm"] == algorithm

    @pytest.mark.parametrize(
        ("qop", "chosen"),
        [
            ('qop="auth"', "auth"),
            ("qop=auth", "auth"),
            ('qop="auth-int, AUTH"', "auth"),
            ('qop=""', None),
            ("", None),
        ],
        ids=repr,
    )
    def test_quality_of_protection(self, qop: str, chosen: str | None) -> None:
        assert parse_credentials(answer(challenge(qop=qop))).get("qop") == chosen

    @pytest.mark.parametrize(
        "challenges",
        [
            [],
            challenge(qop='qop="auth-int"'),
            challenge("AKAv1-MD5"),
            ["Basic realm=x"],
        ],
        ids=["none", "auth-int only", "AKA", "Basic"],
    )
    def test_no_answer(self, challenges: list[str]) -> None:
        value = answer_challenge(
            challenges, username="44", password="x", method="MESSAGE", uri="sip:x"
        )
        assert value is None
