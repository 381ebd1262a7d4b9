"""A command on its way to being carried out, and what carrying it out gives back."""

from __future__ import annotations

from dataclasses import dataclass

from hub.core.access import Person
from hub.core.view import Inbound, View
from hub.frontends.commands import Shape, Spoken
from hub.frontends.entrance import place
from hub.services import Services
from hub.services.intake import Receipt
from hub.services.requests import Request
from shared.ids import TaskId
from shared.jobs import Origin
from shared.kinds import JsonObject

Views = tuple[View, ...]


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
        return said_by(self.person, self.inbound)


def said_by(person: Person, inbound: Inbound) -> str:
    """Who says it, in words that are kept: "anna on Telegram"."""
    return f"{person.name} on {place(inbound.sender.frontend)}"


def inputs_of(spoken: Spoken) -> JsonObject:
    """What a command gives its kind, as far as it was said."""
    inputs: JsonObject = {}
    for argument in spoken.command.arguments:
        word = spoken.values.get(argument.name)
        if word is not None:
            name = argument.input or argument.name
            if argument.shape is Shape.FLAG:
                inputs[name] = True
            else:
                inputs[name] = float(word) if argument.input.endswith("_seconds") else word
    return inputs


async def request_job(
    services: Services,
    person: Person,
    inbound: Inbound,
    kind: str,
    inputs: JsonObject,
    worker: str,
    *,
    task_id: TaskId | None = None,
) -> Receipt:
    """Ask for a job, of a new task or of one; what becomes of it comes through the outbox."""
    return await services.intake.request(
        Request(
            person_id=person.person_id,
            kind=kind,
            inputs=inputs,
            text=inbound.text.strip(),
            conversation=inbound.conversation,
            origin=Origin.GROUP if inbound.in_group else Origin.CHAT,
            worker_name=worker,
            dedupe=f"{inbound.sender.frontend}:{inbound.dedupe}",
            task_id=task_id,
        )
    )
