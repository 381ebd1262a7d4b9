"""Plain words that answer nothing and go on with nothing are a task; a worker plans it."""

from __future__ import annotations

from collections.abc import Sequence

from hub.core.access import Person
from hub.core.view import Button, Inbound, View
from hub.frontends.call import Views, request_job
from hub.frontends.replies import CONNECT
from hub.frontends.waiting import TOOLS
from hub.services import Services
from hub.services.machines import Machine
from shared.ids import TaskId
from shared.kinds import JsonObject
from shared.kinds.plan import HISTORY_CHARS_MAX, PLAN

LETTERS_MIN = 4
LONE_LETTERS_MIN = 8
"""Of words that no blank parts: some languages write whole sentences so."""


NO_TASK = View(
    text="That answers no question that is open here. Say in a sentence what you want done; /help "
    "lists the commands."
)


def is_task(words: str) -> bool:
    """Say whether words could ask for something; a lone "2" or "yes" came too late to answer."""
    letters = sum(letter.isalpha() for letter in words)
    return letters >= LETTERS_MIN and (len(words.split()) > 1 or letters >= LONE_LETTERS_MIN)


async def plan_words(
    services: Services,
    person: Person,
    inbound: Inbound,
    words: str,
    *,
    is_local: bool = False,
    worker: str = "",
    task_id: TaskId | None = None,
) -> Views:
    """Have a task planned; when no computer of theirs could ever do it, say what is missing."""
    if not is_task(words):
        return (NO_TASK,)
    machines = await services.machines.all(person.person_id)
    missing = lack_of_planner(machines)
    if missing is not None:
        return (missing,)
    inputs: JsonObject = {"task": words.strip()} | ({"local": True} if is_local else {})
    if task_id is not None and (earlier := await _done_before(services, task_id)):
        inputs["earlier"] = earlier
    await request_job(services, person, inbound, PLAN, inputs, worker, task_id=task_id)
    return ()


async def _done_before(services: Services, task_id: TaskId) -> str:
    """Say what a task's jobs came to so far, the oldest first, as the planner is told."""
    cards = await services.views.jobs_of_task(task_id)
    told = [
        f"{card.title}: {headline}"
        for card in sorted(cards, key=lambda card: card.job_id)
        if card.result and isinstance(headline := card.result.get("headline"), str)
    ]
    return "\n".join(told)[-HISTORY_CHARS_MAX:]


def lack_of_planner(machines: Sequence[Machine]) -> View | None:
    """Say why no computer can plan from plain words; None when one can."""
    if not machines:
        text = "No computer is connected yet, and plain words are planned on one of yours."
        return View(text=text, buttons=(CONNECT,))
    if any(one.kind == PLAN for machine in machines for one in machine.card.worker.capabilities):
        return None
    return View(
        text="Plain words need a computer of yours that can ask a language model, and none can. "
        f"{lack_of(PLAN, machines)} Commands work without: /help lists them.",
        buttons=(Button(label="What commands are there?", says="/help"),),
    )


def lack_of(kind: str, machines: Sequence[Machine]) -> str:
    """Say what would make one of these computers do work of a kind that none of them can."""
    if not machines:
        return "No computer is connected yet."
    for machine in machines:
        for lacking in machine.lacking:
            if lacking.kind == kind:
                tools = TOOLS.get(kind.partition(".")[0], f"tools for {kind}")
                return f"{machine.card.name} has no {tools}: run {lacking.command} there."
    return "None of your computers can do this."
