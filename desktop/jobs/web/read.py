"""`web.read`: pages, PDFs and office documents of the web as text."""

from __future__ import annotations

from collections.abc import Sequence

from desktop.jobs.context import SharedContext
from desktop.jobs.web.asked import said
from desktop.jobs.web.gathering import unread
from desktop.jobs.web.page import Page
from desktop.jobs.web.pages import Pages
from desktop.jobs.web.results import WARNING, cut_bytes, title_of, told_at
from shared.errors import AppError, BadInput
from shared.kinds.web import PageText, ReadInputs, ReadOutput, Unread

ALL_BYTES_MAX = 44_000
"""Of all texts in a result, which travels as an event."""
URLS_ASKED_MAX = 20


async def run(context: SharedContext, inputs: ReadInputs) -> ReadOutput:
    """Read the pages that were named.

    Raises:
        BadInput: `urls_missing`.
        AppError: why the only page could not be read.
    """
    urls = inputs.urls or tuple((await said(context, "urls", "Which page? Its address.")).split())
    if not urls:
        raise BadInput("urls_missing", "There is no page to read.", "Name one: https://…")
    pages, not_read = Pages(context), list[Unread]()
    read: list[Page] = []
    failure: AppError | None = None
    for number, url in enumerate(urls[:URLS_ASKED_MAX]):
        context.progress("reading", number, len(urls))
        try:
            read.append(await pages.page(url, inputs.render))
        except AppError as error:
            failure = error
            not_read.append(unread(url, error))
    if failure is not None and not read:
        raise failure
    return _output(read, not_read)


def _output(pages: Sequence[Page], not_read: Sequence[Unread]) -> ReadOutput:
    share = ALL_BYTES_MAX // len(pages)
    told = [_told(page, share) for page in pages]
    parts = [f"{one.title}\n{one.url}\n\n{one.text}" for one in told]
    notes = [f"{one.title} is longer than what is told here." for one in told if one.is_cut]
    notes += [f"{WARNING}{one.why}" for one in not_read[:3]]
    return ReadOutput(
        headline=f"Read {told[0].title}:" if len(told) == 1 else f"Read {len(told)} pages:",
        notes=tuple(notes[:5]),
        text="\n\n\n".join(parts),
        # Their texts stand above, once.
        pages=tuple(one.model_copy(update={"text": ""}) for one in told),
        unread=tuple(not_read),
    )


def _told(page: Page, bytes_max: int) -> PageText:
    text = cut_bytes(page.text, bytes_max)
    return PageText(
        url=page.url,
        title=title_of(page),
        text=text,
        media_type=page.media_type,
        published=page.published,
        fetched_at=told_at(page.at),
        is_cut=page.is_cut or len(text) < len(page.text),
    )
