"""What a person is shown of a run and of one probe, and that it fits a frame."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from desktop.core.llm import definition
from desktop.core.llm.scenarios import expand
from desktop.core.llm.types import CellEnd, CellState, Reply, Turn
from desktop.jobs.llm import transcript
from desktop.jobs.llm.keeping import transcripts_of
from desktop.store.transcripts import opening
from desktop.store.transcripts.records import NewRun
from shared.errors import NotFound
from shared.kinds.llm import RunsInputs, TranscriptInputs, UsageFacts
from tests.desktop.jobs.llm.room import Room, Speaker
from tests.desktop.store.transcripts.world import NOW, RUN

FRAME_BYTES = 64 * 1024


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(tmp_path, Speaker(lambda _model, _question: "A"))
    yield room
    await room.close()


async def keep(room: Room, *, preamble: str = "", turns: tuple[tuple[str, str], ...] = ()) -> None:
    kept = transcripts_of(room)
    read = definition.parse(
        {"name": "dilemmas", "preamble": preamble, "scenarios": [{"id": "lie", "prompt": "Lie?"}]}
    )
    await kept.make_run(
        NewRun(
            run_id=RUN,
            name=read.name,
            definition=definition.snapshot(read),
            sha256=definition.digest(read),
            scenarios=expand(read),
            models=("local:tiny",),
            at=NOW,
        )
    )
    for number, (asked, answered) in enumerate(turns):
        reply = Reply(
            text=answered,
            model_reported="tiny-1",
            finish_reason="stop",
            usage=UsageFacts(input_tokens=3),
            total_ms=5.0,
            prompt_sha256="0" * 64,
        )
        turn = Turn(number=number, asked=asked, reply=reply, attempts=1, at=NOW)
        await kept.save_turn(RUN, 0, turn)
    if turns:
        end = CellEnd(state=CellState.ANSWERED, choice="A", cost_usd=0.5)
        await kept.end_cell(RUN, 0, end)


async def test_a_probe_is_shown_turn_by_turn(room: Room) -> None:
    await keep(room, preamble="Be brief.", turns=(("Lie?", "A"), ("Why?", "So.")))

    shown = await transcript.run(room, TranscriptInputs(run=RUN, index=0))

    assert shown.headline == "lie, local:tiny: A."
    assert [(turn.asked, turn.answered) for turn in shown.turns] == [("Lie?", "A"), ("Why?", "So.")]
    assert (shown.preamble, shown.model_reported, shown.state) == (
        "Be brief.",
        "tiny-1",
        "answered",
    )
    assert not shown.is_cut


@pytest.mark.parametrize(
    "turns",
    [
        pytest.param((("x" * 90_000, "y" * 500_000),), id="long texts"),
        pytest.param((("\x00" * 90_000, "\U0001f642" * 90_000),), id="letters that grow in JSON"),
        pytest.param(tuple(("a" * 900, "b" * 900) for _ in range(51)), id="many turns"),
    ],
)
async def test_what_is_too_long_is_cut_until_it_fits(
    room: Room, turns: tuple[tuple[str, str], ...]
) -> None:
    await keep(room, turns=turns)

    shown = await transcript.run(room, TranscriptInputs(run="1", index=0))

    assert shown.is_cut
    assert len(shown.model_dump_json().encode()) < FRAME_BYTES
    assert shown.turns


async def test_a_probe_that_is_open_is_told_so(room: Room) -> None:
    await keep(room)

    shown = await transcript.run(room, TranscriptInputs())

    assert shown.headline == "lie, local:tiny: not answered yet."
    assert (shown.state, shown.turns) == ("open", ())


async def test_runs_are_listed_with_their_counts(room: Room) -> None:
    await keep(room, turns=(("Lie?", "A"),))

    listed = await transcript.runs(room, RunsInputs())

    assert listed.headline == "1 run of probes on this machine."
    assert listed.notes == ("1. Dilemmas: 1 of 1 answered, $0.50.",)
    (one,) = listed.runs
    assert (one.run, one.total, one.answered, one.cost_usd) == (RUN, 1, 1, 0.5)
    assert one.created_at == "2026-11-21T12:00:00Z"


async def test_without_runs_and_after_damage_that_is_said(room: Room) -> None:
    (room.data_folder / opening.FILE_NAME).write_bytes(b"no database at all" * 100)
    kept = transcripts_of(room)
    with pytest.raises(NotFound):
        await kept.run(RUN)

    listed = await transcript.runs(room, RunsInputs())

    assert listed.headline == "No model was probed on this machine yet."
    assert any("set aside" in note for note in listed.notes)
    with pytest.raises(NotFound):
        await transcript.run(room, TranscriptInputs(run="1"))
