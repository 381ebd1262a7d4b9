"""The pages of sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hub.core.session import EndReason, Session
from hub.frontends.web.pages.sessions import says
from hub.frontends.web.visitor import Setting
from hub.services.sessions import SessionCard
from shared.ids import PersonId, SessionId, TaskId, WorkerId
from tests.hub.frontends.web.reader import Reader
from tests.hub.frontends.world import World, until
from tests.makers import NOON

SESSION = Session(
    session_id=SessionId("s"),
    person_id=PersonId("p"),
    task_id=TaskId("t"),
    worker_id=WorkerId("w"),
    opened_at=NOON - timedelta(minutes=20),
    active_at=NOON - timedelta(minutes=5),
)
CARD = SessionCard(
    session=SESSION,
    task_text="train",
    title="train",
    worker_name="anna-pc",
    jobs=1,
    is_busy=False,
    takes_follow_ups=True,
    lives_until=NOON + timedelta(minutes=25),
)


class Noon:
    """As much of a setting as the words need."""

    class environment:  # noqa: N801 - stands in for an attribute
        @staticmethod
        def now() -> object:
            return NOON


def told(card: SessionCard) -> tuple[str, str]:
    setting: Setting = Noon()  # type: ignore[assignment]
    _, _, word, sentence = says(card, setting)
    return word, sentence


def test_a_session_says_when_it_will_end() -> None:
    assert told(CARD) == ("Idle", "Last used 5 min ago; over in 25 min.")
    busy = replace(CARD, is_busy=True)
    assert told(busy) == ("At work", "Takes what follows for another 40 min.")
    late = replace(busy, lives_until=None)
    assert told(late) == ("At work", "It is over when its job is: it is older than an hour.")
    ended = replace(SESSION, ended_at=NOON, reason=EndReason.PERSON, ended_by="anna on the web")
    assert told(replace(CARD, session=ended)) == ("Ended", "Anna on the web ended it.")


async def test_without_sessions_the_page_says_what_they_are_for(reader: Reader) -> None:
    assert "No session is open." in (await reader.get("/sessions")).text


async def test_a_session_leads_from_task_to_computer_and_is_ended(
    world: World, reader: Reader
) -> None:
    worker = await world.pair()
    async with worker.online():
        made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
        grant = await worker.grant_of(made["job_id"])
        await worker.starts(grant)
        await worker.succeeds(grant, {"headline": "None.", "models": []})
        await until(lambda: worker.acked == len(worker.log))
        page = await reader.get("/sessions")
        assert "Idle models Last used just now; over in" in page.text
        assert f"/workers/{worker.worker_id}" in page.links
        [one] = [link for link in page.links if link.startswith("/sessions/")]
        shown = await reader.get(one)
        assert f"/jobs/{made['job_id']}" in shown.links
        assert f"/tasks/{made['task_id']}" in shown.links
        assert one in (await reader.get(f"/workers/{worker.worker_id}")).links
        ended = await reader.post(f"{one}/end")
        assert ended.toast == "The session on anna-pc was ended."
        assert "No session is open." in ended.text
        assert "Me on the web ended it." in (await reader.get("/sessions?state=ended")).text
