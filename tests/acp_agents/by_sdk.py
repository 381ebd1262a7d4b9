"""An agent written with the protocol's own SDK: the peer that knows nothing of our reading of it.

Run as a program. In its turn it does all that an agent can want of a client, and tells in its last
words what it got.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import acp
from acp import schema
from acp.interfaces import Client


class SdkAgent:
    """As `acp.interfaces.Agent`."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._servers: list[str] = []

    def on_connect(self, conn: Client) -> None:
        self._client = conn

    async def initialize(
        self,
        protocol_version: int,
        client_capabilities: schema.ClientCapabilities | None = None,
        client_info: schema.Implementation | None = None,
        **kwargs: Any,
    ) -> schema.InitializeResponse:
        assert client_capabilities is not None
        assert client_capabilities.elicitation is not None
        assert client_capabilities.elicitation.form is not None
        assert client_capabilities.elicitation.url is None
        resume = schema.SessionResumeCapabilities()
        return schema.InitializeResponse(
            protocol_version=protocol_version,
            agent_capabilities=schema.AgentCapabilities(
                load_session=True,
                session_capabilities=schema.SessionCapabilities(resume=resume),
            ),
            agent_info=schema.Implementation(name="sdk", version="9"),
        )

    async def new_session(
        self, cwd: str, mcp_servers: list[Any] | None = None, **kwargs: Any
    ) -> schema.NewSessionResponse:
        self._servers = [server.name for server in mcp_servers or []]
        modes = [schema.SessionMode(id="careful", name="Careful")]
        return schema.NewSessionResponse(
            session_id="s-1",
            modes=schema.SessionModeState(current_mode_id="other", available_modes=modes),
        )

    async def resume_session(
        self, session_id: str, cwd: str, **kwargs: Any
    ) -> schema.ResumeSessionResponse:
        return schema.ResumeSessionResponse()

    async def set_session_mode(
        self, session_id: str, mode_id: str, **kwargs: Any
    ) -> schema.SetSessionModeResponse:
        assert mode_id == "careful"
        return schema.SetSessionModeResponse()

    async def prompt(
        self, session_id: str, prompt: list[Any], **kwargs: Any
    ) -> schema.PromptResponse:
        client = self._client
        assert client is not None
        plan = acp.update_plan([acp.plan_entry("Look", status="completed"), acp.plan_entry("Do")])
        await client.session_update(session_id, plan)
        begun = acp.start_tool_call(
            "t", "Edit a.py", kind="edit", raw_input={"path": "a.py"}, status="pending"
        )
        await client.session_update(session_id, begun)
        outcome = await client.request_permission(
            options=[
                schema.PermissionOption(option_id="1", name="No", kind="reject_once"),
                schema.PermissionOption(option_id="2", name="Yes", kind="allow_once"),
            ],
            session_id=session_id,
            tool_call=schema.ToolCallUpdate(tool_call_id="t"),
        )
        form = await client.create_elicitation(
            "Which?",
            schema.ElicitationFormSessionMode(session_id=session_id, requested_schema=_schema()),
        )
        told = {
            "prompt": prompt[0].text,
            "servers": self._servers,
            "outcome": outcome.outcome.model_dump(mode="json", by_alias=True, exclude_none=True),
            "form": form.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        await client.session_update(
            session_id, acp.update_agent_message_text(json.dumps(told, sort_keys=True))
        )
        usage = schema.Usage(total_tokens=5, input_tokens=3, output_tokens=2)
        return schema.PromptResponse(stop_reason="end_turn", usage=usage)

    async def cancel(self, session_id: str, **kwargs: Any) -> None:
        pass


def _schema() -> schema.ElicitationSchema:
    options = [schema.EnumOption(const="s", title="Small"), schema.EnumOption(const="l", title="L")]
    size = schema.ElicitationStringPropertySchema(type="string", title="Size", one_of=options)
    count = schema.ElicitationIntegerPropertySchema(type="integer", default=2)
    return schema.ElicitationSchema(
        properties={"size": size, "count": count}, required=["size", "count"]
    )


if __name__ == "__main__":
    asyncio.run(acp.run_agent(SdkAgent(), use_unstable_protocol=True))  # type: ignore[arg-type]
