"""A job goes only to a worker that can do it."""

import pytest

from shared.capabilities import Capability, Needs, fits, lacks
from shared.ids import WorkerId
from shared.kinds import needs_named
from shared.kinds.catalogue import BUILT_IN

ANNA = WorkerId("anna")
HAS = (Capability(kind="ml.train"), Capability(kind="code.bugfix", tools=("git", "ruff")))


@pytest.mark.parametrize(
    ("needs", "expected"),
    [
        (Needs(kind="ml.train"), True),
        (Needs(kind="ml.predict"), False),
        (Needs(kind="code.bugfix", tools=("git",)), True),
        (Needs(kind="code.bugfix", tools=("git", "docker")), False),
        (Needs(kind="ml.train", worker_id=ANNA), True),
        (Needs(kind="ml.train", worker_id=WorkerId("bert")), False),
    ],
)
def test_kind_tools_and_pin_must_fit(needs: Needs, expected: bool) -> None:
    assert fits(ANNA, HAS, needs) is expected


CODE = Capability(
    kind="code.bugfix", tools=("git", "builtin", "codex"), specializations=("python",), jobs_max=2
)


@pytest.mark.parametrize(
    ("wanted", "missing"),
    [
        ((), ()),
        (("codex",), ()),
        (("python", "builtin"), ()),
        (("claude", "codex"), ("claude",)),
        (("rust", "claude"), ("rust", "claude")),
    ],
)
def test_what_is_named_may_be_a_tool_or_a_specialization(
    wanted: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    assert lacks(CODE, wanted) == missing
    assert fits(ANNA, (CODE,), Needs(kind="code.bugfix", tools=wanted)) is not bool(missing)


def test_a_capability_of_a_newer_worker_is_taken_in() -> None:
    told = CODE.model_dump() | {"color": "blue"}

    assert Capability.model_validate(told) == CODE
    assert "jobs_max" not in Capability(kind="ml.train").model_dump()


def test_a_job_needs_what_its_inputs_name() -> None:
    kind = BUILT_IN["code.feature"]

    assert needs_named(kind, {"agent": "codex", "specializations": ["Python", " rust "]}) == (
        "codex",
        "python",
        "rust",
    )
    assert needs_named(kind, {"agent": None, "instructions": "codex"}) == ()
    assert needs_named(BUILT_IN["ml.train"], {"agent": "codex"}) == ()


def test_what_is_kept_local_needs_a_worker_with_a_local_model() -> None:
    assert needs_named(BUILT_IN["plan"], {"task": "Why?", "local": True}) == ("local",)
    assert needs_named(BUILT_IN["plan"], {"task": "Why?", "local": False}) == ()
