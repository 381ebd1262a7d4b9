"""Forges are known by their hosts, and what they tell leads nowhere else."""

from __future__ import annotations

import pytest

from desktop.core.code.forge import ForgeSort, api_base, compare_url, known_sort, own_url, web_base
from desktop.core.code.repository import parse_repository


@pytest.mark.parametrize(
    ("host", "sort"),
    [
        ("github.com", ForgeSort.GITHUB),
        ("gitlab.com", ForgeSort.GITLAB),
        ("gitlab.gnome.org", ForgeSort.GITLAB),
        ("codeberg.org", ForgeSort.GITEA),
        ("forgejo.example.org", ForgeSort.GITEA),
        ("notgithub.com", None),
        ("git.example.org", None),
        ("example.gitlab", None),
    ],
)
def test_a_forge_is_known_by_its_host(host: str, sort: ForgeSort | None) -> None:
    assert known_sort(host) is sort


@pytest.mark.parametrize(
    ("text", "sort", "base"),
    [
        ("a/b", ForgeSort.GITHUB, "https://api.github.com"),
        ("git@github.com:a/b.git", ForgeSort.GITHUB, "https://api.github.com"),
        ("https://hub.example:8443/a/b", ForgeSort.GITHUB, "https://hub.example:8443/api/v3"),
        ("ssh://git@lab.example:2222/a/b", ForgeSort.GITLAB, "https://lab.example/api/v4"),
        ("http://127.0.0.1:80/a/b", ForgeSort.GITEA, "http://127.0.0.1:80/api/v1"),
    ],
)
def test_its_interface_is_found(text: str, sort: ForgeSort, base: str) -> None:
    assert api_base(sort, parse_repository(text)) == base


def test_a_page_that_compares_is_for_any_branch() -> None:
    repository = parse_repository("https://github.com/a/b.git")
    url = compare_url(ForgeSort.GITHUB, repository, "release/1.x", "deskhand/K7Q2-x")
    assert url == "https://github.com/a/b/compare/release/1.x...deskhand/K7Q2-x"
    assert "%23" in compare_url(ForgeSort.GITLAB, repository, "a#b", "x")
    assert compare_url(ForgeSort.PLAIN, repository, "a", "b") == ""


@pytest.mark.parametrize(
    "told",
    [
        "https://evil.example/a/b/pull/1",
        "https://github.com.evil.example/a/b/pull/1",
        "https://github.com@evil.example/",
        "https://anna@github.com/a",
        "http://github.com/a/b/pull/1",
        "javascript:alert(1)",
        "https://github.com:444/a",
        "https://github.com:x/a",
        "https://github.com/a\n",
        'https://github.com/a"b',
        "https://github.com/a`b",
        "https://gіthub.com/a",
        "https://github.com/" + "a" * 3000,
        "",
        None,
        7,
        {"html_url": "x"},
    ],
)
def test_an_address_that_leads_elsewhere_is_not_told(told: object) -> None:
    assert own_url(told, parse_repository("a/b")) == ""


def test_an_address_of_the_forge_is_told() -> None:
    url = "https://github.com/a/b/pull/1"
    assert own_url(url, parse_repository("git@github.com:a/b")) == url
    assert web_base(parse_repository("ssh://git@[::1]:22/a")) == "https://[::1]"
