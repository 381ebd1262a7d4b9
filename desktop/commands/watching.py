"""Waiting at a terminal for a job: its progress, its questions, its end.

The store is looked at a few times a second, as long as somebody waits; the job itself does not
notice whether anybody does.
"""

from __future__ import annotations

import sqlite3
import sys
import time

from desktop.commands import shapes
from desktop.commands.asking import LOOK_SECONDS, Asker
from desktop.commands.deeds import request, running
from desktop.commands.finding import reading
from desktop.commands.jobs import result_lines
from desktop.commands.placing import place_of
from desktop.commands.printing import say, say_json
from desktop.commands.worker import EXIT_FAILED, EXIT_OK
from desktop.gui import standing
from desktop.store import copied
from desktop.store.copied import Job, QuestionRow
from desktop.system.paths import Paths
from shared.errors import AppError
from shared.events import AnswerGiven
from shared.ids import JobId, short
from shared.jobs import JobState
from shared.messages import Progress

EXIT_CANCELLED = 4
EXIT_INTERRUPTED = 5
"""Nobody knows how far it came; a person decides whether it is tried again."""
ENDS = {
    JobState.SUCCEEDED: EXIT_OK,
    JobState.FAILED: EXIT_FAILED,
    JobState.DEAD: EXIT_FAILED,
    JobState.CANCELLED: EXIT_CANCELLED,
    JobState.INTERRUPTED: EXIT_INTERRUPTED,
}


def wait(paths: Paths, job_id: JobId, *, is_json: bool) -> int:
    """Stay until a job has ended; return what its end means for a script."""
    with reading(paths) as connection:
        watch = _Watch(paths, connection, job_id, is_quiet=is_json)
        try:
            found = watch.until_end()
        except KeyboardInterrupt:
            if not is_json:
                say(f"The job goes on. Stop it with: deskhand cancel {short(job_id)}")
            raise
        if is_json:
            say_json(shapes.of_whole_job(found, copied.questions(connection, job_id)))
        else:
            say(f"#{short(job_id)} {found.row.state.value}")
            for line in result_lines(found):
                say(line)
    return ENDS[found.row.state]


class _Watch:
    """What of a job was told already, and what is new."""

    def __init__(
        self, paths: Paths, connection: sqlite3.Connection, job_id: JobId, *, is_quiet: bool
    ) -> None:
        self._paths = paths
        self._connection = connection
        self._job_id = job_id
        self._is_quiet = is_quiet
        self._told = ""
        self._asker = Asker(connection, self._give)

    def until_end(self) -> Job:
        while True:
            found = copied.job(self._connection, self._job_id)
            if found is not None:
                if found.row.state in ENDS:
                    return found
                self._look(found)
            time.sleep(LOOK_SECONDS)

    def _look(self, found: Job) -> None:
        where = f" on {found.row.machine}" if found.row.machine else ""
        stands = standing.foot(standing.of_job(found.row, place_of(self._paths, self._connection)))
        state = f"#{found.row.short_id} {found.row.state.value}{where}"
        self._tell(self._progress() or (f"{state}, {stands}" if stands else state))
        for question in copied.questions(self._connection, self._job_id):
            if self._asker.is_new(question):
                self._ask(question)

    def _tell(self, line: str) -> None:
        if line != self._told and not self._is_quiet:
            self._told = line
            say(line)

    def _progress(self) -> str:
        """Say how far it is, when it runs on this machine."""
        try:
            live = running(self._paths, "status") or {}
        except AppError:  # the program is just being stopped; the job's state tells more
            return ""
        told = live.get("progress")
        for one in told if isinstance(told, list) else ():
            progress = Progress.model_validate(one)
            if progress.job_id == self._job_id:
                return step(progress)
        return ""

    def _ask(self, question: QuestionRow) -> None:
        if self._is_quiet or not sys.stdin.isatty():
            told = f"#{short(self._job_id)} asks: {question.asking.text}"
            print(f"{told} (deskhand answer {short(self._job_id)} VALUE)", file=sys.stderr)
            return
        self._asker.ask(question)

    def _give(self, question: QuestionRow, value: str) -> None:
        request(
            self._paths,
            "answer",
            {"question_id": question.question_id, "job_id": self._job_id, "value": value},
            AnswerGiven(question_id=question.question_id, job_id=self._job_id, value=value),
        )


def step(progress: Progress) -> str:
    """Say how far a job is, in steps that are worth a line."""
    told = f"#{short(progress.job_id)} {progress.stage}"
    if progress.total:
        told += f" ({int(100 * progress.done / progress.total) // 10 * 10} %)"
    return told
