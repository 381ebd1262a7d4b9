"""llm.transcript: what was said in one probe. llm.runs: the runs of this machine.

They only read: an answer travels because a person asked for it, cut so that it fits a frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from desktop.core.llm.types import CellState, Turn
from desktop.jobs import wording
from desktop.jobs.context import SharedContext
from desktop.jobs.llm import run_words
from desktop.store.transcripts import opening, reading
from desktop.store.transcripts.records import Probe, Run
from shared.errors import NotFound
from shared.kinds.llm import (
    RunsInputs,
    RunsOutput,
    TranscriptInputs,
    TranscriptOutput,
    TurnFacts,
)

T = TypeVar("T")

RESULT_BYTES_MAX = 60 * 1024
"""A result has to fit an event of 64 KiB; names and figures need the rest."""
RUNS_SHOWN_MAX = 50
TEXT_CHARS_MIN = 100
"""A text that is shorter than this is never cut."""
MORE = " … [cut]"


async def run(context: SharedContext, inputs: TranscriptInputs) -> TranscriptOutput:
    """Show one probe of a run.

    Raises:
        NotFound: `no_runs`, `run_unknown`, `cell_unknown`.
    """
    probe = await asyncio.to_thread(_probe, context.data_folder, inputs)
    whole = _output(probe, None)
    size = _size(whole)
    if size <= RESULT_BYTES_MAX:
        return whole
    return _fitting(probe)


async def runs(context: SharedContext, inputs: RunsInputs) -> RunsOutput:
    """List the newest runs of this machine."""
    del inputs
    folder = context.data_folder
    aside = await asyncio.to_thread(opening.set_aside, folder)
    notes = tuple(
        f"⚠ Transcripts were damaged and set aside: {name}. Earlier runs are in it."
        for name in aside
    )
    try:
        found = await asyncio.to_thread(_runs, folder)
    except NotFound as error:
        return RunsOutput(headline=error.message, notes=(error.hint, *notes))
    lines = tuple(f"{n}. {run_words.headline(run)}" for n, run in enumerate(found[:10], start=1))
    return RunsOutput(
        headline=f"{wording.count(len(found), 'run')} of probes on this machine.",
        notes=(*lines, *notes),
        runs=tuple(map(run_words.facts, found)),
    )


def _runs(folder: Path) -> tuple[Run, ...]:
    with opening.reading(folder) as connection:
        found = reading.runs(connection, count_max=RUNS_SHOWN_MAX)
    if not found:
        raise opening.no_runs()
    return found


def _probe(folder: Path, inputs: TranscriptInputs) -> Probe:
    with opening.reading(folder) as connection:
        return reading.probe(connection, reading.run_named(connection, inputs.run), inputs.index)


def _output(probe: Probe, chars_max: int | None) -> TranscriptOutput:
    """Tell a probe; texts longer than `chars_max` are cut."""
    cut = _cut_at(chars_max)
    end, cell = probe.end, probe.cell
    state = end.state if end is not None else CellState.OPEN
    texts = [probe.scenario.preamble]
    texts += [text for turn in probe.turns for text in (turn.asked, turn.reply.text)]
    return TranscriptOutput(
        headline=_headline(probe),
        notes=(end.message,) if end is not None and end.message else (),
        run=cell.run_id,
        index=cell.index,
        scenario=cell.scenario,
        model=cell.model,
        model_reported=probe.turns[-1].reply.model_reported if probe.turns else "",
        preamble=cut(probe.scenario.preamble),
        state=state.value,
        choice=end.choice if end is not None else "",
        turns=tuple(_turn(turn, cut) for turn in probe.turns),
        is_cut=any(cut(text) != text for text in texts),
    )


def _headline(probe: Probe) -> str:
    cell, end = probe.cell, probe.end
    told = f"{cell.scenario}, {cell.model}"
    if end is None:
        return f"{told}: not answered yet."
    if end.state == CellState.FAILED:
        return f"{told}: failed ({run_words.spoken(end.fault)})."
    return f"{told}: {end.choice or end.state.value}."


def _turn(turn: Turn, cut: Callable[[str], str]) -> TurnFacts:
    return TurnFacts(
        asked=cut(turn.asked),
        answered=cut(turn.reply.text),
        finish_reason=turn.reply.finish_reason,
        first_token_ms=turn.reply.first_token_ms,
        total_ms=turn.reply.total_ms,
        usage=turn.reply.usage,
    )


def _cut_at(chars_max: int | None) -> Callable[[str], str]:
    def cut(text: str) -> str:
        if chars_max is None or len(text) <= chars_max:
            return text
        return text[: chars_max - len(MORE)] + MORE

    return cut


def _fitting(probe: Probe) -> TranscriptOutput:
    """Cut all texts at the same length, the largest with which the whole fits.

    With hundreds of turns even the shortest texts are too many: then the first turns stand alone.
    """
    low, high = TEXT_CHARS_MIN, RESULT_BYTES_MAX
    while low < high:
        middle = (low + high + 1) // 2
        if _size(_output(probe, middle)) <= RESULT_BYTES_MAX:
            low = middle
        else:
            high = middle - 1
    fitting = _output(probe, low)
    while _size(fitting) > RESULT_BYTES_MAX:
        turns = fitting.turns[: len(fitting.turns) * 9 // 10]
        fitting = fitting.model_copy(update={"turns": turns, "is_cut": True})
    return fitting


def _size(output: TranscriptOutput) -> int:
    return len(output.model_dump_json().encode())
