"""One fault after the other, on real processes: what must happen is told by each test's name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.backup import back_up
from hub.restore import restore
from hub.settings import Settings
from tests.chaos.lines import Way
from tests.chaos.machine import Machine
from tests.chaos.nursery import FAKETIME, Nursery
from tests.chaos.oracles import drift
from tests.chaos.storm_world import DEAD_SECONDS, World

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

THREE_DAYS, TEN_YEARS = 3.0, 3652.0
NOTICED_SECONDS = 15.0
"""Silence, a look at it each second, a fresh try: on a busy machine."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def world(tmp_path: Path, nursery: Nursery) -> Iterator[World]:
    with World(tmp_path, 0, nursery) as world:
        world.start_hub()
        world.add_machine("anna-pc")
        yield world


@pytest.fixture
def anna(world: World) -> Machine:
    machine = world.machines["anna-pc"]
    world.wait_for("the machine is online", world.is_all_online)
    return machine


def ask(world: World, kind: str, **inputs: object) -> str:
    job_id = world.person.ask(f"{kind} {time.monotonic()}", f"play.{kind}", inputs)
    assert job_id is not None
    return job_id


def ask_effect(world: World, milliseconds: int = 0) -> str:
    return ask(world, "effect", text=str(world.marks), number=milliseconds)


def ask_here(machine: Machine, kind: str, **inputs: object) -> str:
    """Ask at the machine itself, for it to be done there."""
    told = machine.tell(
        "request",
        {"kind": f"play.{kind}", "inputs": inputs, "worker_id": machine.worker_id},  # type: ignore[dict-item]
    )
    assert told is not None
    return str(told["job_id"])


def marks(world: World, job_id: str) -> int:
    """How often a job had its effect."""
    return world.marks.read_text().split().count(job_id) if world.marks.exists() else 0


def until(world: World, job_id: str, *states: str) -> None:
    world.wait_for(
        f"{job_id} is {' or '.join(states)}", lambda: world.hub_jobs().get(job_id) in states
    )


def until_marked(world: World, job_id: str) -> None:
    world.wait_for("the effect is there", lambda: marks(world, job_id))


def question_of(world: World, job_id: str) -> str:
    def found() -> str:
        for question in world.person.questions():
            if question["job_id"] == job_id:
                return str(question["question_id"])
        return ""

    return world.wait_for("it is asked", found)


def until_all_agree(world: World) -> None:
    """All is acknowledged, and every copy says what the hub says."""

    def agree() -> bool:
        states = world.hub_jobs()
        return all(
            machine.waiting_count() == 0 and machine.copied_jobs() == states
            for machine in world.machines.values()
        )

    world.wait_for("hub and machines agree", agree)
    assert not drift(world)


def starts(world: World, job_id: str) -> int:
    return sum(body["job_id"] == job_id for _, body in world.hub_events("job_started"))


@pytest.mark.parametrize("ways", [(Way.UP,), (Way.DOWN,), (Way.UP, Way.DOWN)], ids="-".join)
def test_a_line_that_leads_nowhere_is_noticed_and_its_job_goes_on(
    world: World, anna: Machine, ways: tuple[Way, ...]
) -> None:
    job_id = ask_effect(world, 1500)
    until_marked(world, job_id)
    anna.line.lose(*ways)
    until(world, job_id, "succeeded")
    assert starts(world, job_id) == marks(world, job_id) == 1
    until_all_agree(world)


@pytest.mark.parametrize("way", Way)
def test_a_line_cut_within_a_frame_loses_nothing(world: World, anna: Machine, way: Way) -> None:
    anna.line.cut_mid_frame(way)
    job_id = ask_effect(world)
    until(world, job_id, "succeeded")
    assert marks(world, job_id) == 1
    until_all_agree(world)


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("message", ["offer", "grant", "ack"])
def test_a_line_that_fails_right_at_a_step_starts_nothing_twice(
    world: World, anna: Machine, message: str, way: Way
) -> None:
    anna.line.after(message, lose=way)
    job_id = ask_effect(world, 30)
    until(world, job_id, "succeeded")
    assert not anna.line.is_set, "the step was never reached"
    assert starts(world, job_id) == marks(world, job_id) == 1
    until_all_agree(world)


