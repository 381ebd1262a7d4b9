"""The pace against endpoints with limits, in virtual time."""

from __future__ import annotations

import math
import random

import pytest

from desktop.core.llm.learned import Learned
from desktop.core.llm.pace import Ending, Pace, PaceLimits
from tests.desktop.core.llm.stub_limits import (
    AtOnce,
    Call,
    Caller,
    Endpoint,
    Limit,
    PerMinute,
    PerSecond,
    World,
    good,
    most_in_a_minute,
    refused_share,
)


def around(mean_seconds: float) -> object:
    def latency(random: random.Random, _who: str) -> float:
        return mean_seconds * math.exp(random.gauss(0, 0.4) - 0.08)

    return latency


def endpoint(limit: Limit, mean_seconds: float = 0.5, **more: object) -> Endpoint:
    return Endpoint(limit, around(mean_seconds), **more)  # type: ignore[arg-type]


def called(place: Endpoint, *callers: Caller, seconds: float) -> None:
    World(place, callers).run(seconds)


NO_LIMIT = AtOnce(10**9)


@pytest.mark.parametrize("latency_seconds", [0.3, 2.0])
@pytest.mark.parametrize("count", [1, 3, 8, 20, 40])
def test_four_fifths_of_a_limit_of_calls_at_once_are_found_in_a_minute(
    count: int, latency_seconds: float
) -> None:
    caller = Caller(Pace(PaceLimits()))
    called(endpoint(AtOnce(count), latency_seconds), caller, seconds=180)
    best = 120 * count / latency_seconds
    assert good(caller.calls, 60, 180) >= 0.8 * best
    assert refused_share(caller.calls, 60, 180) < 0.02


@pytest.mark.parametrize("latency_seconds", [0.05, 0.5, 3.0])
@pytest.mark.parametrize("says_wait", [True, False], ids=["told", "untold"])
def test_four_fifths_of_a_limit_by_the_second_are_found_in_a_minute(
    latency_seconds: float, says_wait: bool
) -> None:
    caller = Caller(Pace(PaceLimits()))
    limit = PerSecond(10.0, 10.0, says_wait)
    called(endpoint(limit, latency_seconds), caller, seconds=360)
    assert good(caller.calls, 60, 360) >= 0.8 * 3000
    assert refused_share(caller.calls, 60, 360) < 0.02


@pytest.mark.parametrize("count", [60, 600])
def test_a_limit_by_the_minute_that_nobody_wrote_down_is_learned(count: int) -> None:
    caller = Caller(Pace(PaceLimits()))
    called(endpoint(PerMinute(count), 0.05), caller, seconds=360)
    assert good(caller.calls, 60, 360) >= 0.8 * count * 5
    assert refused_share(caller.calls, 60, 360) < 0.02


def test_a_limit_that_is_lifted_is_found_anew() -> None:
    limit = AtOnce(5)
    caller = Caller(Pace(PaceLimits()))
    world = World(endpoint(limit), [caller])
    world.run(60)
    limit.count = 50
    world.run(240)
    assert good(caller.calls, 210, 240) >= 0.8 * 30 * 50 / 0.5


def test_after_an_outage_the_pace_comes_back() -> None:
    caller = Caller(Pace(PaceLimits()))
    called(endpoint(AtOnce(20), outages=((60.0, 120.0),)), caller, seconds=240)
    during = [call for call in caller.calls if 65 <= call.started_at < 120]
    assert len(during) < 20
    assert good(caller.calls, 180, 240) >= 0.8 * 60 * 20 / 0.5


@pytest.mark.parametrize("count", [1, 7, 60, 600])
def test_requests_per_minute_are_used_and_never_exceeded(count: int) -> None:
    caller = Caller(Pace(PaceLimits(requests_per_minute=count)))
    called(endpoint(NO_LIMIT), caller, seconds=305)
    assert most_in_a_minute(caller.calls, lambda _call: 1) <= count
    assert len(caller.calls) >= 0.9 * 5 * count


def test_tokens_per_minute_are_used_and_never_exceeded() -> None:
    caller = Caller(Pace(PaceLimits(tokens_per_minute=60_000)), estimate=1000)
    place = endpoint(NO_LIMIT, tokens=lambda random: random.randint(100, 1000))
    called(place, caller, seconds=300)
    # While a call is in flight its estimate counts, which is more than it will have used.
    assert most_in_a_minute(caller.calls, lambda call: call.tokens) <= 60_000
    assert sum(call.tokens for call in caller.calls) >= 0.8 * 5 * 60_000


