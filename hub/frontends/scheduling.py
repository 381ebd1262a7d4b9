"""Commands about schedules, in any frontend. What becomes of one comes through the outbox."""

from __future__ import annotations

from hub.core.schedule_words import split
from hub.core.view import View
from hub.frontends.call import Call, Views
from hub.frontends.facts import Facts
from hub.frontends.schedule_telling import schedules_views
from hub.services import Services
from hub.services.schedule_deeds import NewSchedule
from hub.services.zones import is_zone
from shared.environment import Environment
from shared.ids import ScheduleId
from shared.jobs import Origin

AUTOMATIC = "auto"


class Scheduling:
    def __init__(self, services: Services, environment: Environment) -> None:
        self._schedules = services.schedules
        self._views = services.views
        self._environment = environment

    async def every(self, call: Call) -> Views:
        """`/every WHEN WHAT`: what is due is said here, by whoever says this."""
        when, words = split(call.value("text"), is_zone)
        sender = call.inbound.sender
        await self._schedules.create(
            NewSchedule(
                person_id=call.person.person_id,
                words=words,
                when=when.cron,
                zone=when.zone,
                conversation=call.inbound.conversation,
                origin=Origin.GROUP if call.inbound.in_group else Origin.CHAT,
                frontend=sender.frontend,
                # An account that its frontend vouches for cannot be unlinked.
                account="" if sender.person_id is not None else sender.external_id,
                by=call.by,
            )
        )
        return ()

    async def listed(self, call: Call) -> Views:
        person_id = call.person.person_id
        found = await self._schedules.page(person_id)
        zone = await self._views.zone(person_id)
        facts = Facts(now=self._environment.now(), reader=call.person.name, zone=zone)
        return schedules_views(found, facts)

    async def pause(self, call: Call) -> Views:
        await self._schedules.pause(call.person.person_id, await self._named(call), call.by)
        return ()

    async def resume(self, call: Call) -> Views:
        await self._schedules.resume(call.person.person_id, await self._named(call), call.by)
        return ()

    async def run_now(self, call: Call) -> Views:
        await self._schedules.run_now(call.person.person_id, await self._named(call), call.by)
        return ()

    async def remove(self, call: Call) -> Views:
        await self._schedules.delete(call.person.person_id, await self._named(call), call.by)
        return ()

    async def timezone(self, call: Call) -> Views:
        """`/timezone [ZONE]`: say which one counts, or name one."""
        person_id, name = call.person.person_id, call.value("zone")
        if not name:
            zone = await self._schedules.zone_name(person_id)
            text = f"Your time zone is {zone}. Another: /timezone Europe/Vienna"
            return (View(text=text),)
        chosen = "" if name.casefold() == AUTOMATIC else name
        zone = await self._schedules.set_zone(person_id, chosen)
        text = f"Your time zone is {zone} now. Schedules keep the one they were made in."
        return (View(text=text),)

    async def _named(self, call: Call) -> ScheduleId:
        found = await self._schedules.named(call.person.person_id, call.value("id"))
        return found.schedule_id
