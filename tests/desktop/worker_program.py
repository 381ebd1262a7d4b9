"""A worker in a process of its own, with the tests' kinds: python -m … HOME HUB_URL."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.desktop.link.workers import working


async def main() -> None:
    async with working(Path(sys.argv[1]), sys.argv[2]):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(main())
