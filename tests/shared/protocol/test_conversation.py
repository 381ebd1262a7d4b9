"""Both ends against a model: whatever is cut, repeated or delayed, logs arrive whole and in order.

The wires may hold frames back, lose everything under way at a cut, and the ends may restart from
what they had committed. What each side has committed must always be a beginning of what the
other wrote, and after a quiet moment all of it.
"""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.messages import Events, Hello, Numbered, Push
from shared.protocol import HubEnd, Phase, WorkerEnd
from tests.shared.protocol.worlds import AT, event, hello, numbered


class Conversation(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.outbox = 0
        """Events the worker has written."""
        self.hub_log: list[Numbered] = []
        self.hub_has: list[int] = []
        """The worker's events committed on the hub."""
        self.hub_pending: list[int] = []
        self.worker_has: list[int] = []
        """The hub's events committed on the worker."""
        self.cursor = 0
        self.connect()

    def connect(self) -> None:
        self.worker = WorkerEnd(
            hub_epoch="h", hub_seq=self.cursor, outbox_seq=self.outbox, now=self.now
        )
        self.hub = HubEnd(self.now)
        self.hub_pending = []
        self.up: list[str] = []
        self.down: list[str] = []
        self.worker.hello(hello(outbox_seq=self.outbox, hub_seq=self.cursor, hub_epoch="h"))
        self.flush()

    def flush(self) -> None:
        self.up += self.worker.frames_to_send()
        self.down += self.hub.frames_to_send()

    @rule()
    def worker_writes(self) -> None:
        self.outbox += 1

    @rule()
    def hub_writes(self) -> None:
        last = self.hub_log[-1].hub_seq if self.hub_log else 0
        # Numbers that concern other people are missing here.
        self.hub_log.append(numbered(last + 1 + last % 3))

    @precondition(lambda self: self.worker.phase is Phase.OPEN)
    @rule()
    def worker_pushes(self) -> None:
        start = self.worker.next_seq
        self.worker.push([event(n) for n in range(start, min(start + 7, self.outbox + 1))])
        self.flush()

    @precondition(lambda self: self.hub.phase is Phase.OPEN)
    @rule(count=st.integers(min_value=1, max_value=4))
    def hub_sends(self, count: int) -> None:
        fresh = [n for n in self.hub_log if n.hub_seq > self.hub.sent_hub_seq][:count]
        if fresh and self.hub.may_send_events:
            self.hub.send_events(fresh, fresh[-1].hub_seq)
            self.flush()

    @precondition(lambda self: self.up)
    @rule()
    def frame_reaches_the_hub(self) -> None:
        self.reach_hub(self.up.pop(0))

    @precondition(lambda self: self.up)
    @rule()
    def frame_reaches_the_hub_twice(self) -> None:
        if '"type":"hello"' not in self.up[0]:
            self.reach_hub(self.up[0])
        self.reach_hub(self.up.pop(0))

    def reach_hub(self, frame: str) -> None:
        match self.hub.receive(frame, self.now):
            case Push(events=events):
                self.hub_pending += [e.seq for e in events]
            case Hello(hub_seq=cursor):
                self.hub.welcome(
                    hub_epoch="h",
                    acked_seq=len(self.hub_has),
                    hub_seq=cursor,
                    time=AT,
                    verdicts=(),
                )
            case _:
                pass
        self.flush()

    @precondition(lambda self: self.hub_pending)
    @rule()
    def hub_commits(self) -> None:
        self.hub_has += self.hub_pending
        self.hub_pending = []
        self.hub.committed(self.hub_has[-1])
        self.flush()

    @precondition(lambda self: self.down)
    @rule()
    def frame_reaches_the_worker(self) -> None:
        match self.worker.receive(self.down.pop(0), self.now):
            case Events(upto=upto, events=events):
                self.worker_has += [n.hub_seq for n in events]
                self.cursor = upto
                self.worker.applied(upto)
            case _:
                pass
        self.flush()

    @rule()
    def line_is_cut(self) -> None:
        self.now += 1
        self.connect()

    @invariant()
    def nobody_was_sent_away(self) -> None:
        assert self.worker.close_error is None, repr(self.worker)
        assert self.hub.close_error is None, repr(self.hub)

    @invariant()
    def what_is_committed_is_a_beginning_of_what_was_written(self) -> None:
        assert self.hub_has == list(range(1, len(self.hub_has) + 1))
        assert len(self.hub_has) <= self.outbox
        written = [n.hub_seq for n in self.hub_log]
        assert self.worker_has == written[: len(self.worker_has)]

    @invariant()
    def nothing_is_acknowledged_that_is_not_committed(self) -> None:
        assert self.worker.acked_seq <= len(self.hub_has)

    def teardown(self) -> None:
        """After the last cut, a quiet line brings everything over."""
        self.connect()
        for _ in range(10 * (self.outbox + len(self.hub_log)) + 20):
            if self.worker.phase is Phase.OPEN:
                self.worker_pushes()
            if self.hub.phase is Phase.OPEN:
                self.hub_sends(4)
            if self.up:
                self.frame_reaches_the_hub()
            if self.hub_pending:
                self.hub_commits()
            if self.down:
                self.frame_reaches_the_worker()
        assert len(self.hub_has) == self.outbox
        assert self.worker_has == [n.hub_seq for n in self.hub_log]
        assert self.worker.acked_seq == self.outbox


TestConversation = pytest.mark.timeout(120)(Conversation.TestCase)
Conversation.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
