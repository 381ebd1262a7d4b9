"""What is said of runs and probes: counts, costs, states."""

from __future__ import annotations

from desktop.core.llm.types import CellState, Turn
from desktop.desk.runs import CellFacts, Run
from desktop.gui.language import tr, trn
from desktop.gui.times import duration
from shared.money import dollars
from shared.plain_text import plain_line


def cost(usd: float | None) -> str:
    """Write a sum; a dash for none."""
    return "–" if usd is None else dollars(usd)


def how_far(run: Run) -> str:
    """Say how far a run is, in a line: "196 of 200, 3 refused, 1 failed"."""
    told = [tr("{done} of {total}").format(done=f"{run.done:,}", total=f"{run.total:,}")]
    if run.refused:
        told.append(tr("{count} refused").format(count=f"{run.refused:,}"))
    if run.failed:
        told.append(tr("{count} failed").format(count=f"{run.failed:,}"))
    return ", ".join(told)


def spent(run: Run) -> str:
    """Say what a run cost, so far or in all; nothing when no price is known."""
    if run.cost_usd is None:
        return ""
    words = tr("{cost} in all") if run.done >= run.total else tr("{cost} so far")
    return words.format(cost=cost(run.cost_usd))


def faults(run: Run) -> str:
    """List failed probes by class: "RATE LIMIT 3, TIMEOUT 1"."""
    return ", ".join(
        f"{plain_line(fault).replace('_', ' ')} {count:,}" for fault, count in run.faults.items()
    )


def models(run: Run) -> str:
    shown = ", ".join(plain_line(name) for name in run.models[:2])
    more = len(run.models) - 2
    return shown if more <= 0 else trn("{names} and {count} more", "{names} and {count} more",
                                       more).replace("{names}", shown)  # fmt: skip


def state_word(state: CellState) -> str:
    words = {
        CellState.OPEN: tr("Open"),
        CellState.ANSWERED: tr("Answered"),
        CellState.REFUSED: tr("Refused"),
        CellState.FAILED: tr("Failed"),
    }
    return words[state]


def state_color(state: CellState) -> str:
    """Name the colour that goes with a state."""
    colors = {
        CellState.OPEN: "waiting",
        CellState.ANSWERED: "done",
        CellState.REFUSED: "asking",
        CellState.FAILED: "failed",
    }
    return colors[state]


def state_mark(state: CellState) -> str:
    """A sign beside the word, so that nothing is said by colour alone."""
    marks = {
        CellState.OPEN: "○",
        CellState.ANSWERED: "✓",
        CellState.REFUSED: "–",
        CellState.FAILED: "⚠",
    }
    return marks[state]


def tokens(facts: CellFacts) -> str:
    told = facts.usage.input_tokens + facts.usage.output_tokens
    if not told:
        return ""
    return f"≈ {told:,}" if facts.usage.is_estimated else f"{told:,}"


def turn_line(turn: Turn) -> str:
    """What is worth knowing of one turn: "0.92 s · first word after 0.24 s · 600 in, 40 out"."""
    reply = turn.reply
    about = "≈ " if reply.usage.is_estimated else ""
    told = [duration(reply.total_ms / 1000)]
    if reply.first_token_ms is not None:
        told.append(
            tr("first word after {time}").format(time=duration(reply.first_token_ms / 1000))
        )
    told.append(
        about
        + tr("{read} tokens in, {written} out").format(
            read=f"{reply.usage.input_tokens:,}", written=f"{reply.usage.output_tokens:,}"
        )
    )
    if turn.attempts > 1:
        told.append(trn("{count} try", "{count} tries", turn.attempts))
    if reply.finish_reason:
        told.append(plain_line(reply.finish_reason))
    return " · ".join(told)
