"""Staying with a run until its end: the bar, its questions, Ctrl-C."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
import time
from dataclasses import dataclass

from desktop.commands.asking import Asker
from desktop.commands.hosting import Host
from desktop.commands.printing import say
from desktop.commands.probe_bar import Bar, Pace, Standing
from desktop.store import copied
from desktop.store.copied import Job, QuestionRow
from desktop.store.transcripts import opening, reading
from desktop.store.transcripts.records import Run
from desktop.system.paths import Paths
from shared.database import peek
from shared.errors import AppError, NotAllowed
from shared.ids import JobId, short
from shared.plain_text import plain_line

LOOK_SECONDS = 0.2
STOP_SECONDS = 30.0
"""How long a run may take to stop; what is asked by then is kept anyway."""
STATS_SECONDS = 120.0
STATS = "llm.stats"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of it."""

    job: Job
    run: Run | None
    """None when nothing of it was written down."""
    stats: Job | None = None
    is_stopped: bool = False
    """By Ctrl-C."""


class RunWatch:
    """Watches one run's job."""

    def __init__(
        self,
        paths: Paths,
        host: Host,
        job_id: JobId,
        run_id: str,
        *,
        is_own: bool,
        is_quiet: bool,
    ) -> None:
        """Watch.

        Args:
            paths: of the profile.
            host: who does the job.
            job_id: of the run's job.
            run_id: of the run, which may be an older one.
            is_own: this process does it, so that nobody but who is here can answer.
            is_quiet: say nothing but the end.
        """
        self._paths = paths
        self._host = host
        self._job_id = job_id
        self._run_id = run_id
        self._is_own = is_own
        self._is_quiet = is_quiet
        self._bar = Bar(is_quiet=is_quiet)
        self._pace = Pace()
        self._note = ""

    def until_end(self) -> Ended:
        """Stay until the run has ended and its statistics are there.

        The first Ctrl-C stops the run and waits until that is done; the second one is passed on.

        Raises:
            NotAllowed: `question_open`: it asks, and nobody is there to answer.
            AppError: whoever does the job cannot go on.
        """
        with peek(self._host.store) as connection:
            try:
                job = self._job_end(connection)
            except KeyboardInterrupt:
                return self._stopped(connection)
            finally:
                self._bar.keep()
            return Ended(job=job, run=self._run(), stats=self._statistics(connection, job))

    def _stopped(self, connection: sqlite3.Connection) -> Ended:
        self._bar.keep()
        if not self._is_quiet:
            say("Stopping; what is answered is kept. Ctrl-C again ends it at once.")
        self._note = "stopping"
        self._host.cancel(self._job_id)
        try:
            job = self._job_end(connection, seconds=STOP_SECONDS)
        except KeyboardInterrupt:
            self._bar.keep()
            print(f"Go on with: deskhand probe --resume {short(self._run_id)}", file=sys.stderr)
            raise
        return Ended(job=job, run=self._run(), is_stopped=True)

    def _job_end(self, connection: sqlite3.Connection, seconds: float | None = None) -> Job:
        asker = Asker(connection, self._give)
        ends = None if seconds is None else time.monotonic() + seconds
        while True:
            found = copied.job(connection, self._job_id)
            if found is not None and (found.row.state.is_terminal or _is_past(ends)):
                self._show()
                return found
            self._show()
            if seconds is None:
                self._ask(connection, asker)
            time.sleep(LOOK_SECONDS)

    def _ask(self, connection: sqlite3.Connection, asker: Asker) -> None:
        for question in copied.questions(connection, self._job_id):
            if asker.is_new(question):
                self._bar.clear()
                if self._is_quiet or not sys.stdin.isatty():
                    self._answer_alone(question)
                else:
                    asker.ask(question)

    def _answer_alone(self, question: QuestionRow) -> None:
        """Nobody is at the terminal: others may answer, or the default is taken."""
        asking, name = question.asking, short(self._job_id)
        if not self._is_own:
            told = f"#{name} asks: {asking.text} (deskhand answer {name} VALUE)"
            print(plain_line(told), file=sys.stderr)
            return
        if asking.default is not None:
            # What is taken then anyway is taken at once.
            if not self._is_quiet:
                say(asking.text)
                say(f"> {asking.label_of(asking.default)}")
            self._give(question, asking.default)
            return
        self._host.cancel(self._job_id)
        known = ", ".join(choice.label for choice in asking.choices[:10])
        raise NotAllowed(
            "question_open",
            f"It asks: {asking.text}" + (f" ({known})" if known else ""),
            "Say it with an option, or run this in a terminal.",
        )

    def _give(self, question: QuestionRow, value: str) -> None:
        self._host.answer(question.question_id, self._job_id, value)

    def _show(self) -> None:
        self._host.check()
        run = self._run()
        if run is None:
            self._bar.wait(self._note or "preparing")
            return
        left = self._pace.left_seconds(run.done, run.total, time.monotonic())
        self._bar.show(
            Standing(
                done=run.done,
                total=run.total,
                failed=run.failed,
                refused=run.refused,
                faults=run.faults,
                cost_usd=run.cost_usd,
                left_seconds=None if self._note else left,
                note=self._note,
            )
        )

    def _run(self) -> Run | None:
        with contextlib.suppress(AppError), opening.reading(self._paths.data) as connection:
            return reading.run(connection, self._run_id)
        return None

    def _statistics(self, connection: sqlite3.Connection, job: Job) -> Job | None:
        """Wait for what follows the run; None when nothing does, or not soon."""
        ends = time.monotonic() + STATS_SECONDS
        while True:
            rows = copied.jobs_of_task(connection, job.row.task_id)
            found = [row for row in rows if row.kind == STATS]
            if not found:
                return None
            if found[-1].state.is_terminal:
                return copied.job(connection, found[-1].job_id)
            if _is_past(ends):
                say(f"The statistics are not ready yet: deskhand job {found[-1].short_id}")
                return None
            time.sleep(LOOK_SECONDS)


def _is_past(moment: float | None) -> bool:
    return moment is not None and time.monotonic() >= moment
