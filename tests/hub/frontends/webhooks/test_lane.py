"""A webhook's way through the log, step by step, on a real store and a clock set by hand."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from hub.core.access import Person
from hub.core.fact import Fact
from hub.core.webhook import (
    REFUSED_TRIES,
    Answered,
    Delivery,
    DeliveryState,
    Outcome,
    Stopped,
    Unanswered,
    Webhook,
)
from hub.frontends.webhooks.lane import SKIPS_MAX, Lane, LaneOver
from hub.frontends.webhooks.posting import Message
from hub.services.webhook_lanes import PRUNE_EVERY
from hub.services.webhooks import NewWebhook, WebhookPatch
from hub.store import webhooks as store
from hub.store.ledger import Entry
from shared.errors import Unavailable
from shared.events import JobFailed, JobStarted, JobSucceeded, WebhookChanged
from shared.ids import JobId
from tests.hub.worlds import Desk, World
from tests.makers import LASTING, PASSING

AWAY = Unanswered("It could not be reached.")
TAKEN = Answered(204)
DAY = 24 * 3600.0


@dataclass
class Endpoint:
    """Takes what comes, unless it is told otherwise."""

    outcomes: deque[Outcome] = field(default_factory=deque)
    usual: Outcome = TAKEN
    tried: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    """Id and body of every try."""
    taken: list[dict[str, object]] = field(default_factory=list)
    signatures: list[int] = field(default_factory=list)
    """How many secrets signed."""

    async def send(self, url: str, keys: Sequence[bytes], message: Message) -> Outcome:
        del url
        body = json.loads(message.body)
        self.tried.append((message.message_id, body))
        self.signatures.append(len(keys))
        outcome = self.outcomes.popleft() if self.outcomes else self.usual
        if outcome == TAKEN:
            self.taken.append(body)
        return outcome

    async def close(self) -> None:
        pass

    @property
    def types(self) -> list[object]:
        return [body["type"] for body in self.taken]


@dataclass
class Hook:
    """A webhook of somebody's, its endpoint, and its lane."""

    world: World
    webhook: Webhook
    endpoint: Endpoint
    lane: Lane

    async def run(self) -> float | None:
        """Send all that can be sent now; return how long the lane wants to wait."""
        while True:
            wait = await self.lane.run_once()
            if wait != 0.0:
                return wait

    async def restart(self) -> None:
        """The hub dies and comes back; what was in memory is gone."""
        await self.world.restart()
        self.lane = Lane(self.webhook.webhook_id, self.world.services, self.endpoint)

    async def now(self) -> Webhook:
        return await self.world.services.webhooks.webhook(None, self.webhook.webhook_id)

    async def deliveries(self, *states: DeliveryState) -> list[Delivery]:
        """What it was told, the oldest first."""
        found = await self.world.services.webhooks.deliveries(
            None, self.webhook.webhook_id, states=frozenset(states)
        )
        return sorted(found, key=lambda delivery: delivery.hub_seq)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.database.close()


@pytest.fixture
async def anna(world: World) -> Person:
    return await world.person()


async def a_hook(world: World, person: Person, *types: str) -> Hook:
    webhook, _ = await world.services.webhooks.create(
        NewWebhook(person_id=person.person_id, url="https://example.org/", types=types, by="anna")
    )
    endpoint = Endpoint()
    return Hook(world, webhook, endpoint, Lane(webhook.webhook_id, world.services, endpoint))


@pytest.fixture
async def hook(world: World, anna: Person) -> Hook:
    return await a_hook(world, anna, "job.queued", "job.succeeded", "job.failed", "job.late_result")


async def ids_queued(hook: Hook, person: Person, count: int) -> list[JobId]:
    return [(await hook.world.request(person)).job_id for _ in range(count)]


def ids_taken(hook: Hook) -> list[object]:
    taken = []
    for body in hook.endpoint.taken:
        data = body["data"]
        assert isinstance(data, dict)
        taken.append(data["job_id"])
    return taken


async def test_events_are_told_in_their_order(hook: Hook, anna: Person) -> None:
    asked = await ids_queued(hook, anna, 5)
    assert await hook.run() is None
    assert ids_taken(hook) == asked
    assert {d.state for d in await hook.deliveries()} == {DeliveryState.DELIVERED}


