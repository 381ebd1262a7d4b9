"""How many nodes each pool of the fleet should have: decided from facts, without looking at any.

What waits and what runs are counted apart: work that is being done needs nobody new, and a node
that works is never stopped. Pools are decided together, so that no two of them grow for one job:

    free slots, and those that are on their way ──▶ take what waits, of all pools
    what is left of it ──▶ new nodes of the first pool that has room, then of the next
    nothing waits ──▶ nodes that were idle for long drain ──▶ drained ones are stopped
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from hub.core.pool import Instance, InstanceState, Node, Pool, Queue
from hub.core.pool_memory import Memory
from shared.plain_text import plain_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done for a pool now, and why."""

    pool: str
    start: int = 0
    drain: tuple[str, ...] = ()
    """Nodes that are to take nothing new."""
    stop: tuple[str, ...] = ()
    """Instances whose nodes have drained, or never came, or are gone."""
    reason: str
    memory: Memory
    waiting: int = 0
    running: int = 0
    nodes: int = 0
    coming: int = 0
    draining: int = 0
    free: int = 0

    @property
    def is_change(self) -> bool:
        return bool(self.start or self.drain or self.stop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pools:
    """What one look at the whole fleet saw."""

    pools: tuple[Pool, ...]
    queues: tuple[Queue, ...]
    nodes: tuple[Node, ...]
    instances: Mapping[str, tuple[Instance, ...]] = field(default_factory=dict)
    """By pool; a pool whose host did not answer is left out."""


@dataclass(slots=True, kw_only=True)
class _Stand:
    """How one pool stands."""

    pool: Pool
    memory: Memory
    instances: tuple[Instance, ...] | None
    ready: list[Node]
    """Nodes that take tickets."""
    leaving: list[Node]
    coming: list[str]
    """Instances whose nodes are expected."""
    lost: list[str]
    """Instances whose nodes never came, or fell silent for good."""
    waiting: int
    running: int
    oldest_seconds: float
    free: int = 0
    """Slots of its nodes that take something now."""

    @property
    def room(self) -> int:
        """How many instances there may be more."""
        return max(0, self.pool.nodes_max - len(self.instances or ()))


def decide(seen: Pools, memories: Mapping[str, Memory], now: float) -> tuple[Decision, ...]:
    """Say what to do for each pool.

    Args:
        seen: the hub's and the hosts' word.
        memories: by pool, from the decisions before; empty at first.
        now: seconds of a monotonic clock.
    """
    stands = [_stand(pool, seen, memories.get(pool.name, Memory()), now) for pool in seen.pools]
    free = _free(seen)
    for stand in stands:
        stand.free = sum(free[node.name] for node in stand.ready)
    left = _left_waiting(stands, seen, free)
    return tuple(_decided(stand, left, now) for stand in stands)


def _stand(pool: Pool, seen: Pools, memory: Memory, now: float) -> _Stand:
    nodes = [node for node in seen.nodes if node.pool == pool.name]
    queues = [queue for queue in seen.queues if queue.kind in pool.kinds]
    instances = seen.instances.get(pool.name)
    if instances is not None:
        memory = memory.seen(nodes, instances, now)
    listed = {instance.name for instance in instances or ()}
    joined = {node.instance for node in nodes}
    # The host knows first that an instance has ended; its node is a ghost till the hub misses it.
    alive = [n for n in nodes if instances is None or not n.instance or n.instance in listed]
    alone = [
        i.name for i in instances or ()
        if i.name not in joined
        and i.state is not InstanceState.STOPPING
        and not memory.has_left(i.name)
    ]  # fmt: skip
    lost = [name for name in alone if memory.is_gone(name, pool.start_seconds, now)]
    return _Stand(
        pool=pool,
        memory=memory,
        instances=instances,
        ready=[n for n in alive if not n.is_draining and n.name not in memory.asked],
        leaving=[n for n in alive if n.is_draining or n.name in memory.asked],
        coming=[name for name in alone if name not in lost and not memory.was_leaving(name)],
        lost=lost,
        waiting=sum(queue.waiting for queue in queues),
        running=sum(queue.running for queue in queues),
        oldest_seconds=max((q.oldest_wait_seconds for q in queues if q.waiting), default=0.0),
    )


# What waits, and is for nobody that is here or on the way.


def _left_waiting(stands: Sequence[_Stand], seen: Pools, free: Mapping[str, int]) -> dict[str, int]:
    """By kind, what no free slot takes; whoever does fewest kinds takes first."""
    left: dict[str, int] = {}
    for queue in seen.queues:
        left[queue.kind] = left.get(queue.kind, 0) + queue.waiting
    known = {stand.pool.name for stand in stands}
    nodes = [node for stand in stands for node in stand.ready]
    nodes += [node for node in seen.nodes if node.pool not in known]
    slots = [(node.kinds, free[node.name]) for node in nodes]
    slots += [(s.pool.kinds, len(s.coming) * s.pool.slots) for s in stands]
    doers = {kind: sum(kind in kinds for kinds, count in slots if count) for kind in left}
    for kinds, count in sorted(slots, key=lambda one: len(one[0])):
        _take(left, sorted(kinds, key=lambda kind: doers.get(kind, 0)), count)
    return left


def _free(seen: Pools) -> dict[str, int]:
    """By node, the slots that take something now.

    Nodes tell what they hold every few seconds; the hub knows at once how much runs. Where the two
    differ, the hub's number holds.
    """
    unseen = sum(q.running for q in seen.queues) - sum(node.held for node in seen.nodes)
    free = {}
    for node in seen.nodes:
        changed = 0 if node.is_draining else max(-node.held, min(unseen, node.free))
        unseen -= changed
        free[node.name] = node.free - changed
    return free


def _take(left: dict[str, int], kinds: Sequence[str], count: int) -> None:
    for kind in kinds:
        taken = min(count, left.get(kind, 0))
        if taken:
            left[kind] -= taken
            count -= taken


# One pool.


def _decided(stand: _Stand, left: dict[str, int], now: float) -> Decision:
    """Decide for a pool, and take from `left` what its nodes to come are for."""
    if stand.instances is None:
        return _told(stand, "its host does not answer: no change", now)
    stop = _stoppable(stand)
    start, why = _growth(stand, left, now)
    drain: tuple[str, ...] = ()
    if not start:
        drain, why = _shrinking(stand, now, why)
    again = [n.name for n in stand.leaving if n.name in stand.memory.asked and not n.is_draining]
    parts = [why, _stops_told(stand, stop)]
    return _told(
        stand,
        "; ".join(part for part in parts if part),
        now,
        start=start,
        drain=(*drain, *again),
        stop=stop,
    )


def _growth(stand: _Stand, left: dict[str, int], now: float) -> tuple[int, str]:
    """How many more, and why; zero with the reason for not more, which may be nothing."""
    pool, memory = stand.pool, stand.memory
    unserved = sum(left.get(kind, 0) for kind in pool.kinds)
    here = len(stand.ready) + len(stand.coming)
    lacking = min(max(0, pool.nodes_min - here), stand.room)
    worth = _worth(stand, unserved)
    wanted = max(lacking, min(worth, stand.room))
    if memory.retry_at is not None and now < memory.retry_at:
        # Another pool may do what this one cannot start nodes for.
        if not (worth or lacking):
            return 0, ""
        times = f"{memory.failures} times" if memory.failures > 1 else "once"
        rest = ceil(memory.retry_at - now)
        return 0, f"starting failed {times} ({memory.failure}): next try in {rest} s"
    _take(left, pool.kinds, min(unserved, stand.room * pool.jobs_per_node))
    if not wanted:
        return 0, _not_more(stand, unserved, worth)
    if not lacking and memory.up_at is not None and now < memory.up_at + pool.up_seconds:
        rest = ceil(memory.up_at + pool.up_seconds - now)
        return 0, f"{unserved} more than free slots take: next step up in {rest} s"
    if lacking >= worth:
        return wanted, f"at least {pool.nodes_min}: start {wanted}"
    bound = f", the most is {pool.nodes_max}" if worth > stand.room else ""
    return wanted, f"{unserved} more than free slots take: start {wanted}{bound}"


def _worth(stand: _Stand, unserved: int) -> int:
    """How many nodes the jobs are worth that nobody is there for."""
    per_node = stand.pool.jobs_per_node
    whole, rest = divmod(unserved, per_node)
    nobody = not (stand.ready or stand.coming or whole)
    is_old = stand.oldest_seconds >= stand.pool.patience_seconds
    return whole + (1 if rest and (nobody or is_old) else 0)


def _not_more(stand: _Stand, unserved: int, worth: int) -> str:
    pool = stand.pool
    if worth:
        return f"{unserved} more than free slots take, but there are {pool.nodes_max}, the most"
    if unserved:
        return f"{unserved} more than free slots take: too few for another node yet"
    if not stand.waiting:
        return ""
    if stand.oldest_seconds >= pool.patience_seconds and not stand.coming:
        return "free slots should take them, and do not: see the nodes' logs"
    return "free slots take them"


def _shrinking(stand: _Stand, now: float, why: str) -> tuple[tuple[str, ...], str]:
    """Who is to drain, and why."""
    pool, memory = stand.pool, stand.memory
    ours = [node for node in stand.ready if node.instance]
    over = len(ours) + len(stand.coming) - pool.nodes_max
    if over > 0:
        least = sorted(ours, key=lambda node: (node.held, node.name))[:over]
        return _names(least), f"{over} more than the most, {pool.nodes_max}: drain {len(least)}"
    if stand.waiting:
        return (), why
    idle = [node for node in ours if node.held == 0]
    if memory.up_at is not None and now < memory.up_at + pool.idle_seconds:
        idle_long = []
    else:
        idle_long = [n for n in idle if now - memory.idle_since[n.name] >= pool.idle_seconds]
    # One that is on its way may never come: it replaces nobody yet.
    spare = len(stand.ready) - pool.nodes_min
    idle_long.sort(key=lambda node: (memory.idle_since[node.name], node.name))
    going = idle_long[: max(0, spare)]
    if going:
        seconds = int(now - memory.idle_since[going[-1].name])
        return _names(going), f"idle for {seconds} s: drain {len(going)}"
    if idle and spare > 0:
        return (), why or f"{len(idle)} idle, not for {pool.idle_seconds:.0f} s yet"
    return (), why


def _names(nodes: Sequence[Node]) -> tuple[str, ...]:
    return tuple(node.name for node in nodes)


def _stoppable(stand: _Stand) -> tuple[str, ...]:
    """Instances that nothing can be lost with."""
    memory = stand.memory
    stopping = {i.name for i in stand.instances or () if i.state is InstanceState.STOPPING}
    empty = [node.instance for node in stand.leaving if memory.is_empty(node)]
    left = [i.name for i in stand.instances or () if memory.has_left(i.name)]
    going = dict.fromkeys([*empty, *left, *stand.lost])
    return tuple(name for name in going if name and name not in stopping)


def _stops_told(stand: _Stand, stop: Sequence[str]) -> str:
    lost = [name for name in stop if name in stand.lost]
    parts = []
    if len(stop) > len(lost):
        parts.append(f"drained: stop {len(stop) - len(lost)}")
    if lost:
        seconds = stand.pool.start_seconds
        parts.append(f"no sign of a node for {seconds:.0f} s: stop {len(lost)}")
    return "; ".join(parts)


def _told(
    stand: _Stand,
    why: str,
    now: float,
    *,
    start: int = 0,
    drain: tuple[str, ...] = (),
    stop: tuple[str, ...] = (),
) -> Decision:
    return Decision(
        pool=stand.pool.name,
        start=start,
        drain=drain,
        stop=stop,
        reason=plain_line(f"{_facts(stand)}; {why or 'nothing to change'}"),
        memory=stand.memory.given_up(stand.lost, now),
        waiting=stand.waiting,
        running=stand.running,
        nodes=len(stand.ready),
        coming=len(stand.coming),
        draining=len(stand.leaving),
        free=stand.free,
    )


def _facts(stand: _Stand) -> str:
    waiting = f"{stand.waiting} wait" if stand.waiting else "nothing waits"
    if stand.waiting:
        waiting += f" (the oldest for {stand.oldest_seconds:.0f} s)"
    count = len(stand.ready)
    its = "its" if count == 1 else "their"
    nodes = f"{count} node{'s' * (count != 1)}, {stand.free} of {its} slots free"
    parts = [f"{waiting}, {stand.running} run", nodes if count else "no node is ready"]
    if stand.coming:
        parts.append(f"{len(stand.coming)} on their way")
    if stand.leaving:
        parts.append(f"{len(stand.leaving)} draining")
    return ", ".join(parts)
