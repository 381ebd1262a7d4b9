"""Repositories are read so strictly that git can read nothing else into them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from desktop.core.code.repository import Scheme, parse_repository
from desktop.core.code.repository_rules import check_folder, check_remote, is_allowed, parse_pattern
from shared.errors import BadInput, NotAllowed
from tests.desktop.core.code.hostile_names import BRANCHES, REPOSITORIES

_URL = re.compile(r"https?://[a-z0-9.\[\]:-]+/[\w./~+=@,!%-]+", re.ASCII)
_SSH = re.compile(r"ssh://([\w.-]+@)?[a-z0-9.\[\]:-]+/[\w./~+=@,!%-]+", re.ASCII)
_SCP = re.compile(r"(\w[\w.-]*@)?(?!-)[a-z0-9.\[\]:-]+:[\w./~+=@,!%-]+", re.ASCII)


def test_there_are_two_hundred_hostile_ones() -> None:
    assert len({*REPOSITORIES}) >= 200
    assert len({*REPOSITORIES, *BRANCHES}) >= 260


@pytest.mark.parametrize("number", range(len(REPOSITORIES)))
def test_a_hostile_name_is_refused_with_what_is_wrong(number: int) -> None:
    with pytest.raises(BadInput) as caught:
        parse_repository(REPOSITORIES[number])
    assert caught.value.code in ("repository_invalid", "repository_with_secret")
    assert caught.value.hint
    assert "secret" not in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("text", "url", "shown"),
    [
        ("anna/parser", "https://github.com/anna/parser", "github.com/anna/parser"),
        ("gitlab:anna/parser", "https://gitlab.com/anna/parser", "gitlab.com/anna/parser"),
        ("codeberg:a/b", "https://codeberg.org/a/b", "codeberg.org/a/b"),
        ("https://GitHub.com/a/b.git/", "https://github.com/a/b.git", "github.com/a/b"),
        ("https://h.example:8443/g/s/p", "https://h.example:8443/g/s/p", "h.example:8443/g/s/p"),
        ("https://git.sr.ht/~anna/x", "https://git.sr.ht/~anna/x", "git.sr.ht/~anna/x"),
        ("https://h.example/My%20Team/x", "https://h.example/My%20Team/x", "h.example/My%20Team/x"),
        ("https://[::1]:8/x", "https://[::1]:8/x", "[::1]:8/x"),
        ("https://xn--bcher-kva.example/x", "https://xn--bcher-kva.example/x", None),
        ("git@github.com:a/b.git", "git@github.com:a/b.git", "github.com/a/b"),
        ("work:a/b", "work:a/b", "work/a/b"),
        ("git@h.example:/srv/x.git", "ssh://git@h.example/srv/x.git", "h.example/srv/x"),
        ("ssh://git@h.example:2222/a", "ssh://git@h.example:2222/a", "h.example:2222/a"),
        ("ssh://h.example/~anna/x", "ssh://h.example/~anna/x", "h.example/~anna/x"),
        ("http://127.0.0.1:80/a", "http://127.0.0.1:80/a", "127.0.0.1:80/a"),
        ("~/src/x", "~/src/x", "~/src/x"),
        ("/home/anna/mein Projekt ä", "/home/anna/mein Projekt ä", "/home/anna/mein Projekt ä"),
        ("C:\\src\\x", "C:\\src\\x", "C:\\src\\x"),
        ("file:///home/anna/x", "/home/anna/x", "/home/anna/x"),
        ("parser", "parser", "parser"),
    ],
)
def test_what_people_write_is_understood(text: str, url: str, shown: str | None) -> None:
    repository = parse_repository(text)
    assert repository.url == url
    assert repository.shown == shown or shown is None


@given(st.text(max_size=60) | st.from_regex(r"(https|ssh|file|git@h)(://|:)[\x20-\x7f]{0,30}"))
@example("https://h/a")
def test_whatever_is_taken_has_the_shape_of_a_url_or_is_a_folder(text: str) -> None:
    try:
        repository = parse_repository(text)
    except BadInput:
        return
    assert not repository.url.startswith("-")
    assert re.fullmatch(r"[a-z0-9-]+", repository.key)
    match repository.scheme:
        case Scheme.FOLDER:
            assert "::" not in repository.path.partition("/")[0]
        case Scheme.SSH:
            assert _SSH.fullmatch(repository.url) or _SCP.fullmatch(repository.url)
        case _:
            assert _URL.fullmatch(repository.url)


def test_the_same_place_has_one_mirror_and_others_have_their_own() -> None:
    keys = [
        parse_repository(text).key
        for text in (
            "a/b",
            "https://github.com/a/b.git",
            "https://github.com/a/b/",
            "https://github.com/a/B",
            "https://github.com/a-b",
            "git@github.com:a/b",
            "/a/b",
        )
    ]
    assert keys[0] == keys[1] == keys[2]
    assert len({*keys}) == 5


@pytest.mark.parametrize(
    ("pattern", "text", "is_it"),
    [
        ("https://github.com/anna/*", "https://github.com/anna/x.git", True),
        ("https://github.com/anna/*", "anna/x", True),
        ("https://github.com/anna/*", "https://github.com/annabel/x", False),
        ("https://github.com/anna/*", "git@github.com:anna/x", False),
        ("https://github.com/anna/*", "https://github.com:8443/anna/x", False),
        ("https://github.com/anna/x.git", "anna/x", True),
        ("github.com/anna/*", "git@github.com:anna/x", True),
        ("git@github.com:anna/*", "git@github.com:anna/x", True),
        ("https://*.example.org/*", "https://git.example.org/a", True),
        ("https://*.example.org/*", "https://evil.example/x.example.org/a", False),
        ("https://*.example.org/*", "https://example.org/a", False),
        ("*", "https://anywhere.example/a", True),
        ("*", "ssh://git@anywhere.example/a", True),
        ("*", "http://anywhere.example/a", False),
        ("https://*/*", "http://127.0.0.1:80/a", False),
        ("http://127.0.0.1:*/*", "http://127.0.0.1:4711/a/b", True),
        ("http://intranet.example/*", "http://intranet.example/a", True),
    ],
)
def test_a_pattern_means_no_other_host_and_no_other_owner(
    pattern: str, text: str, is_it: bool
) -> None:
    assert is_allowed(parse_repository(text), [pattern]) is is_it


def test_what_is_not_allowed_says_who_can_allow_it() -> None:
    with pytest.raises(NotAllowed, match=r"not allowed github\.com/a/b") as caught:
        check_remote(parse_repository("a/b"), ["https://github.com/anna/*"])
    assert "policy" in caught.value.hint
    with pytest.raises(NotAllowed) as caught:
        check_remote(parse_repository("http://h.example/a"), ["*"])
    assert caught.value.code == "repository_unencrypted"
    check_remote(parse_repository("http://h.example/a"), ["http://h.example/*"])


@pytest.mark.parametrize("pattern", ["", "x", "ext::sh", "ftp://h/x", "https://", "https://h"])
def test_a_pattern_that_names_no_place_is_refused(pattern: str) -> None:
    with pytest.raises(BadInput, match="names no place"):
        parse_pattern(pattern)


def test_a_folder_has_to_lie_in_an_allowed_one() -> None:
    allowed = [PurePosixPath("/home/anna/src")]
    check_folder(PurePosixPath("/home/anna/src"), allowed)
    check_folder(PurePosixPath("/home/anna/src/x"), allowed)
    for elsewhere in ("/home/anna/src2", "/home/anna", "/etc"):
        with pytest.raises(NotAllowed, match="in no folder"):
            check_folder(PurePosixPath(elsewhere), allowed)
