"""What people ask of schedules, as steps of a transaction, wherever they ask.

Their word comes through a frontend (`schedules`), or as an event of one of their own computers
(`recorder`); what it does is the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from hub.core import schedule as core
from hub.core.schedule import Missed, Paused, Schedule
from hub.core.schedule_words import When, when
from hub.services import schedule_steps
from hub.services.deeds import Deeds
from hub.services.locked import check_unlocked
from hub.services.requests import NOWHERE
from hub.services.schedule_steps import ReadWords
from hub.services.zones import is_zone, zone_named
from hub.store import said, schedules
from hub.store.ledger import Entry
from shared.environment import Environment
from shared.errors import AppError, BadInput
from shared.events import ScheduleAsked
from shared.ids import ConversationId, JobId, PersonId, ScheduleId, is_uuid
from shared.jobs import Origin

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """What is to be done again and again."""

    person_id: PersonId
    words: str
    when: str
    """In words ("every weekday 8:00"), or as cron."""
    zone: str = ""
    """The time zone it keeps; the person's own when empty."""
    missed: Missed = Missed.ONCE
    conversation: ConversationId = NOWHERE
    origin: Origin = Origin.CHAT
    frontend: str = ""
    account: str = ""
    """The chat account that asks, when that is how its person is known; empty for none."""
    by: str
    schedule_id: ScheduleId | None = None
    """Made by the computer that asks; None for a new one."""


def read_when(said_when: str) -> When:
    """Read when something is to be done.

    Raises:
        BadInput: `schedule_words`, `schedule_too_often` and others that say what is wrong with it.
    """
    found = when(said_when, is_zone)
    core.check_pace(found.cron)
    return found


class ScheduleDeeds:
    def __init__(
        self, environment: Environment, deeds: Deeds, read: ReadWords, *, hub_zone: str = "UTC"
    ) -> None:
        self._environment = environment
        self._deeds = deeds
        self._read = read
        self.hub_zone = hub_zone if is_zone(hub_zone) else "UTC"

    def obey(self, entry: Entry, person_id: PersonId, body: ScheduleAsked, by: str) -> None:
        """Do what a person asked for at their own computer, as a step of a transaction.

        Raises:
            AppError: as the method of that name.
        """
        match body.action:
            case "create":
                if schedules.load(entry.connection, body.schedule_id) is not None:
                    return  # a computer whose store was restored asks again
                if not is_uuid(body.schedule_id):
                    raise BadInput(
                        "schedule_id_invalid",
                        "The computer names its schedule by no id.",
                        "Update it.",
                    )
                self.create(
                    entry,
                    NewSchedule(
                        person_id=person_id,
                        words=body.words,
                        when=body.when,
                        zone=body.zone,
                        missed=Missed(body.missed),
                        by=by,
                        schedule_id=body.schedule_id,
                    ),
                )
            case "resume":
                self.resume(entry, person_id, body.schedule_id, by)
            case "run":
                self.run_now(entry, person_id, body.schedule_id, by)
            case "pause":
                found = schedule_steps.known(entry, person_id, body.schedule_id)
                schedule_steps.pause(entry, found, by)
            case "delete":
                found = schedule_steps.known(entry, person_id, body.schedule_id)
                schedule_steps.delete(entry, found, by)

    def create(self, entry: Entry, new: NewSchedule) -> Schedule:
        check_unlocked(entry, new.person_id)
        found = read_when(new.when)
        words = core.checked_words(new.words)
        self._read(words)  # what cannot be done then is said now
        zone = new.zone or said.zone(entry.connection, new.person_id) or self.hub_zone
        name = found.zone or zone
        zone_named(name)
        schedule = Schedule(
            schedule_id=new.schedule_id or ScheduleId(self._environment.new_id()),
            person_id=new.person_id,
            words=words,
            cron=found.cron,
            zone=name,
            missed=new.missed,
            conversation=new.conversation,
            origin=new.origin,
            frontend=new.frontend,
            account=new.account,
            made_by=new.by[:100],
            created_at=entry.now,
        )
        return schedule_steps.create(entry, schedule, new.by)

    def resume(
        self, entry: Entry, person_id: PersonId | None, schedule_id: ScheduleId, by: str
    ) -> Schedule:
        found = schedule_steps.known(entry, person_id, schedule_id)
        check_unlocked(entry, found.person_id)
        return schedule_steps.resume(entry, found, by)

    def run_now(
        self, entry: Entry, person_id: PersonId | None, schedule_id: ScheduleId, by: str
    ) -> JobId:
        found = schedule_steps.known(entry, person_id, schedule_id)
        return schedule_steps.run_now(entry, self._deeds, self._read, found, by, dedupe="")

    def take_turn(self, entry: Entry, schedule: Schedule) -> None:
        """Do what a schedule's time that has come asks for."""
        try:
            schedule_steps.take_turn(entry, self._deeds, self._read, schedule)
        except AppError as error:
            # It names no time any more: the rules of its zone changed, or the library did.
            log.warning("schedule_unreadable", schedule_id=schedule.schedule_id, error=str(error))
            schedule_steps.hold(entry, schedule, Paused.REFUSED, str(error))
