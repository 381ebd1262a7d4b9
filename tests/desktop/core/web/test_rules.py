"""The table [web] of the policy: what fits, and what is said of what does not."""

from __future__ import annotations

import pytest

from desktop.core.policy import Policy, parse_policy, write_policy
from desktop.core.web.host_pattern import is_matched
from desktop.core.web.rules import Search, WebRules, search_keys
from shared.errors import BadInput


def test_a_policy_without_the_table_searches_without_a_key_and_stays_outside() -> None:
    rules = parse_policy("").web
    assert (rules.search, rules.private_hosts, rules.robots) == (Search.DDGS, (), True)
    assert list(search_keys(rules)) == []


def test_the_table_is_written_as_it_is_read() -> None:
    rules = WebRules(
        search=Search.SEARXNG,
        searxng_url="http://127.0.0.1:8888",
        deny_hosts=("*.example.com",),
        private_hosts=("wiki.lan", "10.1.0.0/16"),
        pause_seconds=0.5,
    )
    assert parse_policy(write_policy(Policy(web=rules))).web == rules
    assert "[web]" not in write_policy(Policy())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('search = "google"', "search"),
        ('search = "searxng"', "needs searxng_url"),
        ('searxng_url = "file:///x"', "searxng_url"),
        ('searxng_url = "http://a:b@c.org"', "searxng_url"),
        ('deny_hosts = ["https://example.org"]', "is no host"),
        ('allow_hosts = ["*"]', "is no host"),
        ('private_hosts = ["*.lan"]', "is no host"),
        ('private_hosts = ["127.1"]', "is no host"),
        ("page_bytes_max = 1", "at least"),
        ('user_agent = "a\\nb"', "user_agent"),
        ("robot = true", "no rule that is known"),
    ],
)
def test_what_does_not_fit_is_told_with_its_name(line: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        parse_policy(f"[web]\n{line}\n")


def test_only_the_key_of_the_search_that_is_chosen_is_wanted() -> None:
    assert list(search_keys(WebRules(search=Search.BRAVE))) == ["BRAVE_API_KEY"]
    assert list(search_keys(WebRules(search=Search.TAVILY))) == ["TAVILY_API_KEY"]


@pytest.mark.parametrize(
    ("host", "pattern", "fits"),
    [
        ("a.example.org", "*.example.org", True),
        ("example.org", "*.example.org", True),
        ("Example.ORG.", "example.org", True),
        ("a.example.org", "example.org", False),
        ("badexample.org", "*.example.org", False),
    ],
)
def test_patterns_of_hosts(host: str, pattern: str, fits: bool) -> None:
    assert is_matched(host, (pattern,)) is fits
