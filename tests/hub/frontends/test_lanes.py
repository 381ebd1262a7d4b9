"""What is shown keeps the pace and its order, and nothing is shown twice that need not be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hub.core.job import Life
from hub.core.view import FrontendCapabilities, Pace, Tone, View
from hub.frontends.handover import FAULTS_MAX
from hub.ports import MessageRef
from hub.services.requests import Request
from hub.store import queue
from hub.store.ledger import Entry
from shared.errors import NotAllowed, NotFound, Unavailable
from shared.events import JobStarted, JobSucceeded, write_event
from shared.ids import ConversationId, JobId, PersonId, WorkerId
from shared.jobs import JobState
from shared.messages import Progress
from tests.hub.frontends.test_outbox import ELSEWHERE, HOME, Scene, Stage, open_scene, status

FLOOD = Unavailable("flood", "Too fast.", retryable=True, retry_after_seconds=30)
GONE = NotFound("message_gone", "That message is not there any more.")


def said(text: str) -> View:
    return View(text=text)


def last_word(job: str) -> View:
    return View(text=f"{job} is done.", subject=f"job:{job}", final=True, settles=f"{job} ended.")


def texts(scene: Scene, where: ConversationId = HOME) -> list[str]:
    return [view.text for conversation, view, _ in scene.stage.shown if conversation == where]


async def put(scene: Scene, *views: View, where: ConversationId = HOME) -> None:
    await scene.deliveries.put([(where, view, 0) for view in views], 0)


async def test_a_refused_message_keeps_its_place_and_its_chat_is_left_alone(
    tmp_path: Path,
) -> None:
    scene = await open_scene(tmp_path, Stage(troubles=[FLOOD]))
    await put(scene, said("one"), said("two"))
    assert await scene.outbox.show_once(HOME) == 30
    await put(scene, said("three"))
    await put(scene, said("elsewhere"), where=ELSEWHERE)
    assert await scene.outbox.show_once(HOME) == pytest.approx(30, abs=0.01)
    assert await scene.outbox.show_once(ELSEWHERE) == 0
    await scene.show_all()
    assert texts(scene) == ["one", "two", "three"]
    scene.hub.database.close()


async def test_two_chats_refused_at_once_stop_all_of_them(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path, Stage(troubles=[FLOOD, FLOOD]))
    for where in ("stage:1", "stage:2", "stage:3"):
        await put(scene, said("x"), where=ConversationId(where))
    await scene.outbox.show_once(HOME)
    await scene.outbox.show_once(ELSEWHERE)
    wait = await scene.outbox.show_once(ConversationId("stage:3"))
    assert wait == pytest.approx(30, abs=0.01)
    assert scene.stage.shown == []
    scene.hub.database.close()


async def test_a_restart_still_waits_as_long_as_the_platform_asked(tmp_path: Path) -> None:
    before = await open_scene(tmp_path, Stage(troubles=[FLOOD]))
    await put(before, said("one"))
    await before.outbox.show_once(HOME)
    before.hub.database.close()
    after = await open_scene(tmp_path)
    await put(after, said("two"))
    assert await after.outbox.show_once(HOME) == pytest.approx(30, abs=0.01)
    await after.deliveries.hurried(HOME)
    after.hub.database.close()


async def test_a_settled_message_is_not_settled_again_when_the_last_word_is_refused(
    tmp_path: Path,
) -> None:
    scene = await open_scene(tmp_path)
    await put(scene, status("a"))
    await scene.show_all()
    await put(scene, last_word("a"))
    assert await scene.outbox.show_once(HOME) == 0
    scene.stage.troubles = [FLOOD]
    assert await scene.outbox.show_once(HOME) == 30
    await scene.show_all()
    assert texts(scene) == ["a", "a ended.", "a is done."]
    scene.hub.database.close()


async def test_a_last_word_is_said_although_the_message_before_it_was_deleted(
    tmp_path: Path,
) -> None:
    scene = await open_scene(tmp_path)
    await put(scene, status("a"))
    await scene.show_all()
    await put(scene, last_word("a"))
    scene.stage.troubles = [GONE]
    await scene.show_all()
    assert texts(scene) == ["a", "a is done."]
    scene.hub.database.close()


async def test_what_should_replace_a_deleted_message_comes_as_a_new_one(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    asked = View(text="Which?", tone=Tone.ASKING, subject="question:q")
    await put(scene, asked)
    await scene.show_all()
    await put(scene, View(text="Still: which?", tone=Tone.ASKING, subject="question:q"))
    scene.stage.troubles = [GONE]
    await scene.show_all()
    assert [(view.text, replaced) for _, view, replaced in scene.stage.shown] == [
        ("Which?", ""),
        ("Still: which?", ""),
    ]
    scene.hub.database.close()


async def test_somebody_who_blocked_us_is_given_up_also_where_a_message_was_shown(
    tmp_path: Path,
) -> None:
    scene = await open_scene(tmp_path)
    await put(scene, View(text="Which?", subject="question:q"))
    await scene.show_all()
    await put(scene, View(text="Still: which?", subject="question:q"))
    blocked = NotAllowed("blocked", "Blocked.")
    scene.stage.troubles = [blocked, blocked]
    await scene.show_all()
    assert texts(scene) == ["Which?"]
    assert await scene.deliveries.waiting_conversations() == ()
    scene.hub.database.close()


async def test_what_was_taken_is_not_sent_again_while_the_store_cannot_be_written(
    tmp_path: Path,
) -> None:
    scene = await open_scene(tmp_path)
    await put(scene, last_word("a"), said("next"))
    store = scene.hub.database

    def fill(sql: str) -> None:
        store.submit(lambda connection: connection.execute(sql)).result()

    fill(
        "CREATE TEMP TRIGGER full BEFORE DELETE ON outbox"
        " BEGIN SELECT RAISE(ROLLBACK, 'database or disk is full'); END"
    )
    for _ in range(3):
        with pytest.raises(Unavailable):
            await scene.outbox.show_once(HOME)
    fill("DROP TRIGGER full")
    await scene.show_all()
    assert texts(scene) == ["a is done.", "next"]
    scene.hub.database.close()


async def test_a_message_that_breaks_its_frontend_is_given_up_and_the_next_one_goes(
    tmp_path: Path,
) -> None:
    scene = await open_scene(tmp_path, Stage(troubles=[ZeroDivisionError()] * FAULTS_MAX))
    await put(scene, said("poison"), said("next"))
    await scene.show_all()
    assert texts(scene) == ["next"]
    scene.hub.database.close()


async def test_a_message_that_takes_too_long_is_the_networks_fault_and_never_given_up(
    tmp_path: Path,
) -> None:
    scene = await open_scene(
        tmp_path, Stage(troubles=[TimeoutError() for _ in range(3 * FAULTS_MAX)])
    )
    await put(scene, last_word("a"))
    await scene.show_all()
    assert texts(scene) == ["a is done."]
    scene.hub.database.close()


# The pace.

CHAT = Pace(burst=3, per_second=1)
TELEGRAM_LIKE = FrontendCapabilities(
    buttons_max=8,
    edit=True,
    min_edit_interval_seconds=1,
    chat_pace=CHAT,
    group_pace=Pace(burst=5, per_second=20 / 60),
    total_pace=Pace(burst=30, per_second=30),
)


@dataclass(slots=True)
class Timed(Stage):
    """A stage that notes when each message or edit came."""

    clock: Callable[[], float] = lambda: 0.0
    times: list[float] = field(default_factory=list)

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        self.times.append(self.clock())
        return await super(Timed, self).render(conversation, view, replace)


def fastest(times: list[float], pace: Pace) -> float:
    """How far beyond its pace the worst window is, in messages."""
    return max(
        (last - first + 1) - (pace.burst + (times[last] - times[first]) * pace.per_second)
        for first in range(len(times))
        for last in range(first, len(times))
    )


async def started_jobs(scene: Scene, count: int) -> list[JobId]:
    """Jobs that run on a worker, as far as the store is concerned."""
    jobs = []
    for _ in range(count):
        request = Request(person_id=scene.person_id, kind="ml.train", conversation=HOME)
        jobs.append((await scene.hub.services.intake.request(request)).card.job_id)
    running = Life(state=JobState.RUNNING, fence=1, is_held=True, worker_id=WorkerId("w"))

    def run(entry: Entry) -> None:
        for job_id in jobs:
            job = queue.load_in(entry, job_id)
            assert job is not None
            queue.save(entry, job, running)

    await scene.hub.ledger.write(run)
    return jobs


async def finish(scene: Scene, jobs: list[JobId]) -> None:
    recorder = scene.hub.services.recorder
    seq = 0
    for job_id in jobs:
        bodies = (
            JobStarted(job_id=job_id, attempt=1, fence=1),
            JobSucceeded(
                job_id=job_id,
                attempt=1,
                fence=1,
                result={"headline": f"{job_id} is ready."},
                running_seconds=1,
            ),
        )
        events = []
        for body in bodies:
            seq += 1
            now = scene.clock.now()
            events.append(write_event(body, device="w", epoch=1, seq=seq, at=now))
        await recorder.record(WorkerId("w"), PersonId(scene.person_id), tuple(events))


async def test_fifty_jobs_with_ten_progresses_a_second_keep_the_pace_and_all_are_told(
    tmp_path: Path,
) -> None:
    stage = Timed(capabilities=TELEGRAM_LIKE)
    scene = await open_scene(tmp_path, stage)
    stage.clock = scene.clock.monotonic
    jobs = await started_jobs(scene, 50)
    await scene.outbox.word_once()

    async def pass_time(seconds: float) -> None:
        end = scene.clock.ahead_seconds + seconds
        while scene.clock.ahead_seconds < end:
            wait = await scene.outbox.show_once(HOME)
            left = end - scene.clock.ahead_seconds
            scene.clock.ahead_seconds += left if wait is None else min(wait, left)

    for tenth in range(100):
        for job_id in jobs:
            told = Progress(job_id=job_id, attempt=1, stage="models", done=tenth, total=100)
            scene.outbox.note_progress(job_id, WorkerId("w"), told)
        await pass_time(0.1)
    shown_before = len(stage.shown)
    await finish(scene, jobs)
    await scene.outbox.word_once()
    await pass_time(150)
    finals = [view.text for _, view, _ in stage.shown if view.final]
    assert sorted(finals) == sorted(f"{job_id} is ready." for job_id in jobs)
    assert fastest(stage.times, CHAT) <= 1e-3
    # The first last word does not wait behind the edits that came before it.
    first = next(n for n, (_, view, _) in enumerate(stage.shown) if view.final)
    assert first - shown_before <= 1
    assert shown_before >= 5
    scene.hub.database.close()


async def test_a_last_word_finds_a_token_however_much_progress_there_is(tmp_path: Path) -> None:
    stage = Stage(capabilities=TELEGRAM_LIKE)
    scene = await open_scene(tmp_path, stage)
    scene.clock.ahead_seconds += 100
    [job_id] = await started_jobs(scene, 1)
    await scene.outbox.word_once()
    for done in range(50):
        told = Progress(job_id=job_id, attempt=1, stage="models", done=done, total=50)
        scene.outbox.note_progress(job_id, WorkerId("w"), told)
        scene.clock.ahead_seconds += 0.7
        while await scene.outbox.show_once(HOME) == 0:
            pass
        await put(scene, said("urgent"), where=HOME)
        assert await scene.outbox.show_once(HOME) == 0
        scene.clock.ahead_seconds += 5
    scene.hub.database.close()


async def test_edits_settles_and_files_count_as_messages(tmp_path: Path) -> None:
    stage = Stage(capabilities=TELEGRAM_LIKE)
    scene = await open_scene(tmp_path, stage)
    scene.clock.ahead_seconds += 100
    await put(scene, status("a"))
    await scene.show_all()
    scene.clock.ahead_seconds += 100
    await put(scene, last_word("a"), said("one"), said("two"))
    for _ in range(3):
        assert await scene.outbox.show_once(HOME) == 0
    assert await scene.outbox.show_once(HOME) == pytest.approx(1, abs=0.01)
    assert texts(scene) == ["a", "a ended.", "a is done.", "one"]
    scene.hub.database.close()


async def test_after_a_start_the_first_message_waits_for_its_token(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path, Stage(capabilities=TELEGRAM_LIKE))
    await put(scene, said("one"))
    assert await scene.outbox.show_once(HOME) == pytest.approx(1, abs=0.01)
    scene.hub.database.close()


# Deaths.


class Died(BaseException):
    """The hub is killed at this very line."""


@dataclass(slots=True)
class Mortal(Stage):
    """A platform that lasts, in front of which the hub dies."""

    dies_before: int = -1
    """Which rendering does not reach the platform any more."""
    dies_after: int = -1
    """Which rendering is the last thing that happens."""
    calls: int = 0

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        self.calls += 1
        if self.calls == self.dies_before:
            raise Died
        ref = await super(Mortal, self).render(conversation, view, replace)
        if self.calls == self.dies_after:
            raise Died
        return ref


DEATHS = {
    "before the event is worded": (False, -1),
    "after it was worded": (True, -1),
    "before the earlier message is settled": (True, 2),
    "between settling and the last word": (True, 3),
}


@pytest.mark.parametrize("when", DEATHS)
async def test_wherever_the_hub_dies_the_last_word_is_said_once(tmp_path: Path, when: str) -> None:
    is_worded, dies_before = DEATHS[when]
    platform = Mortal(dies_before=dies_before)
    before = await open_scene(tmp_path, platform)
    request = Request(person_id=before.person_id, kind="ml.train", conversation=HOME)
    receipt = await before.hub.services.intake.request(request)
    await before.outbox.word_once()
    await before.show_all()
    await before.hub.services.intake.cancel(before.person_id, receipt.card.job_id, "me on x")
    if is_worded:
        await before.outbox.word_once()
    if dies_before > 0:
        with pytest.raises(Died):
            await before.show_all()
    before.hub.database.close()

    for _ in range(2):
        after = await open_scene(tmp_path, platform)
        await after.outbox.word_once()
        await after.show_all()
        after.hub.database.close()
    finals = [view.text for _, view, _ in platform.shown if view.final]
    assert len(finals) == 1
    settled = [view.text for _, view, replaced in platform.shown if replaced]
    assert set(settled) == {"Training has ended."}


async def test_the_one_instant_that_is_left_repeats_a_last_word_and_loses_none(
    tmp_path: Path,
) -> None:
    """The platform took it, and the hub died before that was committed."""
    platform = Mortal(dies_after=1)
    before = await open_scene(tmp_path, platform)
    await put(before, last_word("a"))
    with pytest.raises(Died):
        await before.show_all()
    before.hub.database.close()
    after = await open_scene(tmp_path, platform)
    await after.show_all()
    assert [view.text for _, view, _ in platform.shown] == ["a is done.", "a is done."]
    after.hub.database.close()
