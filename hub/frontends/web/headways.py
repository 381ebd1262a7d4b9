"""How far a job is, as a bar and words that the page's script keeps fresh."""

from __future__ import annotations

from dataclasses import dataclass

from hub.core import view
from hub.frontends.figures import duration
from hub.frontends.wording import done_of
from shared.ids import JobId
from shared.messages import Progress


@dataclass(frozen=True, slots=True)
class Headway:
    job_id: JobId
    share: float | None
    """0..1; None while nobody knows how much there is."""
    says: str
    """ "3 of 5 folds, 18 s left"; empty before anything was told."""


def headway(job_id: JobId, progress: Progress | None) -> Headway:
    if progress is None:
        return Headway(job_id, None, "")
    told = view.Progress(
        stage=progress.stage,
        done=progress.done,
        total=progress.total,
        eta_seconds=progress.eta_seconds,
    )
    share = min(1.0, max(0.0, progress.done / progress.total)) if progress.total > 0 else None
    left = f"{duration(eta)} left" if (eta := progress.eta_seconds or 0) >= 1 else ""
    return Headway(job_id, share, ", ".join(part for part in (done_of(told), left) if part))
