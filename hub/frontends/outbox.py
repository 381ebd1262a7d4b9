"""Turns new events into messages and gets each to its conversation: in order, at a bearable pace.

`word_once` reads the log on from a durable cursor and writes what is to be shown, in one
transaction with the cursor: no event is worded twice or never. `lanes` show what waits. Progress
is kept in memory alone: the newest counts, the rest is dropped.

What is lost if the hub dies between any two lines: nothing. What may come twice: a message that
a frontend took in the instant before the death; its `key` lets frontends that can tell show it
once.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from pydantic import ValidationError

from hub.core.fact import Fact
from hub.core.job import JobCard
from hub.core.pace import is_group
from hub.core.placement import WaitingReason
from hub.core.view import Tone, View
from hub.frontends.briefing import brief
from hub.frontends.entrance import place
from hub.frontends.facts import Facts
from hub.frontends.lanes import SETTLE_SECONDS, STORE_SECONDS, Lanes, frontend_name
from hub.frontends.wording import absence, view_of
from hub.ports import Frontend
from hub.services import Services
from hub.services.deliveries import Deliveries
from shared import messages
from shared.environment import Environment
from shared.errors import AppError, NotFound
from shared.events import (
    AccountLinked,
    AnswerSuperseded,
    JoinRequested,
    JoinSettled,
    MessageSaid,
    PairingPaused,
    PersonAdmitted,
    QuestionAnswered,
    QuestionParked,
    ScheduleChanged,
    ScheduleMissed,
    ScheduleRan,
    WorkerBack,
)
from shared.ids import ConversationId, JobId, PersonId, WorkerId

logger = logging.getLogger(__name__)

BATCH_EVENTS = 100
ANSWER_TYPES = frozenset(
    {"question_answered", "question_parked", "join_settled", "person_admitted"}
)
"""Told wherever the question is shown, be it to a person who never spoke."""
UNTOLD_TYPES = frozenset({"session_opened", "session_ended"})
"""No chat is told of them, and two come with almost every job."""
Doorbell = JoinRequested | JoinSettled | AccountLinked | PersonAdmitted | PairingPaused
_DOORBELLS = (JoinRequested, JoinSettled, AccountLinked, PersonAdmitted, PairingPaused)


_SCHEDULES = (ScheduleChanged, ScheduleRan, ScheduleMissed)


class Outbox:
    """The way out of the hub. `add` frontends, or `expect` and `attach` them; `run` it."""

    def __init__(
        self, *, services: Services, deliveries: Deliveries, environment: Environment
    ) -> None:
        self._services = services
        self._deliveries = deliveries
        self._environment = environment
        self._lanes = Lanes(services=services, deliveries=deliveries, environment=environment)
        self._homes: dict[JobId, ConversationId] = {}
        """Where the progress of running jobs goes."""
        self._tasks: asyncio.TaskGroup | None = None
        services.feed.progress_listeners.append(self.note_progress)
        services.admissions.unlink_listeners.append(self._leave)

    def add(self, frontend: Frontend) -> None:
        """Show through this frontend from now on."""
        self._lanes.add(frontend)

    def expect(self, name: str) -> None:
        """A frontend of this name is to come: what is for it waits for it."""
        self._lanes.expect(name)

    def forget(self, name: str) -> None:
        """There will be no frontend of this name."""
        self._lanes.forget(name)

    async def attach(self, frontend: Frontend) -> None:
        """A frontend is up: what waited for it is shown."""
        self._lanes.add(frontend)
        if self._tasks is None:
            return
        for conversation in await self._deliveries.waiting_conversations():
            if self._lanes.frontend_of(conversation) is frontend:
                self._lanes.ring(conversation, self._tasks)

    def detach(self, name: str) -> None:
        """A frontend is down: what is for it waits."""
        self._lanes.drop(name)

    def ring(self, conversation: ConversationId) -> None:
        """Something was written for this conversation."""
        if self._tasks is not None:
            self._lanes.ring(conversation, self._tasks)

    def arrived(self, conversation: ConversationId) -> None:
        """Somebody watches this conversation again: what could not be shown is tried at once."""
        if self._tasks is not None:
            self._tasks.create_task(self._hurry(conversation, self._tasks))

    def note_progress(
        self, job_id: JobId, worker_id: WorkerId, progress: messages.Progress
    ) -> None:
        """Keep the newest progress of a job for its conversation."""
        del worker_id
        home = self._homes.get(job_id)
        if home is not None:
            self._lanes.note_progress(home, job_id, progress)
            self.ring(home)

    async def run(self) -> None:
        """Word and show until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            await self._find_homes()
            for conversation in await self._deliveries.waiting_conversations():
                self._lanes.ring(conversation, self._tasks)
            while True:
                try:
                    cursor = await self.word_once()
                    await self._services.feed.wait(cursor)
                except AppError as error:
                    logger.warning("The outbox rests for a moment: %s", error)
                    await asyncio.sleep(STORE_SECONDS)

    async def word_once(self) -> int:
        """Word all events since the cursor; return the new cursor."""
        cursor = await self._deliveries.cursor()
        while facts := await self._services.feed.after(cursor, BATCH_EVENTS):
            reachable = await self._reachable({fact.person_id for fact in facts})
            told = [
                delivery
                for fact in facts
                if await self._concerns_chat(fact, reachable)
                for delivery in await self._word(fact)
            ]
            cursor = facts[-1].hub_seq
            await self._deliveries.put(told, cursor)
            if self._tasks is not None:
                for conversation, _, _ in told:
                    self._lanes.ring(conversation, self._tasks)
        return cursor

    async def show_once(self, conversation: ConversationId) -> float | None:
        """Show the next due message of a conversation; see `Lanes.show_once`."""
        return await self._lanes.show_once(conversation)

    async def _find_homes(self) -> None:
        """After a restart: jobs go on without a new event, and their progress has to be shown."""
        for card in await self._services.views.held_jobs():
            self._note_home(card, await self._home(card.job.person_id, card))

    async def _reachable(self, people: set[PersonId]) -> set[PersonId]:
        """Who has a conversation; read after the facts, so that whoever asked in one counts."""
        return {person for person in people if await self._home(person, None)}

    async def _concerns_chat(self, fact: Fact, reachable: set[PersonId]) -> bool:
        """Whether a conversation may be told; words for nobody would cost most of a job's time."""
        if fact.type in UNTOLD_TYPES or fact.is_of_part:
            return False
        if fact.type.startswith("schedule_") and isinstance(fact.body, _SCHEDULES):
            home = fact.body.schedule.conversation
            return fact.person_id in reachable or self._lanes.serves(home)
        job_id = JobId(str(fact.payload.get("job_id", "")))
        if fact.person_id in reachable or job_id in self._homes or fact.type in ANSWER_TYPES:
            return True
        try:
            card = await self._services.views.job(None, job_id)
        except NotFound:
            return False
        return self._lanes.serves(card.conversation)

    async def _word(self, fact: Fact) -> list[tuple[ConversationId, View, float]]:
        """Say what an event means to whom, and how long that may wait to be overtaken."""
        try:
            if fact.body is None:
                return []
            briefing = await brief(self._services, self._environment, fact)
        except (ValidationError, NotFound) as error:
            # One event that cannot be told must not silence all that come after it.
            logger.warning("Event %d cannot be told: %s", fact.hub_seq, error)
            return []
        homes = await self._homes_of(fact, briefing.card)
        view = view_of(fact.body, briefing.facts)
        if view is None:
            return []
        task_id = briefing.card.job.task_id if briefing.card else view.task_id
        named = replace(view, key=f"event {fact.hub_seq}", task_id=task_id)
        wait = SETTLE_SECONDS if _may_be_overtaken(view, briefing.facts) else 0.0
        return [(home, named, wait) for home in homes]

    async def _homes_of(self, fact: Fact, card: JobCard | None) -> list[ConversationId]:
        """The conversations an event belongs into."""
        if isinstance(fact.body, _DOORBELLS):
            return await self._homes_at_the_door(fact.person_id, fact.body)
        if isinstance(fact.body, AnswerSuperseded):
            return await self._homes_of_second(fact.person_id, fact.body)
        if isinstance(fact.body, _SCHEDULES):
            # Where it was asked for; else, where its person spoke last.
            there = fact.body.schedule.conversation
            spoken = there if self._lanes.serves(there) else await self._home(fact.person_id, None)
            return [spoken] if spoken else []
        home = await self._home(fact.person_id, card)
        if card is not None:
            self._note_home(card, home)
        homes = [home] if home else []
        if isinstance(fact.body, MessageSaid):
            # Where they were said, the words stand already.
            return [h for h in homes if frontend_name(h) != fact.body.where]
        if isinstance(fact.body, QuestionAnswered | QuestionParked):
            subject = f"question:{fact.body.question_id}"
            showing = await self._deliveries.conversations_showing(subject)
            # Where nobody was asked, an answer would be news of nothing.
            is_unasked = isinstance(fact.body, QuestionAnswered) and not showing
            homes = [] if is_unasked else [*homes, *showing]
        if isinstance(fact.body, WorkerBack):
            # Where its absence was told; that message says now that it is over.
            told = await self._deliveries.conversations_showing(absence(fact.body))
            homes = list(told) or homes
        return list(dict.fromkeys(homes))

    async def _homes_of_second(
        self, person_id: PersonId, body: AnswerSuperseded
    ) -> list[ConversationId]:
        """Name the chat that answered second; a computer says it itself, where it was answered."""
        by = body.by.rpartition(" on ")[2]
        spoken = await self._deliveries.conversations_of(person_id)
        there = [c for c in spoken if self._lanes.serves(c) and place(frontend_name(c)) == by]
        showing = await self._deliveries.conversations_showing(f"question:{body.question_id}")
        return [c for c in there if c in showing][:1] or there[:1]

    async def _homes_at_the_door(self, person_id: PersonId, body: Doorbell) -> list[ConversationId]:
        """Name where it is told who comes in: in every chat, for any may be the one looked at.

        How that ended is told wherever it was asked.
        """
        if isinstance(body, JoinSettled):
            return list(await self._deliveries.conversations_showing(f"join:{body.join_id}"))
        if isinstance(body, PersonAdmitted):
            return [body.conversation] if self._lanes.serves(body.conversation) else []
        spoken = await self._deliveries.conversations_of(person_id)
        itself = body.conversation if isinstance(body, AccountLinked) else None
        return [c for c in spoken if self._lanes.serves(c) and c != itself]

    async def _home(self, person_id: PersonId, card: JobCard | None) -> ConversationId | None:
        """Where a job was asked for; else, where its person spoke last."""
        if card and self._lanes.serves(card.conversation):
            return card.conversation
        spoken = await self._deliveries.conversations_of(person_id)
        return next((c for c in spoken if self._lanes.serves(c) and not is_group(c)), None)

    def _note_home(self, card: JobCard, home: ConversationId | None) -> None:
        if home and not card.state.is_terminal:
            self._homes[card.job_id] = home
        else:
            self._homes.pop(card.job_id, None)
            if home:
                self._lanes.drop_progress(home, card.job_id)

    def _leave(self, conversation: ConversationId) -> None:
        """Progress is not for this conversation any more; the next event finds the job a home."""
        for job_id in [job for job, home in self._homes.items() if home == conversation]:
            del self._homes[job_id]
            self._lanes.drop_progress(conversation, job_id)

    async def _hurry(self, conversation: ConversationId, tasks: asyncio.TaskGroup) -> None:
        await self._deliveries.hurried(conversation)
        self._lanes.wake(conversation, tasks)


def _may_be_overtaken(view: View, facts: Facts) -> bool:
    """Whether a better message is likely to follow at once."""
    if not view.is_status:
        return False
    starts = facts.waiting is None or facts.waiting.reason is WaitingReason.STARTING
    return view.tone is Tone.RUNNING or starts