def test_tokens_that_were_underestimated_are_made_up_for() -> None:
    caller = Caller(Pace(PaceLimits(tokens_per_minute=60_000)), estimate=100)
    called(endpoint(NO_LIMIT, tokens=lambda _random: 1000), caller, seconds=600)
    used = sum(call.tokens for call in caller.calls if call.started_at >= 120)
    assert used <= 1.05 * 8 * 60_000


def test_a_call_with_more_tokens_than_a_minute_has_goes_alone() -> None:
    pace = Pace(PaceLimits(tokens_per_minute=1000))
    pace.enter("model", 0.0, tokens=5000)
    assert len(pace.grant(0.0)) == 1
    pace.enter("model", 0.0, tokens=10)
    assert pace.grant(1.0) == []


def test_concurrency_is_never_above_the_owners() -> None:
    caller = Caller(Pace(PaceLimits(concurrency_max=5)))
    place = endpoint(NO_LIMIT)
    called(place, caller, seconds=60)
    edges = [(call.started_at, 1) for call in caller.calls]
    edges += [(call.ended_at, -1) for call in caller.calls if call.ended_at]
    flying = most = 0
    for _, step in sorted(edges):
        flying += step
        most = max(most, flying)
    assert most == 5


def test_the_first_call_goes_alone_so_that_a_wrong_key_costs_one() -> None:
    pace = Pace(PaceLimits())
    for _ in range(10):
        pace.enter("model", 0.0)
    (first,) = pace.grant(0.0)
    assert pace.grant(5.0) == []
    pace.ended(first, Ending.GOOD, 6.0)
    assert len(pace.grant(6.0)) == 4


def test_retry_after_closes_the_gate_until_then() -> None:
    pace = Pace(PaceLimits())
    pace.enter("model", 0.0)
    pace.enter("model", 0.0)
    (first,) = pace.grant(0.0)
    pace.ended(first, Ending.RATE, 1.0, wait_seconds=30.0)
    assert pace.closed_seconds(2.0) == 29.0
    assert pace.grant(30.9) == []
    assert pace.due_at(2.0) == 31.0
    assert len(pace.grant(31.0)) == 1


def test_refusals_of_one_round_trip_count_once() -> None:
    pace = Pace(PaceLimits())
    pace.enter("model", 0.0)
    pace.ended(pace.grant(0.0)[0], Ending.GOOD, 1.0)
    for _ in range(4):
        pace.enter("model", 1.0)
    size = pace.window_size
    for ticket in pace.grant(1.0):
        pace.ended(ticket, Ending.RATE, 1.5)
    assert pace.window_size == pytest.approx(size * 0.85)


def test_what_a_request_did_wrong_itself_says_nothing_about_the_pace() -> None:
    pace = Pace(PaceLimits())
    pace.enter("model", 0.0)
    pace.ended(pace.grant(0.0)[0], Ending.SILENT, 1.0)
    assert pace.window_size == 1.0


def test_a_window_that_nobody_fills_does_not_grow() -> None:
    caller = Caller(Pace(PaceLimits(requests_per_minute=60)))
    called(endpoint(NO_LIMIT), caller, seconds=300)
    assert caller.pace.window_size < 10


def test_a_slow_model_does_not_take_the_place_of_a_fast_one() -> None:
    def latency(_random: random.Random, who: str) -> float:
        return 10.0 if who == "slow" else 0.1

    caller = Caller(Pace(PaceLimits(concurrency_max=8)), who=("slow", "fast"))
    called(Endpoint(NO_LIMIT, latency), caller, seconds=300)
    fast = sum(call.who == "fast" and call.started_at > 100 for call in caller.calls)
    slow = sum(call.who == "slow" and call.started_at > 100 for call in caller.calls)
    # Four places each: 40 calls a second, and four in ten seconds.
    assert fast >= 0.8 * 200 * 40
    assert slow >= 0.8 * 200 * 0.4


