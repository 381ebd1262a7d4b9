"""Turns of the built-in agent: one call of the work order's model, through the llm layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from desktop.core.code.api_fault import BUDGET_USED, STATUS_BUDGET, words_for
from desktop.core.code.turn import TURN_BYTES_MAX, TurnFault, fault_json, read_turn, reply_json
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.types import Model
from desktop.jobs.code.gateway.line import Line, Request
from desktop.jobs.code.gateway.meter import Meter

if TYPE_CHECKING:
    from desktop.jobs.llm.house import House


class Turns:
    """Answers `/deskhand/turn`."""

    def __init__(self, model: Model, house: Callable[[], House], meter: Meter) -> None:
        self._model = model
        self._house = house
        self._meter = meter
        self.fault: LlmFault | None = None
        """Why the last turn brought nothing; None after a good one."""

    async def answer(self, request: Request, line: Line) -> None:
        """Take one turn."""
        excess = self._meter.excess
        if excess is not None:
            await _fail(
                line,
                STATUS_BUDGET,
                TurnFault(code=BUDGET_USED, message=excess.message, hint="Stop here."),
            )
            return
        if len(request.body) > TURN_BYTES_MAX:
            await _fail(
                line, 413, TurnFault(code="turn_too_long", message="The conversation is too long.")
            )
            return
        try:
            turn = read_turn(request.body)
        except ValueError as error:
            await _fail(
                line, 400, TurnFault(code="turn_invalid", message=f"This is no turn: {error}.")
            )
            return
        from desktop.jobs.llm.turns import take_turn

        try:
            taken = await take_turn(self._house(), self._model, turn)
        except LlmFault as fault:
            self.fault = fault
            status = 502 if fault.retryable else 400
            await _fail(line, status, TurnFault(code=fault.code, message=words_for(fault)))
            return
        self.fault = None
        self._meter.charge(taken.usage, taken.cost_usd)
        await line.reply(200, reply_json(taken.reply))


async def _fail(line: Line, status: int, fault: TurnFault) -> None:
    await line.reply(status, fault_json(fault))
