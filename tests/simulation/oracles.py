"""What must be true in every world at every moment: looked at after each commit and frame.

They read the stores through connections of their own, which see only what is committed. A breach
is noted as "lost", "doubled" or "stuck", with the moment and the facts.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from desktop.runner.lines import StepOver
from desktop.store import rebuilt
from shared.ids import JobId
from shared.jobs import JobSpec, JobState
from tests.simulation.hosts import HubHost, WorkerHost
from tests.simulation.kinds import AFTER, FAR_ONCE, ONCE, PART, RUN
from tests.simulation.network import Way, told
from tests.simulation.people import Asked

Told = dict[str, tuple[object, ...]]
"""What a store tells of each thing, by its id."""
REOPENED = (JobState.FAILED, JobState.DEAD)
HELD = (JobState.GRANTED, JobState.RUNNING, JobState.ASKING)
EFFECTIVE = (ONCE.name, FAR_ONCE.name)
STEP_ENDS = {
    "succeeded": (JobState.SUCCEEDED,),
    "failed": (JobState.FAILED, JobState.DEAD),
    "cancelled": (JobState.CANCELLED,),
}
_REFUSED = (
    "select entity from events where type = 'request_refused'"
    " and json_extract(body, '$.request') = 'task_requested'"
)
_IS_PART = "part_of is not null"
_JOB = "select job_id, state, is_held, worker_id, attempt, fence, kind from jobs"


@dataclass(frozen=True, slots=True)
class Breach:
    sort: str
    """"lost", "doubled" or "stuck"."""
    at: float
    """Virtual seconds."""
    what: str

    def __str__(self) -> str:
        return f"{self.sort} at {self.at:.3f} s: {self.what}"


@dataclass(slots=True)
class _Job:
    state: JobState
    is_held: bool
    worker_id: str
    fence: int
    kind: str


class Oracles:
    def __init__(
        self,
        hub: HubHost,
        workers: list[WorkerHost],
        asked: Asked,
        breach: Callable[[str, str], None],
    ) -> None:
        self._asked, self._breach = asked, breach
        self._hub = _look(hub.store)
        self._workers = {worker.name: _look(worker.store) for worker in workers}
        self._ids = {worker.name: worker.pairing.worker_id for worker in workers}
        self.hub_seq = 0
        self._jobs: dict[JobId, _Job] = {}
        self._requeued: Counter[JobId] = Counter()
        """How often a person's "run it again" was taken in."""
        self._released: Counter[str] = Counter()
        """Events of the last commit that end a grant, by job."""
        self._granted: Counter[str] = Counter()
        self._log_ends: dict[tuple[str, int], int] = {}
        self.acked: dict[tuple[str, int], int] = {}
        self.effects: Counter[JobId] = Counter()
        self._done: Counter[tuple[str, int]] = Counter()
        self._stepped: Counter[tuple[str, int]] = Counter()
        """Effects of the steps of plans that must not happen twice."""
        self._told_steps: dict[tuple[str, int], tuple[str, StepOver]] = {}
        self._used: dict[tuple[JobId, str], tuple[str, str]] = {}
        """By job and question: who went on first, and with what."""

    def close(self) -> None:
        for connection in (self._hub, *self._workers.values()):
            connection.close()

    # After a commit of the hub.

    def hub_committed(self) -> None:
        self._released.clear()
        self._granted.clear()
        for job_id in self._read_log():
            for row in self._hub.execute(f"{_JOB} where job_id = ?", (job_id,)):
                self._compare(JobId(row[0]), row)

    def _read_log(self) -> list[str]:
        """Follow the log; count what gives a grant or ends it; return what was told of."""
        rows = self._hub.execute(
            "select hub_seq, device, epoch, seq, type, body, entity from events where hub_seq > ?"
            " order by hub_seq",
            (self.hub_seq,),
        ).fetchall()
        for hub_seq, device, epoch, seq, kind, body, entity in rows:
            self.hub_seq = hub_seq
            if seq <= self._log_ends.get((device, epoch), 0):
                self._breach("doubled", f"event {device} {epoch} {seq} stands twice in the log")
            self._log_ends[device, epoch] = seq
            if kind == "job_queued":
                self._released[entity] += 1
                if json.loads(body)["reason"] == "requeued":
                    self._requeued[JobId(entity)] += 1
            elif kind == "job_granted":
                self._granted[entity] += 1
        return list(dict.fromkeys(row[6] for row in rows))

    def _compare(self, job_id: JobId, row: tuple[str, str, int, str, int, int, str]) -> None:
        now = _Job(JobState(row[1]), bool(row[2]), row[3], row[5], row[6])
        before = self._jobs.get(job_id)
        self._jobs[job_id] = now
        if before is None:
            return
        is_reopened = before.state in REOPENED and self._released[job_id] > 0
        if before.state.is_terminal and now.state is not before.state and not is_reopened:
            self._breach("doubled", f"{job_id} was {before.state} and is {now.state}")
        if now.fence < before.fence or now.fence > before.fence + self._granted[job_id]:
            self._breach("doubled", f"the fence of {job_id} went {before.fence} to {now.fence}")
        is_other = (now.worker_id, now.fence) != (before.worker_id, before.fence)
        if before.is_held and now.is_held and is_other and not self._released[job_id]:
            self._breach("doubled", f"{job_id} has two holders: {before} and {now}")
        if self._requeued[job_id] > self._asked.repeats_wished[job_id]:
            self._breach("doubled", f"{job_id} was run again and nobody wished it")

    def hub_started(self) -> None:
        """A hub that comes back has all that it ever acknowledged."""
        for (device, epoch), seq in self.acked.items():
            if self._cursor(device, epoch) < seq:
                self._breach("lost", f"acked events of {device} {epoch} up to {seq}")

    # When a frame is sent: nothing is told before it is committed.

    def sent(self, name: str, way: Way, kind: str, frame: str) -> None:
        if way is Way.UP:
            if kind == "push":
                self._pushed(name, frame)
            return
        match kind:
            case "ack":
                self._told_ack(name, int(told(frame)["seq"]))
            case "grant":
                self._told_grant(name, frame)
            case "events":
                upto = int(told(frame)["upto"])
                row = self._hub.execute("select max(hub_seq) from events").fetchone()
                if upto > (row[0] or 0):
                    self._breach("lost", f"{name} is told events up to {upto} before their commit")
            case _:
                pass

    def _pushed(self, name: str, frame: str) -> None:
        last = told(frame)["events"][-1]
        row = (
            self._workers[name]
            .execute(
                "select count(*) from event where device = ? and epoch = ? and seq = ?",
                (self._ids[name], last["epoch"], last["seq"]),
            )
            .fetchone()
        )
        if not row[0]:
            self._breach("lost", f"{name} pushed event {last['seq']} before its commit")

    def _told_ack(self, name: str, seq: int) -> None:
        device, epoch = self._ids[name], self._epoch(name)
        if self._cursor(device, epoch) < seq:
            self._breach("lost", f"event {seq} of {name} was acknowledged before its commit")
        self.acked[device, epoch] = max(seq, self.acked.get((device, epoch), 0))

    def _told_grant(self, name: str, frame: str) -> None:
        grant = told(frame)
        row = self._hub.execute(
            "select count(*) from events where type = 'job_granted' and entity = ?"
            " and json_extract(body, '$.fence') = ? and json_extract(body, '$.worker_id') = ?",
            (grant["job_id"], grant["fence"], self._ids[name]),
        ).fetchone()
        if not row[0]:
            self._breach("doubled", f"{name} was granted {grant['job_id']} before the commit")

    # What children do.

    def effect(self, name: str, spec: JobSpec) -> None:
        job_id = spec.job_id
        self.effects[job_id] += 1
        allowed = 1 + self._asked.repeats_wished[job_id]
        if spec.kind in EFFECTIVE and self.effects[job_id] > allowed:
            self._breach("doubled", f"{self.effects[job_id]} effects of {job_id}, {name} last")
        if spec.kind in EFFECTIVE and spec.inputs.get("of"):
            self._step_effect(name, spec)

    def _step_effect(self, name: str, spec: JobSpec) -> None:
        """A step has its effect: once, whatever job is made for it."""
        step = (str(spec.inputs["of"]), int(str(spec.inputs["index"])))
        self._stepped[step] += 1
        if self._stepped[step] > 1 + len(self._asked.revoked):
            self._breach("doubled", f"step {step[1]} of {step[0]} was done again, {name} last")

    def step_told(self, name: str, maker: str, index: int, over: StepOver) -> None:
        """A job hears how a step came out: what it hears is so, and stays so."""
        self._told_steps[maker, index] = name, over

    def did(self, name: str, maker: str, index: int) -> None:
        """A part of a job leaves its mark: once, but for what was on a machine shown out."""
        self._done[maker, index] += 1
        if self._done[maker, index] > 1 + len(self._asked.revoked):
            self._breach("doubled", f"part {index} of {maker} was done again, {name} last")

    def started(self, name: str, job_id: JobId) -> None:
        """A child begins: its attempt is journalled as running."""
        row = (
            self._workers[name]
            .execute(
                "select count(*) from attempt where job_id = ? and state in ('running', 'asking')"
                " and fence > 0",
                (job_id,),
            )
            .fetchone()
        )
        if not row[0]:
            self._breach("doubled", f"{name} started {job_id} before its journal said so")

    def used(self, name: str, job_id: JobId, key: str, value: str) -> None:
        """A job goes on with an answer: with one alone, but for what nobody could hear of."""
        first, before = self._used.setdefault((job_id, key), (name, value))
        if before != value and not (first != name and self._was_unheard(job_id, first)):
            self._breach("doubled", f"{job_id} went on with {before} and with {value} for {key}")

    def _was_unheard(self, job_id: JobId, name: str) -> bool:
        """A machine was cut off before its question was heard, and the job may run twice.

        The hub has taken it for lost before it heard; its person has answered each of them.
        """
        heard = self._hub.execute(
            "select 1 from events as asked where entity = ? and device = ?"
            " and type = 'question_asked' and not exists (select 1 from events as queued"
            " where queued.entity = asked.entity and queued.type = 'job_queued'"
            " and json_extract(queued.body, '$.reason') = 'lost'"
            " and queued.hub_seq < asked.hub_seq)",
            (job_id, self._ids[name]),
        ).fetchone()
        return heard is None and self._jobs[job_id].kind not in EFFECTIVE

    # At the end.

    def unended(self) -> dict[JobId, str]:
        """Jobs that have not come to an end, by their state."""
        return {
            JobId(job_id): state
            for job_id, state in self._hub.execute("select job_id, state from jobs")
            if not JobState(state).is_terminal
        }

    def undrained(self, name: str) -> int:
        """How many events of a worker the hub has not acknowledged, as the worker knows."""
        return self.unacked_of(name, self.last_event(name))

    def unacked_of(self, name: str, last: int) -> int:
        """How many of a worker's events up to this one are not acknowledged."""
        return last - min(last, int(self._fact(name, f"acked.{self._epoch(name)}") or 0))

    def last_event(self, name: str) -> int:
        row = (
            self._workers[name]
            .execute(
                "select coalesce(max(seq), 0) from event where device = ? and epoch = ?",
                (self._ids[name], self._epoch(name)),
            )
            .fetchone()
        )
        return int(row[0])

    def behind(self, name: str) -> int:
        """How many events that concern its person a worker has not applied."""
        row = self._hub.execute(
            "select count(*) from events where hub_seq > ?",
            (int(self._fact(name, "hub_seq") or 0),),
        ).fetchone()
        return int(row[0])

    def finish(self, names: list[str]) -> None:
        """Compare what everybody knows."""
        self._judge_jobs()
        self._judge_parts()
        self._judge_steps()
        self.hub_started()
        for name in names:
            self._judge_log(name)
            self.judge_copy(name)
            for difference in rebuilt.compare(self._workers[name]):
                self._breach("lost", f"{name}'s copy is not what its events make: {difference}")

    def _judge_jobs(self) -> None:
        known = {
            JobId(job_id): JobState(state)
            for job_id, state in self._hub.execute("select job_id, state from jobs")
        }
        for job_id in self._asked.jobs:
            if job_id not in known:
                self._breach("lost", f"{job_id} was taken and is gone")
        parts = {job for (job,) in self._hub.execute(f"select job_id from jobs where {_IS_PART}")}
        for job_id, state in known.items():
            if job_id in parts:
                continue  # one that is made anew may find that it was done before
            is_done = state is JobState.SUCCEEDED and job_id not in self._asked.marked_done
            if is_done and not self.effects[job_id]:
                self._breach("lost", f"{job_id} succeeded without its effect")
        rows = self._hub.execute(
            "select question_id, job_id from questions where state in ('open', 'parked')"
        )
        for question_id, job_id in rows:
            self._breach("stuck", f"question {question_id} of {job_id} is still open")

    def _judge_parts(self) -> None:
        """A run that ended well has counted each part once, and one job follows it."""
        runs = self._hub.execute(
            "select job_id, json_extract(inputs, '$.parts') from jobs"
            f" where kind = '{RUN.name}' and state = 'succeeded'"
        ).fetchall()
        for job_id, parts in runs:
            if job_id in self._asked.marked_done:
                continue
            ended = self._hub.execute(
                "select json_extract(inputs, '$.index'), count(*) from jobs where part_of = ?"
                " and state = 'succeeded' group by 1",
                (job_id,),
            ).fetchall()
            if dict(ended) != dict.fromkeys(range(parts), 1):
                self._breach("lost", f"{job_id} has {parts} parts, and counted {ended}")
            (after,) = self._hub.execute(
                "select count(*) from events where type = 'task_requested'"
                " and json_extract(body, '$.follows') = ?",
                (job_id,),
            ).fetchone()
            if after != 1:
                self._breach("doubled" if after else "lost", f"{after} jobs follow {job_id}")
        others = self._hub.execute(
            "select count(*) from jobs where kind = ? and part_of is null", (PART.name,)
        ).fetchone()
        if others[0]:
            self._breach("lost", f"{others[0]} parts are no parts of anything")
        follow = self._hub.execute("select count(*) from jobs where kind = ?", (AFTER.name,))
        if follow.fetchone()[0] < len(runs) - len(self._asked.marked_done):
            self._breach("lost", "what follows a run was not taken in")

    def _judge_steps(self) -> None:
        """What jobs were told of their steps is what the hub knows of them."""
        states = dict(self._hub.execute("select job_id, state from jobs").fetchall())
        for (maker, index), (name, over) in self._told_steps.items():
            known = states.get(over.job_id)
            if name in self._asked.revoked or (known is None and over.state == "failed"):
                continue
            if known not in STEP_ENDS[over.state]:
                self._breach(
                    "lost", f"{maker} heard that step {index} {over.state}, and it is {known}"
                )

    def _judge_log(self, name: str) -> None:
        """Every event of a worker stands in the hub's log."""
        device, epoch = self._ids[name], self._epoch(name)
        there = {
            seq
            for (seq,) in self._hub.execute(
                "select seq from events where device = ? and epoch = ?", (device, epoch)
            )
        }
        rows = self._workers[name].execute(
            "select seq, body from event where device = ? and epoch = ?", (device, epoch)
        )
        for seq, event in rows.fetchall():
            if seq not in there:
                self._breach("lost", f"event {seq} of {name}: {event[:300]}")

    def judge_copy(self, name: str) -> None:
        """A worker that has heard all knows what the hub knows."""
        hubs = dict(_rows(self._hub, "select job_id, state, coalesce(result, '') from jobs"))
        mine = dict(_rows(self._workers[name], "select job_id, state, result from copy_job"))
        # No event tells that a worker came back in time with what had been queued again for it.
        back = {
            key
            for key, told in hubs.items()
            if told[0] in HELD and mine.get(key, ("",))[0] == JobState.QUEUED
        }
        # What a hub refused to make is no job of it; the computer that asked knows it as failed.
        back |= {key for (key,) in self._hub.execute(_REFUSED) if key not in hubs}
        hubs, mine = ({k: v for k, v in told.items() if k not in back} for told in (hubs, mine))
        self._differ(name, "job", hubs, mine)
        asked = "select question_id, state, coalesce({0}, '') from {1}"
        hubs = dict(_rows(self._hub, asked.format("value", "questions")))
        mine = dict(_rows(self._workers[name], asked.format("value", "copy_question")))
        # What an attempt asked that had moved on is in the log, and was never a question.
        mine = {key: told for key, told in mine.items() if key in hubs or told[0] != "closed"}
        self._differ(name, "question", hubs, mine)

    def _differ(
        self,
        name: str,
        what: str,
        hubs: dict[str, tuple[object, ...]],
        mine: dict[str, tuple[object, ...]],
    ) -> None:
        for key in sorted(hubs.keys() | mine.keys()):
            if hubs.get(key) != mine.get(key):
                self._breach(
                    "lost", f"{name}'s copy of {what} {key} is {mine.get(key)}, not {hubs.get(key)}"
                )

    def _cursor(self, device: str, epoch: int) -> int:
        row = self._hub.execute(
            "select seq from cursors where device = ? and epoch = ?", (device, epoch)
        ).fetchone()
        return int(row[0]) if row else 0

    def _epoch(self, name: str) -> int:
        return int(self._fact(name, "epoch") or 0)

    def _fact(self, name: str, fact: str) -> str:
        row = (
            self._workers[name].execute("select value from fact where name = ?", (fact,)).fetchone()
        )
        return str(row[0]) if row else ""


def _look(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _rows(connection: sqlite3.Connection, query: str) -> list[tuple[str, tuple[object, ...]]]:
    return [(row[0], row[1:]) for row in connection.execute(query)]
