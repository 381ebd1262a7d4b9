"""The frames on the page about chats are frames of the chat socket."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hub.frontends.console_frames import FromClient, FromHub, read_from_client, read_from_hub

PAGE = Path(__file__).parents[3] / "docs" / "chat.md"
CLIENTS = {"say", "seen"}


def frames() -> list[str]:
    return re.findall(r"```json\n(.*?)\n```", PAGE.read_text("utf-8"), re.DOTALL)


def test_the_page_shows_every_frame_as_it_travels() -> None:
    told: list[FromClient | FromHub] = [
        read_from_client(frame) if json.loads(frame)["type"] in CLIENTS else read_from_hub(frame)
        for frame in frames()
    ]
    assert [frame.type for frame in told] == [
        "greeting", "say", "message", "seen", "answered", "error",
    ]  # fmt: skip
