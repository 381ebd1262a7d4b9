"""An agent over ACP as the rest of the program knows agents: sessions, turns, questions, a log."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable

from pydantic import JsonValue

from desktop.core.code.acp import forms
from desktop.core.code.acp.events import (
    FormWanted,
    Initialized,
    PermissionWanted,
    SessionReady,
    Unasked,
    Withdrawn,
)
from desktop.core.code.agent_profiles import FilledProfile
from desktop.core.code.permission import Decided, chosen, decide
from desktop.jobs.code.acp.client import REFUSED, Patience
from desktop.jobs.code.acp.line import Line, open_line
from desktop.jobs.code.acp.listening import Listening
from desktop.jobs.code.acp.session import opened
from desktop.jobs.code.driver import Ask, Assignment, Hears, Road, TurnEnd
from shared.errors import AppError, Unavailable
from shared.questions import Asking


@contextlib.asynccontextmanager
async def acp_agent(
    assignment: Assignment,
    profile: FilledProfile,
    ask: Ask,
    hears: Hears,
    patience: Patience = Patience(),  # noqa: B008 - frozen
) -> AsyncIterator[AcpAgent]:
    """Start an agent that speaks ACP, in a session; end all of it with the block.

    Raises:
        AppError: as `desktop.jobs.code.starting.started`.
    """
    roads = [Road.RESUME, Road.LOAD, Road.NEW] if assignment.session_id else [Road.NEW]
    launch = assignment.launches(profile.argv, profile.env)
    while True:
        untried = len(roads)
        async with contextlib.AsyncExitStack() as stack:
            line = await stack.enter_async_context(open_line(launch, assignment.errors, patience))
            try:
                facts = await line.client.initialize()
                ready, road = await opened(line, assignment, facts, roads)
            except AppError:
                # An old session can be an agent's death; the next road begins with a new one.
                if not roads or len(roads) == untried:
                    raise
                continue
            yield AcpAgent(line, assignment, facts, ready, road, ask, hears)
            return


class AcpAgent:
    """One session with one running agent; an `Agent`."""

    def __init__(
        self,
        line: Line,
        assignment: Assignment,
        facts: Initialized,
        ready: SessionReady,
        road: Road,
        ask: Ask,
        hears: Hears,
    ) -> None:
        self._line = line
        self._assignment = assignment
        self._facts = facts
        self._session_id = ready.session_id
        self._road = road
        self._is_proven = road is Road.NEW
        """Whether the session has taken a turn; one that was only promised may be gone."""
        self._ask = ask
        self._listening = Listening(hears, str(assignment.clone))
        self._seen: Counter[str] = Counter()
        self._one_at_a_time = asyncio.Lock()
        line.client.listener = self._hear

    @property
    def version(self) -> str:
        return self._facts.version

    @property
    def session_id(self) -> str:
        return self._session_id

    @property
    def road(self) -> Road:
        return self._road

    async def prompt(self, words: str) -> TurnEnd:
        """Have one turn, as `desktop.jobs.code.driver.Agent.prompt`."""
        self._listening.begin()
        try:
            ended = await self._line.client.prompt(self._session_id, words)
        except AppError as error:
            raise self._told(error) from error
        finally:
            text = self._listening.finish()
        self._is_proven = True
        return TurnEnd(
            reason=ended.reason, text=text, usage=ended.usage, tools=self._listening.tools
        )

    def _told(self, error: AppError) -> AppError:
        """Tell a refusal by what it means in a session that was gone on with: it is not there."""
        if error.code != REFUSED or self._is_proven:
            return error
        return Unavailable(
            "agent_lost_session",
            f"The agent took up its session and does not know it. {error.message}",
            "It begins a new one.",
            retryable=True,
        )

    async def cancel(self) -> None:
        """End the turn that runs; what was asked is not waited for any more."""
        for asked in list(self._line.questions):
            self._line.withdraw(asked)
        await self._line.client.cancel(self._session_id)

    def _hear(self, event: Unasked) -> None:
        match event:
            case PermissionWanted():
                self._line.ask(event.asked, self._deal_with(event.asked, self._permit(event)))
            case FormWanted():
                self._line.ask(event.asked, self._deal_with(event.asked, self._fill_in(event)))
            case Withdrawn(asked):
                self._line.withdraw(asked)
            case _:
                self._listening.hear(event)

    async def _deal_with(self, asked: int, answering: Awaitable[None]) -> None:
        client = self._line.client
        try:
            await answering
            await client.flush()
        # Whatever asking a person comes to is told to whoever waits for the turn.
        except Exception as error:
            self._line.codec.withdraw(asked)
            client.fail(error)

    async def _permit(self, wanted: PermissionWanted) -> None:
        decided = self._decided(wanted, 0)
        if isinstance(decided, Asking):
            decided = self._decided(wanted, self._count(decided.key))
        if isinstance(decided, Decided):
            option_id = decided.option_id
        else:
            option_id = chosen(wanted.options, await self._asked(decided))
        if option_id:
            self._line.codec.choose(wanted.asked, option_id)
        else:
            self._line.codec.withdraw(wanted.asked)

    def _decided(self, wanted: PermissionWanted, nth: int) -> Decided | Asking:
        title = self._assignment.profile.title
        return decide(wanted.tool, wanted.options, self._assignment.trust, title=title, nth=nth)

    async def _fill_in(self, wanted: FormWanted) -> None:
        first = forms.questions_of(wanted.message, wanted.fields, nth=0)
        nth = self._count(first[0].asking.key)
        content: dict[str, JsonValue] = {}
        for question in forms.questions_of(wanted.message, wanted.fields, nth=nth):
            part = await self._part_of(question)
            if part is None:
                self._line.codec.decline(wanted.asked)
                return
            content |= part
        self._line.codec.fill_in(wanted.asked, content)

    async def _part_of(self, question: forms.FormQuestion) -> dict[str, JsonValue] | None:
        """Ask for one field until its answer fits; None when it is not to be had."""
        asking = question.asking
        for tries in range(1, forms.ANSWERS_MAX + 1):
            answer = await self._asked(asking)
            part = forms.content_of(question, answer)
            if part is not None:
                return part
            asking = forms.again(question, tries)
        return None

    def _count(self, key: str) -> int:
        """Return how often this was asked before."""
        self._seen[key] += 1
        return self._seen[key] - 1

    async def _asked(self, asking: Asking) -> str:
        with self._line.client.while_asking():
            async with self._one_at_a_time:
                return await self._ask(asking)
