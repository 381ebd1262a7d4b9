"""Why jobs wait, in sentences about as many as wait for the same thing, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.core.backlog import Group
from hub.core.placement import Waiting, WaitingReason
from hub.frontends.facts import VERBS
from hub.frontends.figures import ago, duration, plural
from hub.frontends.waiting import TOOLS, lacks_words

AGENTS_COMMAND = "deskhand agents"
"""Tells what a machine has for coding, and how to get what it lacks."""


@dataclass(frozen=True, slots=True)
class Reason:
    tone: str
    icon: str
    says: str
    command: str = ""
    """To be run on the computer that the sentence names."""
    href: str = ""
    label: str = ""


def reason(group: Group, now: datetime) -> Reason:  # noqa: PLR0911 - one row for each reason
    """Say why a group of jobs waits."""
    waiting = group.waiting
    jobs = f"{plural(group.count, 'job')} {'waits' if group.count == 1 else 'wait'}"
    page = f"/workers/{waiting.worker_id}" if waiting.worker_id else "/workers"
    see = ("Look at it", page) if waiting.worker_id else ("Look at them", page)
    match waiting.reason:
        case WaitingReason.NO_WORKER:
            says = f"{jobs} for a computer: none is connected."
            return Reason("failed", "offline", says, label="Connect a computer", href="/pair")
        case WaitingReason.KIND_MISSING:
            return _missing(jobs, waiting, page)
        case WaitingReason.TOOLS_MISSING:
            says = f"{jobs}. {lacks_words(waiting)} Run this on {waiting.worker}:"
            return Reason("failed", "warning", says, AGENTS_COMMAND)
        case WaitingReason.WORKER_OFFLINE | WaitingReason.ALL_OFFLINE:
            return Reason("waiting", "offline", _offline(jobs, waiting, now), "", *reversed(see))
        case WaitingReason.PAUSED:
            says = f"{jobs} for {waiting.worker or 'a computer'}, which is paused."
            return Reason("waiting", "paused", says, "", *reversed(see))
        case WaitingReason.BUSY:
            room = "others like it to end" if waiting.is_light else "a free slot"
            says = f"{jobs} for {room}: every computer that can {doing(waiting)} is busy."
            return Reason("running", "busy", says, "", "/workers", "Look at them")
        case WaitingReason.DECLINED:
            says = f"{jobs}: {waiting.worker or 'the computer'} said no. {waiting.detail}".strip()
            return Reason("failed", "warning", says, "", *reversed(see))
        case WaitingReason.RETRY_WAIT:
            left = (waiting.until - now).total_seconds() if waiting.until else 0.0
            when = f"in {duration(left)}" if left >= 1 else "now"
            is_one = group.count == 1
            says = (
                f"{jobs} after a failure; {'it' if is_one else 'the first'} is tried again {when}."
            )
            return Reason("waiting", "retry", says)
        case WaitingReason.STARTING:
            return Reason("running", "granted", f"{plural(group.count, 'job')} about to start.")


def doing(waiting: Waiting) -> str:
    """What a computer must be able to do: "train"."""
    return VERBS.get(waiting.kind, f"run {waiting.kind}")


def _missing(jobs: str, waiting: Waiting, page: str) -> Reason:
    if (lacking := waiting.lacking) is not None:
        tools = TOOLS.get(lacking.kind.partition(".")[0], f"tools for {lacking.kind}")
        says = f"{jobs} for {tools}, which {waiting.worker} lacks. Run this on {waiting.worker}:"
        return Reason("failed", "warning", says, lacking.command)
    who = waiting.worker or "any of the computers"
    says = f"{jobs} to {doing(waiting)}: that cannot be done by {who}."
    return Reason("failed", "warning", says, "", page, "Look at what they can")


def _offline(jobs: str, waiting: Waiting, now: datetime) -> str:
    seen = f"seen {ago(waiting.since, now)}" if waiting.since else "never seen"
    if waiting.is_fleet:
        return f"{jobs} for {waiting.worker}, which cannot be reached now ({seen})."
    if waiting.reason is WaitingReason.WORKER_OFFLINE:
        return f"{jobs} for {waiting.worker}, which is offline ({seen})."
    return (
        f"{jobs} for a computer that can {doing(waiting)}: none is online. "
        f"{waiting.worker} was {seen} as the last one."
    )
