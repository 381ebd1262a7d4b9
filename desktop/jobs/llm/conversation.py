"""One scenario with one model, turn by turn, from wherever it was left.

    finished turns ─▶ messages ─▶ one call ─▶ turn, kept for good ─▶ … ─▶ how it came out

Each turn is kept before the next call is made, so none is ever asked, or paid for, twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from desktop.core.llm.choices import read_choice
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.refusals import refuses
from desktop.core.llm.scenarios import Scenario
from desktop.core.llm.types import CellState, Message, Model, Reply, Turn
from desktop.jobs.llm import prices

AT_ONCE_MAX = 2
"""Calls of one turn in a row: for an answer that is none it is asked again once."""

Ask = Callable[[Sequence[Message]], Awaitable[Reply]]
Keep = Callable[[Turn], Awaitable[object]]


@dataclass(slots=True)
class Calls:
    """Calls that a turn took before this try, for its record."""

    before: int = 0
    failed: int = 0
    """Of this try's newest turn."""


async def converse(
    scenario: Scenario, turns: Sequence[Turn], *, ask: Ask, keep: Keep, calls: Calls
) -> tuple[Turn, ...]:
    """Ask what was not asked yet; return all turns.

    Args:
        scenario: what is asked.
        turns: finished ones, from the first on.
        ask: makes one call.
        keep: returns when a turn is safe.
        calls: how many failed ones the next turn has behind it; kept up to date here.

    Raises:
        LlmFault: of a call that brought no reply.
    """
    done = list(turns)
    for number in range(len(done), len(questions(scenario))):
        if done and done[-1].reply.is_refusal:
            # A provider that cuts in has ended the conversation; there may be nothing to answer to.
            break
        reply = await _reply(ask, messages(scenario, done), calls)
        turn = Turn(
            number=number,
            asked=questions(scenario)[number],
            reply=reply,
            attempts=calls.before + calls.failed + 1,
            at=datetime.now(UTC),
        )
        await keep(turn)
        done.append(turn)
        calls.before = calls.failed = 0
    return tuple(done)


async def _reply(ask: Ask, said: Sequence[Message], calls: Calls) -> Reply:
    for at_once in range(1, AT_ONCE_MAX + 1):
        try:
            return await ask(said)
        except LlmFault as fault:
            calls.failed += 1
            if fault.fault is not FaultClass.INVALID_RESPONSE or at_once == AT_ONCE_MAX:
                raise
    raise AssertionError


def questions(scenario: Scenario) -> tuple[str, ...]:
    """Return what is asked, turn by turn."""
    return (scenario.prompt, *scenario.followups)


def messages(scenario: Scenario, turns: Sequence[Turn]) -> list[Message]:
    """Return what goes out for the turn that follows these."""
    preamble, asked = scenario.preamble, list(questions(scenario))
    made: list[Message] = []
    if preamble.strip() and scenario.preamble_as == "system":
        made.append(Message("system", preamble))
    elif preamble.strip():
        asked[0] = f"{preamble}\n\n{asked[0]}"
    for turn in turns:
        made += [Message("user", asked[turn.number]), Message("assistant", turn.reply.text)]
    return [*made, Message("user", asked[len(turns)])]


def cost_usd(model: Model, turns: Iterable[Turn]) -> float | None:
    """Add up what the calls cost; None as soon as one of them has no price."""
    total = 0.0
    for turn in turns:
        reply = turn.reply
        cost = prices.cost_usd(model, reply.usage, turn.at, reply.model_reported)
        if cost is None:
            return None
        total += cost
    return total


@dataclass(frozen=True, slots=True)
class Outcome:
    state: CellState
    choice: str = ""


def outcome(scenario: Scenario, turns: Sequence[Turn]) -> Outcome:
    """Say how a conversation came out: the choice of the last reply that has one counts."""
    last = turns[-1].reply
    if last.is_refusal:
        return Outcome(CellState.REFUSED)
    labels = [option.label for option in scenario.options]
    read = (read_choice(turn.reply.text, labels) for turn in reversed(turns))
    choice = next(filter(None, read), "")
    if not choice and refuses(last.text):
        return Outcome(CellState.REFUSED)
    return Outcome(CellState.ANSWERED, choice)
