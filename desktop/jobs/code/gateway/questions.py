"""What a box asks its person through the gateway: each question once, however often it is asked.

Agents wait for a tool a minute, or five; people take longer. Who stops waiting is told to end its
turn; the question stays open, and its answer is there at once for whoever asks again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import ValidationError

from desktop.core.code.human_question import HumanQuestion
from desktop.jobs.code.gateway.line import Line, Request
from desktop.jobs.code.gateway.meter import Meter
from desktop.jobs.code.gateway.tasks import Tasks
from shared.errors import AppError
from shared.questions import Asking, QuestionKind

OPEN_MAX = 3
"""Questions of the agent's at a time."""
ASKED_MAX = 50
"""In one job."""
BODY_BYTES_MAX = 256 * 1024
LATER = "No answer yet. Finish what does not depend on it, then end your turn; you will be resumed."
ENOUGH = "No more questions can be asked now. Decide by yourself, and say what you decided."


@dataclass(eq=False, slots=True)
class AskedQuestion:
    """A question, and its answer when there is one."""

    asking: Asking
    task: asyncio.Task[str]
    is_heard: bool = False
    """Whether the agent has the answer."""

    @property
    def is_open(self) -> bool:
        return not self.task.done()


class Questions:
    """All questions of one job that come through its gateway."""

    def __init__(
        self,
        ask: Callable[[Asking], Awaitable[str]],
        tasks: Tasks,
        meter: Meter,
        seconds_max: float,
        beat_seconds: float,
    ) -> None:
        """Ask nothing yet.

        Args:
            ask: the job's.
            tasks: questions stay open in it, whoever stops waiting.
            meter: its time stands still while somebody waits.
            seconds_max: how long whoever asks can wait.
            beat_seconds: how often whoever waits hears that the question is open.
        """
        self._ask = ask
        self._tasks = tasks
        self._meter = meter
        self._seconds_max = seconds_max
        self._beat_seconds = beat_seconds
        self._asked: dict[str, AskedQuestion] = {}

    async def answer_to(self, asking: Asking) -> str | None:
        """Return the answer; None when there is none as long as can be waited."""
        question = self._question(asking)
        return await self._wait(question, _nothing)

    async def answer(self, request: Request, line: Line) -> None:
        """Answer an agent that asks, with a line every few seconds until there is an answer."""
        try:
            asking = HumanQuestion.model_validate_json(request.body[:BODY_BYTES_MAX]).asking()
        except ValidationError:
            told = {"error": {"code": "question_invalid", "message": "It needs a text, question."}}
            await line.reply(400, json.dumps(told).encode())
            return
        await line.begin(200, {"content-type": "application/x-ndjson"})
        if asking.key not in self._asked and self._is_enough:
            await line.send(_line(later=ENOUGH))
        else:
            await self._tell(self._question(asking), line)
        await line.end()

    def unheard(self) -> tuple[AskedQuestion, ...]:
        """Return the agent's questions whose answers it has not got, open ones among them."""
        return tuple(
            one
            for one in self._asked.values()
            if not one.is_heard and one.asking.kind is QuestionKind.CLARIFICATION
        )

    @property
    def _is_enough(self) -> bool:
        is_open = sum(question.is_open for question in self._asked.values())
        return is_open >= OPEN_MAX or len(self._asked) >= ASKED_MAX

    async def _tell(self, question: AskedQuestion, line: Line) -> None:
        async def beat(seconds: float) -> None:
            await line.send(_line(waiting=seconds))

        answer = await self._wait(question, beat)
        if answer is None:
            await line.send(_line(later=LATER))
            return
        await line.send(_line(answer=answer))
        question.is_heard = True

    def _question(self, asking: Asking) -> AskedQuestion:
        question = self._asked.get(asking.key)
        if question is None:
            task = self._tasks.create_task(self._put(asking))
            question = self._asked[asking.key] = AskedQuestion(asking, task)
        return question

    async def _put(self, asking: Asking) -> str:
        try:
            return await self._ask(asking)
        except AppError as error:
            return f"Nobody could be asked: {error.message} Decide by yourself."

    async def _wait(
        self, question: AskedQuestion, beat: Callable[[float], Awaitable[None]]
    ) -> str | None:
        """Wait for the answer, as long as can be waited, with a beat every few seconds."""
        waited = 0.0
        with self._meter.asking():
            while question.is_open and waited < self._seconds_max:
                seconds = min(self._beat_seconds, self._seconds_max - waited)
                await asyncio.wait((question.task,), timeout=seconds)
                waited += seconds
                if question.is_open:
                    await beat(waited)
        return None if question.is_open else question.task.result()


async def _nothing(_: float) -> None:
    return


def _line(**told: str | float) -> bytes:
    return json.dumps(told).encode() + b"\n"
