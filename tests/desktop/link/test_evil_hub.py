"""A hub is never authority: whatever it says, the worker does no harm and goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.core.link import LinkState
from shared.events import (
    JobFailed,
    JobLogged,
    JobSucceeded,
    QuestionAnswered,
    QuestionAsked,
    QuestionParked,
)
from shared.ids import JobId, QuestionId
from shared.jobs import JobSpec, Origin
from shared.messages import (
    Accept,
    Cancel,
    Decision,
    Decline,
    Grant,
    HeldState,
    Hello,
    Offer,
    Verdict,
)
from shared.questions import Answer
from tests.desktop.link.hub_double import HubDouble
from tests.desktop.link.workers import granted, offered, spec, working

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let children import the executors of these tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.fixture
async def hub() -> AsyncIterator[HubDouble]:
    async with HubDouble().serving() as double:
        yield double


async def test_a_job_goes_through_offer_grant_start_and_result(
    hub: HubDouble, tmp_path: Path
) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, spec("hard.brief"))
        succeeded = await hub.until_event("job_succeeded")
    assert isinstance(succeeded, JobSucceeded)
    assert succeeded.result["headline"] == "Done."
    assert [b.type for b in hub.bodies] == ["job_started", "job_succeeded"]
    assert [e.seq for e in hub.events] == [1, 2]


@pytest.mark.parametrize(
    ("job", "code"),
    [
        (spec("shell.run"), "kind_unknown"),
        (spec("hard.brief", command="rm -rf /"), "inputs_invalid"),
        (spec("hard.brief", count="many"), "inputs_invalid"),
        (spec("hard.brief").model_copy(update={"origin": Origin.LOCAL}), "policy_refuses"),
        (spec("hard.brief", job_id="../../outside"), "job_id_invalid"),
        (spec("hard.brief", job_id="/tmp/outside"), "job_id_invalid"),
        (spec("hard.brief", job_id=""), "job_id_invalid"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_the_owner_did_not_allow_is_declined_with_a_reason(
    hub: HubDouble, tmp_path: Path, job: JobSpec, code: str
) -> None:
    async with working(tmp_path / "home", hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        answer = await offered(hub, job)
        assert isinstance(answer, Decline)
        assert answer.error.code == code
        assert answer.error.message
        assert not answer.error.retryable
        await granted(hub, spec("hard.brief"))
        await hub.until_event("job_succeeded")
    assert names_in(tmp_path) == ["home"]


async def test_a_traceback_stays_on_the_machine(hub: HubDouble, tmp_path: Path) -> None:
    job = spec("hard.litter_apart")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, job)
        failed = await hub.until_event("job_failed")
    assert isinstance(failed, JobFailed)
    assert "the way out" in failed.error.message
    assert not any("Traceback" in event.model_dump_json() for event in hub.events)
    assert "Traceback" in (tmp_path / "jobs" / job.job_id / "last-words.log").read_text()


async def test_a_job_that_fails_with_endless_words_does_not_jam_the_line(
    hub: HubDouble, tmp_path: Path
) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, spec("hard.long_failure"))
        await hub.until_event("job_failed")
        await granted(hub, spec("hard.brief"))
        await hub.until_event("job_succeeded")


async def test_a_full_worker_says_not_now(hub: HubDouble, tmp_path: Path) -> None:
    async with working(tmp_path, hub.base, slots=1) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, spec("hard.hang"))
        answer = await offered(hub, spec("hard.brief"))
        assert isinstance(answer, Decline)
        assert answer.error.retryable


async def test_grants_and_cancels_of_what_was_never_accepted_start_nothing(
    hub: HubDouble, tmp_path: Path
) -> None:
    stranger = JobId("0192f000-0000-7000-8000-00000000abcd")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await hub.say(Grant(job_id=stranger, attempt=1, fence=1))
        await hub.say(Cancel(job_id=stranger, attempt=1))
        await granted(hub, spec("hard.brief"))
        await hub.until_event("job_succeeded")
    assert len(hub.of_type("job_started")) == 1


async def test_a_grant_that_comes_twice_starts_once(hub: HubDouble, tmp_path: Path) -> None:
    job = spec("hard.hang")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, job)
        await hub.say(Grant(job_id=job.job_id, attempt=1, fence=1))
        await hub.say(Grant(job_id=job.job_id, attempt=1, fence=2))
        await hub.say(Offer(job=job, attempt=1, expires_in_seconds=30))
        await hub.say(Cancel(job_id=job.job_id, attempt=1))
        await hub.until_event("job_cancelled")
    assert len(hub.of_type("job_started")) == 1


async def test_a_newer_offer_of_a_job_takes_the_place_of_the_older(
    hub: HubDouble, tmp_path: Path
) -> None:
    job = spec("hard.brief")
    async with working(tmp_path, hub.base, slots=2) as worker:
        await worker.until_state(LinkState.ONLINE)
        for attempt in (1, 2, 3):
            assert isinstance(await offered(hub, job, attempt=attempt), Accept)
        assert [held.number for held in worker.agent.attempts] == [3]


async def test_a_line_cut_in_the_middle_leaves_the_job_running_and_starts_it_once(
    hub: HubDouble, tmp_path: Path
) -> None:
    job = spec("hard.colour")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, job)
        asked = await hub.until_event("question_asked")
        assert isinstance(asked, QuestionAsked)
        await hub.cut()
        await hub.until(lambda: len(hub.hellos) == 2)
        assert [held.state for held in hub.hellos[1].held] == [HeldState.ASKING]
        await hub.until(lambda: hub.end is not None and hub.end.phase == "open")
        await hub.publish(
            QuestionAnswered(
                question_id=asked.question_id,
                job_id=job.job_id,
                answer=Answer(value="blue", by="anna"),
            )
        )
        succeeded = await hub.until_event("job_succeeded")
    assert isinstance(succeeded, JobSucceeded)
    assert succeeded.result["value"] == "blue"
    assert [b.type for b in hub.bodies] == [
        "job_started",
        "question_asked",
        "job_resumed",
        "job_succeeded",
    ]


async def test_the_same_answer_again_counts_once(hub: HubDouble, tmp_path: Path) -> None:
    job = spec("hard.colour")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, job)
        asked = await hub.until_event("question_asked")
        assert isinstance(asked, QuestionAsked)
        for value in ("red", "blue"):
            await hub.publish(
                QuestionAnswered(
                    question_id=asked.question_id,
                    job_id=job.job_id,
                    answer=Answer(value=value, by="anna"),
                )
            )
        succeeded = await hub.until_event("job_succeeded")
    assert isinstance(succeeded, JobSucceeded)
    assert succeeded.result["value"] == "red"
    assert len(hub.of_type("job_resumed")) == 1


async def test_an_answer_that_is_none_of_the_choices_does_not_reach_an_approval(
    hub: HubDouble, tmp_path: Path
) -> None:
    job = spec("hard.colour")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, job)
        asked = await hub.until_event("question_asked")
        assert isinstance(asked, QuestionAsked)
        await hub.publish(
            QuestionAnswered(
                question_id=asked.question_id,
                job_id=job.job_id,
                answer=Answer(value="push to main", by="the hub"),
            )
        )
        failed = await hub.until_event("job_failed")
    assert isinstance(failed, JobFailed)
    assert failed.error.code == "answer_invalid"
    assert not hub.of_type("job_succeeded")


async def test_a_parked_question_ends_its_child_and_says_so(hub: HubDouble, tmp_path: Path) -> None:
    job = spec("hard.colour")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, job)
        asked = await hub.until_event("question_asked")
        assert isinstance(asked, QuestionAsked)
        await hub.publish(QuestionParked(question_id=asked.question_id, job_id=job.job_id))
        await hub.until_event("job_parked")
    assert hub.bodies[-1].type == "job_parked"


async def test_an_old_parked_question_does_not_end_the_running_attempt(
    hub: HubDouble, tmp_path: Path
) -> None:
    job = spec("hard.colour")
    old = QuestionId("0192f000-0000-7000-8000-00000000dead")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, job)
        asked = await hub.until_event("question_asked")
        assert isinstance(asked, QuestionAsked)
        await hub.publish(QuestionParked(question_id=old, job_id=job.job_id))
        await hub.publish(
            QuestionAnswered(
                question_id=asked.question_id,
                job_id=job.job_id,
                answer=Answer(value="red", by="anna"),
            )
        )
        await hub.until_event("job_succeeded")
    assert not hub.of_type("job_parked")


@pytest.mark.parametrize(
    ("frame", "close_code"),
    [
        ("{", 1007),
        (b"\x00\x01", 1003),
        ("[" * 50_000, 1008),
        ('{"type":"format_disk"}', 1008),
        ('{"type":"grant","job_id":"x","attempt":0,"fence":-1}', 1008),
        ('{"type":"ack","seq":99999}', 1002),
        ("x" * 300_000, 1009),
    ],
    ids=["no json", "binary", "deep", "unknown", "invalid", "ack ahead", "huge"],
)
async def test_a_broken_frame_ends_the_line_with_its_code_and_the_job_goes_on(
    hub: HubDouble, tmp_path: Path, frame: str | bytes, close_code: int
) -> None:
    job = spec("hard.hang")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, job)
        await hub.say_raw(frame)
        await hub.until(lambda: hub.closings and len(hub.hellos) == 2)
        assert hub.closings[0] == close_code
        assert [held.state for held in hub.hellos[1].held] == [HeldState.RUNNING]
        await hub.until(lambda: hub.end is not None and hub.end.phase == "open")
        await hub.say(Cancel(job_id=job.job_id, attempt=1))
        await hub.until_event("job_cancelled")
    assert len(hub.of_type("job_started")) == 1


async def test_a_hub_that_speaks_before_its_welcome_starts_nothing(
    hub: HubDouble, tmp_path: Path
) -> None:
    hub.is_welcoming = False
    async with working(tmp_path, hub.base):
        await hub.until(lambda: hub.hellos)
        await hub.say(Offer(job=spec("hard.brief"), attempt=1, expires_in_seconds=30))
        await hub.until(lambda: hub.closings)
        hub.is_welcoming = True
        await hub.until(lambda: len(hub.hellos) >= 2)
    assert not [m for m in hub.heard if isinstance(m, Accept)]


async def test_long_lines_of_log_get_across_and_the_result_after_them(
    hub: HubDouble, tmp_path: Path
) -> None:
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, spec("hard.long_lines", count=400))
        await hub.until_event("job_succeeded")
    lines = [line for body in hub.bodies if isinstance(body, JobLogged) for line in body.lines]
    assert lines
    assert len(hub.hellos) == 1, "no frame was too large for the line"


async def test_a_verdict_can_grant_again_abort_and_forget(hub: HubDouble, tmp_path: Path) -> None:
    lost, stale = spec("hard.brief"), spec("hard.brief")
    decisions = {lost.job_id: Decision.GRANT, stale.job_id: Decision.FORGET}

    def judge(hello: Hello) -> tuple[Verdict, ...]:
        return tuple(
            Verdict(
                job_id=held.job_id, attempt=held.attempt, decision=decisions[held.job_id], fence=7
            )
            for held in hello.held
        )

    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        for job in (lost, stale):
            assert isinstance(await offered(hub, job), Accept)
        hub.verdicts_for = judge
        await hub.cut()
        succeeded = await hub.until_event("job_succeeded")
        await hub.until(lambda: len(worker.agent.attempts) == 0)
    assert isinstance(succeeded, JobSucceeded)
    assert (succeeded.job_id, succeeded.fence) == (lost.job_id, 7)
    assert len(hub.of_type("job_started")) == 1


async def test_an_aborted_job_ends_and_says_so(hub: HubDouble, tmp_path: Path) -> None:
    job = spec("hard.hang")
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, job)
        hub.verdicts_for = lambda _hello: (
            Verdict(job_id=job.job_id, attempt=1, decision=Decision.ABORT, reason="moved on"),
        )
        await hub.cut()
        await hub.until_event("job_cancelled")


async def test_a_store_that_is_an_older_copy_starts_a_new_epoch_and_tells_again(
    hub: HubDouble, tmp_path: Path
) -> None:
    hub.is_acking = False
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, spec("hard.brief"))
        await hub.until_event("job_succeeded")
        epoch = hub.hellos[0].epoch
        hub.acked_seq, hub.is_acking = 500, True
        await hub.cut()
        await hub.until(lambda: len(hub.hellos) >= 2)
        hub.acked_seq = None
        await hub.until_event("job_succeeded", count=2)
    again = [event for event in hub.events if event.epoch == epoch + 1]
    assert [(e.seq, e.type) for e in again] == [(1, "job_started"), (2, "job_succeeded")]


async def test_an_outcome_whose_ack_was_lost_is_forgotten_at_the_next_welcome(
    hub: HubDouble, tmp_path: Path
) -> None:
    hub.is_acking = False
    async with working(tmp_path, hub.base) as worker:
        await worker.until_state(LinkState.ONLINE)
        await granted(hub, spec("hard.brief"))
        await hub.until_event("job_succeeded")
        await hub.cut()
        await hub.until(lambda: len(hub.hellos) == 2)
        assert [held.state for held in hub.hellos[1].held] == [HeldState.ENDED]
        await hub.until(lambda: hub.end is not None and hub.end.phase == "open")
        assert isinstance(await offered(hub, spec("hard.brief")), Accept)
        assert len(worker.agent.attempts) == 1, "only the new one is in hand"
