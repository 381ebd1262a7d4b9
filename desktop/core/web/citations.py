"""Citations in findings, and what must not stand in them whatever a model was talked into.

A model reads pages that strangers wrote. What comes back is checked as theirs: a citation of a
source that there is not is taken out, an address that is none of the sources' is taken out (it
could carry something away when it is opened, or shown as a picture), and what acts instead of
showing is made visible.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from desktop.core.web.choosing import key_of
from shared.plain_text import plain

REMOVED = "(link removed)"
_CITED = re.compile(r"\[\s*(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\s*\](?!\()")
"""[1], [1, 2]; a link's words in brackets are none."""
_PICTURE = re.compile(r"!\[([^\]\n]{0,500})\]\([^)\n]{0,4000}\)")
_LINK = re.compile(r"\[([^\]\n]{0,500})\]\(([^)\n]{0,4000})\)")
_REFERENCE = re.compile(r"^[ \t]{0,3}\[[^\]\n]{1,200}\]:[ \t].*$", re.MULTILINE)
_TAG = re.compile(r"<(?:[A-Za-z!/?][^<>]{0,4000})>")
_ADDRESS = re.compile(
    r"(?<![\w@.])(?:[a-z][a-z0-9+.-]{1,20}:(?:[\\/]{2}|(?=[^\s:]{0,200}[@,;%]))|www\.|//[\w.-]+\.)"
    r"[^\s<>\"'`\])}]*",
    re.IGNORECASE,
)
_BARE = re.compile(r"(?<![\w@./-])((?:[\w-]{1,63}\.){1,8}[a-z]{2,24})(?=[/?#]\S)", re.IGNORECASE)
"""A host's name with more behind it, which some programs make a link of by themselves."""
_FIGURE = re.compile(r"\d[\d.,\u00a0\u202f ]*\d|\d")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\s\[])|\n+")
UNSUPPORTED_MAX = 5
CHARS_MAX = 30_000
"""Of findings; more than a result takes, and little enough to be looked through at once."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Findings as they may be shown."""

    text: str
    cited: frozenset[int]
    """Numbers of sources that are cited."""
    forged: tuple[int, ...]
    """Numbers that were cited and are no source's; they were taken out."""
    links_removed: int


def check(findings: str, urls: Sequence[str]) -> Checked:
    """Make what a model wrote fit to be shown.

    Args:
        findings: its words.
        urls: of the sources, the first being number 1.
    """
    text, links = _without_links(plain(findings[:CHARS_MAX]).strip(), {key_of(url) for url in urls})
    cited: set[int] = set()
    forged: list[int] = []

    def kept(found: re.Match[str]) -> str:
        numbers = [int(number) for number in re.split(r"[,;]", found[1])]
        real = [number for number in numbers if 1 <= number <= len(urls)]
        forged.extend(number for number in numbers if number not in real)
        cited.update(real)
        return "".join(f"[{number}]" for number in dict.fromkeys(real))

    text = _CITED.sub(kept, text)
    text = re.sub(r"[ \t]+(?=[.,;:!?](?:\s|$))", "", text)
    return Checked(text, frozenset(cited), tuple(dict.fromkeys(forged)), links)


def unsupported(findings: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Return sentences with a figure that stands in none of the sources they cite.

    Figures are what a summary gets wrong without anybody seeing it. Single digits are let pass:
    models count ("three reasons").

    Args:
        findings: checked.
        texts: what was read of the sources, the first being number 1.
    """
    figures = [set(_figures(text)) for text in texts]
    doubtful: list[str] = []
    for sentence in _SENTENCE.split(findings):
        cited = {
            int(n) for found in _CITED.finditer(sentence) for n in re.findall(r"\d+", found[1])
        }
        known: set[str] = set().union(*(figures[n - 1] for n in cited if n <= len(figures)))
        told = [one for one in _figures(_CITED.sub("", sentence)) if len(one) > 1]
        if cited and any(one not in known for one in told):
            doubtful.append(sentence.strip())
    return tuple(doubtful[:UNSUPPORTED_MAX])


def without_marks(text: str, marks: Iterable[str]) -> str:
    """Take the marks of a prompt out of what a model says, should it repeat them."""
    for mark in marks:
        text = text.replace(mark, "")
    return text


def _without_links(text: str, known: Collection[str]) -> tuple[str, int]:
    count = 0

    def judged(found: re.Match[str]) -> str:
        nonlocal count
        address = found[0].rstrip(".,;:!?*_")
        tail = found[0][len(address) :]
        if key_of(address) in known:
            return found[0]
        count += 1
        return REMOVED + tail

    def link(found: re.Match[str]) -> str:
        return f"{found[1]} {found[2]}"

    # Each of these may uncover another: a link within a tag, a picture within a link.
    text = _REFERENCE.sub(lambda found: found[0].replace("]:", "] ", 1), text)
    text = _PICTURE.sub(lambda found: link_of_picture(found[0]), text)
    text = _LINK.sub(link, text)
    text = _TAG.sub(lambda found: " ".join(_ADDRESS.findall(found[0])), text)
    text = _ADDRESS.sub(judged, text)
    # "Node.js/Express" may be no link at all: the words stay, a blank keeps them from being one.
    return _BARE.sub(r"\1 ", text), count


def link_of_picture(told: str) -> str:
    """Turn a picture into its words and its address, which is then judged as any other."""
    return f"{told[2:].partition('](')[0]} {told.partition('](')[2].rstrip(')')}"


def _figures(text: str) -> list[str]:
    return [re.sub(r"\D", "", found) for found in _FIGURE.findall(text)]
