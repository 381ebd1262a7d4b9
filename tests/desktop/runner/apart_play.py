"""The toy kinds, those with a child of their own among them, and one that looks for agents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from desktop.jobs.context import SharedContext
from desktop.system.code_tools import AGENTS_FILE
from shared.kinds import Kind
from shared.kinds.catalogue import BUILT_IN
from shared.kinds.code import AgentsInputs, AgentsOutput
from tests.desktop.runner import shared_play

AGENTS = "code.agents"


async def agents(context: SharedContext, inputs: AgentsInputs) -> AgentsOutput:
    """Find one agent, and remember it as the real one does."""
    path = context.data_folder / AGENTS_FILE
    path.parent.mkdir(exist_ok=True)
    facts = {"name": "codex", "is_ready": True}
    path.write_text(json.dumps([{"facts": facts, "sandbox": "landlock"}]), encoding="utf-8")
    return AgentsOutput(headline="Ready: codex.")


KINDS: Mapping[str, Kind] = {
    **shared_play.KINDS,
    **shared_play.KINDS_APART,
    AGENTS: replace(BUILT_IN[AGENTS]),
}
EXECUTORS: Mapping[str, str] = {
    **shared_play.EXECUTORS,
    **shared_play.EXECUTORS_APART,
    AGENTS: f"{__name__}:agents",
}
