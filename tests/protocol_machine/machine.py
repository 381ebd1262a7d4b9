"""The state machine: hypothesis chooses what happens, and what goes wrong, and when.

Faults are thrown at random, and tied to a step of the protocol: a trap waits for a message of a
type, and acts when it has been sent.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from shared.ids import JobId
from tests.makers import PROBE, PUSH
from tests.protocol_machine.line import Line
from tests.protocol_machine.paper_worker import Key, PaperWorker
from tests.protocol_machine.world import JOBS_MAX, WORKERS, World

some_worker = st.integers(min_value=0, max_value=WORKERS - 1)
few = st.integers(min_value=1, max_value=4)
UP = ("hello", "push", "accept", "seen", "beat", "decline")
DOWN = ("welcome", "ack", "events", "offer", "grant", "cancel")
THINGS = ("up", "down", "hub", "tell", "keep")
TRAP_ROUNDS_MAX = 12
JOBS_AT_FIRST = 2


class ProtocolMachine(RuleBasedStateMachine):
    tried = 0
    faults = 0

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        type(self).tried += 1
        for number in range(JOBS_AT_FIRST):
            self.person_asks(is_idempotent=bool(number % 2))

    def note(self, fault: str) -> None:
        self.world.faults[fault] += 1
        type(self).faults += 1

    # What people do.

    @rule(is_idempotent=st.booleans())
    def person_asks(self, is_idempotent: bool) -> None:
        jobs = self.world.hub.store.jobs
        if len(jobs) < JOBS_MAX:
            kind = PROBE.name if is_idempotent else PUSH.name
            self.world.hub.request(JobId(f"job-{len(jobs)}"), kind)
            self.world.hub.commit()

    @rule(number=few)
    def person_cancels(self, number: int) -> None:
        self.world.hub.cancel(JobId(f"job-{number - 1}"))

    @rule(number=few)
    def person_tries_again(self, number: int) -> None:
        self.world.hub.retry(JobId(f"job-{number - 1}"))

    @rule(reply=st.sampled_from(["1", "2"]))
    def person_answers(self, reply: str) -> None:
        for question in self.world.hub.store.questions.values():
            self.world.hub.answer(question.question_id, reply, "anna")

    # What goes on.

    @rule(rounds=few)
    def everything_goes_on(self, rounds: int) -> None:
        self.world.go_on(rounds)

    @rule(worker=some_worker, count=few, what=st.sampled_from(THINGS))
    def one_thing_happens(self, worker: int, count: int, what: str) -> None:
        """Frames reach the hub or a worker; a store commits; the hub offers and tells."""
        match what:
            case "up":
                self.world.carry_up(self.at(worker), count)
            case "down":
                self.world.carry_down(self.at(worker), count)
            case "hub":
                self.world.hub.commit()
            case "keep":
                self.at(worker).commit()
            case _:
                self.world.hub.place()
                for line in list(self.world.hub.lines):
                    self.world.hub.stream(line, count)

    @rule(worker=some_worker)
    def a_worker_calls(self, worker: int) -> None:
        self.world.connect(self.at(worker))

    @rule(seconds=st.sampled_from([1.0, 6.0, 16.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    # What children do.

    @rule(number=few, does=st.sampled_from(["succeed", "fail", "ask"]))
    def a_child_acts(self, number: int, does: str) -> None:
        """One of the children ends, or asks; it goes on until there is one."""
        working: list[tuple[PaperWorker, Key]] = []
        for _ in range(TRAP_ROUNDS_MAX):
            working = [(w, key) for w in self.world.workers for key in w.at_work]
            if working:
                break
            self.world.go_on(1)
        else:
            return
        mine, key = working[number % len(working)]
        match does:
            case "succeed":
                self.world.child_succeeds(mine, key)
            case "fail":
                self.world.child_fails(mine, key)
            case _:
                mine.child_asks(key)

    @rule(worker=some_worker)
    def a_worker_wants_nothing_new(self, worker: int) -> None:
        mine = self.at(worker)
        mine.said_no = not mine.said_no

    # What goes wrong.

    @rule()
    def the_hubs_disk_changes_its_pace(self) -> None:
        self.world.is_hub_slow = not self.world.is_hub_slow

    @rule(worker=some_worker, knows=st.sampled_from(["both", "hub", "worker", "nobody"]))
    def a_line_is_cut(self, worker: int, knows: str) -> None:
        if (line := self.at(worker).line) is not None:
            self.cut(self.at(worker), line, knows)

    @rule(worker=some_worker, up=st.booleans())
    def one_way_goes_silent(self, worker: int, up: bool) -> None:
        if (line := self.at(worker).line) is not None:
            self.note("one way")
            line.loses_up |= up
            line.loses_down |= not up

    @rule(worker=some_worker, up=st.booleans())
    def a_frame_comes_twice(self, worker: int, up: bool) -> None:
        frames = self.frames(worker, up=up)
        if frames:
            self.note("doubled frame")
            frames.insert(0, frames[0])

    @rule(worker=some_worker, up=st.booleans())
    def a_frame_is_torn(self, worker: int, up: bool) -> None:
        frames = self.frames(worker, up=up)
        if frames:
            self.note("torn frame")
            frames[0] = frames[0][: len(frames[0]) // 2]

    @rule(worker=some_worker, up=st.booleans())
    def a_stretch_of_a_log_is_skipped(self, worker: int, up: bool) -> None:
        """No transport does that; a program that sends too early would."""
        frames = self.frames(worker, up=up)
        if frames and f'"type":"{"push" if up else "events"}"' in frames[0]:
            self.note("gap")
            frames.popleft()

    @rule(worker=some_worker, is_after=st.booleans())
    def a_worker_falls(self, worker: int, is_after: bool) -> None:
        self.note("worker fell")
        mine = self.at(worker)
        line = mine.line
        if is_after:
            mine.commit_and_fall()
        else:
            mine.rise()
        if line is not None:
            self.cut(mine, line, "both")

    @rule(is_after=st.booleans())
    def the_hub_falls(self, is_after: bool) -> None:
        self.note("hub fell")
        if is_after:
            self.world.hub.commit_and_fall()
        else:
            self.world.hub.rise()

    @rule(hours=st.sampled_from([-72, -1, 1, 72]))
    def the_wall_clock_jumps(self, hours: int) -> None:
        self.note("clock")
        self.world.clock.wall += timedelta(hours=hours)

    @rule(
        worker=some_worker,
        after=st.sampled_from(UP + DOWN),
        does=st.sampled_from(["cut", "one way", "hub falls", "worker falls", "twice"]),
        is_after=st.booleans(),
    )
    def a_trap_is_set(self, worker: int, after: str, does: str, is_after: bool) -> None:
        """Go on until a message of a type is under way; then do one thing to it."""
        up = after in UP
        for _ in range(TRAP_ROUNDS_MAX):
            if any(f'"type":"{after}"' in frame for frame in self.frames(worker, up=up)):
                break
            self.one_step()
        else:
            return
        line = self.at(worker).line
        assert line is not None
        match does:
            case "cut":
                self.cut(self.at(worker), line, "both" if is_after else "nobody")
            case "one way":
                self.one_way_goes_silent(worker, up is is_after)
            case "hub falls":
                self.the_hub_falls(is_after)
            case "worker falls":
                self.a_worker_falls(worker, is_after)
            case _:
                self.a_frame_comes_twice(worker, up)

    def one_step(self) -> None:
        """Go on by so little that a message is seen on its way."""
        world = self.world
        for mine in world.workers:
            world.connect(mine)
            world.carry_up(mine, 1)
        if not world.is_hub_slow:
            world.hub.commit()
        world.hub.place()
        for line in list(world.hub.lines):
            world.hub.stream(line, 4)
        for mine in world.workers:
            world.carry_down(mine, 1)
            mine.commit()
        world.check()
        world.hub.commit()
        world.notice()

    def at(self, worker: int) -> PaperWorker:
        return self.world.workers[worker]

    def frames(self, worker: int, *, up: bool) -> deque[str]:
        line = self.at(worker).line
        if line is None:
            return deque()
        return line.up if up else line.down

    def cut(self, mine: PaperWorker, line: Line, knows: str) -> None:
        self.note("cut")
        line.cut()
        if knows in ("both", "worker") and mine.line is line:
            mine.leave()
        if knows in ("both", "hub") and not line.is_welcoming:
            self.world.hub.lose(line)

    @invariant()
    def all_is_well(self) -> None:
        self.world.check()

    def teardown(self) -> None:
        self.world.settle()