def test_calls_of_one_model_are_served_as_they_came() -> None:
    pace = Pace(PaceLimits(concurrency_max=1))
    tickets = [pace.enter("model", float(n)) for n in range(5)]
    served = []
    for _ in range(5):
        (ticket,) = pace.grant(10.0)
        served.append(ticket)
        pace.ended(ticket, Ending.GOOD, 10.0)
    assert served == tickets


def test_a_person_who_waits_goes_before_probes_which_still_go_now_and_then() -> None:
    pace = Pace(PaceLimits(concurrency_max=1))
    probes = [pace.enter("model", 0.0) for _ in range(3)]
    people = [pace.enter("other", 0.0, is_urgent=True) for _ in range(10)]
    served = []
    while granted := pace.grant(1.0):
        served += granted
        pace.ended(granted[0], Ending.GOOD, 1.0)
    assert served[:4] == people[:4]
    assert served[4] is probes[0]
    assert set(served) == {*probes, *people}


def test_who_leaves_the_line_holds_nobody_up() -> None:
    pace = Pace(PaceLimits(concurrency_max=1))
    first = pace.enter("a", 0.0)
    second = pace.enter("b", 0.0)
    pace.leave(first)
    assert pace.grant(0.0) == [second]
    assert pace.waiting == 0


def test_two_workers_with_one_key_share_its_limit() -> None:
    callers = [Caller(Pace(PaceLimits())), Caller(Pace(PaceLimits()))]
    called(endpoint(AtOnce(20)), *callers, seconds=300)
    done = [good(caller.calls, 100, 300) for caller in callers]
    every = [call for caller in callers for call in caller.calls]
    best = 200 * 20 / 0.5
    assert sum(done) >= 0.75 * best
    assert min(done) >= 0.2 * best
    assert refused_share(every, 100, 300) < 0.03


def test_the_world_counts_refusals() -> None:
    """Without this the tests above could pass by calling nothing or refusing nothing."""
    call = Call(1.0, "model", Ending.RATE)
    assert refused_share([call], 0, 2) == 1.0
    assert good([call], 0, 2) == 0


def in_trouble(ending: Ending, count: int = 8) -> Pace:
    """A pace whose last calls were all turned away, one after the other."""
    pace = Pace(PaceLimits())
    pace.enter("model", 0.0)
    pace.ended(pace.grant(0.0)[0], Ending.GOOD, 1.0)
    for n in range(count):
        now = 100.0 * (n + 1)
        pace.enter("model", now)
        pace.ended(pace.grant(now)[0], ending, now + 1.0)
    return pace


def test_an_outage_that_is_over_costs_no_slow_start_from_nothing() -> None:
    pace = in_trouble(Ending.OVERLOADED)
    assert pace.window_size < 1.0
    pace.enter("model", 2000.0)
    pace.ended(pace.grant(2000.0)[0], Ending.GOOD, 2001.0)
    assert pace.window_size >= 1.0


def test_a_limit_is_not_taken_for_an_outage() -> None:
    pace = in_trouble(Ending.RATE)
    pace.enter("model", 2000.0)
    pace.ended(pace.grant(2000.0)[0], Ending.GOOD, 2001.0)
    assert pace.window_size < 1.0


def test_a_person_does_not_wait_for_the_gap_between_probes() -> None:
    pace = in_trouble(Ending.OVERLOADED)
    pace.enter("model", 900.0)
    first = pace.grant(2000.0)
    pace.ended(first[0], Ending.SILENT, 2000.1)
    pace.enter("model", 2000.2)
    assert pace.grant(2000.2) == []
    person = pace.enter("model", 2000.2, is_urgent=True)
    assert pace.grant(2000.2) == [person]


def test_what_a_long_wait_taught_is_tried_with_more_after_a_quiet_minute() -> None:
    learned = Learned()
    for n in range(20):
        learned.take(float(n))
    learned.refused(19.0, 40.0, 20.0)
    assert learned.per_minute == 19
    learned.room_at(60.0)
    assert learned.per_minute == 19
    learned.room_at(90.0)
    assert learned.per_minute == pytest.approx(19 * 1.1)


def test_a_short_wait_teaches_nothing_about_minutes() -> None:
    learned = Learned()
    learned.take(0.0)
    learned.refused(0.0, 1.0, 1.0)
    assert learned.per_minute is None
