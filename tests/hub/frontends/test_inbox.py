"""Commands about people, machines and jobs, from what is typed to what is said back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.core.view import Inbound, Sender, View
from shared.capabilities import Capability
from shared.ids import ConversationId
from shared.jobs import JobState
from shared.messages import Hello
from tests.hub.frontends.test_outbox import HOME, Scene, open_scene
from tests.pairing import Computer


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    opened = await open_scene(tmp_path)
    yield opened
    opened.hub.database.close()


async def say(scene: Scene, text: str, *, in_group: bool = False) -> list[View]:
    """Say something; each time as a new update."""
    sender = Sender(frontend="stage", external_id="1", name="anna", person_id=scene.person_id)
    scene.clock.ahead_seconds += 0.001
    return list(
        await scene.hub.inbox(
            Inbound(
                conversation=HOME,
                sender=sender,
                text=text,
                dedupe=str(scene.clock.ahead_seconds),
                in_group=in_group,
            )
        )
    )


async def told(scene: Scene, text: str) -> str:
    [view] = await say(scene, text)
    assert "!" not in view.text
    return view.text


async def pair(scene: Scene, name: str = "anna-pc") -> None:
    computer = Computer(name, capabilities=(Capability(kind="ml.train"),))
    await computer.pair(scene.hub.services, scene.person_id)


async def test_start_without_a_machine_offers_to_connect_one(scene: Scene) -> None:
    [view] = await say(scene, "/start")
    assert view.text == (
        "Deskhand runs work on your own computers. Your files stay there.\n"
        "No computer is connected yet."
    )
    assert [(b.label, b.says) for b in view.buttons] == [("Connect a computer", "/connect")]


async def test_connect_tells_a_code_and_how_to_use_it(scene: Scene) -> None:
    [view] = await say(scene, "/connect")
    lines = view.text.splitlines()
    code = lines[0].split()[2]
    hub = "http://127.0.0.1:8765"
    assert lines == [
        f"Your code: {code} (valid 10 min, works once)",
        f"Open this on the computer: {hub}/download#{code}",
        f"Deskhand is installed there: deskhand://pair?hub={hub}&code={code}",
        "Or in its terminal:",
        f"  deskhand pair {code} --hub {hub}",
        f"A server, Linux or macOS: curl -fsSL {hub}/worker.sh | sh -s -- {code}",
        f"Windows: & ([scriptblock]::Create((irm {hub}/worker.ps1))) {code}",
        "Then come back here: you are asked before it is let in.",
    ]
    assert view.qr == f"{hub}/download#{code}"
    assert [b.copies for b in view.buttons] == [code, ""]


async def test_a_machine_is_looked_at_paused_resumed_and_shown_out(scene: Scene) -> None:
    await pair(scene)
    assert (await told(scene, "/workers")).startswith("anna-pc: asleep or offline (last seen ")
    card = await told(scene, "/worker ANNA-PC")
    assert "Linux · Deskhand 1" in card
    assert "Can train." in card
    assert await told(scene, "/worker anna-pc pause") == (
        "anna-pc is paused: what runs goes on, nothing new starts."
    )
    assert (await told(scene, "/workers")).startswith("anna-pc: paused.")
    assert await told(scene, "/worker anna-pc resume") == "anna-pc takes work again."
    assert await say(scene, "/worker anna-pc revoke") == []
    assert await told(scene, "/workers") == "No computer is connected yet."


async def test_a_machine_nobody_has_is_told_with_the_nearest(scene: Scene) -> None:
    assert await told(scene, "/worker x") == (
        "⚠ No computer of yours is called 'x'. No computer is connected yet; /connect pairs one."
    )
    await pair(scene)
    assert (await told(scene, "/worker ana-pc")).endswith("Did you mean anna-pc?")
    assert (await told(scene, "/worker mainframe")).endswith("Yours are: anna-pc.")


async def test_a_job_carries_what_was_typed(scene: Scene) -> None:
    assert await say(scene, '/train "my sales.csv" Revenue budget=2m name=best') == []
    [card] = await scene.hub.services.views.jobs(scene.person_id)
    assert card.inputs == {
        "file": "my sales.csv",
        "target": "Revenue",
        "budget_seconds": 120.0,
        "name": "best",
    }
    assert card.text == '/train "my sales.csv" Revenue budget=2m name=best'
    assert (card.conversation, card.origin) == (HOME, "chat")


async def test_a_machine_is_pinned_by_its_name(scene: Scene) -> None:
    await pair(scene, "anna-pc")
    await pair(scene, "studio")
    await say(scene, "/train @Studio a.csv y")
    [card] = await scene.hub.services.views.jobs(scene.person_id)
    worker = await scene.hub.services.views.worker(card.job.pinned_to or card.job.life.worker_id)  # type: ignore[arg-type]
    assert worker is not None
    assert worker.name == "studio"
    assert "nobody" in await told(scene, "/train @nobody a.csv y")


async def test_what_is_said_in_a_group_is_marked_so(scene: Scene) -> None:
    await say(scene, "/models", in_group=True)
    [card] = await scene.hub.services.views.jobs(scene.person_id)
    assert card.origin == "group"


async def test_jobs_are_listed_and_shown_by_their_short_id(scene: Scene) -> None:
    assert await told(scene, "/jobs") == "No jobs yet. /train makes the first one."
    await say(scene, "/models")
    [card] = await scene.hub.services.views.jobs(scene.person_id)
    line = await told(scene, "/jobs")
    assert line.startswith(f"#{card.short} waiting · ")
    assert line.endswith(" · just now")
    shown = await told(scene, f"/job {card.short.lower()}")
    assert shown.splitlines()[1].endswith("Queued")
    assert await told(scene, "/job zzzz") == "⚠ There is no such job. /jobs lists the latest."


async def test_cancel_and_retry_say_when_it_is_too_late(scene: Scene) -> None:
    await say(scene, "/models")
    [card] = await scene.hub.services.views.jobs(scene.person_id)
    assert await say(scene, f"/cancel #{card.short}") == []
    assert await told(scene, f"/cancel {card.short}") == f"#{card.short} was cancelled before."
    assert "cancelled" in await told(scene, f"/retry {card.short}")
    [ended] = await scene.hub.services.views.jobs(scene.person_id)
    assert ended.state is JobState.CANCELLED


async def test_without_dead_letters_dead_says_so(scene: Scene) -> None:
    assert await told(scene, "/dead") == "No dead letters: no job has run out of tries."


async def test_help_tells_one_command_in_detail(scene: Scene) -> None:
    assert await told(scene, "/help /train") == (
        "Train a model on a table.\n"
        "/train [FILE] [TARGET] [budget=…] [name=…]\n"
        "  file: a file in an allowed folder, by name or path\n"
        "  target: the column to predict\n"
        "  budget: how long it may take: 60, 10m, 1h\n"
        "  name: what to call the model\n"
        "What you leave out is asked. @name picks the computer.\n"
        "For example: /train sales.csv Revenue budget=5m"
    )
    assert (await told(scene, "/help trian")).endswith("Did you mean /train?")


async def test_plain_words_that_no_computer_can_plan_say_what_is_missing(scene: Scene) -> None:
    for text in ("/task summarize my report", "summarize my report"):
        said = await told(scene, text)
        assert said.startswith(("Plain words need a computer", "No computer is connected yet"))
    assert not await scene.hub.services.views.jobs(scene.person_id)


@pytest.mark.parametrize("text", ["2", "yes", "ok!", "🙂 🙂"])
async def test_what_is_no_sentence_makes_no_task(scene: Scene, text: str) -> None:
    assert (await told(scene, text)).startswith("That answers no question that is open here.")
    assert not await scene.hub.services.views.jobs(scene.person_id)


@pytest.mark.parametrize("text", ["/answer K7Q2 yes", "#K7Q2 yes", f"/answer {'0' * 36} x"])
async def test_an_answer_to_no_question_says_where_to_look(scene: Scene, text: str) -> None:
    assert (await told(scene, text)).endswith("/jobs shows which jobs ask something.")


async def test_a_wrong_budget_is_refused_before_anything_is_made(scene: Scene) -> None:
    assert "soon" in await told(scene, "/train a.csv y budget=soon")
    assert "ml.train cannot take these inputs" in await told(scene, "/train a.csv y budget=99h")
    assert not await scene.hub.services.views.jobs(scene.person_id)


async def test_autostart_is_a_job_for_that_computer_alone(scene: Scene) -> None:
    await pair(scene)
    await pair(scene, "attic")
    assert await say(scene, "/worker attic autostart on") == []
    [card] = await scene.hub.services.views.jobs(scene.person_id)
    workers = await scene.hub.services.views.workers(scene.person_id)
    [attic] = [worker for worker in workers if worker.name == "attic"]
    assert (card.kind, card.inputs) == ("machine.autostart", {"switch": "on"})
    assert card.job.pinned_to == attic.worker_id


async def test_a_switch_without_autostart_is_told_where_it_belongs(scene: Scene) -> None:
    await pair(scene)
    assert "/worker anna-pc autostart off" in await told(scene, "/worker anna-pc pause off")
    assert not await scene.hub.services.views.jobs(scene.person_id)


@pytest.mark.parametrize("text", ["/connect", "/web", "/worker anna-pc", "/worker anna-pc pause"])
async def test_what_is_for_one_pair_of_eyes_is_not_said_in_a_group(scene: Scene, text: str) -> None:
    await pair(scene)
    [refused] = await say(scene, text, in_group=True)
    assert refused.text.endswith(
        "is not for a group, where others read along. Say it in our private chat."
    )


async def test_a_stranger_who_goes_on_and_on_is_answered_a_few_times(scene: Scene) -> None:
    async def says(where: str) -> int:
        stranger = Sender(frontend="stage", external_id=where, name="eve")
        scene.clock.ahead_seconds += 0.01
        inbound = Inbound(
            conversation=ConversationId(where),
            sender=stranger,
            text="/start",
            dedupe=str(scene.clock.ahead_seconds),
        )
        return len(await scene.hub.inbox(inbound))

    assert sum([await says("stage:666") for _ in range(100)]) == 10
    assert await says("stage:667") == 1
    scene.clock.ahead_seconds += 61
    assert await says("stage:666") == 1
    assert sum([await says(f"stage:{number}") for number in range(1000, 1300)]) <= 110


async def test_clock_times_are_those_of_the_persons_own_machine(scene: Scene) -> None:
    await pair(scene)
    registry = scene.hub.services.registry
    [card] = await scene.hub.services.views.workers(scene.person_id)
    for zone in ("Asia/Tokyo", "Nowhere/Never"):
        hello = Hello(
            device=card.worker_id, epoch=0, name="anna-pc", capabilities=(), zone=zone, slots=1,
            outbox_seq=0, hub_seq=0,
        )  # fmt: skip
        seen_at = (await registry.introduce(card.worker_id, hello)).last_seen_at
        there = seen_at.astimezone(ZoneInfo("Asia/Tokyo") if zone == "Asia/Tokyo" else None)
        for command in ("/workers", "/worker anna-pc", "/start"):
            assert f"last seen {there:%H:%M}" in await told(scene, command)
