"""Markdown as blocks: what a document is made of, and what is left out of it."""

from __future__ import annotations

import pytest

from desktop.core.documents.markdown import (
    Code,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Quote,
    Rule,
    Span,
    Table,
    read,
    title_of,
    words,
)


def test_every_sort_of_block_is_read() -> None:
    text = "# A\n\nb **c** *d* `e` ~~f~~\n\n> g\n\n---\n\n```\nh\n```\n\n![i](j.png)\n"
    sorts = [type(block) for block in read(text)]
    assert sorts == [Heading, Paragraph, Quote, Rule, Code, Picture]
    spans = read(text)[1].spans  # type: ignore[union-attr]
    dressed = [s.text for s in spans if s.is_bold or s.is_italic or s.is_code or s.is_struck]
    assert dressed == ["c", "d", "e", "f"]
    assert title_of(read(text)) == "A"


def test_lists_keep_their_numbers_and_what_is_in_them() -> None:
    (told,) = read("3. a\n4. b\n   - c\n     - d\n")
    assert isinstance(told, Listing)
    assert told.start == 3
    inner = told.items[1][1]
    assert isinstance(inner, Listing)
    assert inner.start is None
    assert isinstance(inner.items[0][1], Listing)


def test_tables_keep_rows_and_sides() -> None:
    (told,) = read("| a | b |\n|:--|--:|\n| 1 | **2** |\n")
    assert isinstance(told, Table)
    assert told.aligns == ("left", "right")
    assert [words(cell) for cell in told.rows[0]] == ["1", "2"]


@pytest.mark.parametrize(
    ("link", "href"),
    [
        ("[a](https://example.org/x)", "https://example.org/x"),
        ("[a](mailto:a@example.org)", "mailto:a@example.org"),
        ("[a](javascript:alert(1))", ""),
        ("[a](file:///etc/passwd)", ""),
        ("[a](\\\\server\\share)", ""),
        ("[a](data:text/html,x)", ""),
        ("[a](ms-word:ofe|u|x)", ""),
    ],
)
def test_only_pages_and_mail_are_linked(link: str, href: str) -> None:
    (told,) = read(link)
    assert isinstance(told, Paragraph)
    assert {span.href for span in told.spans} == {href}


def test_html_is_text_and_what_is_not_seen_is_gone() -> None:
    assert read("<script>x</script>") == (Paragraph((Span(text="<script>x</script>"),)),)
    assert read("a\u202eb\x07c\ud800") == (Paragraph((Span(text="abc"),)),)


def test_deep_nesting_ends_somewhere() -> None:
    assert read(">" * 5000 + " a")
    assert read("\n".join("  " * n + "- a" for n in range(2000)))
