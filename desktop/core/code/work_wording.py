"""How work and its results are told: short enough for a phone, plain about what is not done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from desktop.core.code.budget import Spent
from desktop.core.code.work_kinds import WorkKind
from shared.kinds.code import FileFacts, Finding, Level, SuiteFacts
from shared.money import dollars
from shared.plain_text import plain_line

FILES_TOLD_MAX = 8
SUMMARY_CHARS_MAX = 600
_MARKS = {"added": "new, ", "deleted": "gone, ", "renamed": "moved, ", "changed": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What there is to tell of a change."""

    kind: WorkKind
    short: str
    """The job's short id."""
    files: Sequence[FileFacts] = ()
    files_total: int = 0
    added: int = 0
    removed: int = 0
    before: SuiteFacts | None = None
    after: SuiteFacts | None = None

    @property
    def job(self) -> str:
        return f"{self.kind.noun} #{self.short}"


def change_line(facts: Facts) -> str:
    """Tell a change's size: "2 files, +14 −3"."""
    noun = "file" if facts.files_total == 1 else "files"
    return f"{facts.files_total:,} {noun}, +{facts.added:,} −{facts.removed:,}"


def tests_line(before: SuiteFacts | None, after: SuiteFacts | None) -> str:
    """Tell how the tests went: "tests 41 passed (3 were red)"."""
    if after is None or after.is_good is None:
        return "no tests were run"
    numbers = []
    if after.passed is not None:
        numbers.append(f"{after.passed:,} passed")
    if after.failed:
        numbers.append(f"{after.failed:,} failed")
    if not numbers:
        numbers.append("passed" if after.is_good else "failed")
    elif not after.is_good and not after.failed:
        numbers.append("and still ended badly")
    return f"tests {', '.join(numbers)}{_before(before, after)}"


def _before(before: SuiteFacts | None, after: SuiteFacts) -> str:
    if before is None or before.is_good is None:
        return ""
    if before.failed:
        were = "was" if before.failed == 1 else "were"
        return f" ({before.failed:,} {were} red)"
    if not before.is_good:
        return " (they were red)"
    if before.passed is not None and after.passed is not None and after.passed > before.passed:
        return f" ({after.passed - before.passed:,} new)"
    return ""


def done_line(facts: Facts, sandbox: str) -> str:
    """Tell that something is done, before it is decided what becomes of it."""
    place = "in its sandbox" if sandbox else "without a sandbox"
    tests = tests_line(facts.before, facts.after)
    return f"{facts.job} is done {place}: {change_line(facts)}, {tests}."


def wish_line(branch: str, place: str, *, opens: bool) -> str:
    """Tell what the worker wants to do with it."""
    more = " and open a pull request" if opens else ""
    return f"It wants to push `{branch}` to {place}{more}."


def file_lines(files: Sequence[FileFacts], total: int) -> Iterator[str]:
    """List files as a phone shows them: "shop/hours.py (+3 −1)"."""
    for file in files[:FILES_TOLD_MAX]:
        size = "binary" if file.is_binary else f"+{file.added:,} −{file.removed:,}"
        yield f"{file.path} ({_MARKS[file.what]}{size})"
    if total > FILES_TOLD_MAX:
        yield f"and {total - FILES_TOLD_MAX:,} more"


def findings_line(facts: Facts, findings: Sequence[Finding]) -> str:
    """Tell what a review came to: "review #K7Q2: 3 findings, 1 of them high"."""
    if not findings:
        return f"{facts.job} found nothing wrong."
    noun = "finding" if len(findings) == 1 else "findings"
    high = sum(one.severity == "high" for one in findings)
    worst = f", {high:,} of them high" if high else ""
    return f"{facts.job}: {len(findings):,} {noun}{worst}."


def finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    for one in findings[:FILES_TOLD_MAX]:
        place = f"{one.file}:{one.line}" if one.line else one.file
        yield f"{one.severity}: {place}: {plain_line(one.message)[:200]}"
    if len(findings) > FILES_TOLD_MAX:
        yield f"and {len(findings) - FILES_TOLD_MAX:,} more"


def cost_line(spent: Spent, model: str) -> str:
    """Tell what it took: "12,300 tokens of openai:gpt-5-mini, $0.02, 3 minutes"."""
    cost = spent.cost_usd_known
    parts = [f"{spent.tokens:,} tokens of {model}" if model else f"{spent.tokens:,} tokens"]
    if cost:
        parts.append(dollars(cost))
    parts.append(duration(spent.seconds))
    return f"{', '.join(parts)}."


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60):,} minutes"


def level_note(asked: Level, given: Level) -> str:
    """Tell that the owner's rules made a job ask more."""
    names = {
        Level.AUTONOMOUS: "autonomous",
        Level.SUPERVISED: "supervised",
        Level.HUMAN_REQUIRED: "human_required",
    }
    return (
        f"It was asked for as {names[asked]}; the owner of this machine allows {names[given]} "
        "from where it was asked for."
    )
