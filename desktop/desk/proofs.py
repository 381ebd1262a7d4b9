"""By what this machine is known to its hub: its token, and the key that signs what it writes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from desktop.system.credentials import bring_home, load_secret
from desktop.system.device_key import load_signer
from desktop.system.paths import Paths
from desktop.system.safe import Safe
from shared.ids import WorkerId
from shared.signatures import Sign

log = structlog.get_logger(__name__)


class Proofs:
    """One for each desk."""

    def __init__(
        self,
        paths: Paths,
        safe: Safe,
        *,
        on_missing: Callable[[], None],
        on_looked: Callable[[], None],
    ) -> None:
        self._paths, self._safe = paths, safe
        self._on_missing = on_missing
        self._on_looked = on_looked

    async def token(self, worker_id: WorkerId, until: asyncio.Event) -> str | None:
        """Read the token, waiting for a safe that is locked; None when there is none to wait for.

        It gives up when `until` is set. Whether the safe was opened is looked at without making a
        password window appear.
        """
        entry, file = worker_id, self._paths.token
        while not until.is_set():
            token = await asyncio.to_thread(load_secret, entry=entry, file=file, safe=self._safe)
            if token is not None:
                if self._paths.home is None and file.exists():  # a profile apart keeps all its own
                    await asyncio.to_thread(bring_home, entry=entry, file=file, safe=self._safe)
                self._on_looked()
                return token
            self._on_missing()
            self._on_looked()
            if self._safe.trouble is None:
                return None
            while not await asyncio.to_thread(self._safe.may_open):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._safe.look_seconds):
                        await until.wait()
                        return None
        return None

    async def signer(self, public: str) -> Sign | None:
        """Find the key that this machine paired with; None when it is gone: nothing is signed."""
        file = self._paths.device_key
        sign = await asyncio.to_thread(load_signer, public, file=file, safe=self._safe)
        if sign is None:
            log.warning("this machine has no key; what it reports is not signed")
        return sign
