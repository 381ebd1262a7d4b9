"""One hub, its workers and their lines, and what must be true of them whatever happens."""

from __future__ import annotations

import itertools
from collections import Counter

from hub.core.job import HELD_STATES, Life
from shared.events import Event, JobFailed, JobSucceeded
from shared.ids import JobId
from shared.jobs import JobState
from shared.messages import Beat
from shared.protocol import BEAT_SECONDS, DEAD_SECONDS, Phase
from tests.makers import PASSING, PUSH
from tests.protocol_machine.line import Clock, Line
from tests.protocol_machine.paper_hub import PaperHub
from tests.protocol_machine.paper_worker import Key, PaperWorker

WORKERS = 2
JOBS_MAX = 4
QUIET_ROUNDS = 60
PATIENT_ROUNDS = 40
STEP_SECONDS = 0.01
_HUB_BEAT = Beat()
_HARMLESS = frozenset(
    # A frame that was cut, a hello that was repeated, a side that was silent or took over.
    {"frame_malformed", "hello_twice", "welcome_twice", "hello_late", "peer_silent",
     "connection_replaced", "hello_missing", "not_welcomed"}
)  # fmt: skip
"""Why a line may end between honest ends."""


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.hub = PaperHub(self.clock)
        self.workers = [PaperWorker(f"w{n}", self.clock) for n in range(WORKERS)]
        self.is_hub_slow = False
        """Whether its disk takes longer than the network."""
        self.faults: Counter[str] = Counter()
        self.ended: dict[JobId, tuple[Life, int]] = {}
        """Jobs that were seen in a state that is final."""
        self.looked_at: dict[str, tuple[int, int]] = {}
        """By worker: how much of its log and of its copy was found right."""
        for worker in self.workers:
            self.connect(worker)

    # What happens by itself.

    def connect(self, worker: PaperWorker) -> None:
        if worker.line is None:
            self.hub.connect(worker.connect())

    def lines_of(self, worker: PaperWorker) -> list[Line]:
        """Lines of a worker that the hub still reads, the oldest first."""
        return [line for line in self.hub.lines if line.device == worker.device]

    def carry_up(self, worker: PaperWorker, count: int) -> None:
        """Let the hub read frames of a worker, those of an older line first."""
        for _ in range(count):
            line = next(
                (one for one in self.lines_of(worker) if one.up and not one.is_welcoming), None
            )
            if line is None:
                return
            self.hub.receive(line)
            self.check_ends(line)

    def carry_down(self, worker: PaperWorker, count: int) -> None:
        for _ in range(count):
            line = worker.line
            if line is None or not line.down or worker.is_reading:
                return
            worker.receive()
            self.check_ends(line)

    def notice(self) -> None:
        """Ends find out that the other side is gone, once they have read what it sent."""
        for line in list(self.hub.lines):
            if line.ended_by_worker and not line.up and not line.is_welcoming:
                self.hub.lose(line)
        for worker in self.workers:
            up = worker.line
            if up is not None and up.ended_by_hub and not up.down and not worker.is_reading:
                worker.leave()

    def go_on(self, rounds: int) -> None:
        """Let everything take its course: frames arrive, stores commit, jobs are offered."""
        for _ in range(rounds):
            self.clock.advance(STEP_SECONDS)
            for worker in self.workers:
                self.connect(worker)
                self.carry_up(worker, 8)
            if not self.is_hub_slow:
                self.hub.commit()
            self.hub.place()
            for line in list(self.hub.lines):
                self.hub.stream(line, 10)
            for worker in self.workers:
                self.carry_down(worker, 8)
                worker.commit()
            self.check()
            if self.is_hub_slow:
                self.hub.commit()
            self.notice()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for line in list(self.hub.lines):
            if line.hub.poll(self.clock.seconds):
                line.hub.send(_HUB_BEAT)
            self.hub.look_at(line)
        for worker in self.workers:
            if worker.line is not None:
                if worker.line.worker.poll(self.clock.seconds):
                    worker.line.worker.send(worker.beat())
                worker.look_at_line()
        self.hub.rescue()
        self.hub.run_questions_out()

    # What children do.

    def child_succeeds(self, worker: PaperWorker, key: Key) -> None:
        worker.child_ends(
            key, lambda **names: JobSucceeded(**names, result={"headline": "x"}, running_seconds=1)
        )

    def child_fails(self, worker: PaperWorker, key: Key) -> None:
        worker.child_ends(key, lambda **names: JobFailed(**names, error=PASSING))

    # What must be true.

    def check_ends(self, line: Line) -> None:
        """Honest ends that lose nothing out of the middle have nothing to reproach each other."""
        for error in (line.hub.close_error, line.worker.close_error):
            assert error is None or error.code in _HARMLESS, repr(error)

    def check(self) -> None:
        for worker in self.workers:
            self.check_logs(worker)
        self.check_grants()
        self.check_ends_are_final()
        self.check_answers()

    def check_logs(self, worker: PaperWorker) -> None:
        """What has arrived is a beginning of what was written; an ack means committed."""
        written, taken = worker.store.outbox, self.taken(worker)
        copy, log = worker.store.copy, self.hub.store.log
        # Nothing is ever taken out of these, so that what was looked at need not be again.
        of_log, of_copy = self.looked_at.get(worker.device, (0, 0))
        assert taken[of_log:] == written[of_log : len(taken)], "a log is not what was written"
        assert copy[of_copy:] == log[of_copy : len(copy)], "a copy is not the log's beginning"
        self.looked_at[worker.device] = len(taken), len(copy)
        assert worker.store.acked <= len(taken), "an event was acknowledged and not committed"
        if worker.line is not None and worker.line.worker.phase is Phase.OPEN:
            assert worker.line.worker.acked_seq <= len(taken), "an ack came before its commit"
        if copy:
            assert worker.store.hub_seq >= copy[-1].hub_seq, "the cursor is behind its events"

    def taken(self, worker: PaperWorker) -> list[Event]:
        return self.hub.store.taken.get((worker.device, 1), [])

    def check_grants(self) -> None:
        """Only who was granted an attempt starts it, once; a second start harms nothing."""
        starts: Counter[JobId] = Counter()
        for worker in self.workers:
            for (job_id, attempt, fence), count in worker.starts.items():
                assert count == 1, f"{job_id} was started {count} times under one grant"
                holder = self.hub.store.grants.get((job_id, attempt, fence))
                assert holder == worker.device, f"{job_id} was started without its grant"
                starts[job_id] += 1
        for job_id, count in starts.items():
            job = self.hub.store.jobs[job_id]
            if count > 1 and job.kind == PUSH.name:
                is_wanted = job_id in self.hub.store.second_chances or job.life.failures
                assert is_wanted or self.was_parked(job_id), f"{job_id} ran {count} times"
        for job in self.hub.store.jobs.values():
            assert not job.life.is_held or job.life.state in HELD_STATES

    def was_parked(self, job_id: JobId) -> bool:
        """Whether a person's answer started it again, which is no rerun: its child had ended."""
        return any(
            n.event.type == "job_parked" and n.event.entity == job_id for n in self.hub.store.log
        )

    def check_ends_are_final(self) -> None:
        for job_id, job in self.hub.store.jobs.items():
            chances = int(job_id in self.hub.store.second_chances)
            before, counted = self.ended.get(job_id, (None, 0))
            if before is not None and counted == chances:
                assert job.life == before, f"{job_id} had ended and moved on"
            if job.life.state.is_terminal:
                self.ended[job_id] = job.life, chances

    def check_answers(self) -> None:
        for worker in self.workers:
            for question_id, value in worker.used.items():
                answer = self.hub.store.questions[question_id].answer
                assert answer is not None
                assert answer.value == value, "a job went on with an answer that does not count"

    # The end.

    def settle(self) -> None:
        """After a quiet while nothing is under way any more; silence alone tells of dead lines."""
        for worker in self.workers:
            worker.said_no = False
        self.is_hub_slow = False
        for round_number in itertools.count():
            assert round_number < QUIET_ROUNDS, f"stuck: {self.unfinished()}"
            self.go_on(3)
            for worker in self.workers:
                for key in sorted(worker.children):
                    attempt = worker.store.journal.get(key)
                    if attempt is not None and attempt.is_alive:
                        self.child_succeeds(worker, key)
            for question in list(self.hub.store.questions.values()):
                if question.state.is_open:
                    self.hub.answer(question.question_id, "1", "anna")
            self.check()
            if not self.unfinished():
                break
            # Offers that nobody answered, absences and retries have their time; a retry has hours
            # when a wall clock was set back.
            self.pass_time(20.0 if round_number < PATIENT_ROUNDS else 3600.0)
        self.check_beats()
        self.check_after()

    def unfinished(self) -> list[str]:
        store = self.hub.store
        left = [
            f"{job.job_id} is {job.life.state}"
            for job in store.jobs.values()
            if not job.life.state.is_terminal and job.life.state is not JobState.INTERRUPTED
        ]
        for worker in self.workers:
            left += [f"{worker.device} holds {a}" for a in worker.store.journal.values()]
            waiting = len(worker.store.outbox) - worker.store.acked
            left += [f"{waiting} events of {worker.device} wait"] if waiting else []
            if worker.store.copy != store.log:
                left.append(f"{worker.device} lacks what the hub tells")
        return left + ["transactions wait"] * bool(self.hub.pending)

    def check_after(self) -> None:
        live = self.hub.board.contents()
        self.hub.rise()
        assert self.hub.board.contents() == live, "the board is not what its store makes of it"
        for worker in self.workers:
            assert self.taken(worker) == worker.store.outbox

    def rest(self) -> None:
        self.pass_time(BEAT_SECONDS)
        self.go_on(2)

    def check_beats(self) -> None:
        """Beats keep a quiet line; without them both sides notice, each for itself."""
        for _ in range(4):
            self.rest()
        lines = [worker.line for worker in self.workers]
        for _ in range(4):
            self.rest()
        assert lines == [worker.line for worker in self.workers], "a quiet line was given up"
        for line in lines:
            assert line is not None
            line.cut()
        for _ in range(round(DEAD_SECONDS / BEAT_SECONDS)):
            self.pass_time(BEAT_SECONDS)
        for line in lines:
            assert line is not None
            assert line.worker.phase is Phase.CLOSED, "a worker believes in a dead line"
            assert line.hub.phase is Phase.CLOSED, "the hub believes in a dead line"
