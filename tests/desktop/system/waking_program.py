"""Listens in a network of its own while an address comes and goes; says what it heard."""

from __future__ import annotations

import asyncio

from desktop.system.waking import AddressNews, listen
from shared.environment import Environment

ADDRESS = "192.0.2.77"


async def _ip(*words: str) -> None:
    program = await asyncio.create_subprocess_exec("ip", "address", *words)
    assert await program.wait() == 0


async def _main() -> None:
    heard: asyncio.Queue[AddressNews] = asyncio.Queue()
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(
            listen(Environment(), lambda: print("woke"), heard.put_nowait)
        )
        await asyncio.sleep(0)
        for deed in ("add", "del"):
            await _ip(deed, f"{ADDRESS}/32", "dev", "lo")
            async with asyncio.timeout(5):
                news = await heard.get()
            print("came" if news.is_new else "went", news.address, flush=True)
        listening.cancel()


if __name__ == "__main__":
    asyncio.run(_main())
