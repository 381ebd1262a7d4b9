"""What jobs of a simulated world do: kinds whose inputs are the script of a simulated child."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from shared.kinds import EVERY_PLANNED, Inputs, Kind, Output
from shared.plan import Permission, PlanFace


class Script(Inputs):
    """What one job will do; a child without a process follows it."""

    seconds: float = 1.0
    """How long it works, questions not counted."""
    asks: int = 0
    """Questions, one after the other."""
    default: str | None = None
    """Of its questions."""
    fails: str = ""
    """"passing", "lasting" or "gone" (without a word, in the middle)."""
    times: int = 0
    """How many attempts fail."""
    steps: int = 0
    """How many steps it has made before it ends, of kinds in turn."""
    parts: int = 0
    """How many parts it has made before it ends."""
    of: str = ""
    """Of a part, or a step: the job that it is a part of."""
    index: int = 0
    """Which part it is."""


FACE = PlanFace(permission=Permission.READ)
ONCE = Kind(
    name="sim.once",
    summary="Has an effect that must not happen twice",
    inputs=Script,
    output=Output,
    idempotent=False,
    timeout_seconds=3600,
    planned=FACE,
)
SAFE = Kind(
    name="sim.safe",
    summary="May be run again",
    inputs=Script,
    output=Output,
    idempotent=True,
    timeout_seconds=3600,
    planned=FACE,
)
FAR_ONCE = replace(ONCE, name="far.once", summary="As sim.once, on machines that allow it")
FAR_SAFE = replace(SAFE, name="far.safe", summary="As sim.safe, on machines that allow it")
PART = Kind(
    name="sim.part",
    summary="Is one part of a run",
    inputs=Script,
    output=Output,
    idempotent=True,
    resumable=True,
    timeout_seconds=3600,
    takes_slot=False,
)
AFTER = Kind(
    name="sim.after",
    summary="Comes once after a run that ended well",
    inputs=Script,
    output=Output,
    idempotent=True,
    timeout_seconds=3600,
    takes_slot=False,
)
RUN = Kind(
    name="sim.run",
    summary="Has parts",
    inputs=Script,
    output=Output,
    idempotent=True,
    resumable=True,
    timeout_seconds=24 * 3600,
    makes=(PART.name, AFTER.name),
    takes_slot=False,
)
PLAN = Kind(
    name="sim.plan",
    summary="Has steps",
    inputs=Script,
    output=Output,
    idempotent=False,
    resumable=True,
    timeout_seconds=24 * 3600,
    makes=(EVERY_PLANNED,),
    takes_slot=False,
)
STEPS = (ONCE, FAR_ONCE, SAFE, FAR_SAFE)
"""What the steps of a plan are, in turn."""
KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (ONCE, SAFE, FAR_ONCE, FAR_SAFE, RUN, PART, AFTER, PLAN)
}
EXECUTORS: Mapping[str, str] = dict.fromkeys(KINDS, "tests.simulation.child:none")
"""No executor is ever imported: `tests.simulation.child` stands in for the process."""
KINDS_AT = "tests.simulation.kinds:KINDS"
EXECUTORS_AT = "tests.simulation.kinds:EXECUTORS"
