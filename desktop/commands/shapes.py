"""What `--json` writes: stable names, times as RFC 3339 in UTC. docs/command-line.md lists them."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import JsonValue

from desktop.store.copied import Job, JobRow, QuestionRow
from desktop.store.copied_lines import LogLine
from desktop.store.schedules import ScheduleRow
from shared.errors import ErrorBody
from shared.ids import short
from shared.kinds import JsonObject


def of_job(row: JobRow) -> JsonObject:
    return {
        "id": row.job_id,
        "short": row.short_id,
        "task_id": row.task_id,
        "kind": row.kind,
        "title": row.title,
        "state": row.state.value,
        "machine": row.machine,
        "worker_id": row.worker_id,
        "attempt": row.attempt,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "started_at": moment(row.started_at),
        "ended_at": moment(row.ended_at),
        "headline": row.headline,
        "asks": row.asks,
        "error": of_error(row.error),
        "kept_here": row.is_kept,
        "hub_knows": row.is_told or not row.is_ours,
        "cancel_by": row.cancel_by,
        "replaced_by": row.replaced_by,
        "part_of": row.part_of,
    }


def of_schedule(row: ScheduleRow) -> JsonObject:
    facts = row.facts
    return {
        "id": row.schedule_id,
        "short": row.short,
        "words": facts.words,
        "when": facts.when,
        "cron": facts.cron,
        "zone": facts.zone,
        "missed": facts.missed,
        "is_paused": row.is_paused,
        "paused": facts.paused,
        "why": facts.why,
        "next_at": moment(facts.next_at),
        "last_at": moment(facts.last_at),
        "last_job_id": facts.last_job_id,
        "failures": facts.failures,
        "waits_for_hub": row.waiting or "",
    }


def of_whole_job(job: Job, questions: tuple[QuestionRow, ...]) -> JsonObject:
    return {
        **of_job(job.row),
        "text": job.text,
        "inputs": job.inputs,
        "result": job.result,
        "running_seconds": job.running_seconds,
        "questions": [of_question(question) for question in questions],
    }


def of_question(row: QuestionRow) -> JsonObject:
    choices: list[JsonValue] = [
        {"value": c.value, "label": c.label, "detail": c.detail} for c in row.asking.choices
    ]
    return {
        "id": row.question_id,
        "short": short(row.question_id),
        "job_id": row.job_id,
        "job": short(row.job_id),
        "kind": row.asking.kind.value,
        "text": row.asking.text,
        "choices": choices,
        "allow_text": row.asking.allow_text,
        "default": row.asking.default,
        "state": row.state,
        "asked_at": moment(row.asked_at),
        "expires_at": moment(row.expires_at),
        "value": row.value or row.given,
        "answered_by": row.answered_by,
        "given_here": row.given,
        "used_here": row.is_used,
        "second": {"value": row.second, "by": row.second_by} if row.second else None,
    }


def of_line(line: LogLine) -> JsonObject:
    return {
        "job_id": line.job_id,
        "job": short(line.job_id),
        "attempt": line.attempt,
        "number": line.number,
        "at": moment(line.at),
        "text": line.text,
    }


def of_error(error: ErrorBody | None) -> JsonObject | None:
    return error.model_dump(mode="json", include={"code", "message", "hint"}) if error else None


def moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None
