"""A disk that loses its power: every state that it may be in afterwards.

What was synced is there. Of what was not, each write is there, is lost, or is torn at sectors of
512 bytes, each by itself and in any order; new, changed and deleted names follow one another, as
journalled file systems keep them, and end somewhere between the last sync of the folder and now.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.power.trace import Create, Rename, Said, Step, Sync, Truncate, Unlink, Write

SECTOR_BYTES = 512
VOLATILE = ("-shm",)
"""Shared memory, which a cut leaves as it likes; SQLite makes it anew."""

Change = Write | Truncate
Naming = Create | Unlink | Rename


class Luck(Enum):
    """What becomes of what was not synced."""

    LOST = auto()
    KEPT = auto()
    MIXED = auto()


@dataclass(slots=True)
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Change] = field(default_factory=list)

    def sync(self) -> None:
        for change in self.pending:
            _apply(self.durable, change)
        self.pending.clear()


@dataclass(frozen=True, slots=True)
class Image:
    """One state of the disk, and what the program had said by then."""

    files: dict[str, bytes]
    said: tuple[str, ...]
    pending: int
    """How many writes and names were in the air."""


class Disk:
    """Takes the steps of a program one after another; `image` is what a cut leaves now."""

    def __init__(self) -> None:
        self._names: dict[str, _File] = {}
        self._durable_names: dict[str, _File] = {}
        self._namings: list[tuple[Naming, _File]] = []
        self._said: list[str] = []

    def take(self, step: Step) -> None:
        match step:
            case Said():
                self._said.extend(step.text.splitlines())
            case Create():
                if step.path not in self._names:
                    self._name(step, _File())
            case Unlink() | Rename():
                if step.path in self._names:
                    self._name(step, self._names[step.path])
            case Sync(path=""):
                self._durable_names = dict(self._names)
                self._namings.clear()
            case Sync():
                if step.path in self._names:
                    self._names[step.path].sync()
            case Write() | Truncate():
                if not step.path.endswith(VOLATILE):
                    self._names[step.path].pending.append(step)

    def image(self, luck: Luck, chance: random.Random) -> Image:
        """Cut the power: return what is there when it comes back."""
        names = dict(self._durable_names)
        count = len(self._namings)
        kept = {Luck.LOST: 0, Luck.KEPT: count, Luck.MIXED: chance.randint(0, count)}[luck]
        for naming, file in self._namings[:kept]:
            _rename(names, naming, file)
        files = {
            path: _survived(file, luck, chance)
            for path, file in names.items()
            if not path.endswith(VOLATILE)
        }
        pending = count + sum(len(file.pending) for file in self._names.values())
        return Image(files, tuple(self._said), pending)

    def _name(self, naming: Naming, file: _File) -> None:
        self._namings.append((naming, file))
        _rename(self._names, naming, file)


def images(
    steps: list[Step], cuts: Iterable[tuple[int, Luck, int]]
) -> Iterator[tuple[tuple[int, Luck, int], Image]]:
    """Walk through a program once; yield the image of each cut.

    Args:
        steps: what the program did.
        cuts: after how many steps, with which luck, and a seed for it; in order.
    """
    disk, taken = Disk(), 0
    for cut in sorted(cuts, key=lambda cut: cut[0]):
        while taken < cut[0]:
            disk.take(steps[taken])
            taken += 1
        yield cut, disk.image(cut[1], random.Random(cut[2]))


def _rename(names: dict[str, _File], naming: Naming, file: _File) -> None:
    match naming:
        case Create():
            names[naming.path] = file
        case Unlink():
            names.pop(naming.path, None)
        case Rename():
            names.pop(naming.path, None)
            names[naming.target] = file


def _survived(file: _File, luck: Luck, chance: random.Random) -> bytes:
    if luck is Luck.LOST or not file.pending:
        return bytes(file.durable)
    content = bytearray(file.durable)
    for change in file.pending:
        if luck is Luck.KEPT:
            _apply(content, change)
            continue
        match chance.choice(("lost", "kept", "torn")):
            case "kept":
                _apply(content, change)
            case "torn" if isinstance(change, Write):
                _tear(content, change, chance)
            case _:
                pass
    return bytes(content)


def _tear(content: bytearray, write: Write, chance: random.Random) -> None:
    """Let some sectors of a write reach the disk, and others not."""
    place = write.offset
    end = place + len(write.data)
    while place < end:
        edge = min(end, (place // SECTOR_BYTES + 1) * SECTOR_BYTES)
        if chance.random() < 0.5:
            piece = write.data[place - write.offset : edge - write.offset]
            _apply(content, Write(write.path, place, piece))
        place = edge


def _apply(content: bytearray, change: Change) -> None:
    match change:
        case Write():
            end = change.offset + len(change.data)
            if len(content) < end:
                content.extend(bytes(end - len(content)))
            content[change.offset : end] = change.data
        case Truncate():
            del content[change.size :]
            content.extend(bytes(change.size - len(content)))
