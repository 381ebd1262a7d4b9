"""The transcripts, for jobs of the shared child: all of them write through one."""

from __future__ import annotations

from desktop.jobs.context import SharedContext
from desktop.store.transcripts.transcripts import Transcripts


def transcripts_of(context: SharedContext) -> Transcripts:
    return context.shared(Transcripts, lambda: Transcripts(context.data_folder))
