"""A pool of the fleet, and what is seen of it: its queues, its nodes, and where they run.

A *node* is a program that takes tickets; an *instance* is the process, container, machine or pod
that it runs in. The hub knows the nodes, a host knows the instances; a name joins them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pydantic import JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Nodes of one make, for some kinds."""

    name: str
    kinds: tuple[str, ...]
    nodes_min: int = 0
    nodes_max: int = 10
    slots: int = 1
    """Jobs that one node runs at once."""
    waiting_per_node: int = 1
    """So many waiting jobs are worth another node, beyond those that free slots take; never fewer
    than `slots`."""
    patience_seconds: float = 60.0
    """Fewer than that are worth a node, too, once one of them has waited for so long."""
    up_seconds: float = 10.0
    """Between two steps up."""
    idle_seconds: float = 120.0
    """A node that had nothing to do for so long may go; so long after a step up none goes."""
    start_seconds: float = 120.0
    """Within so long a node that was started is expected, and one that fell silent is again."""
    host: str = "process"
    settings: Mapping[str, JsonValue] = field(default_factory=dict, hash=False)
    """What its host needs: an image, an application, a namespace."""

    @property
    def jobs_per_node(self) -> int:
        """How many waiting jobs are worth a node."""
        return max(self.waiting_per_node, self.slots)


class InstanceState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """A process, container, machine or pod in which a node of the fleet runs."""

    name: str
    """As its host calls it; its node says it in `FleetBeat.instance`."""
    pool: str
    state: InstanceState
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Jobs of one kind that the fleet is for."""

    kind: str
    waiting: int
    """Nobody works on them."""
    running: int
    """Nodes work on them, or have asked a person."""
    oldest_wait_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node, as the hub sees it."""

    name: str
    instance: str
    """Empty when it was started by hand."""
    pool: str
    kinds: tuple[str, ...]
    slots: int
    held: int
    is_draining: bool = False
    idle_seconds: float | None = None
    """For how long nothing was in its hands, also between two looks; None when it is not known."""
    beat: str = ""
    """Another one with each sign of life."""

    @property
    def free(self) -> int:
        return 0 if self.is_draining else max(0, self.slots - self.held)
