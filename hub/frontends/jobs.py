"""Commands about jobs: make one, look at them, stop, repeat or move one."""

from __future__ import annotations

from hub.core.view import View
from hub.frontends import replies
from hub.frontends.briefing import brief, machine_name
from hub.frontends.call import Call, Views
from hub.frontends.following import Following
from hub.frontends.history import sentence
from hub.frontends.machines import Machines
from hub.frontends.plan_words import is_step_news
from hub.services import Services
from shared.environment import Environment
from shared.events import JobLogged
from shared.jobs import JobState

HISTORY_LINES_MAX = 30


class Jobs:
    def __init__(
        self,
        services: Services,
        environment: Environment,
        machines: Machines,
        following: Following,
    ) -> None:
        self._following = following
        self._services = services
        self._environment = environment
        self._machines = machines

    async def make(self, call: Call) -> Views:
        """Make the job that a command names the kind of; said about a task, it is part of it."""
        task_id = await self._following.task_of(call.person, call.inbound)
        return await self._following.request(call, call.spoken, task_id)

    async def listed(self, call: Call) -> Views:
        person_id = call.person.person_id
        cards = await self._services.views.jobs(person_id, limit=replies.LIST_MAX + 1)
        workers = await self._services.views.workers(person_id)
        machines = {str(w.worker_id): w.name for w in workers}
        return (replies.jobs_view(cards, machines, self._environment.now()),)

    async def shown(self, call: Call) -> Views:
        views, person_id = self._services.views, call.person.person_id
        card = await views.find_job(person_id, call.value("id"))
        history = []
        for fact in await views.history(person_id, card.job_id):
            if fact.body is None or isinstance(fact.body, JobLogged) or is_step_news(fact.body):
                continue
            briefing = await brief(self._services, self._environment, fact)
            history.append((fact.at, sentence(fact.body, briefing.facts)))
        machine = await machine_name(self._services, card)
        zone = await self._services.views.zone(person_id)
        lines = history[-HISTORY_LINES_MAX:]
        return (replies.job_view(card, machine, lines, self._environment.now(), zone),)

    async def cancel(self, call: Call) -> Views:
        person_id = call.person.person_id
        card = await self._services.views.find_job(person_id, call.value("id"))
        await self._services.intake.cancel(person_id, card.job_id, call.by)
        if card.state is JobState.CANCELLED:
            return (View(text=f"#{card.short} was cancelled before."),)
        return ()

    async def retry(self, call: Call) -> Views:
        person_id = call.person.person_id
        card = await self._services.views.find_job(person_id, call.value("id"))
        await self._services.intake.retry(person_id, card.job_id, call.by)
        return ()

    async def move(self, call: Call) -> Views:
        person_id = call.person.person_id
        card = await self._services.views.find_job(person_id, call.value("id"))
        worker = await self._machines.named(call)
        await self._services.intake.move(person_id, card.job_id, worker.worker_id, call.by)
        return ()

    async def dead(self, call: Call) -> Views:
        cards = await self._services.views.dead_letters(call.person.person_id)
        return (replies.dead_view(cards, self._environment.now()),)
