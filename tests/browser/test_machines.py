"""The pages about machines and flow in a browser: full ones read well, and open ones follow."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from hub.store import said
from shared.capabilities import Lacking
from shared.ids import QuestionId
from shared.messages import Beat, Metrics
from tests.browser.surfing import Surf
from tests.hub.frontends.test_api import YES_OR_NO
from tests.hub.frontends.web.seeds import belongings, dead_letter, joining, ledger_of
from tests.hub.frontends.world import World, until
from tests.pairing import Computer

QUESTION = QuestionId("019aa000-0000-7000-8000-0000000000aa")
GIGA = 10**9
METRICS = Metrics(
    cpu_share=0.42,
    memory_used_bytes=15 * GIGA,
    memory_total_bytes=16 * GIGA,
    disk_free_bytes=212 * GIGA,
    battery_share=0.64,
)
LACKS = (Lacking(kind="ml.train", command="deskhand setup ml", download_mb=310),)


FULL = {
    "machines": {
        "workers": "/workers",
        "worker": "/workers/{worker}",
        "worker-out": "/workers/{worker}/out",
        "workers-everyones": "/workers?who=everyone",
        "pair": "/pair",
        "hub": "/hub",
    },
    "flow": {
        "queue": "/queue",
        "dead": "/dead",
        "dead-purge": "/dead/{dead}/purge",
        "sessions": "/sessions",
        "session": "/sessions/{session}",
        "activity": "/activity",
    },
    "programs": {
        "audit": "/audit",
        "keys": "/keys",
        "key": "/keys/{key}",
        "webhooks": "/webhooks",
        "webhook": "/webhooks/{webhook}",
        "webhook-delete": "/webhooks/{webhook}/delete",
    },
}
"""Pages with something on them, by the names of their pictures."""


@pytest.mark.timeout(180)
@pytest.mark.parametrize("sort", FULL)
async def test_full_pages_read_well_and_keep_the_rules(surf: Surf, world: World, sort: str) -> None:
    services = world.hub.services
    worker = await world.pair("studio-mac")
    await world.pair("old laptop")
    async with worker.online():
        things = await belongings(world, worker)
        asking = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
        await worker.asks(await worker.grant_of(asking["job_id"]), YES_OR_NO, QUESTION)
        for name in ("old laptop", ""):
            body = {"kind": "ml.models", "priority": "high", **({"worker": name} if name else {})}
            await world.rest.post("/tasks", json=body)
        await until(lambda: worker.acked == len(worker.log))
        await ledger_of(world).write(
            lambda entry: said.note(entry.connection, worker.worker_id, LACKS, "Europe/Berlin")
        )
        for _ in range(4):
            services.registry.beat(worker.worker_id, Beat(metrics=METRICS))
            services.gauge.run_once()
        surfer = await surf.someone(world.hub)
        for name, pattern in FULL[sort].items():
            await surfer.goes(things.path(pattern))
            await surfer.shots(name)


@pytest.mark.timeout(120)
async def test_what_is_told_once_reads_well(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    page = surfer.page
    await surfer.goes("/pair")
    await page.get_by_role("button", name="Make a code").click()
    await expect(page.get_by_role("img", name="QR code")).to_be_visible()
    await surfer.shots("pair-code")
    await surfer.goes("/keys")
    await page.get_by_label("Name", exact=True).fill("Grafana")
    await page.get_by_role("button", name="Make the key").click()
    await expect(page.get_by_role("heading", name="Grafana: your new key")).to_be_visible()
    await surfer.shots("key-made")
    await surfer.goes("/webhooks")
    await page.get_by_label("Address").fill("https://hooks.example.org/x")
    await page.get_by_role("button", name="Make the webhook").click()
    await expect(page.get_by_role("heading", name="Its secret")).to_be_visible()
    await surfer.shots("webhook-made")


async def test_a_computer_is_seen_coming_and_going(surf: Surf, world: World) -> None:
    worker = await world.pair()
    surfer = await surf.someone(world.hub)
    page = surfer.page
    await surfer.goes("/workers")
    card = page.locator(f"#worker-{worker.worker_id}")
    await expect(card).to_contain_text("Offline")
    async with worker.online():
        await expect(card).to_contain_text("Idle")
        made = (await world.rest.post("/tasks", json={"kind": "ml.models"})).json()
        await worker.starts(await worker.grant_of(made["job_id"]))
        await expect(card).to_contain_text("Busy")
        await card.get_by_role("button", name="Pause").click()
        await expect(page.locator(".toast")).to_contain_text("takes nothing new")
        await expect(card).to_contain_text("Draining")
        await page.get_by_role("button", name="Undo").click()
        await expect(card).to_contain_text("Busy")
    await expect(card).to_contain_text("Offline")
    await surfer.is_clean()


async def test_a_computer_asks_and_is_let_in_while_the_page_is_open(
    surf: Surf, world: World
) -> None:
    surfer = await surf.someone(world.hub)
    page = surfer.page
    await surfer.goes("/pair")
    await page.get_by_role("button", name="Make a code").click()
    code = await page.locator(".code").inner_text()
    asked = await Computer("kitchen tablet").ask(world.hub.services, code)
    await expect(page.get_by_role("heading", name="kitchen tablet wants to join")).to_be_visible()
    [request] = await world.hub.services.admissions.requests(None)
    assert request.join_id == asked.join_id
    await expect(page.locator(".words")).to_have_text(request.words)
    await expect(page.locator(".code")).to_have_text(code)
    await page.get_by_role("button", name="Approve").click()
    await expect(page.locator(".toast")).to_contain_text("kitchen tablet was let in.")
    await surfer.is_clean()


async def test_dead_letters_are_selected_tried_again_and_taken_back(
    surf: Surf, world: World
) -> None:
    for name in "ab":
        await dead_letter(world, f"{name}.csv")
    surfer = await surf.someone(world.hub)
    page = surfer.page
    await surfer.goes("/dead")
    await page.get_by_label("Select describe b.csv").check()
    await dead_letter(world, "c.csv")
    await expect(page.locator("#dead tbody tr")).to_have_count(3)
    await expect(page.get_by_label("Select describe b.csv")).to_be_checked()
    await page.get_by_role("button", name="Try those selected again").click()
    await expect(page.locator(".toast")).to_contain_text("1 job queued again.")
    await expect(page.locator("#dead tbody tr")).to_have_count(2)
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#dead tbody tr")).to_have_count(3)
    await surfer.is_clean()


async def test_a_dead_letter_is_tried_again_with_keys(surf: Surf, world: World) -> None:
    await dead_letter(world, "a.csv")
    surfer = await surf.someone(world.hub)
    await surfer.goes("/dead")
    await surfer.page.keyboard.press("j")
    await expect(surfer.page.get_by_role("link", name="describe a.csv", exact=True)).to_be_focused()
    await surfer.page.keyboard.press("r")
    await expect(surfer.page.locator(".toast")).to_contain_text("1 job queued again.")


async def test_activity_grows_while_it_is_open(surf: Surf, world: World) -> None:
    surfer = await surf.someone(world.hub)
    await surfer.goes("/activity")
    await world.rest.post("/tasks", json={"kind": "ml.models", "title": "look around"})
    line = surfer.page.locator("#activity li", has_text="look around · Queued")
    await expect(line).to_have_count(1)
    await joining(world)
    await expect(surfer.page.locator("#activity")).to_contain_text("tablet asked to be let in")
    await surfer.is_clean()


async def test_pages_read_well_without_scripts(surf: Surf, world: World) -> None:
    await dead_letter(world, "a.csv")
    surfer = await surf.someone(world.hub, scripts=False)
    page = surfer.page
    await surfer.goes("/dead")
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator(".toast")).to_contain_text("1 job queued again.")
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".toast")).to_contain_text("is a dead letter again.")
    await surfer.goes("/activity")
    await page.get_by_label("What").select_option("workers")
    await page.get_by_role("button", name="Show").click()
    await expect(page).to_have_url(f"{surfer.hub_url}/activity?sort=workers&worker=")
