"""Questions and conversations in a real browser: live, by keys, never tearing a reader away."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from shared.errors import ErrorBody
from shared.ids import JobId, QuestionId, TaskId
from shared.questions import Asking, Choice, QuestionKind
from tests.browser.surfing import PHONE, Surf
from tests.hub.frontends.world import PuppetWorker, World, until
from tests.pairing import Computer

ZONE = Asking(
    key="zone",
    kind=QuestionKind.CLARIFICATION,
    text="The test expects UTC but the config says local time.\nWhich one is right?",
    choices=(
        Choice(value="utc", label="UTC"),
        Choice(value="local", label="Local time", detail="what the config says"),
    ),
    allow_text=True,
    default="utc",
)
PUSH = Asking(
    key="push",
    kind=QuestionKind.APPROVAL,
    text="2 files, +14 −3, tests 41 passed (3 were red). It wants to push.",
    choices=(Choice(value="push", label="Push"), Choice(value="no", label="Discard")),
)
NAMES = Asking(key="name", kind=QuestionKind.CLARIFICATION, text="Which name?", allow_text=True)


async def begun(
    world: World, worker: PuppetWorker, file: str = "sales.csv"
) -> tuple[TaskId, JobId]:
    """A task whose job runs."""
    made = await world.rest.post("/tasks", json={"kind": "ml.train", "inputs": {"file": file}})
    grant = await worker.grant_of(JobId(made.json()["job_id"]))
    await worker.starts(grant)
    await settled(worker)
    return TaskId(made.json()["task_id"]), grant.job_id


async def asks(worker: PuppetWorker, job_id: JobId, asking: Asking, number: int) -> None:
    question_id = QuestionId(f"019aa000-0000-7000-8000-{number:012}")
    await worker.asks(worker.grants[job_id], asking, question_id)
    await settled(worker)


async def settled(worker: PuppetWorker) -> None:
    await until(lambda: worker.acked == len(worker.log))


async def say(world: World, task_id: TaskId, *texts: str) -> None:
    for text in texts:
        told = await world.rest.post(f"/tasks/{task_id}/messages", json={"text": text})
        assert told.status_code == 200, told.text


async def is_at_end(page: Page) -> bool:
    return bool(await page.locator("#talk-box").evaluate("box => box.scrollTop > -2"))


async def test_the_inbox_reads_well_and_is_answered_by_keys(surf: Surf, world: World) -> None:
    worker = await world.pair()
    worker.slots = 9
    async with worker.online():
        for number, asking in enumerate((ZONE, PUSH, NAMES)):
            _, job_id = await begun(world, worker, f"sales_{number}.csv")
            await asks(worker, job_id, asking, number)
        owner = (await world.hub.services.registry.people())[0]
        invitation = await world.hub.services.pairing.invite(owner.person_id)
        await Computer("studio-mac", platform="macOS 15").ask(world.hub.services, invitation.code)
        surfer = await surf.someone(world.hub)
        page = surfer.page
        await surfer.goes("/inbox")
        await expect(page).to_have_title(re.compile(r"^\(4\) Questions"))
        await surfer.shots("inbox")

        # The first row is the oldest question; an approval is not given by a key.
        await page.keyboard.press("j")
        await page.keyboard.press("2")
        await expect(page.get_by_text("Answered by you on the web: Local time")).to_be_visible()
        await page.keyboard.press("j")
        await expect(page.get_by_role("article", name="2 files")).to_be_visible()
        await page.keyboard.press("1")
        await expect(page.get_by_role("button", name="Push")).to_be_visible()
        await page.get_by_role("textbox", name="Your answer").fill("Ostrich")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Answered by you on the web: Ostrich")).to_be_visible()
        await page.get_by_role("button", name="Approve").click()
        await expect(page.locator(".toast")).to_contain_text("studio-mac was let in.")
        await surfer.is_clean()


async def test_words_that_are_being_typed_stay_when_another_question_comes(
    surf: Surf, world: World
) -> None:
    worker = await world.pair()
    async with worker.online():
        _, first = await begun(world, worker, "a.csv")
        await asks(worker, first, NAMES, 1)
        surfer = await surf.someone(world.hub)
        page = surfer.page
        await surfer.goes("/inbox")
        box = page.get_by_role("textbox", name="Your answer")
        await box.press_sequentially("half a na")
        _, second = await begun(world, worker, "b.csv")
        await asks(worker, second, PUSH, 2)
        await expect(page.get_by_role("button", name="Discard")).to_be_visible()
        await expect(box).to_have_value("half a na")
        await expect(box).to_be_focused()


async def test_a_thread_reads_well(surf: Surf, world: World) -> None:
    worker = await world.pair()
    async with worker.online():
        task_id, job_id = await begun(world, worker)
        await asks(worker, job_id, ZONE, 1)
        await say(world, task_id, "local", "Mind the change of clocks.\nIt is in March.", "/trian")
        await worker.tells(worker.grants[job_id], 3, 5)
        await asks(worker, job_id, PUSH, 2)
        surfer = await surf.someone(world.hub)
        await surfer.goes(f"/chat/{task_id}")
        await expect(surfer.page.get_by_text("waits for your answer")).to_be_visible()
        assert await is_at_end(surfer.page)
        await surfer.shots("thread")
        await surfer.goes("/chat")
        await surfer.shots("chat")
        error = ErrorBody(code="x", message="It has 1 column.", hint="Add one.")
        await worker.fails(worker.grants[job_id], error)
        await expect(surfer.page.get_by_text("It has 1 column.")).to_be_visible()


async def test_a_thread_follows_what_happens_and_a_reader_is_not_torn_away(
    surf: Surf, world: World
) -> None:
    worker = await world.pair()
    async with worker.online():
        task_id, job_id = await begun(world, worker)
        await say(world, task_id, *(f"word {number}" for number in range(40)))
        surfer = await surf.someone(world.hub, size=PHONE)
        page = surfer.page
        await surfer.goes(f"/chat/{task_id}")
        assert await is_at_end(page)
        await expect(page.get_by_text("anna-pc is working.")).to_be_visible()

        # Who stands at the end goes along.
        await say(world, task_id, "the newest word")
        await expect(page.get_by_text("the newest word")).to_be_in_viewport()
        assert await is_at_end(page)

        # Progress is written in place.
        await worker.tells(worker.grants[job_id], 2, 5)
        await expect(page.locator("[data-stage]")).to_contain_text("2 of 5")

        # Who reads above stays there, and is told.
        early = page.get_by_text("word 3", exact=True)
        await early.scroll_into_view_if_needed()
        before = await early.bounding_box()
        await say(world, task_id, "one more", "and another")
        button = page.get_by_role("button", name="New messages")
        await expect(button).to_be_visible()
        after = await early.bounding_box()
        assert before is not None
        assert after is not None
        assert abs(before["y"] - after["y"]) <= 1
        await button.click()
        await expect(page.get_by_text("and another")).to_be_in_viewport()
        await expect(button).to_have_count(0)
        await surfer.is_clean()

        # What one types goes out with Enter, and stands at the end.
        await page.locator("#words").fill("typed here")
        await page.keyboard.press("Enter")
        await expect(page.locator(".bubble.mine").last).to_contain_text("typed here")
        assert await is_at_end(page)


async def test_a_long_thread_is_read_back_page_by_page(surf: Surf, world: World) -> None:
    worker = await world.pair()
    async with worker.online():
        task_id, _ = await begun(world, worker)
        await say(world, task_id, *(f"word {number}" for number in range(120)))
        surfer = await surf.someone(world.hub)
        page = surfer.page
        await surfer.goes(f"/chat/{task_id}")
        await expect(page.get_by_text("word 0", exact=True)).to_have_count(0)
        await page.get_by_role("link", name="Earlier messages").click()
        await expect(page.get_by_text("word 0", exact=True)).to_have_count(1)
        await page.get_by_role("link", name="Newest messages").first.click()
        await expect(page.get_by_text("word 119", exact=True)).to_be_in_viewport()


async def test_the_talk_with_the_hub_shows_what_is_said_elsewhere(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    page = surfer.page
    await surfer.goes("/chat/desk")
    await page.locator("#words").fill("/connect")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("Your code:")).to_be_visible()
    told = await world.rest.post("/chat/messages", json={"text": "/start"})
    assert told.status_code == 200
    await expect(page.get_by_text("Your files stay there.")).to_be_visible()
    await surfer.shots("desk")
