"""What came of a coding job, in lines for the person who waited."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from desktop.commands.jobs import result_lines
from desktop.store.copied import Job
from shared.jobs import JobState
from shared.kinds.code import CodeOutput, Finding
from shared.money import dollars

FILES_MAX = 20
_SIGNS = {"added": "+", "changed": "~", "deleted": "-", "renamed": ">"}


def lines(job: Job, *, is_stopped: bool) -> Iterator[str]:
    """Tell the end: what was found or changed, where it is, and how it is seen."""
    row = job.row
    if is_stopped and row.state is not JobState.SUCCEEDED:
        yield f"Stopped. #{row.short_id} is {row.state.value}."
        return
    yield from result_lines(job)
    if row.state is not JobState.SUCCEEDED or job.result is None:
        return
    try:
        told = CodeOutput.model_validate(job.result)
    except ValidationError:  # of a newer worker: what it says in words is said already
        return
    yield from _findings(told.findings)
    yield from _change(told)
    yield from _facts(told)
    if told.files_total:
        yield f"See it: deskhand diff {row.short_id}"


def _findings(findings: tuple[Finding, ...]) -> Iterator[str]:
    for one in findings:
        where = one.file if one.line is None else f"{one.file}:{one.line}"
        yield f"  {one.severity:<6}  {where}  {one.message}"


def _change(told: CodeOutput) -> Iterator[str]:
    for file in told.files_changed[:FILES_MAX]:
        size = "binary" if file.is_binary else f"+{file.added} -{file.removed}"
        yield f"  {_SIGNS[file.what]} {file.path}  {size}"
    left = told.files_total - min(FILES_MAX, len(told.files_changed))
    if left > 0:
        yield f"  … and {left} more"


def _facts(told: CodeOutput) -> Iterator[str]:
    if told.branch:
        pushed = "pushed" if told.is_pushed else "on this machine"
        yield f"Branch {told.branch} ({pushed})" + (f": {told.url}" if told.url else "")
    by = " with ".join(one for one in (told.agent, told.model) if one)
    tokens = told.usage.input_tokens + told.usage.output_tokens
    facts = [by, f"{tokens:,} tokens" if tokens else ""]
    facts += [dollars(told.cost_usd) if told.cost_usd is not None else ""]
    facts += [f"sandbox {told.sandbox}" if told.sandbox else ""]
    if any(facts):
        yield ", ".join(fact for fact in facts if fact) + "."
