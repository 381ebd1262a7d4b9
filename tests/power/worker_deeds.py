"""A worker that works: it accepts, starts, logs, asks, hears, ends, is acknowledged, and is asked.

python -m tests.power.worker_deeds FOLDER SYNCHRONOUS
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from desktop.core.outcome_event import Names
from desktop.store import facts
from desktop.store.database import open_store
from desktop.store.facts import Pairing
from desktop.store.hands import Hands
from shared.environment import Environment
from shared.events import (
    AttemptEventBody,
    EventBody,
    JobFailed,
    JobQueued,
    JobSucceeded,
    QuestionAnswered,
    TaskRequested,
    write_event,
)
from shared.ids import JobId, QuestionId, TaskId, WorkerId
from shared.jobs import JobSpec, Origin
from shared.messages import Events, Numbered
from shared.questions import Answer
from tests.makers import LASTING, hand_environment, make_asking
from tests.power.saying import Mouth, care

ROUNDS = 12
STORE = "worker.sqlite3"
PAIRING = Pairing(
    hub_url="http://127.0.0.1:1",
    worker_id=WorkerId("anna-pc"),
    worker_name="anna-pc",
    hub_name="home",
    person_name="anna",
)
HUB = "one life of the hub"


class Life:
    def __init__(self, folder: Path, synchronous: str) -> None:
        self.mouth = Mouth(folder)
        self.environment: Environment = hand_environment()[0]
        self.database = open_store(folder / "store" / STORE, care=care(synchronous))
        self.hands = Hands(self.database, self.environment, lambda: None)
        self.hub_seq = 0

    async def live(self) -> None:
        await self.database.write(lambda c: facts.save_pairing(c, PAIRING))
        self.mouth.say("paired")
        await self.hands.own_log.position()
        for number in range(ROUNDS):
            await self._carry_out(JobId(self.environment.new_id()), number)
            await self._request()
            if number % 3 == 2:
                await self.hands.acknowledge(self.hands.own_log.outbox_seq)
                self.mouth.say("acked", seq=self.hands.own_log.outbox_seq)
        self.database.close()

    async def _carry_out(self, job_id: JobId, number: int) -> None:
        task_id = TaskId(self.environment.new_id())
        spec = JobSpec(
            job_id=job_id, task_id=task_id, kind="code.push", title="Push", origin=Origin.CHAT
        )
        await self.hands.accept(spec, 1)
        self.mouth.say("accepted", job=job_id)
        if number % 5 == 4:
            [attempt] = self.hands.accepted(job_id)
            await self.hands.forget(attempt)
            return
        await self.hands.start(job_id, 1, 1)
        self.mouth.say("started", job=job_id)  # from here on its child has effects
        await self.hands.log(job_id, ("a line " * 40,) * 5)
        await self._ask(job_id)
        await self.hands.end(job_id, lambda names: _outcome(names, number))
        self.mouth.say("ended", job=job_id)
        self.mouth.say("told", seq=self.hands.own_log.outbox_seq)

    async def _ask(self, job_id: JobId) -> None:
        await self.hands.ask(job_id, make_asking())
        row = await self.database.read(
            lambda c: c.execute("select question_id from question where value is null").fetchone()
        )
        self.mouth.say("told", seq=self.hands.own_log.outbox_seq)
        answer = Answer(value="/data/sales.csv", by="anna")
        await self._hear(
            JobQueued(
                job_id=JobId(self.environment.new_id()),
                task_id=TaskId(self.environment.new_id()),
                kind="code.push",
                title="Elsewhere",
                attempt=1,
                reason="new",
            ),
            QuestionAnswered(question_id=QuestionId(row[0]), job_id=job_id, answer=answer),
        )

    async def _hear(self, *bodies: EventBody) -> None:
        told, after = [], self.hub_seq
        for body in bodies:
            self.hub_seq += 1
            event = write_event(
                body, device="hub", epoch=1, seq=self.hub_seq, at=self.environment.now()
            )
            told.append(Numbered(hub_seq=self.hub_seq, event=event))
        await self.hands.hear(HUB, Events(after=after, events=tuple(told), upto=self.hub_seq))
        self.mouth.say("heard", upto=self.hub_seq)
        self.mouth.say("told", seq=self.hands.own_log.outbox_seq)

    async def _request(self) -> None:
        body = TaskRequested(
            task_id=TaskId(self.environment.new_id()),
            job_id=JobId(self.environment.new_id()),
            kind="code.push",
            text="push it",
        )
        await self.hands.say(body)
        self.mouth.say("told", seq=self.hands.own_log.outbox_seq)


def _outcome(names: Names, number: int) -> AttemptEventBody:
    if number % 2:
        return JobFailed(**names, error=LASTING)
    return JobSucceeded(**names, result={"headline": "Done."}, running_seconds=1.0)


if __name__ == "__main__":
    asyncio.run(Life(Path(sys.argv[1]), sys.argv[2]).live())
