"""A fleet in virtual time: jobs arrive, nodes come and take them, and the scaler looks on."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.core.fleet import Decision, Pools, decide
from hub.core.pool import Instance, InstanceState, Node, Pool, Queue
from hub.core.pool_memory import Memory


@dataclass
class Job:
    kind: str
    seconds: float
    came_at: float
    done_at: float | None = None


@dataclass
class SimNode:
    instance: str
    pool: Pool
    ready_at: float | None
    """None: it never comes."""
    held: list[Job] = field(default_factory=list)
    drains: bool = False
    idle_since: float = 0.0

    def is_here(self, now: float) -> bool:
        return self.ready_at is not None and self.ready_at <= now


@dataclass
class Done:
    """What the scaler did, and when."""

    at: float
    decision: Decision


@dataclass
class World:
    pools: tuple[Pool, ...]
    start_seconds: float = 7.0
    never_come: int = 0
    """So many of the next instances start, and no node comes."""
    refusals: int = 0
    """So many of the next starts the host refuses."""
    look_seconds: float = 5.0
    now: float = 0.0
    nodes: dict[str, SimNode] = field(default_factory=dict)
    waiting: list[Job] = field(default_factory=list)
    finished: list[Job] = field(default_factory=list)
    memories: dict[str, Memory] = field(default_factory=dict)
    done: list[Done] = field(default_factory=list)
    number: int = 0

    def ask(self, kind: str, seconds: float) -> None:
        self.waiting.append(Job(kind, seconds, self.now))

    def run(self, seconds: float) -> None:
        """Let time pass, in steps of one second; the scaler looks now and then."""
        for _ in range(int(seconds)):
            self.now += 1.0
            self._work()
            if self.now % self.look_seconds == 0:
                self.look()

    def run_until_done(self, seconds_max: float) -> None:
        """Let time pass until nothing waits or runs; at most so long."""
        until = self.now + seconds_max
        while self.now < until and (self.waiting or any(n.held for n in self.nodes.values())):
            self.run(self.look_seconds)

    def _work(self) -> None:
        for node in self.nodes.values():
            over = [job for job in node.held if job.done_at is not None and job.done_at <= self.now]
            self.finished += over
            node.held = [job for job in node.held if job not in over]
            if over:
                node.idle_since = self.now
            while node.is_here(self.now) and not node.drains and len(node.held) < node.pool.slots:
                mine = [job for job in self.waiting if job.kind in node.pool.kinds]
                if not mine:
                    break
                self.waiting.remove(mine[0])
                mine[0].done_at = self.now + mine[0].seconds
                node.held.append(mine[0])

    def look(self) -> tuple[Decision, ...]:
        decisions = decide(self.seen(), self.memories, self.now)
        for pool, decision in zip(self.pools, decisions, strict=True):
            self.memories[pool.name] = decision.memory
            self.done.append(Done(self.now, decision))
            self._check(pool, decision)
            self._carry_out(pool, decision)
        return decisions

    def seen(self) -> Pools:
        kinds = sorted({kind for pool in self.pools for kind in pool.kinds})
        return Pools(
            pools=self.pools,
            queues=tuple(self._queue(kind) for kind in kinds),
            nodes=tuple(
                Node(
                    name=f"n-{name}",
                    instance=name,
                    pool=node.pool.name,
                    kinds=node.pool.kinds,
                    slots=node.pool.slots,
                    held=len(node.held),
                    is_draining=node.drains,
                    idle_seconds=self.now - node.idle_since if not node.held else None,
                    beat=str(self.now),
                )
                for name, node in self.nodes.items()
                if node.is_here(self.now)
            ),
            instances={pool.name: self.instances(pool) for pool in self.pools},
        )

    def instances(self, pool: Pool) -> tuple[Instance, ...]:
        return tuple(
            Instance(name=name, pool=pool.name, state=InstanceState.RUNNING)
            for name, node in self.nodes.items()
            if node.pool is pool
        )

    def _queue(self, kind: str) -> Queue:
        waiting = [job for job in self.waiting if job.kind == kind]
        held = [job for node in self.nodes.values() for job in node.held]
        return Queue(
            kind=kind,
            waiting=len(waiting),
            running=sum(job.kind == kind for job in held),
            oldest_wait_seconds=max((self.now - job.came_at for job in waiting), default=0.0),
        )

    def _check(self, pool: Pool, decision: Decision) -> None:
        """What holds for every decision, whatever happened."""
        ours = [node for node in self.nodes.values() if node.pool is pool]
        assert len(ours) + decision.start <= pool.nodes_max
        for name in decision.stop:
            assert not self.nodes[name].held, f"{name} holds something: {decision.reason}"
        kept = [n for n in ours if not n.drains and f"n-{n.instance}" not in decision.drain]
        kept = [n for n in kept if n.instance not in decision.stop]
        if decision.drain:
            assert len(kept) >= pool.nodes_min
        if decision.start:
            mine = [job for job in self.waiting if job.kind in pool.kinds]
            assert mine or len(kept) < pool.nodes_min, "it grows for work that runs"
            assert decision.start <= max(len(mine), pool.nodes_min - len(kept))
        assert not (decision.start and decision.drain)

    def _carry_out(self, pool: Pool, decision: Decision) -> None:
        memory = self.memories[pool.name]
        for name in decision.drain:
            self.nodes[name.removeprefix("n-")].drains = True
        memory = memory.drained(decision.drain)
        for name in decision.stop:
            del self.nodes[name]
        if decision.start and self.refusals:
            self.refusals -= 1
            memory = memory.refused("the host says no", self.now)
        elif decision.start:
            memory = memory.started(self._start(pool, decision.start), self.now)
        self.memories[pool.name] = memory

    def _start(self, pool: Pool, count: int) -> list[str]:
        names = []
        for _ in range(count):
            self.number += 1
            name = f"{pool.name}-{self.number}"
            comes = self.never_come <= 0
            self.never_come -= 1
            ready_at = self.now + self.start_seconds if comes else None
            self.nodes[name] = SimNode(name, pool, ready_at, idle_since=self.now)
            names.append(name)
        return names

    def changes(self, pool: str) -> list[tuple[float, int]]:
        """When a pool grew (+) or shrank (-), and by how much."""
        told = [(d.at, d.decision) for d in self.done if d.decision.pool == pool]
        return [(at, one.start - len(one.drain)) for at, one in told if one.start or one.drain]
