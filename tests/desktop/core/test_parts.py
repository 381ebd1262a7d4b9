"""Jobs that jobs have made: how many at once, of which kinds, and under which names."""

from __future__ import annotations

import pytest

from desktop.core import parts
from desktop.core.outcome import Following, PartsWanted
from shared.ids import JobId, SessionId, TaskId, WorkerId
from shared.jobs import TITLE_CHARS_MAX, JobSpec, Origin
from shared.kinds.catalogue import BUILT_IN

MAKER = JobSpec(
    job_id=JobId("m"),
    task_id=TaskId("t"),
    kind="llm.run",
    title="run dilemmas.yaml",
    origin=Origin.CHAT,
    session_id=SessionId("s"),
)
HERE = WorkerId("w")


@pytest.mark.parametrize(
    ("open_here", "open_of_all", "makers", "room"),
    [(0, 0, 1, 64), (250, 250, 1, 6), (256, 256, 1, 0), (100, 200, 2, 28), (0, 250, 4, 6)],
    ids=["first", "nearly-full", "full", "two-share", "others-fill-it"],
)
def test_a_job_gets_its_share_of_the_parts_in_hand(
    open_here: int, open_of_all: int, makers: int, room: int
) -> None:
    assert parts.room_for(open_here, open_of_all, makers) == room


def test_a_job_has_only_such_jobs_made_as_its_kind_may() -> None:
    assert parts.refusal(MAKER, "llm.probe", BUILT_IN) is None
    refused = parts.refusal(MAKER, "files.send", BUILT_IN)
    assert refused is not None
    assert refused.code == "job_makes_not"


def test_a_part_is_of_its_makers_task_and_session() -> None:
    wanted = PartsWanted(kind="llm.probe", inputs={"run": "r"}, indexes=(4, 5))
    told = parts.request_of_part(MAKER, wanted, 4, job_id=JobId("p"), worker_id=HERE)
    assert (told.task_id, told.session_id, told.part_of) == ("t", "s", "m")
    assert told.inputs == {"run": "r", "index": 4}
    assert told.is_kept


def test_what_follows_is_named_after_its_maker() -> None:
    following = Following(kind="llm.stats", inputs={"run": "019a"})
    told = parts.request_of_following(MAKER, following, job_id=JobId("f"), worker_id=HERE)
    assert told.title == "stats: run dilemmas.yaml"
    long = MAKER.model_copy(update={"title": "x" * TITLE_CHARS_MAX})
    told = parts.request_of_following(long, following, job_id=JobId("f"), worker_id=HERE)
    assert len(told.title) == TITLE_CHARS_MAX
