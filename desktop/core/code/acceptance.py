"""Whether what an agent did is accepted: judged by the change and the tests, never by its word.

What is not accepted has reasons: the agent is told them for another round, the person in the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from desktop.core.code.change import ChangedFile
from desktop.core.code.file_sorts import is_doc, is_suite, is_test
from desktop.core.code.findings import Found
from desktop.core.code.work_kinds import Wants, WorkKind
from shared.kinds.code import SuiteFacts
from shared.unified_diff import FileStatus

NAMES_SHOWN_MAX = 3
NAME_CHARS_MAX = 200
ROUNDS_MAX = 3
"""How often an agent is told what is missing before the person is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the worker saw with its own eyes after a round."""

    files: Sequence[ChangedFile] = ()
    before: SuiteFacts | None = None
    """The tests as they were; None when none are known."""
    after: SuiteFacts | None = None
    found: Found | None = None
    """Of a review."""


@dataclass(frozen=True, slots=True)
class Verdict:
    reasons: tuple[str, ...] = ()
    """Why it is not accepted, the weightiest first; none when it is."""
    notes: tuple[str, ...] = ()
    """What the person should look at even so."""

    @property
    def is_accepted(self) -> bool:
        return not self.reasons


def judge(kind: WorkKind, seen: Seen) -> Verdict:
    """Hold what was seen against what the kind wants."""
    if not kind.changes:
        return _judge_review(seen)
    if not seen.files:
        return Verdict(("No file was changed.",))
    reasons = [*_about_files(kind, seen.files), *_about_tests(kind.wants, seen)]
    return Verdict(tuple(reasons), tuple(_notes(kind, seen)))


def _judge_review(seen: Seen) -> Verdict:
    found = seen.found or Found()
    reasons = []
    if not found.is_told or (found.faults and not found.findings):
        reasons.append(f"The findings cannot be used: {'; '.join(found.faults[:3])}.")
    notes = []
    if seen.files:
        notes.append(f"⚠ What it changed was thrown away: {_names(seen.files)}.")
    if found.findings and found.faults:
        notes.append(f"⚠ {len(found.faults)} further findings name no real place; left out.")
    return Verdict(tuple(reasons), tuple(notes))


def _about_files(kind: WorkKind, files: Sequence[ChangedFile]) -> Iterator[str]:
    if kind.is_docs_only:
        code = [file for file in files if not _is_doc_change(file)]
        if code:
            yield f"Only documentation may change, and this is none: {_names(code)}. Put it back."
    modules = [file for file in files if "160000" in (file.old_mode, file.new_mode)]
    if modules:
        yield f"A submodule may not change: {_names(modules)}. Put it back."


def _is_doc_change(file: ChangedFile) -> bool:
    is_named_so = is_doc(file.path) and (not file.old_path or is_doc(file.old_path))
    return is_named_so and not file.is_link and not file.is_mode_changed


def _about_tests(wants: Wants, seen: Seen) -> Iterator[str]:
    before, after = seen.before, seen.after
    if after is None or after.is_good is None:
        if wants is Wants.MORE:
            yield "No test was run, so no test can have been added."
        return
    if not after.is_good and (wants is not Wants.NOT_WORSE or before is None or before.is_good):
        yield _red(after)
    elif not after.is_good and _is_worse(before, after):
        yield f"More tests fail than before. {_red(after)}"
    if _passes_fewer(before, after):
        assert before is not None
        yield f"{after.passed} tests pass; before it were {before.passed}. None may go."
    if wants is Wants.MORE and not _passes_more(before, after):
        yield f"No more tests pass than before ({_told(after.passed)})."


def _red(after: SuiteFacts) -> str:
    if after.failed:
        noun = "test fails" if after.failed == 1 else "tests fail"
        return f"{after.failed:,} {noun}."
    return "The tests fail."


def _is_worse(before: SuiteFacts | None, after: SuiteFacts) -> bool:
    if before is None or before.failed is None or after.failed is None:
        return False
    return after.failed > before.failed


def _passes_fewer(before: SuiteFacts | None, after: SuiteFacts) -> bool:
    if before is None or before.passed is None or after.passed is None:
        return False
    return after.passed < before.passed


def _passes_more(before: SuiteFacts | None, after: SuiteFacts) -> bool:
    if after.passed is None:
        return False
    return after.passed > ((before.passed or 0) if before else 0)


def _notes(kind: WorkKind, seen: Seen) -> Iterator[str]:
    if seen.after is None or seen.after.is_good is None:
        yield "⚠ No tests were run: none were found."
    elif not seen.after.is_good:
        yield "⚠ Tests fail, as they did before."
    tests = [f for f in seen.files if is_test(f.path) and f.status is not FileStatus.ADDED]
    if kind.guards_tests and tests:
        yield f"⚠ It changed tests that were there: {_names(tests)}."
    suites = [file for file in seen.files if is_suite(file.path)]
    if suites:
        yield f"⚠ It changed how tests are run: {_names(suites)}."
    if kind.wants is Wants.MORE:
        others = [f for f in seen.files if not is_test(f.path) and not is_suite(f.path)]
        if others:
            yield f"⚠ It changed more than tests: {_names(others)}."
    if links := [file for file in seen.files if file.is_link]:
        yield f"⚠ It made symbolic links: {_names(links)}."


def _told(number: int | None) -> str:
    return "no number is known" if number is None else f"{number:,}"


def _names(files: Sequence[ChangedFile]) -> str:
    shown = ", ".join(file.path[:NAME_CHARS_MAX] for file in files[:NAMES_SHOWN_MAX])
    more = len(files) - NAMES_SHOWN_MAX
    return f"{shown} and {more:,} more" if more > 0 else shown
