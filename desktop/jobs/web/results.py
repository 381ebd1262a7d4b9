"""Makes results of what was read: bounded, and fit to be shown whatever pages say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from desktop.core.web.citations import check
from desktop.core.web.passages import Excerpt
from desktop.jobs.web.gathering import Gathered
from desktop.jobs.web.page import Page
from desktop.jobs.web.writing import Writer, Written
from shared.kinds.llm import UsageFacts
from shared.kinds.web import (
    EXCERPT_CHARS_MAX,
    FINDINGS_CHARS_MAX,
    SOURCES_MAX,
    TITLE_CHARS_MAX,
    ResearchOutput,
    Source,
    Unread,
)
from shared.plain_text import plain, plain_line

FINDINGS_BYTES_MAX = 24_000
SOURCE_BYTES_MAX = 300
UNREAD_MAX = 10
PASSAGE_BYTES_MAX = 1_500
WARNING = "⚠ "


def output_of(
    *,
    question: str,
    gathered: Gathered,
    pages: Sequence[Page],
    taken: Sequence[Excerpt],
    unread: Sequence[Unread],
    writer: Writer | None,
    written: Written | None,
    findings: str,
) -> ResearchOutput:
    """Put a result together."""
    text = written.checked.text if written else findings
    cited = written.checked.cited if written else frozenset(range(1, len(pages) + 1))
    sources = [
        source_of(number, page, excerpt, is_cited=number in cited)
        for number, (page, excerpt) in enumerate(zip(pages, taken, strict=True), start=1)
    ][:SOURCES_MAX]
    model = writer.model if writer is not None else None
    return ResearchOutput(
        headline=_headline(question, len(pages), writer),
        notes=tuple(_notes(gathered, len(unread), writer, written)),
        findings=cut_bytes(text, FINDINGS_BYTES_MAX)[:FINDINGS_CHARS_MAX],
        sources=tuple(sources),
        source_urls=tuple(source.url for source in sources),
        unread=tuple(unread[:UNREAD_MAX]),
        queries=gathered.queries,
        search=gathered.search,
        model=model.full_name if model is not None else "",
        model_reported=writer.model_reported if writer is not None else "",
        is_local=model is None or model.endpoint.is_local,
        usage=writer.usage if writer is not None else UsageFacts(),
        cost_usd=writer.cost_usd if writer is not None else 0.0,
    )


def source_of(number: int, page: Page, excerpt: Excerpt, *, is_cited: bool) -> Source:
    return Source(
        number=number,
        title=title_of(page),
        url=page.url,
        taken=cut_bytes(plain_line(excerpt.text), SOURCE_BYTES_MAX)[:EXCERPT_CHARS_MAX],
        published=plain_line(page.published)[:40],
        fetched_at=told_at(page.at),
        is_cited=is_cited,
        is_cut=page.is_cut,
    )


def findings_of_excerpts(pages: Sequence[Page], taken: Sequence[Excerpt]) -> str:
    """Return the best passages of each page under its number: what there is without a model.

    They are strangers' words as they stand, so they are checked like a model's: what looks like a
    citation in them is none.
    """
    urls = [page.url for page in pages]
    told: list[str] = []
    for number, (page, excerpt) in enumerate(zip(pages, taken, strict=True), start=1):
        clean = check(excerpt.text.replace("[", "(").replace("]", ")"), urls).text
        told.append(f"[{number}] {title_of(page)}\n{cut_bytes(clean, PASSAGE_BYTES_MAX)}")
    return "\n\n".join(told)


def title_of(page: Page) -> str:
    """Return a title that is no citation and no link, whatever a page calls itself."""
    clean = page.title.replace("[", "(").replace("]", ")")
    title = check(plain_line(clean), [page.url]).text[:TITLE_CHARS_MAX]
    return title or page.url.partition("://")[2].partition("/")[0][:TITLE_CHARS_MAX]


def told_at(moment: datetime) -> str:
    """Write a moment as results do: RFC 3339, UTC, whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def cut_bytes(text: str, bytes_max: int) -> str:
    """Cut a text to so many bytes of UTF-8, and say so."""
    data = plain(text).encode("utf-8", "replace")
    if len(data) <= bytes_max:
        return data.decode("utf-8")
    return data[: bytes_max - 4].decode("utf-8", "ignore").rstrip() + " …"


def _headline(question: str, count: int, writer: Writer | None) -> str:
    pages = "one page" if count == 1 else f"{count} pages"
    who = f"{writer.model.full_name} has read" if writer is not None else "Found on"
    return f"{who} {pages} about “{plain_line(question)[:150]}”:"


def _notes(
    gathered: Gathered, unread: int, writer: Writer | None, written: Written | None
) -> list[str]:
    notes: list[str] = []
    if writer is None:
        notes.append("No model took part: these are excerpts of the pages.")
    if written is not None:
        notes += _warnings(written)
    if unread:
        notes.append(f"{unread} more could not be read.")
    if gathered.failure:
        notes.append(f"{WARNING}{gathered.failure}")
    return notes


def _warnings(written: Written) -> list[str]:
    checked = written.checked
    notes: list[str] = []
    if written.is_refusal:
        notes.append(f"{WARNING}The model refused to answer.")
    elif not checked.cited:
        notes.append(f"{WARNING}The answer cites no page; nothing in it can be checked.")
    if checked.forged:
        numbers = ", ".join(map(str, checked.forged[:5]))
        notes.append(f"{WARNING}It cited pages that there are not ({numbers}); that was taken out.")
    if checked.links_removed:
        notes.append(f"{WARNING}Links to other places than the sources were taken out.")
    notes += [
        f"{WARNING}A figure stands in none of the pages cited: “{plain_line(one)[:160]}”"
        for one in written.doubtful[:2]
    ]
    return notes
