"""What the first call of a format needs can be loaded before it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from desktop.core.llm.types import Format

PROGRAM = """
import asyncio, sys
from desktop.core.llm.types import Endpoint, Format, Message, Model, Sampling
from desktop.jobs.llm.loading import load
format_ = Format(sys.argv[1])
load(format_)
before = set(sys.modules)
from desktop.core.llm.fault import LlmFault
from desktop.jobs.llm.speaker import Speaker

async def call():
    place = Endpoint(name="x", base_url="http://127.0.0.1:9/v1", format=format_, is_local=True)
    try:
        await Speaker().say(Model(place, "m"), [Message("user", "Hi")], Sampling())
    except LlmFault:
        pass

asyncio.run(call())
late = sorted(m for m in set(sys.modules) - before if m.split(".")[0] in ("pydantic_ai", "openai"))
print(",".join(late))
"""


@pytest.mark.parametrize("format_", list(Format))
def test_nothing_large_is_left_for_the_first_call(format_: Format) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, format_.value],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    assert len(done.stdout.strip().split(",")) < 10, done.stdout