def test_a_hub_that_stands_still_finds_its_job_ended(world: World, anna: Machine) -> None:
    job_id = ask_effect(world, 300)
    until_marked(world, job_id)
    assert world.hub is not None
    world.hub.stop()
    world.wait_for("the worker gives the line up", lambda: not world.is_all_online())
    world.hub.go_on()
    until(world, job_id, "succeeded")
    assert starts(world, job_id) == marks(world, job_id) == 1
    until_all_agree(world)


def test_a_worker_that_stood_still_for_long_goes_on_with_its_job(
    world: World, anna: Machine
) -> None:
    job_id = ask_effect(world, 6000)
    until_marked(world, job_id)
    assert anna.program is not None
    anna.program.stop()
    log = world.folder / "hub.log"
    before = log.read_text().count("worker_left")
    world.wait_for(
        "the hub gives the line up", lambda: log.read_text().count("worker_left") > before
    )
    anna.program.go_on()
    until(world, job_id, "succeeded")
    assert starts(world, job_id) == marks(world, job_id) == 1
    until_all_agree(world)


def test_a_worker_killed_in_mid_effect_asks_and_does_not_run_it_again(
    world: World, anna: Machine
) -> None:
    job_id = ask_effect(world, 60_000)
    until_marked(world, job_id)
    anna.kill()
    anna.start()
    world.person.answer(question_of(world, job_id), "Mark done")
    until(world, job_id, "succeeded")
    assert marks(world, job_id) == 1
    until_all_agree(world)


def test_a_hub_killed_while_jobs_run_finds_them_as_they_are(world: World, anna: Machine) -> None:
    job_id = ask_effect(world, 1500)
    until_marked(world, job_id)
    world.kill_hub()
    world.start_hub()
    anna.hurry()
    until(world, job_id, "succeeded")
    assert starts(world, job_id) == marks(world, job_id) == 1
    until_all_agree(world)


needs_faketime = pytest.mark.skipif(not FAKETIME, reason="needs the Debian package `faketime`")


@needs_faketime
@pytest.mark.parametrize("who", ["hub", "worker"])
def test_a_clock_that_jumps_ends_nothing_early_and_loses_nothing(
    world: World, anna: Machine, who: str
) -> None:
    clock = world.clock if who == "hub" else anna.clock
    asking = ask(world, "ask_default")
    question = question_of(world, asking)
    jobs = []
    for days in (THREE_DAYS, -THREE_DAYS, TEN_YEARS, -TEN_YEARS, 0):
        running = ask_effect(world, 1500)
        until_marked(world, running)
        clock.jump(days)
        clock.wait_until_seen()
        jobs += [running, ask_here(anna, "effect", text=str(world.marks))]
        assert question_of(world, asking) == question, "no time runs out by a clock on the wall"
    world.person.answer(question, "MSK")
    for job_id in (asking, *jobs):
        until(world, job_id, "succeeded")
    assert "MSK" in str(world.person.job(asking)["result"])
    assert {marks(world, job_id) for job_id in jobs} == {1}
    until_all_agree(world)


@needs_faketime
def test_a_hub_started_with_a_clock_of_long_ago_makes_no_retry_wait_for_years(
    world: World, anna: Machine
) -> None:
    service = world.folder / "service"
    job_id = ask(world, "stumble", text=str(service))
    world.wait_for("it has failed once", lambda: "job_failed" in _types(world, job_id))
    world.kill_hub()
    world.clock.jump(-TEN_YEARS)
    service.touch()
    world.start_hub()
    anna.hurry()
    until(world, job_id, "succeeded")


