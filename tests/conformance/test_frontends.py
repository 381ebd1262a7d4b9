"""What every frontend does for its person, whatever it looks like."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import JsonValue

from hub.core.view import View
from hub.frontends.commands import COMMANDS
from hub.ports import HealthState, MessageRef
from shared.errors import ErrorBody
from shared.ids import JobId, QuestionId, short
from shared.kinds import JsonObject
from shared.pairing import check_words
from shared.questions import Asking, Choice, QuestionKind
from tests.conformance.bubbles import Bubble
from tests.conformance.doors import MATRIX, Door, bubble, open_door, open_hub
from tests.hub.frontends.world import (
    CAPABILITIES,
    CODING,
    HastyClock,
    PuppetWorker,
    World,
    until,
)
from tests.matrix_servers.synapse import Synapse
from tests.pairing import Computer

QUESTION = QuestionId("019aa000-0000-7000-8000-000000000003")
ANOTHER = QuestionId("019aa000-0000-7000-8000-000000000004")
WHICH_FILE = Asking(
    key="file",
    kind=QuestionKind.CLARIFICATION,
    text="Which file?",
    choices=(Choice(value="/d/a.csv", label="a.csv"), Choice(value="/d/b.csv", label="b.csv")),
)
FREE = Asking(
    key="which", kind=QuestionKind.CLARIFICATION, text="Which one do you mean?", allow_text=True
)
WANTS_TO_PUSH = Asking(
    key="deliver",
    kind=QuestionKind.APPROVAL,
    text="1 file, +1 −1. It wants to push deskhand/k7q2-utc.",
    choices=(Choice(value="push", label="Only push"), Choice(value="nothing", label="Discard")),
    allow_text=True,
    more="code.diff",
)
CHANGE: JsonObject = {
    "headline": "1 file, +1 −1.",
    "diff": "diff --git a/shop/clock.py b/shop/clock.py\n--- a/shop/clock.py\n"
    "+++ b/shop/clock.py\n@@ -1 +1 @@\n-now = local()\n+now = utc()\n",
    "files_changed": [{"path": "shop/clock.py", "added": 1, "removed": 1}],
    "files_total": 1,
}
READY: JsonObject = {"headline": "Model ready."}


@pytest.fixture(params=["console", "discord", "paper", "sms", "telegram", "web", *MATRIX])
def kind(request: pytest.FixtureRequest) -> str:
    if request.param in ("discord", "sms", "telegram"):
        # Seconds of import, before there is a loop that they would hold up.
        importlib.import_module(f"tests.conformance.{request.param}_door")
    return str(request.param)


@pytest.fixture
def homeserver(kind: str, request: pytest.FixtureRequest) -> Synapse | None:
    """Started only for those who need one."""
    if kind not in MATRIX:
        return None
    server = request.getfixturevalue("synapse")
    assert isinstance(server, Synapse)
    return server


@pytest.fixture
async def world(kind: str, tmp_path: Path, homeserver: Synapse | None) -> AsyncIterator[World]:
    async with open_hub(kind, tmp_path, homeserver) as opened:
        yield opened


@pytest.fixture
async def door(kind: str, world: World) -> AsyncIterator[Door]:
    async with open_door(kind, world) as opened:
        yield opened


@pytest.fixture
async def worker(world: World) -> AsyncIterator[PuppetWorker]:
    paired = await world.pair()
    paired.capabilities = (*CAPABILITIES, *CODING)
    async with paired.online():
        yield paired


def last(door: Door) -> Bubble:
    return door.bubbles[-1]


def about_work(door: Door) -> list[Bubble]:
    """All that is shown but that a computer is ready: who was there before it came is told."""
    return [bubble for bubble in door.bubbles if " is ready. " not in bubble.text]


async def ask(
    door: Door,
    worker: PuppetWorker,
    asking: Asking = WHICH_FILE,
    question_id: QuestionId = QUESTION,
) -> JobId:
    """Bring it about that a question is open in the conversation; the job that asks it."""
    before = set(worker.grants)
    await door.say("/train")
    await until(lambda: bool(worker.grants.keys() - before))
    [job_id] = worker.grants.keys() - before
    await worker.asks(worker.grants[job_id], asking, question_id)
    # With several open, a question says whose it is.
    await bubble(door, lambda b: asking.text in b.text.splitlines()[0])
    return job_id


def a_day_passes(world: World) -> None:
    clock = world.hub.environment.clock
    assert isinstance(clock, HastyClock)
    clock.ahead_seconds += 24 * 3600


async def answers_of(world: World, question_id: QuestionId = QUESTION) -> list[str]:
    question = await world.hub.services.views.question(question_id)
    assert question is not None
    return [question.answer.value] if question.answer else []


async def test_start_says_what_this_is(door: Door) -> None:
    await door.say("/start")
    assert last(door).text.startswith("Deskhand runs work on your own computers.")


async def test_help_fits_and_begins_with_the_commands(door: Door) -> None:
    await door.say("/help")
    told = last(door).text
    assert told.startswith("/start")
    assert len(told) <= door.frontend.capabilities.text_chars_max
    if door.frontend.capabilities.text_chars_max > 4000:
        assert all(f"/{command.name}" in told for command in COMMANDS if command.in_menu)


async def test_an_unknown_command_is_told_the_nearest(door: Door) -> None:
    await door.say("/trian sales.csv")
    assert last(door).text == "⚠ There is no command /trian. Did you mean /train?"


async def test_plain_words_are_answered_truthfully(door: Door) -> None:
    await door.say("analyse my sales please")
    assert last(door).text.startswith(("Plain words need a computer", "No computer is connected"))


async def test_a_message_of_ten_thousand_characters_is_refused_with_a_sentence(door: Door) -> None:
    await door.say("/task " + "x" * 10_000)
    if door.splits_at:
        # It leaves the phone as three messages, and each is told what is wrong with it.
        beginnings = [b.text.partition(";")[0].partition(":")[0] for b in door.bubbles]
        refused = "⚠ That message has 4,096 characters"
        assert beginnings[:2] == [refused, refused]
        assert beginnings[2].startswith(("Plain words need a computer", "No computer is connected"))
    else:
        assert last(door).text.startswith("⚠ That message has 10,006 characters")


async def test_silence_is_answered_with_silence(door: Door) -> None:
    await door.say("   ")
    assert door.bubbles == []


async def test_the_last_word_on_a_job_comes_once(door: Door, worker: PuppetWorker) -> None:
    await door.say("/models")
    grant = await worker.any_grant()
    await worker.starts(grant)
    await worker.succeeds(grant, {"headline": "No models yet.", "models": []})
    await bubble(door, lambda b: b.is_final)
    await door.say("/help start")
    assert [b.text for b in door.bubbles if b.is_final] == ["No models yet."]


async def test_a_quick_job_is_one_message(door: Door, worker: PuppetWorker) -> None:
    await door.say("/models")
    grant = await worker.any_grant()
    await worker.starts(grant)
    await worker.succeeds(grant, {"headline": "No models yet.", "models": []})
    await bubble(door, lambda b: b.is_final)
    assert len(about_work(door)) == 1


async def test_a_question_shows_its_choices(door: Door, worker: PuppetWorker) -> None:
    await ask(door, worker)
    shown = last(door)
    if door.frontend.capabilities.buttons_max:
        assert shown.labels == ["a.csv", "b.csv"]
    else:
        assert shown.text == "Which file?\n1. a.csv\n2. b.csv"


async def test_a_choice_is_made_by_what_the_frontend_offers(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await ask(door, worker)
    await door.tap("b.csv")
    assert await answers_of(world) == ["/d/b.csv"]


async def test_a_change_is_shown_on_demand_and_the_question_stays_open(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    asking = await ask(door, worker, WANTS_TO_PUSH)
    await door.tap("Show diff")
    await until(lambda: len(worker.grants) == 2)
    [grant] = [grant for job_id, grant in worker.grants.items() if job_id != asking]
    job = await world.hub.services.views.job(None, grant.job_id)
    assert (job.kind, job.inputs) == ("code.diff", {"job": asking})
    await worker.succeeds(grant, CHANGE)
    shown = await bubble(door, lambda b: b.text.startswith("1 file, +1 −1.\n"))
    assert "M shop/clock.py +1 −1" in shown.text
    assert await answers_of(world) == []
    await door.say("2")
    assert await answers_of(world) == ["nothing"]


async def test_a_choice_is_made_by_typing_it(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await ask(door, worker)
    await door.say("A.CSV")
    assert await answers_of(world) == ["/d/a.csv"]


async def test_a_question_is_answered_by_the_short_id_of_its_job(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await ask(door, worker)
    [job_id] = worker.grants
    await door.say(f"#{short(job_id).lower()} 2")
    assert await answers_of(world) == ["/d/b.csv"]


async def test_free_words_answer_when_exactly_one_question_is_open(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await ask(door, worker, FREE)
    await door.say("the red one")
    assert await answers_of(world) == ["the red one"]


async def test_with_two_questions_open_words_ask_which_is_meant(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await ask(door, worker, FREE)
    await ask(door, worker, WHICH_FILE, ANOTHER)
    await door.say("a.csv")
    assert last(door).text.startswith("2 questions are open. Which one does this answer?")
    assert await answers_of(world) + await answers_of(world, ANOTHER) == []


async def test_a_reply_answers_the_question_it_replies_to(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    job_id = await ask(door, worker, FREE)
    await ask(door, worker, WHICH_FILE, ANOTHER)
    first = await bubble(door, lambda b: b.text.startswith(FREE.text))
    await door.reply(first, job_id, "a.csv")
    assert await answers_of(world) == ["a.csv"]
    assert await answers_of(world, ANOTHER) == []


async def test_markup_in_a_file_name_is_part_of_the_name(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    name = "<b>Q1</b> & <script>'s *draft*.csv"
    choices = (Choice(value=f"/d/{name}", label=name), Choice(value="/d/b.csv", label="b.csv"))
    await ask(door, worker, WHICH_FILE.model_copy(update={"choices": choices}))
    shown = last(door)
    assert name in shown.labels or f"1. {name}" in shown.text.splitlines()
    await door.tap(name)
    assert await answers_of(world) == [f"/d/{name}"]


async def test_a_choice_made_a_day_later_still_counts_if_the_job_waits(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await ask(door, worker)
    a_day_passes(world)
    await bubble(door, lambda b: "Nobody has answered yet" in b.text)
    await door.tap("b.csv")
    assert await answers_of(world) == ["/d/b.csv"]


async def test_a_choice_made_a_day_later_changes_nothing_once_it_is_settled(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await ask(door, worker, WHICH_FILE.model_copy(update={"default": "/d/a.csv"}))
    a_day_passes(world)
    while not await answers_of(world):
        await world.hub.services.feed.wait(world.hub.services.feed.position())
    await door.tap("b.csv")
    if door.frontend.capabilities.buttons_max:
        await bubble(door, lambda b: b.text == "⚠ Answered already by default: a.csv.")
    else:
        # A number is the answer to a list; that list is no question any more.
        await bubble(door, lambda b: b.text.startswith("That answers no question"))
    assert await answers_of(world) == ["/d/a.csv"]


async def test_an_answer_that_fits_nothing_changes_nothing(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await ask(door, worker)
    await door.say("purple")
    assert last(door).text.startswith("⚠ 'purple' is none of the answers")
    assert await answers_of(world) == []


async def test_a_second_answer_is_told_who_was_first(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await ask(door, worker)
    await world.rest.post(f"/questions/{QUESTION}/answer", json={"reply": "a.csv"})
    await door.say(f"/answer {QUESTION} b.csv")
    await bubble(door, lambda b: b.text == "⚠ Answered already by me on the API: a.csv.")
    assert await answers_of(world) == ["/d/a.csv"]


async def test_an_answer_given_elsewhere_changes_the_question_here(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await ask(door, worker)
    await world.rest.post(f"/questions/{QUESTION}/answer", json={"reply": "a.csv"})
    if door.frontend.capabilities.edit:
        changed = await bubble(door, lambda b: "Answered by" in b.text)
        assert changed.text == "Which file?\nAnswered by you on the API: a.csv"
        assert (changed.labels, changed.edits) == ([], 1)


async def test_progress_is_edited_in_place_or_left_out(door: Door, worker: PuppetWorker) -> None:
    await door.say("/train a.csv y")
    grant = await worker.any_grant()
    await worker.starts(grant)
    if door.frontend.capabilities.edit:
        await bubble(door, lambda b: b.text == "Training on anna-pc …")
    for step in range(20):
        await worker.tells(grant, step, 20)
    if door.frontend.capabilities.edit:
        await bubble(door, lambda b: "19 of 20 models" in b.text)
    await worker.succeeds(grant, READY)
    await bubble(door, lambda b: b.is_final)
    about = [b for b in about_work(door) if not b.is_final]
    assert len(about) == (1 if door.frontend.capabilities.edit else 0)
    assert sum(b.edits for b in about) <= 4


async def test_a_failure_says_why_and_what_to_do(door: Door, worker: PuppetWorker) -> None:
    await door.say("/train a.csv y")
    grant = await worker.any_grant()
    await worker.starts(grant)
    await worker.fails(grant, ErrorBody(code="x", message="It has 1 column.", hint="Add one."))
    final = await bubble(door, lambda b: b.is_final)
    assert final.text.startswith("⚠ Training on anna-pc failed. It has 1 column. Add one.")


async def test_a_job_for_a_machine_that_is_away_says_so(world: World, door: Door) -> None:
    await world.pair()
    await door.say("/models")
    waiting = await bubble(door, lambda b: "Queued" in b.text)
    assert waiting.text.startswith("anna-pc is asleep or offline (last seen ")


async def test_without_any_machine_it_says_how_to_get_one(door: Door) -> None:
    await door.say("/models")
    waiting = await bubble(door, lambda b: "Queued" in b.text)
    assert waiting.text.startswith("No computer is connected.")
    assert "/connect" in waiting.text


async def test_a_job_is_cancelled_from_here(door: Door, worker: PuppetWorker) -> None:
    await door.say("/train a.csv y")
    grant = await worker.any_grant()
    await worker.starts(grant)
    await door.say(f"/cancel {short(grant.job_id)}")
    await until(lambda: bool(worker.cancels))
    await worker.stops(grant)
    final = await bubble(door, lambda b: b.is_final)
    assert final.text.startswith("Cancelled: ")


async def test_an_update_that_comes_twice_is_done_once(
    world: World, door: Door, worker: PuppetWorker
) -> None:
    await door.say("/models", "update-1")
    await door.say("/models", "update-1")
    await worker.any_grant()
    assert len((await world.rest.get("/jobs")).json()["jobs"]) == 1


async def test_markup_in_a_name_is_shown_as_it_is(door: Door, worker: PuppetWorker) -> None:
    await door.say("/models")
    await worker.succeeds(await worker.any_grant(), {"headline": "<b>a & b</b> *c* _d_ `e`"})
    final = await bubble(door, lambda b: b.is_final)
    assert final.text == "<b>a & b</b> *c* _d_ `e`"


async def test_a_long_result_is_cut_to_what_fits(door: Door, worker: PuppetWorker) -> None:
    await door.say("/models")
    notes: list[JsonValue] = [f"note {number}" for number in range(3000)]
    await worker.succeeds(await worker.any_grant(), {"headline": "Long.", "notes": notes})
    final = await bubble(door, lambda b: b.is_final)
    assert final.text.startswith("Long.\nnote 0\n")
    assert len(final.text) <= door.frontend.capabilities.text_chars_max


async def test_what_could_not_be_shown_is_shown_later_once(
    door: Door, worker: PuppetWorker
) -> None:
    await door.say("/models")
    grant = await worker.any_grant()
    await door.leave()
    await worker.succeeds(grant, READY)
    await until(lambda: worker.acked == len(worker.log))
    assert [b for b in door.bubbles if b.is_final] == []
    await door.come_back()
    await bubble(door, lambda b: b.is_final)
    await door.say("/help start")
    assert len([b for b in door.bubbles if b.is_final]) == 1


async def test_a_computer_is_let_in_by_what_the_frontend_offers(world: World, door: Door) -> None:
    await door.say("/connect")
    connect = await bubble(door, lambda b: "Your code: " in b.text)
    code = connect.text.partition("Your code: ")[2].split()[0].strip("`")
    computer = Computer("studio-mac", platform="macOS 15")
    asked = await computer.ask(world.hub.services, code)
    question = await bubble(door, lambda b: "wants to join" in b.text)
    words = check_words(computer.introduction.public_key, asked.salt)
    assert question.text.startswith(f"studio-mac (macOS 15) wants to join. Check words: {words}.")
    if door.frontend.capabilities.buttons_max:
        await door.tap("Approve")
    else:
        assert f"Approve: /approve {short(asked.join_id)}" in question.text
        await door.say(f"/approve {short(asked.join_id)}")
    await bubble(door, lambda b: b.text.startswith("✓ studio-mac was let in by you on "))
    assert (await computer.token(world.hub.services, asked)).worker_name == "studio-mac"
    await bubble(door, lambda b: b.text.startswith("✓ studio-mac is ready."))
    if door.frontend.capabilities.edit:
        assert not [b for b in door.bubbles if "wants to join" in b.text]


async def test_a_paired_machine_is_announced_where_its_person_spoke(
    world: World, door: Door
) -> None:
    await door.say("/connect")
    await world.pair("studio-mac")
    told = await bubble(door, lambda b: "studio-mac" in b.text)
    assert told.text.startswith("✓ studio-mac is ready.")


async def test_it_tells_how_it_is(door: Door) -> None:
    assert door.frontend.status().state is HealthState.OK


async def test_it_stops_twice_without_harm(kind: str, world: World) -> None:
    async with open_door(kind, world) as door:
        await door.frontend.stop()
        await door.frontend.stop()
        assert door.frontend.status().state is HealthState.STOPPED


async def test_the_same_key_is_one_message_however_often_it_is_sent(door: Door) -> None:
    view = View(text="Once.", final=True, key="event 1")
    first = await door.frontend.render(door.conversation, view, None)
    again = await door.frontend.render(door.conversation, view, None)
    await bubble(door, lambda b: b.text == "Once.")
    if not door.knows_keys:
        # Nobody can tell whether the first arrived: rather twice than not at all.
        assert len([b for b in door.bubbles if b.text == "Once."]) == 2
        return
    assert first == again
    assert len([b for b in door.bubbles if b.text == "Once."]) == 1


async def test_a_replaced_message_keeps_its_name(door: Door) -> None:
    first = await door.frontend.render(door.conversation, View(text="One."), None)
    second = await door.frontend.render(door.conversation, View(text="Two."), first)
    if not door.frontend.capabilities.edit:
        # Nobody asks for it there; what is said comes all the same.
        await bubble(door, lambda b: b.text == "Two.")
        return
    assert second == first
    assert isinstance(second, MessageRef)
    await bubble(door, lambda b: b.text == "Two.")
    assert [b.text for b in door.bubbles] == ["Two."]
