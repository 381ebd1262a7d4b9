"""The line that tells how far a run is: what it says, and how it is drawn."""

from __future__ import annotations

import io

import pytest

from desktop.commands.printing import cells_of
from desktop.commands.probe_bar import Bar, Pace, Standing, duration, line

FULL = Standing(
    done=92, total=200, failed=5, refused=2,
    faults={"RATE_LIMIT": 2, "TIMEOUT": 1, "SERVER": 1, "NETWORK": 1},
    cost_usd=0.1234, left_seconds=40, note="stopping",
)  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_tells_all_that_matters() -> None:
    assert line(FULL) == (
        "92 of 200 · 46 % · 5 failed (RATE_LIMIT 2, TIMEOUT 1, SERVER 1, …) · 2 refused · $0.12"
        " · 40 s left · stopping"
    )
    assert line(Standing(done=1, total=3), 60).startswith("[######--------------]  1 of 3 · 33 %")


@pytest.mark.parametrize("width", [20, 40, 60, 80, 140])
def test_it_fits_the_terminal(width: int) -> None:
    assert cells_of(line(FULL, width)) <= width


def test_it_is_full_only_at_the_end() -> None:
    almost, all_of_it = Standing(done=999, total=1000), Standing(done=1000, total=1000)
    assert "99 %" in line(almost)
    assert "-]" in line(almost, 80)
    assert "[####################]" in line(all_of_it, 80)


def test_what_a_provider_calls_its_fault_shows_and_does_nothing_else() -> None:
    told = line(Standing(done=1, total=2, failed=1, faults={"\x1b[2J": 1}), 80)
    assert "\x1b" not in told


def test_on_a_terminal_a_line_is_drawn_over_the_last_one() -> None:
    stream = Terminal()
    bar = Bar(stream)
    bar.show(Standing(done=1, total=2, note="a long note"))
    bar.show(Standing(done=1, total=2))
    bar.clear()
    first, second, blank = stream.getvalue().split("\r")[1:4]
    assert len(second) == len(first), "nothing of the longer one is left"
    assert blank.strip() == ""
    assert "\n" not in stream.getvalue()


def test_without_a_terminal_it_is_told_at_each_tenth() -> None:
    stream = io.StringIO()
    bar = Bar(stream)
    for done in range(101):
        bar.show(Standing(done=done, total=100))
    assert len(stream.getvalue().splitlines()) == 11


def test_quiet_is_quiet() -> None:
    stream = Terminal()
    bar = Bar(stream, is_quiet=True)
    bar.show(FULL)
    bar.keep()
    assert stream.getvalue() == ""


def test_the_rest_is_foretold_by_the_pace_of_the_last_seconds() -> None:
    pace = Pace()
    assert pace.left_seconds(0, 100, 0.0) is None
    assert pace.left_seconds(5, 100, 1.0) is None, "too early"
    assert pace.left_seconds(10, 100, 10.0) == pytest.approx(90)
    assert pace.left_seconds(50, 100, 31.0) == pytest.approx(50 * 21 / 40)
    assert pace.left_seconds(100, 100, 32.0) is None


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (7500, "2 h 5 min")]
)
def test_durations_are_told_in_human_units(seconds: float, told: str) -> None:
    assert duration(seconds) == told
