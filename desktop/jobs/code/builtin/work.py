"""The loop: ask the model, do what it calls for, tell it what came of it, until it is done.

prompt ─▶ view of all that was said ─▶ gateway ─▶ reply ─┬─ calls ─▶ tools ─▶ results ─▶ again
                                                         └─ words, submit, a limit ─▶ end
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from desktop.core.code.turn import Turn, TurnReply
from desktop.core.llm.message import Message, Tool, ToolCall
from desktop.jobs.code.builtin import fenced, prompts
from desktop.jobs.code.builtin.gateway import GatewayFault
from desktop.jobs.code.builtin.rounds import SAME_MAX, SAME_TOLD, Rounds
from desktop.jobs.code.builtin.sessions import Session
from desktop.jobs.code.builtin.tools.offered import EFFECTS
from desktop.jobs.code.builtin.tools.outcome import Outcome, ToolFault
from desktop.jobs.code.builtin.tools.toolbox import Prepared, Toolbox
from desktop.jobs.code.builtin.view import View

STEPS_MAX = 200
"""Turns of the model for one prompt; the budget mostly ends it before."""
CUTS_MAX = 3
SHRINKS_MAX = 6
NO_TOOLS = ("tool", "function")
"""A server that refuses a request with such words may take it without tools."""


class Stop(StrEnum):
    """Why a turn ended, as ACP says it."""

    END = "end_turn"
    CUT = "max_tokens"
    STEPS = "max_turn_requests"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the model wants to ask its person."""

    text: str
    options: tuple[str, ...]
    default: str
    why: str


class Asks(Protocol):
    """Asks a model (`desktop.jobs.code.builtin.gateway.Gateway`)."""

    async def turn(self, turn: Turn) -> TurnReply:
        """Have it say what comes next. Raises GatewayFault."""


class Client(Protocol):
    """Whoever the agent works for."""

    @property
    def can_ask(self) -> bool:
        """Whether its person can be asked while a turn is under way."""

    @property
    def wants_permission(self) -> bool:
        """Whether it wants to be asked before effects."""

    def say(self, text: str) -> None: ...

    def began(self, number: str, call: ToolCall, prepared: Prepared | None) -> None: ...

    def ended(self, number: str, outcome: Outcome) -> None: ...

    def used(self, reply: TurnReply, window_tokens: int) -> None: ...

    def plans(self, steps: Sequence[str], done: int) -> None: ...

    async def permits(self, number: str, call: ToolCall, prepared: Prepared) -> bool: ...

    async def ask(self, question: Question) -> str:
        """Return what the person says, or what there is to say instead."""


