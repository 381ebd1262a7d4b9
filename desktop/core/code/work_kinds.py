"""The six kinds of work orders as a table: purpose, rules, tools, level, and what is accepted.

Nothing else in the program asks for the name of a kind: what a kind is lies in its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.kinds.code import Delivery, Level


class Wants(StrEnum):
    """What the tests must have done for a change to be accepted."""

    NO_CHANGE = "no_change"
    """Nothing was changed, so nothing is run; findings are wanted."""
    NOT_WORSE = "not_worse"
    """Nothing fails that passed, and nothing that passed is gone."""
    GREEN = "green"
    """Nothing fails any more."""
    MORE = "more"
    """More tests pass than before, and none fails anew."""


READING = ("read", "grep", "run", "ask_human", "submit")
CHANGING = ("read", "write", "edit", "run", "grep", "ask_human", "submit")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkKind:
    """One kind of work order."""

    name: str
    noun: str
    """How people read it: "bugfix #K7Q2"."""
    purpose: str
    """What the agent is there for, in its prompt."""
    rules: tuple[str, ...]
    """What the agent is told beside that; acceptance holds it to them."""
    wants: Wants
    tools: tuple[str, ...] = CHANGING
    """Of the built-in agent."""
    level: Level = Level.SUPERVISED
    """When the work order names none."""
    delivery: Delivery = Delivery.PULL_REQUEST
    is_docs_only: bool = False
    """Whether nothing but documentation may change."""
    guards_tests: bool = False
    """Whether a change of tests that were there before is worth a warning."""

    @property
    def changes(self) -> bool:
        return self.wants is not Wants.NO_CHANGE


_ROWS = (
    WorkKind(
        name="code.feature",
        noun="feature",
        purpose="Add what is asked for to this program.",
        rules=(
            "Write tests for what you add, in the manner of those that are there.",
            "All tests that passed before must still pass.",
        ),
        wants=Wants.NOT_WORSE,
    ),
    WorkKind(
        name="code.bugfix",
        noun="bugfix",
        purpose="Find the cause of what is described and mend it.",
        rules=(
            "Mend the cause, with the smallest change that does; do not bend tests to the bug.",
            "If no test shows the bug, write one that does.",
            "All tests must pass in the end.",
        ),
        wants=Wants.GREEN,
        guards_tests=True,
    ),
    WorkKind(
        name="code.test",
        noun="tests",
        purpose="Write tests that are missing.",
        rules=(
            "Change tests only. If they show a bug, do not mend it: tell of it in your last words.",
            "More tests must pass than before, and each must be able to fail.",
        ),
        wants=Wants.MORE,
    ),
    WorkKind(
        name="code.docs",
        noun="docs",
        purpose="Write or mend the documentation.",
        rules=(
            "Change documentation files only; no line of code, no settings.",
            "Check what you write against the code.",
        ),
        wants=Wants.NOT_WORSE,
        is_docs_only=True,
    ),
    WorkKind(
        name="code.refactor",
        noun="refactoring",
        purpose="Make this code better without changing what it does.",
        rules=(
            "What others call must stay as it is: names, arguments, results, files, output.",
            "All tests that passed before must still pass, and none may go.",
        ),
        wants=Wants.NOT_WORSE,
        guards_tests=True,
    ),
    WorkKind(
        name="code.review",
        noun="review",
        purpose="Read this code and say what is wrong with it.",
        rules=(
            "Change nothing.",
            "Tell only what you are sure of, the worst first; style is no finding.",
        ),
        wants=Wants.NO_CHANGE,
        tools=READING,
        delivery=Delivery.KEEP,
    ),
)
WORK_KINDS: Mapping[str, WorkKind] = {row.name: row for row in _ROWS}
