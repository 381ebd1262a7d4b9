"""A worker's own answer to an offer, before anything is looked at on the machine."""

from __future__ import annotations

from desktop.core.admission import Machine, refusal
from desktop.core.policy import Policy
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
