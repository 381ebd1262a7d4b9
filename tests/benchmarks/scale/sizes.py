"""How much of everything `scale.bench` measures: whole, or quick, to see that it works."""

from __future__ import annotations

import resource
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    idle: tuple[int, ...] = (1_000, 5_000, 10_000)
    """Workers connected, step by step; the last is also how many lose the hub at once."""
    each: int = 100
    """Of one person: as many as the product allows."""
    beat_seconds: float = 15.0
    """The product's own; idle workers are watched for one of it, in which each beats once."""
    granted: int = 1_000
    """Jobs that run while the hub is killed."""
    busy_workers: int = 300
    busy_each: int = 10
    busy_jobs: tuple[int, ...] = (500, 1_000, 2_000)
    followers: int = 100
    followed_jobs: int = 500
    progress_jobs: int = 100
    progress_rate: float = 1_000.0
    progress_seconds: float = 5.0
    store_jobs: int = 200_000
    may_take_larger: bool = True
    """Whether a larger store that is kept from an earlier run is measured instead."""


QUICK = Sizes(
    idle=(50, 100, 200),
    each=50,
    beat_seconds=3.0,
    granted=50,
    busy_workers=30,
    busy_jobs=(50, 100, 200),
    followers=20,
    followed_jobs=50,
    progress_jobs=20,
    progress_rate=200.0,
    progress_seconds=2.0,
    store_jobs=5_000,
    may_take_larger=False,
)
SPARE_FILES = 500
"""What a hub has open beside its workers' sockets."""


def allow_files(wanted: int) -> int:
    """Allow as many open files as may be; return for how many workers it suffices."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE_FILES
    if hard != resource.RLIM_INFINITY:
        needed = min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return min(wanted, needed - SPARE_FILES)
