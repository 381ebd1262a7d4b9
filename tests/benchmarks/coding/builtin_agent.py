"""What a turn with the built-in agent costs beside the model, how soon it starts, and its memory.

    python -m tests.benchmarks.coding.builtin_agent [TURNS]

Two lines: with a gateway that answers at once (the agent alone: one HTTP request, one file read,
two lines of its session, four notices over ACP), and with a scripted model behind the whole llm
layer. The conversation grows all the while, and is sent whole with every turn.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import psutil

from desktop.core.code.turn import Turn, TurnReply
from desktop.core.llm.message import Message, ToolCall
from tests.desktop.jobs.code.builtin.sdk_client import Person, agent, begun, prompted
from tests.desktop.jobs.code.builtin.tiny_gateway import TinyGateway, gateway, gateway_to
from tests.llm_servers import scripted

TURNS = 100
LINES = 400


def main(turns: int = TURNS) -> int:
    print(f"import: {_import_seconds() * 1000:.0f} ms (best of 5, Python's own start included)")
    asyncio.run(_measured("the agent alone", _at_once(turns), turns))
    reads = [{"read": "a.py"}, {"run": "true"}] * (turns // 2)
    with scripted.running(*reads, {"submit": "Done."}) as model:
        asyncio.run(_measured("with the llm layer", gateway_to(model.address), turns))
    return 0


def _import_seconds() -> float:
    argv = [sys.executable, "-P", "-c", "import desktop.jobs.code.builtin.__main__"]
    took = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(argv, check=True)
        took.append(time.perf_counter() - began)
    return min(took)


def _at_once(turns: int) -> AbstractAsyncContextManager[TinyGateway]:
    count = 0

    async def answers(_turn: Turn) -> TurnReply:
        nonlocal count
        count += 1
        name, told = ("submit", {"summary": "Done."}) if count > turns else ("read", _read(count))
        call = ToolCall(id=str(count), name=name, arguments=json.dumps(told))
        return TurnReply(message=Message("assistant", "", calls=(call,)), stop="calls")

    return gateway(answers)


def _read(count: int) -> dict[str, object]:
    return {"path": "a.py", "offset": count % (LINES // 2) + 1, "limit": 20}


async def _measured(name: str, way: AbstractAsyncContextManager[TinyGateway], turns: int) -> None:
    with tempfile.TemporaryDirectory() as told:
        home, clone = Path(told) / "home", Path(told) / "clone"
        for folder in (home, clone):
            folder.mkdir()
        (clone / "a.py").write_text("".join(f"line {n}\n" for n in range(LINES)))
        began = time.perf_counter()
        async with way as here, agent(Person(), home, here.address) as (connection, process):
            greeted = time.perf_counter() - began
            session = await begun(connection, clone)
            began = time.perf_counter()
            await prompted(connection, session, "Go.")
            seconds = time.perf_counter() - began
            facts = psutil.Process(process.pid)
            size, cpu = facts.memory_info().rss / 2**20, sum(facts.cpu_times()[:2])
    each, own = seconds / turns * 1000, cpu / turns * 1000
    print(
        f"{name}: greeted in {greeted * 1000:.0f} ms, {each:.1f} ms a turn "
        f"({own:.1f} ms of the agent's CPU, start included), {size:.0f} MiB"
    )


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:2])))
