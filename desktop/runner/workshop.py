"""What the jobs of a worker are run with, and the order that the child of each one gets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from desktop.core.attempt import Attempt
from desktop.runner.child import ChildLimits
from desktop.runner.lines import Order
from desktop.runner.workspaces import Workspaces
from shared import spans, trace
from shared.jobs import Origin
from shared.kinds import Kind

MACHINE = "machine."
"""Kinds of the machine itself; they alone are told of the session the worker runs in."""
SESSION = (
    "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "XDG_CURRENT_DESKTOP", "DISPLAY", "WAYLAND_DISPLAY",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What every job of this worker is run with."""

    kinds: Mapping[str, Kind]
    kinds_at: str
    executors: Mapping[str, str]
    jobs_folder: Path
    workspaces: Workspaces
    models_folder: Path
    data_folder: Path = Path()
    folders: tuple[Path, ...]
    profile: Path | None = None
    """The folder of a profile apart; None for the person's own."""
    memory_bytes_max: int
    threads_max: int
    cores_max: int | None = None
    """How many cores all jobs together may use; None for all. Not on macOS, which pins nothing."""
    worker_id: str = ""
    """By which it is known in logs."""
    send_files: tuple[Origin, ...] = ()
    """For whom files may leave, as the children are told."""

    def limits(self, kind: Kind) -> ChildLimits:
        return ChildLimits(
            memory_bytes_max=self.memory_bytes_max,
            running_seconds_max=kind.timeout_seconds,
            cores_max=self.cores_max,
        )

    def order(self, attempt: Attempt, known_files: Mapping[str, str]) -> Order:
        """Return what the child of an attempt is told to do; makes its working folder."""
        workdir = self.jobs_folder / attempt.spec.job_id
        if not self.kinds[attempt.spec.kind].is_shared:
            # There are many of those, and few of them want a folder: it is made when one does.
            workdir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return Order(
            spec=attempt.spec,
            executor=self.executors[attempt.spec.kind],
            kinds_at=self.kinds_at,
            workdir=str(workdir),
            workspace=str(self.workspaces.path(attempt.spec.session_id, workdir)),
            models_folder=str(self.models_folder),
            data_folder=str(self.data_folder),
            folders=tuple(str(folder) for folder in self.folders),
            profile=str(self.profile or ""),
            session=session_of(attempt.spec.kind, os.environ),
            memory_bytes_max=self.memory_bytes_max,
            threads_max=self.threads_max,
            traceparent=str(place_of(attempt)),
            attempt=attempt.number,
            worker_id=self.worker_id,
            is_timed=spans.is_wanted() and attempt.part_of is None,
            is_quiet=attempt.part_of is not None,
            tries=attempt.postponed,
            may_send=attempt.spec.origin in self.send_files,
            known_files=dict(known_files),
        )


def place_of(attempt: Attempt) -> trace.Trace:
    """Return where an attempt stands in the trace of its task."""
    spec = attempt.spec
    return trace.of_attempt(spec.traceparent, spec.job_id, attempt.number, attempt.fence)


def session_of(kind: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return what a kind is told of the session the worker runs in: nothing, for almost all."""
    if not kind.startswith(MACHINE):
        return {}
    return {name: variables[name] for name in SESSION if name in variables}
