"""How the worker stands with its hub, in words a person can use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.errors import ErrorBody, Unavailable

REFUSED_CODES = frozenset({"key_invalid", "worker_refused", "worker_revoked", "worker_unknown"})
"""Goodbyes of a hub after which there is no use in calling again."""
TOKEN_MISSING = "token_missing"  # noqa: S105 (it names an error)
REPLACED = "connection_replaced"
"""The goodbye to the earlier of two programs that run with one token."""


class LinkState(StrEnum):
    CONNECTING = "connecting"
    ONLINE = "online"
    OFFLINE = "offline"
    """Tries again by itself."""
    REFUSED = "refused"
    """The hub does not know this worker any more; trying again would not help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkStatus:
    state: LinkState
    error: ErrorBody | None = None
    """Why not online."""
    next_try_seconds: float | None = None
    done: int = 0
    """While connecting: how much of the hub's log was brought here at once, in events."""
    total: int = 0
    """Of how many; 0 when it is not brought at once."""


def refused_status(http_status: int) -> ErrorBody | None:
    """Say why a hub's answer to the handshake means "do not try again", or None for "later"."""
    if http_status in (401, 403):
        return ErrorBody(
            code="worker_refused",
            message="The hub does not accept this machine any more: it was revoked, or the hub "
            "was set up anew.",
            hint="Pair it again: ask the bot for a code with /connect, then `deskhand pair CODE`.",
        )
    return None


def replaced() -> ErrorBody:
    """Say why the earlier of two programs with one token stops: they would take turns for ever."""
    return ErrorBody(
        code=REPLACED,
        message="Another program has connected with this machine's token, so this one stops.",
        hint="Only one may run with it. If the other is not yours, show this computer out in the "
        "chat (/worker NAME revoke) and pair it again.",
    )


def later_status(http_status: int) -> ErrorBody:
    """Say why a hub turned the handshake down for now."""
    if http_status == 503:
        return ErrorBody(
            code="hub_full",
            message="The hub has no room for another connection now.",
            hint="It is tried again by itself.",
            retryable=True,
        )
    return ErrorBody(
        code="hub_odd_answer",
        message=f"The address answers, but not as a Deskhand hub does (HTTP {http_status}).",
        hint="Check the hub's address; it is tried again by itself.",
        retryable=True,
    )


def reason_of(error: Exception) -> str:
    """Say in plain words why a hub did not answer."""
    match error:
        case ConnectionRefusedError():
            return "nothing answers at that port"
        case TimeoutError():
            return "no answer in time"
        case ConnectionError() | EOFError():
            return "the line was cut"
        case OSError() if error.errno is not None and error.errno < 0:
            return "its name is not known"  # getaddrinfo's own numbers are negative on Linux
        case OSError():
            return "the network is not there"
        case _:
            return "it does not answer as a hub does"


def unreachable(host: str, reason: str) -> ErrorBody:
    return ErrorBody(
        code="hub_unreachable",
        message=f"The hub at {host} cannot be reached ({reason}).",
        hint="Jobs go on; results wait here. It is tried again by itself.",
        retryable=True,
    )


def token_missing() -> Unavailable:
    return Unavailable(
        TOKEN_MISSING,
        "The token this machine got when it was paired cannot be read: it is gone, or the "
        "system's safe is locked.",
        "Log in to unlock the safe, or pair again: deskhand pair CODE --hub URL",
    )
