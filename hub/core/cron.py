"""Five fields of cron in a time zone: the moments that they name, forward and back.

What cron means where clocks change is what Debian's cron does, which `cronsim` follows:

- A time that is skipped (spring) is the first moment after the gap.
- A time that comes twice (autumn) is its first coming alone.
- Whatever begins with a star in its minutes or hours ("every 15 minutes", "every 2 hours") goes
  by the clock's face: an hour that is skipped is skipped, one that comes twice counts twice. The
  library loses half an hour of it where clocks change by half an hour, so it is given faces
  without a zone here, from one change of the clock to the next.

The library is imported when the first schedule needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from shared.errors import BadInput
from shared.schedules import CRON_CHARS_MAX

if TYPE_CHECKING:
    from cronsim import CronSim

FIELDS = 5
NEVER_YEARS = 50
"""Cron that names no moment for so long names none."""
_SECOND = timedelta(seconds=1)
_SIGHT = timedelta(days=10)
"""No clock changes twice in so short a time."""
FIELD = re.compile(r"[0-9A-Za-z*/,#-]{1,40}", re.ASCII)


def checked(cron: str) -> str:
    """Write five fields of cron with single blanks, if they can ever be due.

    Raises:
        BadInput: `schedule_cron`.
    """
    parts = cron.split()
    if len(cron) > CRON_CHARS_MAX or len(parts) != FIELDS or not all(map(FIELD.fullmatch, parts)):
        raise _unfit(cron)
    told = " ".join(parts)
    if _first(told) is None:
        raise _unfit(cron)
    return told


def next_after(cron: str, zone: tzinfo, moment: datetime) -> datetime:
    """Return the first moment after another one, in UTC.

    Args:
        cron: checked.
        zone: where its clock stands.
        moment: aware.

    Raises:
        BadInput: `schedule_cron`, there is none within fifty years.
    """
    found = next(upcoming(cron, zone, moment), None)
    if found is None:
        raise _unfit(cron)
    return found


def upcoming(cron: str, zone: tzinfo, moment: datetime) -> Iterator[datetime]:
    """Yield the moments after another one, in order, in UTC."""
    # A little earlier, for the library starts from the face of the clock: in the second coming of
    # an hour it would begin with what was due in the first.
    last = moment
    for found in _walk(cron, zone, moment.astimezone(UTC) - timedelta(minutes=1)):
        due = found.astimezone(UTC)
        if due > last:
            last = due
            yield due


def last_before(cron: str, zone: tzinfo, moment: datetime) -> datetime | None:
    """Return the last moment that is not after another one, in UTC; None when there was none."""
    hours = 1
    while hours <= NEVER_YEARS * 366 * 24:
        found = None
        for due in upcoming(cron, zone, moment - timedelta(hours=hours)):
            if due > moment:
                break
            found = due
        if found is not None:
            return found
        hours *= 8
    return None


def count_between(
    cron: str, zone: tzinfo, after: datetime, until: datetime, *, count_max: int
) -> int:
    """Count the moments after one and not after another; no further than `count_max`."""
    count = 0
    for due in upcoming(cron, zone, after):
        if due > until or count >= count_max:
            break
        count += 1
    return count


def shortest_seconds(cron: str) -> float:
    """Return the shortest time between two moments, in seconds, on a day without surprises.

    Args:
        cron: checked.
    """
    made = _first(cron)
    assert made is not None
    minutes, hours = sorted(made.minutes), sorted(made.hours)
    gaps = [later - earlier for earlier, later in pairwise(minutes)]
    around = 60 - minutes[-1] + minutes[0]
    steps = [later - earlier for earlier, later in pairwise(hours)]
    steps.append(24 - hours[-1] + hours[0])  # the next day may be one of its days
    gaps.append((min(steps) - 1) * 60 + around)
    return min(gaps) * 60.0


@lru_cache(maxsize=512)
def _first(cron: str) -> CronSim | None:
    """Read five fields; None when they are none, or never due."""
    from cronsim import CronSim, CronSimError

    try:
        made = CronSim(cron, datetime(2026, 1, 1))  # noqa: DTZ001 - any day, read for its fields
        next(made)
    except (CronSimError, StopIteration):
        return None
    return made


def _walk(cron: str, zone: tzinfo, start: datetime) -> Iterator[datetime]:
    minutes, hours = cron.split()[:2]
    if minutes.startswith("*") or hours.startswith("*"):
        yield from _by_face(cron, zone, start)
    else:
        yield from _faces(cron, start.astimezone(zone))


def _by_face(cron: str, zone: tzinfo, start: datetime) -> Iterator[datetime]:
    """Yield every moment at which the clock shows what is wanted."""
    at: datetime | None = start
    while at is not None:
        offset, begun = _offset(at, zone), at
        at = None
        # From a second before, so that the moment itself is one.
        for face in _faces(cron, (begun + offset - _SECOND).replace(tzinfo=None)):
            due = (face - offset).replace(tzinfo=UTC)
            sight = min(due, begun + _SIGHT)
            if _offset(sight, zone) != offset:
                at = _change(zone, begun, sight)
                break
            if due > sight:
                at = sight
                break
            yield due
            begun = due


def _change(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """Find the second in which the clock changes between two moments."""
    offset = _offset(before, zone)
    low, high = before, after
    while high - low > _SECOND:
        middle = low + timedelta(seconds=(high - low) // (2 * _SECOND))
        if _offset(middle, zone) == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _faces(cron: str, start: datetime) -> Iterator[datetime]:
    from cronsim import CronSim

    try:
        walk = CronSim(cron, start)
        while True:
            yield next(walk)
    except (StopIteration, OverflowError):
        return


def _unfit(cron: str) -> BadInput:
    return BadInput(
        "schedule_cron",
        f"'{cron[:60]}' is no time that cron knows, or never comes.",
        'Five fields: minute, hour, day, month, weekday, as in "0 8 * * 1-5".',
    )
