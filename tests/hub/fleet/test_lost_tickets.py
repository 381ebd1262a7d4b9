"""Which tickets a broker must have lost, and which nodes are gone: decided without looking."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.fleet_calls import NodeBeat
from hub.core.fleet_losses import AGAIN_SECONDS_MAX, LOST_SECONDS, Waiting, late_queues, lost
from hub.core.pull import Grant
from hub.engines.fleet_nodes import FORGET_SECONDS, NODES_MAX, SILENT_SECONDS, FleetNodes
from shared.errors import LimitReached, NotFound
from shared.fleet import Ticket
from shared.ids import JobId
from shared.protocol import Beats
from tests.makers import hand_environment


def ticket(name: str = "a", kind: str = "llm.ask") -> Ticket:
    return Ticket(job_id=JobId(name), attempt=1, fence=1, kind=kind)


QUEUE = ticket().queue


def waiting(at: float, name: str = "a", times: int = 1) -> Waiting:
    return Waiting(ticket=ticket(name), published_at=at, times=times)


@pytest.mark.parametrize(
    ("age", "depth", "is_lost"),
    [
        (LOST_SECONDS - 0.1, 0, False),
        (LOST_SECONDS, 0, True),
        (LOST_SECONDS, 1, False),
        (3600.0, 7, False),
    ],
)
def test_a_ticket_is_lost_that_is_late_and_in_no_queue(
    age: float, depth: int, is_lost: bool
) -> None:
    assert bool(lost([waiting(100.0)], {QUEUE: depth}, {}, 100.0 + age)) is is_lost


def test_a_queue_that_was_not_looked_into_tells_nothing() -> None:
    assert lost([waiting(0.0)], {}, {}, 1000.0) == []


def test_a_ticket_is_lost_that_was_overtaken_by_a_much_later_one() -> None:
    """A busy queue is never empty: what came later and has begun tells that this is gone."""
    old, young = waiting(0.0, "old"), waiting(90.0, "young")
    assert lost([old, young], {QUEUE: 5}, {QUEUE: 80.0}, 120.0) == [ticket("old")]
    assert lost([old], {QUEUE: 5}, {QUEUE: LOST_SECONDS - 1}, 120.0) == []


@given(times=st.integers(1, 50), age=st.floats(0, 10_000))
def test_what_is_published_again_and_again_is_so_ever_more_seldom(times: int, age: float) -> None:
    one = waiting(0.0, times=times)
    if one.is_late(age):
        assert age >= LOST_SECONDS
        assert waiting(0.0, times=1).is_late(age)
    assert one.is_late(AGAIN_SECONDS_MAX)
    assert late_queues([one], age) == ({QUEUE} if one.is_late(age) else set())


BEAT = NodeBeat(
    node="n", instance="i", pool="p", kinds=("llm.ask",), slots=2, held=(), is_draining=False
)
HELD = Grant(job_id=JobId("a"), attempt=1, fence=1)


def test_a_node_is_silent_after_a_while_and_here_again_when_it_speaks() -> None:
    environment, clock = hand_environment()
    nodes = FleetNodes(environment)
    nodes.hear(BEAT)
    clock.advance(SILENT_SECONDS - 0.1)
    assert not nodes.is_silent("n")
    clock.advance(0.2)
    assert nodes.is_silent("n")
    assert nodes.here() == ()
    nodes.touch("n")
    assert not nodes.is_silent("n")


def test_a_node_that_nobody_has_heard_has_as_long_as_the_hub_is_up() -> None:
    environment, clock = hand_environment()
    nodes = FleetNodes(environment, Beats(every_seconds=1.0, dead_seconds=3.0))
    assert not nodes.is_silent("before the restart")
    clock.advance(3.0)
    assert nodes.is_silent("before the restart")


def test_a_node_that_begins_before_its_first_beat_is_here() -> None:
    environment, clock = hand_environment()
    nodes = FleetNodes(environment)
    clock.advance(10 * SILENT_SECONDS)
    nodes.touch("n")
    assert not nodes.is_silent("n")
    clock.advance(SILENT_SECONDS)
    assert nodes.is_silent("n")


def test_a_node_that_is_to_drain_stays_so_until_its_place_is_taken_by_another() -> None:
    environment, clock = hand_environment()
    nodes = FleetNodes(environment)
    assert nodes.hear(BEAT) is False
    assert nodes.drain("n").is_draining
    assert nodes.hear(BEAT) is True
    clock.advance(SILENT_SECONDS)
    assert nodes.hear(BEAT) is True
    assert nodes.hear(replace(BEAT, instance="another")) is False


def test_a_node_that_drained_and_is_started_again_by_hand_takes_work() -> None:
    environment, _ = hand_environment()
    nodes = FleetNodes(environment)
    by_hand = replace(BEAT, instance="")
    nodes.hear(by_hand)
    nodes.drain("n")
    assert nodes.hear(by_hand) is True
    assert nodes.hear(replace(by_hand, is_draining=True)) is True
    assert nodes.hear(by_hand) is False


def test_only_a_node_that_is_here_drains() -> None:
    environment, clock = hand_environment()
    nodes = FleetNodes(environment)
    nodes.hear(BEAT)
    clock.advance(SILENT_SECONDS)
    with pytest.raises(NotFound) as caught:
        nodes.drain("n")
    assert caught.value.code == "fleet_node_unknown"
    clock.advance(FORGET_SECONDS)
    assert nodes.here() == ()


def test_names_of_nodes_are_not_remembered_without_end() -> None:
    environment, clock = hand_environment()
    nodes = FleetNodes(environment)
    nodes.hear(replace(BEAT, held=(HELD,)))
    for number in range(NODES_MAX - 1):
        nodes.touch(f"made-up-{number}")
    with pytest.raises(LimitReached) as caught:
        nodes.touch("one-more")
    assert caught.value.code == "fleet_nodes_max"
    with pytest.raises(LimitReached):
        nodes.hear(replace(BEAT, node="another"))
    nodes.hear(BEAT)

    clock.advance(FORGET_SECONDS)
    nodes.hear(replace(BEAT, node="another"))
    assert [node.node for node in nodes.here()] == ["another"]


def test_a_node_is_idle_since_its_hands_were_empty() -> None:
    environment, clock = hand_environment()
    nodes = FleetNodes(environment)
    nodes.hear(BEAT)
    first = nodes.here()[0].idle_since
    clock.advance(5)
    nodes.hear(BEAT)
    assert nodes.here()[0].idle_since == first
    nodes.hear(replace(BEAT, held=(HELD,)))
    assert nodes.here()[0].idle_since is None
    clock.advance(5)
    nodes.hear(BEAT)
    assert nodes.here()[0].idle_since == clock.now()


def test_one_beat_without_a_job_does_not_lose_it() -> None:
    environment, clock = hand_environment()
    nodes = FleetNodes(environment)
    nodes.hear(BEAT)
    missing = {(JobId("a"), 1)}
    assert nodes.left_out("n", missing) == set()
    clock.advance(nodes.beat_seconds)
    assert nodes.left_out("n", missing) == missing
    assert nodes.left_out("n", set()) == set()
    assert nodes.left_out("n", missing) == set()
