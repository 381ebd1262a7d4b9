"""A store that the first release wrote opens with the present code, and nothing of it is lost."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.core.access import Scope, digest, write_key
from hub.core.pairing import code_digest
from hub.core.view import Button, Sender
from hub.services.pairing import Introduction
from hub.services.requests import Request
from hub.store import deliveries
from hub.store.database import STORE_NAME
from shared.ids import ConversationId, JobId, PersonId, TaskId, WorkerId
from shared.jobs import JobState
from tests.hub.worlds import World
from tests.makers import NOON

ANNA = PersonId("01a1f8d3-ea00-7206-a7e3-5594aa6b5d0a")
DESK = WorkerId("01a1f8d3-ea00-7f86-9895-78df43e47ae8")
JOB = JobId("01a1f8d3-ea00-7c6e-8d9e-a1a5a5cc2140")
TASK = TaskId("01a1f8d3-ea00-7f61-8623-79627cc14618")
ROOM = ConversationId("matrix:!room")
CODE = "BCDFGHJK"
SECRET = "s" * 43
AT_MS = int(NOON.timestamp() * 1000)

OLD_SCHEMA = """
CREATE TABLE "meta" (
   "name" TEXT PRIMARY KEY,
   "value" TEXT
) STRICT;
CREATE TABLE "people" (
   "person_id" TEXT PRIMARY KEY,
   "name" TEXT NOT NULL,
   "created_ms" INTEGER NOT NULL
) STRICT;
CREATE TABLE "identities" (
   "frontend" TEXT,
   "external_id" TEXT,
   "name" TEXT NOT NULL,
   "person_id" TEXT NOT NULL REFERENCES "people"("person_id"),
   "linked_ms" INTEGER NOT NULL,
   PRIMARY KEY ("frontend", "external_id")
) STRICT;
CREATE TABLE "keys" (
   "key_id" TEXT PRIMARY KEY,
   "scope" TEXT NOT NULL,
   "person_id" TEXT NOT NULL REFERENCES "people"("person_id"),
   "digest" TEXT NOT NULL,
   "created_ms" INTEGER NOT NULL
) STRICT;
CREATE TABLE "invitations" (
   "digest" TEXT PRIMARY KEY,
   "person_id" TEXT NOT NULL REFERENCES "people"("person_id"),
   "expires_ms" INTEGER NOT NULL
) STRICT;
CREATE TABLE "workers" (
   "worker_id" TEXT PRIMARY KEY,
   "person_id" TEXT NOT NULL REFERENCES "people"("person_id"),
   "name" TEXT NOT NULL,
   "platform" TEXT,
   "app_version" TEXT,
   "capabilities" TEXT NOT NULL,
   "paired_ms" INTEGER NOT NULL,
   "last_seen_ms" INTEGER NOT NULL,
   "is_paused" INTEGER DEFAULT 0,
   "is_revoked" INTEGER DEFAULT 0
) STRICT;
CREATE INDEX "idx_workers_person_id"
    ON "workers" ("person_id");
CREATE TABLE "tasks" (
   "task_id" TEXT PRIMARY KEY,
   "person_id" TEXT NOT NULL,
   "text" TEXT NOT NULL,
   "conversation" TEXT NOT NULL,
   "created_ms" INTEGER NOT NULL
) STRICT;
CREATE INDEX "idx_tasks_person_id_task_id"
    ON "tasks" ("person_id", "task_id");
CREATE TABLE "requests" (
   "person_id" TEXT,
   "dedupe" TEXT,
   "job_id" TEXT NOT NULL,
   "digest" TEXT NOT NULL,
   PRIMARY KEY ("person_id", "dedupe")
) STRICT;
CREATE TABLE "jobs" (
   "job_id" TEXT PRIMARY KEY NOT NULL,
   "short" TEXT NOT NULL,
   "task_id" TEXT NOT NULL,
   "person_id" TEXT NOT NULL,
   "kind" TEXT NOT NULL,
   "priority" TEXT NOT NULL,
   "tools" TEXT NOT NULL,
   "pinned_to" TEXT,
   "created_ms" INTEGER NOT NULL,
   "title" TEXT NOT NULL,
   "inputs" TEXT NOT NULL,
   "origin" TEXT NOT NULL,
   "traceparent" TEXT NOT NULL,
   "state" TEXT NOT NULL,
   "attempt" INTEGER NOT NULL,
   "fence" INTEGER NOT NULL,
   "failures" INTEGER NOT NULL,
   "losses" INTEGER NOT NULL,
   "worker_id" TEXT,
   "is_held" INTEGER NOT NULL,
   "not_before_ms" INTEGER,
   "cancel_by" TEXT NOT NULL,
   "question_id" TEXT,
   "result" TEXT,
   "error" TEXT,
   "updated_ms" INTEGER NOT NULL
) STRICT;
CREATE INDEX "idx_jobs_person_id_job_id"
    ON "jobs" ("person_id", "job_id");
