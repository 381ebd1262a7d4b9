"""Questions and their answers in words, once for every frontend."""

from __future__ import annotations

from hub.core.view import Button, Tone, View
from hub.frontends.facts import Facts
from shared.ids import JobId, QuestionId
from shared.questions import Answer, Asking

MORE = {"code.diff": Button(label="Show diff", says="/diff")}
"""What a question may offer to show, by the kind of job that shows it."""


def question_view(question_id: QuestionId, asking: Asking, facts: Facts) -> View:
    """A question with its choices; several open ones say whose they are."""
    text = f"{facts.label} asks: {asking.text}" if facts.questions_open > 1 else asking.text
    if facts.step_of:
        text = f"{facts.step_of} ({facts.title}) asks: {asking.text}"
    if asking.default is not None:
        text += f"\nWithout an answer it takes: {chosen(asking, asking.default)}."
    return View(
        text=text,
        tone=Tone.ASKING,
        buttons=(
            *(
                Button(
                    label=" · ".join(part for part in (choice.label, choice.detail) if part),
                    says=f"/answer {question_id} {choice.value}",
                )
                for choice in asking.choices
            ),
            # Last, so that the number of a choice is its own wherever it is typed.
            *shows_more(asking, facts.job_id),
        ),
        subject=f"question:{question_id}",
        job_id=facts.job_id,
        question_id=question_id,
    )


def shows_more(asking: Asking, job_id: JobId | None) -> tuple[Button, ...]:
    """The button that shows what a question is about; the question stays open."""
    more = MORE.get(asking.more)
    if more is None or job_id is None:
        return ()
    return (Button(label=more.label, says=f"{more.says} {job_id}"),)


def answered_view(question_id: QuestionId, answer: Answer, facts: Facts) -> View:
    """What the question's message turns into once somebody answered."""
    return View(
        text=answered(answer, facts),
        tone=Tone.DONE,
        subject=f"question:{question_id}",
        job_id=facts.job_id,
        question_id=question_id,
    )


def answered(answer: Answer, facts: Facts) -> str:
    r"""Say who answered what: "Which file?\nAnswered by you on Telegram: sales.csv"."""
    value = chosen(facts.asking, answer.value)
    if answer.by == "default":
        return f"Nobody answered in time; it takes {value}."
    asked = f"{facts.asking.text.splitlines()[0]}\n" if facts.asking else ""
    return f"{asked}Answered by {facts.whose(answer.by)}: {value}"


def chosen(asking: Asking | None, value: str) -> str:
    """An answer as people read it."""
    return asking.label_of(value) if asking else value
