"""A hub of this machine's own, kept alive while this program runs ("just this computer").

     off ──switch_on──▶ starting ──▶ running ──it died──▶ failed ─┐
      ▲                     ▲                                     │ after a wait that grows
      └──switch_off── any   └─────────────────────────────────────┘

Whether it is wanted, and its port, is a fact of the store: it comes back at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging.handlers
from asyncio.subprocess import Process
from collections import deque
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import structlog

from desktop.store import facts
from desktop.system.credentials import forget_secret, load_secret, save_secret
from desktop.system.hub_program import (
    free_port,
    hub_command,
    hub_missing,
    is_well,
    port_is_free,
    start_hub,
)
from desktop.system.paths import Paths
from shared.backoff import Backoff
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError, Unavailable
from shared.plain_text import plain_line

log = structlog.get_logger(__name__)

START_SECONDS_MAX = 30.0
LOOK_SECONDS = 0.1
STOP_SECONDS_MAX = 6.0
"""A hub drains for 3 s at its end."""
STEADY_SECONDS = 60.0
"""A hub that lived this long has not failed at starting."""
PORT_SECONDS = 8.0
"""How long the last hub may take to leave its port before another is chosen."""
LOG_BYTES_MAX = 2 * 1024 * 1024
LOG_FILES = 2
RESTART = Backoff(first_seconds=0.5, max_seconds=60.0)
TELEGRAM_ENTRY = "local hub telegram"


class HubState(StrEnum):
    OFF = "off"
    STARTING = "starting"
    RUNNING = "running"
    FAILED = "failed"


class LocalHub:
    """`run` it until cancelled; `switch_on` and `switch_off` from the same loop meanwhile."""

    def __init__(
        self,
        paths: Paths,
        database: Database,
        environment: Environment,
        on_moved: Callable[[], None] = lambda: None,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Stand ready; nothing runs before `run`.

        Args:
            paths: of the profile whose hub it is.
            database: its store.
            environment: time and jitter.
            on_moved: called when its worker finds it at another port from now on.
            settings: more of the hub's own (`.env.example`).
        """
        self.folder = paths.data / "hub"
        self.state = HubState.OFF
        self.error: AppError | None = None
        """Why it does not run, while it is failed."""
        self.port = 0
        self.listeners: list[Callable[[], None]] = []
        """Told when `state` is another."""
        self._database = database
        self._environment = environment
        self._on_moved = on_moved
        self._settings = settings
        self._asked = asyncio.Event()
        self._news = asyncio.Event()
        self._last_words: deque[str] = deque(maxlen=5)

    @property
    def url(self) -> str:
        return facts.local_hub_url(self.port)

    @property
    def log_file(self) -> Path:
        return self.folder / "hub.log"

    @property
    def admin_key_file(self) -> Path:
        """What the hub takes for its owner's word; it is made by the hub itself."""
        return self.folder / "admin.key"

    @property
    def telegram_token_file(self) -> Path:
        """Used only where the system has no safe for secrets."""
        return self.folder / "telegram.token"

    async def switch_on(self) -> str:
        """Run a hub here from now on, also after a restart; return its address when it is up.

        Raises:
            AppError: `hub_program_missing`, `local_hub_ended`, `local_hub_slow`.
        """
        if not await self._database.read(facts.local_hub_port):
            port = free_port()
            await self._database.write(lambda c: facts.put_local_hub_port(c, port))
        if self.state is not HubState.RUNNING:
            self._note(HubState.STARTING)
            self._asked.set()
        while self.state is HubState.STARTING:
            self._news.clear()
            await self._news.wait()
        if self.state is not HubState.RUNNING:
            raise self.error or Unavailable(
                "local_hub_off", "The hub on this computer was switched off meanwhile."
            )
        return self.url

    async def switch_off(self) -> None:
        """Run none from now on. Its data stay."""
        await self._database.write(lambda c: facts.put_local_hub_port(c, 0))
        self._asked.set()

    async def restart(self) -> str:
        """Start it anew, with the settings of now; else as `switch_on`."""
        self._note(HubState.STARTING)
        self._asked.set()
        return await self.switch_on()

    def save_telegram_token(self, token: str) -> None:
        """Keep a bot's token for this hub, from its next start on; blocks."""
        save_secret(token, entry=TELEGRAM_ENTRY, file=self.telegram_token_file)

    def forget_telegram_token(self) -> None:
        forget_secret(entry=TELEGRAM_ENTRY, file=self.telegram_token_file)

    async def run(self) -> None:
        """Keep it alive as long as it is wanted; with the end of this, it ends."""
        while True:
            self._asked.clear()
            self.port = await self._database.read(facts.local_hub_port)
            if not self.port and not self._asked.is_set():
                self._note(HubState.OFF)
            async with asyncio.TaskGroup() as tasks:
                living = tasks.create_task(self._keep_alive()) if self.port else None
                await self._asked.wait()
                if living is not None:
                    living.cancel()

    async def _keep_alive(self) -> None:
        failures = 0
        while True:
            began = self._environment.monotonic()
            self._note(HubState.STARTING)
            try:
                error = await self._live()
            except AppError as failure:
                error = failure
            lived = self._environment.monotonic() - began
            failures = 1 if lived > STEADY_SECONDS else failures + 1
            wait = RESTART.wait_seconds(failures, self._environment.random())
            log.warning("local hub ended", why=str(error), next_try_seconds=round(wait, 1))
            self._note(HubState.FAILED, error)
            if not error.retryable:
                return
            await asyncio.sleep(wait)

    async def _live(self) -> AppError:
        """Run it once; return why it ended.

        Raises:
            AppError: why it could not be started.
        """
        command = await asyncio.to_thread(hub_command)
        await self._find_port()
        secrets = await asyncio.to_thread(self._prepare)
        self._last_words.clear()
        process = await start_hub(command, data=self.folder, port=self.port, secrets=secrets)
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self._keep_log(process))
            try:
                return await self._watch(process, tasks)
            finally:
                await _stop(process)
                await asyncio.wait((keeping,), timeout=1)
                keeping.cancel()

    async def _watch(self, process: Process, tasks: asyncio.TaskGroup) -> AppError:
        """Wait until it is up, and until it is down; return why."""
        ending = tasks.create_task(process.wait())
        coming = tasks.create_task(self._until_up())
        await asyncio.wait((ending, coming), return_when=asyncio.FIRST_COMPLETED)
        if coming.done() and not coming.result():
            return self._too_slow()
        if coming.done():
            self._note(HubState.RUNNING)
        code = await ending
        coming.cancel()
        return self._ended(code)

    async def _until_up(self) -> bool:
        """Wait until it answers; False when it takes too long."""
        for _ in range(round(START_SECONDS_MAX / LOOK_SECONDS)):
            if await asyncio.to_thread(is_well, self.url):
                return True
            await asyncio.sleep(LOOK_SECONDS)
        return False

    async def _find_port(self) -> None:
        """Keep the port of last time; take another only from a stranger who stays on it."""
        for _ in range(round(PORT_SECONDS / LOOK_SECONDS)):
            if port_is_free(self.port):
                return
            await asyncio.sleep(LOOK_SECONDS)
        self.port = free_port()
        port = self.port
        await self._database.write(lambda c: facts.put_local_hub_port(c, port))
        self._on_moved()

    def _prepare(self) -> dict[str, str]:
        """Make its folder; return what it gets by its environment alone."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        token = load_secret(entry=TELEGRAM_ENTRY, file=self.telegram_token_file)
        return {**self._settings, **({"HUB_TELEGRAM_TOKEN": token} if token else {})}

    async def _keep_log(self, process: Process) -> None:
        """Write what it says to its log, which never grows beyond its cap."""
        assert process.stdout is not None
        file = logging.handlers.RotatingFileHandler(
            self.log_file, maxBytes=LOG_BYTES_MAX, backupCount=LOG_FILES - 1, encoding="utf-8"
        )
        with contextlib.closing(file):
            while True:
                try:
                    raw = await process.stdout.readline()
                except ValueError:  # a line beyond the stream's limit; what was read is dropped
                    continue
                if not raw:
                    return
                line = raw.decode(errors="replace").rstrip()
                self._last_words.append(line)
                file.emit(logging.LogRecord("hub", logging.INFO, "", 0, line, None, None))

    def _too_slow(self) -> AppError:
        return Unavailable(
            "local_hub_slow",
            f"The hub on this computer did not answer within {START_SECONDS_MAX:.0f} s.",
            f"It is started again by itself; what it says is in {self.log_file}.",
            retryable=True,
        )

    def _ended(self, code: int) -> AppError:
        if any("ModuleNotFoundError" in line for line in self._last_words):
            return hub_missing()
        said = next((line for line in reversed(self._last_words) if line.strip()), "")
        words = f" It said: {plain_line(said)[:200]}" if said else ""
        return Unavailable(
            "local_hub_ended",
            f"The hub on this computer has ended (exit code {code}).{words}",
            f"It is started again by itself; its log is {self.log_file}.",
            retryable=True,
        )

    def _note(self, state: HubState, error: AppError | None = None) -> None:
        self.state, self.error = state, error
        self._news.set()
        for listener in tuple(self.listeners):
            listener()


async def _stop(process: Process) -> None:
    """Let it end in good order, then end it."""
    if process.returncode is not None:
        return
    assert process.stdin is not None
    process.stdin.close()
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS_MAX):
                await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
