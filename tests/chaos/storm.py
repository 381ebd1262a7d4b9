"""A storm: a person keeps asking, answering and cancelling while faults happen; then it is judged.

Nothing acknowledged may be lost, nothing may have its effect twice, nothing may stay open. An
effect that a crash has cut off is answered with "Mark done", a dead letter is queued again: that
is what people are for; everything else has to come right by itself.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.errors import AppError
from tests.chaos.deck import DECK, End, Fault, worker_restored
from tests.chaos.machine import Machine
from tests.chaos.oracles import ENDED, Found, judge
from tests.chaos.storm_world import World

KINDS = ("play.count", "play.effect", "play.effect", "play.ask")
PAUSES_MS = (0, 30, 300, 1500)
LINGER_SECONDS = (0.0, 0.02, 0.1, 0.3)
AT_A_MACHINE = 0.35
"""How often a thing is asked for, answered or cancelled at a machine instead of over REST."""
CANCELS = 0.08
LASTS = 0.5
"""How often a fault that lasts goes on through the next one."""
TEND_SECONDS = 0.1
COLOURS = ("red", "blue")


@dataclass
class Told:
    """What the person was promised."""

    asked: dict[str, str] = field(default_factory=dict)
    """Job id -> kind: everything that was acknowledged."""
    answers: dict[str, set[str]] = field(default_factory=dict)
    """Job id -> every answer that may have been taken."""
    cancelled: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    """How each job was found ended first."""
    changed: list[str] = field(default_factory=list)
    """Jobs that were found otherwise after their end."""


class Storm:
    """One world's bad day."""

    def __init__(self, world: World, deck: Sequence[Fault] = DECK) -> None:
        self._world = world
        self._deck = deck
        self._random = world.random
        self._number = 0
        self._lasting: list[End] = []
        self.told = Told()
        self.faults: Counter[str] = Counter()

    def run(self, faults: int) -> Found:
        """Let faults happen, then let everything come right, and judge."""
        for _ in range(faults):
            self.step()
        return self.end()

    def leave_out(self, name: str) -> None:
        """Let a fault never happen."""
        self._deck = tuple(fault for fault in self._deck if fault.__name__ != name)

    def work(self) -> None:
        """Ask for something or two, answer, change one's mind."""
        self._ask()
        if self._random.random() < 0.5:
            self._ask()
        self._answer()
        self._cancel()

    def tend(self) -> None:
        """Answer whatever is asked, also what was interrupted, and wait a moment."""
        if self._hub_listens():
            self.answer_all(mark_done=True)
        time.sleep(TEND_SECONDS)

    def open_count(self) -> int:
        """How many jobs have not ended, as the hub knows."""
        return sum(state not in ENDED for state in self._world.hub_jobs().values())

    def step(self) -> None:
        """One fault in the midst of work."""
        self.work()
        time.sleep(self._random.choice(LINGER_SECONDS))
        self._happen(self._random.choice(self._deck))
        self._note_endings()

    def end(self) -> Found:
        """Heal everything, wait until all has ended, and judge."""
        self._end_lasting()
        self._world.make_whole()
        stuck = self._settle()
        self._note_endings()
        return judge(self._world, self.told, stuck)

    def _happen(self, fault: Fault) -> None:
        if self._lasting and self._random.random() > LASTS:
            self._end_lasting()
        if not self._is_possible(fault):
            self._end_lasting()
        if fault is worker_restored:
            self._forget_untold()
        self.faults[fault.__name__] += 1
        end = fault(self._world)
        if end is not None:
            self._lasting.append(end)

    def _is_possible(self, fault: Fault) -> bool:
        """Nobody is killed who is dead: whatever touches a program wants all of them up."""
        return "line" in fault.__name__ or not self._lasting

    def _end_lasting(self) -> None:
        for end in self._lasting:
            end()
        self._lasting.clear()

    # What the person does.

    def _ask(self) -> None:
        self._number += 1
        kind = self._random.choice(KINDS)
        inputs: dict[str, object] = {
            "text": str(self._world.marks),
            "number": self._random.choice(PAUSES_MS),
        }
        at_a_machine = self._random.random() < AT_A_MACHINE
        if not at_a_machine and self._hub_listens():
            key = f"job {self._number}"
            taken = self._world.wait_for(
                f"the hub takes {key}", lambda: self._world.person.ask(key, kind, inputs)
            )
            assert taken is not None
            job_id = taken
        else:
            machine = self._world.pick_machine()
            here = self._random.choice(["", machine.worker_id])
            told = self._tell(machine, "request", kind=kind, inputs=inputs, worker_id=here)
            if told is None:
                return
            job_id = str(told["job_id"])
        self.told.asked[job_id] = kind

    def _answer(self) -> None:
        if not self._hub_listens():
            return
        with contextlib.suppress(OSError):
            self.answer_all(mark_done=False)

    def answer_all(self, *, mark_done: bool) -> None:
        """Answer what is asked: a colour once; what was interrupted, only at the end."""
        for question in self._world.person.questions():
            job_id, question_id = str(question["job_id"]), str(question["question_id"])
            if _is_colour(question):
                colour = self._random.choice(COLOURS)
                self.told.answers.setdefault(job_id, set()).add(colour)
                if self._random.random() < AT_A_MACHINE:
                    self._tell(
                        self._world.pick_machine(), "answer",
                        question_id=question_id, job_id=job_id, value=colour,
                    )  # fmt: skip
                else:
                    self._world.person.answer(question_id, colour.capitalize())
            elif mark_done:
                self._world.person.answer(question_id, "Mark done")

    def _cancel(self) -> None:
        if not self.told.asked or self._random.random() > CANCELS:
            return
        job_id = self._random.choice(sorted(self.told.asked))
        self.told.cancelled.add(job_id)
        if self._random.random() < AT_A_MACHINE or not self._hub_listens():
            self._tell(self._world.pick_machine(), "cancel", job_id=job_id)
        else:
            self._world.person.cancel(job_id)

    def _tell(self, machine: Machine, order: str, **arguments: object) -> dict[str, object] | None:
        assert machine.program is not None
        if machine.program.is_stopped:
            return None
        with contextlib.suppress(AppError):
            return machine.tell(order, arguments)  # type: ignore[arg-type,return-value]
        return None

    def _hub_listens(self) -> bool:
        hub = self._world.hub
        return hub is not None and hub.is_alive and not hub.is_stopped

    # What is looked at.

    def _forget_untold(self) -> None:
        """What only a machine knew whose store is taken back is lost with it."""
        known = self._world.hub_jobs()
        self.told.asked = {job: kind for job, kind in self.told.asked.items() if job in known}

    def _note_endings(self) -> None:
        """Whatever has ended once must be found as it was."""
        for job_id, state in self._world.hub_jobs().items():
            before = self.told.ended.get(job_id)
            if before is not None and before != state:
                self.told.changed.append(f"{job_id} was {before}, is {state}")
            if state in ENDED:
                self.told.ended[job_id] = state

    def _settle(self) -> list[str]:
        """Wait until everything has ended; name what does not."""

        def is_quiet() -> bool:
            self._world.hurry()
            with contextlib.suppress(OSError):
                self.answer_all(mark_done=True)
            states = self._world.hub_jobs()
            for job_id in (job for job, state in states.items() if state == "dead"):
                self._world.person.retry(job_id)
            self._give_up_refused()
            return not self._open(states)

        try:
            self._world.wait_for("everything has ended", is_quiet)
        except AssertionError:
            return self._open(self._world.hub_jobs())
        return []

    def _give_up_refused(self) -> None:
        """Cancel what its own machine refuses: since it was taken back, it has not asked for it."""
        for _, body in self._world.hub_events("job_queued"):
            job_id = str(body["job_id"])
            if body["reason"] == "declined" and job_id not in self.told.cancelled:
                self.told.cancelled.add(job_id)
                self._world.person.cancel(job_id)

    def _open(self, states: dict[str, str]) -> list[str]:
        found = [f"{job} is {state}" for job, state in states.items() if state not in ENDED]
        for machine in self._world.machines.values():
            copied = machine.copied_jobs()
            if count := machine.waiting_count():
                found.append(f"{machine.name} has {count} events that nobody has acknowledged")
            elif count := machine.held_count():
                found.append(f"{machine.name} holds {count} attempts")
            elif copied != states:
                odd = {job for job in states | copied if states.get(job) != copied.get(job)}
                found.append(f"the copy of {machine.name} differs in {sorted(odd)}")
        return found


def _is_colour(question: dict[str, object]) -> bool:
    asking = question["asking"]
    return isinstance(asking, dict) and asking["key"] == "colour"
