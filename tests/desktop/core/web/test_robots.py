"""What a robots.txt allows (RFC 9309): groups, the longest rule, stars and dollars."""

from __future__ import annotations

import time

import pytest

from desktop.core.web.robots import (
    ALL_ALLOWED,
    NONE_ALLOWED,
    RULES_MAX,
    for_status,
    parse_robots,
)

SITE = "https://example.org"


def allows(text: str, path: str, name: str = "Deskhand") -> bool:
    return parse_robots(text, name).allows(SITE + path)


@pytest.mark.parametrize(
    ("rules", "path", "is_allowed"),
    [
        ("Disallow: /", "/", False),
        ("Disallow:", "/a", True),
        ("Disallow: /a", "/abc", False),
        ("Disallow: /a/", "/abc", True),
        ("Disallow: /a\nAllow: /a/b", "/a/b/c", True),
        ("Disallow: /a\nAllow: /a", "/a", True),
        ("Allow: /\nDisallow: /a", "/a", False),
        ("Disallow: /*.pdf$", "/x/y.pdf", False),
        ("Disallow: /*.pdf$", "/x/y.pdf?z", True),
        ("Disallow: /*.pdf", "/x/y.pdfs", False),
        ("Disallow: /a*b*c", "/axxbyyc", False),
        ("Disallow: /a*b*c", "/axxcyyb", True),
        ("Disallow: /a*a$", "/a", True),
        ("Disallow: /a*a$", "/aa", False),
        ("Disallow: *", "/any", False),
        ("Disallow: /$", "/", False),
        ("Disallow: /$", "/a", True),
        ("Disallow: /?q=", "/?q=1", False),
        ("Disallow: /%7ejoe", "/~joe/x", False),
        ("Disallow: /~joe", "/%7Ejoe/x", False),
        ("Disallow: /a%2fb", "/a/b", True),
        ("Disallow: /ü", "/%C3%BC", False),
        ("DISALLOW : /a # because", "/a", False),
        ("Disallow: /a\rDisallow: /b", "/b", False),
        ("Nonsense\nDisallow: /a", "/a", False),
        ("Disallow: /robots.txt", "/robots.txt", True),
    ],
)
def test_rules(rules: str, path: str, is_allowed: bool) -> None:
    assert allows(f"User-agent: *\n{rules}", path) is is_allowed


def test_our_own_group_counts_and_no_other_beside_it() -> None:
    text = "User-agent: *\nDisallow: /\n\nUser-agent: deskhand/2.0\nUser-agent: other\nDisallow: /x"
    assert allows(text, "/a")
    assert not allows(text, "/x")
    assert not allows(text, "/a", name="Somebody")
    assert not allows(text, "/x", name="OTHER")


def test_groups_of_one_name_are_one_group() -> None:
    ours = "User-agent: deskhand\nDisallow:"
    text = f"{ours} /a\nUser-agent: *\nAllow: /\n{ours} /b"
    assert not allows(text, "/a")
    assert not allows(text, "/b")


def test_rules_before_any_group_say_nothing() -> None:
    assert allows("Disallow: /\nUser-agent: *\nDisallow: /b", "/a")


@pytest.mark.parametrize(
    ("status", "expected"),
    [(200, None), (204, None), (404, ALL_ALLOWED), (403, ALL_ALLOWED), (301, ALL_ALLOWED),
     (500, NONE_ALLOWED), (503, NONE_ALLOWED), (None, NONE_ALLOWED)],
)  # fmt: skip
def test_what_counts_when_there_is_no_file(status: int | None, expected: object) -> None:
    assert for_status(status) is expected


def test_a_wish_for_slowness_is_heard_within_reason() -> None:
    assert parse_robots("User-agent: *\nCrawl-delay: 2.5", "x").delay_seconds == 2.5
    assert parse_robots("User-agent: *\nCrawl-delay: 86400", "x").delay_seconds == 10
    assert parse_robots("User-agent: *\nCrawl-delay: soon", "x").delay_seconds == 0


def test_a_file_made_to_be_slow_is_not() -> None:
    stars = "User-agent: *\n" + f"Disallow: /{'*a' * 900}$\n" * 200
    robots = parse_robots(stars, "x")
    before = time.process_time()
    assert robots.allows(SITE + "/" + "a" * 1900 + "b")
    assert time.process_time() - before < 5
    many = parse_robots("User-agent: *\n" + "Disallow: /x\n" * (2 * RULES_MAX), "x")
    assert len(many.rules) <= RULES_MAX
