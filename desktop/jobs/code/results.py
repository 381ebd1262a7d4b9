"""What a coding job comes to, as a person reads it and as programs do."""

from __future__ import annotations

from collections.abc import Iterator

from desktop.core.code.change import Change
from desktop.core.code.fitting import fitting_work
from desktop.core.code.work_wording import (
    SUMMARY_CHARS_MAX,
    change_line,
    cost_line,
    file_lines,
    finding_lines,
    findings_line,
    tests_line,
)
from desktop.jobs.code.approving import Decision, facts_for
from desktop.jobs.code.bench import Bench
from shared.kinds.code import CodeOutput
from shared.plain_text import plain_line

QUESTION_CHARS_MAX = 160
ANSWER_CHARS_MAX = 120


def output_of(bench: Bench, change: Change, decision: Decision) -> CodeOutput:
    """Tell all of it that an event carries."""
    return fitting_work(_whole(bench, change, decision))


def _whole(bench: Bench, change: Change, decision: Decision) -> CodeOutput:
    now, order = bench.state.now, bench.order
    facts = facts_for(bench, change)
    is_there = bool(change.files) and decision is not Decision.DISCARD
    return CodeOutput(
        headline=_headline(bench, change, decision),
        notes=tuple(_notes(bench, change)),
        repository=order.repository,
        base=now.base,
        branch=now.branch if is_there else "",
        commit=now.commit if is_there else "",
        is_pushed=now.is_pushed,
        url=now.url,
        agent=order.profile.name,
        model=order.model.full_name,
        level=order.level,
        files_changed=facts.files,
        files_total=facts.files_total,
        added=facts.added,
        removed=facts.removed,
        tests_before=now.before,
        tests_after=now.after,
        findings=now.findings,
        questions=sum(not one.is_default for one in now.said),
        usage=now.spent.usage,
        cost_usd=now.spent.cost_usd_known,
        seconds=round(now.spent.seconds, 1),
        sandbox=bench.sandbox.name,
    )


def _headline(bench: Bench, change: Change, decision: Decision) -> str:
    now = bench.state.now
    facts = facts_for(bench, change)
    if not bench.order.kind.changes:
        return findings_line(facts, now.findings)
    told = f"{change_line(facts)}, {tests_line(facts.before, facts.after)}."
    place = bench.depot.place.target.shown
    match decision:
        case Decision.DISCARD:
            return f"{facts.job} was discarded: {told}"
        case Decision.KEEP:
            return f"{facts.job} is done: {told} It stays on this machine as `{now.branch}`."
        case Decision.OPEN if now.url:
            return f"{facts.job} is done: {told} Pull request: {now.url}"
        case _:
            return f"{facts.job} is done: {told} Pushed `{now.branch}` to {place}."


def _notes(bench: Bench, change: Change) -> Iterator[str]:
    now = bench.state.now
    yield from now.notes
    for said in now.said:
        if said.is_default:
            asked = plain_line(said.question)[:QUESTION_CHARS_MAX]
            yield f"⚠ Nobody answered in time: {asked} Taken: {said.answer[:ANSWER_CHARS_MAX]}."
    if bench.order.kind.changes:
        facts = facts_for(bench, change)
        yield from file_lines(facts.files, facts.files_total)
    else:
        yield from finding_lines(now.findings)
    if now.summary.strip() and bench.order.kind.changes:
        yield f"The agent says: {plain_line(now.summary).strip()[:SUMMARY_CHARS_MAX]}"
    if not bench.sandbox.is_isolating:
        yield f"⚠ It worked without a sandbox. {bench.sandbox.why}"
    yield from bench.notes
    yield cost_line(now.spent, bench.order.model.full_name)
