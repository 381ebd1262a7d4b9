"""What both ends share: phases, beats, silence, the rate of frames, goodbyes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from pydantic import TypeAdapter

from shared.errors import AppError
from shared.events import Event
from shared.messages import (
    Bye,
    FromHub,
    FromWorker,
    Message,
)
from shared.protocol.frames import (
    CLOSE_POLICY,
    FRAME_BYTES_MAX,
    ProtocolError,
    decode,
    encode,
)

BEAT_SECONDS = 15.0
DEAD_SECONDS = 45.0
HELLO_SECONDS = 10.0
"""How long a fresh connection may take to say hello, or to be welcomed."""
WINDOW_EVENTS = 1000
"""Events sent and not yet acknowledged, per direction."""
BATCH_BYTES_MAX = FRAME_BYTES_MAX // 2
"""Room a batch of events may take in its frame."""
FRAMES_PER_SECOND_MAX = 10_000.0
FRAMES_BURST_MAX = 20_000.0

Received = TypeVar("Received", FromWorker, FromHub)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beats:
    """How a hub and its workers notice that a line leads nowhere; the hub says, in its welcome."""

    every_seconds: float = BEAT_SECONDS
    dead_seconds: float = DEAD_SECONDS
    """The silence after which a side gives up."""


class Phase(StrEnum):
    OPENING = "opening"
    OPEN = "open"
    CLOSED = "closed"


class End:
    """What both ends share: phases, beats, silence, the rate of frames, goodbyes."""

    def __init__(self, now: float) -> None:
        self.phase = Phase.OPENING
        self.close_code = 1000
        self.close_error: AppError | None = None
        """Why the connection ended; None for an ordinary goodbye."""
        self._frames: list[str] = []
        self._heard_at = now
        self._beat_at = now
        self._opened_at = now
        self._beat_seconds = BEAT_SECONDS
        self._dead_seconds = DEAD_SECONDS
        self._frame_credit = FRAMES_BURST_MAX
        self._credit_at = now

    def __repr__(self) -> str:
        why = f" because {self.close_error.code}" if self.close_error else ""
        return f"<{type(self).__name__} {self.phase}{why}>"

    def send(self, message: Message) -> None:
        """Queue a message. What is sent after the end is dropped: the other side is gone."""
        if self.phase is not Phase.CLOSED:
            self._frames.append(encode(message))

    def frames_to_send(self) -> list[str]:
        """Take what must be written to the socket now, in this order."""
        frames, self._frames = self._frames, []
        return frames

    @property
    def deadline(self) -> float:
        """The moment at which `poll` must be called at the latest."""
        if self.phase is Phase.OPENING:
            return self._opened_at + HELLO_SECONDS
        return min(self._beat_at + self._beat_seconds, self._heard_at + self._dead_seconds)

    def poll(self, now: float) -> bool:
        """Look at the clock. True: it is time to send a beat (the shell fills it in)."""
        if self.phase is Phase.OPENING and now >= self._opened_at + HELLO_SECONDS:
            self._fail(
                ProtocolError(
                    "hello_late", f"Nothing was said within {HELLO_SECONDS:.0f} s of connecting."
                )
            )
        elif self.phase is Phase.OPEN and now >= self._heard_at + self._dead_seconds:
            self._fail(
                ProtocolError(
                    "peer_silent", f"The other side was silent for {now - self._heard_at:.0f} s."
                )
            )
        if self.phase is not Phase.OPEN or now < self._beat_at + self._beat_seconds:
            return False
        self._beat_at = now
        return True

    def close(self, error: AppError | None = None) -> None:
        """Say goodbye and end."""
        if self.phase is Phase.CLOSED:
            return
        self.send(Bye(error=error.body if error else None))
        self.close_error = error
        if error is not None:
            self.close_code = error.close_code if isinstance(error, ProtocolError) else 1008
        self.phase = Phase.CLOSED

    def _fail(self, error: ProtocolError) -> None:
        self.close(error)

    def _read(
        self, frame: str | bytes, readable: TypeAdapter[Received], now: float
    ) -> Received | None:
        """Decode a frame, or end the connection over it."""
        if self.phase is Phase.CLOSED:
            return None
        try:
            self._spend_credit(now)
            message = decode(frame, readable)
        except ProtocolError as error:
            self._fail(error)
            return None
        self._heard_at = now
        if isinstance(message, Bye):
            self.close_error = AppError.from_body(message.error) if message.error else None
            self.phase = Phase.CLOSED
        return message

    def _spend_credit(self, now: float) -> None:
        earned = (now - self._credit_at) * FRAMES_PER_SECOND_MAX
        self._credit_at = now
        self._frame_credit = min(FRAMES_BURST_MAX, self._frame_credit + earned) - 1
        if self._frame_credit < 0:
            raise ProtocolError(
                "too_many_frames",
                f"More than {FRAMES_PER_SECOND_MAX:.0f} frames a second arrived.",
                close_code=CLOSE_POLICY,
            )


def fitting_batch(events: list[Event], count_max: int) -> list[Event]:
    """Take as many events from the front as fit one frame; always at least one."""
    batch: list[Event] = []
    room = BATCH_BYTES_MAX
    for event in events[:count_max]:
        room -= len(event.model_dump_json().encode())
        if batch and room < 0:
            break
        batch.append(event)
    return batch
