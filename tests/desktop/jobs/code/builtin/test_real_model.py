"""A real llama.cpp with a model that talks nonsense does not confuse the built-in agent."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.desktop.jobs.code.builtin.sdk_client import Person, agent, begun, prompted
from tests.desktop.jobs.code.builtin.tiny_gateway import gateway_to
from tests.llm_servers.llamacpp import LlamaServer

SECONDS = 60


async def test_a_turn_with_a_real_server_comes_to_an_end(
    llama: LlamaServer, tmp_path: Path
) -> None:
    home, clone = tmp_path / "home", tmp_path / "clone"
    home.mkdir()
    clone.mkdir()
    (clone / "calc.py").write_text("def add(a, b):\n    return a - b\n")
    person = Person()
    async with (
        asyncio.timeout(SECONDS),
        gateway_to(llama.address, name="tiny") as gateway,
        agent(person, home, gateway.address) as (connection, _),
    ):
        session = await begun(connection, clone)
        ended = await prompted(connection, session, "A or B?")
        again = await prompted(connection, session, "And now?")

    assert ended.stop_reason in ("end_turn", "max_tokens")
    assert again.stop_reason in ("end_turn", "max_tokens")
    assert person.said.strip()
    assert ended.usage.output_tokens > 0
    assert len(gateway.turns) >= 2
