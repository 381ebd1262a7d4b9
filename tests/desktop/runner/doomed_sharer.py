"""A process with a child of its own, killed by its test: python -m … FOLDER shared|apart."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.desktop.runner.shared_trial import trial


async def main() -> None:
    async with trial(Path(sys.argv[1])) as child:
        is_apart = sys.argv[2] == "apart"
        job = child.start("scatter" if is_apart else "hang", is_apart=is_apart)
        await job.until()
        print(job.logged[0], flush=True)
        await job.ended()


if __name__ == "__main__":
    asyncio.run(main())
