"""Going on with something: a reply to a message about a task, "continue", /continue.

All of them mean a task; while its session takes something new, the same computer and the same
folder go on with it. When that is over, the person is told so, and the job begins a new one.
"""

from __future__ import annotations

import re

from hub.core.access import Person
from hub.core.job import JobCard
from hub.core.question import Question
from hub.core.session import Session
from hub.core.view import Inbound
from hub.frontends.briefing import machine_name
from hub.frontends.call import Call, Views, inputs_of, request_job, said_by
from hub.frontends.commands import Spoken
from hub.frontends.facts import Facts
from hub.frontends.parsing import parse
from hub.frontends.question_words import question_view
from hub.frontends.sessions import over_view, standing_view
from hub.services import Services
from hub.services.deliveries import Deliveries
from shared.environment import Environment
from shared.errors import BadInput, NotFound
from shared.ids import JobId, QuestionId, TaskId
from shared.jobs import JobState
from shared.kinds import JsonObject
from shared.kinds.catalogue import BUILT_IN

TRIED_AGAIN = frozenset({JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED})
"""States in which "continue" means another try."""
_WORD = re.compile(r"continue\s*[.!]?", re.IGNORECASE)
_SUBJECT = re.compile(r"(?:(?:past|last|about) )?(?P<what>job|question):(?P<id>[0-9A-Za-z-]+)")


def is_continue(text: str) -> bool:
    """Say whether somebody says "continue" and nothing else."""
    return _WORD.fullmatch(text.strip()) is not None


