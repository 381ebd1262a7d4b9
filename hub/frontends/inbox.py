"""What people say, in any frontend: a command is carried out, plain text answers a question.

The views it returns are the immediate answer. What a job then does comes through the outbox, so
most commands that make or change a job answer with nothing here.
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from hub.core.access import Person
from hub.core.pace import Paces
from hub.core.view import FrontendCapabilities, Inbound, Pace, Tone, View
from hub.core.worker import WorkerCard
from hub.frontends import replies
from hub.frontends.account import (
    THIS_CHAT,
    Account,
    check_unlocked,
    choices_view,
)
from hub.frontends.answering import Answering
from hub.frontends.briefing import brief, machine_name
from hub.frontends.commands import BY_NAME, Command, Shape, Spoken
from hub.frontends.entering import Entering
from hub.frontends.entrance import place
from hub.frontends.figures import quoted
from hub.frontends.history import sentence
from hub.frontends.parsing import command_named, parse
from hub.frontends.wording import error_view
from hub.services import Services
from hub.services.deliveries import Deliveries
from hub.services.requests import Request
from shared.environment import Environment
from shared.errors import AppError, BadInput, NotAllowed, NotFound
from shared.events import JobLogged
from shared.ids import ConversationId
from shared.jobs import JobState, Origin
from shared.kinds import JsonObject

HISTORY_LINES_MAX = 30
AUTOSTART = "machine.autostart"


@dataclass(frozen=True, slots=True)
class Call:
    """A command on its way to being carried out."""

    person: Person
    inbound: Inbound
    spoken: Spoken

    def value(self, name: str) -> str:
        return self.spoken.values.get(name, "")

    @property
    def by(self) -> str:
        """Who says it, in words that are kept: "anna on Telegram"."""
        return _by(self.person, self.inbound)


Views = tuple[View, ...]

STRANGERS = FrontendCapabilities(
    chat_pace=Pace(burst=10, per_second=1 / 60),
    group_pace=Pace(burst=2, per_second=1 / 600),
    total_pace=Pace(burst=100, per_second=1),
)
"""How often strangers are answered; beyond that they meet silence."""
LONG_AGO_SECONDS = 3600.0
PRIVATE_COMMANDS = frozenset(
    {"connect", "pair", "approve", "reject", "unlink", "disconnect", "worker", "lock"}
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
        self._account = Account(services, environment)
        self._commands: Mapping[str, Callable[[Call], Awaitable[Views]]] = {
            "start": lambda c: entering.start(c.person, c.inbound, c.value("code")),
            "help": self._help,
            "connect": lambda c: entering.connect(c.person),
            "pair": lambda c: entering.pair(c.person, c.inbound, c.value("code")),
            "approve": lambda c: self._decide(c, is_approved=True),
            "reject": lambda c: self._decide(c, is_approved=False),
            "unlink": self._unlink,
            "disconnect": self._disconnect,
            "lock": self._lock,
            "move": self._move,
            "workers": self._workers,
            "worker": self._worker,
            "jobs": self._jobs,
            "job": self._job,
            "cancel": self._cancel,
            "retry": self._retry,
            "dead": self._dead,
            "task": self._task,
            "answer": self._answer,
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
                return await self._make_job(call)
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

    # Jobs.

    async def _make_job(self, call: Call) -> Views:
        spoken = call.spoken
        inputs = _inputs(spoken.command, spoken)
        return await self._request(call, spoken.command.kind, inputs, spoken.worker)

    async def _request(self, call: Call, kind: str, inputs: JsonObject, worker: str) -> Views:
        inbound = call.inbound
        await self._services.intake.request(
            Request(
                person_id=call.person.person_id,
                kind=kind,
                inputs=inputs,
                text=inbound.text.strip(),
                conversation=inbound.conversation,
                origin=Origin.GROUP if inbound.in_group else Origin.CHAT,
                worker_name=worker,
                dedupe=f"{inbound.sender.frontend}:{inbound.dedupe}",
            )
        )
        return ()

    async def _jobs(self, call: Call) -> Views:
        person_id = call.person.person_id
        cards = await self._services.views.jobs(person_id, limit=replies.LIST_MAX + 1)
        workers = await self._services.views.workers(person_id)
        machines = {str(w.worker_id): w.name for w in workers}
        return (replies.jobs_view(cards, machines, self._now),)

    async def _job(self, call: Call) -> Views:
        views, person_id = self._services.views, call.person.person_id
        card = await views.find_job(person_id, call.value("id"))
        history = []
        for fact in await views.history(person_id, card.job_id):
            if fact.body is None or isinstance(fact.body, JobLogged):
                continue
            briefing = await brief(self._services, self._environment, fact)
            history.append((fact.at, sentence(fact.body, briefing.facts)))
        machine = await machine_name(self._services, card)
        zone = await self._services.views.zone(person_id)
        lines = history[-HISTORY_LINES_MAX:]
        return (replies.job_view(card, machine, lines, self._now, zone),)

    async def _cancel(self, call: Call) -> Views:
        person_id = call.person.person_id
        card = await self._services.views.find_job(person_id, call.value("id"))
        await self._services.intake.cancel(person_id, card.job_id, call.by)
        if card.state is JobState.CANCELLED:
            return (View(text=f"#{card.short} was cancelled before."),)
        return ()

    async def _retry(self, call: Call) -> Views:
        person_id = call.person.person_id
        card = await self._services.views.find_job(person_id, call.value("id"))
        await self._services.intake.retry(person_id, card.job_id, call.by)
        return ()

    async def _move(self, call: Call) -> Views:
        person_id = call.person.person_id
        card = await self._services.views.find_job(person_id, call.value("id"))
        worker = await self._worker_named(call)
        await self._services.intake.move(person_id, card.job_id, worker.worker_id, call.by)
        return ()

    async def _dead(self, call: Call) -> Views:
        cards = await self._services.views.dead_letters(call.person.person_id)
        return (replies.dead_view(cards, self._now),)

    # Questions.

    async def _plain(self, person: Person, inbound: Inbound) -> Views:
        """Plain text: the answer to a question that is open here, or words nobody can plan yet."""
        if not inbound.text.strip():
            return ()
        views = await self._answering.plain(person, inbound, _by(person, inbound))
        if views is None:
            return () if inbound.in_group else (replies.no_planner(),)
        return views

    async def _answer(self, call: Call) -> Views:
        question = await self._answering.named(call.person, call.inbound, call.value("id"))
        return await self._answering.settle(call.person, question, call.value("value"), call.by)

    async def _task(self, call: Call) -> Views:
        del call
        return (replies.no_planner(),)

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

    async def _disconnect(self, call: Call) -> Views:
        name, is_sure = call.value("name"), bool(call.value("sure"))
        if not name:
            workers = await self._services.views.workers(call.person.person_id)
            is_account = call.inbound.sender.person_id is None
            return (choices_view(workers, is_account=is_account),)
        if name.casefold() == THIS_CHAT:
            chat = await self._account.disconnect_chat(call.person, call.inbound, is_sure=is_sure)
            return (chat,)
        card = await self._worker_named(call)
        return await self._account.disconnect(call.person, card, call.by, is_sure=is_sure)

    async def _lock(self, call: Call) -> Views:
        return (await self._account.lock(call.person, call.by),)

    async def _workers(self, call: Call) -> Views:
        workers = await self._services.views.workers(call.person.person_id)
        zone = await self._services.views.zone(call.person.person_id)
        return (replies.workers_view(workers, self._now, zone),)

    async def _worker(self, call: Call) -> Views:
        person_id, action = call.person.person_id, call.value("action")
        card = await self._worker_named(call)
        registry = self._services.registry
        switch = call.value("switch") or "status"
        if call.value("switch") and action != "autostart":
            raise BadInput(
                "argument_invalid",
                f"Only autostart is switched {switch}.",
                f"For example: /worker {quoted(card.name)} autostart {switch}",
            )
        match action:
            case "pause":
                await registry.pause(person_id, card.worker_id, is_paused=True)
                text = f"{card.name} is paused: what runs goes on, nothing new starts."
            case "resume":
                await registry.pause(person_id, card.worker_id, is_paused=False)
                text = f"{card.name} takes work again."
            case "revoke":
                await registry.revoke(person_id, card.worker_id, call.by)
                # The event tells it, here or wherever else its person reads.
                return ()
            case "autostart":
                # Only the machine itself can; it does so as a job, and its policy has a say.
                return await self._request(call, AUTOSTART, {"switch": switch}, card.name)
            case _:
                zone = await self._services.views.zone(person_id)
                return (replies.worker_view(card, self._now, zone),)
        return (View(text=text, tone=Tone.DONE),)

    async def _worker_named(self, call: Call) -> WorkerCard:
        name = call.value("name").removeprefix("@")
        workers = await self._services.views.workers(call.person.person_id)
        for card in workers:
            if card.name.casefold() == name.casefold():
                return card
        raise unknown_worker(name, [card.name for card in workers])

    @property
    def _now(self) -> datetime:
        return self._environment.now()


def _keyed(views: Views, inbound: Inbound) -> Views:
    """Name each answer after what it answers, so that it is shown once however often sent."""
    heard = f"{inbound.sender.frontend} {inbound.dedupe}"
    return tuple(replace(view, key=f"answer {heard} {n}") for n, view in enumerate(views))


def private_only(name: str) -> NotAllowed:
    return NotAllowed(
        "private_only",
        f"/{name} is not for a group, where others read along.",
        "Say it in our private chat.",
    )


def unknown_worker(name: str, known: list[str]) -> NotFound:
    """Say that there is no such machine, and which there are."""
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        hint = f"Did you mean {near[0]}?"
    elif known:
        hint = f"Yours are: {', '.join(known)}."
    else:
        hint = "No computer is connected yet; /connect pairs one."
    return NotFound("worker_unknown", f"No computer of yours is called '{name[:100]}'.", hint)


def _inputs(command: Command, spoken: Spoken) -> JsonObject:
    inputs: JsonObject = {}
    for argument in command.arguments:
        word = spoken.values.get(argument.name)
        if word is not None:
            name = argument.input or argument.name
            if argument.shape is Shape.FLAG:
                inputs[name] = True
            else:
                inputs[name] = float(word) if argument.input.endswith("_seconds") else word
    return inputs


def _by(person: Person, inbound: Inbound) -> str:
    return f"{person.name} on {place(inbound.sender.frontend)}"