async def test_what_happened_before_it_was_made_is_not_told(world: World, anna: Person) -> None:
    await world.request(anna)
    hook = await a_hook(world, anna)
    await hook.run()
    assert hook.endpoint.tried == []


async def test_other_types_and_other_people_are_not_told(
    world: World, hook: Hook, anna: Person
) -> None:
    ben = await world.person("ben")
    of_ben = await a_hook(world, ben)
    [mine] = await ids_queued(hook, anna, 1)
    await hook.run()
    await of_ben.run()
    assert (ids_taken(hook), hook.endpoint.types) == ([mine], ["job.queued"])
    assert of_ben.endpoint.tried == []


async def test_an_endpoint_that_was_away_for_a_day_misses_nothing(
    world: World, hook: Hook, anna: Person
) -> None:
    hook.endpoint.usual = AWAY
    asked = await ids_queued(hook, anna, 20)
    for _ in range(24):
        assert await hook.run() is not None
        world.clock.advance(3600)
        asked += await ids_queued(hook, anna, 1)
    assert len({message_id for message_id, _ in hook.endpoint.tried}) == 1
    hook.endpoint.usual = TAKEN
    world.clock.advance(2 * 3600)
    await hook.run()
    assert ids_taken(hook) == asked


async def test_a_clock_that_goes_back_by_years_makes_nothing_wait(
    world: World, hook: Hook, anna: Person
) -> None:
    hook.endpoint.usual = AWAY
    asked = await ids_queued(hook, anna, 2)
    await hook.run()
    world.clock.jump(-10 * 365 * DAY)
    hook.endpoint.usual = TAKEN
    await hook.run()
    assert ids_taken(hook) == asked


async def test_a_hub_that_died_goes_on_where_it_was_and_keeps_the_order(
    world: World, hook: Hook, anna: Person
) -> None:
    asked = await ids_queued(hook, anna, 3)
    await hook.run()
    hook.endpoint.usual = AWAY
    asked += await ids_queued(hook, anna, 3)
    wait = await hook.run()
    await hook.restart()
    assert await hook.run() == wait
    asked += await ids_queued(hook, anna, 3)
    hook.endpoint.usual = TAKEN
    world.clock.advance(10)
    await hook.run()
    assert ids_taken(hook) == asked


async def test_a_message_whose_answer_was_lost_comes_again_under_its_id(
    hook: Hook, anna: Person
) -> None:
    await ids_queued(hook, anna, 1)
    hook.endpoint.outcomes.append(Unanswered("It did not answer within 15 s."))
    await hook.run()
    hook.world.clock.advance(10)
    await hook.run()
    [(first, body), (second, again)] = hook.endpoint.tried
    assert (first, body) == (second, again)


async def test_a_lane_that_waits_tries_no_earlier_than_it_said(hook: Hook, anna: Person) -> None:
    hook.endpoint.usual = Answered(503, 600.0)
    await ids_queued(hook, anna, 2)
    assert await hook.run() == 600.0
    hook.world.clock.advance(599)
    assert await hook.run() == pytest.approx(1.0)
    assert len(hook.endpoint.tried) == 1
    hook.world.clock.advance(1)
    await hook.run()
    assert len(hook.endpoint.tried) == 2


async def test_a_message_that_is_refused_lets_the_others_past_and_comes_later(
    hook: Hook, anna: Person
) -> None:
    refused, *others = await ids_queued(hook, anna, 3)
    hook.endpoint.outcomes.extend([Answered(500)] * REFUSED_TRIES)
    while not hook.endpoint.taken:
        await hook.run()
        hook.world.clock.advance(60)
        assert len(hook.endpoint.tried) < 20
    await hook.run()
    assert ids_taken(hook) == others
    [aside] = await hook.deliveries(DeliveryState.ASIDE)
    assert (aside.status, aside.error) == (500, "It answered 500.")
    hook.world.clock.advance(3600)
    await hook.run()
    assert ids_taken(hook) == [*others, refused]


async def test_gone_turns_it_off_and_its_person_is_told(
    world: World, hook: Hook, anna: Person
) -> None:
    hook.endpoint.usual = Answered(410)
    await ids_queued(hook, anna, 2)
    with pytest.raises(LaneOver):
        await hook.run()
    assert (await hook.now()).stopped is Stopped.GONE
    facts = await world.services.feed.after(0, 100, anna.person_id)
    told = [f.body for f in facts if isinstance(f.body, WebhookChanged)]
    assert [(body.change, body.reason, body.host) for body in told] == [
        ("created", "", "example.org"),
        ("stopped", "gone", "example.org"),
    ]


