"""The first look at an endpoint has its whole time for the endpoint, none of it for Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]

# Each module that is loaded takes ten seconds of the loop's time, and a look has 1.5.
SLOW_IMPORTS = """
import asyncio, sys

class Loop(asyncio.SelectorEventLoop):
    ahead = 0.0
    def time(self):
        return super().time() + Loop.ahead

class Slow:
    def find_spec(self, name, path=None, target=None):
        Loop.ahead += 10.0
        return None

async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n{}")
    writer.close()

async def look():
    from desktop.core.llm.types import Endpoint
    from desktop.jobs.llm.reach import look_at
    from desktop.system.way import Way
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sys.meta_path.insert(0, Slow())
    look = await look_at(Endpoint(name="far", base_url=f"http://127.0.0.1:{port}/v1"), "", Way())
    assert Loop.ahead > 0, "nothing was loaded"
    print(look.is_answering, look.reason)

with asyncio.Runner(loop_factory=Loop) as runner:
    runner.run(look())
"""


def test_what_the_first_look_loads_is_not_taken_off_its_time() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SLOW_IMPORTS], cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["True"], (done.stdout, done.stderr[-2000:])
