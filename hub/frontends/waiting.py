"""Why a job has not started yet, what makes it start, and where else it could run."""

from __future__ import annotations

from datetime import datetime

from hub.core.placement import Waiting, WaitingReason
from hub.core.view import Button
from hub.frontends.facts import Facts
from hub.frontends.figures import capital, duration, plural, quoted
from shared.capabilities import Lacking
from shared.events import JobQueued

TOOLS = {
    "ml": "training tools",
    "data": "tools to read tables",
    "files": "tools to read tables",
    "llm": "tools to ask language models",
    "plan": "tools to ask language models",
    "web": "tools for web research",
    "code": "tools to work on code",
}
"""What a family of kinds needs, in the words of somebody who lacks it."""
ALTERNATIVES_MAX = 3
HAD_SHOWN_MAX = 12
_HELD_UP = frozenset(
    {
        WaitingReason.WORKER_OFFLINE,
        WaitingReason.PAUSED,
        WaitingReason.KIND_MISSING,
        WaitingReason.TOOLS_MISSING,
    }
)


def why_waiting(facts: Facts) -> str:  # noqa: C901, PLR0911 - one row for each reason
    """Why a job has not started yet, and what makes it start."""
    waiting = facts.waiting
    if waiting is None:
        return f"{capital(facts.doing)}{facts.where} …"
    name = waiting.worker or "the computer"
    match waiting.reason:
        case WaitingReason.STARTING:
            return f"Starting on {name} …"
        case WaitingReason.NO_WORKER:
            return "No computer is connected. Queued; starts when one is. /connect pairs one."
        case WaitingReason.KIND_MISSING if waiting.lacking is not None:
            return _lacks(name, waiting.lacking)
        case WaitingReason.KIND_MISSING:
            return f"None of your computers can do this ({waiting.kind}). Queued until one can."
        case WaitingReason.TOOLS_MISSING:
            return f"{lacks_words(waiting)} {remedy(waiting)} Queued until then."
        case WaitingReason.WORKER_OFFLINE:
            away = "cannot be reached now" if waiting.is_fleet else "is asleep or offline"
            return f"{name} {away}{_seen(facts)}. Queued; starts when it is back."
        case WaitingReason.ALL_OFFLINE:
            last = f" {name} was seen last, {facts.clock(waiting.since)}." if waiting.since else ""
            return f"None of your computers is online.{last} Queued; starts when one is back."
        case WaitingReason.PAUSED:
            resume = f"/worker {quoted(waiting.worker or 'NAME')} resume"
            return f"{_subject(waiting.worker)} is paused. Queued; {resume} lets it start."
        case WaitingReason.BUSY:
            ahead = f", behind {plural(waiting.ahead, 'other job')}" if waiting.ahead else ""
            return f"Queued{ahead}; starts when {name} has room."
        case WaitingReason.DECLINED:
            detail = f" {waiting.detail}" if waiting.detail else ""
            return f"{_subject(waiting.worker)} cannot take it now.{detail} Queued."
        case WaitingReason.RETRY_WAIT:
            return f"Tried again{_in(waiting.until, facts)}."


def lacks_words(waiting: Waiting) -> str:
    """Say which machine comes nearest to what a job asks for, and what it has instead."""
    missing = " and ".join(waiting.missing)
    had = ", ".join(waiting.had[:HAD_SHOWN_MAX])
    has = f"; it has {had}" if had else ""
    return f"This asks for {missing}, which {waiting.worker or 'the computer'} does not have{has}."


def remedy(waiting: Waiting) -> str:
    """Say how a machine gets what it lacks for a kind."""
    if waiting.kind.partition(".")[0] == "code":
        return f"On {waiting.worker or 'it'}, deskhand agents tells how to get it."
    return f"Add it on {waiting.worker or 'it'}."


def _lacks(machine: str, lacking: Lacking) -> str:
    tools = TOOLS.get(lacking.kind.partition(".")[0], f"tools for {lacking.kind}")
    size = f" (about {lacking.download_mb:,} MB)" if lacking.download_mb else ""
    return (
        f"{machine} has no {tools}. On {machine} run: {lacking.command}{size}. Queued until then."
    )


def _subject(worker: str | None) -> str:
    """Begin a sentence with a machine: its name is written as its owner wrote it."""
    return worker or "The computer"


def _seen(facts: Facts) -> str:
    since = facts.waiting.since if facts.waiting else None
    return f" (last seen {facts.clock(since)})" if since else ""


def _in(then: datetime | None, facts: Facts) -> str:
    wait = (then - facts.now).total_seconds() if then else 0.0
    return f" in {duration(wait)}" if wait >= 1 else " now"


def retry_line(body: JobQueued, facts: Facts) -> str:
    why = f": {facts.failure.message}" if facts.failure else "."
    again = f"Trying again{_in(body.not_before, facts)}."
    return f"{capital(facts.doing)}{facts.where} failed{why} {again}"


def elsewhere(facts: Facts) -> tuple[Button, ...]:
    """Computers that are here and could run what waits for one that is not."""
    waiting = facts.waiting
    if waiting is None or waiting.reason not in _HELD_UP:
        return ()
    return tuple(
        Button(label=f"Use {name} instead", says=f"/move {facts.job_id} {quoted(name)}")
        for name in waiting.alternatives[:ALTERNATIVES_MAX]
    )
