"""Which tasks a page shows: read from its address, and written into the links that change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple, TypeVar
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from hub.core.task_row import SEARCH_CHARS_MAX, RowCursor, RowFilter, RowSort
from hub.frontends.facts import PLACES
from shared.errors import BadInput
from shared.ids import PersonId, WorkerId, is_uuid
from shared.jobs import JobState, Origin, Priority

KIND_CHARS_MAX = 100
DATE_FORMAT = "%Y-%m-%d"

E = TypeVar("E", bound=StrEnum)
Pairs = tuple[tuple[str, str], ...]


class Shelf(NamedTuple):
    """States that people see as one."""

    name: str
    label: str
    tone: str
    icon: str
    states: frozenset[JobState]


SHELVES: Sequence[Shelf] = (
    Shelf("waiting", "Waiting", "waiting", "queued", frozenset({JobState.QUEUED})),
    Shelf(
        "running",
        "Running",
        "running",
        "running",
        frozenset({JobState.GRANTED, JobState.RUNNING}),
    ),
    Shelf(
        "asking",
        "Asking",
        "asking",
        "asking",
        frozenset({JobState.ASKING, JobState.INTERRUPTED}),
    ),
    Shelf("done", "Done", "done", "succeeded", frozenset({JobState.SUCCEEDED})),
    Shelf("failed", "Failed", "failed", "failed", frozenset({JobState.FAILED, JobState.DEAD})),
    Shelf("cancelled", "Cancelled", "plain", "cancelled", frozenset({JobState.CANCELLED})),
)
_SHELVES: Mapping[str, Shelf] = {shelf.name: shelf for shelf in SHELVES}
ORIGINS: Mapping[Origin, str] = {
    Origin.CHAT: "a chat",
    Origin.GROUP: "a group chat",
    Origin.LOCAL: "a computer",
    Origin.API: "the API",
}
PRIORITIES: Mapping[Priority, str] = {
    Priority.HIGH: "High",
    Priority.DEFAULT: "Default",
    Priority.LOW: "Low",
}


class Chip(NamedTuple):
    """A filter that is on, and the address without it."""

    label: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    filter: RowFilter
    sort: RowSort = RowSort.NEWEST
    cursor: RowCursor | None = None
    shelf: str = ""
    """The name of the one shelf that is shown; empty for all of them."""
    pairs: Pairs = ()
    """What stands in the address, without the place in the list."""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        return self.filter.is_open

    def shown_on(self, shelf: str) -> str:
        """The address with this shelf instead of the present one."""
        return self._with("state", shelf)

    def sorted_by(self, sort: RowSort) -> str:
        return self._with("sort", "" if sort is RowSort.NEWEST else sort)

    def at(self, cursor: RowCursor) -> str:
        return _address((*self.pairs, ("cursor", cursor.write())))

    @property
    def address(self) -> str:
        """Of the first page."""
        return _address(self.pairs)

    def _with(self, name: str, value: str) -> str:
        kept = tuple(pair for pair in self.pairs if pair[0] != name)
        return _address((*kept, (name, value)) if value else kept)

    def chips(self, workers: Mapping[str, str], people: Mapping[str, str]) -> list[Chip]:
        """Every filter that is on, but for the shelf, which shows by itself."""
        return [
            Chip(_words(name, value, workers, people), self._with(name, ""))
            for name, value in self.pairs
            if name not in ("state", "sort")
        ]


def _words(name: str, value: str, workers: Mapping[str, str], people: Mapping[str, str]) -> str:
    match name:
        case "q":
            return f"“{value}”"
        case "worker":
            return f"on {workers.get(value, 'a computer that is gone')}"
        case "priority":
            return f"{PRIORITIES[Priority(value)].lower()} priority"
        case "origin":
            return f"from {ORIGINS[Origin(value)]}"
        case "person":
            return f"{people.get(value, 'somebody')}’s"
        case "since" | "until":
            return f"{name} {value}"
        case _:
            return value


def read_wanted(query: QueryParams, whose: PersonId | None, zone: tzinfo | None) -> Wanted:
    """Read an address.

    Args:
        query: of the address, written by anybody.
        whose: whose tasks may be shown; None for everybody's.
        zone: of the person who looks, for dates.

    Raises:
        BadInput: `filter_invalid`, `cursor_invalid`.
    """
    shelf = query.get("state", "")
    if shelf and shelf not in _SHELVES:
        raise _invalid("state", shelf)
    sort = _member(RowSort, "sort", query.get("sort", "")) or RowSort.NEWEST
    until = _date("until", query.get("until", ""), zone)
    wanted = RowFilter(
        person_id=whose or PersonId(_id("person", query.get("person", ""))) or None,
        states=_SHELVES[shelf].states if shelf else frozenset(),
        kind=query.get("kind", "")[:KIND_CHARS_MAX],
        worker_id=WorkerId(_id("worker", query.get("worker", ""))) or None,
        priority=_member(Priority, "priority", query.get("priority", "")),
        origin=_member(Origin, "origin", query.get("origin", "")),
        since=_date("since", query.get("since", ""), zone),
        # The whole of the last day counts.
        until=until + timedelta(days=1) if until else None,
        words=query.get("q", "").strip()[:SEARCH_CHARS_MAX],
    )
    cursor = query.get("cursor", "")
    names = ("state", "q", "kind", "worker", "priority", "origin", "since", "until", "person")
    told = {name: query.get(name, "").strip()[:SEARCH_CHARS_MAX] for name in (*names, "sort")}
    return Wanted(
        filter=wanted,
        sort=sort,
        cursor=RowCursor.read(cursor, sort) if cursor else None,
        shelf=shelf,
        pairs=tuple((name, value) for name, value in told.items() if value),
        fields=told,
    )


def place_of(conversation: str, origin: Origin) -> str:
    """Where something was asked: "on Telegram", "at a computer"."""
    frontend = conversation.partition(":")[0]
    if frontend:
        return f"on {PLACES.get(frontend, frontend)}"
    return {Origin.LOCAL: "at a computer", Origin.API: "over the API"}.get(origin, "")


def _address(pairs: Pairs) -> str:
    return f"/?{urlencode(pairs)}" if pairs else "/"


def _member(members: type[E], name: str, value: str) -> E | None:
    if not value:
        return None
    try:
        return members(value)
    except ValueError:
        raise _invalid(name, value) from None


def _id(name: str, value: str) -> str:
    if value and not is_uuid(value):
        raise _invalid(name, value)
    return value


def _date(name: str, value: str, zone: tzinfo | None) -> datetime | None:
    if not value:
        return None
    try:
        day = datetime.strptime(value, DATE_FORMAT).date()  # noqa: DTZ007 - a day has no zone
        return datetime.combine(day, time.min, tzinfo=zone).astimezone()
    except (ValueError, OverflowError):
        raise _invalid(name, value) from None


def _invalid(name: str, value: str) -> BadInput:
    return BadInput(
        "filter_invalid",
        f"The list cannot be filtered by {name} '{value[:40]}'.",
        "Take one of the filters above the list.",
    )
