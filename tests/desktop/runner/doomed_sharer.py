"""A process with a shared child, killed by its test: python -m … FOLDER."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.desktop.runner.shared_trial import trial


async def main() -> None:
    async with trial(Path(sys.argv[1])) as child:
        job = child.start("hang")
        await job.until()
        print(job.logged[0], flush=True)
        await job.ended()


if __name__ == "__main__":
    asyncio.run(main())
