"""What the scaler keeps of a pool between two looks at it.

Since when nodes are idle, what it started and never saw come, when it may try again. Times are
seconds of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from hub.core.pool import Instance, Node
from shared.backoff import Backoff

START_AGAIN = Backoff(first_seconds=10.0, factor=2.0, max_seconds=600.0)
"""After starts that failed. Without jitter: there is one scaler."""
PLAIN = 0.5
"""The random number that leaves a back-off as it is."""
LOOKS_MIN = 3
"""Nobody counts as gone before so many looks, however long they lie apart."""
BEATS_MIN = 2
"""Signs of life since it was seen to drain: what it took just before is told by then."""


class Alone(NamedTuple):
    """An instance whose node is not seen."""

    since: float
    looks: int


class Leaving(NamedTuple):
    """A node that drains."""

    instance: str
    beat: str
    beats: int
    held: int
    """In its hands when it was last seen."""

    @property
    def is_empty(self) -> bool:
        """Whether it has, beyond doubt, nothing in its hands."""
        return self.held == 0 and self.beats >= BEATS_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    up_at: float | None = None
    """The last step up."""
    failures: int = 0
    """Starts in a row that came to nothing."""
    retry_at: float | None = None
    failure: str = ""
    """What the last of them said."""
    awaited: frozenset[str] = frozenset()
    """Instances that were started and whose nodes have not come yet."""
    met: frozenset[str] = frozenset()
    """Instances whose nodes were seen."""
    alone: Mapping[str, Alone] = field(default_factory=dict)
    idle_since: Mapping[str, float] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()
    """Nodes that were asked to drain."""
    leaving: Mapping[str, Leaving] = field(default_factory=dict)

    def seen(self, nodes: Iterable[Node], instances: Iterable[Instance], now: float) -> Memory:
        """Take in a look: who is idle, who came, who never did."""
        here = {node.name: node for node in nodes}
        joined = {node.instance for node in here.values()}
        listed = {instance.name for instance in instances}
        met = (self.met | joined) & listed
        vanished = self.awaited - listed - joined
        looked = replace(
            self,
            met=met,
            awaited=self.awaited - met - vanished,
            alone={name: self._alone(name, now) for name in listed - joined},
            idle_since={
                name: self._idle_since(node, now) for name, node in here.items() if node.held == 0
            },
            asked=self.asked & set(here),
            leaving=self._leaving(here, listed),
        )
        if self.awaited & met:
            looked = replace(looked, failures=0, retry_at=None, failure="")
        if vanished:
            looked = looked.refused(f"{_instances(len(vanished))} ended before a node came", now)
        return looked

    def started(self, names: Iterable[str], now: float) -> Memory:
        """Note a step up."""
        return replace(self, up_at=now, awaited=self.awaited | frozenset(names))

    def refused(self, why: str, now: float) -> Memory:
        """Note a start that came to nothing; the next try waits longer each time."""
        failures = self.failures + 1
        wait = START_AGAIN.wait_seconds(failures, PLAIN)
        return replace(self, failures=failures, retry_at=now + wait, failure=why)

    def given_up(self, names: Iterable[str], now: float) -> Memory:
        """Note instances whose nodes are no longer expected; those that were never met failed."""
        never = self.awaited & set(names)
        if not never:
            return self
        kept = replace(self, awaited=self.awaited - never)
        return kept.refused(f"{_instances(len(never))} started, and no node came", now)

    def drained(self, names: Iterable[str]) -> Memory:
        """Note who was asked to drain."""
        return replace(self, asked=self.asked | frozenset(names))

    def is_gone(self, instance: str, seconds: float, now: float) -> bool:
        """Whether nothing was heard from within an instance for so long."""
        alone = self.alone.get(instance)
        return alone is not None and alone.looks >= LOOKS_MIN and now - alone.since >= seconds

    def is_empty(self, node: Node) -> bool:
        """Whether a node that drains has, beyond doubt, nothing in its hands."""
        leaving = self.leaving.get(node.name)
        return leaving is not None and leaving.is_empty

    def has_left(self, instance: str) -> bool:
        """Whether the node within drained and ended.

        One that had something in hand may be there all the same: a hub that has just started knows
        no node until its next beat.
        """
        return instance in self.alone and any(
            leaving.instance == instance and leaving.is_empty for leaving in self.leaving.values()
        )

    def was_leaving(self, instance: str) -> bool:
        """Whether the node within drained when it was last seen."""
        return any(leaving.instance == instance for leaving in self.leaving.values())

    def _idle_since(self, node: Node, now: float) -> float:
        """Since when it is idle: as the hub says, or since it was first seen so."""
        if node.idle_seconds is not None:
            return now - node.idle_seconds
        return self.idle_since.get(node.name, now)

    def _alone(self, name: str, now: float) -> Alone:
        since, looks = self.alone.get(name, Alone(now, 0))
        return Alone(since, looks + 1)

    def _leaving(self, here: Mapping[str, Node], listed: set[str]) -> dict[str, Leaving]:
        """Who drains now, and who did until its node ended, as long as its instance is there."""
        gone = {n: leaving for n, leaving in self.leaving.items() if n not in here}
        ended = {n: leaving for n, leaving in gone.items() if leaving.instance in listed}
        drains = {n: self._beaten(node) for n, node in here.items() if node.is_draining}
        return {**ended, **drains}

    def _beaten(self, node: Node) -> Leaving:
        before = self.leaving.get(node.name)
        if before is None:
            return Leaving(node.instance, node.beat, 0, node.held)
        beats = before.beats + (before.beat != node.beat)
        return Leaving(node.instance, node.beat, beats, node.held)


def _instances(count: int) -> str:
    return "1 instance" if count == 1 else f"{count} instances"
