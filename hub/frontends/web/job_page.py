"""Gathers what the page of one job shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from hub.core.job import JobCard
from hub.core.log_line import LINES_PER_PAGE_MAX, LogLine, LogPage, Stretch
from hub.frontends import figures
from hub.frontends.facts import Facts
from hub.frontends.web import kind_form
from hub.frontends.web.ansi import Piece, pieces
from hub.frontends.web.asked import Asked, asked_of_job
from hub.frontends.web.change_page import change_href, findings_of
from hub.frontends.web.headways import Headway, headway
from hub.frontends.web.outcome import Outcome, outcome_of
from hub.frontends.web.plan_part import AnswerPart, PlanPart, answer_part, plan_part
from hub.frontends.web.timeline import Way, way_of
from hub.frontends.web.visitor import Setting, Visitor
from hub.frontends.web.waits import why_line
from shared.ids import WorkerId, short
from shared.jobs import JobState
from shared.kinds.code import Finding
from shared.kinds.naming import FILE_OF_JOB
from shared.plain_text import plain_line

TAIL_LINES = 500
"""Lines that the page shows at first; the whole log is one click away."""
FOUND_MAX = 500
WORDS_CHARS_MAX = 100
VALUE_CHARS_MAX = 300
RETRIED = frozenset({JobState.FAILED, JobState.DEAD, JobState.INTERRUPTED})
WORKING = frozenset({JobState.GRANTED, JobState.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    number: int
    pieces: tuple[Piece, ...]
    begins: str = ""
    """ "Try 2", before the first line of another attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    lines: tuple[Line, ...]
    total: int
    next_after: int
    attempt: int
    """Of the last line; 0 before there was one."""
    words: str = ""
    has_more: bool = False
    """There are later lines, which are fetched at once."""
    is_cut: bool = False
    """Earlier lines, or later hits, are not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A job, ready to be laid out."""

    card: JobCard
    worker: str
    owner: str
    why: str
    """Why it waits; empty when it does not."""
    asked: tuple[Asked, ...]
    way: Way
    headway: Headway | None
    outcome: Outcome | None
    inputs: tuple[tuple[str, str], ...]
    others: tuple[str, ...]
    """Computers that a waiting job could be given to."""
    siblings: int
    """How many jobs its task has."""
    change: str = ""
    """The page of what it changed, or shows of a change; empty when there is none."""
    findings: tuple[Finding, ...] = ()
    """Of a review, the worst first."""
    plan: PlanPart | None = None
    """How the plan of a task in plain words stands."""
    answer: AnswerPart | None = None
    """What such a plan ended with."""

    @property
    def may_retry(self) -> bool:
        return self.card.state in RETRIED

    @property
    def may_stop(self) -> bool:
        return not self.card.state.is_terminal and not self.card.job.life.cancel_by

    @property
    def seconds(self) -> float:
        """From the first word to the last."""
        return max(0.0, (self.card.updated_at - self.card.job.created_at).total_seconds())


async def shown(place: Setting, visitor: Visitor, card: JobCard) -> Shown:
    services = place.services
    views, now = services.views, place.environment.now()
    zone = await views.zone(visitor.person.person_id)
    workers = await views.workers(card.job.person_id)
    names = {worker.worker_id: worker.name for worker in workers}
    worker = await _worker_name(place, card, names)
    about = Facts(
        now=now,
        job_id=card.job_id,
        kind=card.kind,
        title=card.title,
        machine=worker,
        reader=visitor.person.name,
        zone=zone,
    )
    waiting = await views.why_waiting(card.job_id)
    steps = await views.steps(None, card.job_id)
    is_working = card.state in WORKING
    told = services.feed.progress_of(card.job_id)
    return Shown(
        card=card,
        worker=worker,
        owner=(await services.registry.person(card.job.person_id)).name,
        why=why_line(waiting, now, lambda at: figures.moment(at, now, zone)) if waiting else "",
        asked=await asked_of_job(place, visitor, card.job_id),
        way=way_of(steps, about, names, has_ended=card.state.is_terminal),
        headway=headway(card.job_id, told) if is_working else None,
        outcome=outcome_of(card, await services.files.of_job(card.job_id)),
        inputs=_inputs(place, card),
        others=tuple(w.name for w in workers if w.worker_id != card.job.pinned_to)
        if card.state is JobState.QUEUED
        else (),
        siblings=len(await views.jobs_of_task(card.job.task_id)),
        change=change_href(card),
        findings=findings_of(card),
        plan=await plan_part(place, card),
        answer=answer_part(card),
    )


async def _worker_name(place: Setting, card: JobCard, names: Mapping[WorkerId, str]) -> str:
    """The machine that has a job, had it last, or must run it; also one that was shown out."""
    worker_id = card.worker_id or card.job.pinned_to
    if card.state is JobState.QUEUED:
        worker_id = card.job.pinned_to
    if worker_id is None:
        return ""
    if worker_id in names:
        return names[worker_id]
    found = await place.services.views.worker(worker_id)
    return found.name if found else ""


def _inputs(place: Setting, card: JobCard) -> tuple[tuple[str, str], ...]:
    kind = place.services.intake.kinds.get(card.kind)
    if kind is None:
        return tuple((plain_line(k), _brief(str(v))) for k, v in card.inputs.items())
    fields = kind_form.filled(kind_form.fields_of(kind), card.inputs)
    told = [(field.label, "yes" if field.value == "on" else field.value) for field in fields]
    return tuple((label, _brief(value)) for label, value in told if value)


def _brief(value: str) -> str:
    found = FILE_OF_JOB.fullmatch(value)
    if found and found["full"]:
        return f"the file that #{short(found['full'])} wrote"
    return plain_line(value)[:VALUE_CHARS_MAX]


# The log.


async def log_of(place: Setting, card: JobCard, words: str = "") -> Log:
    """Read the end of a job's log, or the lines that say what is searched for."""
    words = re.sub(r"\s+", " ", words).strip()[:WORDS_CHARS_MAX]
    wanted = Stretch(limit=FOUND_MAX if words else TAIL_LINES, words=words, is_tail=not words)
    page = await place.services.views.log(None, card.job_id, wanted)
    first = page.lines[0].number if page.lines else 1
    return _log(page, words=words, is_cut=page.has_more if words else first > 1)


async def log_after(place: Setting, card: JobCard, after: int, attempt: int) -> Log:
    """Read the lines that came since."""
    wanted = Stretch(after=after, limit=LINES_PER_PAGE_MAX)
    page = await place.services.views.log(None, card.job_id, wanted)
    return _log(page, attempt=attempt)


def _log(page: LogPage, *, words: str = "", attempt: int = 0, is_cut: bool = False) -> Log:
    lines = []
    for line in page.lines:
        begins = ""
        if not words and attempt and line.attempt != attempt:
            begins = "Another try"
        attempt = line.attempt
        lines.append(_line(line, words, begins))
    return Log(
        lines=tuple(lines),
        total=page.total,
        next_after=page.looked_at,
        attempt=attempt,
        words=words,
        has_more=page.has_more,
        is_cut=is_cut,
    )


def _line(line: LogLine, words: str, begins: str) -> Line:
    return Line(number=line.number, pieces=tuple(pieces(line.text, words)), begins=begins)
