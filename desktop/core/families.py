"""Families of work as a person thinks of them, and what a policy says of each."""

from __future__ import annotations

from enum import StrEnum

from desktop.core.policy import Policy
from shared.jobs import Origin


class Family(StrEnum):
    """Kinds whose names begin alike."""

    DATA = "data"
    ML = "ml"
    LLM = "llm"
    FILES = "files"
    WEB = "web"
    CODE = "code"
    MACHINE = "machine"

    @property
    def pattern(self) -> str:
        return f"{self}.*"


def allowed(policy: Policy) -> frozenset[Family]:
    """Return the families whose every kind may be asked for in a chat."""
    patterns = policy.kinds.get(Origin.CHAT, ())
    return frozenset(f for f in Family if f.pattern in patterns or "*" in patterns)


def with_families(policy: Policy, wanted: frozenset[Family]) -> Policy:
    """Return a policy that lets chats ask for exactly these families.

    Only what changes is touched: an owner's finer rules for the other families stay, and so does
    what may be asked for at the machine itself. What chats may not do, programs and groups may
    not either; what comes back, comes back for programs as far as it is so by default.
    """
    before = allowed(policy)
    added, removed = wanted - before, before - wanted
    kinds: dict[Origin, tuple[str, ...]] = {Origin.CHAT: ()}
    for origin, patterns in policy.kinds.items():
        is_own = origin is Origin.LOCAL
        rest = patterns if is_own else _without(patterns, removed)
        kinds[origin] = _with(rest, added & _usual(origin))
    return policy.model_copy(
        update={"kinds": kinds, "send_files": _sending(policy, added, removed)}
    )


def _usual(origin: Origin) -> frozenset[Family]:
    """Return what is granted by a tick in the assistant; nothing to groups."""
    if origin is Origin.CHAT:
        return frozenset(Family)
    patterns = Policy().kinds.get(origin, ())
    return frozenset(f for f in Family if f.pattern in patterns)


def _sending(
    policy: Policy, added: frozenset[Family], removed: frozenset[Family]
) -> tuple[Origin, ...]:
    """Files of results leave by the same word as files that are asked for."""
    if Family.FILES in removed:
        return tuple(origin for origin in policy.send_files if origin is Origin.LOCAL)
    if Family.FILES in added and Origin.CHAT not in policy.send_files:
        return (*policy.send_files, Origin.CHAT)
    return policy.send_files


def _without(patterns: tuple[str, ...], removed: frozenset[Family]) -> tuple[str, ...]:
    if not removed:
        return patterns
    if "*" in patterns:
        patterns = tuple(f.pattern for f in Family)
    return tuple(p for p in patterns if p.partition(".")[0] not in removed)


def _with(patterns: tuple[str, ...], added: frozenset[Family]) -> tuple[str, ...]:
    if "*" in patterns:
        return patterns
    return (*patterns, *(f.pattern for f in Family if f in added and f.pattern not in patterns))
