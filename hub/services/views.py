"""Answers questions about the state of things; changes nothing."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from hub.core.board import Board
from hub.core.dead_letter import DeadFilter, DeadLetter, Failure, job_not_dead
from hub.core.fact import Fact
from hub.core.job import Job, JobCard, job_unknown
from hub.core.log_line import LogPage, Stretch
from hub.core.placement import Waiting, why
from hub.core.question import Question
from hub.core.task import Task, TaskCard
from hub.core.task_row import ROWS_MAX, RowCursor, RowFilter, RowPage, RowSort, StateCount, TaskRow
from hub.core.worker import WorkerCard
from hub.services import task_steps
from hub.services.zones import time_zone
from hub.store import dead, events, jobs, lines, questions, queue, said, task_rows, tasks, workers
from hub.store.jobs import Filter
from hub.store.ledger import Ledger
from hub.store.said import Candidates
from shared.events import JobPlanned
from shared.ids import SHORT_LENGTH, ConversationId, JobId, PersonId, QuestionId, TaskId, WorkerId
from shared.jobs import JobState, Priority

PAGE_MAX = 200
HISTORY_MAX = 5000
STEPS_MAX = 500
ALL_DEAD = DeadFilter()


@dataclass(frozen=True, slots=True, kw_only=True)
class KindDepth:
    """How many jobs of a kind there are."""

    kind: str
    waiting: int
    running: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatus:
    waiting: Mapping[Priority, int]
    """Jobs that nobody works on yet, retry waits included."""
    running: int
    """Granted or running."""
    asking: int
    interrupted: int
    dead: int
    oldest_waiting_seconds: float
    """0 when none waits."""
    workers_online: int
    slots: int
    """Of all workers online."""
    running_by: Mapping[Priority, int]
    oldest_by: Mapping[Priority, float]
    """How many seconds the oldest job of a priority waits; 0 when none does."""
    kinds: tuple[KindDepth, ...]
    """Those that wait or run, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a worker's log and its person's jobs stand here, for that worker to compare."""

    hub_seq: int
    """Where the hub's log ends."""
    acked: events.Acked
    open_jobs: Mapping[JobState, int]
    """By state; none of those that are over."""


