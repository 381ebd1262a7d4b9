"""`llm.ask`: analyze, summarize, extract, reason – on a text, a file, or a question alone.

    wanted ─▶ fits? ─▶ one request ───────────────────────────▶ answer
                └─ no ─▶ pieces ─▶ notes, several at a time ─▶ notes of notes … ─▶ answer

What was answered is kept in the job's folder, so that a try after a limit or a crash asks only
for what is missing. That a text is too long is often said by the model alone: it is cut smaller
then.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, datetime

from desktop.core.llm import asking, pieces
from desktop.core.llm.asking import Task
from desktop.core.llm.broken import invalid_response
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import Message, Reply, Sampling
from desktop.core.llm.waits import backoff_seconds
from desktop.jobs.context import Postponed, SharedContext
from desktop.jobs.llm import prices
from desktop.jobs.llm.ask_kept import KeptReplies
from desktop.jobs.llm.ask_wanted import Wanted, wanted
from desktop.jobs.llm.house import House, house_of
from desktop.store.transcripts.records import sum_of
from shared.errors import LimitReached
from shared.kinds.llm import AskInputs, AskOutput
from shared.plain_text import plain, plain_line

LOCAL_CHARS_FIRST = 8_000
"""Of a piece for a local model: about 2,000 tokens, which small contexts hold; some servers cut
what is longer without a word."""
REMOTE_CHARS_FIRST = 200_000
PIECE_CHARS_MIN = 1_000
"""A model that cannot take this much cannot take any piece."""
AT_ONCE_MAX = 4
PIECES_MAX = 500
ANSWER_CHARS_MAX = 24_000
"""What travels in a result; more is cut."""
HEADLINE_CHARS_MAX = 200

_DONE = {
    Task.ANALYZE: "analyzed",
    Task.SUMMARIZE: "summarized",
    Task.EXTRACT: "looked through",
    Task.REASON: "read",
}


async def run(context: SharedContext, inputs: AskInputs) -> AskOutput:
    """Ask a model about what the person has named.

    Raises:
        Postponed: it is to be tried again later.
        LlmFault: it came to nothing, for good.
        AppError: as `wanted`; `pieces_too_many`.
    """
    ask = _Ask(context, await wanted(context, inputs))
    try:
        return await ask.answer()
    except LlmFault as fault:
        if not fault.retryable:
            raise
        wait = backoff_seconds(context.tries + 1, random.random(), fault.wait_seconds)  # noqa: S311
        raise Postponed(fault, wait) from None


class _Ask:
    """One try at one request."""

    def __init__(self, context: SharedContext, what: Wanted) -> None:
        self._context = context
        self._what = what
        self._house: House = house_of(context)
        self._kept = KeptReplies(context.workdir)
        self._replies: list[Reply] = []
        is_local = what.model.endpoint.is_local
        self._size = LOCAL_CHARS_FIRST if is_local else REMOTE_CHARS_FIRST
        self._turns = asyncio.Semaphore(AT_ONCE_MAX)

    async def answer(self) -> AskOutput:
        what = self._what
        if what.task is Task.EXTRACT:
            return self._output("", await self._extracted())
        if not what.text:
            reply = await self._say(asking.question_alone(what.question))
            return self._output(reply.text)
        while True:
            try:
                return self._output(await self._read())
            except LlmFault as fault:
                self._cut_smaller(fault)

    async def _read(self) -> str:
        what = self._what
        parts = self._pieces()
        if len(parts) == 1:
            request = asking.request(what.task, what.text, question=what.question)
            return (await self._say(request)).text
        notes = [reply.text for reply in await self._each(parts)]
        if what.task is Task.REASON:
            notes = [note for note in notes if not asking.is_nothing(note)] or [asking.NOTHING]
        return await self._reduced(notes)

    async def _reduced(self, notes: list[str]) -> str:
        """Make one answer of notes, in as many rounds as it takes; each has fewer of them."""
        while True:
            # A note that is as long as a piece would never get fewer.
            grouped = pieces.groups([note[: self._size // 2] for note in notes], self._size)
            requests = [
                asking.notes_request(self._what.task, group, question=self._what.question)
                for group in grouped
            ]
            replies = await self._all(requests, "notes")
            if len(replies) == 1:
                return replies[0].text
            notes = [reply.text for reply in replies]

    async def _extracted(self) -> dict[str, list[str]]:
        fields = self._what.fields
        while True:
            try:
                replies = await self._each(self._pieces())
            except LlmFault as fault:
                self._cut_smaller(fault)
                continue
            found = [asking.found_in(reply.text, fields) for reply in replies]
            return asking.merged([one for one in found if one is not None], fields)

    async def _each(self, parts: list[str]) -> list[Reply]:
        what, count = self._what, len(parts)
        requests = [
            asking.piece_request(
                what.task, part, number, count, question=what.question, fields=what.fields
            )
            for number, part in enumerate(parts, start=1)
        ]
        return await self._all(requests, "pieces")

    async def _all(self, requests: Sequence[tuple[Message, ...]], stage: str) -> list[Reply]:
        """Make several calls, a few at a time; the first fault ends the others."""
        done = 0

        async def one(request: tuple[Message, ...]) -> Reply:
            nonlocal done
            async with self._turns:
                reply = await self._say(request)
            done += 1
            self._context.progress(stage, done, len(requests))
            return reply

        try:
            async with asyncio.TaskGroup() as tasks:
                made = [tasks.create_task(one(request)) for request in requests]
        except* LlmFault as faults:
            raise _first(faults) from None
        return [task.result() for task in made]

    async def _say(self, request: tuple[Message, ...]) -> Reply:
        """Make a call, or return what it brought before; once again when nothing usable came."""
        known = self._kept.reply(request, self._what.model)
        if known is None:
            try:
                known = await self._called(request)
            except LlmFault as fault:
                if fault.fault is not FaultClass.INVALID_RESPONSE:
                    raise
                known = await self._again(request)
            self._kept.keep(request, self._what.model, known)
        self._replies.append(known)
        return known

    async def _again(self, request: tuple[Message, ...]) -> Reply:
        try:
            return await self._called(request)
        except LlmFault as fault:
            if fault.fault is FaultClass.INVALID_RESPONSE:
                fault.for_good()
            raise

    async def _called(self, request: tuple[Message, ...]) -> Reply:
        fields = self._what.fields
        schema = asking.schema_of(fields) if fields else None
        sampling = Sampling(response_schema=schema)
        reply = await self._house.call(self._what.model, request, sampling, urgent=True)
        if fields and not reply.is_refusal and asking.found_in(reply.text, fields) is None:
            raise invalid_response(self._what.model.endpoint, "it is no JSON object")
        return reply

    def _pieces(self) -> list[str]:
        parts = pieces.pieces(self._what.text, self._size)
        if len(parts) > PIECES_MAX:
            raise LimitReached(
                "pieces_too_many",
                f"{self._what.name or 'The text'} would take {len(parts):,} calls of "
                f"{self._what.model.full_name}; at most {PIECES_MAX} are made.",
                "Choose a model that takes more at once, or a shorter text.",
            )
        return parts

    def _cut_smaller(self, fault: LlmFault) -> None:
        """Go on with smaller pieces when a text was too long; raise any other fault."""
        if fault.fault is not FaultClass.CONTEXT_LENGTH or self._size <= PIECE_CHARS_MIN:
            raise fault
        longest = min(self._size, len(self._what.text))
        self._size = max(PIECE_CHARS_MIN, longest // 2)
        self._context.log(f"The model takes less at once: {self._size:,} characters now.")

    def _output(self, text: str, found: dict[str, list[str]] | None = None) -> AskOutput:
        what, replies = self._what, self._replies
        is_cut = len(text) > ANSWER_CHARS_MAX
        notes = (f"The answer has {len(text):,} characters; this is its beginning.",)
        return AskOutput(
            headline=self._headline(found),
            notes=notes if is_cut else (),
            model=what.model.full_name,
            model_reported=next((r.model_reported for r in replies if r.model_reported), ""),
            text=plain(text[:ANSWER_CHARS_MAX]),
            found=None if found is None else asking.told_as(found),
            usage=sum_of([reply.usage for reply in replies]),
            cost_usd=self._cost(),
            total_ms=sum(reply.total_ms for reply in replies),
        )

    def _headline(self, found: dict[str, list[str]] | None) -> str:
        what = self._what
        name = plain_line(what.name)[:HEADLINE_CHARS_MAX] or "the text"
        calls = f" in {len(self._replies)} calls" if len(self._replies) > 1 else ""
        if found is not None:
            count = sum(1 for values in found.values() if values)
            return f"{count} of {len(found)} fields were found in {name}{calls}."
        if not what.text:
            return f"{what.model.full_name} answers:"
        return f"{what.model.full_name} has {_DONE[what.task]} {name}{calls}:"

    def _cost(self) -> float | None:
        model, now, total = self._what.model, datetime.now(UTC), 0.0
        for reply in self._replies:
            cost = prices.cost_usd(model, reply.usage, now, reply.model_reported)
            if cost is None:
                return None
            total += cost
        return total


def _first(faults: BaseExceptionGroup[LlmFault]) -> LlmFault:
    """Return the fault that decides: one that is for good, else the first."""
    found = list(_flat(faults))
    return next((fault for fault in found if not fault.retryable), found[0])


def _flat(group: BaseExceptionGroup[LlmFault]) -> list[LlmFault]:
    flat: list[LlmFault] = []
    for one in group.exceptions:
        flat += _flat(one) if isinstance(one, BaseExceptionGroup) else [one]
    return flat
