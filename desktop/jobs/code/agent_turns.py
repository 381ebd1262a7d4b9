"""An agent at work on a bench: started in its box with a gateway, told what to do, gone on with.

How a session is come by is tried, never believed: an agent that has no memory of the work is told
what was done so far.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace

from desktop.core.code import prompts
from desktop.core.code.acceptance import ROUNDS_MAX
from desktop.core.code.acp.v1 import McpServer
from desktop.core.code.agent_profiles import AskRoad, Places
from desktop.core.code.box import Launch
from desktop.core.code.budget import Spent
from desktop.core.code.permission import ASK_SERVER, Trust
from desktop.core.code.prompts import Brief
from desktop.core.llm.fault import LlmFault
from desktop.core.llm.waits import backoff_seconds
from desktop.jobs.code.asking import said_of
from desktop.jobs.code.bench import Bench
from desktop.jobs.code.driver import Agent, Assignment, Road, TurnEnd
from desktop.jobs.code.gateway.gateway import Gateway, GatewayWants
from desktop.jobs.code.programs import own_agent, program_of
from desktop.jobs.code.starting import started
from desktop.jobs.code.state import Said
from desktop.jobs.code.tasks import plainly
from desktop.jobs.context import Postponed
from desktop.jobs.llm.house import House, house_of
from desktop.system.way import Way
from shared.errors import AppError, LimitReached
from shared.questions import Asking, QuestionKind

STAGE = "agent works"
SUMMARY_CHARS_MAX = 4000


class GatewaysJob:
    """What a gateway wants of its job (`GatewayJob`)."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def house(self) -> House:
        return house_of(self._bench.context)

    def key(self) -> str:
        return self.house().key_of(self._bench.order.model.endpoint)

    async def ask(self, asking: Asking) -> str:
        return await self._bench.person.ask(asking)

    def used(self, spent: Spent) -> None:
        self._bench.state.put(spent=spent)
        told = f"{STAGE}, {spent.line}" if spent.line else STAGE
        rounds = min(self._bench.state.now.rounds, ROUNDS_MAX)
        self._bench.context.progress(told, rounds, ROUNDS_MAX)

    def log(self, line: str) -> None:
        self._bench.context.log(line)


@dataclass(frozen=True, slots=True)
class Talk:
    """An agent that runs, and how it is spoken to."""

    bench: Bench
    brief: Brief
    gateway: Gateway
    agent: Agent

    async def turn(self, words: str) -> TurnEnd:
        """Have the agent do something, until it has heard all answers and ends its turn.

        Raises:
            LimitReached: `code_budget_used`.
            AppError: as `Agent.prompt`.
        """
        ended = await self._told(words)
        while late := await self._unheard():
            ended = await self._told(answers(late))
        return ended

    async def _unheard(self) -> tuple[Said, ...]:
        """Wait until no question is open; return the answers that the agent did not wait for."""
        late = self.gateway.unheard()
        await self.bench.person.settled()
        for one in late:
            await asyncio.shield(one.task)
            one.is_heard = True
        asked = [one for one in late if one.asking.kind is not QuestionKind.APPROVAL]
        return tuple(said_of(one.asking, one.task.result()) for one in asked)

    async def _told(self, words: str) -> TurnEnd:
        state = self.bench.state
        state.put(next_prompt=words, is_prompted=True, agent_session=self.agent.session_id)
        ended = await self._to_its_end(words)
        state.put(is_told=True, summary=ended.text[-SUMMARY_CHARS_MAX:], spent=self.gateway.spent)
        return ended

    async def _to_its_end(self, words: str) -> TurnEnd:
        """Have one turn; what the budget or the model says goes before what the agent makes of it.

        Raises:
            LimitReached: `code_budget_used`.
            Postponed, LlmFault: the model is away for a while, or for good.
            AppError: as `Agent.prompt`.
        """
        failure: AppError | None = None
        ended: TurnEnd | None = None
        try:
            with plainly():
                ended = await self._within(words)
        except AppError as error:
            failure = error
        if excess := self.gateway.excess:
            raise over_budget(excess.message)
        if fault := self.gateway.fault:
            raise model_away(fault, self.bench.context.tries)
        if ended is None:
            assert failure is not None
            raise failure
        return ended

    async def _within(self, words: str) -> TurnEnd:
        """Have one turn; the gateway's word that the budget is used ends it."""
        async with asyncio.TaskGroup() as group:
            over = group.create_task(self._over())
            try:
                return await self.agent.prompt(words)
            finally:
                over.cancel()

    async def _over(self) -> None:
        excess = await self.gateway.over()
        raise over_budget(excess.message)


def model_away(fault: LlmFault, tries: int) -> Exception:
    """Say that the model did not answer: for now, or for good."""
    if not fault.retryable:
        return fault
    wait = backoff_seconds(tries + 1, random.random(), fault.wait_seconds)  # noqa: S311
    return Postponed(fault, wait)


