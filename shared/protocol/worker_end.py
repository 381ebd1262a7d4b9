"""The worker's end of a connection."""

from __future__ import annotations

from shared.events import Event
from shared.messages import (
    BATCH_EVENTS_MAX,
    Ack,
    Beat,
    Bye,
    Events,
    Fault,
    FromHub,
    Hello,
    Pull,
    Push,
    Seen,
    Welcome,
)
from shared.protocol.end import WINDOW_EVENTS, End, Phase, fitting_batch
from shared.protocol.frames import (
    FROM_HUB,
    ProtocolError,
)
from shared.protocol.lineage import kept_upto

SEEN_SECONDS = 0.5
"""How long it may wait to be told that events were applied, so that one word stands for many."""
SEEN_EVENTS_MAX = WINDOW_EVENTS // 4
"""How far it is applied in silence, in numbers of the log: the hub's window never fills by that."""


class WorkerEnd(End):
    """The worker's end.

    After construction send `hello`; once OPEN, call `push` whenever the outbox has grown or an
    ack has made room, starting at `next_seq`.
    """

    def __init__(self, *, hub_epoch: str, hub_seq: int, outbox_seq: int, now: float) -> None:
        super().__init__(now)
        self.hub_epoch = hub_epoch
        self.hub_seq = hub_seq
        """The hub's events are applied up to here, in `hub_epoch`."""
        self.fork: int | None = None
        """Set by the welcome of a hub that was restored from a backup: what it numbered up to here
        it still has; what we have after that is numbered anew or lost to it."""
        self.acked_seq = 0
        """Our events are committed on the hub up to here; known once OPEN."""
        self.next_seq = 1
        """The number of the next event of ours to send on this connection."""
        self._outbox_seq = outbox_seq
        self._seen_told = hub_seq
        self._seen_at: float | None = None
        """When the hub is told how far its events are applied; None when it knows."""
        self.batch_events_max = BATCH_EVENTS_MAX

    def hello(self, hello: Hello) -> None:
        """Introduce the worker: the first frame of the connection."""
        assert self.phase is Phase.OPENING
        assert hello.hub_seq == self.hub_seq
        self.send(hello)

    def receive(self, frame: str | bytes, now: float) -> FromHub | None:
        """Take a frame; return the message the shell must act on.

        `Events` are returned only when they continue our cursor; call `applied` once they are
        committed. Acks and pulls have been dealt with and are returned for the outbox.
        """
        message = self._read(frame, FROM_HUB, now)
        match message:
            case None | Fault() | Bye():
                return message
            case Welcome() if self.phase is Phase.OPENING:
                return self._open(message)
            case Welcome():
                self._fail(ProtocolError("welcome_twice", "The hub said welcome twice."))
            case _ if self.phase is not Phase.OPEN:
                self._fail(ProtocolError("not_welcomed", "The hub spoke before its welcome."))
            case Ack():
                return self._acknowledge(message)
            case Pull():
                self.next_seq = max(message.after, self.acked_seq) + 1
                return message
            case Events():
                return self._continue(message)
            case Beat():
                return None
            case _:
                return message
        return None

    def push(self, events: list[Event]) -> int:
        """Send events of ours, the first being number `next_seq`; return how many fitted."""
        assert self.phase is Phase.OPEN
        batch = fitting_batch(events[: self.room], self.batch_events_max)
        if not batch:
            return 0
        assert batch[0].seq == self.next_seq, "the outbox must be sent in order"
        self.send(Push(events=tuple(batch)))
        self.next_seq = batch[-1].seq + 1
        self._outbox_seq = max(self._outbox_seq, batch[-1].seq)
        return len(batch)

    @property
    def room(self) -> int:
        """How many more events may be under way."""
        if self.phase is not Phase.OPEN:
            return 0
        return max(0, WINDOW_EVENTS - (self.next_seq - 1 - self.acked_seq))

    def applied(self, hub_seq: int, now: float | None = None) -> None:
        """Tell the hub that its events are committed here up to `hub_seq`.

        Args:
            hub_seq: the place.
            now: given, it is told together with what follows, by `poll` at the latest.
        """
        assert hub_seq >= self.hub_seq
        self.hub_seq = hub_seq
        if now is None or hub_seq - self._seen_told >= SEEN_EVENTS_MAX:
            self._tell_seen()
        elif self._seen_at is None:
            self._seen_at = now + SEEN_SECONDS

    @property
    def deadline(self) -> float:
        due = super().deadline
        return due if self._seen_at is None else min(due, self._seen_at)

    def poll(self, now: float) -> bool:
        if self._seen_at is not None and now >= self._seen_at:
            self._tell_seen()
        return super().poll(now)

    def _tell_seen(self) -> None:
        self._seen_at = None
        self._seen_told = self.hub_seq
        self.send(Seen(hub_seq=self.hub_seq))

    def _open(self, welcome: Welcome) -> Welcome | None:
        self.acked_seq = welcome.acked_seq
        if welcome.acked_seq > self._outbox_seq:
            self._fail(
                ProtocolError(
                    "worker_restored",
                    f"The hub has {welcome.acked_seq} events of this worker, "
                    f"its own log ends at {self._outbox_seq}: its store is an older copy.",
                    "It starts a new epoch and connects again.",
                )
            )
            return None
        self.phase = Phase.OPEN
        if welcome.hub_epoch != self.hub_epoch:
            # A restored hub: its log is ours up to the fork. Another hub's numbers mean nothing.
            self.fork = kept_upto(welcome.lineage, self.hub_epoch, self.hub_seq)
            self.hub_epoch, self.hub_seq = welcome.hub_epoch, self.fork or 0
        self._seen_told = self.hub_seq
        self.next_seq = welcome.acked_seq + 1
        self.batch_events_max = min(BATCH_EVENTS_MAX, welcome.limits.batch_events_max)
        self._beat_seconds = welcome.limits.beat_seconds
        self._dead_seconds = welcome.limits.dead_seconds
        return welcome

    def _acknowledge(self, ack: Ack) -> Ack | None:
        if ack.seq > self._outbox_seq:
            self._fail(ProtocolError("ack_ahead", "The hub acknowledged what was never sent."))
            return None
        self.acked_seq = max(self.acked_seq, ack.seq)
        return ack

    def _continue(self, events: Events) -> Events | None:
        if events.after > self.hub_seq:
            self.send(Pull(after=self.hub_seq))
            return None
        if events.upto <= self.hub_seq:
            return None
        fresh = tuple(e for e in events.events if e.hub_seq > self.hub_seq)
        return events.model_copy(update={"after": self.hub_seq, "events": fresh})