class Following:
    def __init__(
        self, services: Services, deliveries: Deliveries, environment: Environment
    ) -> None:
        self._services = services
        self._deliveries = deliveries
        self._environment = environment

    async def task_of(self, person: Person, inbound: Inbound) -> TaskId | None:
        """The person's task that something is said about, by its place or as a reply."""
        if inbound.task_id is not None:
            return inbound.task_id
        card = await self._replied_to(person, inbound)
        return card.job.task_id if card else None

    async def plain(self, person: Person, inbound: Inbound) -> Views | None:
        """Take "continue" as a word of its own; None when it is not that, or not meant for us."""
        if not is_continue(inbound.text):
            return None
        task_id = await self.task_of(person, inbound)
        if task_id is None and inbound.in_group:
            return None
        return await self.go_on(person, inbound, task_id)

    async def command(self, call: Call) -> Views:
        """`/continue [#JOB] [COMMAND…]`."""
        task_id = await self.task_of(call.person, call.inbound)
        if name := call.value("job"):
            card = await self._services.views.find_job(call.person.person_id, name)
            task_id = card.job.task_id
        said = call.value("command")
        if not said or is_continue(said):
            return await self.go_on(call.person, call.inbound, task_id)
        if task_id is None:
            task_id = (await self._newest(call.person, call.inbound)).job.task_id
        return await self.run(call, said, task_id)

    async def run(self, call: Call, said: str, task_id: TaskId) -> Views:
        """Do in a task's session what is said as a command, with its slash or without."""
        spoken = parse(said if said.startswith("/") else f"/{said}")
        if spoken is None or not spoken.command.kind:
            raise BadInput(
                "command_makes_no_job",
                f"'{said.split(maxsplit=1)[0][:40]}' is nothing that a computer could go on with.",
                "Say what it should do, as in: /continue /predict new.csv",
            )
        return await self.request(call, spoken, task_id)

    async def request(self, call: Call, spoken: Spoken, task_id: TaskId | None) -> Views:
        """Ask for a job, as part of a task when there is one; tell when its session is over."""
        receipt = await request_job(
            self._services,
            call.person,
            call.inbound,
            spoken.command.kind,
            inputs_of(spoken),
            spoken.worker,
            task_id=task_id,
        )
        return await self._told_over(call.person, receipt.ended)

    async def words(self, person: Person, inbound: Inbound) -> Views | None:
        """Take words about a task as what comes next in it, where its kind of work allows that.

        None when they are about no task, or about one that words alone do not take further.
        """
        task_id = await self.task_of(person, inbound)
        if task_id is None:
            return None
        before = await self._taken_further(person, task_id)
        if before is None:
            return None
        inputs = _taken_over(before) | {BUILT_IN[before.kind].words_input: inbound.text.strip()}
        receipt = await request_job(
            self._services, person, inbound, before.kind, inputs, "", task_id=task_id
        )
        return await self._told_over(person, receipt.ended)

    async def go_on(self, person: Person, inbound: Inbound, task_id: TaskId | None) -> Views:
        """Show what is asked; try again what failed; else say how things stand."""
        if task_id is None:
            card = await self._newest(person, inbound)
        else:
            card = await self._lead(person, task_id)
        question = await self._open_question(person, card)
        if question is not None:
            asking = await self._services.views.job(person.person_id, question.job_id)
            return (
                question_view(question.question_id, question.asking, await self._facts(asking)),
            )
        if card.state in TRIED_AGAIN:
            by = said_by(person, inbound)
            intake = self._services.intake
            made = await intake.retry_there(person.person_id, card.job_id, by)
            return await self._told_over(person, made.ended)
        session = await self._services.sessions.of_task(person.person_id, card.job.task_id)
        return (standing_view(card, session, await self._reader(person)),)

    async def _open_question(self, person: Person, card: JobCard) -> Question | None:
        """What a task's jobs ask themselves, the newest; not what is to become of one."""
        jobs = {one.job_id for one in await self._services.views.jobs_of_task(card.job.task_id)}
        opened = await self._services.views.open_questions(person.person_id)
        mine = [one for one in opened if one.job_id in jobs and not one.is_hubs]
        return mine[-1] if mine else None

    async def _facts(self, card: JobCard) -> Facts:
        return Facts(
            now=self._environment.now(),
            job_id=card.job_id,
            kind=card.kind,
            title=card.title,
            machine=await machine_name(self._services, card),
        )

    async def _newest(self, person: Person, inbound: Inbound) -> JobCard:
        """The newest job that was asked for here; without one, the person's newest of all."""
        views = self._services.views
        here = await views.jobs(person.person_id, conversation=inbound.conversation, limit=1)
        found = here or await views.jobs(person.person_id, limit=1)
        if not found:
            raise NotFound(
                "nothing_to_continue",
                "There is nothing to go on with yet.",
                "Begin with /train or /describe; /help lists what there is.",
            )
        return await self._lead(person, found[0].job.task_id)

    async def _taken_further(self, person: Person, task_id: TaskId) -> JobCard | None:
        """A task's newest job that words alone take further."""
        for card in await self._services.views.jobs_of_task(task_id):
            kind = BUILT_IN.get(card.kind)
            if card.job.person_id == person.person_id and kind is not None and kind.words_input:
                return card
        return None

    async def _lead(self, person: Person, task_id: TaskId) -> JobCard:
        """A task's newest job."""
        for card in await self._services.views.jobs_of_task(task_id):
            if card.job.person_id == person.person_id:
                return card
        raise NotFound("task_unknown", "There is no such task.", "/jobs lists the latest.")

    async def _replied_to(self, person: Person, inbound: Inbound) -> JobCard | None:
        """The person's job that the message shows, or showed, which this is a reply to."""
        if not inbound.replies_to:
            return None
        subject = await self._deliveries.subject_at(inbound.conversation, inbound.replies_to)
        found = _SUBJECT.fullmatch(subject or "")
        if found is None:
            return None
        views = self._services.views
        job_id = JobId(found["id"])
        if found["what"] == "question":
            question = await views.question(QuestionId(found["id"]))
            if question is None:
                return None
            job_id = question.job_id
        try:
            return await views.job(person.person_id, job_id)
        except NotFound:
            return None  # somebody else's, or forgotten: words like any others

    async def _reader(self, person: Person) -> Facts:
        zone = await self._services.views.zone(person.person_id)
        return Facts(now=self._environment.now(), reader=person.name, zone=zone)

    async def _told_over(self, person: Person, ended: Session | None) -> Views:
        if ended is None:
            return ()
        worker = await self._services.views.worker(ended.worker_id)
        machine = worker.name if worker else ""
        return (over_view(ended, machine, await self._reader(person)),)


def _taken_over(before: JobCard) -> JsonObject:
    """What a job was asked with, and what came out that the next one begins with."""
    result = before.result or {}
    carried = {name: result[name] for name in BUILT_IN[before.kind].carries if result.get(name)}
    return {**before.inputs, **carried}
