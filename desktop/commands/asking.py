"""What jobs ask, answered at a terminal; somebody else may be faster."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Mapping
from types import MappingProxyType

from desktop.commands.printing import say
from desktop.commands.questions import choices, value_of
from desktop.store import copied
from desktop.store.copied import QuestionRow
from shared.errors import BadInput
from shared.ids import QuestionId

LOOK_SECONDS = 0.3


class Asker:
    """Asks each question once."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        give: Callable[[QuestionRow, str], None],
        words: Mapping[str, Callable[[QuestionRow], bool]] = MappingProxyType({}),
    ) -> None:
        """Ask.

        Args:
            connection: to the store, where answers of others are seen.
            give: passes an answer on.
            words: what is done when one of them is typed instead of an answer; a deed that says
                False has done nothing, and the word counts as an answer.
        """
        self._connection = connection
        self._give = give
        self._words = words
        self._asked: set[QuestionId] = set()

    def is_new(self, question: QuestionRow) -> bool:
        """Say whether a question is open and was not asked yet; note that it is asked now."""
        if not question.is_open or question.question_id in self._asked:
            return False
        self._asked.add(question.question_id)
        return True

    def ask(self, question: QuestionRow) -> None:
        """Show a question and wait for an answer that fits; pass it on."""
        say(question.asking.text)
        for line in choices(question.asking):
            say(line)
        if question.asking.more and self._words:
            say(f"  or {', '.join(self._words)}, to see it first")
        value = self._answer(question)
        if value is not None:
            self._give(question, value)

    def _answer(self, question: QuestionRow) -> str | None:
        """Read an answer that fits; None when somebody else was faster."""
        while (line := self._typed(question.question_id)) is not None:
            deed = self._words.get(line.casefold())
            if deed is not None and deed(question):
                continue
            try:
                return value_of(question.asking, line)
            except BadInput as error:
                say(str(error))
        return None

    def _typed(self, question_id: QuestionId) -> str | None:
        print("> ", end="", flush=True)
        while not _is_readable():
            now = copied.question(self._connection, question_id)
            if now is None or not now.is_open:
                print()
                if now is not None and now.value:
                    say(f"Answered by {now.answered_by}: {now.asking.label_of(now.value)}")
                return None
        line = sys.stdin.readline()
        return line.strip() if line else None  # Ctrl-D: somebody else may answer


def _is_readable() -> bool:
    """Wait a moment for a typed line; where terminals cannot be waited for, say yes at once."""
    if sys.platform == "win32":
        return True
    import select

    return bool(select.select([sys.stdin], [], [], LOOK_SECONDS)[0])
