"""Sources of an answer: what the steps brought, numbered; citations of nothing are taken out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.kinds.plan import Source
from shared.plain_text import plain, plain_line

SOURCES_MAX = 60
TITLE_CHARS_MAX = 200
URL_CHARS_MAX = 2000

_CITED = re.compile(r" ?\[(\d{1,4}(?:\s?[,;]\s?\d{1,4}){0,9})\]")


@dataclass(frozen=True, slots=True)
class Cited:
    """An answer whose citations all exist."""

    text: str
    sources: tuple[Source, ...]
    """Those that are cited, with their numbers as they were; all when none is."""
    unknown: tuple[int, ...]
    """Numbers that were cited and are no source; they are out of the text."""


def step_sources(
    number: int, step: str, title: str, result: Mapping[str, object]
) -> tuple[Source, ...]:
    """Return what one step brings as sources: itself first, then the pages that it read.

    Args:
        number: of the first one.
        step: its id.
        title: its title.
        result: its job's result; pages stand in `sources` or `pages`, as web kinds tell them.
    """
    found = [Source(number=number, step=step, title=plain_line(title)[:TITLE_CHARS_MAX])]
    files = result.get("files")
    if isinstance(files, list | tuple) and files and isinstance(files[0], str):
        found[0] = found[0].model_copy(update={"file": plain_line(files[0])[:TITLE_CHARS_MAX]})
    pages = result.get("sources") or result.get("pages")
    for page in pages if isinstance(pages, list | tuple) else ():
        url = page.get("url") if isinstance(page, Mapping) else None
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            continue
        named = page.get("title")
        shown = plain_line(named)[:TITLE_CHARS_MAX] if isinstance(named, str) else ""
        url = plain_line(url)[:URL_CHARS_MAX]
        found.append(Source(number=number + len(found), step=step, title=shown or url, url=url))
    return tuple(found[:SOURCES_MAX])


def all_sources(steps: Iterable[tuple[str, str, Mapping[str, object]]]) -> tuple[Source, ...]:
    """Number what steps (id, title, result) bring, from one; a page read twice stands once."""
    found: list[Source] = []
    seen: set[str] = set()
    for step, title, result in steps:
        for source in step_sources(1, step, title, result):
            if source.url and source.url in seen:
                continue
            seen.add(source.url)
            found.append(source.model_copy(update={"number": len(found) + 1}))
    return tuple(found[:SOURCES_MAX])


def cited(text: str, sources: Iterable[Source]) -> Cited:
    """Take out of an answer what cites nothing, and tell which sources it uses."""
    by_number = {source.number: source for source in sources}
    used: set[int] = set()
    unknown: list[int] = []

    def kept(found: re.Match[str]) -> str:
        numbers = [int(word) for word in re.split(r"[,;]", found[1])]
        good = [number for number in numbers if number in by_number]
        used.update(good)
        unknown.extend(number for number in numbers if number not in by_number)
        blank = " " if found[0].startswith(" ") else ""
        return blank + "".join(f"[{number}]" for number in good) if good else ""

    shown, before = plain(text).strip(), None
    while shown != before:  # what is taken out may leave another one: "[[9]9]"
        shown, before = _CITED.sub(kept, shown).strip(), shown
    chosen = tuple(source for number, source in by_number.items() if number in used)
    return Cited(shown, chosen or tuple(by_number.values()), tuple(dict.fromkeys(unknown)))