def test_a_worker_taken_back_to_an_older_store_repeats_no_effect(
    world: World, anna: Machine
) -> None:
    before = ask_effect(world)
    until(world, before, "succeeded")
    until_all_agree(world)
    copy = world.folder / "older"
    anna.keep_copy(copy)
    after = ask_effect(world)
    until(world, after, "succeeded")
    running = ask_effect(world, 60_000)
    until(world, running, "running")
    until_marked(world, running)
    anna.kill()
    anna.put_back(copy)
    anna.start()
    world.person.answer(question_of(world, running), "Mark done")
    last = ask_effect(world)
    until(world, last, "succeeded")
    assert {marks(world, job_id) for job_id in (before, after, running, last)} == {1}
    assert world.hub_jobs()[running] == "succeeded"
    until_all_agree(world)


def test_a_cloned_machine_takes_no_job_twice(world: World, anna: Machine) -> None:
    done = ask_effect(world)
    until(world, done, "succeeded")
    until_all_agree(world)
    clone = world.clone(anna, "clone-pc")
    clone.start()
    clone.hurry()
    jobs = [ask_effect(world, 30) for _ in range(4)]
    for job_id in jobs:
        until(world, job_id, "succeeded", "interrupted")
    assert max(marks(world, job_id) for job_id in [done, *jobs]) == 1
    for job_id in jobs:
        ended = world.hub_jobs()[job_id] == "succeeded"
        assert marks(world, job_id) or not ended, "what succeeded was done"


def test_a_hub_restored_from_a_backup_hears_what_came_after_it(world: World, anna: Machine) -> None:
    before = ask_effect(world)
    until(world, before, "succeeded")
    settings = Settings(data=world.data, port=world.port)
    backup = world.folder / "backup"
    back_up(settings, backup, None, "0")
    done = ask_effect(world)
    until(world, done, "succeeded")
    running = ask_effect(world, 4000)
    until_marked(world, running)
    until_all_agree(world)
    world.kill_hub()
    restore(settings, backup, is_latest=False)
    world.start_hub()
    anna.hurry()
    for job_id in (before, done, running):
        until(world, job_id, "succeeded")
    later = ask_effect(world)
    until(world, later, "succeeded")
    assert {marks(world, job_id) for job_id in (before, done, running, later)} == {1}
    until_all_agree(world)


def test_a_machine_revoked_while_it_runs_is_shown_out_at_once(world: World, anna: Machine) -> None:
    job_id = ask_effect(world, 60_000)
    until_marked(world, job_id)
    world.person.revoke(anna.worker_id)
    world.wait_for("it is out", lambda: not world.is_all_online(), DEAD_SECONDS + 3)
    world.person.answer(question_of(world, job_id), "Mark done")
    until(world, job_id, "succeeded")
    assert marks(world, job_id) == 1


def test_what_is_done_at_a_machine_without_its_hub_counts_afterwards(
    world: World, anna: Machine
) -> None:
    asking = ask_here(anna, "ask_default")
    question = question_of(world, asking)
    until_all_agree(world)
    world.kill_hub()
    world.wait_for("it notices", lambda: anna.line_state() == "offline")
    effect = ask_here(anna, "effect", text=str(world.marks))
    cancelled = ask_here(anna, "hang")
    told = anna.tell("answer", {"question_id": question, "job_id": asking, "value": "MSK"})
    assert told is not None
    world.wait_for("it runs here", lambda: anna.copied_jobs().get(effect) == "succeeded")
    world.wait_for("it goes on here", lambda: anna.copied_jobs().get(asking) == "succeeded")
    world.wait_for("it hangs here", lambda: anna.copied_jobs().get(cancelled) == "running")
    anna.tell("cancel", {"job_id": cancelled})
    world.wait_for("it stops here", lambda: anna.copied_jobs().get(cancelled) == "cancelled")
    assert anna.waiting_count() > 0
    world.start_hub()
    anna.hurry()
    until(world, effect, "succeeded")
    until(world, asking, "succeeded")
    until(world, cancelled, "cancelled")
    assert marks(world, effect) == 1
    assert "MSK" in anna.copied_results()[asking]
    until_all_agree(world)


def _types(world: World, job_id: str) -> list[str]:
    told = world.hub_events("job_started", "job_failed", "job_queued")
    return [kind for kind, body in told if body["job_id"] == job_id]
