"""What jobs that ask language models gave back, in lines for a chat; texts of models are quoted.

A model's reply is as foreign as any file: it is shown as plain text, and no button is made of it.
"""

from __future__ import annotations

from hub.core.view import Button
from hub.frontends.figures import count, plural
from shared.ids import is_uuid, short
from shared.kinds import Output
from shared.kinds.llm import (
    AskOutput,
    HealthLine,
    HealthOutput,
    ModelTally,
    RunFacts,
    RunOutput,
    RunsOutput,
    StatsOutput,
    TranscriptOutput,
)
from shared.money import dollars
from shared.plain_text import plain_line

RUNS_SHOWN_MAX = 20
MODELS_SHOWN_MAX = 30
LINES_SHOWN_MAX = 60
MARKS = {True: "✓", False: "⚠", None: "–"}


def told(output: Output) -> tuple[list[str], tuple[Button, ...]] | None:
    """Tell a result in lines, with what goes on from there; None when it is no such result."""
    lines_and_buttons = _told(output)
    if lines_and_buttons is None:
        return None
    lines, buttons = lines_and_buttons
    return [plain_line(line) for line in lines], buttons


def _told(output: Output) -> tuple[list[str], tuple[Button, ...]] | None:
    match output:
        case RunOutput():
            return _run(output)
        case StatsOutput():
            return _capped(output.table.splitlines()), _first_transcript(output.run)
        case AskOutput():
            return _ask(output), ()
        case RunsOutput():
            return _runs(output), ()
        case HealthOutput():
            return [_health(line) for line in output.lines], ()
        case TranscriptOutput():
            return _transcript(output), ()
        case _:
            return None


def _run(output: RunOutput) -> tuple[list[str], tuple[Button, ...]]:
    lines = [_model(model) for model in output.models[:MODELS_SHOWN_MAX]]
    if len(output.models) > MODELS_SHOWN_MAX:
        lines.append(f"and {count(len(output.models) - MODELS_SHOWN_MAX)} more")
    if output.faults:
        named = ", ".join(f"{name} {count(number)}" for name, number in output.faults.items())
        lines.append(f"Failed: {named}")
    return lines, (*_again(output), *_first_transcript(output.run))


def _again(output: RunOutput) -> tuple[Button, ...]:
    if not (output.failed and is_uuid(output.run)):
        return ()
    return (Button(label="Ask what failed again", says=f"/probe again={output.run}"),)


def _model(model: ModelTally) -> str:
    parts = [f"{count(model.answered)} answered"]
    parts += [f"{count(model.refused)} refused"] if model.refused else []
    parts += [f"{count(model.failed)} failed"] if model.failed else []
    parts += [dollars(model.cost_usd)] if model.cost_usd is not None else []
    return f"{model.model}: {', '.join(parts)}"


def _first_transcript(run: str) -> tuple[Button, ...]:
    # A button speaks with its person's voice, and the run's name is a worker's word.
    if not is_uuid(run):
        return ()
    return (Button(label="First transcript", says=f"/transcript {run} 0"),)


def _ask(output: AskOutput) -> list[str]:
    found = [f"{name}: {_value(value)}" for name, value in (output.found or {}).items()]
    text = [] if found else output.text.splitlines()
    model = output.model_reported or output.model
    cost = f", {dollars(output.cost_usd)}" if output.cost_usd is not None else ""
    return [*_capped([*found, *text]), f"({model}{cost})"]


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return "–" if value is None else str(value)


def _runs(output: RunsOutput) -> list[str]:
    lines = [
        _listed(number, run) for number, run in enumerate(output.runs[:RUNS_SHOWN_MAX], start=1)
    ]
    more = len(output.runs) - RUNS_SHOWN_MAX
    return lines if more <= 0 else [*lines, f"and {count(more)} more"]


def _listed(number: int, run: RunFacts) -> str:
    done = run.answered + run.refused + run.failed
    failed = f", {count(run.failed)} failed" if run.failed else ""
    cost = f", {dollars(run.cost_usd)}" if run.cost_usd is not None else ""
    models = plural(len(run.models), "model") if len(run.models) > 2 else ", ".join(run.models)
    return (
        f"{number}. #{short(run.run)} {run.name}: {count(done)} of {count(run.total)}{failed}"
        f"{cost} ({models})"
    )


def _health(line: HealthLine) -> str:
    return f"{MARKS[line.is_good]} {line.name}: {line.sentence}"


def _transcript(output: TranscriptOutput) -> list[str]:
    lines = []
    if output.preamble:
        lines += ["Preamble:", *_quoted(output.preamble)]
    for turn in output.turns:
        lines += ["Asked:", *_quoted(turn.asked), "Answered:", *_quoted(turn.answered)]
    if output.is_cut:
        lines.append("Texts are cut short here; the computer has them whole.")
    return lines


def _quoted(text: str) -> list[str]:
    return [f"  {line}" for line in text.splitlines()]


def _capped(lines: list[str]) -> list[str]:
    more = len(lines) - LINES_SHOWN_MAX
    return lines if more <= 0 else [*lines[:LINES_SHOWN_MAX], f"and {plural(more, 'more line')}"]