async def test_days_without_success_turn_it_off(hook: Hook, anna: Person) -> None:
    hook.endpoint.usual = AWAY
    await ids_queued(hook, anna, 1)
    for _ in range(60):
        await hook.run()
        hook.world.clock.advance(5 * DAY / 60)
    assert (await hook.now()).stopped is None
    with pytest.raises(LaneOver):
        await hook.run()
    assert (await hook.now()).stopped is Stopped.FAILING


async def test_turned_on_again_it_goes_on_where_it_stopped(
    world: World, hook: Hook, anna: Person
) -> None:
    services = world.services
    hook.endpoint.usual = Answered(410)
    asked = await ids_queued(hook, anna, 1)
    with pytest.raises(LaneOver):
        await hook.run()
    asked += await ids_queued(hook, anna, 2)
    hook.endpoint.usual = TAKEN
    on = WebhookPatch(is_on=True)
    await services.webhooks.update(anna.person_id, hook.webhook.webhook_id, on, "anna")
    await hook.run()
    assert ids_taken(hook) == asked


async def test_turned_on_again_it_may_begin_with_what_happens_now(
    world: World, hook: Hook, anna: Person
) -> None:
    services = world.services
    hook.endpoint.usual = AWAY
    await ids_queued(hook, anna, 2)
    await hook.run()
    for patch in (WebhookPatch(is_on=False), WebhookPatch(is_on=True, skips=True)):
        await services.webhooks.update(anna.person_id, hook.webhook.webhook_id, patch, "anna")
    hook.endpoint.usual = TAKEN
    asked = await ids_queued(hook, anna, 1)
    await hook.run()
    assert ids_taken(hook) == asked


async def test_who_says_that_it_is_back_need_not_wait(hook: Hook, anna: Person) -> None:
    hook.endpoint.usual = AWAY
    asked = await ids_queued(hook, anna, 1)
    for _ in range(6):
        hook.world.clock.advance(await hook.run() or 0)
    await hook.run()
    hook.endpoint.usual = TAKEN
    patch = WebhookPatch(url="https://example.org/moved")
    webhooks = hook.world.services.webhooks
    await webhooks.update(anna.person_id, hook.webhook.webhook_id, patch, "anna")
    await hook.run()
    assert ids_taken(hook) == asked


async def test_a_trial_is_sent_beside_what_waits(hook: Hook, anna: Person) -> None:
    hook.endpoint.usual = AWAY
    await ids_queued(hook, anna, 1)
    await hook.run()
    hook.endpoint.outcomes.append(TAKEN)
    await hook.world.services.webhooks.test(anna.person_id, hook.webhook.webhook_id)
    await hook.run()
    assert hook.endpoint.types == ["webhook.test"]
    assert [d.type for d in await hook.deliveries(DeliveryState.WAITING)] == ["job.queued"]


async def test_what_was_told_is_told_again_when_somebody_asks(hook: Hook, anna: Person) -> None:
    await ids_queued(hook, anna, 2)
    await hook.run()
    first = (await hook.deliveries())[0]
    webhooks = hook.world.services.webhooks
    await webhooks.redeliver(anna.person_id, first.webhook_id, first.delivery_id)
    await hook.run()
    assert [one for one, _ in hook.endpoint.tried].count(first.message_id) == 2
    assert (await hook.now()).cursor == max(d.hub_seq for d in await hook.deliveries())


async def test_what_was_purged_is_not_told(world: World, hook: Hook, anna: Person) -> None:
    hook.endpoint.usual = AWAY
    card = await world.request(anna)
    [kept] = await ids_queued(hook, anna, 1)
    await hook.run()
    await world.services.intake.cancel(anna.person_id, card.job_id, "anna")
    await world.services.intake.purge(anna.person_id, card.job.task_id, "anna")
    hook.endpoint.usual = TAKEN
    world.clock.advance(60)
    await hook.run()
    assert ids_taken(hook) == [kept]
    [dropped] = await hook.deliveries(DeliveryState.DROPPED)
    assert dropped.due_at is None


