"""Numbers of tests, read from what test programs really print."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.code.counts import NUMBER_MAX, Counts, read_counts

OUTPUTS = {
    "pytest": ("==== 3 failed, 41 passed, 2 skipped, 1 error in 0.12s ====", Counts(41, 4)),
    "pytest_quiet": (".....\n5 passed in 0.01s\n", Counts(5, 0)),
    "pytest_warned": ("5 passed, 1 warning in 61.20s (0:01:01)", Counts(5, 0)),
    "pytest_colours": ("\x1b[32m\x1b[1m5 passed\x1b[0m\x1b[32m in 0.01s\x1b[0m", Counts(5, 0)),
    "unittest_good": ("Ran 5 tests in 0.001s\n\nOK\n", Counts(5, 0)),
    "unittest_bad": (
        "Ran 9 tests in 0.001s\n\nFAILED (failures=1, errors=2, skipped=1)",
        Counts(5, 3),
    ),
    "cargo": (
        "test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured\n"
        "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured",
        Counts(7, 1),
    ),
    "dotnet": ("Failed!  - Failed:     1, Passed:     5, Skipped:     0, Total: 6", Counts(5, 1)),
    "jest": ("Tests:       1 failed, 4 passed, 5 total\n", Counts(4, 1)),
    "vitest": (" Test Files  1 passed (1)\n      Tests  4 passed (4)\n", Counts(4, 0)),
    "mocha": ("  41 passing (2s)\n  1 failing\n", Counts(41, 1)),
    "node": ("# tests 6\n# pass 5\n# fail 1\n", Counts(5, 1)),
    "maven": (
        "Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.1 s -- in A\n"
        "[ERROR] Tests run: 9, Failures: 1, Errors: 1, Skipped: 2\n",
        Counts(5, 2),
    ),
    "rspec": ("5 examples, 1 failure, 1 pending", Counts(3, 1)),
    "minitest": ("5 runs, 7 assertions, 1 failures, 1 errors, 0 skips", Counts(3, 2)),
    "phpunit_good": ("OK (5 tests, 7 assertions)", Counts(5, 0)),
    "phpunit_bad": ("Tests: 5, Assertions: 7, Failures: 1, Errors: 1.", Counts(3, 2)),
    "ctest": ("80% tests passed, 1 tests failed out of 5", Counts(4, 1)),
    "gradle": ("5 tests completed, 1 failed", Counts(4, 1)),
    "go": ("--- PASS: TestA (0.00s)\n--- FAIL: TestB (0.00s)\nFAIL", Counts(1, 1)),
    "tap": ("TAP version 13\nok 1 - a\nnot ok 2 - b\n", Counts(1, 1)),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_numbers_of_each_usual_program_are_read(name: str) -> None:
    output, counts = OUTPUTS[name]

    assert read_counts(output) == counts


def test_the_last_word_counts_and_not_what_a_test_printed_before() -> None:
    assert read_counts("999 passed in 0.1s\n2 failed, 3 passed in 0.2s\n") == Counts(3, 2)


def test_numbers_that_nobody_has_are_none() -> None:
    assert read_counts(f"{NUMBER_MAX + 1} passed in 0.1s") is None
    assert read_counts("9" * 100_000 + " passed in 0.1s") is None


@given(st.text(alphabet="0123456789 passedfilro,.:()\n=#k-", max_size=2000))
def test_any_output_is_read_without_harm(output: str) -> None:
    counts = read_counts(output)

    assert counts is None or (counts.passed >= 0 and counts.failed >= 0)


def test_a_hostile_output_is_read_in_no_time() -> None:
    lines = ("1 passed " * 40 + "\n") * 10_000

    assert read_counts(lines) is None