CREATE INDEX "idx_jobs_task_id"
    ON "jobs" ("task_id");
CREATE INDEX jobs_queued ON jobs (job_id) WHERE state = 'queued';
CREATE INDEX jobs_held ON jobs (worker_id) WHERE is_held = 1;
CREATE INDEX jobs_dead ON jobs (person_id, job_id) WHERE state = 'dead';
CREATE INDEX jobs_interrupted ON jobs (person_id) WHERE state = 'interrupted';
CREATE TABLE "questions" (
   "question_id" TEXT PRIMARY KEY,
   "job_id" TEXT NOT NULL,
   "person_id" TEXT NOT NULL,
   "asking" TEXT NOT NULL,
   "is_hubs" INTEGER NOT NULL,
   "state" TEXT NOT NULL,
   "asked_ms" INTEGER NOT NULL,
   "expires_ms" INTEGER,
   "value" TEXT,
   "answered_by" TEXT
) STRICT;
CREATE INDEX "idx_questions_job_id"
    ON "questions" ("job_id");
CREATE INDEX questions_open ON questions (person_id, question_id) WHERE state IN ('open', 'parked');
CREATE TABLE "events" (
   "hub_seq" INTEGER PRIMARY KEY,
   "person_id" TEXT NOT NULL,
   "device" TEXT NOT NULL,
   "epoch" INTEGER NOT NULL,
   "seq" INTEGER NOT NULL,
   "at" TEXT NOT NULL,
   "type" TEXT NOT NULL,
   "version" INTEGER NOT NULL,
   "entity" TEXT NOT NULL,
   "body" TEXT NOT NULL,
   "signature" TEXT
) STRICT;
CREATE INDEX "idx_events_entity"
    ON "events" ("entity");
CREATE INDEX "idx_events_person_id"
    ON "events" ("person_id");
CREATE TABLE "cursors" (
   "device" TEXT,
   "epoch" INTEGER,
   "seq" INTEGER NOT NULL,
   PRIMARY KEY ("device", "epoch")
) STRICT;
CREATE TABLE outbox_cursor (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        hub_seq INTEGER NOT NULL
    ) STRICT;
CREATE TABLE outbox (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation TEXT NOT NULL,
        subject TEXT NOT NULL,
        final INTEGER NOT NULL,
        view TEXT NOT NULL,
        due_ms INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0
    ) STRICT;
CREATE INDEX outbox_by_conversation ON outbox (conversation, due_ms, row);
CREATE TABLE shown (
        conversation TEXT NOT NULL,
        subject TEXT NOT NULL,
        ref TEXT NOT NULL,
        PRIMARY KEY (conversation, subject)
    ) STRICT, WITHOUT ROWID;
