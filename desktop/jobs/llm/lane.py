"""The way to one endpoint with one key: calls wait here for their turn, or hear why there is none.

turn ──▶ breaker open? gate closed for long? ──▶ raised at once, nothing was sent
           └─ no: in line until the pace lets it go ──▶ the call ──▶ ended
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from desktop.core.llm.breaker import Breaker, Refusal
from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.line import Ticket
from desktop.core.llm.pace import Ending, Pace, PaceLimits
from desktop.core.llm.types import Endpoint

GATE_SECONDS_MAX = 4.0
"""A gate that is closed for longer is not waited for: the job goes back and holds nothing."""
LINE_SECONDS_MAX = 900.0
"""In line, at most; then the job goes back, too."""

_ENDINGS = {
    FaultClass.RATE_LIMIT: Ending.RATE,
    FaultClass.OVERLOADED: Ending.OVERLOADED,
    FaultClass.SERVER: Ending.OVERLOADED,
    FaultClass.TIMEOUT: Ending.OVERLOADED,
    FaultClass.NETWORK: Ending.OVERLOADED,
}
"""What is not here says nothing about the pace."""
_ANSWERED = frozenset(
    {
        FaultClass.BAD_REQUEST,
        FaultClass.CONTEXT_LENGTH,
        FaultClass.CONTENT_FILTER,
        FaultClass.INVALID_RESPONSE,
    }
)
"""The key was accepted, whatever else was wrong."""


class NotCalled(LlmFault):
    """Nothing was sent: the endpoint wants no call now, or refuses the key. No try was used up."""


class Lane:
    """Pace and breaker of one endpoint and one key, on one event loop."""

    def __init__(
        self, endpoint: Endpoint, key: str, on_trip: Callable[[Lane, Refusal], None]
    ) -> None:
        """Let calls go by the endpoint's limits.

        Args:
            endpoint: with its limits.
            key: empty where none is needed.
            on_trip: told once when the key is refused, until it is reset.
        """
        self.endpoint = endpoint
        self.key = key
        self.pace = Pace(
            PaceLimits(
                concurrency_max=endpoint.concurrency_max,
                requests_per_minute=endpoint.requests_per_minute,
                tokens_per_minute=endpoint.tokens_per_minute,
            )
        )
        self._breaker = Breaker()
        self._on_trip = on_trip
        self._turns: dict[Ticket, asyncio.Future[None]] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def __repr__(self) -> str:
        pace = self.pace
        state = "refused" if self.refusal else f"window {pace.window_size:.1f}"
        return f"<Lane {self.endpoint.name} {state} {pace.flying} flying {pace.waiting} waiting>"

    @property
    def refusal(self) -> Refusal | None:
        """Why the endpoint is not called; None when it is."""
        return self._breaker.refusal

    @property
    def is_busy(self) -> bool:
        """Whether a call is in flight or in line."""
        return bool(self.pace.flying or self.pace.waiting)

    async def turn(self, who: str, *, tokens: int = 0, is_urgent: bool = False) -> Ticket:
        """Wait until a call may be made; it has to be told how that ended.

        Args:
            who: the model's name.
            tokens: what the call will use, as estimated.
            is_urgent: a person waits for it.

        Raises:
            NotCalled: none may be made; with how long that will last, where that is known.
        """
        self._check()
        self._breaker.started()
        ticket = self.pace.enter(who, self._loop.time(), tokens=tokens, is_urgent=is_urgent)
        self._turns[ticket] = self._loop.create_future()
        turn = self._turns[ticket]
        self._pump()
        try:
            async with asyncio.timeout(LINE_SECONDS_MAX):
                await turn
        except TimeoutError:
            self._withdraw(ticket)
            raise self._not_called(FaultClass.RATE_LIMIT, LINE_SECONDS_MAX / 10) from None
        except BaseException:
            self._withdraw(ticket)
            raise
        return ticket

    def succeeded(self, ticket: Ticket, tokens: int) -> None:
        """The call brought a reply."""
        assert ticket.started_at is not None
        now = self._loop.time()
        self._breaker.good(ticket.started_at, now)
        self.pace.ended(ticket, Ending.GOOD, now, tokens=tokens)
        self._pump()

    def failed(self, ticket: Ticket, fault: LlmFault) -> None:
        """The call brought none."""
        assert ticket.started_at is not None
        now = self._loop.time()
        ending = _ENDINGS.get(fault.fault, Ending.SILENT)
        wait = fault.wait_seconds if fault.fault.is_of_the_pace else None
        self.pace.ended(ticket, ending, now, wait_seconds=wait)
        if fault.fault.trips_breaker:
            self._refused(fault, ticket.started_at, now)
        elif fault.fault in _ANSWERED:
            self._breaker.good(ticket.started_at, now)
        else:
            self._breaker.gave_up()
        if self.pace.closed_seconds(now) > GATE_SECONDS_MAX:
            self._send_back(lambda: self._closed(now))
        self._pump()

    def gave_up(self, ticket: Ticket) -> None:
        """The call was stopped here, or never made; its end says nothing."""
        self._breaker.gave_up()
        self.pace.ended(ticket, Ending.SILENT, self._loop.time(), tokens=0)
        self._pump()

    def reset(self) -> None:
        """Call again, whatever was refused: a person says so."""
        self._breaker.reset(self._loop.time())
        self.pace.open()
        self._pump()

    def close(self) -> None:
        """Let nobody wait any more."""
        if self._alarm is not None:
            self._alarm.cancel()
        self._send_back(lambda: self._not_called(FaultClass.CANCELLED, None))

    def _check(self) -> None:
        now = self._loop.time()
        refusal = self._breaker.blocks(now)
        if refusal is not None:
            raise self._blocked(refusal)
        if self.pace.closed_seconds(now) > GATE_SECONDS_MAX:
            raise self._closed(now)

    def _refused(self, fault: LlmFault, started_at: float, now: float) -> None:
        refusal = Refusal(
            code=fault.fault.value,
            message=fault.message,
            hint=fault.hint,
            may_pass=fault.fault is FaultClass.QUOTA,
        )
        is_news = self._breaker.refused(refusal, started_at, now)
        if self._breaker.refusal is None:
            return  # it was reset after this call had left
        self._send_back(lambda: self._blocked(refusal))
        if is_news:
            self._on_trip(self, refusal)

    def _pump(self) -> None:
        """Let go whoever may, and wake up when the next may."""
        now = self._loop.time()
        for ticket in self.pace.grant(now):
            turn = self._turns.pop(ticket)
            # Cancelled a moment ago, it gives its turn back itself (`_withdraw`).
            if not turn.done():
                turn.set_result(None)
        due = self.pace.due_at(now)
        if self._alarm is not None:
            if due == self._alarm.when():
                return
            self._alarm.cancel()
        self._alarm = None if due is None else self._loop.call_at(due, self._wake)

    def _wake(self) -> None:
        self._alarm = None
        self._pump()

    def _withdraw(self, ticket: Ticket) -> None:
        """Take back a wait that was cut short; its turn may have come in that very moment."""
        if ticket in self._turns:
            del self._turns[ticket]
            self.pace.leave(ticket)
            self._breaker.gave_up()
            self._pump()
        elif ticket.started_at is not None:
            self.gave_up(ticket)

    def _send_back(self, fault: Callable[[], LlmFault]) -> None:
        """Everybody in line hears why; an exception each, for each gets a traceback."""
        turns, self._turns = self._turns, {}
        for ticket, turn in turns.items():
            self.pace.leave(ticket)
            if not turn.done():
                turn.set_exception(fault())

    def _blocked(self, refusal: Refusal) -> NotCalled:
        return NotCalled(
            FaultClass(refusal.code), refusal.message, refusal.hint, endpoint=self.endpoint.name
        )

    def _closed(self, now: float) -> NotCalled:
        return self._not_called(FaultClass.RATE_LIMIT, self.pace.closed_seconds(now))

    def _not_called(self, fault: FaultClass, wait_seconds: float | None) -> NotCalled:
        name = self.endpoint.name
        if fault is FaultClass.CANCELLED:
            return NotCalled(fault, f"The call to '{name}' was stopped.", endpoint=name)
        seconds = f" for {wait_seconds:.0f} s" if wait_seconds else ""
        return NotCalled(
            fault,
            f"'{name}' wants no call{seconds}; nothing was sent.",
            "It is asked by itself when the time is over.",
            endpoint=name,
            wait_seconds=wait_seconds,
        )
