"""The hub's end of a connection."""

from __future__ import annotations

from datetime import datetime

from shared.events import Event
from shared.ids import WorkerId
from shared.messages import (
    BATCH_EVENTS_MAX,
    PROTOCOL_MAX,
    PROTOCOL_MIN,
    Ack,
    Bye,
    EpochBefore,
    Fault,
    FromWorker,
    Hello,
    Limits,
    Numbered,
    Pull,
    Push,
    Seen,
    Verdict,
    Welcome,
)
from shared.protocol.end import (
    BEAT_SECONDS,
    DEAD_SECONDS,
    WINDOW_EVENTS,
    End,
    Phase,
)
from shared.protocol.frames import (
    CLOSE_POLICY,
    FRAME_BYTES_MAX,
    FROM_WORKER,
    ProtocolError,
)
from shared.protocol.stretch import Stretch, stretch


class HubEnd(End):
    """The hub's end.

    The first message is the worker's Hello; answer with `welcome`. Returned `Push`es hold only
    new events without a gap; call `committed` once they are in the store.
    """

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.device: WorkerId | None = None
        """Who is there, from its hello on."""
        self.epoch = 0
        """Of the worker's log."""
        self._protocol = PROTOCOL_MAX
        """What both ends speak."""
        self.received_seq = 0
        """The worker's events have been handed to the shell up to here."""
        self.committed_seq = 0
        self.sent_hub_seq = 0
        """Our events have been sent up to here."""
        self._told_hub_seq = 0
        """The furthest they were ever sent: a pull turns `sent_hub_seq` back."""
        self.seen_hub_seq = 0

    def receive(self, frame: str | bytes, now: float) -> FromWorker | None:
        """Take a frame; return the message the shell must act on."""
        message = self._read(frame, FROM_WORKER, now)
        match message:
            case None | Fault() | Bye():
                return message
            case Hello():
                return self._introduce(message)
            case _ if self.phase is not Phase.OPEN:
                self._fail(ProtocolError("hello_missing", "The worker spoke before its hello."))
            case Push():
                return self._continue(message)
            case Pull():
                self.sent_hub_seq = min(self.sent_hub_seq, message.after)
                return message
            case Seen():
                return self._note_seen(message)
            case _:
                return message
        return None

    def welcome(  # noqa: PLR0913 (one for each field of the message)
        self,
        *,
        hub_epoch: str,
        acked_seq: int,
        hub_seq: int,
        time: datetime,
        verdicts: tuple[Verdict, ...],
        lineage: tuple[EpochBefore, ...] = (),
        acked_digest: str = "",
        position: int = 0,
        beat_seconds: float = BEAT_SECONDS,
        dead_seconds: float = DEAD_SECONDS,
    ) -> None:
        """Open the connection.

        Args:
            hub_epoch: of this hub's store.
            acked_seq: the worker's events committed here, in the epoch of its hello.
            hub_seq: where the worker's copy of our log ends: its cursor; when that belongs to
                another hub epoch, as `kept_upto` says, or 0.
            time: our wall clock, so the worker can tell a person about a wrong one.
            verdicts: one for each attempt in the inventory.
            lineage: earlier lives of this hub's store, the last one first.
            acked_digest: of the worker's event with that number, as the hub has it.
            position: where our log ends now.
            beat_seconds: how often both sides tell they are there.
            dead_seconds: the silence after which a side gives up.
        """
        assert self.device is not None
        assert self.phase is Phase.OPENING
        self.phase = Phase.OPEN
        self.received_seq = self.committed_seq = acked_seq
        self.sent_hub_seq = self.seen_hub_seq = self._told_hub_seq = hub_seq
        self._beat_seconds, self._dead_seconds = beat_seconds, dead_seconds
        self.send(
            Welcome(
                protocol=self._protocol,
                hub_epoch=hub_epoch,
                lineage=lineage,
                acked_seq=acked_seq,
                acked_digest=acked_digest,
                hub_seq=position,
                time=time,
                limits=Limits(
                    frame_bytes_max=FRAME_BYTES_MAX,
                    batch_events_max=BATCH_EVENTS_MAX,
                    beat_seconds=beat_seconds,
                    dead_seconds=dead_seconds,
                ),
                verdicts=verdicts,
            )
        )

    def committed(self, seq: int) -> None:
        """Acknowledge: the worker's events are durable here up to `seq`."""
        assert seq <= self.received_seq
        if seq > self.committed_seq:
            self.committed_seq = seq
            self.send(Ack(seq=seq))

    def send_events(self, numbered: list[Numbered], upto: int) -> None:
        """Send the next stretch of our log, which ends at `upto` and starts at `sent_hub_seq`.

        At most BATCH_EVENTS_MAX events; a stretch without any event only moves the cursor. What
        one frame has no room for is left for the next.
        """
        told = [(one.hub_seq, one.model_dump_json().encode()) for one in numbered]
        self.send_stretch(stretch(self.sent_hub_seq, told, upto))

    def send_stretch(self, told: Stretch) -> None:
        """Send what follows `sent_hub_seq`, written already."""
        assert self.phase is Phase.OPEN
        assert told.upto > self.sent_hub_seq
        self._frames.append(told.frame(self.sent_hub_seq))
        self.sent_hub_seq = told.upto
        self._told_hub_seq = max(self._told_hub_seq, told.upto)

    @property
    def may_send_events(self) -> bool:
        """Whether the worker has room for more of our log; counted in log numbers."""
        return self.phase is Phase.OPEN and self.sent_hub_seq - self.seen_hub_seq < WINDOW_EVENTS

    def _introduce(self, hello: Hello) -> Hello | None:
        if self.device is not None:
            self._fail(ProtocolError("hello_twice", "The worker said hello twice."))
            return None
        if hello.protocol_max < PROTOCOL_MIN or hello.protocol_min > PROTOCOL_MAX:
            self._fail(other_version(hello))
            return None
        # The rest of it is of no use later, and there are thousands of workers.
        self.device, self.epoch = hello.device, hello.epoch
        self._protocol = min(PROTOCOL_MAX, hello.protocol_max)
        return hello

    def _continue(self, push: Push) -> Push | None:
        fresh: list[Event] = []
        for event in push.events:
            if (event.device, event.epoch) != (self.device, self.epoch):
                self._fail(
                    ProtocolError(
                        "event_foreign",
                        "A worker pushed an event of another device or epoch.",
                        close_code=CLOSE_POLICY,
                    )
                )
                return None
            if event.seq <= self.received_seq:
                continue
            if event.seq != self.received_seq + 1:
                self.send(Pull(after=self.received_seq))
                break
            self.received_seq = event.seq
            fresh.append(event)
        return Push(events=tuple(fresh)) if fresh else None

    def _note_seen(self, seen: Seen) -> Seen | None:
        if seen.hub_seq > self._told_hub_seq:
            self._fail(ProtocolError("seen_ahead", "The worker saw what was never sent."))
            return None
        self.seen_hub_seq = max(self.seen_hub_seq, seen.hub_seq)
        # A pull that was overtaken by what it asked for has turned it back too far.
        self.sent_hub_seq = max(self.sent_hub_seq, self.seen_hub_seq)
        return seen


def other_version(hello: Hello) -> ProtocolError:
    """Explain to a worker that speaks no version of ours."""
    older = "worker" if hello.protocol_max < PROTOCOL_MIN else "hub"
    return ProtocolError(
        "protocol_version",
        f"The worker speaks protocol {hello.protocol_min} to {hello.protocol_max}, "
        f"this hub {PROTOCOL_MIN} to {PROTOCOL_MAX}.",
        f"Update the {older}.",
        close_code=CLOSE_POLICY,
    )
