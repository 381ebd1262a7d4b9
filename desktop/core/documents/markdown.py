"""Markdown as a tree of blocks, read once for every format that documents are written in.

The reader (markdown-it-py) is CommonMark with tables and strikethrough; HTML in it is text like
any other, and a link is one only to a web page or an address of mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

LINKED = ("http://", "https://", "mailto:")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff"
    "\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
"""What no document can hold, or what would let a text read as something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of text in one dress."""

    text: str
    is_bold: bool = False
    is_italic: bool = False
    is_code: bool = False
    is_struck: bool = False
    href: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    source: str
    """As it was written: a name of a file."""
    words: str
    """What it shows, for whoever does not see it."""


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    """From 1."""
    spans: Spans


@dataclass(frozen=True, slots=True)
class Paragraph:
    spans: Spans


@dataclass(frozen=True, slots=True)
class Code:
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    pass


@dataclass(frozen=True, slots=True)
class Quote:
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    start: int | None
    """The first number; None for bullets."""
    items: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    head: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]
    aligns: tuple[str, ...]
    """"left", "center" or "right", a word for each column."""


Block = Heading | Paragraph | Code | Rule | Quote | Listing | Table | Picture


def read(text: str) -> tuple[Block, ...]:
    """Read Markdown."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return _Walk(reader.parse(_UNSEEN.sub("", text))).blocks("")


def title_of(blocks: Iterable[Block]) -> str:
    """Return what the first heading says; empty when there is none."""
    return next((words(block.spans) for block in blocks if isinstance(block, Heading)), "")


def words(spans: Iterable[Span]) -> str:
    """Return what spans say, undressed."""
    return "".join(span.text for span in spans)


class _Walk:
    """One walk over the reader's flat list of tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def blocks(self, end: str) -> tuple[Block, ...]:
        """Read up to the token that ends what is around."""
        found: list[Block] = []
        while self._at < len(self._tokens):
            token = self._next()
            if token.type == end:
                break
            found += self._block(token)
        return tuple(found)

    def _next(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _block(self, token: Token) -> list[Block]:
        match token.type:
            case "heading_open":
                return [Heading(int(token.tag[1:]), _dressed(self._inside())[0])]
            case "paragraph_open":
                spans, pictures = _dressed(self._inside())
                told: list[Block] = [Paragraph(spans)] if words(spans).strip() else []
                return [*told, *pictures]
            case "fence" | "code_block":
                return [Code(token.content.rstrip("\n"))]
            case "hr":
                return [Rule()]
            case "blockquote_open":
                return [Quote(self.blocks("blockquote_close"))]
            case "bullet_list_open" | "ordered_list_open":
                return [self._listing(token)]
            case "table_open":
                return [self._table()]
            case _:  # closing tokens
                return []

    def _inside(self) -> Sequence[Token]:
        """Return what is in a paragraph or a cell."""
        return self._next().children or ()

    def _listing(self, token: Token) -> Listing:
        if token.type == "bullet_list_open":
            return Listing(None, self._items("bullet_list_close"))
        first = token.attrGet("start")
        return Listing(1 if first is None else int(first), self._items("ordered_list_close"))

    def _items(self, end: str) -> tuple[tuple[Block, ...], ...]:
        items: list[tuple[Block, ...]] = []
        while self._next().type != end:
            items.append(self.blocks("list_item_close"))
        return tuple(items)

    def _table(self) -> Table:
        rows: list[list[Spans]] = []
        aligns: list[str] = []
        while (token := self._next()).type != "table_close":
            if token.type == "tr_open":
                rows.append([])
            elif token.type in ("th_open", "td_open"):
                if token.type == "th_open":
                    style = str(token.attrGet("style") or "")
                    aligns.append(style.removeprefix("text-align:") or "left")
                rows[-1].append(_dressed(self._inside())[0])
        return Table(tuple(rows[0]), tuple(map(tuple, rows[1:])), tuple(aligns))


def _dressed(tokens: Sequence[Token]) -> tuple[Spans, list[Picture]]:
    """Read what is in a line: spans, and pictures, which stand below it."""
    spans: list[Span] = []
    pictures: list[Picture] = []
    dress = Span(text="")
    for token in tokens:
        match token.type:
            case "text":
                spans.append(replace(dress, text=token.content))
            case "softbreak":
                spans.append(replace(dress, text=" "))
            case "hardbreak":
                spans.append(replace(dress, text="\n"))
            case "code_inline":
                spans.append(replace(dress, text=token.content, is_code=True))
            case "image":
                pictures.append(Picture(str(token.attrGet("src") or ""), token.content))
            case _:
                dress = _redressed(dress, token)
    return tuple(_joined(spans)), pictures


def _redressed(dress: Span, token: Token) -> Span:
    match token.type:
        case "strong_open" | "strong_close":
            return replace(dress, is_bold=token.type == "strong_open")
        case "em_open" | "em_close":
            return replace(dress, is_italic=token.type == "em_open")
        case "s_open" | "s_close":
            return replace(dress, is_struck=token.type == "s_open")
        case "link_open":
            href = str(token.attrGet("href") or "")
            return replace(dress, href=href if href.lower().startswith(LINKED) else "")
        case "link_close":
            return replace(dress, href="")
        case _:
            return dress


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Join neighbours in the same dress."""
    joined: list[Span] = []
    for span in spans:
        if joined and replace(joined[-1], text=span.text) == span:
            joined[-1] = replace(span, text=joined[-1].text + span.text)
        elif span.text:
            joined.append(span)
    return joined
