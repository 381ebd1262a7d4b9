"""Who gets which job: order, room, refusals, offers that run out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core import job as core
from hub.core.board import OFFER_SECONDS, REST_SECONDS, Board, Placement
from hub.core.job import Job, Life
from hub.core.placement import WaitingReason, why
from hub.core.retry import RETRY_AFTER_SECONDS_MAX
from hub.core.worker import Presence, Worker
from shared.capabilities import Capability, Lacking
from shared.ids import PersonId, QuestionId, WorkerId
from shared.jobs import Priority
from tests.makers import ABLE, MAC, NOON, PC, make_job

NOW = 1000.0


def presence(
    worker_id: WorkerId = PC, slots: int = 1, kinds: tuple[Capability, ...] = ABLE
) -> Presence:
    return Presence(
        worker_id=worker_id,
        person_id=PersonId("anna"),
        name=worker_id,
        capabilities=kinds,
        slots=slots,
        last_seen_at=NOON,
    )


def board_with(*jobs: Job, here: tuple[Presence, ...] = ()) -> Board:
    board = Board()
    for job in jobs:
        board.update(job, NOW, NOON)
    for worker in here:
        board.arrive(worker)
    return board


def placed(board: Board, now: float = NOW) -> list[tuple[str, str]]:
    return [(p.ready.job.job_id, p.worker_id) for p in board.place(now)]


def test_high_goes_before_default_before_low_and_the_oldest_first() -> None:
    board = board_with(
        make_job("low", priority=Priority.LOW, age_seconds=90),
        make_job("young", age_seconds=1),
        make_job("old", age_seconds=60),
        make_job("high", priority=Priority.HIGH),
        here=(presence(slots=4),),
    )
    assert [job for job, _ in placed(board)] == ["high", "old", "young", "low"]


def test_waiting_raises_a_job_so_that_low_never_starves() -> None:
    board = board_with(
        make_job("low", priority=Priority.LOW, age_seconds=601),
        make_job("default", age_seconds=300),
        here=(presence(),),
    )
    assert placed(board) == [("low", PC)]


def test_the_worker_with_most_room_is_asked() -> None:
    board = board_with(make_job(), here=(presence(PC, 1), presence(MAC, 3)))
    assert placed(board) == [("job", MAC)]


def test_a_pinned_job_goes_to_its_worker_alone() -> None:
    board = board_with(make_job(pinned_to=PC), here=(presence(MAC, 3),))
    assert placed(board) == []
    board.arrive(presence(PC))
    assert placed(board) == [("job", PC)]


def test_nobody_gets_a_kind_they_cannot_run_or_another_persons_job() -> None:
    board = board_with(
        make_job("foreign", person_id=PersonId("bert")),
        make_job("unable", kind="code.push"),
        here=(presence(kinds=(Capability(kind="ml.train"),)),),
    )
    assert placed(board) == []


def test_an_offer_runs_out_after_thirty_seconds_with_a_new_number() -> None:
    board = board_with(make_job(), here=(presence(),))
    [first] = board.place(NOW)
    assert board.next_due() == NOW + OFFER_SECONDS
    assert board.place(NOW + OFFER_SECONDS - 0.1) == []
    [second] = board.place(NOW + OFFER_SECONDS)
    assert second.attempt == first.attempt + 1
    job_id = first.ready.job.job_id
    assert board.accept(PC, job_id, first.attempt) is None
    assert board.accept(MAC, job_id, second.attempt) is None
    assert board.accept(PC, job_id, second.attempt) is second


def test_a_job_may_come_back_again_and_again() -> None:
    board = board_with(make_job(), make_job("other"), here=(presence(slots=2),))
    for round_ in range(5):
        assert len(board.place(NOW + round_ * OFFER_SECONDS)) == 2
        # The same job is also put down anew, as after a failure or a loss.
        board.update(make_job(), NOW, NOON)


def test_an_accepted_offer_does_not_run_out() -> None:
    board = board_with(make_job(), here=(presence(slots=2),))
    [offer] = board.place(NOW)
    assert board.accept(PC, offer.ready.job.job_id, offer.attempt)
    assert board.place(NOW + 2 * OFFER_SECONDS) == []


def test_not_now_is_asked_again_after_a_rest_and_never_is_never() -> None:
    board = board_with(make_job(), here=(presence(),))
    [offer] = board.place(NOW)
    board.decline(PC, offer.ready.job.job_id, 1, is_for_now=True, reason="Busy.", now=NOW)
    assert board.place(NOW + REST_SECONDS - 1) == []
    [again] = board.place(NOW + REST_SECONDS)
    board.decline(PC, again.ready.job.job_id, 2, is_for_now=False, reason="No.", now=NOW)
    assert board.place(NOW + 10 * REST_SECONDS) == []
    board.arrive(presence(MAC))
    assert placed(board, NOW + 10 * REST_SECONDS) == [("job", MAC)]


def test_what_was_offered_to_a_worker_that_left_goes_to_another() -> None:
    board = board_with(make_job(), here=(presence(PC, 2), presence(MAC)))
    assert placed(board) == [("job", PC)]
    board.depart(PC, NOW + 5)
    assert placed(board) == [("job", MAC)]


def test_a_job_that_waits_after_a_failure_is_not_offered_before_its_time() -> None:
    wait = Life(failures=1, not_before=NOON + timedelta(seconds=20))
    board = board_with(make_job(life=wait), here=(presence(),))
    assert board.place(NOW + 19) == []
    assert placed(board, NOW + 20) == [("job", PC)]


def test_a_wall_clock_that_was_set_back_keeps_no_job_waiting_for_days() -> None:
    wait = Life(failures=1, not_before=NOON + timedelta(days=3))
    board = board_with(make_job(life=wait), here=(presence(),))
    assert placed(board) == []
    assert placed(board, NOW + RETRY_AFTER_SECONDS_MAX) == [("job", PC)]


def test_asking_takes_no_slot_and_running_does() -> None:
    life = core.grant(Life(), PC, 1)
    board = board_with(make_job("one", life=life), make_job("two"), here=(presence(),))
    assert placed(board) == []
    board.update(make_job("one", life=core.ask(life, QuestionId("q"))), NOW, NOON)
    assert placed(board) == [("two", PC)]


def test_a_pause_and_zero_slots_stop_offers() -> None:
    here = presence()
    here.is_paused = True
    board = board_with(make_job(), here=(here,))
    assert placed(board) == []
    here.is_paused, here.slots = False, 0
    board.stir(here.person_id)
    assert placed(board) == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["new", "place", "accept", "decline", "never", "leave", "come", "wait"]),
        st.integers(0, 5),
    ),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=150)
def test_room_is_never_overdrawn_and_no_job_is_offered_twice(steps: list[tuple[str, int]]) -> None:
    board, now, made = Board(), NOW, 0
    offers: list[Placement] = []
    board.arrive(presence(PC, 2))
    for step, number in steps:
        open_offers = [o for o in offers if board.offer_of(o.ready.job.job_id) is o]
        match step:
            case "new":
                made += 1
                board.update(make_job(f"j{made}", age_seconds=number), now, NOON)
            case "accept" | "decline" | "never" if open_offers:
                offer = open_offers[number % len(open_offers)]
                job = offer.ready.job
                if step != "accept":
                    board.decline(
                        offer.worker_id,
                        job.job_id,
                        offer.attempt,
                        is_for_now=step == "decline",
                        reason="",
                        now=now,
                    )
                elif board.accept(offer.worker_id, job.job_id, offer.attempt):
                    life = core.grant(job.life, offer.worker_id, offer.attempt)
                    board.update(make_job(job.job_id, life=life), now, NOON)
            case "leave":
                board.depart(PC, now)
            case "come":
                board.arrive(presence(PC, 2))
            case "wait":
                now += number * 10
            case _:
                pass
        offers += board.place(now)
        open_jobs = [o.ready.job.job_id for o in offers if board.offer_of(o.ready.job.job_id) is o]
        assert len(open_jobs) == len(set(open_jobs))
        if PC in board.present:
            working = board.rooms.working(PC)
            assert working + len(open_jobs) <= max(2, working)


def registered(worker_id: WorkerId, **changes: object) -> Worker:
    fields: dict[str, object] = {
        "worker_id": worker_id,
        "person_id": PersonId("anna"),
        "name": worker_id,
        "platform": "",
        "app_version": "",
        "capabilities": ABLE,
        "paired_at": NOON,
        "last_seen_at": NOON - timedelta(hours=1),
    }
    return Worker(**{**fields, **changes})  # type: ignore[arg-type]


def reason(board: Board, job: Job, *workers: Worker) -> WaitingReason | None:
    waiting = why(board.ready_of(job.job_id), job, board, workers, now=NOW, wall=NOON)
    return waiting.reason if waiting else None


def test_why_a_job_waits_is_told_with_facts() -> None:
    job = make_job()
    board = board_with(job)
    slim = (Capability(kind="data.describe"),)
    assert reason(board, job) is WaitingReason.NO_WORKER
    assert reason(board, job, registered(PC, capabilities=slim)) is WaitingReason.KIND_MISSING
    assert reason(board, job, registered(PC)) is WaitingReason.WORKER_OFFLINE
    assert reason(board, job, registered(PC), registered(MAC)) is WaitingReason.ALL_OFFLINE
    board.arrive(presence(PC, 0))
    assert reason(board, job, registered(PC)) is WaitingReason.PAUSED
    board.arrive(presence(PC, 1))
    board.update(make_job("first", life=core.grant(Life(), PC, 1)), NOW, NOON)
    assert reason(board, job, registered(PC)) is WaitingReason.BUSY
    board.arrive(presence(PC, 2))
    [offer] = board.place(NOW)
    assert reason(board, job, registered(PC)) is WaitingReason.STARTING
    board.decline(PC, job.job_id, offer.attempt, is_for_now=False, reason="No folder.", now=NOW)
    assert reason(board, job, registered(PC)) is WaitingReason.DECLINED
    later = make_job("later", life=Life(not_before=NOON + timedelta(seconds=9)))
    board.update(later, NOW, NOON)
    assert reason(board, later, registered(PC)) is WaitingReason.RETRY_WAIT
    board.update(make_job(life=core.succeed(Life())), NOW, NOON)
    assert reason(board, job, registered(PC)) is None


@pytest.mark.parametrize(
    ("pinned_to", "named"), [(None, MAC), (PC, PC), (MAC, MAC)], ids=["free", "pc", "mac"]
)
def test_a_kind_nobody_can_run_names_the_machine_that_could_learn_it(
    pinned_to: WorkerId | None, named: WorkerId
) -> None:
    job = make_job(pinned_to=pinned_to)
    board = board_with(job)
    slim = (Capability(kind="data.describe"),)
    known = [
        registered(PC, capabilities=slim),
        registered(MAC, capabilities=slim, last_seen_at=NOON),
    ]
    lack = Lacking(kind=job.kind, command="deskhand setup ml", download_mb=150)
    other = Lacking(kind="x.y", command="no")
    waiting = why(
        board.ready_of(job.job_id), job, board, known,
        now=NOW, wall=NOON, lacking={PC: (other, lack), MAC: (lack,)},
    )  # fmt: skip
    assert waiting is not None
    assert waiting.reason is WaitingReason.KIND_MISSING
    assert (waiting.worker_id, waiting.lacking) == (named, lack)
    nobody = why(board.ready_of(job.job_id), job, board, known, now=NOW, wall=NOON)
    assert nobody is not None
    assert nobody.lacking is None


def test_an_offline_pin_names_who_else_is_here() -> None:
    job = make_job(pinned_to=PC)
    board = board_with(job, here=(presence(MAC),))
    waiting = why(
        board.ready_of(job.job_id),
        job,
        board,
        [registered(PC), registered(MAC)],
        now=NOW,
        wall=NOON,
    )
    assert waiting is not None
    assert waiting.reason is WaitingReason.WORKER_OFFLINE
    assert waiting.since == NOON - timedelta(hours=1)
    assert waiting.alternatives == (MAC,)


def fetcher(*claims: tuple[str, ...], slots: int = 4, worker_id: WorkerId = PC) -> Presence:
    here = presence(worker_id, slots)
    here.claims = [frozenset(kinds) for kinds in claims]
    return here


def test_a_worker_that_fetches_its_work_is_offered_one_job_for_each_fetch() -> None:
    here = fetcher(("ml.train",), ("ml.train",))
    board = board_with(*(make_job(f"job {n}", age_seconds=9 - n) for n in range(4)), here=(here,))
    assert placed(board) == [("job 0", PC), ("job 1", PC)]
    assert here.claims == []
    board.stir(here.person_id)
    assert placed(board) == []
    here.claims = [frozenset({"ml.train"})]
    board.stir(here.person_id)
    assert placed(board) == [("job 2", PC)]


def test_a_fetch_gets_only_the_kinds_it_names_and_no_more_than_there_is_room() -> None:
    here = fetcher(("ml.predict",), ("ml.train", "ml.predict"), ("ml.train",), slots=2)
    board = board_with(
        make_job("one", age_seconds=3),
        make_job("two", age_seconds=2),
        make_job("three", age_seconds=1),
        here=(here,),
    )
    assert placed(board) == [("one", PC), ("two", PC)]
    assert here.claims == [frozenset({"ml.predict"})]


def test_what_nobody_fetches_yet_is_told_to_start_soon_and_a_paused_fetcher_gets_nothing() -> None:
    here = fetcher()
    board = board_with(make_job(), here=(here,))
    assert placed(board) == []
    ready = board.ready_of(make_job().job_id)
    assert ready is not None
    assert board.has_worker_for(ready)
    here.claims, here.is_paused = [frozenset({"ml.train"})], True
    board.stir(here.person_id)
    assert placed(board) == []


def test_the_tally_follows_each_job_through_its_life() -> None:
    board = board_with(make_job("low", priority=Priority.LOW, age_seconds=30), make_job("one"))
    anna = PersonId("anna")

    def counts() -> dict[tuple[int, bool], int]:
        return {(c.rank, c.is_running): count for c, count in board.tally.counts(anna)}

    assert counts() == {(2, False): 1, (1, False): 1}
    assert board.longest_waits(anna, NOW) == (0.0, 0.0, 30.0)
    assert board.longest_waits(None, NOW) == (0.0, 0.0, 30.0)
    life = core.grant(Life(), PC, 1)
    board.update(make_job("one", life=life), NOW, NOON)
    assert counts() == {(2, False): 1, (1, True): 1}
    board.update(make_job("one", life=core.ask(life, QuestionId("q"))), NOW, NOON)
    assert counts() == {(2, False): 1}
    board.update(make_job("one", life=core.succeed(life)), NOW, NOON)
    board.update(make_job("low", priority=Priority.LOW, life=core.fail(Life())), NOW, NOON)
    assert counts() == {}
    assert board.longest_waits(anna, NOW) == (0.0, 0.0, 0.0)
    assert board.tally.counts(PersonId("bert")) == []


def test_workers_that_can_do_the_same_share_what_says_so() -> None:
    able = [(Capability(kind="a", tools=("git",), jobs_max=2), Capability(kind="b")) for _ in "12"]
    one, same = [presence(kinds=kinds) for kinds in able]
    other = presence(kinds=able[0][:1])
    assert one.capabilities is same.capabilities
    assert one.kinds is same.kinds
    assert one.limits is same.limits
    assert one.kinds == {"a", "b"}
    assert dict(one.limits) == {"a": 2}
    assert other.kinds == {"a"}
