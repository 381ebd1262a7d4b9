"""A session ends by the clock: tables at the borders, and a plain model that must agree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core import session as core
from hub.core.session import EndReason, Session
from shared.ids import PersonId, SessionId, TaskId, WorkerId

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = 60.0
TICK = 0.001
"""The store counts in milliseconds."""


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def session(opened: float = 0.0, active: float | None = None) -> Session:
    made = core.opened(SessionId("s"), PersonId("anna"), TaskId("t"), WorkerId("w"), after(opened))
    return made if active is None else core.renewed(made, after(active))


BORDERS = [
    # opened, last active, now, busy, why it is over
    ("new", 0, None, 0, False, None),
    ("just before idle", 0, None, 30 * MINUTE - TICK, False, None),
    ("at idle", 0, None, 30 * MINUTE, False, None),
    ("just after idle", 0, None, 30 * MINUTE + TICK, False, EndReason.IDLE),
    ("renewed, at the old border", 0, 10 * MINUTE, 30 * MINUTE + TICK, False, None),
    ("renewed, at its border", 0, 10 * MINUTE, 40 * MINUTE, False, None),
    ("renewed, after its border", 0, 10 * MINUTE, 40 * MINUTE + TICK, False, EndReason.IDLE),
    ("just before age", 0, 45 * MINUTE, 60 * MINUTE - TICK, False, None),
    ("at age", 0, 45 * MINUTE, 60 * MINUTE, False, None),
    ("just after age", 0, 45 * MINUTE, 60 * MINUTE + TICK, False, EndReason.AGE),
    ("renewed at the last moment of its age", 0, 60 * MINUTE, 60 * MINUTE + TICK, False,
     EndReason.AGE),
    ("both, idle first", 0, 29 * MINUTE, 61 * MINUTE, False, EndReason.IDLE),
    ("both, age first", 0, 31 * MINUTE, 62 * MINUTE, False, EndReason.AGE),
    ("both at once", 0, 30 * MINUTE, 60 * MINUTE + TICK, False, EndReason.AGE),
    ("both long ago, idle first", 0, None, 24 * 60 * MINUTE, False, EndReason.IDLE),
    ("idle and busy", 0, None, 45 * MINUTE, True, None),
    ("old and busy", 0, None, 300 * MINUTE, True, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("opened", "active", "now", "is_busy", "reason"),
    [row[1:] for row in BORDERS],
    ids=[row[0] for row in BORDERS],
)
def test_it_is_over_just_after_a_border_and_never_at_it(
    opened: float, active: float | None, now: float, is_busy: bool, reason: EndReason | None
) -> None:
    assert core.verdict(session(opened, active), after(now), is_busy=is_busy) is reason


@pytest.mark.parametrize(
    ("now", "is_busy", "takes"),
    [
        (30 * MINUTE, False, True),
        (30 * MINUTE + TICK, False, False),
        (59 * MINUTE, True, True),
        (60 * MINUTE, True, True),
        (60 * MINUTE + TICK, True, False),
    ],
    ids=["at idle", "after idle", "busy", "busy at age", "busy after age"],
)
def test_past_its_age_it_takes_nothing_new_though_what_runs_goes_on(
    now: float, is_busy: bool, takes: bool
) -> None:
    one = session()
    assert core.takes_follow_ups(one, after(now), is_busy=is_busy) is takes
    if is_busy:
        assert core.verdict(one, after(now), is_busy=True) is None


def test_activity_renews_idleness_and_never_age() -> None:
    one = session()
    for minutes in range(5, 61, 5):
        one = core.renewed(one, after(minutes * MINUTE))
    assert one.opened_at == NOON
    assert core.lives_until(one, after(60 * MINUTE)) == after(60 * MINUTE)


def test_what_is_over_stays_as_it_is() -> None:
    first = core.end(session(), after(5), EndReason.PERSON, "anna on Telegram")
    assert core.end(first, after(9), EndReason.AGE) == first
    assert not core.takes_follow_ups(first, after(6), is_busy=True)
    assert "anna on Telegram ended it" in core.over(first, after(9)).message


@pytest.mark.parametrize("back", [1.0, 20 * MINUTE, 24 * 60 * MINUTE], ids=["1s", "20min", "1d"])
def test_a_clock_set_back_never_makes_it_live_longer_than_a_full_term_from_there(
    back: float,
) -> None:
    one = session(0.0, 20 * MINUTE)
    jumped = 20 * MINUTE - back
    assert core.verdict(one, after(jumped), is_busy=False) is None
    seen = core.settled(one, after(jumped))
    assert seen.active_at <= after(jumped)
    assert seen.opened_at <= after(jumped)
    gone = after(jumped + core.IDLE_SECONDS + TICK)
    assert core.verdict(seen, gone, is_busy=False) is not None


def test_a_clock_set_forward_ends_it_early_and_harms_nothing_else() -> None:
    one = session()
    assert core.verdict(one, after(5 * 3600), is_busy=False) is EndReason.IDLE
    assert core.verdict(one, after(5 * 3600), is_busy=True) is None


# Against a plain model: seconds, one list of moments, no arithmetic on datetimes.

steps = st.lists(
    st.tuples(
        st.sampled_from(["wait", "touch", "begin", "finish"]),
        st.sampled_from([0, 1, 600, 1799, 1800, 1801, 3599, 3600, 3601]),
    ),
    max_size=12,
)


@settings(max_examples=400, deadline=None)
@given(steps)
def test_it_ends_when_a_plain_model_says_so(told: list[tuple[str, int]]) -> None:
    one = session()
    now, active, running = 0, 0, 0
    for what, seconds in told:
        now += seconds
        is_over = running == 0 and (now - active > 1800 or now > 3600)
        reason = core.verdict(one, after(now), is_busy=running > 0)
        assert (reason is not None) is is_over
        assert core.takes_follow_ups(one, after(now), is_busy=running > 0) is (
            not is_over and now <= 3600
        )
        if is_over:
            came_first = "idle" if active + 1800 < 3600 else "age"
            assert reason is not None
            assert reason.value == came_first
            return
        if what == "begin" and now <= 3600:
            running += 1
        if what == "finish" and running:
            running -= 1
        if what != "wait":
            active = now
            one = core.renewed(one, after(now))
