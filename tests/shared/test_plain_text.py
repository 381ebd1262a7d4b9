"""What others wrote shows on a screen and in a log, and does nothing else there."""

from __future__ import annotations

import io
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from shared.logs import configure
from shared.plain_text import escaped, plain, plain_line

ACTING = "\x1b[31m \x9b2J \x07 \r \x00 \x7f \u202e \u2066 \u200f \u200b \ud800 \U000e0041"


def test_nothing_that_acts_gets_through() -> None:
    for told in (plain(ACTING), plain_line(ACTING), escaped(ACTING)):
        told.encode()
        assert not set(told) & set(ACTING) - set("[31m2J ")


@given(st.text())
def test_any_text_becomes_one_printable_line(text: str) -> None:
    for told in (plain_line(text), escaped(text)):
        assert len(told.splitlines()) <= 1
        assert "\x1b" not in told


@pytest.mark.parametrize("text", ["Umsatz für März", "数据.csv", "نص.csv", "👩‍💻 ok\n\tindented"])
def test_ordinary_text_of_any_script_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize("json_lines", [True, False])
def test_nobody_can_write_a_line_of_the_log_or_steer_its_terminal(json_lines: bool) -> None:
    before = logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    try:
        configure(json_lines=json_lines, stream=stream)
        forged = "x\n2026-01-01 [info] all is well\x1b[2J\u202e"
        structlog.get_logger("test").warning("worker_fault", code=forged)
        logging.getLogger("foreign").warning("said %s", forged)
    finally:
        logging.getLogger().handlers[:], level = before
        logging.getLogger().setLevel(level)
    written = stream.getvalue()
    assert len(written.splitlines()) == 2
    assert "\x1b" not in written
    assert "\u202e" not in written
    assert "all is well" in written