async def test_a_result_that_came_too_late_is_not_told_as_a_success(
    world: World, hook: Hook, anna: Person
) -> None:
    desk: Desk = await world.desk(anna)
    card = await world.request(anna)
    grant = await desk.take()
    told = {"job_id": card.job_id, "attempt": grant.attempt, "fence": grant.fence}
    await desk.report(
        JobStarted.model_validate(told),
        JobFailed.model_validate({**told, "error": LASTING}),
        JobSucceeded.model_validate({**told, "result": {}, "running_seconds": 1.0}),
    )
    await hook.run()
    assert hook.endpoint.types == ["job.queued", "job.failed", "job.late_result"]


async def test_a_failure_that_is_tried_again_says_so(
    world: World, hook: Hook, anna: Person
) -> None:
    desk = await world.desk(anna)
    card = await world.request(anna)
    grant = await desk.take()
    told = {"job_id": card.job_id, "attempt": grant.attempt, "fence": grant.fence}
    await desk.report(
        JobStarted.model_validate(told), JobFailed.model_validate({**told, "error": PASSING})
    )
    await hook.run()
    assert hook.endpoint.types == ["job.queued", "job.failed", "job.queued"]
    data = hook.endpoint.taken[1]["data"]
    assert isinstance(data, dict)
    assert data["will_retry"] is True


async def test_while_secrets_are_exchanged_both_sign(hook: Hook, anna: Person) -> None:
    webhooks = hook.world.services.webhooks
    hook_id = hook.webhook.webhook_id
    await webhooks.rotate(anna.person_id, hook_id, "anna", overlap_seconds=3600)
    await ids_queued(hook, anna, 1)
    await hook.run()
    hook.world.clock.advance(3601)
    await ids_queued(hook, anna, 1)
    await hook.run()
    assert hook.endpoint.signatures == [2, 1]


async def test_what_concerns_it_not_is_not_read_again_for_ever(world: World, anna: Person) -> None:
    hook = await a_hook(world, anna, "worker.revoked")
    await ids_queued(hook, anna, SKIPS_MAX)
    assert await hook.run() is None
    assert (await hook.now()).cursor > hook.webhook.cursor


async def test_what_was_told_long_ago_is_forgotten_and_what_waits_is_not(
    world: World, hook: Hook, anna: Person
) -> None:
    old = world.services.webhook_lanes.new_delivery(
        hook.webhook.webhook_id, (await queued_facts(world, anna))[0]
    )
    done = [
        replace(old, delivery_id=f"0-{n:05d}", state=DeliveryState.DELIVERED)
        for n in range(store.ENDED_KEPT_MAX + 200)
    ]
    now = world.clock.now()
    later = now + timedelta(hours=1)
    aside = replace(
        old, delivery_id="0", state=DeliveryState.ASIDE, tries=6, tried_at=now, due_at=later
    )

    def write(entry: Entry) -> None:
        for delivery in (aside, *done):
            store.save_delivery(entry, delivery)

    await world.ledger.write(write)
    await ids_queued(hook, anna, PRUNE_EVERY)
    await hook.run()
    known = await world.ledger.read(
        lambda c: c.execute("SELECT delivery_id FROM webhook_deliveries").fetchall()
    )
    assert store.ENDED_KEPT_MAX <= len(known) <= store.ENDED_KEPT_MAX + PRUNE_EVERY
    assert (done[0].delivery_id,) not in known
    assert (done[-1].delivery_id,) in known
    assert (aside.delivery_id,) in known


async def test_while_nothing_can_be_written_down_nothing_is_sent(
    world: World, hook: Hook, anna: Person
) -> None:
    [asked] = await ids_queued(hook, anna, 1)
    world.database.trouble = Unavailable("disk_full", "The disk is full.", "Free some space.")
    with pytest.raises(Unavailable):
        await hook.run()
    assert hook.endpoint.tried == []
    world.database.trouble = None
    await hook.run()
    assert ids_taken(hook) == [asked]


async def queued_facts(world: World, person: Person) -> list[Fact]:
    await world.request(person)
    facts = await world.services.feed.after(0, 100, person.person_id)
    return [fact for fact in facts if fact.type == "job_queued"]


async def test_a_webhook_that_is_deleted_ends_its_lane(hook: Hook, anna: Person) -> None:
    webhooks = hook.world.services.webhooks
    await webhooks.delete(anna.person_id, hook.webhook.webhook_id, "anna")
    with pytest.raises(LaneOver):
        await hook.run()
