"""What passes between the hub and the nodes of its fleet: plain facts, no decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.core.pull import Grant, Stop
from shared.jobs import Priority
from shared.messages import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeBeat:
    """A node is here, with all that it has in hand."""

    node: str
    instance: str
    pool: str
    kinds: tuple[str, ...]
    slots: int
    held: tuple[Grant, ...]
    is_draining: bool
    metrics: Metrics | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeHeard:
    """The answer to a node's beat."""

    stops: tuple[Stop, ...]
    must_drain: bool
    next_seconds: float
    """When to call again at the latest."""
    silent_seconds: float
    """Who says nothing for this long counts as gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetNode:
    """A node, as it told of itself last."""

    node: str
    instance: str
    pool: str
    kinds: tuple[str, ...]
    slots: int
    held: int
    is_draining: bool
    """It takes nothing new, or was told so."""
    idle_since: datetime | None
    since: datetime
    seen_at: datetime
    metrics: Metrics | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetQueue:
    """Jobs of one kind and priority that the fleet is for."""

    kind: str
    priority: Priority
    waiting: int = 0
    running: int = 0
    oldest_wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetSeen:
    """The whole fleet, at a glance."""

    is_configured: bool
    is_broker_up: bool = False
    broker_error: str = ""
    kinds: tuple[str, ...] = ()
    queues: tuple[FleetQueue, ...] = ()
    nodes: tuple[FleetNode, ...] = ()
