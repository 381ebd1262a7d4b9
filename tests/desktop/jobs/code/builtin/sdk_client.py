"""ACP's official Python SDK as the built-in agent's client: the protocol as others read it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import acp
from acp import schema

ROOT = Path(__file__).resolve().parents[5]
AGENT = ("-P", "-m", "desktop.jobs.code.builtin")


class Person:
    """A client whose person answers as a test says, and who keeps all that it is told."""

    def __init__(self) -> None:
        self.updates: list[Any] = []
        self.forms: list[Any] = []
        self.permissions: list[Any] = []
        self.answers: Callable[[str], Any] = lambda _message: acp.DeclineElicitationResponse(
            action="decline"
        )
        self.permits = "allow"
        self.was_asked = asyncio.Event()
        self.was_told = asyncio.Event()

    def on_connect(self, conn: Any) -> None:
        """Be told who the agent is."""

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        self.updates.append(update)
        self.was_told.set()

    async def request_permission(
        self, session_id: str, tool_call: Any, options: Any, **_: Any
    ) -> Any:
        self.permissions.append((tool_call, options))
        chosen = schema.AllowedOutcome(outcome="selected", option_id=self.permits)
        return acp.RequestPermissionResponse(outcome=chosen)

    async def create_elicitation(self, message: str, mode: Any, **_: Any) -> Any:
        self.forms.append((message, mode))
        self.was_asked.set()
        answer = self.answers(message)
        return await answer if asyncio.iscoroutine(answer) else answer

    @property
    def said(self) -> str:
        return "".join(
            one.content.text for one in self.updates if one.session_update == "agent_message_chunk"
        )

    def told(self, kind: str) -> list[Any]:
        return [one for one in self.updates if one.session_update == kind]


def answering(**content: str) -> Callable[[str], Any]:
    return lambda _message: acp.AcceptElicitationResponse(action="accept", content=dict(content))


def environment(home: Path, address: str, **more: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "DESKHAND_GATEWAY": address,
        "DESKHAND_KEY": "opens-nothing-else",
        **more,
    }


@asynccontextmanager
async def agent(
    person: Person, home: Path, address: str, *, can_ask: bool = True, **more: str
) -> AsyncIterator[tuple[Any, Any]]:
    """Start the built-in agent and shake hands with it; gives connection and process."""
    async with acp.spawn_agent_process(
        person,  # type: ignore[arg-type]
        sys.executable,
        *AGENT,
        env=environment(home, address, **more),
        cwd=home,
        use_unstable_protocol=True,
    ) as (connection, process):
        form = schema.ElicitationCapabilities(form=schema.ElicitationFormCapabilities())
        abilities = schema.ClientCapabilities(elicitation=form if can_ask else None)
        await connection.initialize(
            protocol_version=acp.PROTOCOL_VERSION, client_capabilities=abilities
        )
        yield connection, process


async def begun(connection: Any, folder: Path) -> str:
    return str((await connection.new_session(cwd=str(folder), mcp_servers=[])).session_id)


async def prompted(connection: Any, session_id: str, words: str) -> Any:
    return await connection.prompt(session_id=session_id, prompt=[acp.text_block(words)])
