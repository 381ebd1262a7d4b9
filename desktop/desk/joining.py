"""Joining a hub while the desk is open: what the assistant shows, whoever closes its window.

    how ──▶ asking ──▶ waiting ──▶ rules ──▶ how
     ▲         │          │          ▲
     ├─ error ─┴──────────┘          │
     └──────── starting ─────────────┘      (a hub of this machine's own)

The steps themselves block, and run in threads that end with the program.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from desktop.core.policy import Policy
from desktop.desk import join_steps, local_steps
from desktop.desk.errand import in_thread
from desktop.desk.join_steps import Wish
from desktop.store import facts
from desktop.system.device_key import DeviceKey
from desktop.system.local_hub import LocalHub
from desktop.system.paths import Paths
from shared.database import Database
from shared.environment import Environment
from shared.errors import AppError

Change = Callable[[sqlite3.Connection], None]


class Step(StrEnum):
    HOW = "how"
    """Nothing is under way; `error` tells what the last try came to."""
    STARTING = "starting"
    """A hub of this machine's own comes up."""
    ASKING = "asking"
    WAITING = "waiting"
    """The words are shown; somebody has to say yes."""
    RULES = "rules"
    """It is in; its owner has not yet said what may be done here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How far it has come."""

    step: Step = Step.HOW
    wish: Wish | None = None
    """What was tried, for another try."""
    asked: facts.Asked | None = None
    trouble: AppError | None = None
    """Why the hub does not answer just now; it is asked again by itself."""
    error: AppError | None = None
    is_local: bool = False


