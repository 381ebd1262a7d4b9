"""Runs frontends, each for itself: one that breaks is started again, the others do not notice.

A frontend is made, started and watched; when it fails at any of these, or says FAILED, it is
stopped and made anew after a wait that grows. Meanwhile what it has to show stays in the outbox.

    waiting ──make, start──▶ up ──FAILED, or status() raises──▶ waiting (longer each time)
       └──make gives None──▶ unused
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from traceback import format_exception

import structlog
from starlette.types import ASGIApp

from hub.frontends.makers import Maker, made, quit_error
from hub.frontends.outbox import Outbox
from hub.ports import Frontend, FrontendSetup, Health, HealthState, Inbox
from shared.backoff import Backoff
from shared.environment import Environment
from shared.errors import AppError, Unavailable

log = structlog.get_logger()

START_SECONDS = 30.0
STOP_SECONDS = 5.0
LOOK_SECONDS = 1.0
"""How often a frontend's state is looked at."""
STEADY_SECONDS = 300.0
"""A frontend that ran this long starts its waits from the first again."""
AGAIN = Backoff(first_seconds=1.0, max_seconds=300.0)
ERROR_CHARS_MAX = 300
SECRET_CHARS_MIN = 6
"""Shorter values of settings are no secrets: "true", a number."""


@dataclass(slots=True, eq=False)
class _Hosted:
    """One frontend and how it is doing."""

    name: str
    make: Callable[[], Awaitable[Frontend | None]]
    health: Health
    """While it is not up; then its own word counts."""
    frontend: Frontend | None = None
    """While it is up."""
    up_since: float = 0.0
    failures: int = 0
    is_unused: bool = False
    secrets: Sequence[str] = ()
    """Never told: values of its settings."""
    told: tuple[HealthState, str] = field(default=(HealthState.STARTING, ""))
    """What stands in the log last."""


