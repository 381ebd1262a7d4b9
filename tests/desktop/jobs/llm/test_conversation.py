"""Turns of one scenario: what goes out, what is kept when, and how it comes out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.scenarios import Scenario, single
from desktop.core.llm.types import CellState, Message, Reply, Turn
from desktop.jobs.llm.conversation import Calls, converse, messages, outcome

SCENARIO = single(
    {
        "prompt": "Do you pull the lever?",
        "followups": ["Why?", "Are you sure?"],
        "options": {"A": "save", "B": "let"},
        "preamble": "Be brief.",
    }
)


def reply(text: str, *, is_refusal: bool = False) -> Reply:
    return Reply(
        text=text, model_reported="m", is_refusal=is_refusal, total_ms=1.0, prompt_sha256="0"
    )


def turn(number: int, text: str, *, is_refusal: bool = False) -> Turn:
    return Turn(
        number=number,
        asked="?",
        reply=reply(text, is_refusal=is_refusal),
        attempts=1,
        at=datetime(2026, 11, 21, tzinfo=UTC),
    )


class Line:
    """A model that answers as it is told, and a store that notes what it was given."""

    def __init__(self, *answers: Reply | LlmFault) -> None:
        self.answers = list(answers)
        self.heard: list[list[Message]] = []
        self.log: list[str] = []
        self.kept: list[Turn] = []
        self.calls = Calls()

    async def ask(self, said: Sequence[Message]) -> Reply:
        self.heard.append(list(said))
        self.log.append("asked")
        answer = self.answers.pop(0)
        if isinstance(answer, LlmFault):
            raise answer
        return answer

    async def keep(self, kept: Turn) -> None:
        self.log.append(f"kept {kept.number}")
        self.kept.append(kept)

    async def converse(
        self, scenario: Scenario = SCENARIO, turns: Sequence[Turn] = ()
    ) -> tuple[Turn, ...]:
        return await converse(scenario, turns, ask=self.ask, keep=self.keep, calls=self.calls)


def fault(kind: FaultClass) -> LlmFault:
    return LlmFault(kind, "No.")


async def test_each_turn_is_kept_before_the_next_is_asked() -> None:
    line = Line(reply("A"), reply("Lives."), reply("Yes."))
    turns = await line.converse()
    assert line.log == ["asked", "kept 0", "asked", "kept 1", "asked", "kept 2"]
    assert [one.asked for one in turns] == ["Do you pull the lever?", "Why?", "Are you sure?"]
    assert [one.number for one in turns] == [0, 1, 2]


async def test_every_turn_has_all_that_was_said_before() -> None:
    line = Line(reply("A"), reply("Lives."), reply("Yes."))
    await line.converse()
    assert line.heard[2] == [
        Message("system", "Be brief."),
        Message("user", "Do you pull the lever?"),
        Message("assistant", "A"),
        Message("user", "Why?"),
        Message("assistant", "Lives."),
        Message("user", "Are you sure?"),
    ]


async def test_finished_turns_are_not_asked_again() -> None:
    line = Line(reply("Yes."))
    turns = await line.converse(turns=[turn(0, "A"), turn(1, "Lives.")])
    assert line.log == ["asked", "kept 2"]
    assert len(line.heard[0]) == 6
    assert [one.reply.text for one in turns] == ["A", "Lives.", "Yes."]


async def test_a_whole_conversation_is_not_asked_at_all() -> None:
    line = Line()
    assert len(await line.converse(turns=[turn(n, "A") for n in range(3)])) == 3
    assert line.log == []


def test_a_preamble_may_be_said_by_the_user() -> None:
    scenario = SCENARIO.model_copy(update={"preamble_as": "user"})
    assert messages(scenario, []) == [Message("user", "Be brief.\n\nDo you pull the lever?")]
    assert messages(scenario, [turn(0, "A")])[0].text == "Be brief.\n\nDo you pull the lever?"


def test_without_a_preamble_there_is_none() -> None:
    scenario = SCENARIO.model_copy(update={"preamble": " "})
    assert [message.role for message in messages(scenario, [])] == ["user"]


async def test_an_answer_that_is_none_is_asked_for_once_more() -> None:
    line = Line(fault(FaultClass.INVALID_RESPONSE), reply("A"), reply("Lives."), reply("Yes."))
    turns = await line.converse()
    assert [one.attempts for one in turns] == [2, 1, 1]


async def test_a_second_answer_that_is_none_is_a_fault() -> None:
    line = Line(fault(FaultClass.INVALID_RESPONSE), fault(FaultClass.INVALID_RESPONSE))
    with pytest.raises(LlmFault):
        await line.converse()
    assert len(line.heard) == 2


async def test_what_passes_by_itself_is_not_waited_for_here() -> None:
    line = Line(reply("A"), fault(FaultClass.RATE_LIMIT))
    with pytest.raises(LlmFault):
        await line.converse()
    assert line.log == ["asked", "kept 0", "asked"]
    assert line.calls.failed == 1


async def test_calls_that_failed_before_count_for_the_turn_that_they_were_for() -> None:
    line = Line(reply("Lives."), reply("Yes."))
    line.calls = Calls(before=3)
    turns = await line.converse(turns=[turn(0, "A")])
    assert [one.attempts for one in turns] == [1, 4, 1]


async def test_a_provider_that_cuts_in_ends_the_conversation() -> None:
    line = Line(reply("A"), reply("", is_refusal=True))
    turns = await line.converse()
    assert len(turns) == 2
    assert outcome(SCENARIO, turns).state is CellState.REFUSED
    assert (await Line().converse(turns=turns)) == turns


@pytest.mark.parametrize(
    ("texts", "state", "choice"),
    [
        (["A"], CellState.ANSWERED, "A"),
        (["A", "Because lives count."], CellState.ANSWERED, "A"),
        (["A", "Now I see.\nAnswer: B"], CellState.ANSWERED, "B"),
        (["It depends."], CellState.ANSWERED, ""),
        (["I can't help with that."], CellState.REFUSED, ""),
        (["A", "I can't help with that."], CellState.ANSWERED, "A"),
        (["It depends.", "I'm sorry, but I can't choose."], CellState.REFUSED, ""),
        (["I can't help with that.", "Well. It depends."], CellState.ANSWERED, ""),
    ],
    ids=lambda value: "|".join(value) if isinstance(value, list) else None,
)
def test_how_it_comes_out(texts: list[str], state: CellState, choice: str) -> None:
    came = outcome(SCENARIO, [turn(number, text) for number, text in enumerate(texts)])
    assert (came.state, came.choice) == (state, choice)


def test_a_reply_that_the_provider_calls_refused_is_refused_whatever_it_says() -> None:
    assert outcome(SCENARIO, [turn(0, "A", is_refusal=True)]).state is CellState.REFUSED


def test_without_options_no_choice_is_read() -> None:
    came = outcome(SCENARIO.model_copy(update={"options": ()}), [turn(0, "A")])
    assert (came.state, came.choice) == (CellState.ANSWERED, "")
