"""`web.research`: a question, answered from pages of the web that are named.

    question ─▶ queries ─▶ results ─▶ pages ─▶ excerpts ─▶ model ─▶ findings, checked
               (a model,               │                   (none: the excerpts themselves)
                before any page)       └─ what cannot be read is told

Queries are made before a page is read, and nothing is fetched after one was: no page has a say in
what is asked for. What the model writes is words, and they are checked (`desktop.core.web`).
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from desktop.core.llm.fault import LlmFault
from desktop.core.llm.waits import backoff_seconds
from desktop.core.web.passages import Excerpt, excerpts
from desktop.core.web.prompts import query_of
from desktop.jobs.context import Postponed, SharedContext
from desktop.jobs.llm.house import house_of
from desktop.jobs.web.asked import may_leave, model_for, said
from desktop.jobs.web.gathering import Gathered, Reading, keep, kept, search_all
from desktop.jobs.web.page import Page
from desktop.jobs.web.pages import Pages
from desktop.jobs.web.results import findings_of_excerpts, output_of
from desktop.jobs.web.room import room_of
from desktop.jobs.web.writing import Writer, Written
from shared.errors import AppError, NotFound
from shared.kinds.web import ResearchInputs, ResearchOutput

EXCERPTS_CHARS_MAX = 12_000
"""Of all pages together when no model reads them."""


async def run(context: SharedContext, inputs: ResearchInputs) -> ResearchOutput:
    """Answer a question from the web.

    Raises:
        Postponed: a model, or an engine, is to be asked again later.
        LlmFault: it came to nothing, for good.
        AppError: `sources_none`; those of the search when nothing else was named.
    """
    try:
        return await _Research(context, inputs).run()
    except LlmFault as fault:
        if not fault.retryable:
            raise
        wait = backoff_seconds(context.tries + 1, random.random(), fault.wait_seconds)  # noqa: S311
        raise Postponed(fault, wait) from None


class _Research:
    """One try at one question."""

    def __init__(self, context: SharedContext, inputs: ResearchInputs) -> None:
        self._context = context
        self._inputs = inputs
        self._writer: Writer | None = None
        self._question = (inputs.question or "").strip()

    async def run(self) -> ResearchOutput:
        context, inputs = self._context, self._inputs
        if not self._question:
            self._question = await said(context, "question", "What do you want to know?")
        model = await model_for(context, inputs.model, is_local=inputs.local)
        if model is not None:
            self._writer = Writer(house_of(context), model, context.log)
        gathered = kept(context.workdir) or await self._gathered()
        reading = Reading(context, Pages(context))
        await reading.read_on(gathered.candidates, max(inputs.sources_max, len(inputs.urls or ())))
        if not reading.read:
            raise _none(gathered, reading)
        pages = await self._readable(reading.read)
        written, taken = await self._written(gathered.queries, pages)
        return output_of(
            question=self._question,
            gathered=gathered,
            pages=pages,
            taken=taken,
            unread=reading.unread,
            writer=self._writer,
            written=written,
            findings="" if written else findings_of_excerpts(pages, taken),
        )

    async def _gathered(self) -> Gathered:
        context, inputs = self._context, self._inputs
        context.progress("searching", 0, 1)
        engine = room_of(context).engine(context.web, context.network, context.keys)
        queries = await self._queries() if engine is not None else ()
        gathered = await search_all(engine, queries, inputs.urls or (), inputs.sources_max)
        keep(context.workdir, gathered)
        context.progress("searching", 1, 1)
        return gathered

    async def _queries(self) -> Sequence[str]:
        if self._inputs.queries is not None:
            return self._inputs.queries
        if self._inputs.urls:
            return ()
        made = await self._writer.queries(self._question) if self._writer is not None else ()
        return made or (query_of(self._question),)

    async def _readable(self, pages: list[Page]) -> list[Page]:
        """Leave out what is not public if its owner does not want a model elsewhere to read it."""
        hosts = tuple(dict.fromkeys(host_of(page) for page in pages if page.is_inside))
        if self._writer is None or await may_leave(self._context, self._writer.model, hosts):
            return pages
        public = [page for page in pages if not page.is_inside]
        if not public:
            self._writer = None  # nothing leaves; the person gets the excerpts
        return public or pages

    async def _written(
        self, queries: Sequence[str], pages: Sequence[Page]
    ) -> tuple[Written | None, Sequence[Excerpt]]:
        if self._writer is not None:
            self._context.progress("answering", 0, 1)
            written = await self._writer.answer(self._question, queries, pages)
            self._context.progress("answering", 1, 1)
            return written, written.excerpts
        wanted = [self._question, *queries]
        texts = [page.text for page in pages]
        chosen = await asyncio.to_thread(excerpts, texts, wanted, chars_max=EXCERPTS_CHARS_MAX)
        return None, chosen


def host_of(page: Page) -> str:
    return page.url.partition("://")[2].partition("/")[0]


def _none(gathered: Gathered, reading: Reading) -> AppError:
    if not gathered.candidates:
        searched = f" for “{gathered.queries[0]}”" if gathered.queries else ""
        return NotFound(
            "sources_none",
            f"Nothing was found{searched}.",
            "Ask in other words, or name pages: urls=https://…",
        )
    first = reading.unread[0].why if reading.unread else ""
    return NotFound(
        "sources_none",
        f"None of {len(gathered.candidates)} pages could be read. {first}".strip(),
        "Name other pages: urls=https://…; or try again later.",
    )