class Host:
    """Give it frontends with `adopt` and `plan`, then `begin` and `run` it; `stop` ends all."""

    def __init__(
        self,
        *,
        inbox: Inbox,
        outbox: Outbox,
        environment: Environment,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self._start_seconds = start_seconds
        self._inbox = inbox
        self._outbox = outbox
        self._environment = environment
        self._adopted: list[_Hosted] = []
        self._planned: list[_Hosted] = []
        self._is_stopping = False

    def adopt(self, frontend: Frontend) -> None:
        """Take a frontend that was made already; it is started by `begin`."""

        async def make() -> Frontend | None:
            return frontend

        self._adopted.append(self._hosted(frontend.name, make))

    def plan(self, maker: Maker, setup: FrontendSetup) -> None:
        """Take a frontend that is still to be made; it is started by `run`."""

        async def make() -> Frontend | None:
            return await made(maker, setup)

        hosted = self._hosted(maker.name, make)
        hosted.secrets = [v for v in setup.settings.values() if len(v) >= SECRET_CHARS_MIN]
        self._planned.append(hosted)

    def _hosted(self, name: str, make: Callable[[], Awaitable[Frontend | None]]) -> _Hosted:
        # From now on, what belongs there waits for it instead of going elsewhere.
        self._outbox.expect(name)
        health = Health(state=HealthState.STARTING, since=self._environment.now())
        return _Hosted(name, make, health)

    def statuses(self) -> list[tuple[str, Health]]:
        """How each frontend is doing now; those that are not set up are left out."""
        hosted = [h for h in self._adopted + self._planned if not h.is_unused]
        return [(h.name, self._health(h)) for h in hosted]

    def chat_links(self) -> dict[str, str]:
        """Where a person opens the chat of each frontend that has such a place now."""
        up = [h.frontend for h in self._adopted + self._planned if h.frontend is not None]
        links = {frontend.name: str(getattr(frontend, "chat_link", "")) for frontend in up}
        return {name: link for name, link in links.items() if link}

    def find(self, name: str) -> Frontend | None:
        """A frontend that is up."""
        hosted = self._adopted + self._planned
        return next((h.frontend for h in hosted if h.name == name), None)

    def app_at(self, path: str) -> ASGIApp | None:
        """The application of the frontend that serves a path; None when none does."""
        for hosted in self._adopted + self._planned:
            served: Mapping[str, ASGIApp] = getattr(hosted.frontend, "asgi", None) or {}
            for place, app in served.items():
                if path == place or (place.endswith("/") and path.startswith(place)):
                    return app
        return None

    async def begin(self) -> None:
        """Start the adopted ones."""
        for hosted in self._adopted:
            await self._tend(hosted)

    async def run(self) -> None:
        """Start, watch and restart until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for hosted in self._adopted + self._planned:
                tasks.create_task(self._keep(hosted))

    async def _keep(self, hosted: _Hosted) -> None:
        while True:
            wait = await self._tend(hosted)
            if wait is None:
                return
            await asyncio.sleep(wait)

    async def tend_once(self) -> dict[str, float | None]:
        """Look after each once; in how many seconds to do so again, None for never."""
        hosted = self._adopted + self._planned
        return {h.name: await self._tend(h) for h in hosted}

    async def stop(self) -> None:
        """Stop all. Idempotent."""
        self._is_stopping = True
        stopping = [self._take_down(h) for h in self._adopted + self._planned]
        await asyncio.gather(*stopping)
        for hosted in self._adopted + self._planned:
            hosted.health = Health(state=HealthState.STOPPED, since=self._environment.now())

    async def _tend(self, hosted: _Hosted) -> float | None:
        if self._is_stopping or hosted.is_unused:
            return None
        try:
            if hosted.frontend is None:
                await self._bring_up(hosted)
            else:
                self._look_at(hosted, hosted.frontend)
        except Exception as error:
            return await self._failed(hosted, error)
        except SystemExit as error:
            return await self._failed(hosted, quit_error(error))
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancels us: it is the frontend's own, leaking out of it.
            return await self._failed(hosted, quit_error(error))
        return None if hosted.is_unused else LOOK_SECONDS

    async def _bring_up(self, hosted: _Hosted) -> None:
        frontend = await hosted.make()
        if frontend is None:
            hosted.is_unused = True
            self._outbox.forget(hosted.name)
            return
        bound = asyncio.timeout(self._start_seconds)
        try:
            async with bound:
                await frontend.start(self._inbox)
        except BaseException:
            await _stopped(frontend)
            if bound.expired():
                raise Unavailable(
                    "frontend_slow",
                    f"It did not start within {self._start_seconds:g} s.",
                    "It is tried again.",
                    retryable=True,
                ) from None
            raise
        if self._is_stopping:
            await _stopped(frontend)
            return
        hosted.frontend, hosted.up_since = frontend, self._environment.monotonic()
        await self._outbox.attach(frontend)
        self._look_at(hosted, frontend)

    def _look_at(self, hosted: _Hosted, frontend: Frontend) -> None:
        health = frontend.status()
        if health.state is HealthState.FAILED:
            raise Unavailable(
                "frontend_failed",
                health.error or "Its work has ended by a fault.",
                health.hint,
                retryable=True,
            )
        if self._environment.monotonic() - hosted.up_since >= STEADY_SECONDS:
            hosted.failures = 0
        self._tell(hosted, health)

    async def _failed(self, hosted: _Hosted, error: Exception) -> float:
        hosted.failures += 1
        was_up = hosted.frontend is not None
        await self._take_down(hosted)
        goes_on = hosted.health.state is HealthState.FAILED and not was_up
        since = hosted.health.since if goes_on else self._environment.now()
        hosted.health = _health_of(error, since, hosted.secrets)
        trace = "" if isinstance(error, AppError) else "".join(format_exception(error))
        self._tell(hosted, hosted.health, _without(hosted.secrets, trace))
        return AGAIN.wait_seconds(hosted.failures, self._environment.random())

    async def _take_down(self, hosted: _Hosted) -> None:
        frontend, hosted.frontend = hosted.frontend, None
        self._outbox.detach(hosted.name)
        if frontend is not None:
            await _stopped(frontend)

    def _health(self, hosted: _Hosted) -> Health:
        if hosted.frontend is None:
            return hosted.health
        try:
            return hosted.frontend.status()
        except Exception as error:
            return _health_of(error, hosted.health.since, hosted.secrets)

    def _tell(self, hosted: _Hosted, health: Health, trace: str = "") -> None:
        """Say in the log what has changed."""
        told = (health.state, health.error)
        if told == hosted.told:
            return
        was_well = hosted.told[0] in (HealthState.STARTING, HealthState.OK)
        hosted.told = told
        if health.state in (HealthState.FAILED, HealthState.TROUBLED):
            log.warning(
                "frontend_troubled",
                frontend=hosted.name,
                state=str(health.state),
                error=health.error,
                hint=health.hint,
                **({"trace": trace} if trace else {}),
            )
        elif not was_well:
            log.info("frontend_well", frontend=hosted.name, state=str(health.state))


async def _stopped(frontend: Frontend) -> None:
    """Stop it as far as it can be stopped."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await frontend.stop()
    except (Exception, SystemExit) as error:
        log.warning("frontend_unstopped", frontend=frontend.name, error=type(error).__name__)


def _health_of(error: Exception, since: datetime, secrets: Sequence[str]) -> Health:
    """What to show of a frontend that is down."""
    hint = "The hub's log has the details."
    told = f"{type(error).__name__}: {error}"
    match error:
        case AppError():
            told, hint = error.message, error.hint
        case ImportError():
            hint = "Install what it needs, or remove it."
        case _:
            pass
    told = " ".join(_without(secrets, told).split())[:ERROR_CHARS_MAX]
    return Health(state=HealthState.FAILED, since=since, error=told, hint=hint)


def _without(secrets: Sequence[str], text: str) -> str:
    """Take a frontend's own settings out of what it says: a token is often part of an address."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text
