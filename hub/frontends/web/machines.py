"""Computers in the words and bars of the dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.core.condition import Condition, is_disk_full
from hub.core.view import size
from hub.frontends.facts import VERBS
from hub.frontends.figures import plural
from hub.frontends.waiting import TOOLS
from hub.services.machines import Machine
from shared.capabilities import Lacking, family_of
from shared.plain_text import plain_line

CODING_MAX = 8
"""Words of each sort that are shown."""

FLEET_AWAY = (
    "The hub cannot reach the fleet's broker. What has begun there goes on; nothing new goes there "
    "until the broker answers, which the hub tries all the time."
)

MARKS: Mapping[Condition, tuple[str, str, str]] = {
    Condition.IDLE: ("done", "idle", "Idle"),
    Condition.BUSY: ("running", "busy", "Busy"),
    Condition.ASKING: ("asking", "asking", "Waiting for you"),
    Condition.TROUBLED: ("failed", "warning", "Error"),
    Condition.OFFLINE: ("plain", "offline", "Offline"),
    Condition.PAUSED: ("waiting", "paused", "Paused"),
    Condition.DRAINING: ("waiting", "paused", "Draining"),
}
"""A condition's tone, icon and word."""


@dataclass(frozen=True, slots=True)
class Bar:
    label: str
    share: float
    """0..1."""
    says: str
    """The share, in figures."""
    more: str = ""
    """Of how much."""
    is_tight: bool = False
    """Little is left."""


def bars(machine: Machine) -> tuple[Bar, ...]:
    """How busy a computer is, as it said last; nothing while it is away."""
    metrics = machine.card.metrics
    if metrics is None:
        return ()
    told = [Bar("CPU", min(1.0, metrics.cpu_share), f"{min(1.0, metrics.cpu_share):.0%}")]
    if total := metrics.memory_total_bytes:
        used = min(1.0, metrics.memory_used_bytes / total)
        more = f"{size(metrics.memory_used_bytes)} of {size(total)}"
        told.append(Bar("Memory", used, f"{used:.0%}", more, is_tight=used > 0.9))
    if metrics.battery_share is not None:
        left = metrics.battery_share
        told.append(Bar("Battery", left, f"{left:.0%}", is_tight=left < 0.2))
    return tuple(told)


def disk(machine: Machine) -> str:
    """How much room is left; empty while it is away."""
    metrics = machine.card.metrics
    return f"{size(metrics.disk_free_bytes)} of disk free" if metrics else ""


def trouble(machine: Machine) -> str:
    """What is wrong with a computer, and what can be done; empty when nothing is."""
    if machine.is_mistrusted:
        return (
            "Its reports do not carry its signature and are not counted. Show it out and connect "
            "it anew."
        )
    if machine.card.worker.is_fleet and not machine.card.is_online:
        return FLEET_AWAY
    if machine.card.is_online and is_disk_full(machine.card.metrics):
        return f"Its disk is full: {disk(machine)}. Make room, or pause it."
    return ""


def system(machine: Machine) -> str:
    """What runs there: "Linux · Deskhand 0.1.0", or that it fetches its work."""
    worker = machine.card.worker
    if worker.is_fleet:
        return "Machines of this hub"
    if worker.pulls:
        return " · ".join(
            part for part in ("Fetches its work over the API", worker.app_version) if part
        )
    version = f"Deskhand {worker.app_version}" if worker.app_version else ""
    return " · ".join(part for part in (worker.platform, version) if part)


def standing(machine: Machine) -> str:
    """What it has in hand and could take: "1 of 2 slots free"."""
    card = machine.card
    if not card.is_online:
        held = len(machine.jobs)
        return f"{plural(held, 'job')} {'stays' if held == 1 else 'stay'} with it" if held else ""
    if card.worker.is_paused:
        return "Takes nothing new until it is resumed"
    if card.worker.is_fleet:
        return f"{plural(len(machine.jobs), 'job')} there" if machine.jobs else "Nothing in hand"
    if card.slots == 0:
        return "Paused at the machine itself"
    return f"{card.free} of {plural(card.slots, 'slot')} free"


def verbs(machine: Machine) -> str:
    """What people have it do: "train, predict"; empty when it has no tools yet."""
    kinds = [capability.kind for capability in machine.card.worker.capabilities]
    if machine.card.worker.is_fleet:
        return ", ".join(dict.fromkeys(VERBS.get(kind, f"run {kind}") for kind in kinds))
    return ", ".join(dict.fromkeys(VERBS[kind] for kind in kinds if kind in VERBS))


def coding(machine: Machine) -> str:
    """Say what it codes with: "builtin, codex, git; python, rust"; empty when it does not."""
    for capability in machine.card.worker.capabilities:
        if family_of(capability.kind) == "code" and capability.tools:
            told = (capability.tools[:CODING_MAX], capability.specializations[:CODING_MAX])
            return plain_line("; ".join(", ".join(words) for words in told if words))
    return ""


def missing(lacking: Lacking) -> str:
    """What a computer has no tools for: "No training tools (about 310 MB)"."""
    tools = TOOLS.get(lacking.kind.partition(".")[0], f"tools for {lacking.kind}")
    room = f" (about {lacking.download_mb:,} MB)" if lacking.download_mb else ""
    return f"No {tools}{room}"


def remedies(machine: Machine) -> Mapping[str, str]:
    """Each command that mends something, with what it mends; several kinds may share one."""
    return {lack.command: missing(lack) for lack in machine.lacking}
