"""The table of what may run for whom: families of work × where a wish comes from."""

from __future__ import annotations

from enum import StrEnum

from desktop.core.families import Family
from desktop.core.policy import Policy
from shared.jobs import Origin


class Permission(StrEnum):
    ALL = "all"
    SOME = "some"
    """Single kinds, as the file names them."""
    NONE = "none"


def permission(policy: Policy, family: Family, origin: Origin) -> Permission:
    """Say what a policy lets an origin ask for of a family."""
    patterns = policy.kinds.get(origin, ())
    if "*" in patterns or family.pattern in patterns:
        return Permission.ALL
    return Permission.SOME if any(_is_of(family, p) for p in patterns) else Permission.NONE


def with_permission(policy: Policy, family: Family, origin: Origin, *, is_allowed: bool) -> Policy:
    """Return a policy that allows all of a family to an origin, or nothing of it."""
    patterns = policy.kinds.get(origin, ())
    if "*" in patterns:
        if is_allowed:
            return policy
        patterns = tuple(other.pattern for other in Family)
    kept = tuple(p for p in patterns if not _is_of(family, p))
    wanted = (*kept, family.pattern) if is_allowed else kept
    return policy.model_copy(update={"kinds": {**policy.kinds, origin: wanted}})


def with_sending(policy: Policy, origin: Origin, *, is_allowed: bool) -> Policy:
    """Return a policy by which files leave, or do not leave, when an origin asks for them."""
    wanted = {*policy.send_files} - {origin} | ({origin} if is_allowed else set())
    return policy.model_copy(update={"send_files": tuple(o for o in Origin if o in wanted)})


def others(policy: Policy) -> tuple[tuple[Origin, str], ...]:
    """Return the rules of the file that stand in no row of the table."""
    patterns = {family.pattern for family in Family} | {"*"}
    return tuple(
        (origin, pattern)
        for origin, given in policy.kinds.items()
        for pattern in given
        if pattern not in patterns
    )


def _is_of(family: Family, pattern: str) -> bool:
    return pattern.partition(".")[0] == family
