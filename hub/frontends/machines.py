"""Commands about computers: look at them, pause, disconnect or switch one."""

from __future__ import annotations

import difflib

from hub.core.view import Tone, View
from hub.core.worker import WorkerCard
from hub.frontends import replies
from hub.frontends.account import THIS_CHAT, Account, choices_view
from hub.frontends.call import Call, Views, request_job
from hub.frontends.figures import quoted
from hub.services import Services
from shared.environment import Environment
from shared.errors import BadInput, NotFound
from shared.kinds import JsonObject

AUTOSTART = "machine.autostart"


class Machines:
    def __init__(self, services: Services, environment: Environment, account: Account) -> None:
        self._services = services
        self._environment = environment
        self._account = account

    async def listed(self, call: Call) -> Views:
        workers = await self._services.views.workers(call.person.person_id)
        zone = await self._services.views.zone(call.person.person_id)
        return (replies.workers_view(workers, self._environment.now(), zone),)

    async def shown(self, call: Call) -> Views:
        """Show one computer, or do with it what was said."""
        person_id, action = call.person.person_id, call.value("action")
        card = await self.named(call)
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
            case "autostart" if card.worker.pulls:
                raise BadInput(
                    "autostart_impossible",
                    f"{card.name} is no computer with a desktop: nobody logs in there.",
                    "Name one where Deskhand is installed; /workers lists yours.",
                )
            case "autostart":
                # Only the machine itself can; it does so as a job, and its policy has a say.
                inputs: JsonObject = {"switch": switch}
                await request_job(
                    self._services, call.person, call.inbound, AUTOSTART, inputs, card.name
                )
                return ()
            case _:
                zone = await self._services.views.zone(person_id)
                return (replies.worker_view(card, self._environment.now(), zone),)
        return (View(text=text, tone=Tone.DONE),)

    async def disconnect(self, call: Call) -> Views:
        name, is_sure = call.value("name"), bool(call.value("sure"))
        if not name:
            workers = await self._services.views.workers(call.person.person_id)
            is_account = call.inbound.sender.person_id is None
            return (choices_view(workers, is_account=is_account),)
        if name.casefold() == THIS_CHAT:
            chat = await self._account.disconnect_chat(call.person, call.inbound, is_sure=is_sure)
            return (chat,)
        card = await self.named(call)
        return await self._account.disconnect(call.person, card, call.by, is_sure=is_sure)

    async def named(self, call: Call) -> WorkerCard:
        """Find the computer a command names.

        Raises:
            NotFound: `worker_unknown`.
        """
        name = call.value("name").removeprefix("@")
        workers = await self._services.views.workers(call.person.person_id)
        for card in workers:
            if card.name.casefold() == name.casefold():
                return card
        raise unknown_worker(name, [card.name for card in workers])


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
