"""What people say, in any frontend: a command is carried out, plain text answers a question.

The views it returns are the immediate answer. What a job then does comes through the outbox, so
most commands that make or change a job answer with nothing here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

import structlog

from hub.core.access import Person
from hub.core.pace import Paces
from hub.core.view import FrontendCapabilities, Inbound, Pace
from hub.frontends import replies
from hub.frontends.account import Account, check_unlocked
from hub.frontends.answering import Answering
from hub.frontends.call import Call, Views, said_by
from hub.frontends.commands import BY_NAME
from hub.frontends.entering import Entering
from hub.frontends.following import Following, is_continue
from hub.frontends.jobs import Jobs
from hub.frontends.machines import Machines
from hub.frontends.parsing import command_named, parse
from hub.frontends.planning import plan_words
from hub.frontends.scheduling import Scheduling
from hub.frontends.wording import error_view
from hub.services import Services
from hub.services.deliveries import Deliveries
from shared import spans, trace
from shared.environment import Environment
from shared.errors import AppError, NotAllowed
from shared.ids import ConversationId, TaskId
from shared.spans import Span

log = structlog.get_logger()

STRANGERS = FrontendCapabilities(
    chat_pace=Pace(burst=10, per_second=1 / 60),
    group_pace=Pace(burst=2, per_second=1 / 600),
    total_pace=Pace(burst=100, per_second=1),
)
"""How often strangers are answered; beyond that they meet silence."""
LONG_AGO_SECONDS = 3600.0
PRIVATE_COMMANDS = frozenset(
    {"connect", "web", "pair", "approve", "reject", "unlink", "disconnect", "worker", "lock"}
)
"""About a person's own machines and codes: what they answer is for nobody else's eyes."""


class ChatInbox:
    """The Inbox of every frontend."""

    def __init__(
        self,
        *,
        services: Services,
        deliveries: Deliveries,
        environment: Environment,
        hub_url: str,
        ring: Callable[[ConversationId], None],
    ) -> None:
        self._ring = ring
        self._services = services
        self._deliveries = deliveries
        self._strangers = Paces(STRANGERS, environment.monotonic() - LONG_AGO_SECONDS)
        self._answering = Answering(services, deliveries)
        self._environment = environment
        self._entering = entering = Entering(services, deliveries, environment, hub_url)
        self._account = account = Account(services, environment)
        machines = Machines(services, environment, account)
        self._following = following = Following(services, deliveries, environment)
        self._jobs = jobs = Jobs(services, environment, machines, following)
        scheduling = Scheduling(services, environment)
        self._commands: Mapping[str, Callable[[Call], Awaitable[Views]]] = {
            "start": lambda c: entering.start(c.person, c.inbound, c.value("code")),
            "help": self._help,
            "connect": lambda c: entering.connect(c.person),
            "web": lambda c: entering.web(c.person),
            "pair": lambda c: entering.pair(c.person, c.inbound, c.value("code")),
            "approve": lambda c: self._decide(c, is_approved=True),
            "reject": lambda c: self._decide(c, is_approved=False),
            "unlink": self._unlink,
            "disconnect": machines.disconnect,
            "lock": self._lock,
            "move": jobs.move,
            "workers": machines.listed,
            "worker": machines.shown,
            "jobs": jobs.listed,
            "job": jobs.shown,
            "cancel": jobs.cancel,
            "retry": jobs.retry,
            "dead": jobs.dead,
            "task": self._task,
            "continue": following.command,
            "answer": self._answer,
            "every": scheduling.every,
            "schedules": scheduling.listed,
            "pause": scheduling.pause,
            "resume": scheduling.resume,
            "runnow": scheduling.run_now,
            "unschedule": scheduling.remove,
            "timezone": scheduling.timezone,
        }
        makes_jobs = {command.name for command in BY_NAME.values() if command.kind}
        assert self._commands.keys() | makes_jobs == BY_NAME.keys()

    async def __call__(self, inbound: Inbound) -> Views:
        """Do what was said; the answer to it, which may be nothing.

        Expected failures come back as views. An update that was dealt with is ignored.

        What happens when the hub dies in between: the update comes again and is done again (a
        job that was made keeps being one), or it was noted with its answers, and they are shown.

        Raises:
            AppError: with `answer_waits`, when nothing could be written down.
        """
        # A message that came over HTTP belongs to its request's trace already.
        outer, began = trace.parse(trace.current()), self._environment.now()
        with trace.carried(trace.continued(trace.current(), self._environment.id_entropy)) as place:
            log.info("message_heard", frontend=inbound.sender.frontend)
            views = await self._deal_with(inbound)
        if spans.is_wanted():
            spans.tell(
                Span(
                    name="message",
                    place=place,
                    parent=outer.span_id if outer else "",
                    start=began,
                    end=self._environment.now(),
                    facts={"deskhand.frontend": inbound.sender.frontend},
                    sort="server",
                )
            )
        return views

    async def _deal_with(self, inbound: Inbound) -> Views:
        try:
            if await self._deliveries.was_heard(inbound):
                return ()
            views = await self._hear(inbound)
            if not inbound.answer_waits:
                await self._deliveries.note_heard(inbound)
                return views
            await self._deliveries.note_heard(inbound, _keyed(views, inbound))
        except AppError as error:
            if inbound.answer_waits:
                raise
            return (error_view(error),)
        self._ring(inbound.conversation)
        return ()

    async def _hear(self, inbound: Inbound) -> Views:
        person = await self._person(inbound)
        if person is None:
            if not self._owes_answer(inbound):
                return ()
            try:
                return await self._entering.stranger(inbound)
            except AppError as error:
                return (error_view(error),)
        if not inbound.in_group:
            # What is told to one person alone must never go to a group.
            await self._deliveries.said(inbound.conversation, person.person_id)
        try:
            if inbound.has_file and not inbound.text.strip():
                return () if inbound.in_group else (replies.files_stay(),)
            spoken = parse(inbound.text)
            if spoken is None:
                check_unlocked(person, "")
                return await self._plain(person, inbound)
            if inbound.in_group and spoken.command.name in PRIVATE_COMMANDS:
                raise private_only(spoken.command.name)
            check_unlocked(person, spoken.command.name)
            call = Call(person, inbound, spoken)
            if spoken.command.kind:
                return await self._jobs.make(call)
            return await self._commands[spoken.command.name](call)
        except AppError as error:
            # An answer all the same: the person was heard, and is told what to do instead.
            return (error_view(error),)

    def _owes_answer(self, inbound: Inbound) -> bool:
        """Whether a stranger is answered; one who goes on and on must not keep others waiting."""
        if inbound.in_group and not inbound.text.lstrip().startswith("/"):
            # Strangers in a group talk to each other; only a command is meant for us.
            return False
        now = self._environment.monotonic()
        if self._strangers.wait(inbound.conversation, now) > 0:
            return False
        self._strangers.take(inbound.conversation, now)
        return True

    async def _person(self, inbound: Inbound) -> Person | None:
        if inbound.sender.person_id is not None:
            return await self._services.registry.person(inbound.sender.person_id)
        return await self._services.registry.person_of(inbound.sender)

    # Questions.

    async def _plain(self, person: Person, inbound: Inbound) -> Views:
        """Plain text: the answer to a question that is open here, or a task to be planned."""
        if not inbound.text.strip():
            return ()
        by = said_by(person, inbound)
        if not is_continue(inbound.text) or await self._answering.is_choice(person, inbound):
            views = await self._answering.plain(person, inbound, by)
        else:
            views = await self._following.plain(person, inbound)
        if views is not None:
            return views
        if (views := await self._following.words(person, inbound)) is not None:
            return views
        if inbound.task_id is not None:
            return await self._keep(person, inbound, inbound.task_id)
        if inbound.in_group:
            return ()
        task_id = await self._following.task_of(person, inbound)
        return await plan_words(self._services, person, inbound, inbound.text, task_id=task_id)

    async def _keep(self, person: Person, inbound: Inbound, task_id: TaskId) -> Views:
        """Keep words on a task that ask for nothing; they stand in its thread, everywhere."""
        await self._services.intake.say(
            person.person_id,
            task_id,
            inbound.text.strip(),
            by=said_by(person, inbound),
            where=inbound.sender.frontend,
        )
        return ()

    async def _answer(self, call: Call) -> Views:
        question = await self._answering.named(call.person, call.inbound, call.value("id"))
        return await self._answering.settle(call.person, question, call.value("value"), call.by)

    async def _task(self, call: Call) -> Views:
        """Words about a task that are a command go on with it; others are planned."""
        text, is_local = call.value("text"), bool(call.value("local"))
        task_id = await self._following.task_of(call.person, call.inbound)
        if task_id is not None and is_continue(text):
            return await self._following.go_on(call.person, call.inbound, task_id)
        if task_id is not None and text.startswith("/"):
            return await self._following.run(call, text, task_id)
        said = replace(call.inbound, text=text)
        if (views := await self._following.words(call.person, said)) is not None:
            return views
        return await plan_words(
            self._services,
            call.person,
            call.inbound,
            text,
            is_local=is_local,
            worker=call.spoken.worker,
            task_id=task_id,
        )

    # People and machines.

    async def _help(self, call: Call) -> Views:
        name = call.value("command").removeprefix("/")
        return (replies.help_view(command_named(name) if name else None),)

    async def _decide(self, call: Call, *, is_approved: bool) -> Views:
        return await self._entering.decide(
            call.person, call.inbound, call.value("id"), call.by, is_approved=is_approved
        )

    async def _unlink(self, call: Call) -> Views:
        frontend, account = call.value("frontend"), call.value("account")
        return await self._entering.unlink(call.person, frontend, account)

    async def _lock(self, call: Call) -> Views:
        return (await self._account.lock(call.person, call.by),)


def _keyed(views: Views, inbound: Inbound) -> Views:
    """Name each answer after what it answers, so that it is shown once however often sent."""
    heard = f"{inbound.sender.frontend} {inbound.dedupe}"
    return tuple(
        replace(view, key=f"answer {heard} {n}", task_id=view.task_id or inbound.task_id)
        for n, view in enumerate(views)
    )


def private_only(name: str) -> NotAllowed:
    return NotAllowed(
        "private_only",
        f"/{name} is not for a group, where others read along.",
        "Say it in our private chat.",
    )
