"""Counting tokens without a network: on the safe side, and quick whatever the text."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from desktop.core.llm.types import Message
from desktop.jobs.llm import tokens


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        # As o200k_base counts them.
        ("Do you pull the lever?", 6),
        ("The quick brown fox jumps over the lazy dog.", 10),
        ("Sphinx of black quartz, judge my vow.", 11),
        ("Würden Sie den Hebel ziehen?", 7),
    ],
)
def test_an_estimate_is_seldom_below_and_never_far_above(text: str, exact: int) -> None:
    assert 0.9 * exact <= tokens.of_text(text) <= 2.5 * exact


def test_nothing_is_nothing_and_each_message_has_marks_of_its_own() -> None:
    assert tokens.of_text("") == 0
    assert tokens.of_messages([Message("user", "")] * 3) == 3 * tokens.TOKENS_PER_MESSAGE


def test_a_megabyte_takes_no_time() -> None:
    began = time.process_time()
    assert tokens.of_text("lever " * 200_000) > 200_000
    assert time.process_time() - began < 2


PROGRAM = """
import socket
def closed(*a, **k): raise SystemExit("it wants a network")
socket.socket.connect = socket.getaddrinfo = closed
from desktop.jobs.llm import tokens
print(tokens.has_table(), tokens.of_text("Do you pull the lever?"))
"""


@pytest.mark.parametrize("table", [None, b"", b"IQ== 0\n"], ids=["none", "empty", "another"])
def test_a_table_that_is_not_the_right_one_is_not_used_and_none_is_fetched(
    tmp_path: Path, table: bytes | None
) -> None:
    if table is not None:
        (tmp_path / tokens.O200K).write_bytes(table)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "TIKTOKEN_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.stdout == "False 8\n", done.stderr
