"""What must outlive a restart: how far was read, and what was begun and is not yet done.

Written only after all that was read has been dealt with. Whoever reads on from an older place
reads some of it twice, and the inbox knows by its id what it has heard.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from hub.frontends.matrix.private_files import write_private

logger = logging.getLogger(__name__)

FILE_NAME = "state.json"
INVITES_MAX = 50
SEALED_MAX = 50
"""Events that are kept until their key comes."""
THREADS_MAX = 1000
SIGNS_MAX = 200
"""Messages that something can be tapped on; older ones keep their signs."""
GUESTS_MAX = 100
"""Rooms of people who are not linked: whoever asks beyond that, makes the oldest one end."""


class Invite(BaseModel):
    """Somebody wants the bot in a room."""

    model_config = ConfigDict(frozen=True)

    inviter: str
    is_direct: bool
    tries: int = 0


class Sealed(BaseModel):
    """An event that cannot be read yet."""

    model_config = ConfigDict(frozen=True)

    room_id: str
    source: dict[str, JsonValue]
    since: float
    """Seconds of the wall clock."""
    is_told: bool = False


class Kept(BaseModel):
    """All of it."""

    model_config = ConfigDict(validate_assignment=False)

    user_id: str = ""
    place: str = ""
    """The sync token: all before it was dealt with."""
    invites: dict[str, Invite] = Field(default_factory=dict)
    """By room."""
    guests: dict[str, str] = Field(default_factory=dict)
    """Rooms of people who were not linked when they asked, and who asked; the oldest first."""
    sealed: dict[str, Sealed] = Field(default_factory=dict)
    """By event."""
    threads: dict[str, str] = Field(default_factory=dict)
    """In rooms of several people: "room task" -> the event that its thread hangs on."""

    signs: dict[str, dict[str, str]] = Field(default_factory=dict)
    """By message of the bot's: the events of the signs on it."""

    def note_signs(self, event_id: str, signs: dict[str, str]) -> None:
        self.signs.pop(event_id, None)
        if signs:
            self.signs[event_id] = signs
        while len(self.signs) > SIGNS_MAX:
            del self.signs[next(iter(self.signs))]

    def note_thread(self, room_id: str, task_id: str, root: str) -> None:
        self.threads[f"{room_id} {task_id}"] = root
        while len(self.threads) > THREADS_MAX:
            del self.threads[next(iter(self.threads))]

    def thread(self, room_id: str, task_id: str) -> str:
        """The event that a task's thread hangs on; empty when it has none yet."""
        return self.threads.get(f"{room_id} {task_id}", "")

    def task_of(self, room_id: str, root: str) -> str:
        """The task whose thread hangs on an event; empty for any other thread."""
        beginning = f"{room_id} "
        for name, event_id in self.threads.items():
            if event_id == root and name.startswith(beginning):
                return name.removeprefix(beginning)
        return ""


class Shelf:
    """Loads and saves it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._saving = asyncio.Lock()

    def load(self, user_id: str) -> Kept:
        """What an account left; empty for another one, or when it cannot be read."""
        try:
            kept = Kept.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            kept = Kept()
        except (OSError, ValidationError):
            logger.warning("What was kept of Matrix cannot be read; it is begun anew.")
            kept = Kept()
        return kept if kept.user_id == user_id else Kept(user_id=user_id)

    async def save(self, kept: Kept) -> None:
        """Write it; one after the other."""
        async with self._saving:
            await asyncio.to_thread(write_private, self._path, kept.model_dump_json())
