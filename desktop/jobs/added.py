"""Kinds of other packages, by the entry-point group `deskhand.jobs`, beside the built-in ones.

A package names a list of (Kind, "module:function"). The list is imported when a kind is asked for
that is not built in, or when all are; the function, in its job's own child alone. A list that is
broken is told (`TROUBLES`) and takes no other along. That a kind is here allows nobody to use it:
the owner's policy names its family as it names others.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from desktop.jobs import EXECUTORS as OWN_EXECUTORS
from shared.kinds import Inputs, Kind, Output
from shared.kinds.catalogue import BUILT_IN
from shared.kinds.foreign import is_foreign_name
from shared.plain_text import plain_line

GROUP = "deskhand.jobs"
KINDS_MAX = 32
"""Of one package."""
TROUBLE_CHARS_MAX = 300
_ADDRESS = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", re.ASCII)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Added:
    """What other packages bring."""

    kinds: Mapping[str, Kind]
    executors: Mapping[str, str]
    troubles: Mapping[str, str]
    """Package -> why what it brings, or a part of it, is not used."""


class Misfit(Exception):
    """What a package brings cannot be used; its text says why."""


@cache
def added() -> Added:
    """Import what packages bring, once for each process; whatever they do is told, not raised."""
    kinds: dict[str, Kind] = {}
    executors: dict[str, str] = {}
    troubles: dict[str, str] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda one: (one.value, one.name)):
        package = plain_line(point.dist.name if point.dist else point.value)[:100]
        try:
            brought = _brought(point, kinds)
        except Exception as error:
            troubles[package] = _words(error)
        except SystemExit:
            troubles[package] = "it tried to end the program"
        else:
            kinds |= {kind.name: kind for kind, _ in brought}
            executors |= {kind.name: executor for kind, executor in brought}
    return Added(kinds, executors, troubles)


def _brought(point: EntryPoint, known: Mapping[str, Kind]) -> list[tuple[Kind, str]]:
    brought = point.load()
    if not isinstance(brought, list | tuple) or len(brought) > KINDS_MAX:
        raise Misfit(f"{point.value} is no list of (Kind, executor) with {KINDS_MAX} at most")
    checked = [_checked(one) for one in brought]
    names = [kind.name for kind, _ in checked]
    for name in names:
        if name in known or names.count(name) > 1:
            raise Misfit(f"{name} is brought more than once")
    return checked


def _checked(one: object) -> tuple[Kind, str]:
    kind, executor = one if isinstance(one, tuple) and len(one) == 2 else (None, None)
    if not isinstance(kind, Kind) or not isinstance(executor, str):
        raise Misfit('each entry has to be (Kind, "module:function")')
    if fault := _fault(kind, executor):
        raise Misfit(fault)
    return kind, executor


def _fault(kind: Kind, executor: str) -> str:
    """Say why a kind cannot be added; empty when it can."""
    name = plain_line(str(kind.name))[:100]
    if not is_foreign_name(name):
        return f"'{name}' is no name: family.verb in small letters, in a family of its own"
    if not _ADDRESS.fullmatch(executor):
        return f'the executor of {name} has to be "module:function"'
    if kind.is_shared or kind.is_apart or kind.makes:
        return f"{name} has to run in a child of its own and may make no jobs"
    if not (_derives(kind.inputs, Inputs) and _derives(kind.output, Output)):
        return f"the inputs and the output of {name} have to be Inputs and Output of shared.kinds"
    missing = [field for field, told in kind.inputs.model_fields.items() if told.is_required()]
    if missing:
        return f"the input '{missing[0]}' of {name} has no default; what is missing is asked for"
    return ""


def _derives(shape: object, base: type) -> bool:
    return isinstance(shape, type) and issubclass(shape, base)


def _words(error: Exception) -> str:
    said = str(error) if isinstance(error, Misfit) else f"{type(error).__name__}: {error}"
    return plain_line(said)[:TROUBLE_CHARS_MAX]


class _Both(Mapping[str, T]):
    """What is built in, and behind it what packages bring; imported when that is wanted."""

    def __init__(self, own: Mapping[str, T], part: str) -> None:
        self._own = own
        self._part = part

    def __getitem__(self, name: str) -> T:
        return self._own[name] if name in self._own else self._others[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from self._others

    def __len__(self) -> int:
        return len(self._own) + len(self._others)

    @property
    def _others(self) -> Mapping[str, T]:
        others: Mapping[str, T] = getattr(added(), self._part)
        return others


KINDS: Mapping[str, Kind] = _Both(BUILT_IN, "kinds")
EXECUTORS: Mapping[str, str] = _Both(OWN_EXECUTORS, "executors")
"""Kind -> "module:function"."""
