"""The way out survives what frontends and deaths do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.app import Hub, compose
from hub.core.view import FrontendCapabilities, Inbound, Sender, Tone, View
from hub.frontends.handover import FAULTS_MAX
from hub.frontends.outbox import Outbox
from hub.ports import Health, HealthState, Inbox, MessageRef
from hub.services.deliveries import Deliveries
from hub.services.requests import Request
from hub.settings import Settings
from shared.environment import Environment
from shared.errors import NotAllowed, Unavailable
from shared.events import WorkerBack, WorkerLost
from shared.ids import ConversationId, PersonId, WorkerId
from shared.messages import Progress

HOME = ConversationId("stage:1")
ELSEWHERE = ConversationId("stage:2")


@dataclass(slots=True)
class Stage:
    """A frontend that fails as it is told to; without a platform behind it."""

    name: str = "stage"
    capabilities: FrontendCapabilities = field(
        default_factory=lambda: FrontendCapabilities(
            buttons_max=8, edit=True, min_edit_interval_seconds=0
        )
    )
    troubles: list[Exception] = field(default_factory=list)
    """Raised one after the other, before anything is shown."""
    shown: list[tuple[str, View, str]] = field(default_factory=list)
    """Conversation, view, and the ref it replaced."""

    async def start(self, inbox: Inbox) -> None:
        del inbox

    async def stop(self) -> None:
        return None

    async def render(
        self, conversation: ConversationId, view: View, replace: MessageRef | None
    ) -> MessageRef:
        if self.troubles:
            raise self.troubles.pop(0)
        self.shown.append((conversation, view, replace.value if replace else ""))
        return replace or MessageRef(f"m{len(self.shown)}")

    def status(self) -> Health:
        return Health(state=HealthState.OK, since=datetime.now(UTC))


@dataclass(slots=True)
class Jumping:
    """A clock that can be set ahead."""

    ahead_seconds: float = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(1_800_000_000 + self.ahead_seconds, UTC)

    def monotonic(self) -> float:
        return self.ahead_seconds


@dataclass(slots=True)
class Scene:
    """A hub whose loops do not run: each step is taken by the test."""

    hub: Hub
    clock: Jumping
    stage: Stage
    outbox: Outbox
    deliveries: Deliveries
    person_id: PersonId

    async def cancelled_job(self, conversation: ConversationId = HOME) -> None:
        """A job that ends at once: its last word is on its way."""
        receipt = await self.hub.services.intake.request(
            Request(person_id=self.person_id, kind="ml.models", conversation=conversation)
        )
        await self.hub.services.intake.cancel(self.person_id, receipt.card.job_id, "me on x")

    async def show_all(self, conversation: ConversationId = HOME) -> None:
        """Show until nothing is due; time passes as it must."""
        for _ in range(100):
            wait = await self.outbox.show_once(conversation)
            if wait is None:
                return
            self.clock.ahead_seconds += wait

    @property
    def finals(self) -> list[str]:
        return [view.text for _, view, _ in self.stage.shown if view.final]


async def open_scene(folder: Path, stage: Stage | None = None) -> Scene:
    clock = Jumping()
    environment = Environment(clock=clock)
    hub = compose(Settings(data=folder), environment)
    people = await hub.services.registry.people()
    person = people[0] if people else await hub.services.registry.add_person("anna")
    stage = stage or Stage()
    hub.outbox.add(stage)
    deliveries = Deliveries(hub.database, environment)
    return Scene(hub, clock, stage, hub.outbox, deliveries, person.person_id)


async def test_an_event_is_worded_once_however_often_the_loop_runs(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    await scene.cancelled_job()
    assert await scene.outbox.word_once() == await scene.outbox.word_once()
    await scene.show_all()
    assert len(scene.finals) == 1
    scene.hub.database.close()


async def test_each_round_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    for rounds in (1, 2, 3):
        await scene.cancelled_job()
        await scene.outbox.word_once()
        await scene.show_all()
        assert len(scene.finals) == rounds
    scene.hub.database.close()


def status(job: str) -> View:
    return View(text=job, tone=Tone.RUNNING, subject=f"job:{job}")


async def test_status_messages_keep_the_pace_a_frontend_asks_for(tmp_path: Path) -> None:
    capabilities = FrontendCapabilities(edit=True, min_edit_interval_seconds=3)
    scene = await open_scene(tmp_path, Stage(capabilities=capabilities))
    await scene.deliveries.put([(HOME, status("a"), 0), (HOME, status("b"), 0)], 0)
    assert await scene.outbox.show_once(HOME) == 0
    assert await scene.outbox.show_once(HOME) == pytest.approx(3, abs=0.01)
    assert [view.text for _, view, _ in scene.stage.shown] == ["a"]
    scene.clock.ahead_seconds += 3
    await scene.show_all()
    assert [view.text for _, view, _ in scene.stage.shown] == ["a", "b"]
    scene.hub.database.close()


async def test_a_question_goes_before_status_messages_and_does_not_wait_for_their_pace(
    tmp_path: Path,
) -> None:
    capabilities = FrontendCapabilities(edit=True, min_edit_interval_seconds=3)
    scene = await open_scene(tmp_path, Stage(capabilities=capabilities))
    asked = View(text="Which?", tone=Tone.ASKING, subject="question:q")
    await scene.deliveries.put([(HOME, status("a"), 0), (HOME, asked, 0)], 0)
    assert await scene.outbox.show_once(HOME) == 0
    assert await scene.outbox.show_once(HOME) == 0
    assert [view.text for _, view, _ in scene.stage.shown] == ["Which?", "a"]
    scene.hub.database.close()


async def test_progress_keeps_the_pace_and_only_the_newest_counts(tmp_path: Path) -> None:
    capabilities = FrontendCapabilities(edit=True, min_edit_interval_seconds=3)
    scene = await open_scene(tmp_path, Stage(capabilities=capabilities))
    request = Request(person_id=scene.person_id, kind="ml.train", conversation=HOME)
    job_id = (await scene.hub.services.intake.request(request)).card.job_id
    await scene.outbox.word_once()
    await scene.show_all()
    for done in range(10):
        told = Progress(job_id=job_id, attempt=1, stage="models", done=done, total=10)
        scene.outbox.note_progress(job_id, WorkerId("w"), told)
    assert await scene.outbox.show_once(HOME) == pytest.approx(3, abs=0.01)
    scene.hub.database.close()


async def test_a_death_between_wording_and_showing_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    before = await open_scene(tmp_path)
    await before.cancelled_job()
    await before.outbox.word_once()
    before.hub.database.close()

    after = await open_scene(tmp_path)
    await after.outbox.word_once()
    await after.show_all()
    assert len(after.finals) == 1
    after.hub.database.close()

    again = await open_scene(tmp_path)
    await again.outbox.word_once()
    await again.show_all()
    assert again.finals == []
    again.hub.database.close()


async def test_a_death_before_wording_loses_nothing(tmp_path: Path) -> None:
    before = await open_scene(tmp_path)
    await before.cancelled_job()
    before.hub.database.close()
    after = await open_scene(tmp_path)
    await after.outbox.word_once()
    await after.show_all()
    assert len(after.finals) == 1
    after.hub.database.close()


async def test_a_death_right_after_showing_repeats_the_same_key(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    await scene.cancelled_job()
    await scene.outbox.word_once()
    found = await scene.deliveries.next_waiting(HOME)
    assert found is not None
    # Taken by the frontend, never noted here: what a second hub sends has the same key.
    taken = found[0].view
    scene.hub.database.close()
    after = await open_scene(tmp_path)
    await after.show_all()
    assert taken.key
    assert [view.key for _, view, _ in after.stage.shown] == [taken.key]
    after.hub.database.close()


async def test_a_passing_trouble_is_tried_again_no_sooner_than_asked(tmp_path: Path) -> None:
    trouble = Unavailable("flood", "Too fast.", retryable=True, retry_after_seconds=30)
    scene = await open_scene(tmp_path, Stage(troubles=[trouble]))
    await scene.cancelled_job()
    await scene.outbox.word_once()
    assert await scene.outbox.show_once(HOME) == 30
    assert await scene.outbox.show_once(HOME) == pytest.approx(30, abs=0.01)
    assert scene.finals == []
    await scene.show_all()
    assert len(scene.finals) == 1
    scene.hub.database.close()


async def test_a_person_who_blocked_us_is_given_up_and_the_next_message_goes_on(
    tmp_path: Path,
) -> None:
    scene = await open_scene(tmp_path, Stage(troubles=[NotAllowed("blocked", "Blocked.")]))
    await scene.cancelled_job()
    await scene.cancelled_job()
    await scene.outbox.word_once()
    await scene.show_all()
    assert len(scene.finals) == 1
    scene.hub.database.close()


async def test_a_frontend_that_breaks_is_tried_a_few_times_and_takes_nobody_along(
    tmp_path: Path,
) -> None:
    faults: Sequence[Exception] = [ZeroDivisionError()] * FAULTS_MAX
    scene = await open_scene(tmp_path, Stage(troubles=list(faults)))
    await scene.cancelled_job()
    await scene.cancelled_job(ELSEWHERE)
    await scene.outbox.word_once()
    await scene.show_all()
    assert scene.finals == []
    await scene.show_all(ELSEWHERE)
    assert len(scene.finals) == 1
    scene.hub.database.close()


async def test_a_conversation_sees_only_its_own_jobs(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    await scene.cancelled_job(ELSEWHERE)
    await scene.outbox.word_once()
    await scene.show_all(HOME)
    assert scene.stage.shown == []
    scene.hub.database.close()


async def test_a_job_from_nowhere_is_told_where_its_person_spoke_last(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    await scene.deliveries.said(ELSEWHERE, scene.person_id)
    scene.clock.ahead_seconds += 1
    await scene.deliveries.said(HOME, scene.person_id)
    await scene.cancelled_job(ConversationId(""))
    await scene.outbox.word_once()
    await scene.show_all(HOME)
    await scene.show_all(ELSEWHERE)
    assert {conversation for conversation, _, _ in scene.stage.shown} == {HOME}
    scene.hub.database.close()


async def test_a_status_that_was_overtaken_before_it_was_sent_is_never_sent(
    tmp_path: Path,
) -> None:
    scene = await open_scene(tmp_path)
    await scene.cancelled_job()
    await scene.outbox.word_once()
    await scene.show_all()
    assert len(scene.stage.shown) == 1
    scene.hub.database.close()


async def test_the_last_word_is_new_and_the_status_before_it_is_settled(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    request = Request(person_id=scene.person_id, kind="ml.train", conversation=HOME)
    receipt = await scene.hub.services.intake.request(request)
    await scene.outbox.word_once()
    await scene.show_all()
    await scene.hub.services.intake.cancel(scene.person_id, receipt.card.job_id, "me on x")
    await scene.outbox.word_once()
    await scene.show_all()
    [(_, waiting, _), (_, settled, replaced), (_, final, new)] = scene.stage.shown
    assert waiting.buttons
    assert (settled.text, settled.buttons, replaced) == ("Training has ended.", (), "m1")
    assert (final.final, new) == (True, "")
    scene.hub.database.close()


async def test_an_update_is_heard_once(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    sender = Sender(frontend="stage", external_id="1", name="anna", person_id=scene.person_id)
    inbound = Inbound(conversation=HOME, sender=sender, text="/help", dedupe="7")
    assert len(await scene.hub.inbox(inbound)) == 1
    assert await scene.hub.inbox(inbound) == ()
    scene.hub.database.close()


async def test_a_stranger_is_told_how_to_be_let_in_and_nothing_else(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    stranger = Sender(frontend="stage", external_id="666", name="eve")
    for number, text in enumerate(("/start", "/workers", "/train a.csv", "hello")):
        inbound = Inbound(conversation=HOME, sender=stranger, text=text, dedupe=str(number))
        [told] = await scene.hub.inbox(inbound)
        assert told.text.startswith("This hub does not know you. ")
    assert await scene.hub.services.views.jobs(None) == ()
    scene.hub.database.close()


def inbound_of(scene: Scene, text: str, update: str) -> Inbound:
    sender = Sender(frontend="stage", external_id="1", name="anna", person_id=scene.person_id)
    return Inbound(conversation=HOME, sender=sender, text=text, dedupe=update, answer_waits=True)


async def test_an_answer_that_waits_is_shown_by_the_outbox_once(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    assert await scene.hub.inbox(inbound_of(scene, "/help start", "7")) == ()
    assert await scene.hub.inbox(inbound_of(scene, "/help start", "7")) == ()
    await scene.show_all()
    [(_, view, _)] = scene.stage.shown
    assert view.text.startswith("What this is")
    assert view.key == "answer stage 7 0"
    scene.hub.database.close()


async def test_answers_keep_their_place_among_what_else_is_shown(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    await scene.hub.inbox(inbound_of(scene, "/help start", "1"))
    await scene.cancelled_job()
    await scene.outbox.word_once()
    await scene.hub.inbox(inbound_of(scene, "/help jobs", "2"))
    await scene.show_all()
    texts = [view.text.partition("\n")[0] for _, view, _ in scene.stage.shown]
    assert texts[0].startswith("What this is")
    assert texts[1].startswith("Cancelled: ")
    assert texts[2].startswith("What runs, waits")
    scene.hub.database.close()


async def test_a_death_before_an_update_was_noted_does_it_again_and_makes_one_job(
    tmp_path: Path,
) -> None:
    before = await open_scene(tmp_path)
    inbound = inbound_of(before, "/models", "7")
    # All that is done before the note; the note itself was never committed.
    await before.hub.inbox._hear(inbound)
    before.hub.database.close()
    after = await open_scene(tmp_path)
    assert await after.hub.inbox(inbound) == ()
    assert len(await after.hub.services.views.jobs(None)) == 1
    after.hub.database.close()


async def test_a_death_right_after_an_update_was_noted_still_answers_it_once(
    tmp_path: Path,
) -> None:
    before = await open_scene(tmp_path)
    await before.hub.inbox(inbound_of(before, "/help start", "7"))
    before.hub.database.close()
    after = await open_scene(tmp_path)
    assert await after.hub.inbox(inbound_of(after, "/help start", "7")) == ()
    await after.show_all()
    assert len(after.stage.shown) == 1
    after.hub.database.close()


async def test_the_same_update_twice_at_once_is_answered_once(tmp_path: Path) -> None:
    scene = await open_scene(tmp_path)
    inbound = inbound_of(scene, "/help start", "7")
    await asyncio.gather(scene.hub.inbox(inbound), scene.hub.inbox(inbound))
    await scene.show_all()
    assert len(scene.stage.shown) == 1
    scene.hub.database.close()


async def test_what_could_not_be_written_down_is_handed_back_to_be_told_again(
    tmp_path: Path,
) -> None:
    scene = await open_scene(tmp_path)
    inbound = inbound_of(scene, "/help start", "7")
    scene.hub.database.close()
    with pytest.raises(Unavailable):
        await scene.hub.inbox(inbound)


async def test_an_absence_becomes_a_return_in_the_same_message_wherever_one_spoke_since(
    tmp_path: Path,
) -> None:
    scene = await open_scene(tmp_path)
    await scene.deliveries.said(HOME, scene.person_id)
    since = scene.clock.now()
    lost = WorkerLost(worker_id=WorkerId("w"), name="anna-pc", since=since)
    ledger = scene.hub.services.absences._ledger
    await ledger.write(lambda entry: entry.tell(scene.person_id, lost))
    await scene.outbox.word_once()
    await scene.show_all()
    scene.clock.ahead_seconds += 4000
    await scene.deliveries.said(ELSEWHERE, scene.person_id)
    back = WorkerBack(
        worker_id=lost.worker_id, name="anna-pc", since=since, until=scene.clock.now()
    )
    await ledger.write(lambda entry: entry.tell(scene.person_id, back))
    await scene.outbox.word_once()
    await scene.show_all()
    await scene.show_all(ELSEWHERE)
    [(where, first, _), (again, second, replaced)] = scene.stage.shown
    assert (where, again, replaced) == (HOME, HOME, "m1")
    assert first.text.startswith("anna-pc is asleep or offline since ")
    assert second.text.startswith("anna-pc is back (was away ")
    assert first.is_quiet
    assert second.is_quiet
    scene.hub.database.close()
