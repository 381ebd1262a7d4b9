"""What is accepted is decided by the change and the tests."""

from __future__ import annotations

import pytest

from desktop.core.code.acceptance import Seen, judge
from desktop.core.code.change import MODE_LINK, ChangedFile
from desktop.core.code.findings import Found
from desktop.core.code.work_kinds import WORK_KINDS
from shared.kinds.code import Finding, SuiteFacts
from shared.questions import TEXT_CHARS_MAX
from shared.unified_diff import FileStatus


def file(path: str, status: FileStatus = FileStatus.CHANGED, **more: str) -> ChangedFile:
    return ChangedFile(path=path, status=status, added=1, **more)  # type: ignore[arg-type]


def suite(passed: int | None, failed: int | None, *, good: bool | None = None) -> SuiteFacts:
    is_good = good if good is not None else failed == 0
    return SuiteFacts(command="t", is_good=is_good, passed=passed, failed=failed)


CODE = (file("shop/a.py"),)
TESTS = (file("tests/test_a.py", FileStatus.ADDED),)
DOCS = (file("docs/a.md"),)
NONE = SuiteFacts()

ACCEPTED = {
    "bugfix_red_to_green": ("bugfix", CODE, suite(38, 3), suite(41, 0)),
    "bugfix_green_to_green": ("bugfix", CODE, suite(38, 0), suite(39, 0)),
    "bugfix_without_any_tests": ("bugfix", CODE, NONE, NONE),
    "bugfix_without_numbers": (
        "bugfix",
        CODE,
        suite(None, None, good=False),
        suite(None, None, good=True),
    ),
    "feature_not_worse": ("feature", CODE, suite(38, 3), suite(38, 3)),
    "feature_better": ("feature", CODE, suite(38, 0), suite(40, 0)),
    "refactor_as_green": ("refactor", CODE, suite(38, 0), suite(38, 0)),
    "more_tests": ("test", TESTS, suite(38, 0), suite(40, 0)),
    "first_tests": ("test", TESTS, NONE, suite(2, 0)),
    "docs": ("docs", DOCS, suite(38, 0), suite(38, 0)),
    "docs_beside_red_tests": ("docs", DOCS, suite(38, 1), suite(38, 1)),
}
REFUSED = {
    "claim_without_a_diff": ("bugfix", (), suite(38, 3), suite(41, 0), "No file was changed"),
    "bugfix_still_red": ("bugfix", CODE, suite(38, 3), suite(40, 1), "1 test fails."),
    "bugfix_red_without_numbers": (
        "bugfix",
        CODE,
        suite(None, None, good=False),
        suite(None, None, good=False),
        "The tests fail.",
    ),
    "good_numbers_with_a_bad_exit": (
        "bugfix",
        CODE,
        suite(38, 3),
        suite(999, 0, good=False),
        "The tests fail.",
    ),
    "red_tests_deleted": ("bugfix", CODE, suite(38, 3), suite(37, 0), "37 tests pass"),
    "feature_breaks_a_test": ("feature", CODE, suite(38, 0), suite(38, 1), "1 test fails."),
    "feature_breaks_another": ("feature", CODE, suite(38, 3), suite(38, 4), "More tests fail"),
    "feature_without_a_before": ("feature", CODE, None, suite(1, 1), "1 test fails."),
    "refactor_loses_a_test": ("refactor", CODE, suite(38, 0), suite(37, 0), "None may go"),
    "no_more_tests": ("test", TESTS, suite(38, 0), suite(38, 0), "No more tests pass"),
    "more_tests_never_run": ("test", TESTS, NONE, NONE, "No test was run"),
    "more_tests_and_one_red": ("test", TESTS, suite(38, 0), suite(40, 1), "1 test fails."),
    "more_tests_uncounted": (
        "test",
        TESTS,
        suite(3, 0),
        suite(None, None, good=True),
        "no number is known",
    ),
    "docs_touch_code": ("docs", (*DOCS, *CODE), suite(1, 0), suite(1, 0), "shop/a.py"),
    "docs_that_link": (
        "docs",
        (file("docs/a.md", new_mode=MODE_LINK),),
        suite(1, 0),
        suite(1, 0),
        "docs/a.md",
    ),
    "docs_moved_from_code": (
        "docs",
        (file("docs/a.md", FileStatus.RENAMED, old_path="a.py"),),
        suite(1, 0),
        suite(1, 0),
        "docs/a.md",
    ),
    "a_submodule": (
        "feature",
        (file("vendor", new_mode="160000"),),
        suite(1, 0),
        suite(1, 0),
        "submodule",
    ),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_work_that_holds_is_accepted(name: str) -> None:
    kind, files, before, after = ACCEPTED[name]

    verdict = judge(WORK_KINDS[f"code.{kind}"], Seen(files=files, before=before, after=after))

    assert verdict.reasons == ()


@pytest.mark.parametrize("name", REFUSED)
def test_work_that_does_not_hold_is_refused_with_its_reason(name: str) -> None:
    kind, files, before, after, words = REFUSED[name]

    verdict = judge(WORK_KINDS[f"code.{kind}"], Seen(files=files, before=before, after=after))

    assert not verdict.is_accepted
    assert any(words in reason for reason in verdict.reasons), verdict.reasons


def test_a_review_needs_findings_that_can_be_used() -> None:
    review = WORK_KINDS["code.review"]
    finding = Finding(file="a.py", line=1, message="m")

    assert judge(review, Seen(found=Found((finding,), is_told=True))).is_accepted
    assert judge(review, Seen(found=Found(is_told=True))).is_accepted
    assert not judge(review, Seen(found=Found(faults=("no JSON",)))).is_accepted
    assert not judge(review, Seen(found=Found(faults=("no file",), is_told=True))).is_accepted
    assert not judge(review, Seen()).is_accepted


def test_a_review_that_changed_something_says_that_it_was_thrown_away() -> None:
    verdict = judge(WORK_KINDS["code.review"], Seen(files=CODE, found=Found(is_told=True)))

    assert "thrown away: shop/a.py" in verdict.notes[0]


NOTED = {
    "tests_bent": ("bugfix", (*CODE, file("tests/test_a.py")), "changed tests that were there"),
    "suite_bent": ("feature", (*CODE, file("conftest.py")), "changed how tests are run"),
    "more_than_tests": ("test", (*TESTS, *CODE), "more than tests: shop/a.py"),
    "link": ("feature", (file("a", new_mode=MODE_LINK),), "symbolic links"),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_is_worth_a_look_is_said_beside_an_accepted_change(name: str) -> None:
    kind, files, words = NOTED[name]
    seen = Seen(files=files, before=suite(1, 0), after=suite(2, 0))

    verdict = judge(WORK_KINDS[f"code.{kind}"], seen)

    assert verdict.is_accepted
    assert any(words in note for note in verdict.notes)


def test_names_as_long_as_a_disk_takes_leave_room_for_a_question() -> None:
    files = tuple(file(f"{number}{'/x' * 2000}") for number in range(9))

    verdict = judge(
        WORK_KINDS["code.docs"], Seen(files=files, before=suite(9, 0), after=suite(1, 8))
    )

    assert sum(map(len, verdict.reasons)) < TEXT_CHARS_MAX / 2
