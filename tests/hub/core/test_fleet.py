"""How many nodes a pool has: enough for what waits, none for what runs, and no coming and going."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.fleet import Decision, Pools, decide
from hub.core.pool import Instance, InstanceState, Node, Pool, Queue
from hub.core.pool_memory import Memory
from tests.hub.core.fleet_world import World

PROBES = Pool(name="probes", kinds=("llm.probe",), nodes_max=5)
RUNNING = InstanceState.RUNNING

pools = st.builds(
    Pool,
    name=st.just("probes"),
    kinds=st.just(("llm.probe",)),
    nodes_min=st.integers(0, 2),
    nodes_max=st.integers(2, 8),
    slots=st.integers(1, 4),
    waiting_per_node=st.integers(1, 6),
    up_seconds=st.sampled_from([0.0, 10.0, 30.0]),
    idle_seconds=st.sampled_from([20.0, 60.0, 120.0]),
    start_seconds=st.just(60.0),
)
bursts = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 12), st.integers(1, 60)), min_size=1, max_size=5
)
"""(seconds until it comes, jobs, seconds that each takes)"""


def an_instance(name: str, state: InstanceState = RUNNING) -> Instance:
    return Instance(name=name, pool="probes", state=state)


def a_node(name: str, *, held: int = 0, drains: bool = False, beat: str = "1") -> Node:
    return Node(
        name=f"n-{name}", instance=name, pool="probes", kinds=("llm.probe",), slots=1,
        held=held, is_draining=drains, beat=beat,
    )  # fmt: skip


def seen(
    *nodes: Node,
    waiting: int = 0,
    running: int | None = None,
    oldest: float = 0.0,
    instances: tuple[str, ...] | None = None,
    pool: Pool = PROBES,
) -> Pools:
    names = tuple(node.instance for node in nodes) if instances is None else instances
    runs = sum(node.held for node in nodes) if running is None else running
    queue = Queue(kind="llm.probe", waiting=waiting, running=runs, oldest_wait_seconds=oldest)
    return Pools(
        pools=(pool,), queues=(queue,), nodes=nodes,
        instances={pool.name: tuple(an_instance(name) for name in names)},
    )  # fmt: skip


def one(looked: Pools, memory: Memory | None = None, now: float = 0.0) -> Decision:
    (decision,) = decide(looked, {} if memory is None else {"probes": memory}, now)
    return decision


def looks(looked: Pools, *moments: float, memory: Memory | None = None) -> Decision:
    """The last decision of several looks at the same."""
    decision = one(looked, memory, moments[0])
    for moment in moments[1:]:
        decision = one(looked, decision.memory, moment)
    return decision


# What holds whatever happens. World.look checks each decision: never more than the most, never
# fewer than the least, never a stop of what holds something, never growth for what runs.


@settings(max_examples=60)
@given(pools, bursts, st.integers(1, 30))
def test_whatever_comes_is_done_and_the_pool_goes_back_to_its_least(
    pool: Pool, coming: list[tuple[int, int, int]], start_seconds: int
) -> None:
    world = World((pool,), start_seconds=float(start_seconds))
    asked = 0
    for gap, jobs, seconds in coming:
        world.run(gap)
        for _ in range(jobs):
            world.ask("llm.probe", seconds)
        asked += jobs
    work = sum(jobs * seconds for _, jobs, seconds in coming)
    world.run_until_done(work + 400)
    world.run(pool.idle_seconds * 2 + 100)

    assert len(world.finished) == asked
    assert world.waiting == []
    assert len(world.nodes) == pool.nodes_min
    at_the_end = len(world.done)
    world.run(300)
    assert not any(done.decision.is_change for done in world.done[at_the_end:])


@settings(max_examples=60)
@given(pools, st.integers(1, 40), st.integers(1, 60))
def test_under_a_constant_load_nothing_goes_soon_after_something_came(
    pool: Pool, gap: int, seconds: int
) -> None:
    world = World((pool,))
    for _ in range(900 // gap):
        world.ask("llm.probe", seconds)
        world.run(gap)

    changes = world.changes("probes")
    for (up, plus), (down, minus) in pairwise(changes):
        if plus > 0 > minus:
            assert down - up >= pool.idle_seconds
    # With more work than one pool's pause lets go idle, it grows and stays.
    if gap * 2 < pool.idle_seconds:
        assert not [change for at, change in changes if change < 0 and at > 450], changes


@settings(max_examples=60)
@given(pools, st.integers(0, 3), st.integers(0, 3))
def test_starts_that_fail_are_tried_again_ever_later_and_work_is_done_in_the_end(
    pool: Pool, refusals: int, never_come: int
) -> None:
    world = World((pool,), refusals=refusals, never_come=never_come)
    for _ in range(6):
        world.ask("llm.probe", 10)
    world.run_until_done(1500)

    assert len(world.finished) == 6
    starts = [done.at for done in world.done if done.decision.start]
    first = [after - before for before, after in pairwise(starts)][:refusals]
    assert all(gap >= 10 * 2**i for i, gap in enumerate(first))


@settings(max_examples=60)
@given(st.integers(1, 30), st.integers(1, 5), st.integers(1, 30))
def test_two_pools_for_one_kind_do_not_both_grow_for_one_job(
    jobs: int, first_max: int, start_seconds: int
) -> None:
    near = replace(PROBES, name="near", nodes_max=first_max)
    far = replace(PROBES, name="far", nodes_max=40)
    world = World((near, far), start_seconds=float(start_seconds))
    for _ in range(jobs):
        world.ask("llm.probe", 200)
    world.run(150)

    by_pool = {
        name: sum(done.decision.start for done in world.done if done.decision.pool == name)
        for name in ("near", "far")
    }
    assert by_pool == {"near": min(jobs, first_max), "far": max(0, jobs - first_max)}


# Single decisions.


def test_what_waits_gets_nodes_and_the_reason_tells_the_figures() -> None:
    decision = one(seen(a_node("a", held=1), waiting=3, running=1, oldest=42.0))
    assert decision.start == 3
    assert decision.reason == (
        "3 wait (the oldest for 42 s), 1 run, 1 node, 0 of its slots free; "
        "3 more than free slots take: start 3"
    )


def test_what_runs_gets_none() -> None:
    decision = one(seen(a_node("a", held=1), running=40))
    assert (decision.start, decision.is_change) == (0, False)


def test_what_free_slots_and_nodes_on_their_way_take_gets_none() -> None:
    decision = one(seen(a_node("a"), waiting=3, instances=("a", "b", "c")))
    assert decision.start == 0
    assert "free slots take them" in decision.reason


def test_free_slots_that_take_nothing_are_told() -> None:
    decision = one(seen(a_node("a"), waiting=1, oldest=300.0))
    assert decision.start == 0
    assert "free slots should take them, and do not" in decision.reason


def test_the_most_is_told() -> None:
    nodes = tuple(a_node(name, held=1) for name in "abcde")
    decision = one(seen(*nodes, waiting=9, running=5))
    assert decision.start == 0
    assert "there are 5, the most" in decision.reason


def test_a_few_wait_for_a_busy_node_until_patience_ends() -> None:
    pool = replace(PROBES, waiting_per_node=10, patience_seconds=60.0)
    busy = a_node("a", held=1)
    assert one(seen(busy, waiting=3, running=1, oldest=20.0, pool=pool)).start == 0
    assert one(seen(busy, waiting=3, running=1, oldest=61.0, pool=pool)).start == 1
    assert one(seen(waiting=3, oldest=1.0, pool=pool)).start == 1
    assert one(seen(busy, waiting=23, running=1, oldest=1.0, pool=pool)).start == 2


def test_between_two_steps_up_there_is_a_pause() -> None:
    memory = Memory(up_at=0.0)
    busy = a_node("a", held=1)
    assert one(seen(busy, waiting=2), memory, 4.0).start == 0
    assert "next step up in 6 s" in one(seen(busy, waiting=2), memory, 4.0).reason
    assert one(seen(busy, waiting=2), memory, 10.0).start == 2


def test_the_least_is_kept_without_any_work() -> None:
    pool = replace(PROBES, nodes_min=2)
    decision = one(seen(pool=pool))
    assert (decision.start, decision.reason.endswith("at least 2: start 2")) == (2, True)


def test_an_idle_node_drains_first_and_is_stopped_once_it_has_said_so_twice() -> None:
    decision = looks(seen(a_node("a")), 0.0, 60.0, 119.0)
    assert (decision.drain, decision.stop) == ((), ())
    decision = one(seen(a_node("a")), decision.memory, 121.0)
    assert (decision.drain, decision.stop) == (("n-a",), ())

    memory = decision.memory.drained(decision.drain)
    for beat, expected in (("5", ()), ("5", ()), ("6", ()), ("7", ("a",))):
        decision = one(seen(a_node("a", drains=True, beat=beat)), memory, 130.0)
        memory = decision.memory
        assert decision.stop == expected


def test_a_node_that_took_a_job_before_it_heard_is_left_to_finish_it() -> None:
    memory = Memory()
    for beat in "123456":
        busy = a_node("a", held=1, drains=True, beat=beat)
        decision = one(seen(busy, running=1), memory, 10.0)
        assert decision.stop == ()
        memory = decision.memory
    assert one(seen(a_node("a", drains=True, beat="7")), memory, 12.0).stop == ("a",)


def test_a_node_that_did_not_hear_is_asked_again() -> None:
    memory = Memory().drained(["n-a"])
    assert one(seen(a_node("a")), memory, 5.0).drain == ("n-a",)


def test_an_instance_whose_node_drained_and_ended_is_cleaned_up_at_once() -> None:
    memory = Memory()
    for beat in "123":
        memory = one(seen(a_node("a", drains=True, beat=beat)), memory).memory
    assert one(seen(instances=("a",)), memory, 5.0).stop == ("a",)


def test_while_something_waits_none_goes() -> None:
    assert looks(seen(a_node("a"), waiting=1), 0.0, 100.0, 500.0).drain == ()


def test_a_lower_most_drains_those_with_least_in_hand() -> None:
    pool = replace(PROBES, nodes_max=1)
    decision = one(seen(a_node("a", held=1), a_node("b"), running=1, pool=pool))
    assert decision.drain == ("n-b",)


def test_a_node_that_never_came_is_stopped_told_and_not_started_again_at_once() -> None:
    memory = Memory().started(["a"], 0.0)
    decision = looks(seen(waiting=1, instances=("a",)), 1.0, 60.0, 119.0, memory=memory)
    assert (decision.start, decision.stop) == (0, ())
    decision = one(seen(waiting=1, instances=("a",)), decision.memory, 122.0)
    assert decision.stop == ("a",)
    assert "no sign of a node for 120 s" in decision.reason
    decision = one(seen(waiting=1), decision.memory, 125.0)
    assert decision.start == 0
    assert "1 instance started, and no node came" in decision.reason
    assert one(seen(waiting=1), decision.memory, 140.0).start == 1


def test_one_that_ended_at_once_counts_as_failed() -> None:
    memory = Memory().started(["a", "b"], 0.0)
    decision = one(seen(waiting=1, instances=()), memory, 5.0)
    assert decision.start == 0
    assert "2 instances ended before a node came" in decision.reason


def test_a_node_that_comes_ends_the_waiting_for_another_try() -> None:
    memory = Memory().refused("no", 0.0).started(["a"], 0.0)
    assert one(seen(a_node("a", held=1), waiting=1), memory, 60.0).start == 1


def test_a_hub_that_has_just_started_knows_no_nodes_and_none_is_started_or_stopped() -> None:
    memory = looks(seen(a_node("a", held=1), running=1), 0.0, 5.0).memory
    decision = one(seen(waiting=1, instances=("a",)), memory, 10.0)
    assert (decision.start, decision.stop) == (0, ())


def test_a_hub_that_has_just_started_ends_no_node_that_drains_and_works() -> None:
    memory = Memory()
    for beat in "1234":
        busy = a_node("a", held=1, drains=True, beat=beat)
        memory = one(seen(busy, running=1), memory, 10.0).memory
    gone = seen(running=1, waiting=1, instances=("a",))
    decision = one(gone, memory, 15.0)
    assert decision.stop == ()
    assert decision.start == 1, "what drains is no node to come"
    back = one(seen(a_node("a", drains=True, beat="9")), decision.memory, 20.0)
    assert back.stop == ("a",)


def test_a_node_that_was_told_to_drain_as_the_hub_ended_is_not_stopped_unasked() -> None:
    memory = one(seen(a_node("a", drains=True))).memory
    assert one(seen(instances=("a",)), memory, 5.0).stop == ()
    decision = looks(seen(instances=("a",)), 5.0, 60.0, 126.0, memory=memory)
    assert decision.stop == ("a",), "nobody came back"


def test_a_host_that_does_not_answer_changes_nothing() -> None:
    looked = replace(seen(waiting=9), instances={})
    decision = one(looked)
    assert not decision.is_change
    assert "does not answer" in decision.reason


def test_nodes_of_nobody_s_take_their_share() -> None:
    stranger = replace(a_node("x"), pool="", instance="")
    assert one(seen(stranger, waiting=3, instances=())).start == 2


def test_the_ghost_of_an_ended_instance_is_no_help() -> None:
    assert one(seen(a_node("gone"), waiting=1, instances=())).start == 1


def test_what_runs_and_no_beat_tells_yet_takes_slots() -> None:
    """Three are started already; the last beats were before."""
    nodes = [replace(a_node(name), slots=2, held=0) for name in "ab"]
    assert one(seen(*nodes, waiting=3, running=3)).start == 2
    assert one(seen(*nodes, waiting=1, running=3)).start == 0


def test_what_has_ended_since_the_last_beats_takes_none() -> None:
    nodes = [replace(a_node(name), slots=2, held=2) for name in "ab"]
    assert one(seen(*nodes, waiting=3, running=0)).start == 0
    assert one(seen(*nodes, waiting=3, running=4)).start == 3
