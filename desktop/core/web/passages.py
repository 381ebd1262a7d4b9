"""What of long pages is worth reading for a question: passages, ranked, within a budget.

Ranking is BM25 over the words of the question and the queries (Robertson and Zaragoza, 2009): no
model, the same each time, and a page cannot do more to be read than use the words.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PASSAGE_CHARS_MAX = 900
PASSAGES_MAX = 3_000
"""Of one page that are ranked; a book's beginning, and no more."""
WORD_CHARS_MIN = 2
_K1, _B = 1.4, 0.75
_BORDERS = (". ", "? ", "! ", "; ", "\n", " ")
_WORDS = re.compile(r"\w+")
GAP = "\n[…]\n"
"""Stands where something between two passages was left out."""


@dataclass(frozen=True, slots=True)
class Passage:
    page: int
    """Index of its page."""
    place: int
    """Index in its page."""
    text: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What of a page is read, in the page's own order."""

    text: str
    is_whole: bool


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared, whatever its language."""
    return [word for word in _WORDS.findall(text.casefold()) if len(word) >= WORD_CHARS_MIN]


def passages_of(text: str, page: int = 0) -> list[Passage]:
    """Cut a page where paragraphs end; long ones where sentences do."""
    made: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        told = paragraph.strip()
        while len(told) > PASSAGE_CHARS_MAX:
            end = _end(told)
            made.append(told[:end].strip())
            told = told[end:].strip()
        if told:
            made.append(told)
        if len(made) >= PASSAGES_MAX:
            break
    return [Passage(page, place, one) for place, one in enumerate(_joined(made))][:PASSAGES_MAX]


def excerpts(texts: Sequence[str], wanted: Iterable[str], *, chars_max: int) -> list[Excerpt]:
    """Choose what to read of several pages.

    Each page gets its fair share first, the best passages of all then share what is left.

    Args:
        texts: of the pages.
        wanted: the question and what was searched for.
        chars_max: of all excerpts together.
    """
    if not texts:
        return []
    passages = [passage for page, text in enumerate(texts) for passage in passages_of(text, page)]
    ranked = rank(passages, wanted)
    share = chars_max // len(texts)
    left = dict.fromkeys(range(len(texts)), share)
    taken: set[Passage] = set()
    for passage in ranked:
        if len(passage.text) <= left[passage.page]:
            taken.add(passage)
            left[passage.page] -= len(passage.text) + len(GAP)
    room = sum(max(0, rest) for rest in left.values())
    for passage in ranked:
        if passage not in taken and len(passage.text) <= room:
            taken.add(passage)
            room -= len(passage.text) + len(GAP)
    return [_excerpt(page, passages, taken) for page in range(len(texts))]


def rank(passages: Sequence[Passage], wanted: Iterable[str]) -> list[Passage]:
    """Order passages by how much they have to do with what is wanted; ties in their own order."""
    terms = Counter(word for text in wanted for word in set(words_of(text)))
    counted = [Counter(words_of(passage.text)) for passage in passages]
    lengths = [sum(counts.values()) for counts in counted]
    average = sum(lengths) / max(1, len(lengths)) or 1.0
    found = Counter(term for counts in counted for term in terms if term in counts)
    weights = {
        term: math.log(1 + (len(passages) - found[term] + 0.5) / (found[term] + 0.5))
        for term in terms
    }

    def score(index: int) -> float:
        norm = _K1 * (1 - _B + _B * lengths[index] / average)
        hits = ((weights[term], counted[index][term]) for term in terms)
        return sum(weight * count * (_K1 + 1) / (count + norm) for weight, count in hits if count)

    order = sorted(range(len(passages)), key=lambda index: (-score(index), passages[index].place))
    return [passages[index] for index in order]


def _excerpt(page: int, passages: Sequence[Passage], taken: set[Passage]) -> Excerpt:
    own = [passage for passage in passages if passage.page == page]
    told: list[str] = []
    last = -1
    for passage in own:
        if passage not in taken:
            continue
        told.append(passage.text if passage.place == last + 1 else f"{GAP.strip()}\n{passage.text}")
        last = passage.place
    is_whole = all(passage in taken for passage in own)
    return Excerpt("\n\n".join(told), is_whole)


def _joined(pieces: Sequence[str]) -> list[str]:
    """Put short paragraphs together, so that a heading stays with what it heads."""
    made: list[str] = []
    for piece in pieces:
        if made and len(made[-1]) + len(piece) + 2 <= PASSAGE_CHARS_MAX // 2:
            made[-1] = f"{made[-1]}\n\n{piece}"
        else:
            made.append(piece)
    return made


def _end(text: str) -> int:
    for border in _BORDERS:
        found = text.rfind(border, PASSAGE_CHARS_MAX // 2, PASSAGE_CHARS_MAX)
        if found >= 0:
            return found + len(border)
    return PASSAGE_CHARS_MAX
