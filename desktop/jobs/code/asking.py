"""How a coding job asks its person: once for each key, remembered, and not counted as work.

A question that an attempt leaves open (a kill, or nobody there for half an hour) is known to the
next one, which asks it again under the same key before the agent is started, and tells the agent.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from desktop.jobs.code.state import Said, StateFile
from desktop.jobs.code.tasks import plainly
from desktop.jobs.context import SharedContext
from shared.kinds import JsonObject
from shared.questions import QUESTION_SECONDS, Asking, QuestionKind

NEARLY_SECONDS = 5.0
"""A default is taken on time, give or take this much."""
QUESTION_CHARS_MAX = 2000


class Person:
    """The person behind a job; within `async with`, questions outlive the agent that put them."""

    def __init__(self, context: SharedContext, state: StateFile) -> None:
        self._context = context
        self._state = state
        self._group = asyncio.TaskGroup()
        self._running: dict[str, asyncio.Future[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.pause: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
        """Around each question: time does not count meanwhile."""

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        with plainly():
            await self._group.__aexit__(kind, error, traceback)

    async def ask(self, asking: Asking) -> str:
        """Ask, or wait with whoever asks the same already.

        Whoever stops waiting leaves the question open: who asks the same later hears the answer.
        """
        if asking.key not in self._running:
            answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            self._running[asking.key] = answer
            task = self._group.create_task(self._answering(asking, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(self._running[asking.key])

    async def _answering(self, asking: Asking, answer: asyncio.Future[str]) -> None:
        try:
            told = await self._asked(asking)
        except BaseException as error:
            if isinstance(error, Exception):
                answer.set_exception(error)
                answer.exception()  # somebody may wait for it, or nobody any more
            else:
                answer.cancel()
                raise
        else:
            answer.set_result(told)
        finally:
            del self._running[asking.key]

    async def settled(self) -> None:
        """Wait until no question is open."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    @property
    def is_asking(self) -> bool:
        return bool(self._running)

    async def reasked(self) -> tuple[Said, ...]:
        """Ask again what an earlier attempt left open; return the answers for the agent.

        Approvals are asked by the agent once more, which finds them answered.
        """
        said = []
        for told in self._state.now.pending:
            asking = Asking.model_validate(told)
            answer = await self.ask(asking)
            if asking.kind is not QuestionKind.APPROVAL:
                said.append(said_of(asking, answer))
        return tuple(said)

    async def _asked(self, asking: Asking) -> str:
        self._pend(asking)
        began = time.monotonic()
        with self.pause():
            answer = await self._context.ask(asking)
        waited = time.monotonic() - began
        said = said_of(asking, answer, is_default=_is_default(asking, answer, waited))
        self._state.heard(said)
        return answer

    def _pend(self, asking: Asking) -> None:
        told: JsonObject = asking.model_dump(mode="json")
        others = [one for one in self._state.now.pending if one.get("key") != asking.key]
        self._state.put(pending=(*others, told))


def said_of(asking: Asking, answer: str, *, is_default: bool = False) -> Said:
    """Put a question and its answer as people read them."""
    return Said(
        key=asking.key,
        question=asking.text[:QUESTION_CHARS_MAX],
        answer=asking.label_of(answer)[:QUESTION_CHARS_MAX],
        is_approval=asking.kind is QuestionKind.APPROVAL,
        is_default=is_default,
    )


def _is_default(asking: Asking, answer: str, waited_seconds: float) -> bool:
    """Nobody tells a job who answered; a default that comes when time is over is the default."""
    return answer == asking.default and waited_seconds > QUESTION_SECONDS - NEARLY_SECONDS
