"""Staying with a coding job until its end: what it says, how far it is, its questions, Ctrl-C."""

from __future__ import annotations

import sqlite3
import sys
import time
from dataclasses import dataclass

from desktop.commands.asking import Asker
from desktop.commands.diff import show_change
from desktop.commands.hosting import Host
from desktop.commands.printing import say
from desktop.commands.status_line import StatusLine
from desktop.store import copied, copied_lines
from desktop.store.copied import Job, QuestionRow
from desktop.system.paths import Paths
from shared.database import peek
from shared.errors import NotAllowed
from shared.ids import JobId, short
from shared.plain_text import plain_line

LOOK_SECONDS = 0.2
STOP_SECONDS = 30.0
LINES_MAX = 200
"""Of the log, shown at one look."""
DIFF_WORD = "diff"
"""What is typed at a question to see what it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What came of it."""

    job: Job
    questions: tuple[QuestionRow, ...] = ()
    is_stopped: bool = False
    """By Ctrl-C."""


class CodeWatch:
    """Watches one coding job."""

    def __init__(
        self, paths: Paths, host: Host, job_id: JobId, *, is_own: bool, is_quiet: bool
    ) -> None:
        """Watch.

        Args:
            paths: of the profile.
            host: who does the job.
            job_id: of the job.
            is_own: this process does it, so that nobody but who is here can answer.
            is_quiet: say nothing but the end.
        """
        self._paths = paths
        self._host = host
        self._job_id = job_id
        self._is_own = is_own
        self._is_quiet = is_quiet
        self._line = StatusLine(is_quiet=is_quiet)
        self._known_lines = 0
        self._began = time.monotonic()

    def until_end(self) -> Ended:
        """Stay until the job has ended.

        The first Ctrl-C stops the job and waits until that is done; the second one is passed on.

        Raises:
            NotAllowed: `question_open`: it asks, and nobody is there to answer.
            AppError: whoever does the job cannot go on.
        """
        with peek(self._host.store) as connection:
            is_stopped = False
            try:
                job = self._job_end(connection)
            except KeyboardInterrupt:
                is_stopped = True
                job = self._stopped(connection)
            finally:
                self._line.clear()
            asked = copied.questions(connection, self._job_id)
            return Ended(job=job, questions=asked, is_stopped=is_stopped)

    def _stopped(self, connection: sqlite3.Connection) -> Job:
        self._line.clear()
        if not self._is_quiet:
            say("Stopping; nothing is pushed any more. Ctrl-C again ends it at once.")
        self._host.cancel(self._job_id)
        return self._job_end(connection, seconds=STOP_SECONDS)

    def _job_end(self, connection: sqlite3.Connection, seconds: float | None = None) -> Job:
        asker = Asker(connection, self._give, {DIFF_WORD: self._show_more})
        ends = None if seconds is None else time.monotonic() + seconds
        while True:
            self._host.check()
            found = copied.job(connection, self._job_id)
            self._tell(connection)
            if found is not None:
                is_past = ends is not None and time.monotonic() > ends
                if found.row.state.is_terminal or is_past:
                    return found
            if seconds is None:
                self._ask(connection, asker)
            time.sleep(LOOK_SECONDS)

    def _tell(self, connection: sqlite3.Connection) -> None:
        """Show what it said, and how far it is."""
        self._known_lines, fresh = copied_lines.grown(
            connection, self._job_id, known=self._known_lines, limit=LINES_MAX
        )
        for one in fresh:
            self._line.above(one.text)
        progress = self._host.progress(self._job_id)
        stage = progress.stage if progress is not None else "starting"
        self._line.show(stage, time.monotonic() - self._began)

    def _ask(self, connection: sqlite3.Connection, asker: Asker) -> None:
        for question in copied.questions(connection, self._job_id):
            if asker.is_new(question):
                self._line.clear()
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
            print(plain_line(asking.text), file=sys.stderr)
            print(plain_line(f"> {asking.label_of(asking.default)}"), file=sys.stderr)
            self._give(question, asking.default)
            return
        self._host.cancel(self._job_id)
        known = ", ".join(choice.label for choice in asking.choices[:10])
        raise NotAllowed(
            "question_open",
            f"It asks: {asking.text}" + (f" ({known})" if known else ""),
            "Say it with an option, or run this in a terminal.",
        )

    def _show_more(self, question: QuestionRow) -> bool:
        """Show what a question is about; False when it is about nothing more."""
        if not question.asking.more:
            return False
        show_change(self._paths, self._job_id)
        return True

    def _give(self, question: QuestionRow, value: str) -> None:
        self._host.answer(question.question_id, self._job_id, value)
