"""What an agent is told: the work order, what was not accepted, answers that came late.

Plain words that any agent understands; what a repository or a person wrote stands apart from ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desktop.core.code.findings import SHAPE
from desktop.core.code.work_kinds import WorkKind
from shared.kinds.code import SuiteFacts
from shared.plain_text import plain

OUTPUT_CHARS_MAX = 6000
"""Of what the tests printed, in a prompt."""
HISTORY_CHARS_MAX = 8000
SAID_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What the agent needs to know."""

    kind: WorkKind
    instructions: str
    repository: str
    base: str
    test_command: str = ""
    tests: SuiteFacts | None = None
    """As they were before."""
    findings_at: str = ""
    """Where a review writes its findings."""
    can_reach: Sequence[str] = ()
    """Hosts of packages that may be reached."""


def first(brief: Brief) -> str:
    """Write the prompt that begins a work order."""
    lines = [
        brief.kind.purpose,
        "",
        "What is wanted:",
        plain(brief.instructions).strip(),
        "",
        f"Repository: {brief.repository}, from branch {brief.base}. It is your working folder.",
        _tests_line(brief),
        _network_line(brief.can_reach),
        "",
        "Rules:",
        *(f"- {rule}" for rule in brief.kind.rules),
        "- Do not commit, and leave .git alone: that is done for you.",
        "- When something that matters is unclear, ask the person (ask_human, if you have it) "
        "with a few options and a default; do not guess. Ask only what the code cannot tell.",
        "- You are done when the change is on the disk. It is judged by the change and the tests, "
        "not by what you say; end with two or three sentences on what you did.",
    ]
    if not brief.kind.changes:
        lines += ["", _findings_words(brief.findings_at)]
    return "\n".join(line for line in lines if line is not None)


def further(brief: Brief) -> str:
    """Write the prompt of a work order that follows another in the same session."""
    lines = [
        "The person asks for something further, on top of what was done so far:",
        plain(brief.instructions).strip(),
        "",
        brief.kind.purpose,
        *(f"- {rule}" for rule in brief.kind.rules),
        _tests_line(brief),
    ]
    if not brief.kind.changes:
        lines += ["", _findings_words(brief.findings_at)]
    return "\n".join(lines)


def again(reasons: Sequence[str], output: str = "") -> str:
    """Say why a round was not accepted; `output` is what the tests printed."""
    lines = ["This is not accepted yet:", *(f"- {reason}" for reason in reasons)]
    if output.strip():
        shown = plain(output)[-OUTPUT_CHARS_MAX:]
        lines += ["", "The end of what the tests printed:", "```", shown.strip("\n"), "```"]
    lines += ["", "Mend it, then end your turn."]
    return "\n".join(lines)


def wished(wish: str) -> str:
    """Pass on what the person wants changed."""
    return "\n".join(("The person looked at the change and wants this, too:", plain(wish).strip()))


def answered(question: str, answer: str) -> str:
    """Pass on an answer that came after the agent had ended its turn."""
    return "\n".join(
        (
            "The person has answered your question.",
            f"Question: {plain(question).strip()}",
            f"Answer: {plain(answer).strip()}",
            "Go on with your work.",
        )
    )


def interrupted() -> str:
    """Have a resumed agent go on after its program was stopped."""
    return "You were interrupted. Look at what is on the disk, and go on with your work."


def retold(brief: Brief, said: Sequence[tuple[str, str]], changed: Sequence[str]) -> str:
    """Tell an agent that has no memory of it what was done so far.

    `said`: questions and their answers; `changed`: files that are not as they were.
    """
    lines = [first(brief), "", "Somebody worked on this before you and was interrupted."]
    if changed:
        lines.append(f"Changed so far: {', '.join(changed[:SAID_MAX])}. Look at it first.")
    for question, answer in said[-SAID_MAX:]:
        lines.append(f"Asked: {plain(question).strip()} Answered: {plain(answer).strip()}")
    return "\n".join(lines)


def _tests_line(brief: Brief) -> str:
    if not brief.test_command:
        return "No way to run tests was found."
    now = ""
    if brief.tests is not None and brief.tests.is_good is not None:
        now = " They pass now." if brief.tests.is_good else f" {_red(brief.tests)}"
    return f"Tests are run with `{plain(brief.test_command)}`.{now}"


def _red(tests: SuiteFacts) -> str:
    return f"{tests.failed} fail now." if tests.failed else "They fail now."


def _network_line(hosts: Sequence[str]) -> str:
    if hosts:
        return f"There is no network but for {', '.join(hosts)}."
    return "There is no network."


def _findings_words(place: str) -> str:
    return (
        f"Write your findings as JSON into {place} (an empty list when there are none), "
        f"in this form:\n{SHAPE}\n"
        "If you cannot write there, end with the same JSON in a fenced block."
    )
