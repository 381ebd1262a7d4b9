"""How ends of workers' lines are told apart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.core.line_counts import FRAME_CODES, SILENCES, LineCounts, LineEnd
from shared.errors import AppError, Conflict
from shared.protocol import ProtocolError

PROTOCOL = Path(__file__).parents[3] / "shared" / "protocol"
OF_WORKERS = {"ack_ahead", "not_welcomed", "welcome_twice", "worker_restored"}
"""What only a worker's end finds fault with."""


@pytest.mark.parametrize(
    ("error", "was_stopped", "is_ours", "end"),
    [
        (None, True, False, LineEnd.STOPPED),
        (None, False, False, LineEnd.LOST),
        (None, False, True, LineEnd.CLOSED),
        (Conflict("connection_replaced", "Again."), False, False, LineEnd.CLOSED),
        (ProtocolError("peer_silent", "Silent."), False, False, LineEnd.SILENT),
        (ProtocolError("hello_late", "Late."), False, False, LineEnd.SILENT),
        (ProtocolError("frame_malformed", "No JSON."), False, False, LineEnd.REJECTED),
    ],
)
def test_an_end_is_counted_as_what_it_was(
    error: AppError | None, was_stopped: bool, is_ours: bool, end: LineEnd
) -> None:
    counts = LineCounts()
    counts.note_end(error, was_stopped=was_stopped, is_ours=is_ours)
    assert counts.ends == {end: 1}
    assert counts.rejected.total() == (end is LineEnd.REJECTED)


def test_a_workers_own_code_never_becomes_a_name_of_ours() -> None:
    counts = LineCounts()
    said = AppError("made_up_by_a_worker", "It says so in its goodbye.")
    counts.note_end(said, was_stopped=False, is_ours=False)
    assert not counts.rejected


def test_every_code_of_the_protocol_is_known_beforehand() -> None:
    text = "".join(file.read_text() for file in PROTOCOL.glob("*.py"))
    codes = set(re.findall(r'ProtocolError\(\s*"([a-z_]+)"', text))
    assert codes == set(FRAME_CODES) | SILENCES | OF_WORKERS
