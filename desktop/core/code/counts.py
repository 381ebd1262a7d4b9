"""How many tests passed and failed, read from what a test program printed.

The text is a stranger's, and can say anything: the exit status decides whether the tests are good,
and the numbers are for people and for telling more from less. Only short lines near the end count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

OUTPUT_CHARS_MAX = 400_000
"""The end of the output that is read."""
LINE_CHARS_MAX = 400
NUMBER_MAX = 1_000_000
"""More tests than that nobody has; it is a lie, or no number of tests."""


@dataclass(frozen=True, slots=True)
class Counts:
    passed: int
    failed: int


_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_NUMBER = r"(\d{1,7})"


def read_counts(output: str) -> Counts | None:
    """Read the numbers of the program whose last word it is; None when none tells any."""
    lines = _lines(output)
    for reader in _READERS:
        if (found := reader(lines)) and max(found.passed, found.failed) <= NUMBER_MAX:
            return found
    return None


def _lines(output: str) -> list[str]:
    told = _COLOUR.sub("", output[-OUTPUT_CHARS_MAX:]).splitlines()
    return [line for line in told if len(line) <= LINE_CHARS_MAX]


def _last(pattern: re.Pattern[str], lines: Sequence[str]) -> re.Match[str] | None:
    return next((found for line in reversed(lines) if (found := pattern.search(line))), None)


def _every(pattern: re.Pattern[str], lines: Iterable[str]) -> list[re.Match[str]]:
    return [found for line in lines if (found := pattern.search(line))]


def _named(line: str, *names: str) -> int:
    """Add up the numbers before any of these words: "3 failed, 1 error"."""
    found = re.findall(rf"\b{_NUMBER} (?:{'|'.join(names)})\b", line)
    return sum(map(int, found))


_PYTEST = re.compile(r"\b\d{1,7} (?:passed|failed|errors?|skipped|xfailed)\b.* in [\d.]+ ?s")


def _pytest(lines: Sequence[str]) -> Counts | None:
    found = _last(_PYTEST, lines)
    if found is None:
        return None
    line = found.string
    return Counts(_named(line, "passed", "xpassed"), _named(line, "failed", "errors?"))


_RAN = re.compile(rf"^Ran {_NUMBER} tests? in ")
_UNITTEST_END = re.compile(r"^(?:OK|FAILED)(?: \((.*)\))?$")


def _unittest(lines: Sequence[str]) -> Counts | None:
    ran = _last(_RAN, lines)
    if ran is None:
        return None
    end = _last(_UNITTEST_END, lines)
    told = dict(re.findall(r"([a-z ]+)=(\d{1,7})", end[1] or "")) if end else {}
    numbers = {name.strip(): int(number) for name, number in told.items()}
    failed = sum(numbers.get(name, 0) for name in ("failures", "errors", "unexpected successes"))
    skipped = numbers.get("skipped", 0) + numbers.get("expected failures", 0)
    return Counts(max(0, int(ran[1]) - failed - skipped), failed)


_CARGO = re.compile(rf"^test result: \w+\. {_NUMBER} passed; {_NUMBER} failed;")
_DOTNET = re.compile(rf"Failed: +{_NUMBER}, Passed: +{_NUMBER}, Skipped: ")


def _sums(
    pattern: re.Pattern[str], passed: int, failed: int
) -> Callable[[Sequence[str]], Counts | None]:
    """Return a reader of programs that tell numbers several times, for one part each."""

    def read(lines: Sequence[str]) -> Counts | None:
        found = _every(pattern, lines)
        if not found:
            return None
        return Counts(
            sum(int(one[passed]) for one in found), sum(int(one[failed]) for one in found)
        )

    return read


_GO_PASS = re.compile(r"^\s*--- PASS: ")
_GO_FAIL = re.compile(r"^\s*--- FAIL: ")


def _go(lines: Sequence[str]) -> Counts | None:
    counts = Counts(len(_every(_GO_PASS, lines)), len(_every(_GO_FAIL, lines)))
    return counts if counts.passed + counts.failed else None


_JEST = re.compile(r"^\s*Tests:? +(?=.*\d+ (?:passed|failed))")


def _jest(lines: Sequence[str]) -> Counts | None:
    """Jest and vitest: "Tests:  1 failed, 4 passed, 5 total", "Tests  4 passed (4)"."""
    found = _last(_JEST, lines)
    if found is None:
        return None
    return Counts(_named(found.string, "passed"), _named(found.string, "failed"))


def _pair(good: str, bad: str) -> Callable[[Sequence[str]], Counts | None]:
    """Return a reader of programs that tell passed and failed on lines of their own."""
    of_good, of_bad = re.compile(good), re.compile(bad)

    def read(lines: Sequence[str]) -> Counts | None:
        passed, failed = _last(of_good, lines), _last(of_bad, lines)
        if passed is None and failed is None:
            return None
        return Counts(int(passed[1]) if passed else 0, int(failed[1]) if failed else 0)

    return read


_MAVEN = re.compile(
    rf"Tests run: {_NUMBER}, Failures: {_NUMBER}, Errors: {_NUMBER}, Skipped: {_NUMBER}\s*$"
)
_PHPUNIT_GOOD = re.compile(rf"^OK \({_NUMBER} tests?, ")
_PHPUNIT_BAD = re.compile(rf"^Tests: {_NUMBER}, Assertions: \d+")
_RSPEC = re.compile(rf"^{_NUMBER} examples?, {_NUMBER} failures?(?:, {_NUMBER} pending)?")
_MINITEST = re.compile(
    rf"^{_NUMBER} (?:runs|tests), \d+ assertions, {_NUMBER} failures, {_NUMBER} errors"
    rf"(?:, {_NUMBER} skips)?"
)
_CTEST = re.compile(rf"tests passed, {_NUMBER} tests failed out of {_NUMBER}")
_TAP_GOOD = re.compile(r"^ok \d+")
_TAP_BAD = re.compile(r"^not ok \d+")
_GRADLE = re.compile(rf"^{_NUMBER} tests completed, {_NUMBER} failed")


def _of_all(
    pattern: re.Pattern[str], all_of_them: int, failed: Sequence[int], skipped: int = 0
) -> Callable[[Sequence[str]], Counts | None]:
    """Return a reader of programs that tell how many ran, and how many of those failed."""

    def read(lines: Sequence[str]) -> Counts | None:
        found = _last(pattern, lines)
        if found is None:
            return None
        bad = sum(int(found[number] or 0) for number in failed)
        left_out = int(found[skipped] or 0) if skipped else 0
        return Counts(max(0, int(found[all_of_them]) - bad - left_out), bad)

    return read


def _phpunit(lines: Sequence[str]) -> Counts | None:
    if bad := _last(_PHPUNIT_BAD, lines):
        told = {name: int(number) for name, number in re.findall(r"(\w+): (\d{1,7})", bad.string)}
        failed = told.get("Failures", 0) + told.get("Errors", 0)
        return Counts(max(0, int(bad[1]) - failed - told.get("Skipped", 0)), failed)
    good = _last(_PHPUNIT_GOOD, lines)
    return Counts(int(good[1]), 0) if good else None


def _tap(lines: Sequence[str]) -> Counts | None:
    good, bad = len(_every(_TAP_GOOD, lines)), len(_every(_TAP_BAD, lines))
    return Counts(good, bad) if good + bad else None


_READERS: tuple[Callable[[Sequence[str]], Counts | None], ...] = (
    _pytest,
    _unittest,
    _sums(_CARGO, 1, 2),
    _sums(_DOTNET, 2, 1),
    _jest,
    _pair(rf"^\s*{_NUMBER} passing\b", rf"^\s*{_NUMBER} failing\b"),
    _pair(rf"^(?:#|ℹ) pass {_NUMBER}$", rf"^(?:#|ℹ) fail {_NUMBER}$"),
    _of_all(_MAVEN, 1, (2, 3), 4),
    _of_all(_RSPEC, 1, (2,), 3),
    _of_all(_MINITEST, 1, (2, 3), 4),
    _phpunit,
    _of_all(_CTEST, 2, (1,)),
    _of_all(_GRADLE, 1, (2,)),
    _go,
    _tap,
)
