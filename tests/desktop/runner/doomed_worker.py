"""A process that runs one child and is killed by its test: python -m … KIND WORKDIR."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.desktop.runner.hard_children import Trial, spec


async def main() -> None:
    trial = Trial(Path(sys.argv[2]), spec(sys.argv[1]))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(trial.run())
        print(await trial.heard(), flush=True)
        await running


if __name__ == "__main__":
    asyncio.run(main())
