"""What is said on the web is kept within bounds, changes in place, and is read once."""

from __future__ import annotations

import sqlite3

import pytest

from hub.core.chat import MESSAGES_KEPT_MAX, Author
from hub.core.view import View
from hub.services.deeds import MESSAGES_MAX
from hub.services.requests import Request
from hub.store import chat, events, purging, tasks
from hub.store.ledger import Entry
from shared.errors import ErrorBody, LimitReached, NotFound
from shared.events import JobFailed, JobStarted, MessageSaid
from shared.ids import ConversationId, JobId, PersonId, TaskId
from tests.hub.worlds import World

HERE = ConversationId("web:1")


async def task_of(world: World, person_id: PersonId) -> TaskId:
    receipt = await world.services.intake.request(Request(person_id=person_id, kind="probe.run"))
    return receipt.card.job.task_id


async def texts(world: World, before: int | None = None, limit: int = 200) -> list[str]:
    page = await world.services.chats.page(HERE, before, limit)
    return [message.view.text for message in page.messages]


async def test_a_message_of_the_hub_changes_in_place_and_words_of_people_do_not(
    world: World,
) -> None:
    chats = world.services.chats
    assert await chats.show(HERE, View(text="Waiting."), "a")
    assert await chats.said(HERE, "Hello", "b", by="anna on the web")
    assert await chats.show(HERE, View(text="Running."), "a")
    assert not await chats.show(HERE, View(text="Running."), "a")
    assert not await chats.said(HERE, "Hello again", "b", by="anna on the web")
    page = await chats.page(HERE)
    assert [(m.view.text, m.author, m.edits) for m in page.messages] == [
        ("Running.", Author.HUB, 1),
        ("Hello", Author.PERSON, 0),
    ]


async def test_of_a_long_talk_the_oldest_make_room(world: World) -> None:
    def fill(entry: Entry) -> None:
        for number in range(MESSAGES_KEPT_MAX):
            entry.connection.execute(
                "INSERT INTO chat_messages (conversation, ref, author, said_by, view, task_id,"
                " job_id, hub_seq, at_ms) VALUES (?, ?, 'hub', '', ?, '', '', 0, 0)",
                (HERE, f"r{number}", chat.written(View(text=f"word {number}"))),
            )

    await world.ledger.write(fill)
    await world.services.chats.show(HERE, View(text="one more"), "last")
    (count,) = await world.ledger.read(
        lambda c: c.execute("SELECT count(*) FROM chat_messages").fetchone()
    )
    assert count == MESSAGES_KEPT_MAX
    assert (await texts(world))[-1] == "one more"
    oldest = await world.ledger.read(
        lambda c: c.execute("SELECT ref FROM chat_messages ORDER BY number LIMIT 1").fetchone()
    )
    assert oldest == ("r1",)


async def test_a_talk_is_paged_without_gaps(world: World) -> None:
    for number in range(5):
        await world.services.chats.show(HERE, View(text=f"word {number}"), f"r{number}")
    last = await world.services.chats.page(HERE, limit=2)
    assert last.has_older
    first = await world.services.chats.page(HERE, before=last.messages[0].number, limit=3)
    assert [m.view.text for m in (*first.messages, *last.messages)] == [
        f"word {number}" for number in range(5)
    ]
    assert not first.has_older


async def test_words_on_a_task_are_events_of_its_newest_job(world: World) -> None:
    anna = (await world.person()).person_id
    task_id = await task_of(world, anna)
    await world.services.intake.say(anna, task_id, "Mind it.", by="anna on the web", where="web")
    said = [f.body for f in await world.services.feed.after(0, 100)][-1]
    assert isinstance(said, MessageSaid)
    assert (said.task_id, said.text, said.by, said.where) == (
        task_id, "Mind it.", "anna on the web", "web",
    )  # fmt: skip


async def test_nobody_says_anything_on_the_tasks_of_others(world: World) -> None:
    anna, ben = [(await world.person(name)).person_id for name in ("anna", "ben")]
    task_id = await task_of(world, anna)
    with pytest.raises(NotFound) as refused:
        await world.services.intake.say(ben, task_id, "Hi", by="ben on the web", where="web")
    assert refused.value.code == "task_unknown"
    with pytest.raises(NotFound):
        await world.services.chats.talk(ben, task_id)


async def test_so_many_words_on_one_job_are_enough(world: World) -> None:
    anna = (await world.person()).person_id
    task_id = await task_of(world, anna)
    card = (await world.services.views.jobs_of_task(task_id))[0]

    def fill(entry: Entry) -> None:
        body = MessageSaid(task_id=task_id, job_id=card.job_id, text="x", by="anna", where="web")
        for _ in range(MESSAGES_MAX):
            entry.tell(anna, body)

    await world.ledger.write(fill)
    with pytest.raises(LimitReached) as refused:
        await world.services.intake.say(anna, task_id, "one more", by="anna", where="web")
    assert refused.value.code == "too_many_messages"


async def test_what_happened_to_one_thing_is_not_looked_for_among_all_of_its_person(
    world: World,
) -> None:
    anna = (await world.person()).person_id
    task_id = await task_of(world, anna)

    def plans(connection: sqlite3.Connection) -> list[str]:
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        task = tasks.load(connection, task_id)
        assert task is not None
        chat.talk(connection, task, before=None, limit=100)
        chat.thread_line(connection, anna, task_id)
        events.of_entity(connection, anna, task_id, 10)
        events.steps_of(connection, anna, JobId(task_id), 10)
        purging.is_purged(connection, anna, task_id)
        connection.set_trace_callback(None)
        reads = [sql for sql in asked if "FROM events" in sql]
        assert len(reads) == 6
        return [
            str(step[3])
            for sql in reads
            for step in connection.execute(f"EXPLAIN QUERY PLAN {sql}")
            if "events" in step[3]
        ]

    assert {plan.partition(" (")[0] for plan in await world.ledger.read(plans)} == {
        "SEARCH events USING INDEX idx_events_entity"
    }


async def test_what_was_read_is_not_counted_again(world: World) -> None:
    person = await world.person()
    anna = person.person_id
    desk = await world.desk(person)
    await desk.come()
    chats = world.services.chats
    await chats.begin_reading(anna)
    task_id = await task_of(world, anna)
    grant = await desk.take()
    error = ErrorBody(code="x", message="No.", hint="Try.")
    names = {"job_id": grant.job_id, "attempt": grant.attempt, "fence": grant.fence}
    await desk.report(
        JobStarted.model_validate(names), JobFailed.model_validate({**names, "error": error})
    )
    [line] = await chats.thread_lines(anna, [task_id])
    assert line.unread == 1
    assert await chats.read_up_to(anna, task_id, world.services.feed.position())
    assert not await chats.read_up_to(anna, task_id, 1)
    [line] = await chats.thread_lines(anna, [task_id])
    assert line.unread == 0
