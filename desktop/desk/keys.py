"""The person's keys to makers of language models: kept, tried, never shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from desktop.core.providers import PROVIDERS, KeyVerdict, Provider, checked_key
from desktop.link.key_check import check_key
from desktop.system.credentials import bring_home, load_secret, remove_secret, save_secret
from desktop.system.paths import Paths
from desktop.system.safe import Safe, system_safe
from shared.errors import ErrorBody, NotFound


@dataclass(frozen=True, slots=True)
class KeyState:
    """Whether a key is there. Its value stays where it is."""

    is_set: bool
    is_in_file: bool
    """Whether it lies in a file because the safe could not be used."""


class Keys:
    """Everything here waits in a thread, not on the loop."""

    def __init__(
        self,
        paths: Paths,
        safe: Safe | None = None,
        check: Callable[[Provider, str], Awaitable[KeyVerdict]] = check_key,
    ) -> None:
        self._paths = paths
        self._safe = safe or system_safe()
        self._check = check
        self._removed: dict[str, str] = {}

    @property
    def trouble(self) -> ErrorBody | None:
        """What is wrong with the system's safe, as far as it was asked."""
        return self._safe.trouble

    async def states(self) -> Mapping[str, KeyState]:
        """Look which keys are there, by their names; what lies in files goes into the safe."""
        return await asyncio.to_thread(self._states)

    async def keep(self, provider: Provider, text: str) -> str:
        """Keep a key in place of the last one; return where, in words.

        Raises:
            BadInput: `key_odd`.
        """
        key = checked_key(text)
        return await asyncio.to_thread(self._keep, provider.key_name, key)

    async def remove(self, provider: Provider) -> None:
        """Remove a key; `take_back` puts it back while this program runs.

        Raises:
            SafeTrouble: it may still be in the safe.
        """
        name, file = provider.key_name, self._paths.key_file(provider.key_name)
        key = await asyncio.to_thread(load_secret, entry=name, file=file, safe=self._safe)
        await asyncio.to_thread(remove_secret, entry=name, file=file, safe=self._safe)
        if key is not None:
            self._removed[name] = key

    async def take_back(self, provider: Provider) -> None:
        """Undo the last removal; nothing happens when there was none."""
        key = self._removed.pop(provider.key_name, None)
        if key is not None:
            await asyncio.to_thread(self._keep, provider.key_name, key)

    async def try_out(self, provider: Provider) -> KeyVerdict:
        """Ask the provider whether it accepts the key that is kept.

        Raises:
            NotFound: `key_not_set`.
        """
        name = provider.key_name
        key = await asyncio.to_thread(
            load_secret, entry=name, file=self._paths.key_file(name), safe=self._safe
        )
        if key is None:
            raise NotFound("key_not_set", f"No key of {provider.name} is kept here.", "Set one.")
        return await self._check(provider, key)

    def _states(self) -> dict[str, KeyState]:
        states = {}
        for name in (provider.key_name for provider in PROVIDERS):
            file = self._paths.key_file(name)
            bring_home(entry=name, file=file, safe=self._safe)
            is_in_file = file.exists()
            is_set = is_in_file or load_secret(entry=name, file=file, safe=self._safe) is not None
            states[name] = KeyState(is_set, is_in_file)
        return states

    def _keep(self, name: str, key: str) -> str:
        self._paths.keys.mkdir(mode=0o700, exist_ok=True)
        return save_secret(key, entry=name, file=self._paths.key_file(name), safe=self._safe)
