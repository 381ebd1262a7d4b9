"""What a pull request and a commit say: the task, questions and answers, tests, cost, files.

Only facts that the worker saw itself, and words of people; never what an agent claims it did.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from desktop.core.code.change import Change
from desktop.core.code.markdown_safe import (
    cut,
    safe_code,
    safe_commit_line,
    safe_line,
    safe_quote,
)
from shared.kinds.code import SuiteFacts
from shared.money import dollars
from shared.plain_text import plain_line
from shared.redaction import redact_text

TITLE_CHARS_MAX = 72
BODY_CHARS_MAX = 60_000
"""GitHub takes 65,536."""
TASK_CHARS_MAX = 4_000
WORDS_CHARS_MAX = 600
QUESTIONS_MAX = 30
FILES_MAX = 50
BEGIN, END = "<!-- deskhand begin -->", "<!-- deskhand end -->"
"""What stands between is replaced when the work is delivered again."""
_FIRST_SENTENCE = re.compile(r".+?[.!?](?=\s|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A question that was asked on the way, and what came of it."""

    question: str
    answer: str
    by: str = ""
    """"Anna, web"; empty when the default was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What there is to tell about a job."""

    title: str
    instructions: str
    change: Change
    job: str
    """The short id."""
    agent: str
    model: str = ""
    questions: Sequence[Told] = ()
    tests_before: SuiteFacts | None = None
    tests_after: SuiteFacts | None = None
    tokens: int = 0
    cost_usd: float | None = None
    minutes: float = 0.0
    notes: Sequence[str] = ()


def title_of(instructions: str) -> str:
    """Make a title of what was ordered: its first sentence, or as much of it as fits."""
    line = next((one for one in instructions.splitlines() if one.strip()), "")
    line = plain_line(line).strip(" #>*-\t")
    sentence = _FIRST_SENTENCE.match(line)
    short = sentence[0] if sentence and len(sentence[0]) <= TITLE_CHARS_MAX else line
    return _by_words(short.rstrip(".")) or "Work of Deskhand"


def _by_words(line: str) -> str:
    if len(line) <= TITLE_CHARS_MAX:
        return line
    short = line[: TITLE_CHARS_MAX - 1]
    return (short.rpartition(" ")[0] or short).rstrip(" ,;:") + "…"


def commit_message(work: Work) -> str:
    """Write the message of the one commit: title, body, trailers."""
    title = safe_commit_line(_by_words(plain_line(work.title)), TITLE_CHARS_MAX + 4)
    lines = [title or "Work of Deskhand", ""]
    task = cut(work.instructions.strip(), TASK_CHARS_MAX)
    if plain_line(task).strip() not in (work.title, f"{work.title}."):
        lines += [safe_commit_line(line, WORDS_CHARS_MAX) for line in task.split("\n")] + [""]
    told = f"{work.agent} ({work.model})" if work.model else work.agent
    lines += [f"Assisted-by: {plain_line(told)[:100]}", f"Deskhand-Job: {work.job}"]
    return "\n".join(lines) + "\n"


def pr_body(work: Work) -> str:
    """Write the description, in Markdown in which strangers' words do nothing."""
    told = "\n".join([BEGIN, *_sections(work)])
    if len(told) > BODY_CHARS_MAX:
        told = told[:BODY_CHARS_MAX].rpartition("\n")[0] + "\n\n…"
    return f"{told}\n{END}\n"


def merged(there: str, fresh: str) -> str | None:
    """Put a fresh description into the one that is there; None leaves it as it is.

    What people have written before and after ours stays. Whoever has taken our marks out has made
    the text their own.
    """
    before, begin, rest = there.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        return None if there.strip() else fresh
    return f"{before}{fresh.rstrip()}{after}"


def _sections(work: Work) -> Iterator[str]:
    yield from ("### Task", "", safe_quote(work.instructions, TASK_CHARS_MAX), "")
    if work.questions:
        yield from ("### Questions and answers", "", *_questions(work.questions), "")
    yield from ("### Tests", "", *_tests(work), "")
    yield from (f"### Files ({len(work.change.files)})", "", *_files(work.change), "")
    if notes := [*work.change.notes, *work.notes]:
        yield from (
            "### Notes",
            "",
            *(f"- {safe_line(note, WORDS_CHARS_MAX)}" for note in notes),
            "",
        )
    yield from ("---", _foot(work))


def _questions(questions: Sequence[Told]) -> Iterator[str]:
    for told in questions[:QUESTIONS_MAX]:
        by = safe_line(told.by, 80) or "nobody answered, the default was taken"
        yield f"- {safe_line(redact_text(told.question), WORDS_CHARS_MAX)}"
        yield f"  - **{safe_line(redact_text(told.answer), WORDS_CHARS_MAX)}** ({by})"
    if len(questions) > QUESTIONS_MAX:
        yield f"- and {len(questions) - QUESTIONS_MAX} more"


def _tests(work: Work) -> Iterator[str]:
    if work.tests_after is None or work.tests_after.is_good is None:
        yield "No tests were run."
        return
    if work.tests_after.command:
        yield f"{safe_code(work.tests_after.command, 200)}, run in the sandbox"
        yield ""
    for name, facts in (("before", work.tests_before), ("after", work.tests_after)):
        if facts is not None and facts.is_good is not None:
            yield f"- {name}: {_suite(facts)}"


def _suite(facts: SuiteFacts) -> str:
    said = "passed" if facts.is_good else "**failed**"
    counts = [
        f"{count:,} {word}"
        for count, word in ((facts.passed, "passed"), (facts.failed, "failed"))
        if count is not None
    ]
    return f"{said} ({', '.join([*counts, f'{facts.seconds:.1f} s'])})"


def _files(change: Change) -> Iterator[str]:
    for file in change.files[:FILES_MAX]:
        lines = "binary" if file.is_binary else f"+{file.added:,} −{file.removed:,}"
        was = f" (was {safe_code(file.old_path, 200)})" if file.old_path else ""
        yield f"- {safe_code(file.path, 200)}{was} {file.status.value}, {lines}"
    if len(change.files) > FILES_MAX:
        yield f"- and {len(change.files) - FILES_MAX:,} more"


def _foot(work: Work) -> str:
    parts = [f"Deskhand job {work.job}", f"agent {safe_line(work.agent, 60)}"]
    if work.model:
        parts.append(f"model {safe_code(work.model, 100)}")
    if work.tokens:
        parts.append(f"{work.tokens:,} tokens")
    if work.cost_usd is not None:
        parts.append(dollars(work.cost_usd))
    if work.minutes:
        parts.append(f"{work.minutes:.0f} min")
    return " · ".join(parts)
