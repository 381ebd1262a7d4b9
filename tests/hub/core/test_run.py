"""What a run's page counts, and what it makes of what workers say."""

from __future__ import annotations

from dataclasses import replace

from hub.core.job import Job, JobCard, Life
from hub.core.run import Counted, RunCard, counted, final_counts, output_of, probe_of
from shared.ids import ConversationId, JobId, PersonId, TaskId
from shared.jobs import JobState, Origin
from shared.kinds.llm import ModelTally, RunOutput
from tests.makers import NOON

RUN = JobCard(
    job=Job(
        job_id=JobId("r"),
        task_id=TaskId("t"),
        person_id=PersonId("p"),
        kind="llm.run",
        created_at=NOON,
        life=Life(state=JobState.RUNNING),
    ),
    title="run dilemmas",
    text="",
    conversation=ConversationId(""),
    origin=Origin.CHAT,
    inputs={},
    result=None,
    error=None,
    updated_at=NOON,
)
ROWS = (
    Counted("succeeded", "a:x", "answered", None, 3, 0.3),
    Counted("succeeded", "a:x", "refused", None, 1, None),
    Counted("succeeded", "b:y", "answered", None, 2, None),
    Counted("failed", None, None, "rate_limit", 4, None),
    Counted("dead", None, None, None, 1, None),
    Counted("running", None, None, None, 5, None),
    Counted("cancelled", None, None, None, 7, None),
)


def test_probes_are_counted_by_what_became_of_them() -> None:
    counts = counted(ROWS)
    assert (counts.answered, counts.refused, counts.failed, counts.open) == (5, 1, 5, 5)
    assert counts.ended == 11
    assert counts.faults == (("rate_limit", 4), ("unknown", 1))
    assert counts.cost_usd == 0.3
    first, second = counts.models
    assert (first.model, first.answered, first.refused, first.cost_usd) == ("a:x", 3, 1, 0.3)
    assert (second.model, second.cost_usd) == ("b:y", None)


def test_a_run_without_prices_has_no_cost_rather_than_none_at_all() -> None:
    assert counted([]).cost_usd is None
    assert counted([Counted("succeeded", "l:m", "answered", None, 1, 0.0)]).cost_usd == 0.0


def test_at_its_end_a_run_knows_better_than_the_hub() -> None:
    output = RunOutput(
        headline="Done.",
        run="r",
        name="Dilemmas",
        total=12,
        answered=9,
        refused=1,
        failed=2,
        faults={"TIMEOUT": 1, "RATE_LIMIT": 2},
        models=(ModelTally(model="a:x", answered=9, refused=1, failed=2),),
    )
    counts = final_counts(output)
    assert (counts.answered, counts.failed, counts.open) == (9, 2, 0)
    assert counts.faults[0] == ("RATE_LIMIT", 2)
    assert counts.models[0].failed == 2


def test_how_far_a_run_is_is_known_once_its_size_is() -> None:
    run = RunCard(card=RUN, worker="", counts=counted(ROWS), total=None)
    assert run.share is None
    assert replace(run, total=22).share == 0.5
    assert replace(run, total=5).share == 1.0, "probes that were asked again are no more than all"


def test_what_a_worker_wrote_wrongly_harms_no_page() -> None:
    done = replace(RUN.job, life=Life(state=JobState.SUCCEEDED))
    assert output_of(replace(RUN, job=done, result={"headline": 5})) is None
    probe = probe_of(replace(RUN, inputs={"index": "x"}, result={"odd": True}))
    assert (probe.index, probe.output) == (0, None)
