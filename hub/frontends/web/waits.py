"""Why a job has not started yet, in a line of a list: shorter than a chat says it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hub.core.placement import Waiting, WaitingReason
from hub.frontends.figures import duration, plural
from hub.frontends.waiting import TOOLS


def why_line(  # noqa: C901, PLR0911 - one row for each reason
    waiting: Waiting, now: datetime, moment: Callable[[datetime], str]
) -> str:
    """Say why a job waits: "anna-pc is offline, last seen 14:02"."""
    name = waiting.worker or "the computer"
    match waiting.reason:
        case WaitingReason.STARTING:
            return f"About to start on {name}"
        case WaitingReason.NO_WORKER:
            return "No computer is connected"
        case WaitingReason.KIND_MISSING if waiting.lacking is not None:
            tools = TOOLS.get(waiting.kind.partition(".")[0], f"tools for {waiting.kind}")
            return f"{name} has no {tools}: run {waiting.lacking.command} there"
        case WaitingReason.KIND_MISSING:
            return f"No computer of yours can do {waiting.kind}"
        case WaitingReason.TOOLS_MISSING:
            return f"{name} has no {' and no '.join(waiting.missing)}"
        case WaitingReason.WORKER_OFFLINE:
            away = "cannot be reached now" if waiting.is_fleet else "is asleep or offline"
            return f"{name} {away}{_seen(waiting, moment)}"
        case WaitingReason.ALL_OFFLINE:
            return f"No computer that can do it is online{_seen(waiting, moment)}"
        case WaitingReason.PAUSED:
            return f"{name} is paused"
        case WaitingReason.BUSY:
            ahead = f", {plural(waiting.ahead, 'other job')} first" if waiting.ahead else ""
            full = "has enough like it in hand" if waiting.is_light else "has no free slot"
            return f"{name} {full}{ahead}"
        case WaitingReason.DECLINED:
            detail = f": {waiting.detail}" if waiting.detail else ""
            return f"{name} cannot take it now{detail}"
        case WaitingReason.RETRY_WAIT:
            wait = (waiting.until - now).total_seconds() if waiting.until else 0.0
            return f"Tried again in {duration(wait)}" if wait >= 1 else "Tried again now"


def _seen(waiting: Waiting, moment: Callable[[datetime], str]) -> str:
    return f", last seen {moment(waiting.since)}" if waiting.since else ""