class Work:
    """One session at work."""

    def __init__(
        self, session: Session, toolbox: Toolbox, gateway: Asks, client: Client, view: View
    ) -> None:
        self.session = session
        self._toolbox = toolbox
        self._gateway = gateway
        self._client = client
        self._view = view
        self._rounds = Rounds()
        self._is_plain = False
        """The model cannot be offered tools; it writes its calls."""

    async def do(self, prompt: str) -> Stop:
        """Work on what the person says, to an end.

        Raises:
            GatewayFault: the model cannot be asked.
        """
        await self._take_up()
        self.session.keep(Message("user", prompt))
        cuts = 0
        for _ in range(STEPS_MAX):
            reply = await self._next()
            if reply.stop == "refusal":
                return Stop.REFUSAL
            if reply.stop == "cut":
                cuts += 1
                if cuts > CUTS_MAX:
                    return Stop.CUT
                self.session.keep(Message("user", prompts.CUT))
            elif reply.message.calls:
                stop = await self._calls(reply.message.calls)
                if stop is not None:
                    return stop
            elif self._has_begun:
                return Stop.END
            else:
                # Small models tell what they would do, instead of doing it.
                self.session.keep(Message("user", prompts.NUDGE))
        self._client.say(prompts.TOO_MANY.format(steps=STEPS_MAX))
        return Stop.STEPS

    @property
    def _has_begun(self) -> bool:
        """Whether a tool was used in this session, or its model was told to use them."""
        return any(one.calls or one.text == prompts.NUDGE for one in self.session.messages)

    async def _take_up(self) -> None:
        """Settle calls that an interruption left open: a question is asked again, under its name.

        Nothing else is done again by itself, for nobody knows how far it came.
        """
        for call in self.session.open_calls:
            outcome = Outcome(text=prompts.INTERRUPTED, is_error=True)
            if call.name == "ask_human" and self._client.can_ask:
                with contextlib.suppress(ToolFault):
                    outcome = Outcome(text=await self._asked(self._toolbox.prepare(call)))
            self._keep_result(call, outcome)

    # The model.

    async def _next(self) -> TurnReply:
        reply = await self._reply()
        message = reply.message
        if not message.calls and reply.stop == "end":
            found = fenced.read_call(message.text, self._names, len(self.session.messages))
            if found is not None:
                message = replace(message, text=found[0], calls=(found[1],))
                reply = replace(reply, message=message, stop="calls")
        self.session.keep(message)
        self._client.used(reply, self._view.window_tokens)
        if message.text.strip():
            self._client.say(message.text)
        return reply

    async def _reply(self) -> TurnReply:
        for shrinks in range(SHRINKS_MAX + 1):
            try:
                reply = await self._gateway.turn(self._turn())
            except GatewayFault as fault:
                told = fault.fault
                if told.code == "context_length" and shrinks < SHRINKS_MAX:
                    self._view.was_too_much()
                elif (
                    told.code == "bad_request" and not self._is_plain and _is_of_tools(told.message)
                ):
                    self._is_plain = True
                else:
                    raise
            else:
                if reply.window_tokens:
                    self._view.window_tokens = reply.window_tokens
                return reply
        raise AssertionError

    def _turn(self) -> Turn:
        tools: tuple[Tool, ...] = self._toolbox.tools
        told = self._view.of(self.session.messages)
        if self._is_plain:
            system = prompts.system(tools)
            return Turn(messages=(Message("system", system), *fenced.plain(told)))
        return Turn(messages=(Message("system", prompts.system()), *told), tools=tools)

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(tool.name for tool in self._toolbox.tools)

    # Tools.

    async def _calls(self, calls: Sequence[ToolCall]) -> Stop | None:
        """Do what is called for, one after the other; return why the turn ends, if it does."""
        for number, call in enumerate(calls):
            stop = await self._call(call)
            if stop is not None:
                for rest in calls[number + 1 :]:
                    self._keep_result(rest, Outcome(text=prompts.NOT_RUN, is_error=True))
                return stop
        return None

    async def _call(self, call: ToolCall) -> Stop | None:
        number = f"{self.session.id[:8]}-{len(self.session.messages)}"
        try:
            prepared = self._toolbox.prepare(call)
        except ToolFault as fault:
            self._client.began(number, call, None)
            return self._note(number, call, Outcome(text=str(fault), is_error=True))
        match call.name:
            case "submit":
                return self._submit(call, prepared)
            case "ask_human" if not self._client.can_ask:
                return self._ask_by_ending(call, prepared)
        self._client.began(number, call, prepared)
        try:
            outcome = await self._done(number, call, prepared)
        except ToolFault as fault:
            outcome = Outcome(text=str(fault), is_error=True)
        return self._note(number, call, outcome)

    async def _done(self, number: str, call: ToolCall, prepared: Prepared) -> Outcome:
        if call.name == "ask_human":
            return Outcome(text=await self._asked(prepared))
        if call.name == "plan":
            return self._plan(prepared)
        is_asked_for = call.name in EFFECTS and self._client.wants_permission
        if is_asked_for and not await self._client.permits(number, call, prepared):
            return Outcome(text=prompts.REFUSED, is_error=True)
        outcome = await self._toolbox.do(prepared)
        if outcome.change is not None:
            self._rounds.changed()
        return outcome

    def _note(self, number: str, call: ToolCall, outcome: Outcome) -> Stop | None:
        """Tell what came of a call, and notice when it is the same as ever."""
        times = self._rounds.note(call, outcome.text)
        if times >= SAME_TOLD:
            told = prompts.SAME_AGAIN.format(times=times)
            outcome = replace(outcome, text=f"{outcome.text}\n\n{told}")
        self._keep_result(call, outcome)
        self._client.ended(number, outcome)
        if times < SAME_MAX:
            return None
        self._client.say(prompts.IN_CIRCLES)
        return Stop.STEPS

    def _keep_result(self, call: ToolCall, outcome: Outcome) -> None:
        told = Message(
            "tool", outcome.text, call_id=call.id, name=call.name, is_error=outcome.is_error
        )
        self.session.keep(told)

    def _submit(self, call: ToolCall, prepared: Prepared) -> Stop:
        self._keep_result(call, Outcome(text="Submitted."))
        self._client.say(str(prepared.arguments["summary"]))
        return Stop.END

    def _plan(self, prepared: Prepared) -> Outcome:
        steps = prepared.arguments.get("steps")
        done = prepared.arguments.get("done", 0)
        texts = [str(step) for step in steps] if isinstance(steps, list) else []
        self._client.plans(texts, done if isinstance(done, int) else 0)
        return Outcome(text="Shown.")

    async def _asked(self, prepared: Prepared) -> str:
        return await self._client.ask(_question(prepared))

    def _ask_by_ending(self, call: ToolCall, prepared: Prepared) -> Stop:
        """Ask a person who can be reached between turns alone: end this one with the question."""
        question = _question(prepared)
        lines = [question.text, *(f"- {option}" for option in question.options)]
        if question.default:
            lines.append(f"Without an answer: {question.default}")
        self._keep_result(call, Outcome(text=prompts.ASKED))
        self._client.say("\n".join(lines))
        return Stop.END


def _question(prepared: Prepared) -> Question:
    told = prepared.arguments
    options = told.get("options")
    return Question(
        text=str(told["question"]),
        options=tuple(str(option) for option in options) if isinstance(options, list) else (),
        default=str(told.get("default") or ""),
        why=str(told.get("why") or ""),
    )


def _is_of_tools(message: str) -> bool:
    return any(word in message.lower() for word in NO_TOOLS)