CREATE TABLE conversations (
        conversation TEXT PRIMARY KEY,
        person_id TEXT NOT NULL,
        said_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
CREATE TABLE inbound_seen (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        frontend TEXT NOT NULL,
        dedupe TEXT NOT NULL,
        UNIQUE (frontend, dedupe)
    ) STRICT;
"""
"""What the first release's three migrations made, as SQLite tells it."""


def fill(store: sqlite3.Connection) -> None:
    """Write what a hub of the first release kept: a person, their worker, what waits."""
    able = json.dumps([{"kind": "probe.run", "version": 1, "tools": [], "specializations": []}])
    view = {
        "text": "Which column?",
        "tone": "plain",
        "buttons": [{"label": "Churn", "says": "/answer 1 Churn"}],
        "progress": None,
        "subject": "question:1",
        "final": False,
        "settles": "",
        "job_id": None,
        "question_id": None,
        "key": "",
    }
    queued = {
        "job_id": JOB,
        "task_id": TASK,
        "kind": "probe.run",
        "title": "run",
        "attempt": 1,
        "reason": "new",
        "not_before": None,
    }
    digest_of_request = "b7b090993443b65d5647319ece6e18b1446baabc520919566e6f4fd8015bc1c8"
    rows: dict[str, tuple[object, ...]] = {
        "people": (ANNA, "anna", AT_MS),
        "identities": ("matrix", "@anna", "Anna", ANNA, AT_MS),
        "keys": (DESK, "worker", ANNA, digest(SECRET), AT_MS),
        "invitations": (code_digest(CODE, b"pepper"), ANNA, AT_MS + 600_000),
        "workers": (DESK, ANNA, "anna-pc", "", "", able, AT_MS, AT_MS, 0, 0),
        "tasks": (TASK, ANNA, "run", ROOM, AT_MS),
        "requests": (ANNA, "matrix:7", JOB, digest_of_request),
        "jobs": (
            *(JOB, "2V8Q", TASK, ANNA, "probe.run", "default", "[]", None, AT_MS, "run", "{}"),
            *("chat", "", "queued", 1, 0, 0, 0, None, 0, None, "", None, None, None, AT_MS),
        ),
        "events": (
            *(1, ANNA, "hub", 1, 1, NOON.isoformat(), "job_queued", 1, JOB),
            *(json.dumps(queued), ""),
        ),
        "outbox_cursor": (1, 1),
        "outbox": (1, ROOM, "question:1", 0, json.dumps(view), 0, 0),
        "shown": (ROOM, f"job:{JOB}", "m1"),
        "conversations": (ROOM, ANNA, AT_MS),
        "inbound_seen": (1, "matrix", "7"),
    }
    for table, values in rows.items():
        marks = ", ".join("?" * len(values))
        store.execute(f"INSERT INTO {table} VALUES ({marks})", values)


@pytest.fixture
def upgraded(tmp_path: Path) -> Iterator[World]:
    store = sqlite3.connect(tmp_path / STORE_NAME)
    store.executescript(OLD_SCHEMA)
    fill(store)
    store.execute("PRAGMA user_version = 3")
    store.commit()
    store.close()
    world = World(tmp_path)
    yield world
    world.database.close()


async def test_people_and_their_workers_are_known_as_before(upgraded: World) -> None:
    services = upgraded.services
    anna = await services.registry.person_of(
        Sender(frontend="matrix", external_id="@anna", name="Anna")
    )
    assert anna is not None
    assert (anna.person_id, anna.name, anna.locked_at) == (ANNA, "anna", None)
    access = await services.keys.check(write_key(Scope.WORKER, DESK, SECRET))
    assert (access.person_id, access.key_id) == (ANNA, DESK)
    [card] = await services.views.workers(ANNA)
    assert (card.worker_id, card.name) == (DESK, "anna-pc")


async def test_a_code_given_out_before_lets_a_computer_ask_and_no_more(upgraded: World) -> None:
    told = Introduction(public_key=bytes(32), name="laptop")
    asked = await upgraded.services.pairing.ask(told, CODE, "203.0.113.7")
    assert asked.person_name == "anna"
    [request] = await upgraded.services.admissions.requests(ANNA)
    assert request.state == "waiting"


async def test_a_job_that_waited_still_does_and_is_not_made_twice(upgraded: World) -> None:
    await upgraded.restart()
    assert upgraded.board.ready_of(JOB) is not None
    again = Request(person_id=ANNA, kind="probe.run", conversation=ROOM, dedupe="matrix:7")
    receipt = await upgraded.services.intake.request(again)
    assert receipt.is_repeat
    assert (receipt.card.job_id, receipt.card.job.life.state) == (JOB, JobState.QUEUED)
    assert await upgraded.types_of(receipt.card) == ["job_queued"]


async def test_what_waited_to_be_shown_is_shown_once(upgraded: World) -> None:
    waiting = await upgraded.database.read(lambda c: deliveries.next_waiting(c, ROOM, AT_MS))
    assert waiting is not None
    assert waiting.view.text == "Which column?"
    assert waiting.view.buttons == (Button(label="Churn", says="/answer 1 Churn"),)
    read = upgraded.database.read
    assert await read(deliveries.cursor) == 1
    assert await read(lambda c: deliveries.shown_ref(c, ROOM, f"job:{JOB}")) == "m1"
    assert await read(lambda c: deliveries.conversations_of(c, ANNA)) == (ROOM,)
    assert await read(lambda c: deliveries.was_heard(c, "matrix", "7"))
