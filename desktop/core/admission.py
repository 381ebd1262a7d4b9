"""May this job start here, now? The worker's own answer, whatever a hub says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from desktop.core.policy import Policy
from desktop.core.toolsets import toolset_for
from shared.errors import AppError, BadInput, ErrorBody, LimitReached, NotAllowed, Unavailable
from shared.ids import is_uuid
from shared.jobs import LIGHT_MAX, JobSpec, Origin
from shared.kinds import Inputs, JsonObject, Kind, parse_inputs
from shared.kinds.catalogue import kind_named


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedHere:
    """A request of the person at this machine, as it was written down here."""

    kind: str
    inputs: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What admission must know of the machine at this moment."""

    slots_free: int
    light_free: int = LIGHT_MAX
    """How many more jobs that take no slot it may get from the hub."""
    code_free: int = 1000
    """How many more coding jobs may run at once, by the owner's rules."""
    disk_free_bytes: int
    kinds_ready: frozenset[str]
    """Kinds whose libraries are installed here."""
    remedies: Mapping[str, str] = field(default_factory=dict)
    """The command that adds what a kind lacks, by the kind's name."""
    asked_here: AskedHere | None = None
    """What the person at this machine asked for under this job's id, as its own store says."""
    held_back: ErrorBody | None = None
    """Why nothing may start now: a pause, or the owner's rules on battery, hours and the like."""


def refusal(
    spec: JobSpec, policy: Policy, machine: Machine, kinds: Mapping[str, Kind]
) -> AppError | None:
    """Return why this job may not run here, or None when it may.

    A retryable error means "not now", any other "not on this machine".
    """
    if not is_uuid(spec.job_id):
        # It names a folder of ours: "../.." must not become a path.
        return BadInput("job_id_invalid", "The job's id is none.", "Update the hub.")
    try:
        kind = kind_named(spec.kind, kinds)
        inputs = parse_inputs(kind, spec.inputs)
    except AppError as error:
        return error
    # A hub that only claims that something was asked for here wants the owner's own rights.
    is_claimed = spec.origin is Origin.LOCAL and not _is_asked(spec, inputs, machine, kinds)
    if is_claimed or not policy.allows(spec.kind, spec.origin):
        return NotAllowed(
            "policy_refuses",
            f"The owner of this machine does not allow {spec.kind} from {spec.origin.value}.",
            f'Its owner may add "{_family(spec.kind)}" to {spec.origin.value} under [kinds] in the'
            " machine's policy file; `deskhand doctor` there shows where that is.",
        )
    if spec.kind not in machine.kinds_ready:
        return not_installed(spec.kind, machine.remedies.get(spec.kind, ""))
    if machine.held_back is not None:
        return AppError.from_body(machine.held_back)
    if machine.disk_free_bytes < policy.disk_free_bytes_min:
        return Unavailable(
            "disk_low",
            f"Only {machine.disk_free_bytes // 1024**2} MB are free on this machine.",
            "Free some space; jobs are taken again by themselves.",
            retryable=True,
        )
    return _no_room(kind, policy, machine)


def _no_room(kind: Kind, policy: Policy, machine: Machine) -> LimitReached | None:
    """Say that a job has to wait for others; what takes no slot waits for its like alone."""
    if kind.is_apart and machine.code_free < 1:
        return LimitReached(
            "code_busy",
            f"This machine works on {plural_of(policy.code.concurrent)} at once, by its owner's "
            "rules.",
            "It waits.",
            retryable=True,
        )
    if kind.takes_slot:
        is_full = machine.slots_free < 1
    elif policy.slots < 1:  # paused by its owner
        is_full = True
    elif machine.light_free < 1:
        return LimitReached(
            "light_busy",
            f"This machine has {LIGHT_MAX} such jobs in hand.",
            "It waits.",
            retryable=True,
        )
    else:
        is_full = False
    if not is_full:
        return None
    return LimitReached(
        "slots_busy", "All slots of this machine are busy.", "It waits.", retryable=True
    )


def plural_of(count: int) -> str:
    return "one coding job" if count == 1 else f"{count} coding jobs"


def _family(kind: str) -> str:
    """The pattern of all kinds like one: "llm.*"."""
    return f"{kind.partition('.')[0]}.*"


def _is_asked(spec: JobSpec, inputs: Inputs, machine: Machine, kinds: Mapping[str, Kind]) -> bool:
    """Say whether this is what was asked for here, and not another deed under its id."""
    asked = machine.asked_here
    if asked is None or asked.kind != spec.kind:
        return False
    return parse_inputs(kind_named(asked.kind, kinds), asked.inputs) == inputs


def not_installed(kind: str, command: str = "") -> Unavailable:
    return Unavailable(
        "kind_not_installed",
        f"This worker has no tools for {kind}.",
        f"On that machine run: {command or toolset_for(kind).command}",
    )
