"""What takes no slot is neither held up by slots that are full, nor without a limit of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop.core.admission import Machine, refusal
from desktop.core.policy import Policy
from shared.errors import ErrorBody
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec, Origin
from shared.kinds.catalogue import BUILT_IN

MACHINE = Machine(slots_free=0, disk_free_bytes=10**12, kinds_ready=frozenset(BUILT_IN))
ALL = Policy(kinds={Origin.CHAT: ("*",)})
PAUSED = ErrorBody(code="paused", message="Paused.", hint="", retryable=True)


def spec(kind: str) -> JobSpec:
    return JobSpec(
        job_id=JobId("0192f000-0000-7000-8000-00000000abcd"),
        task_id=TaskId("0192f000-0000-7000-8000-00000000abce"),
        kind=kind,
        title=kind,
        origin=Origin.CHAT,
    )


def code(kind: str, machine: Machine, policy: Policy = ALL) -> str | None:
    refused = refusal(spec(kind), policy, machine, BUILT_IN)
    assert refused is None or refused.retryable
    return refused.code if refused else None


@pytest.mark.parametrize("kind", ["llm.ask", "llm.stats", "llm.health"])
def test_a_full_machine_takes_it_and_one_with_enough_of_its_like_does_not(kind: str) -> None:
    assert code(kind, MACHINE) is None
    assert code(kind, replace(MACHINE, light_free=0)) == "light_busy"


def test_other_jobs_go_by_slots_alone() -> None:
    full_of_light = replace(MACHINE, slots_free=1, light_free=0)
    assert code("data.describe", full_of_light) is None
    assert code("data.describe", MACHINE) == "slots_busy"


def test_a_machine_that_is_paused_takes_neither() -> None:
    assert code("llm.ask", MACHINE, replace_slots(0)) == "slots_busy"
    assert code("llm.ask", replace(MACHINE, held_back=PAUSED)) == "paused"


def replace_slots(slots: int) -> Policy:
    return ALL.model_copy(update={"slots": slots})


def test_whoever_may_lose_its_child_to_others_may_be_run_twice() -> None:
    shared = [kind for kind in BUILT_IN.values() if kind.is_shared]
    assert shared
    assert all(kind.idempotent or kind.resumable for kind in shared)
    assert not any(kind.takes_slot for kind in shared if not kind.is_apart)


def test_coding_jobs_have_a_limit_of_their_own_beside_the_slots() -> None:
    free = replace(MACHINE, slots_free=2, code_free=0)
    assert code("code.bugfix", free) == "code_busy"
    assert code("code.bugfix", replace(free, code_free=1)) is None
    assert code("code.bugfix", replace(free, code_free=1, slots_free=0)) == "slots_busy"
    assert code("code.diff", free) is None
    assert code("data.describe", free) is None


def test_what_a_machine_lacks_is_told_with_what_adds_it() -> None:
    machine = replace(
        MACHINE, kinds_ready=frozenset(), remedies={"code.bugfix": "winget install --id Git.Git"}
    )
    refused = refusal(spec("code.bugfix"), ALL, machine, BUILT_IN)
    assert refused is not None
    assert refused.hint == "On that machine run: winget install --id Git.Git"
    other = refusal(spec("code.review"), ALL, machine, BUILT_IN)
    assert other is not None
    assert other.hint == "On that machine run: deskhand setup llm"
