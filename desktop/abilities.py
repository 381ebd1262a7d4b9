"""What this machine can do, looked at again and again while the worker runs; nothing is imported.

News are believed when they are seen twice: an installation takes a while from its first package to
its last. Coding agents are another matter: who of them answers is found out by a job
(`code.agents`) that is run now and then, in a child, well after the start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from desktop.core.attempt import Attempt
from desktop.core.code.ability import CodeAbility
from desktop.core.code.rules import CodeRules
from desktop.core.llm.locality import Found, told
from desktop.core.outcome import Ending
from desktop.runner.runner import Runner
from desktop.system import hardware
from desktop.system.code_tools import look_for_code, looked_at
from shared.capabilities import Capability, Lacking
from shared.environment import Environment
from shared.ids import JobId, TaskId
from shared.jobs import JobSpec
from shared.kinds import Kind

log = structlog.get_logger(__name__)

AGENTS_KIND = "code.agents"
AGENTS_AFTER_SECONDS = 45.0
"""How long after the start agents are looked at first: a start is for those who wait for it."""
AGENTS_EVERY_SECONDS = 24 * 3600.0
MODELS_AFTER_SECONDS = 3.0
"""How long after the start model servers of this machine are looked for."""
MODELS_EVERY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Seen:
    ready: frozenset[str]
    code: CodeAbility
    concurrent: int


class Abilities:
    """One for each worker."""

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        executors: Mapping[str, str],
        data: Path,
        environment: Environment,
        rules: CodeRules,
    ) -> None:
        self._kinds, self._executors = kinds, executors
        self._data = data
        self._environment = environment
        self._seen = self._soon = self._see(rules)
        self._remedies = self._lacks()
        self._agents_at = environment.monotonic() + AGENTS_AFTER_SECONDS
        self._models_at = environment.monotonic() + MODELS_AFTER_SECONDS
        self._local: tuple[Found, ...] = ()

    @property
    def ready(self) -> frozenset[str]:
        """Kinds that could be run here now."""
        return self._seen.ready

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return hardware.capabilities(
            self._seen.ready, self._kinds, self._seen.code, self._seen.concurrent, self._local
        )

    @property
    def lacking(self) -> tuple[Lacking, ...]:
        return self._remedies

    @property
    def remedies(self) -> Mapping[str, str]:
        """The command that adds what a kind lacks, by the kind's name."""
        return {lack.kind: lack.command for lack in self._remedies}

    def look(self, rules: CodeRules) -> bool:
        """Look; say whether hubs are to be told anew."""
        seen = self._see(rules)
        is_news = seen != self._seen and seen == self._soon
        self._soon = seen
        if is_news:
            log.info("tools have changed", ready=sorted(seen.ready), code=seen.code.tools)
            self._seen = seen
            self._remedies = self._lacks()
        return is_news

    def are_agents_due(self) -> bool:
        """Whether it is time to find out which agents answer. A yes counts as done."""
        now = self._environment.monotonic()
        if now < self._agents_at or AGENTS_KIND not in self._seen.ready:
            return False
        self._agents_at = now + AGENTS_EVERY_SECONDS
        age = self._environment.now().timestamp() - looked_at(self._data)
        return not 0 <= age < AGENTS_EVERY_SECONDS

    def are_models_due(self) -> bool:
        """Whether it is time to look for model servers again. A yes counts as done."""
        now = self._environment.monotonic()
        if now < self._models_at:
            return False
        self._models_at = now + MODELS_EVERY_SECONDS
        return True

    def found(self, local: tuple[Found, ...]) -> bool:
        """Take in which local endpoints answer; say whether hubs are to be told anew."""
        is_news = told(local) != told(self._local) or bool(local) != bool(self._local)
        self._local = local
        return is_news

    async def look_at_agents(self, runner: Runner) -> None:
        """Find out which agents answer; what is found is remembered by the job itself."""
        new_id = self._environment.new_id
        spec = JobSpec(
            job_id=JobId(new_id()), task_id=TaskId(new_id()), kind=AGENTS_KIND, title=AGENTS_KIND
        )
        async with asyncio.timeout(self._kinds[AGENTS_KIND].timeout_seconds):
            outcome = await runner.errand(Attempt(spec=spec, number=1))
        if outcome.ending is not Ending.RESULT:
            log.warning("agents not looked at", ending=outcome.ending)

    def _see(self, rules: CodeRules) -> _Seen:
        ready = hardware.kinds_ready(self._kinds, self._executors)
        has_code = any(self._kinds[name].is_apart for name in ready)
        code = look_for_code(rules, self._data) if has_code else CodeAbility()
        return _Seen(ready, code, rules.concurrent)

    def _lacks(self) -> tuple[Lacking, ...]:
        return hardware.lacking(self._kinds, self._executors, self._seen.ready)