class Views:
    """Reads. `person_id` None means the hub's own operator: everybody's things."""

    def __init__(self, ledger: Ledger, board: Board) -> None:
        self._ledger = ledger
        self._board = board

    async def standing(self, worker_id: WorkerId, epoch: int, person_id: PersonId) -> Standing:
        """What a worker's doctor compares with its own store."""

        def read(connection: sqlite3.Connection) -> Standing:
            return Standing(
                hub_seq=self._ledger.position,
                acked=events.acked(connection, worker_id, epoch),
                open_jobs=jobs.count_open(connection, person_id),
            )

        return await self._ledger.read(read)

    async def jobs(
        self,
        person_id: PersonId | None,
        *,
        states: frozenset[JobState] = frozenset(),
        conversation: ConversationId | None = None,
        limit: int = 50,
        before: JobId | None = None,
        part_of: JobId | None = None,
    ) -> tuple[JobCard, ...]:
        """A page of jobs, the newest first.

        Args:
            person_id: whose.
            states: only these; all when empty.
            conversation: only those asked for there.
            limit: 1 to PAGE_MAX.
            before: the last job of the page before; None for the first page.
            part_of: only the parts of this job; without, jobs that are no parts.
        """
        wanted = Filter(
            person_id=person_id,
            states=states,
            conversation=conversation,
            before=before,
            part_of=part_of,
        )
        count = max(1, min(limit, PAGE_MAX))
        return tuple(await self._ledger.read(lambda c: jobs.page(c, wanted, count)))

    async def part_counts(self, job_id: JobId) -> Mapping[JobState, int]:
        """How many parts of a job are in each state."""
        return await self._ledger.look(lambda c: jobs.part_counts(c, job_id))

    async def job(self, person_id: PersonId | None, job_id: JobId) -> JobCard:
        """One job.

        Raises:
            NotFound: `job_unknown`; also for another person's.
        """
        return _known(person_id, await self._ledger.read(lambda c: jobs.card(c, job_id)))

    async def find_job(self, person_id: PersonId | None, name: str) -> JobCard:
        """One job by its id or by what people see ("K7Q2", "#k7q2"); the newest of that name.

        Raises:
            NotFound: `job_unknown`.
        """
        cleaned = name.strip().removeprefix("#")
        if len(cleaned) == SHORT_LENGTH:
            short = cleaned.upper()
            card = await self._ledger.read(lambda c: jobs.named(c, person_id, short))
        else:
            job_id = JobId(cleaned.lower())
            card = await self._ledger.read(lambda c: jobs.card(c, job_id))
        return _known(person_id, card)

    async def history(self, person_id: PersonId | None, job_id: JobId) -> tuple[Fact, ...]:
        """Everything that happened to a job, in hub order.

        Raises:
            NotFound: `job_unknown`.
        """
        card = await self.job(person_id, job_id)
        owner = card.job.person_id
        return tuple(
            await self._ledger.read(lambda c: events.of_entity(c, owner, job_id, HISTORY_MAX))
        )

    async def task_card(self, person_id: PersonId | None, task_id: TaskId) -> TaskCard:
        """One task with its jobs.

        Raises:
            NotFound: `task_unknown`; also for another person's.
        """
        return await self._ledger.read(lambda c: task_steps.card_of(c, person_id, task_id))

    async def log(self, person_id: PersonId | None, job_id: JobId, wanted: Stretch) -> LogPage:
        """What a job said, line by line.

        Raises:
            NotFound: `job_unknown`.
        """
        card = await self.job(person_id, job_id)
        return await self._ledger.look(lambda c: lines.page(c, card.job_id, wanted))

    async def steps(self, person_id: PersonId | None, job_id: JobId) -> tuple[Fact, ...]:
        """What happened to a job but for the lines it logged, in hub order.

        Raises:
            NotFound: `job_unknown`.
        """
        owner = (await self.job(person_id, job_id)).job.person_id
        return tuple(
            await self._ledger.look(lambda c: events.steps_of(c, owner, job_id, STEPS_MAX))
        )

    async def plan(self, card: JobCard) -> JobPlanned | None:
        """How the plan of a job stands; None when none was told."""
        owner, sort = card.job.person_id, JobPlanned.model_fields["type"].default
        fact = await self._ledger.look(lambda c: events.newest_of(c, owner, card.job_id, sort))
        return fact.body if fact and isinstance(fact.body, JobPlanned) else None

    async def task(self, task_id: TaskId) -> Task | None:
        return await self._ledger.read(lambda c: tasks.load(c, task_id))

    async def tasks(
        self, person_id: PersonId | None, *, limit: int = 50, before: TaskId | None = None
    ) -> tuple[Task, ...]:
        """A page of tasks, the newest first."""
        count = max(1, min(limit, PAGE_MAX))
        return tuple(await self._ledger.read(lambda c: tasks.page(c, person_id, count, before)))

    async def held_jobs(self) -> tuple[JobCard, ...]:
        """Everybody's jobs that a worker has or that ask: the newest of them, up to PAGE_MAX."""
        return tuple(await self._ledger.look(lambda c: jobs.held(c, PAGE_MAX)))

    async def jobs_of_task(self, task_id: TaskId) -> tuple[JobCard, ...]:
        wanted = Filter(task_id=task_id)
        return tuple(await self._ledger.read(lambda c: jobs.page(c, wanted, PAGE_MAX)))

    async def open_questions(
        self, person_id: PersonId | None, *, conversation: ConversationId | None = None
    ) -> tuple[Question, ...]:
        """Questions that can be answered, the oldest first; parked ones included."""
        return tuple(
            await self._ledger.read(lambda c: questions.open_ones(c, person_id, conversation))
        )

    async def open_question_count(self, person_id: PersonId | None) -> int:
        """How many questions can be answered, up to `questions.COUNTED_MAX`."""
        return await self._ledger.look(lambda c: questions.count_open(c, person_id))

    async def question(self, question_id: QuestionId) -> Question | None:
        """A question in any state."""
        return await self._ledger.read(lambda c: questions.load(c, question_id))

    async def answered_lately(
        self, person_id: PersonId | None, limit: int
    ) -> tuple[tuple[Question, datetime], ...]:
        """What was answered last, and when; the newest first."""
        count = max(1, min(limit, PAGE_MAX))
        return tuple(
            await self._ledger.read(lambda c: questions.answered_lately(c, person_id, count))
        )

    async def failures(self, job_ids: Sequence[JobId]) -> Mapping[JobId, tuple[Failure, ...]]:
        """Why each attempt of these jobs failed, the latest first."""
        return await self._ledger.look(lambda c: dead.failures(c, job_ids))

    async def dead_count(self, person_id: PersonId | None) -> int:
        """How many dead letters there are, up to `dead.COUNTED_MAX`."""
        return await self._ledger.look(lambda c: dead.count(c, person_id))

    async def dead_letters(
        self,
        person_id: PersonId | None,
        wanted: DeadFilter = ALL_DEAD,
        limit: int = PAGE_MAX,
    ) -> tuple[JobCard, ...]:
        """Jobs out of tries, the newest first; their reasons are in `error` and `failures`."""
        count = max(1, min(limit, PAGE_MAX))
        return tuple(await self._ledger.read(lambda c: dead.page(c, person_id, wanted, count)))

    async def dead_letter(self, person_id: PersonId | None, job_id: JobId) -> DeadLetter:
        """One dead letter, with every try that failed.

        Raises:
            NotFound: `job_unknown`.
            Conflict: `job_not_dead`.
        """
        card = await self.job(person_id, job_id)
        if card.state is not JobState.DEAD:
            raise job_not_dead(card.state)
        found = await self.failures([job_id])
        return DeadLetter(card=card, failures=found[job_id])

    async def workers(self, person_id: PersonId | None) -> tuple[WorkerCard, ...]:
        """Paired machines that are not revoked, by name."""
        registered = await self._ledger.read(lambda c: workers.of_person(c, person_id))
        return tuple(self._board.card_of(worker) for worker in registered)

    async def worker(self, worker_id: WorkerId) -> WorkerCard | None:
        """One paired machine, revoked ones included."""
        worker = await self._ledger.read(lambda c: workers.load(c, worker_id))
        return self._board.card_of(worker) if worker else None

    def person_of_worker(self, worker_id: WorkerId) -> PersonId | None:
        """Whose machine it is, while it is here."""
        presence = self._board.present.get(worker_id)
        return presence.person_id if presence else None

    async def queue_status(self, person_id: PersonId | None) -> QueueStatus:
        """How deep the queue is: what waits and runs from memory, the rest by its index."""
        aside = await self._ledger.look(lambda c: jobs.set_aside(c, person_id))
        waiting, running = Counter[Priority](), Counter[Priority]()
        kinds: dict[str, tuple[int, int]] = {}
        ranks = list(Priority)
        for counted, count in self._board.tally.counts(person_id):
            waits, runs = kinds.get(counted.kind, (0, 0))
            if counted.is_running:
                running[ranks[counted.rank]] += count
                kinds[counted.kind] = waits, runs + count
            else:
                waiting[ranks[counted.rank]] += count
                kinds[counted.kind] = waits + count, runs
        oldest = self._board.longest_waits(person_id, self._ledger.environment.monotonic())
        # What stands for the fleet is no computer, and its slots are no bound.
        here = [
            presence
            for presence in self._board.present.values()
            if person_id in (None, presence.person_id) and not presence.is_fleet
        ]
        return QueueStatus(
            waiting={priority: waiting[priority] for priority in Priority},
            running=running.total(),
            asking=aside[JobState.ASKING],
            interrupted=aside[JobState.INTERRUPTED],
            dead=aside[JobState.DEAD],
            oldest_waiting_seconds=max(oldest),
            workers_online=len(here),
            slots=sum(presence.slots for presence in here),
            running_by={priority: running[priority] for priority in Priority},
            oldest_by=dict(zip(Priority, oldest, strict=True)),
            kinds=tuple(
                KindDepth(kind=kind, waiting=waits, running=runs)
                for kind, (waits, runs) in sorted(kinds.items())
            ),
        )

    async def why_waiting(self, job_id: JobId) -> Waiting | None:
        """Why a job does not run; None when it does, or has ended."""
        found = await self._ledger.read(lambda c: _with_workers(c, job_id))
        if found is None:
            return None
        job, (registered, lacking) = found
        environment = self._ledger.environment
        return why(
            self._board.ready_of(job_id),
            job,
            self._board,
            registered,
            now=environment.monotonic(),
            wall=environment.now(),
            lacking=lacking,
        )

    async def task_rows(
        self,
        wanted: RowFilter,
        sort: RowSort = RowSort.NEWEST,
        cursor: RowCursor | None = None,
        limit: int = 50,
    ) -> RowPage:
        """A page of the list of tasks, each with its newest job and why that waits.

        Args:
            wanted: which, and whose.
            sort: in which order.
            cursor: where the page begins; None for the first one.
            limit: 1 to `ROWS_MAX`.
        """
        count = max(1, min(limit, ROWS_MAX))

        def read(connection: sqlite3.Connection) -> tuple[RowPage, dict[PersonId, Candidates]]:
            page = task_rows.page(connection, wanted, sort, cursor, count)
            waiting = {row.job.person_id for row in page.rows if row.state is JobState.QUEUED}
            return page, {person: said.candidates(connection, person) for person in waiting}

        page, candidates = await self._ledger.look(read)
        return replace(page, rows=tuple(self._with_reason(row, candidates) for row in page.rows))

    async def task_counts(self, person_id: PersonId | None) -> Mapping[JobState, StateCount]:
        """How many tasks are in each state."""
        return await self._ledger.look(lambda c: task_rows.counts(c, person_id))

    async def kinds_asked(self, person_id: PersonId | None) -> tuple[str, ...]:
        """Every kind that somebody asked for, by name."""
        return tuple(await self._ledger.look(lambda c: task_rows.kinds(c, person_id)))

    def _with_reason(self, row: TaskRow, candidates: Mapping[PersonId, Candidates]) -> TaskRow:
        if row.job.person_id not in candidates or row.state is not JobState.QUEUED:
            return row
        registered, lacking = candidates[row.job.person_id]
        environment = self._ledger.environment
        waiting = why(
            self._board.ready_of(row.job.job_id),
            row.job,
            self._board,
            registered,
            now=environment.monotonic(),
            wall=environment.now(),
            lacking=lacking,
            counts_ahead=False,
        )
        return replace(row, waiting=waiting)

    async def zone(self, person_id: PersonId) -> tzinfo | None:
        """Where a person's clock stands, as their worker that was seen last says; None: unknown."""
        return time_zone(await self._ledger.read(lambda c: said.zone(c, person_id)))


def _known(person_id: PersonId | None, card: JobCard | None) -> JobCard:
    if card is None or (person_id is not None and card.job.person_id != person_id):
        raise job_unknown()
    return card


def _with_workers(
    connection: sqlite3.Connection, job_id: JobId
) -> tuple[Job, said.Candidates] | None:
    job = queue.load(connection, job_id)
    return (job, said.candidates(connection, job.person_id)) if job else None
