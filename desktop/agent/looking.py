"""Looks at what can be done here while the worker runs, and has the hub told anew when it changed.

It is looked at with every beat: tools at once, coding agents and model servers when they are due.
"""

from __future__ import annotations

import contextlib

from desktop.abilities import Abilities
from desktop.agent.admission import Admission
from desktop.agent.floor import AgentFloor
from desktop.agent.line import AgentLine
from desktop.core.llm.locality import to_look_at
from desktop.system.local_models import find_local
from shared.errors import AppError


class Looking:
    """One for each worker."""

    def __init__(
        self,
        abilities: Abilities,
        admission: Admission,
        floor: AgentFloor,
        line: AgentLine,
    ) -> None:
        self._abilities, self._admission, self._floor = abilities, admission, floor
        self._line = line

    def look(self) -> None:
        if self._abilities.look(self._admission.policy.code):
            self._line.renew()
            self._floor.renew_offers()
        if self._floor.is_open and self._abilities.are_agents_due():
            self._floor.tasks.create_task(self._look_at_agents(), name="agents")
        if self._floor.is_open and self._abilities.are_models_due():
            self._floor.tasks.create_task(self._look_for_models(), name="local models")

    async def _look_at_agents(self) -> None:
        with contextlib.suppress(TimeoutError, OSError, AppError):
            await self._abilities.look_at_agents(self._floor.runner)

    async def _look_for_models(self) -> None:
        found = await find_local(to_look_at(self._admission.policy.llm))
        if self._abilities.found(found) and self._floor.is_open:
            self._line.renew()
