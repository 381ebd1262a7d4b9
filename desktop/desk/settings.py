"""How this program behaves, by the person's wish: "scheme", "language", "notices" and so on.

What all of the person's computers share is told to them (`desktop.store.settings`).
"""

from __future__ import annotations

from collections.abc import Callable

from desktop.desk.requests import Look, Say
from desktop.store import facts, settings
from shared.database import Database
from shared.events import SettingChanged


class Settings:
    """One for each desk."""

    def __init__(
        self,
        database: Database,
        look: Look,
        say: Say,
        *,
        has_worker: Callable[[], bool],
        changed: Callable[[], None],
    ) -> None:
        self._database, self._look, self._say = database, look, say
        self._has_worker = has_worker
        self._changed = changed

    async def put(self, name: str, value: str) -> None:
        """Write one down; what is shared travels once this machine belongs to a hub."""
        if name in settings.SHARED and self._has_worker():
            await self._say(SettingChanged(name=name, value=value))
        else:
            await self._database.write(lambda c: facts.put(c, name, value))
        self._changed()

    async def undo(self, name: str) -> str | None:
        """Take the last change of a shared setting back; return what it is now, None for as it was.

        It is a change like any other, so it counts on all computers, and can be undone, too.
        """
        value = await self._look(lambda c: settings.before(c, name))
        if value is not None:
            await self.put(name, value)
        return value

    async def value(self, name: str) -> str:
        return await self._look(lambda c: facts.get(c, name))
