"""A worker's own answer to an offer, before anything is looked at on the machine."""

from __future__ import annotations

from dataclasses import replace

from desktop.core.admission import AskedHere, Machine, refusal
from desktop.core.policy import Policy
from shared.errors import ErrorBody
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec, Origin
from shared.kinds.catalogue import BUILT_IN

MACHINE = Machine(slots_free=1, disk_free_bytes=10**12, kinds_ready=frozenset(BUILT_IN))


def spec(origin: Origin) -> JobSpec:
    return JobSpec(
        job_id=JobId("0192f000-0000-7000-8000-00000000abcd"),
        task_id=TaskId("0192f000-0000-7000-8000-00000000abce"),
        kind="data.describe",
        title="describe",
        origin=origin,
    )


def test_a_hub_cannot_speak_as_the_person_at_the_machine() -> None:
    policy = Policy()
    assert policy.allows("data.describe", Origin.LOCAL)
    refused = refusal(spec(Origin.LOCAL), policy, MACHINE, BUILT_IN)
    assert refused is not None
    assert refused.code == "policy_refuses"
    assert refusal(spec(Origin.CHAT), policy, MACHINE, BUILT_IN) is None


def test_what_was_asked_for_here_has_the_owners_rights_and_nothing_else_has() -> None:
    policy = Policy(kinds={Origin.LOCAL: ("*",)})
    job = spec(Origin.LOCAL).model_copy(update={"inputs": {"file": "a.csv"}})
    asked = AskedHere(kind="data.describe", inputs={"file": "a.csv"})
    assert refusal(job, policy, replace(MACHINE, asked_here=asked), BUILT_IN) is None
    for other in (
        None,
        replace(asked, kind="ml.train"),
        replace(asked, inputs={"file": "/etc/passwd"}),
        replace(asked, inputs={}),
    ):
        refused = refusal(job, policy, replace(MACHINE, asked_here=other), BUILT_IN)
        assert refused is not None
        assert refused.code == "policy_refuses"


def test_a_machine_that_is_held_back_says_why_and_may_be_asked_later() -> None:
    why = ErrorBody(code="paused", message="Paused.", hint="", retryable=True)
    refused = refusal(spec(Origin.CHAT), Policy(), replace(MACHINE, held_back=why), BUILT_IN)
    assert refused is not None
    assert refused.body == why
