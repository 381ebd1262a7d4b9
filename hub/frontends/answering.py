"""Which question plain words answer, and whose words count.

A reply to the message that shows a question answers that question. Words alone answer the one
question that is open in their conversation; when there are several, the person is asked which.
"""

from __future__ import annotations

import re

from hub.core.access import Person
from hub.core.question import Question
from hub.core.view import Button, Inbound, Tone, View
from hub.services import Services
from hub.services.deliveries import Deliveries
from shared.errors import NotAllowed, NotFound
from shared.ids import QuestionId, TaskId, is_uuid, short
from shared.questions import match

SUBJECT = "question:"
"""What the subjects of views that show a question begin with."""
LISTED_MAX = 8
LINE_CHARS_MAX = 80
_REPLY = re.compile(r"#(?P<id>[0-9A-Za-z]{4})\b[:,]?\s*(?P<text>.*)", re.DOTALL)


class Answering:
    """Finds the question, and gives it the answer."""

    def __init__(self, services: Services, deliveries: Deliveries) -> None:
        self._services = services
        self._deliveries = deliveries

    async def plain(self, person: Person, inbound: Inbound, by: str) -> tuple[View, ...] | None:
        """Take words that are no command; None when they answer nothing.

        Raises:
            AppError: as `Intake.answer`; NotAllowed: `question_foreign`.
        """
        text = inbound.text.strip()
        named = _REPLY.fullmatch(text)
        if named is not None:
            question = await self.named(person, inbound, named["id"])
            return await self.settle(person, question, named["text"], by)
        replied = await self._replied_to(person, inbound)
        if replied is not None:
            return await self.settle(person, replied, text, by)
        if inbound.task_id is not None:
            opened = await self._open_of_task(person, inbound.task_id)
        else:
            opened = await self._open_here(person, inbound)
        if inbound.in_group:
            # Among people, words are for people, unless they are word for word an answer.
            opened = [q for q in opened if _is_choice(q, text)]
        if not opened:
            return None
        if len(opened) > 1 and not text.isdecimal():
            return (which(opened, text),)
        # A number means the list that was shown last.
        return await self.settle(person, opened[-1], text, by)

    async def is_choice(self, person: Person, inbound: Inbound) -> bool:
        """Whether words are, word for word, an answer to what is open here, or a reply to it."""
        if await self._replied_to(person, inbound) is not None:
            return True
        if inbound.task_id is not None:
            opened = await self._open_of_task(person, inbound.task_id)
        else:
            opened = await self._open_here(person, inbound)
        return any(_is_choice(question, inbound.text.strip()) for question in opened)

    async def named(self, person: Person, inbound: Inbound, name: str) -> Question:
        """Find a question by its id, its own short form or its job's.

        Raises:
            NotFound: `question_unknown`; NotAllowed: `question_foreign`.
        """
        name = name.removeprefix("#")
        if is_uuid(name):
            found = await self._services.views.question(QuestionId(name))
            if found is not None and found.person_id == person.person_id:
                return found
            if found is not None and found.conversation == inbound.conversation:
                raise await self._foreign(found)
        for question in reversed(await self._services.views.open_questions(person.person_id)):
            if name.upper() in (short(question.job_id), short(question.question_id)):
                return question
        raise NotFound(
            "question_unknown",
            f"No open question belongs to #{name[:40]}.",
            "/jobs shows which jobs ask something.",
        )

    async def settle(
        self, person: Person, question: Question, reply: str, by: str
    ) -> tuple[View, ...]:
        """Give a question its answer; what follows comes through the outbox."""
        await self._services.intake.answer(person.person_id, question.question_id, reply, by)
        return ()

    async def _replied_to(self, person: Person, inbound: Inbound) -> Question | None:
        """The question shown by the message this is a reply to, open or settled."""
        if not inbound.replies_to:
            return None
        subject = await self._deliveries.subject_at(inbound.conversation, inbound.replies_to)
        if subject is None or not subject.startswith(SUBJECT):
            return None
        question_id = QuestionId(subject.removeprefix(SUBJECT))
        question = await self._services.views.question(question_id)
        if question is not None and question.person_id != person.person_id:
            raise await self._foreign(question)
        return question

    async def _open_here(self, person: Person, inbound: Inbound) -> list[Question]:
        """A person's questions that were asked for here or are shown here, the oldest first."""
        shown = await self._deliveries.subjects_shown(inbound.conversation, SUBJECT)
        return [
            question
            for question in await self._services.views.open_questions(person.person_id)
            if question.conversation == inbound.conversation
            or f"{SUBJECT}{question.question_id}" in shown
        ]

    async def _open_of_task(self, person: Person, task_id: TaskId) -> list[Question]:
        """A person's questions that the jobs of a task ask, the oldest first."""
        jobs = {card.job_id for card in await self._services.views.jobs_of_task(task_id)}
        opened = await self._services.views.open_questions(person.person_id)
        return [question for question in opened if question.job_id in jobs]

    async def _foreign(self, question: Question) -> NotAllowed:
        owner = await self._services.registry.person(question.person_id)
        return NotAllowed("question_foreign", f"This question is for {owner.name}.")


def which(opened: list[Question], text: str) -> View:
    """Ask which question was meant; a tap answers it with what was said."""
    listed = opened[-LISTED_MAX:]
    lines = [f"#{short(q.job_id)}: {_line(q)}" for q in listed]
    return View(
        text="\n".join(
            (
                f"{len(opened)} questions are open. Which one does this answer?",
                *lines,
                f"Reply to the question itself, or write #{short(listed[-1].job_id)} and the "
                "answer.",
            )
        ),
        tone=Tone.ASKING,
        buttons=tuple(
            Button(label=f"#{short(q.job_id)}: {_line(q)}", says=f"/answer {q.question_id} {text}")
            for q in listed
        ),
    )


def _line(question: Question) -> str:
    line = question.asking.text.splitlines()[0]
    return line if len(line) <= LINE_CHARS_MAX else line[: LINE_CHARS_MAX - 2] + " …"


def _is_choice(question: Question, text: str) -> bool:
    folded = text.casefold()
    named = any(folded in (c.value.casefold(), c.label.casefold()) for c in question.asking.choices)
    return named or (text.isdecimal() and match(question.asking, text) is not None)
