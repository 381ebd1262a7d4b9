"""Knows the nodes of the fleet by what they say: who is here, who fell silent, who is to drain.

In memory alone: after a restart of the hub every node says its next beat, and is known again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.core.fleet_calls import FleetNode, NodeBeat
from hub.core.pull import LEFT_OUT_SHARE
from shared.environment import Environment
from shared.errors import LimitReached, NotFound
from shared.ids import JobId
from shared.protocol import Beats

BEAT_SECONDS = 5.0
"""How often a node says that it is here: what is cancelled ends within this."""
SILENT_SECONDS = 45.0
FORGET_SECONDS = 600.0
"""How long a silent node is remembered, so that one that comes back is not taken for a new one."""
NODES_MAX = 10_000
"""Names that are remembered: whoever has a key can think of any number of them."""


@dataclass(slots=True, eq=False)
class _Node:
    beat: NodeBeat
    """Without what it holds: the number of that is kept."""
    held: int
    since: datetime
    seen_at: datetime
    idle_since: datetime | None
    must_drain: bool = False
    left_out: dict[tuple[JobId, int], float] = field(default_factory=dict)
    """What it began and its beats do not tell, by fence: since when."""


class FleetNodes:
    def __init__(self, environment: Environment, beats: Beats | None = None) -> None:
        """Know nobody yet. `beats`: other times than BEAT_SECONDS and SILENT_SECONDS."""
        self._environment = environment
        self.beat_seconds = beats.every_seconds if beats else BEAT_SECONDS
        self.silent_seconds = beats.dead_seconds if beats else SILENT_SECONDS
        self._began_at = environment.monotonic()
        self._nodes: dict[str, _Node] = {}
        self._heard_at: dict[str, float] = {}
        """By name, also of nodes that have begun something and not said their first beat."""

    def hear(self, beat: NodeBeat) -> bool:
        """Note a beat; whether the node is to drain.

        Raises:
            LimitReached: `fleet_nodes_max`.
        """
        self.touch(beat.node)
        wall = self._environment.now()
        held = len(beat.held)
        beat = replace(beat, held=())
        node = self._nodes.get(beat.node)
        if node is None or _is_another(node.beat, beat):
            idle_since = None if held else wall
            node = _Node(beat, held, since=wall, seen_at=wall, idle_since=idle_since)
            self._nodes[beat.node] = node
        node.beat, node.held, node.seen_at = beat, held, wall
        if held:
            node.idle_since = None
        elif node.idle_since is None:
            node.idle_since = wall
        return node.must_drain

    def touch(self, name: str) -> None:
        """A node has called about something: it is here.

        Raises:
            LimitReached: `fleet_nodes_max`.
        """
        if name not in self._heard_at:
            self._forget()
            if len(self._heard_at) >= NODES_MAX:
                raise LimitReached(
                    "fleet_nodes_max",
                    f"The fleet has {NODES_MAX:,} nodes, which is the most.",
                    f"Names of nodes that are gone are free after {FORGET_SECONDS:.0f} s.",
                    retryable=True,
                )
        self._heard_at[name] = self._environment.monotonic()

    def busy(self, name: str) -> None:
        """A node has begun something."""
        if (node := self._nodes.get(name)) is not None:
            node.idle_since = None

    def left_out(self, name: str, missing: set[tuple[JobId, int]]) -> set[tuple[JobId, int]]:
        """Return what a node has left out of its beats for long enough to be lost.

        One beat alone may have crossed the answer that let it begin.
        """
        node = self._nodes[name]
        now = self._environment.monotonic()
        node.left_out = {one: node.left_out.get(one, now) for one in missing}
        apart_seconds = self.beat_seconds * LEFT_OUT_SHARE
        return {one for one, since in node.left_out.items() if now - since >= apart_seconds}

    def is_silent(self, name: str) -> bool:
        """Say whether nothing was heard of a node for too long, since this hub began to listen."""
        heard_at = self._heard_at.get(name, self._began_at)
        return self._environment.monotonic() - heard_at >= self.silent_seconds

    def drain(self, name: str) -> FleetNode:
        """Let a node take nothing new. Idempotent.

        Raises:
            NotFound: `fleet_node_unknown`.
        """
        if name not in self._nodes or self.is_silent(name):
            raise NotFound(
                "fleet_node_unknown",
                f"No node of the fleet is called {name}.",
                "`deskhand-hub fleet` lists those that are here.",
            )
        self._nodes[name].must_drain = True
        return _told(self._nodes[name])

    def here(self) -> tuple[FleetNode, ...]:
        """Those that are here, by name."""
        self._forget()
        return tuple(
            _told(node) for name, node in sorted(self._nodes.items()) if not self.is_silent(name)
        )

    def _forget(self) -> None:
        """Let those go that are gone for long."""
        now = self._environment.monotonic()
        for name, heard_at in list(self._heard_at.items()):
            if now - heard_at >= max(FORGET_SECONDS, self.silent_seconds):
                del self._heard_at[name]
                self._nodes.pop(name, None)


def _is_another(before: NodeBeat, now: NodeBeat) -> bool:
    """Whether another program has a name now.

    One that was started by hand may be so again after it drained; who drains never goes back.
    """
    if before.instance != now.instance:
        return True
    return not now.instance and before.is_draining and not now.is_draining


def _told(node: _Node) -> FleetNode:
    beat = node.beat
    return FleetNode(
        node=beat.node,
        instance=beat.instance,
        pool=beat.pool,
        kinds=beat.kinds,
        slots=beat.slots,
        held=node.held,
        is_draining=beat.is_draining or node.must_drain,
        idle_since=node.idle_since,
        since=node.since,
        seen_at=node.seen_at,
        metrics=beat.metrics,
    )
