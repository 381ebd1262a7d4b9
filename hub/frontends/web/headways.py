"""How far a job is, as a bar and words that the page's script keeps fresh."""

from __future__ import annotations

from dataclasses import dataclass

from hub.frontends.web.live import progress_words
from shared.ids import JobId
from shared.messages import Progress


@dataclass(frozen=True, slots=True)
class Headway:
    job_id: JobId
    share: float | None
    """0..1; None while nobody knows how much there is."""
    says: str
    """ "3 of 5 models, 18 s left"; empty before anything was told."""


def headway(job_id: JobId, progress: Progress | None) -> Headway:
    if progress is None:
        return Headway(job_id, None, "")
    share = min(1.0, max(0.0, progress.done / progress.total)) if progress.total > 0 else None
    return Headway(job_id, share, progress_words(progress))
