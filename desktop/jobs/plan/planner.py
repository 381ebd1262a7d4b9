"""Has the model make a plan, or ask what it has to know first; code says what is wrong with it.

A reply that breaks rules goes back to the model with their names, three times at most. All that
was said stays in the conversation, so that a mistake is made once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from desktop.core.llm.message import Message
from desktop.core.plan import prompt, reading, rules, schema
from desktop.core.plan.fault import Fault, Rule
from desktop.core.plan.scope import Scope
from desktop.jobs.plan.bench import Bench
from desktop.jobs.plan.clarifying import clarified
from desktop.jobs.plan.state import Line
from desktop.jobs.plan.surroundings import names_around
from shared.errors import BadInput, NotFound
from shared.plan import Clarify, Plan

INVALID = "plan_invalid"
"""The code of the error that no plan could be had."""
OVER_BUDGET = "plan_over_budget"
"""The same, when nothing but the budget was in the way."""
TRIES_MAX = 3
"""Replies of the model's for one plan; after the last it is told why none was taken."""
FAULTS_TOLD_MAX = 3
_BUDGET = frozenset({Rule.TOKENS, Rule.COST, Rule.SECONDS, Rule.JOBS})


async def proposed(bench: Bench) -> Plan:
    """Return a plan that keeps all rules; ask the person first what the model has to know.

    Raises:
        Postponed: the model is away; it is asked again later.
        LlmFault: what only a person mends.
        NotFound: `models_none`, `plan_nothing_offered`.
        BadInput: `plan_invalid`, `plan_over_budget`, with the rules that were broken.
    """
    found = bench.state.now.clarify or await _reply(bench)
    if isinstance(found, Clarify):
        bench.state.put(clarify=found, lines=(), tries=0)
        said = await clarified(bench.context, found)
        bench.state.put(said=said, clarify=None)
        found = await _reply(bench)
    assert isinstance(found, Plan), "a second Clarify breaks a rule"
    return found


async def _reply(bench: Bench) -> Plan | Clarify:
    bench.context.progress("planning anew" if bench.state.now.ledger else "planning", 0, 1)
    scope = await bench.scope()
    if not scope.offered:
        raise NotFound(
            "plan_nothing_offered",
            "None of your workers offers anything that a plan could be made of.",
            "Let this machine do more in its policy (`kinds`), or start another worker.",
        )
    if not bench.state.now.lines:
        _say(bench, await _conversation(bench, scope), tries=0)
    with bench.working():
        return await _valid(bench, scope)


def _say(bench: Bench, more: Sequence[Message], *, tries: int) -> None:
    """Have it on the disk what is said next."""
    lines = [Line.model_validate({"role": one.role, "text": one.text}) for one in more]
    bench.state.put(lines=(*bench.state.now.lines, *lines), tries=tries)


async def _conversation(bench: Bench, scope: Scope) -> tuple[Message, ...]:
    """Say all that is known."""
    now = bench.state.now
    if now.ledger is not None:
        begun = prompt.replanning(bench.task, scope, now.ledger, now.why, today=now.today)
    else:
        if now.files is None:
            files = await names_around(bench.context, bench.task)
            now = bench.state.put(files=files, today=f"{datetime.now(UTC):%A, %Y-%m-%d}")
        begun = prompt.planning(
            bench.task,
            scope,
            earlier=bench.inputs.earlier,
            today=now.today,
            files=now.files or (),
            answers={one.question: one.answer for one in now.said},
            may_clarify=_may_clarify(bench),
        )
    changes = (prompt.changing(one.plan.model_dump_json(), one.wish) for one in now.changes)
    return (*begun, *(message for pair in changes for message in pair))


def _may_clarify(bench: Bench) -> bool:
    """Questions come once, and before the first plan."""
    now = bench.state.now
    return not (now.said or now.changes or now.ledger)


async def _valid(bench: Bench, scope: Scope) -> Plan | Clarify:
    model, may_clarify = await bench.model(), _may_clarify(bench)
    chars_max = schema.TEXT_CHARS_MAX if model.endpoint.is_local else 0
    wanted = schema.reply_schema(scope, may_clarify=may_clarify, text_chars_max=chars_max)
    faults = tuple[Fault, ...]()
    for number in range(bench.state.now.tries + 1, TRIES_MAX + 1):
        said = [Message(line.role, line.text) for line in bench.state.now.lines]
        reply = await bench.calls.say(model, said, wanted)
        found, faults = _checked(reply, scope, may_clarify=may_clarify)
        if found is not None:
            return found
        bench.context.log(f"Plan {number} of {TRIES_MAX} breaks rules: {_names(faults)}.")
        if number < TRIES_MAX:
            _say(bench, prompt.correcting(reply, faults), tries=number)
    if bench.state.now.ledger is None:
        bench.state.put(lines=(), tries=0)  # whoever tries again begins anew
    is_short = bool(faults) and all(fault.rule in _BUDGET for fault in faults)
    raise BadInput(
        OVER_BUDGET if is_short else INVALID,
        f"{model.full_name} made no plan that could be carried out, in {TRIES_MAX} tries. "
        + " ".join(str(fault) for fault in faults[:FAULTS_TOLD_MAX]),
        "Allow it more, or say it in smaller pieces."
        if is_short
        else "Say it in other words or in smaller pieces, or choose a stronger model.",
    )


def _checked(
    reply: str, scope: Scope, *, may_clarify: bool
) -> tuple[Plan | Clarify | None, tuple[Fault, ...]]:
    """Return what a reply is if it keeps all rules, else the rules that it breaks."""
    read = reading.read_reply(reply)
    if isinstance(read, tuple):
        return None, read
    if isinstance(read, Clarify):
        again = "All questions were asked. Make a plan now, and write down what you assume."
        return (read, ()) if may_clarify else (None, (Fault(Rule.SHAPE, "", again),))
    plan = rules.settled(read, scope)
    faults = rules.faults(plan, scope)
    return (None, faults) if faults else (plan, ())


def _names(faults: Sequence[Fault]) -> str:
    return ", ".join(dict.fromkeys(fault.rule.value for fault in faults))