class Joining:
    """One at a time. `stand` is what there is to show; `on_change` rings when it is another."""

    def __init__(
        self,
        *,
        paths: Paths,
        database: Database,
        environment: Environment,
        local_hub: LocalHub,
        move: Callable[[Change], Awaitable[None]],
        on_change: Callable[[], None],
    ) -> None:
        """Stand ready; nothing is asked yet.

        Args:
            paths: of the profile.
            database: its store.
            environment: time, randomness.
            local_hub: for "just this computer".
            move: changes in the store which hub this machine belongs to, while no worker works.
            on_change: called on the loop.
        """
        self.stand = Stand()
        self._paths = paths
        self._database = database
        self._environment = environment
        self._local_hub = local_hub
        self._move = move
        self._on_change = on_change
        self._task: asyncio.Task[object] | None = None
        self._asking = threading.Lock()

    @property
    def is_under_way(self) -> bool:
        return self._task is not None

    async def join(self, wish: Wish) -> None:
        """Ask a hub, wait for the person's decision, and belong to it. What fails is in `stand`."""
        await self._alone(self._join(wish))

    async def join_own(self, person_name: str = "") -> None:
        """Belong to a hub of this machine's own, which is started for that."""
        await self._alone(self._join_own(person_name))

    async def resume(self) -> None:
        """Go on with what was asked before this program was stopped, if there is such a thing."""
        if self.is_under_way or self.stand.step is not Step.HOW:
            return
        asked = await self._database.read(facts.asked)
        if asked is not None and asked.expires_at > self._environment.now():
            wish = Wish(base=asked.hub_url, code=asked.code or None, name=asked.name)
            await self._alone(self._join(wish))

    def cancel(self) -> None:
        """Stop asking. The same code goes on with what was asked, until that expires."""
        if self._task is not None:
            self._task.cancel()
        self._stand(Stand(wish=self.stand.wish))

    def finish(self) -> None:
        """The rules were looked at, or left as they are."""
        if self.stand.step is Step.RULES:
            self._stand(Stand())

    async def rules(self) -> Policy:
        """Read the owner's rules as they are now.

        Raises:
            BadInput: `policy_invalid`.
        """
        return await asyncio.to_thread(join_steps.first_policy, self._paths)

    async def connect_telegram(self, token: str) -> str:
        """Let the own hub speak through a bot; return the link that opens it, good once.

        Raises:
            AppError: the token is wrong, or Telegram cannot be reached; the token is not kept.
        """
        hub = self._local_hub
        await asyncio.to_thread(hub.save_telegram_token, token)
        try:
            base = await hub.restart()
            return await in_thread(
                lambda errand: local_steps.wait_for_link(
                    base, hub.admin_key_file, self._database, "telegram", errand.sleep
                )
            )
        except AppError:
            await asyncio.to_thread(hub.forget_telegram_token)
            await hub.restart()
            raise

    async def dashboard(self, hub_url: str) -> str:
        """Find the address at which the dashboard opens.

        On a hub of this machine's own it signs in whoever sits here, once; any other hub's page
        says itself how one comes in.

        Raises:
            AppError: the own hub's no.
        """
        hub = self._local_hub
        if hub_url != hub.url:
            return f"{hub_url}/"
        return await asyncio.to_thread(
            local_steps.dashboard_link, hub_url, hub.admin_key_file, self._database
        )

    async def _alone(self, work: Awaitable[None]) -> None:
        """Run one try; an earlier one is given up, and has tidied up before this one begins."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))
        task = asyncio.current_task()
        self._task = task
        try:
            await work
        except AppError as error:
            if self._task is task:
                self._stand(Stand(wish=self.stand.wish, error=error, is_local=self.stand.is_local))
        finally:
            if self._task is task:
                self._task = None
                self._on_change()

    async def _join(self, wish: Wish) -> None:
        self._stand(Stand(step=Step.ASKING, wish=wish))
        key = await in_thread(lambda _: join_steps.device_key(self._paths, self._database))
        asked = await in_thread(lambda _: self._ask(wish, key))
        self._stand(replace(self.stand, step=Step.WAITING, asked=asked))
        await self._arrive(*await self._wait(asked, key))
        if wish.base != self._local_hub.url:
            await self._local_hub.switch_off()

    async def _join_own(self, person_name: str) -> None:
        self._stand(Stand(step=Step.STARTING, is_local=True))
        try:
            base = await self._local_hub.switch_on()
            key = await in_thread(lambda _: join_steps.device_key(self._paths, self._database))
            admin_key_file = self._local_hub.admin_key_file
            code = await in_thread(
                lambda _: local_steps.own_code(base, admin_key_file, self._database, person_name)
            )
            asked = await in_thread(lambda _: self._ask(Wish(base=base, code=code), key))
            await self._arrive(*await self._wait(asked, key))
        except BaseException:
            # Who gave up, or got no further, is not to have a hub run on here for nothing.
            if not await self._belongs_to_own():
                await self._local_hub.switch_off()
            raise

    def _ask(self, wish: Wish, key: DeviceKey) -> facts.Asked:
        # One after the other: what a try that was given up still gets to know is gone on with.
        with self._asking:
            way = join_steps.way_of(self._paths)
            return join_steps.ask(wish, key, self._database, self._environment, way)

    async def _wait(self, asked: facts.Asked, key: DeviceKey) -> tuple[facts.Pairing, str]:
        def tell(trouble: AppError | None) -> None:
            if self.stand.asked is asked:
                self._stand(replace(self.stand, trouble=trouble))

        return await in_thread(
            lambda errand: join_steps.wait(
                asked,
                key,
                self._database,
                environment=self._environment,
                sleep=errand.sleep,
                on_trouble=lambda error: errand.tell(lambda: tell(error)),
                on_calm=lambda: errand.tell(lambda: tell(None)),
                way=join_steps.way_of(self._paths),
            )
        )

    async def _arrive(self, pairing: facts.Pairing, token: str) -> None:
        """Belong to the hub from now on: the token first, then the store, then the worker."""
        await asyncio.to_thread(join_steps.first_policy, self._paths)
        await asyncio.to_thread(join_steps.keep_token, self._paths, pairing, token)
        await self._move(lambda c: facts.save_pairing(c, pairing))
        self._stand(Stand(step=Step.RULES, is_local=self.stand.is_local))

    async def _belongs_to_own(self) -> bool:
        pairing = await self._database.read(facts.pairing)
        return pairing is not None and pairing.hub_url == self._local_hub.url

    def _stand(self, stand: Stand) -> None:
        self.stand = stand
        self._on_change()
