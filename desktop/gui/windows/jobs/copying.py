"""A job as plain text, for the clipboard."""

from __future__ import annotations

from datetime import datetime

from desktop.desk.standing import Whereabouts
from desktop.gui.chip import state_word
from desktop.gui.language import tr
from desktop.gui.windows.jobs import wording
from desktop.gui.windows.jobs.cards import result_of
from desktop.gui.windows.jobs.steps import step_line
from desktop.gui.windows.jobs.story import Story
from desktop.store.copied import JobRow
from shared.plain_text import plain


def row_text(row: JobRow, now: datetime, place: Whereabouts) -> str:
    """Write what the list tells of a job."""
    told = " · ".join(
        part
        for part in (
            state_word(row.state),
            wording.title(row),
            row.machine,
            row.kind,
            f"{row.created_at.astimezone():%Y-%m-%d %H:%M:%S}",
            f"#{row.short_id}",
        )
        if part
    )
    second = wording.second_line(row, None, now, place)
    return plain(f"{told}\n{second}" if second else told)


def story_text(story: Story, now: datetime, place: Whereabouts) -> str:
    """Write all that the detail tells of a job, without its log."""
    row = story.job.row
    parts = [row_text(row, now, place)]
    if story.job.text:
        parts.append(tr("Asked: {text}").format(text=story.job.text))
    if row.error is not None:
        parts.append(f"{row.error.message}\n{row.error.hint}".strip())
    if (result := result_of(story.job)) is not None:
        parts.append("\n".join((result.headline, *result.notes, *result.files)))
    parts.append("\n".join(step_line(step, now, is_kept=row.is_kept) for step in story.steps))
    return plain("\n\n".join(parts))
