"""Has a model answer from pages, and checks what it wrote before anybody sees it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Message, Model, Reply, Sampling
from desktop.core.web.citations import Checked, check, unsupported, without_marks
from desktop.core.web.passages import Excerpt, excerpts
from desktop.core.web.prompts import (
    QUERIES_SCHEMA,
    Material,
    again_request,
    queries_in,
    queries_request,
    reading_request,
)
from desktop.jobs.llm import prices
from desktop.jobs.llm.house import House
from desktop.jobs.web.page import Page
from desktop.store.transcripts.records import sum_of
from shared.kinds.llm import UsageFacts

LOCAL_CHARS_FIRST = 12_000
"""Of all pages together for a local model; halved as often as it takes."""
REMOTE_CHARS_FIRST = 60_000
CHARS_MIN = 2_000
MARK_BYTES = 9


@dataclass(frozen=True, slots=True)
class Written:
    """An answer, checked."""

    checked: Checked
    excerpts: tuple[Excerpt, ...]
    """What the model read of each page."""
    doubtful: tuple[str, ...]
    """Sentences with a figure that stands in none of the pages they cite."""
    is_refusal: bool = False


class Writer:
    """One job's calls of one model: texts in, texts out, no tools, nothing that acts."""

    def __init__(self, house: House, model: Model, log: Callable[[str], None]) -> None:
        self._house = house
        self._log = log
        self._replies: list[Reply] = []
        self.model = model
        self._size = LOCAL_CHARS_FIRST if model.endpoint.is_local else REMOTE_CHARS_FIRST

    async def queries(self, question: str) -> tuple[str, ...]:
        """Ask what to search for; empty when the model says nothing of use.

        Raises:
            LlmFault: as it comes.
        """
        sampling = Sampling(response_schema=QUERIES_SCHEMA)
        try:
            reply = await self._say(queries_request(question, _today()), sampling)
        except LlmFault as fault:
            if fault.fault is FaultClass.INVALID_RESPONSE:
                return ()
            raise
        return queries_in(reply.text)

    async def answer(self, question: str, queries: Sequence[str], pages: Sequence[Page]) -> Written:
        """Answer a question from pages; with less of them when the model takes less.

        Raises:
            LlmFault: as it comes.
        """
        while True:
            try:
                return await self._answer(question, queries, pages)
            except LlmFault as fault:
                if fault.fault is not FaultClass.CONTEXT_LENGTH or self._size <= CHARS_MIN:
                    raise
                self._size = max(CHARS_MIN, self._size // 2)
                self._log(f"The model takes less at once: {self._size:,} characters now.")

    @property
    def model_reported(self) -> str:
        return next((one.model_reported for one in self._replies if one.model_reported), "")

    @property
    def usage(self) -> UsageFacts:
        return sum_of([reply.usage for reply in self._replies])

    @property
    def cost_usd(self) -> float | None:
        now, total = datetime.now(UTC), 0.0
        for reply in self._replies:
            cost = prices.cost_usd(self.model, reply.usage, now, reply.model_reported)
            if cost is None:
                return None
            total += cost
        return total

    async def _answer(
        self, question: str, queries: Sequence[str], pages: Sequence[Page]
    ) -> Written:
        # Long pages take seconds; other jobs of this child go on meanwhile.
        texts = [page.text for page in pages]
        taken = await asyncio.to_thread(excerpts, texts, [question, *queries], chars_max=self._size)
        material = [
            Material(page.title, page.url, page.published, excerpt.text)
            for page, excerpt in zip(pages, taken, strict=True)
        ]
        mark = secrets.token_hex(MARK_BYTES)
        request = reading_request(question, material, mark=mark, today=_today())
        reply = await self._say(request, Sampling())
        checked = await self._checked(reply, mark, pages)
        if not checked.cited and not reply.is_refusal:
            again = await self._say(again_request(request, reply.text), Sampling())
            second = await self._checked(again, mark, pages)
            reply, checked = (again, second) if second.cited else (reply, checked)
        doubtful = await asyncio.to_thread(unsupported, checked.text, texts)
        return Written(checked, tuple(taken), doubtful, reply.is_refusal)

    async def _checked(self, reply: Reply, mark: str, pages: Sequence[Page]) -> Checked:
        told = without_marks(reply.text, (mark,))
        return await asyncio.to_thread(check, told, [page.url for page in pages])

    async def _say(self, request: tuple[Message, ...], sampling: Sampling) -> Reply:
        reply = await self._house.call(self.model, request, sampling, urgent=True)
        self._replies.append(reply)
        return reply


def _today() -> date:
    return datetime.now(UTC).date()
