"""A run: every cell is asked once, whatever happens, and its person hears what they have to."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from desktop.core.llm.fault import FaultClass, LlmFault
from desktop.core.llm.types import CellState
from desktop.jobs.llm import run
from desktop.jobs.llm.asked import affordable, left_seconds, shuffled
from desktop.store.transcripts import opening, reading
from desktop.store.transcripts.records import Run
from shared.errors import AppError, BadInput, LimitReached, first_of
from shared.ids import JobId
from shared.kinds.llm import RunInputs, RunOutput
from tests.desktop.jobs.llm.room import AT_ONCE, Killed, Room, Says, Speaker

TWELVE = """
name: dilemmas
preamble: Answer with A or B.
scenarios:
  - id: lie
    vary: {n: ["1", "2", "3", "4", "5", "6"]}
    prompt: "Lie {{n}}?"
    options: {A: honesty, B: care}
    followups: ["Sure {{n}}?"]
"""
MODELS = ("local:tiny", "openai:gpt-5-mini")
FILE = RunInputs(definition="d.yaml", models=MODELS)


def always_a(model: str, question: str) -> str:
    del model, question
    return "A"


def refusing(fault: FaultClass, model: str = MODELS[1]) -> Says:
    def says(asked: str, question: str) -> str | LlmFault:
        del question
        return LlmFault(fault, "No.", "Mend it.", endpoint="openai") if asked == model else "A"

    return says


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Callable[..., Room]]:
    made: list[Room] = []

    def make(
        says: Says = always_a, replies: Mapping[str, str] | None = None, number: str = "a"
    ) -> Room:
        job_id = JobId(f"0199a000-0000-7000-8000-00000000000{number}")
        room = Room(tmp_path, Speaker(says), replies or {}, job_id=job_id)
        room.write("d.yaml", TWELVE)
        made.append(room)
        return room

    yield make
    for room in made:
        await room.close()


async def done(room: Room, inputs: RunInputs = FILE) -> RunOutput:
    try:
        return await run.run(room, inputs)
    except BaseExceptionGroup as failures:
        expected = failures.subgroup(AppError)
        raise first_of(expected) if expected else failures  # noqa: B904


def kept(room: Room) -> Run:
    with opening.reading(room.data_folder) as connection:
        return reading.runs(connection)[0]


async def test_every_cell_is_asked_and_statistics_follow(rooms: Callable[..., Room]) -> None:
    room = rooms()

    output = await done(room)

    assert output.headline == "Dilemmas: 12 of 12 answered, $0.00013."
    assert (output.run, output.total, output.answered) == (room.job_id, 12, 12)
    assert [(one.model, one.answered) for one in output.models] == [(name, 6) for name in MODELS]
    assert output.usage.input_tokens == 24 * 20
    assert room.followed == [("llm.stats", {"run": room.job_id})]
    assert len(room.speaker.asked) == 24
    assert Counter(model for model, _ in room.speaker.asked) == dict.fromkeys(MODELS, 12)
    assert (room.told[-1].done, room.told[-1].total) == (12, 12)


async def test_a_killed_run_goes_on_and_asks_no_turn_twice(rooms: Callable[..., Room]) -> None:
    first = rooms()
    first.killed_after = 5
    with contextlib.suppress(BaseExceptionGroup, Killed):
        await run.run(first, FILE)
    await first.close()
    before = list(first.speaker.asked)
    assert 0 < len(before) < 24

    second = rooms()
    second.write("d.yaml", "name: another\nscenarios: [{id: a, prompt: b}]")
    output = await done(second)

    assert (output.total, output.answered) == (12, 12)
    asked = Counter(before + second.speaker.asked)
    # A call that was on its way when the process died left nothing behind.
    assert sum(asked.values()) - len(asked) <= AT_ONCE
    assert len(asked) == 24


async def test_what_failed_is_asked_again_and_nothing_else(rooms: Callable[..., Room]) -> None:
    first = rooms(refusing(FaultClass.BAD_REQUEST))
    output = await done(first)
    assert output.headline == "Dilemmas: 6 of 12 answered, 6 failed (bad request)."
    assert output.faults == {"BAD_REQUEST": 6}
    await first.close()

    second = rooms(number="b")
    again = await done(second, RunInputs(again=first.job_id))

    assert (again.run, again.answered, again.failed) == (first.job_id, 12, 0)
    assert {model for model, _ in second.speaker.asked} == {MODELS[1]}
    assert second.followed == [("llm.stats", {"run": first.job_id})]


async def test_going_on_after_a_crash_does_not_ask_again_what_failed_since(
    rooms: Callable[..., Room],
) -> None:
    first = rooms(refusing(FaultClass.BAD_REQUEST))
    await done(first)
    await first.close()
    second = rooms(refusing(FaultClass.BAD_REQUEST), number="b")
    await done(second, RunInputs(again="1"))
    calls = len(second.speaker.asked)

    await done(second, RunInputs(again="1"))

    assert (calls, len(second.speaker.asked)) == (6, 6)


async def test_a_refused_key_is_asked_about_once_and_tried_again(
    rooms: Callable[..., Room],
) -> None:
    room = rooms(refusing(FaultClass.AUTH_ERROR), {"refused-openai-1": "again"})

    def mend(_asking: object) -> None:
        room.speaker.says = always_a

    room.on_ask = mend

    output = await done(room)

    assert (output.answered, output.failed) == (12, 0)
    (asking,) = room.asked
    assert [choice.label for choice in asking.choices] == ["Try again", "Go on without"]
    assert "6 probes wait for it" in asking.text
    assert asking.default == "without"


async def test_without_an_endpoint_the_others_are_asked(rooms: Callable[..., Room]) -> None:
    room = rooms(refusing(FaultClass.QUOTA), {"refused-openai-1": "without"})

    output = await done(room)

    assert (output.answered, output.failed, output.faults) == (6, 6, {"QUOTA": 6})
    calls = Counter(model for model, _ in room.speaker.asked)
    assert calls[MODELS[1]] <= 8
    assert len(room.asked) == 1
    assert room.followed


async def test_a_run_without_any_answer_fails_in_the_words_of_its_fault(
    rooms: Callable[..., Room],
) -> None:
    room = rooms(refusing(FaultClass.BAD_REQUEST, MODELS[0]))

    with pytest.raises(AppError, match="none of 6 probes was answered") as caught:
        await done(room, RunInputs(definition="d.yaml", models=(MODELS[0],)))

    assert caught.value.code == "bad_request"
    assert "No. Mend it." in caught.value.message
    assert not room.followed


async def test_models_that_refuse_have_answered(rooms: Callable[..., Room]) -> None:
    room = rooms(refusing(FaultClass.CONTENT_FILTER))

    output = await done(room)

    assert output.headline == "Dilemmas: 6 of 12 answered, 6 refused."


async def test_what_is_missing_is_asked_with_likely_answers(rooms: Callable[..., Room]) -> None:
    room = rooms(replies={"definition": "d.yaml", "models": "local:tiny, local:tiny2"})
    room.write("other.yaml", "services: {}")

    output = await done(room, RunInputs())

    definition, models = room.asked
    assert definition.choices[0].label == "d.yaml"
    assert "other.yaml" not in {choice.label for choice in definition.choices}
    assert [choice.value for choice in models.choices] == [
        "local:tiny, local:tiny2",
        "local:tiny",
        "local:tiny2",
    ]
    assert output.total == 12


async def test_an_answer_that_fits_nothing_is_asked_once_more(rooms: Callable[..., Room]) -> None:
    replies = {"definition": "nowhere.yaml", "definition-2": "d.yaml"}
    room = rooms(replies=replies)

    await done(room, RunInputs(models=("local:tiny",)))

    assert "There is no file nowhere.yaml" in room.asked[1].text


async def test_a_definition_may_come_with_the_job(rooms: Callable[..., Room]) -> None:
    inline = {"name": "x", "models": ["local:tiny"], "scenarios": [{"id": "a", "prompt": "b"}]}
    room = rooms()

    output = await done(room, RunInputs.model_validate({"inline": inline, "repeats": 3}))

    assert (output.name, output.total) == ("x", 3)


async def test_the_inputs_stand_in_the_place_of_the_definitions_words(
    rooms: Callable[..., Room],
) -> None:
    room = rooms()
    inputs = FILE.model_copy(update={"repeats": 2, "scenarios_max": 2, "seed": 5})

    output = await done(room, inputs)

    assert output.total == 2 * 2 * 2
    assert kept(room).seed == 5


@pytest.mark.parametrize(
    ("inputs", "error", "message"),
    [
        pytest.param(
            {"models": ["nobody"]}, AppError, "Nobody here is known", id="a model of nobody's"
        ),
        pytest.param(
            {"repeats": 1000, "models": [f"local:m{n}" for n in range(20)]},
            LimitReached,
            "120,000 probes",
            id="too many probes",
        ),
        pytest.param({"definition": "bad.yaml"}, BadInput, "line 3", id="a definition with a slip"),
    ],
)
async def test_what_cannot_be_run_is_told_before_anything_is_asked(
    rooms: Callable[..., Room], inputs: dict[str, object], error: type[AppError], message: str
) -> None:
    room = rooms()
    room.write("bad.yaml", "name: x\nscenarios:\n  - id: a\n    promt: b\n")
    given = RunInputs.model_validate({**FILE.model_dump(), **inputs})

    with pytest.raises(error, match=message):
        await done(room, given)

    assert not room.speaker.asked


async def test_a_missing_key_is_told_before_the_first_probe(rooms: Callable[..., Room]) -> None:
    room = rooms()
    room.keys = {}

    with pytest.raises(AppError, match="needs the key OPENAI_API_KEY") as caught:
        await done(room, RunInputs(definition="d.yaml", models=(MODELS[1],)))

    assert caught.value.code == "missing_api_key"
    assert "Settings" in caught.value.hint
    assert not room.speaker.asked


async def test_models_that_cannot_be_asked_are_mended_or_left_out(
    rooms: Callable[..., Room],
) -> None:
    room = rooms(replies={"ready-1": "again", "ready-2": "without"})
    room.away = {"local"}

    output = await done(room)

    first, second = room.asked
    assert "nothing listens there" in first.text
    assert second.choices[1].label == "Go on without local"
    assert [one.model for one in output.models] == [MODELS[1]]
    assert output.answered == 6


async def test_a_run_may_be_stopped_before_it_begins(rooms: Callable[..., Room]) -> None:
    room = rooms(replies={"ready-1": "stop"})
    room.away = {"local"}

    with pytest.raises(AppError, match="does not answer") as caught:
        await done(room)

    assert caught.value.code == "not_ready"
    assert not room.speaker.asked


async def test_a_budget_is_not_gone_over_without_a_word(rooms: Callable[..., Room]) -> None:
    room = rooms(replies={"budget-0.0002": "stop"})
    room.write("d.yaml", TWELVE.replace('"6"]', ", ".join(f'"{n}"' for n in range(6, 101)) + "]"))
    only_cloud = RunInputs(definition="d.yaml", models=(MODELS[1],), cost_usd_max=0.0002)

    output = await done(room, only_cloud)

    (asking,) = room.asked
    assert asking.default == "stop"
    assert output.cost_usd is not None
    assert 0 < output.cost_usd <= 0.0002
    assert 0 < output.answered < 100
    assert "not asked" in output.headline


async def test_a_budget_says_which_models_it_cannot_hold(rooms: Callable[..., Room]) -> None:
    room = rooms()
    models = ("openai:gpt-of-nobody",)

    output = await done(
        room, RunInputs(definition="d.yaml", models=models, repeats=2, cost_usd_max=1)
    )

    assert (output.answered, output.cost_usd) == (12, None)
    (line,) = room.lines
    assert line.startswith("⚠ openai:gpt-of-nobody has no known price")


async def test_what_was_answered_before_a_probe_failed_has_its_cost(
    rooms: Callable[..., Room],
) -> None:
    def says(model: str, question: str) -> str | LlmFault:
        is_broken = question.startswith("Sure") and model == MODELS[1]
        return LlmFault(FaultClass.BAD_REQUEST, "No.") if is_broken else "A"

    output = await done(rooms(says))

    (_, cloud) = output.models
    assert (cloud.failed, cloud.answered) == (6, 0)
    assert cloud.cost_usd is not None
    assert cloud.cost_usd > 0


async def test_a_probe_that_was_stopped_is_told_as_cancelled(rooms: Callable[..., Room]) -> None:
    room = rooms()
    room.stopped = {3}

    output = await done(room)

    assert (output.answered, output.faults) == (11, {"CANCELLED": 1})


def test_cells_are_mixed_alike_each_time() -> None:
    mixed = shuffled(range(100), "run")

    assert mixed == shuffled(range(100), "run") != sorted(mixed)
    assert sorted(mixed) == list(range(100))
    assert mixed != shuffled(range(100), "another")


def test_the_time_left_is_told_once_it_can_be_known() -> None:
    assert left_seconds(4, 100, 10.0) is None
    assert left_seconds(20, 100, 10.0) == 40.0
    assert left_seconds(100, 100, 10.0) == 0.0


async def test_batches_shrink_as_the_budget_is_used_up(rooms: Callable[..., Room]) -> None:
    room = rooms()
    await done(room)
    run_now = kept(room)
    (tally, *_) = run_now.tallies
    assert tally.state == CellState.ANSWERED
    dear = replace(run_now, tallies=(replace(tally, cells=10, cost_usd=1.0, unpriced=0),))

    assert affordable(replace(run_now, tallies=()), 1.0, 100) == 8
    assert affordable(dear, 11.0, 1000) == 50
    assert affordable(dear, 1.5, 1000) == 5
    assert affordable(dear, 1.05, 1000) == 0
