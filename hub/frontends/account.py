"""Commands that take something away: disconnecting a computer or a chat, locking the account."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.access import Person, account_locked
from hub.core.fleet_rules import fleet_stays
from hub.core.view import Button, Inbound, Tone, View
from hub.core.worker import WorkerCard
from hub.frontends.figures import moment, plural, quoted
from hub.services import Services
from shared.environment import Environment
from shared.errors import NotAllowed

OPEN_WHILE_LOCKED = frozenset({"start", "help", "lock"})
"""Commands that work on a locked account: they start nothing."""
THIS_CHAT = "chat"
YES = "yes"


class Account:
    """What `/disconnect` and `/lock` do; the inbox finds out who speaks and what was named."""

    def __init__(self, services: Services, environment: Environment) -> None:
        self._services = services
        self._environment = environment

    async def lock(self, person: Person, by: str) -> View:
        """Stop everything and let chats start nothing more; safe to repeat."""
        await self._services.registry.lock(person.person_id, by)
        # Locked first: nothing new can slip in behind the cancel.
        stopped = await self._services.intake.cancel_all(person.person_id, by)
        jobs = f"{plural(stopped, 'job')} stopped. " if stopped else ""
        return View(
            text=f"Locked. {jobs}No chat can start, answer or connect anything for you now; "
            "browsers are signed out.\n"
            "To unlock, run `deskhand unlock` on a connected computer, or "
            "`deskhand-hub unlock` where the hub runs.",
            tone=Tone.WAITING,
        )

    async def disconnect_chat(self, person: Person, inbound: Inbound, *, is_sure: bool) -> View:
        """Let this account speak for nobody any more, once that was confirmed."""
        if inbound.sender.person_id is not None:
            raise NotAllowed(
                "chat_has_key",
                "This chat is open because of a key, not because of an account.",
                "Close it; or remove the key.",
            )
        if not is_sure:
            return View(
                text="Disconnect this chat? It can do nothing here then, until somebody invites "
                "it again. Your computers stay connected.",
                buttons=(
                    Button(label="Disconnect this chat", says=f"/disconnect {THIS_CHAT} {YES}"),
                ),
            )
        sender = inbound.sender
        await self._services.admissions.unlink(
            person.person_id, sender.frontend, sender.external_id
        )
        return View(text="This chat is disconnected.", tone=Tone.DONE)

    async def disconnect(
        self, person: Person, card: WorkerCard, by: str, *, is_sure: bool
    ) -> tuple[View, ...]:
        """Show a computer out, once that was confirmed; the event tells it, wherever one reads."""
        if card.worker.is_fleet:
            raise fleet_stays(card.name)
        if is_sure:
            await self._services.registry.revoke(person.person_id, card.worker_id, by)
            return ()
        busy = card.running + card.asking
        now = f" {plural(busy, 'job')} of it will wait for you." if busy else ""
        label, says = f"Disconnect {card.name}", f"/disconnect {quoted(card.name)} {YES}"
        return (
            View(
                text=f"{label}?{now} It can take no work until it is paired again.",
                buttons=(Button(label=label, says=says),),
            ),
        )


def check_unlocked(person: Person, command: str) -> None:
    """Let a command of a locked account pass only if it starts nothing.

    Raises:
        NotAllowed: `account_locked`.
    """
    if person.locked_at is not None and command not in OPEN_WHILE_LOCKED:
        raise account_locked(person)


def choices_view(cards: Sequence[WorkerCard], *, is_account: bool) -> View:
    """What can be disconnected."""
    buttons = [
        Button(label=card.name, says=f"/disconnect {quoted(card.name)}")
        for card in cards
        if not card.worker.is_fleet
    ]
    if is_account:
        buttons.append(Button(label="This chat", says=f"/disconnect {THIS_CHAT}"))
    if not buttons:
        return View(text="Nothing is connected. /connect pairs a computer.")
    return View(text="What should be disconnected?", buttons=tuple(buttons))


def locked_line(person: Person, environment: Environment) -> str:
    """Since when an account is locked; empty when it is not."""
    if person.locked_at is None:
        return ""
    since = moment(person.locked_at, environment.now())
    return (
        f"Your account is locked since {since}. `deskhand unlock` on a connected computer, or "
        "`deskhand-hub unlock` where the hub runs, opens it."
    )
