"""Signatures beside the standard's own library; what becomes of a try, by tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook as Standard
from standardwebhooks import WebhookVerificationError

from hub.core.sealed import NONCE_BYTES, Sealer
from hub.core.webhook import (
    ASIDE_WAITS,
    FAILING_MAX,
    FAILURES_MIN,
    REFUSED_TRIES,
    RETRY_AFTER_SECONDS_MAX,
    SECRETS_MAX,
    WAITS,
    Answered,
    Delivery,
    DeliveryState,
    Outcome,
    Secret,
    Settled,
    Stopped,
    Unanswered,
    Webhook,
    due_in,
    in_force,
    rotated,
    settle,
    sign,
    write_secret,
)
from shared.ids import PersonId, WebhookId

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
OLD, NEW = b"o" * 32, b"n" * 32
BODY = '{"type":"job.succeeded","data":{"title":"Umsätze"}}'.encode()
AWAY = Unanswered("It could not be reached.")
BROKEN = Answered(500)
HOOK = Webhook(
    webhook_id=WebhookId("hook"),
    person_id=PersonId("anna"),
    url="https://example.org/",
    created_at=NOW - timedelta(days=30),
    cursor=6,
)
EVENT = Delivery(
    delivery_id="d",
    webhook_id=HOOK.webhook_id,
    message_id="msg_1",
    type="job.queued",
    hub_seq=7,
    happened_at=NOW,
    state=DeliveryState.WAITING,
)


def headers(*keys: bytes, body: bytes = BODY, at: datetime | None = None) -> dict[str, str]:
    timestamp = int((at or datetime.now(UTC)).timestamp())
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(keys, "msg_1", timestamp, body),
    }


def test_the_standards_own_library_verifies_a_message() -> None:
    assert Standard(write_secret(NEW)).verify(BODY, headers(NEW)) == {
        "type": "job.succeeded",
        "data": {"title": "Umsätze"},
    }


@pytest.mark.parametrize("known", [OLD, NEW], ids=["the old secret", "the new secret"])
def test_while_secrets_are_exchanged_either_verifies(known: bytes) -> None:
    told = headers(NEW, OLD)
    assert told["webhook-signature"].count("v1,") == 2
    Standard(write_secret(known)).verify(BODY, told)


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({}, BODY + b" "),
        ({"webhook-id": "msg_2"}, BODY),
        ({"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) - 1)}, BODY),
    ],
    ids=["the body", "the id", "the time"],
)
def test_whatever_is_changed_on_the_way_is_seen(change: dict[str, str], body: bytes) -> None:
    with pytest.raises(WebhookVerificationError):
        Standard(write_secret(NEW)).verify(body, headers(NEW) | change)


def test_a_message_of_another_day_does_not_count() -> None:
    with pytest.raises(WebhookVerificationError):
        Standard(write_secret(NEW)).verify(
            BODY, headers(NEW, at=datetime.now(UTC) - timedelta(days=1))
        )


def test_an_old_secret_signs_for_a_while_and_then_no_more() -> None:
    day = timedelta(days=1)
    both = rotated((Secret(OLD),), NEW, NOW, day)
    assert [s.key for s in in_force(both, NOW + day - timedelta(seconds=1))] == [NEW, OLD]
    assert [s.key for s in in_force(both, NOW + day)] == [NEW]


def test_without_an_overlap_the_old_secret_ends_at_once() -> None:
    assert rotated((Secret(OLD),), NEW, NOW, timedelta()) == (Secret(NEW),)


def test_a_secret_that_is_exchanged_again_ends_no_later_than_it_was_to() -> None:
    first = rotated((Secret(OLD),), NEW, NOW, timedelta(hours=1))
    second = rotated(first, b"x" * 32, NOW, timedelta(days=7))
    assert second[-1] == Secret(OLD, NOW + timedelta(hours=1))
    for _ in range(5):
        second = rotated(second, b"y" * 32, NOW, timedelta(days=7))
    assert len(second) == SECRETS_MAX


def test_a_secret_opens_under_its_own_key_and_for_its_own_webhook_alone() -> None:
    sealer = Sealer(b"pepper", "webhook secrets")
    sealed = sealer.seal(NEW, "hook", b"1" * NONCE_BYTES)
    assert NEW not in sealed
    assert sealer.open(sealed, "hook") == NEW
    assert sealer.open(sealed, "another hook") is None
    assert Sealer(b"another", "webhook secrets").open(sealed, "hook") is None
    assert Sealer(b"pepper", "something else").open(sealed, "hook") is None
    assert sealer.open(sealed[:5], "hook") is None


def tried(
    outcome: Outcome,
    delivery: Delivery = EVENT,
    webhook: Webhook = HOOK,
    *,
    now: datetime = NOW,
) -> Settled:
    return settle(webhook, delivery, outcome, now, 0.5)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_what_was_taken_is_over_and_the_lane_goes_on(status: int) -> None:
    failing = replace(HOOK, failing_since=NOW - timedelta(hours=2))
    settled = tried(Answered(status), webhook=failing)
    assert settled.delivery.state is DeliveryState.DELIVERED
    assert (settled.delivery.due_at, settled.delivery.error) == (None, "")
    assert settled.webhook.cursor == EVENT.hub_seq
    assert (settled.webhook.failing_since, settled.webhook.succeeded_at) == (None, NOW)


@pytest.mark.parametrize(
    "outcome",
    [AWAY, *(Answered(status) for status in (408, 425, 429, 502, 503, 504))],
    ids=lambda outcome: str(getattr(outcome, "status", "no answer")),
)
def test_an_endpoint_that_is_away_keeps_its_place_however_often(outcome: Outcome) -> None:
    settled = tried(outcome, replace(EVENT, tries=50))
    assert settled.delivery.state is DeliveryState.WAITING
    assert settled.webhook.cursor == HOOK.cursor
    assert settled.webhook.failing_since == NOW
    assert settled.delivery.due_at is not None
    assert settled.delivery.due_at <= NOW + timedelta(seconds=1.5 * WAITS.max_seconds)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 403, 404, 422, 500])
def test_a_message_that_is_refused_again_and_again_is_put_aside(status: int) -> None:
    delivery = EVENT
    for count in range(1, REFUSED_TRIES):
        settled = tried(Answered(status), delivery)
        delivery = settled.delivery
        assert (delivery.state, delivery.tries) == (DeliveryState.WAITING, count)
        assert settled.webhook.cursor == HOOK.cursor
    settled = tried(Answered(status), delivery)
    assert settled.delivery.state is DeliveryState.ASIDE
    assert settled.delivery.due_at == NOW + ASIDE_WAITS[0]
    assert settled.webhook.cursor == EVENT.hub_seq
    assert str(status) in settled.delivery.error


def test_what_was_put_aside_is_tried_a_few_times_more_and_then_given_up() -> None:
    delivery = replace(EVENT, state=DeliveryState.ASIDE, tries=REFUSED_TRIES)
    waits = []
    while delivery.state is DeliveryState.ASIDE:
        delivery = tried(BROKEN, delivery, replace(HOOK, cursor=99)).delivery
        waits += [delivery.due_at - NOW] if delivery.due_at else []
    assert waits == [*ASIDE_WAITS[1:]] or waits == [*ASIDE_WAITS]
    assert (delivery.state, delivery.due_at) == (DeliveryState.FAILED, None)


def test_what_is_sent_late_does_not_take_the_lane_back() -> None:
    aside = replace(EVENT, state=DeliveryState.ASIDE)
    assert tried(Answered(204), aside, replace(HOOK, cursor=99)).webhook.cursor == 99


def test_while_an_endpoint_is_away_what_was_put_aside_loses_no_try() -> None:
    aside = replace(EVENT, state=DeliveryState.ASIDE, tries=REFUSED_TRIES)
    for _ in range(20):
        aside = tried(AWAY, aside).delivery
    assert (aside.state, aside.tries) == (DeliveryState.ASIDE, REFUSED_TRIES)


@pytest.mark.parametrize(
    ("asked", "waited"),
    [(0.0, 2.0), (90.0, 90.0), (1e9, RETRY_AFTER_SECONDS_MAX), (None, 2.0)],
)
def test_retry_after_is_obeyed_within_reason(asked: float | None, waited: float) -> None:
    settled = tried(Answered(503, asked))
    assert settled.delivery.due_at == NOW + timedelta(seconds=waited)


def test_waits_grow_and_are_spread_out() -> None:
    waits = [settle(HOOK, replace(EVENT, tries=t), AWAY, NOW, 0.0).delivery.due_at for t in (0, 3)]
    late = settle(HOOK, EVENT, AWAY, NOW, 0.99).delivery.due_at
    assert waits[0] is not None
    assert waits[1] is not None
    assert late is not None
    assert waits[0] < late < waits[1]


@pytest.mark.parametrize(
    ("outcome", "failing_for", "stopped"),
    [
        (Answered(410), timedelta(0), Stopped.GONE),
        (AWAY, FAILING_MAX - timedelta(seconds=1), None),
        (AWAY, FAILING_MAX, Stopped.FAILING),
        (BROKEN, FAILING_MAX, Stopped.FAILING),
        (Answered(204), FAILING_MAX, None),
    ],
    ids=["410", "almost too long", "away too long", "broken too long", "back in time"],
)
def test_when_the_hub_gives_an_endpoint_up(
    outcome: Outcome, failing_for: timedelta, stopped: Stopped | None
) -> None:
    webhook = replace(HOOK, failing_since=NOW - failing_for, failures=FAILURES_MIN)
    assert tried(outcome, webhook=webhook).webhook.stopped is stopped


def test_a_clock_that_jumps_ahead_gives_no_endpoint_up() -> None:
    webhook = tried(AWAY).webhook
    again = tried(AWAY, webhook=webhook, now=NOW + timedelta(days=3650)).webhook
    assert (again.stopped, again.failures) == (None, 2)
    assert tried(Answered(204), webhook=again).webhook.failures == 0


@pytest.mark.parametrize(
    ("back", "seconds"),
    [
        (timedelta(0), 600.0),
        (timedelta(seconds=-600), 0.0),
        (timedelta(minutes=5), 0.0),
        (timedelta(days=3), 0.0),
        (timedelta(days=3650), 0.0),
    ],
    ids=["as it was", "when it is due", "by minutes", "by days", "by years"],
)
def test_a_clock_that_goes_back_makes_no_message_wait(back: timedelta, seconds: float) -> None:
    waiting = tried(Answered(503, 600.0)).delivery
    assert due_in(waiting, NOW - back) == seconds


def test_what_was_never_tried_is_due() -> None:
    trial = replace(EVENT, hub_seq=0, state=DeliveryState.ASIDE, due_at=NOW)
    assert due_in(trial, NOW - timedelta(hours=1)) == 0.0


def test_a_trial_is_tried_once() -> None:
    trial = replace(EVENT, hub_seq=0, state=DeliveryState.ASIDE)
    settled = tried(AWAY, trial)
    assert (settled.delivery.state, settled.delivery.due_at) == (DeliveryState.FAILED, None)
    assert settled.webhook.cursor == HOOK.cursor
