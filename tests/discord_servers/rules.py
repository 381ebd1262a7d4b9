"""What Discord takes and refuses, as its documentation states it: limits, shapes, codes.

Source: discord.com/developers/docs, "Create Message", "Message Components", "Application
Commands", "Interactions: Receiving and Responding", and the JSON error codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

CONTENT_MAX = 2000
EMBEDS_MAX = 10
EMBED_TEXT_MAX = 4096
ROWS_MAX = 5
IN_ROW_MAX = 5
OPTIONS_MAX = 25
CUSTOM_ID_MAX = 100
LABEL_MAX = 80
OPTION_TEXT_MAX = 100
URL_MAX = 512
FILES_MAX = 10
NONCE_MAX = 25
COMMANDS_MAX = 100
_COMMAND = re.compile(r"[-_'a-z0-9]{1,32}")

ACTION_ROW, BUTTON, TEXT_MENU = 1, 2, 3
LINK = 5
MESSAGE_FIELDS = frozenset(
    {
        "content",
        "nonce",
        "enforce_nonce",
        "tts",
        "embeds",
        "allowed_mentions",
        "message_reference",
        "components",
        "sticker_ids",
        "attachments",
        "flags",
        "poll",
        "username",
        "avatar_url",
    }
)
SUPPRESS_EMBEDS, EPHEMERAL, QUIET = 1 << 2, 1 << 6, 1 << 12


class Refused(Exception):
    """An error as Discord answers it."""

    def __init__(self, status: int, code: int, message: str, **more: Any) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.more = more
        self.message = message

    def reply(self) -> Json:
        return {"code": self.code, "message": self.message, **self.more}


def invalid(where: str, why: str) -> Refused:
    """Say that a form's field cannot be taken."""
    errors = {where: {"_errors": [{"code": "BASE_TYPE_BAD", "message": why}]}}
    return Refused(400, 50035, "Invalid Form Body", errors=errors)


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def check_message(body: Json, files: Mapping[str, bytes], bytes_max: int) -> None:
    """Look at a message before it is stored.

    Raises:
        Refused: as Discord does.
    """
    unknown = body.keys() - MESSAGE_FIELDS
    if unknown:
        raise invalid(sorted(unknown)[0], "unknown field")
    content = body.get("content") or ""
    if units(content) > CONTENT_MAX:
        raise invalid("content", f"Must be {CONTENT_MAX} or fewer in length.")
    if len(str(body.get("nonce") or "")) > NONCE_MAX:
        raise invalid("nonce", f"Must be {NONCE_MAX} or fewer in length.")
    embeds = body.get("embeds") or []
    if len(embeds) > EMBEDS_MAX:
        raise invalid("embeds", "too many")
    for embed in embeds:
        if units(embed.get("description", "")) > EMBED_TEXT_MAX:
            raise invalid("embeds", f"description: at most {EMBED_TEXT_MAX}")
    check_components(body.get("components") or [])
    check_mentions(body.get("allowed_mentions"))
    if len(files) > FILES_MAX:
        raise Refused(400, 30015, "Maximum number of attachments in a message reached (10)")
    if sum(len(content) for content in files.values()) > bytes_max:
        raise Refused(413, 40005, "Request entity too large")


def check_filled(content: str, embeds: Sequence[Json], files: int) -> None:
    if not (content.strip() or embeds or files):
        raise Refused(400, 50006, "Cannot send an empty message")


def check_mentions(allowed: Json | None) -> None:
    """Ours never ping anybody: whoever lets the platform find mentions in its words is refused."""
    if allowed is None or allowed.get("parse") or allowed.get("users") or allowed.get("roles"):
        raise invalid("allowed_mentions", "this fake wants none to be allowed")


def check_components(rows: Sequence[Json]) -> None:
    if len(rows) > ROWS_MAX:
        raise invalid("components", "Must be between 1 and 5 in length.")
    names: list[str] = []
    for row in rows:
        if row.get("type") != ACTION_ROW or not 1 <= len(row["components"]) <= IN_ROW_MAX:
            raise invalid("components", "a row holds 1 to 5")
        kinds = {component["type"] for component in row["components"]}
        if TEXT_MENU in kinds and len(row["components"]) > 1:
            raise invalid("components", "a menu stands alone in its row")
        for component in row["components"]:
            names += check_component(component)
    if len(set(names)) < len(names):
        raise invalid("components", "COMPONENT_CUSTOM_ID_DUPLICATED")


def check_component(component: Json) -> list[str]:
    """Look at a button or a menu; the custom ids it uses."""
    match component["type"]:
        case kind if kind == BUTTON and component["style"] == LINK:
            if not re.match(r"https?://", component["url"]) or len(component["url"]) > URL_MAX:
                raise invalid("url", "Scheme must be http or https, at most 512")
            _check_text("label", component["label"], LABEL_MAX)
            return []
        case kind if kind == BUTTON:
            _check_text("label", component["label"], LABEL_MAX)
            _check_text("custom_id", component["custom_id"], CUSTOM_ID_MAX)
            return [component["custom_id"]]
        case kind if kind == TEXT_MENU:
            options = component["options"]
            if not 1 <= len(options) <= OPTIONS_MAX:
                raise invalid("options", "Must be between 1 and 25 in length.")
            for option in options:
                _check_text("label", option["label"], OPTION_TEXT_MAX)
                _check_text("value", option["value"], OPTION_TEXT_MAX)
                if "description" in option:
                    _check_text("description", option["description"], OPTION_TEXT_MAX)
            if len({option["value"] for option in options}) < len(options):
                raise invalid("options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED")
            _check_text("custom_id", component["custom_id"], CUSTOM_ID_MAX)
            return [component["custom_id"]]
        case kind:
            raise invalid("components", f"type {kind} is not known here")


def check_commands(commands: Sequence[Json]) -> None:
    if len(commands) > COMMANDS_MAX:
        raise Refused(400, 30032, "Maximum number of application commands reached (100)")
    names = [command["name"] for command in commands]
    if len(set(names)) < len(names):
        raise invalid("name", "APPLICATION_COMMANDS_DUPLICATE_NAME")
    for command in commands:
        _check_command_text(command)
        options = command.get("options") or []
        if len(options) > OPTIONS_MAX:
            raise invalid("options", "Must be 25 or fewer in length.")
        wanted = [bool(option.get("required")) for option in options]
        if wanted != sorted(wanted, reverse=True):
            raise invalid("options", "Required options must be placed before non-required options")
        for option in options:
            _check_command_text(option)
            if len(option.get("choices") or []) > OPTIONS_MAX:
                raise invalid("choices", "Must be 25 or fewer in length.")


def _check_command_text(told: Json) -> None:
    if not _COMMAND.fullmatch(told["name"]):
        raise invalid("name", f"{told['name']} must match ^[-_'a-z0-9]{{1,32}}$")
    _check_text("description", told["description"], 100)


def _check_text(where: str, text: str, most: int) -> None:
    if not 1 <= units(text) <= most:
        raise invalid(where, f"Must be between 1 and {most} in length.")