def over_budget(message: str) -> LimitReached:
    return LimitReached(
        "code_budget_used",
        message,
        "What was done so far is kept; order the rest with a larger budget.",
    )


def answers(said: Sequence[Said]) -> str:
    return "\n\n".join(prompts.answered(one.question, one.answer) for one in said)


@contextlib.asynccontextmanager
async def talking(bench: Bench, brief: Brief) -> AsyncIterator[tuple[Talk, str]]:
    """Start the agent; give it together with what it is to be told first.

    Raises:
        AppError: as `started`.
    """
    late = await bench.person.reasked()
    wants = _wants(bench)
    async with Gateway(wants, GatewaysJob(bench)) as gateway:
        bench.person.pause = gateway.asking
        try:
            async with started(
                _assignment(bench, gateway), bench.person.ask, bench.context
            ) as agent:
                bench.state.put(
                    agent_session=agent.session_id,
                    agent_version=agent.version,
                    is_session_lost=False,
                )
                bench.context.log(_hello(bench, agent))
                talk = Talk(bench, brief, gateway, agent)
                yield talk, _first_words(bench, brief, agent, late)
        finally:
            bench.person.pause = contextlib.nullcontext
            bench.state.put(spent=gateway.spent)


def _wants(bench: Bench) -> GatewayWants:
    order, context = bench.order, bench.context
    return GatewayWants(
        model=order.model,
        folder=context.workdir,
        limits=order.limits,
        spent=bench.state.now.spent,
        registries=context.code.registries,
        ask_seconds_max=order.profile.ask_seconds_max,
        is_alone=bench.is_alone,
        way=Way(context.network),
    )


def _assignment(bench: Bench, gateway: Gateway) -> Assignment:
    order, folder = bench.order, bench.folder
    port = bench.sandbox.port()
    program = program_of(order.profile)

    def launches(argv: Sequence[str], env: Mapping[str, str]) -> Launch:
        told = {**gateway.env(port), **env}
        box = bench.box(gateway=gateway.socket, port=port, env=told, shown=program.folders)
        return bench.launch(argv, box)

    places = Places(
        gateway=f"http://127.0.0.1:{port}",
        model=order.model.name,
        home=str(folder.home),
        builtin=own_agent(),
        tools=order.kind.tools,
    )
    if gateway.token:
        places = replace(places, key=gateway.token)
    return Assignment(
        profile=order.profile,
        places=places,
        launches=launches,
        clone=folder.tree,
        home=folder.home,
        errors=bench.context.workdir / "agent.log",
        trust=Trust(
            is_isolated=bench.sandbox.is_isolating, level=order.level, folder=str(folder.tree)
        ),
        servers=servers_of(bench, gateway, port),
        session_id=_session(bench),
    )


def _session(bench: Bench) -> str:
    """Return the conversation to go on with: this job's, or that of the session's last job."""
    if bench.state.now.is_session_lost:
        return ""
    if bench.state.now.agent_session:
        return bench.state.now.agent_session
    facts = bench.folder.facts()
    is_alike = facts is not None and facts.agent == bench.order.profile.name
    return facts.agent_session if facts is not None and is_alike else ""


def servers_of(bench: Bench, gateway: Gateway, port: int) -> tuple[McpServer, ...]:
    """Return the server with `ask_human`, for agents that ask by a tool."""
    if bench.order.profile.ask_road is not AskRoad.MCP:
        return ()
    command, *args = gateway.ask_server(port)
    env = tuple(gateway.ask_env().items())
    return (McpServer(name=ASK_SERVER, command=command, args=tuple(args), env=env),)


def _hello(bench: Bench, agent: Agent) -> str:
    version = f" {agent.version}" if agent.version else ""
    return (
        f"{bench.order.profile.title}{version} works in {bench.sandbox.name} "
        f"with {bench.order.model.full_name}."
    )


def _first_words(bench: Bench, brief: Brief, agent: Agent, late: Sequence[Said]) -> str:
    """Say what an agent is told first, by what it remembers."""
    now = bench.state.now
    if agent.road is Road.NEW:
        if not now.is_told and not now.next_prompt and not now.is_follow_up:
            return prompts.first(brief)
        said = [(one.question, one.answer) for one in now.said if not one.is_approval]
        words = prompts.retold(brief, said, ())
        is_more = now.rounds > 0 and now.next_prompt
        return f"{words}\n\n{now.next_prompt}" if is_more else words
    if not now.next_prompt:
        return prompts.further(brief)
    begins = [prompts.interrupted()] if now.is_prompted else []
    return "\n\n".join([*begins, *([answers(late)] if late else []), now.next_prompt])
