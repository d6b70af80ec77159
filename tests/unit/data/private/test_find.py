from __future__ import annotations

import pytest

from burnish.data.private.find import find
from burnish.data.private.finding import Finding, without_overlaps
from burnish.data.private.settings import PrivateSettings


def found(text: str, **settings: object) -> list[tuple[str, str]]:
    return [(one.kind, text[one.start : one.end]) for one in find(text, PrivateSettings.model_validate(settings))]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write to anna.keller@web.de!", "email", "anna.keller@web.de"),
        ("mailto:o'neill+shop@mail.stadt-köln.de", "email", "o'neill+shop@mail.stadt-köln.de"),
        ("我的邮箱是wei@qq.com，谢谢", "email", "wei@qq.com"),
        ("Login from IP 62.41.7.19 failed", "ip", "62.41.7.19"),
        ("host 2a01:4f8:10a:23::2 is up", "ip", "2a01:4f8:10a:23::2"),
        ("call +49 (0)171 2345678 now", "phone", "+49 (0)171 2345678"),
        ("(415) 626-0199 is the desk", "phone", "(415) 626-0199"),
        ("mein Handy: 0171/2345678", "phone", "0171/2345678"),
        ("Tel 06131 / 123456", "phone", "06131 / 123456"),
        ("Authorization: Bearer 8f14e45fceea167a5a36dedd4bea2543", "key", "8f14e45fceea167a5a36dedd4bea2543"),
        ("card 4111 1111 1111 1111, thanks", "card", "4111 1111 1111 1111"),
        ("amex 3782-822463-10005", "card", "3782-822463-10005"),
        ("IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFF", "iban", "DE89 3704 0044 0532 0130 00"),
        ("iban: GB82WEST12345698765432.", "iban", "GB82WEST12345698765432"),
        ("SSN 536-90-4399", "national_id", "536-90-4399"),
        ("codice fiscale RCCMNL83S18D969H", "national_id", "RCCMNL83S18D969H"),
        (
            "the AKIA2E0A8F3B244C9986 key".replace("0", "Q").replace("8", "W").replace("9", "Z"),
            "key",
            "AKIA2EQAWF3B244CZZW6",
        ),
        ("Passwort: Sommer2024", "password", "Sommer2024"),
        ("postgres://admin:s3cr3t!@db:5432/shop", "password", "s3cr3t!"),
    ],
)
def test_each_kind_is_found_with_its_beginning_and_end(text: str, kind: str, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "Nobody reads user@example.com, noreply@shop.com or logo@2x.png.",
        "git@github.com:acme/tools.git and lodash@4.17.21",
        "192.168.1.1, 127.0.0.1, 8.8.8.8 and version 4.18.0.1",
        "order 123456789012, invoice 2024-000123, call about ticket 4155550132",
        "4111 1111 1111 1112 has a wrong check digit",
        "DE88 3704 0044 0532 0130 00 too",
        "the number 536904399 alone says nothing",
        "My password is required. The password is wrong; password = os.environ['PW']",
        "use the password to log-in/sign-up; pwd: /srv/apps/project1; pass: 85%",
        "a phone released 2010-11-05, the call of 05.11.2010",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx and AKIAIOSFODNN7EXAMPLE are placeholders",
        "d41d8cd98f00b204e9800998ecf8427e 550e8400-e29b-41d4-a716-446655440000",
        "2400/200 = 12 and 2024-03-14 10:45:00 and 52.520008, 13.404954",
    ],
)
def test_what_only_looks_private_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_only_the_kinds_asked_for_are_looked_for() -> None:
    text = "anna@web.de, card 4111 1111 1111 1111"
    assert found(text, kinds=["card"]) == [("card", "4111 1111 1111 1111")]


def test_of_two_that_overlap_the_more_harmful_counts() -> None:
    """The end of user:password@host looks like an address."""
    assert found("https://anna:geheim99@files.keller.de/in") == [("password", "geheim99")]
    findings = [Finding("phone", 0, 10), Finding("card", 2, 12), Finding("email", 12, 20)]
    assert without_overlaps(findings) == [Finding("card", 2, 12), Finding("email", 12, 20)]


def test_a_long_text_without_spaces_takes_no_long_time() -> None:
    for text in ("a" * 200_000, "1" * 200_000, "a@" * 100_000, "1 " * 100_000, "password: " * 20_000, "a:" * 100_000):
        find(text, PrivateSettings())
