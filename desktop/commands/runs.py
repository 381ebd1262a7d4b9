"""`deskhand runs` and `transcript`: what models were asked on this machine, and what they said."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from desktop.commands.deeds import ENVIRONMENT
from desktop.commands.printing import clock, say, say_json, say_table
from desktop.commands.probe_bar import duration
from desktop.commands.probe_ending import exported
from desktop.commands.worker import EXIT_OK
from desktop.core.llm.types import Turn
from desktop.jobs.llm.export import lines
from desktop.store.transcripts import opening, reading
from desktop.store.transcripts.records import Probe, Run
from desktop.system.paths import Paths
from shared.errors import AppError, BadInput
from shared.ids import short
from shared.kinds import JsonObject
from shared.money import dollars


def run(paths: Paths, options: argparse.Namespace) -> int:
    if options.command == "runs":
        return runs(paths, is_json=options.json)
    if options.export is not None:
        return export(paths, options)
    return transcript(paths, options.run, options.index, is_json=options.json)


def runs(paths: Paths, *, is_json: bool) -> int:
    """List them, the newest first."""
    try:
        with opening.reading(paths.data) as connection:
            found = reading.runs(connection)
    except AppError as error:
        if error.code != "no_runs":
            raise
        found = ()
    if is_json:
        say_json([_shape(one) for one in found])
    elif not found:
        say("No model was probed here yet. Begin with: deskhand probe FILE --models MODEL")
    else:
        _list(found)
    return EXIT_OK


def _list(found: tuple[Run, ...]) -> None:
    now = ENVIRONMENT.now()
    rows = [
        (
            str(number),
            short(one.run_id),
            one.name,
            f"{one.done:,} of {one.total:,}",
            f"{one.failed:,}",
            "" if one.cost_usd is None else dollars(one.cost_usd),
            ", ".join(one.models),
            clock(one.created_at, now),
        )
        for number, one in enumerate(found, start=1)
    ]
    heads = ("", "run", "name", "done", "failed", "cost", "models", "begun")
    say_table(heads, rows, wide=6)


def export(paths: Paths, options: argparse.Namespace) -> int:
    """Write all transcripts of a run, whether or not it has ended."""
    with opening.reading(paths.data) as connection:
        run_id = reading.run_named(connection, options.run)
    files = exported(paths, run_id, options.export, options.out)
    if options.json:
        say_json({"run": run_id, "exported": [str(file) for file in files]})
    else:
        for file in files:
            say(f"Exported: {file}")
    return EXIT_OK


def transcript(paths: Paths, name: str, index: int | None, *, is_json: bool) -> int:
    """Show one probe, whole.

    Raises:
        BadInput: `index_missing`.
    """
    if index is None:
        raise BadInput(
            "index_missing",
            "It is not said which probe of the run.",
            f"Name one, from 0 on: deskhand transcript {name[:60]} 0. All at once: --export jsonl",
        )
    with opening.reading(paths.data) as connection:
        run_id = reading.run_named(connection, name)
        found = reading.probe(connection, run_id, index)
    if is_json:
        say_json(_whole(found))
        return EXIT_OK
    for line in story(found):
        for one in line.splitlines() or [""]:
            say(one)
    return EXIT_OK


def story(found: Probe) -> Iterator[str]:
    """Tell a probe in the order in which it happened."""
    cell, end = found.cell, found.end
    repeat = f", repeat {cell.repeat + 1}" if cell.repeat else ""
    yield f"{cell.scenario} → {cell.model}{repeat}"
    if found.scenario.preamble:
        yield from _said(f"preamble, as {found.scenario.preamble_as}", found.scenario.preamble)
    for turn in found.turns:
        yield from _said("asked", turn.asked)
        yield from _said(f"answered ({_facts(turn)})", turn.reply.text)
    yield ""
    if end is None:
        yield "It has no end yet."
        return
    choice = f": {end.choice}" if end.choice else ""
    fault = f": {end.fault}, {end.message}" if end.fault else ""
    yield f"{end.state.value}{choice}{fault}"


def _said(who: str, text: str) -> Iterator[str]:
    yield ""
    yield f"── {who}"
    yield text


def _facts(turn: Turn) -> str:
    reply = turn.reply
    tokens = f"{reply.usage.input_tokens:,} + {reply.usage.output_tokens:,} tokens"
    about = "about " if reply.usage.is_estimated else ""
    took = f"{reply.total_ms:.0f} ms" if reply.total_ms < 10_000 else duration(reply.total_ms / 1e3)
    tries = f", {turn.attempts} tries" if turn.attempts > 1 else ""
    return f"{reply.model_reported}, {about}{tokens}, {took}, {reply.finish_reason}{tries}"


def _shape(one: Run) -> JsonObject:
    return {
        "run": one.run_id,
        "short": short(one.run_id),
        "name": one.name,
        "models": list(one.models),
        "repeats": one.repeats,
        "total": one.total,
        "answered": one.answered,
        "refused": one.refused,
        "failed": one.failed,
        "faults": dict(one.faults),
        "cost_usd": one.cost_usd,
        "created_at": one.created_at.isoformat(),
        "ended_at": one.ended_at.isoformat() if one.ended_at else None,
    }


def _whole(found: Probe) -> JsonObject:
    end = found.end
    return {
        "run": found.cell.run_id,
        "index": found.cell.index,
        "scenario": found.cell.scenario,
        "model": found.cell.model,
        "repeat": found.cell.repeat,
        "preamble": found.scenario.preamble,
        "state": end.state.value if end else "open",
        "choice": end.choice if end else "",
        "fault": end.fault if end else "",
        "message": end.message if end else "",
        "cost_usd": end.cost_usd if end else None,
        "turns": [lines.turn(turn) for turn in found.turns],
    }
