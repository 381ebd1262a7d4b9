"""What Discord, or the way to it, refuses: as our errors, and never with a secret in it.

The library's messages hold addresses, and the addresses of interactions hold their tokens; so all
words here are ours, except for Discord's own descriptions, which are cleaned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import hikari

from hub.frontends.blockers import CODE as BLOCKED
from shared.errors import AppError, BadInput, NotFound, Unavailable
from shared.plain_text import plain_line
from shared.redaction import redact_text

DESCRIPTION_CHARS_MAX = 200
TOKEN_HINT = "Check HUB_DISCORD_TOKEN (discord.com/developers: Bot, Reset Token)."  # noqa: S105
OUTAGE_HINT = "It is tried again by itself. Check the hub's way to the internet if this stays."
PERMISSIONS_HINT = (
    "Let its role see the channel, send messages, send messages in threads, create public "
    "threads, embed links and attach files there."
)

# discord.com/developers/docs/topics/opcodes-and-status-codes#json
UNKNOWN_CHANNEL = 10003
UNKNOWN_MESSAGE = 10008
UNKNOWN_WEBHOOK = 10015
TOO_LARGE = 40005
EMPTY_MESSAGE = 50006
MISSING_PERMISSIONS = 50013
THREAD_EXISTS = 160004
CANNOT_EDIT = frozenset({UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, 30046, 50005, 50083})
"""Gone, edited too often, somebody else's, or in a thread that was put away: sent anew instead."""
CANNOT_EMBED = frozenset({EMPTY_MESSAGE, MISSING_PERMISSIONS})
"""Where the bot may not embed links, its embeds are taken away, or refused."""
HTTP_TOO_LARGE = 413


def code_of(error: hikari.HTTPError) -> int:
    """Discord's own code for what was wrong; 0 when it gave none."""
    return error.code if isinstance(error, hikari.HTTPResponseError) else 0


def blocked() -> Unavailable:
    return Unavailable(
        BLOCKED,
        "The bot may not write there: it was blocked or removed, or lacks a permission.",
        PERMISSIONS_HINT,
        retryable=True,
    )


def token_wrong() -> Unavailable:
    return Unavailable(
        "discord_token_wrong", "Discord does not know this bot token.", TOKEN_HINT, retryable=True
    )


def unreachable() -> Unavailable:
    return Unavailable(
        "discord_unreachable",
        "Discord cannot be reached, or answers with a fault.",
        OUTAGE_HINT,
        retryable=True,
    )


def app_error(error: hikari.HTTPError, token: str) -> AppError:
    """Say it in our words."""
    match error:
        case hikari.RateLimitTooLongError():
            return Unavailable(
                "discord_busy",
                f"Discord asks to wait {error.retry_after:.0f} s.",
                retryable=True,
                retry_after_seconds=error.retry_after,
            )
        case hikari.UnauthorizedError():
            return token_wrong()
        case hikari.ForbiddenError():
            return blocked()
        case hikari.NotFoundError():
            return NotFound("chat_gone", "Discord does not know this channel or message any more.")
        case hikari.ClientHTTPResponseError() if _is_too_large(error):
            return BadInput("discord_refused", "Discord takes no upload as large as this.")
        case hikari.ClientHTTPResponseError():
            return BadInput("discord_refused", f"Discord refused it: {described(error, token)}.")
        case _:
            return unreachable()


def _is_too_large(error: hikari.ClientHTTPResponseError) -> bool:
    return error.status == HTTP_TOO_LARGE or error.code == TOO_LARGE


def described(error: hikari.HTTPResponseError, token: str) -> str:
    """Discord's description, fit for a log."""
    return (
        plain_line(redact_text(error.message.replace(token, "***")))[:DESCRIPTION_CHARS_MAX].rstrip(
            "."
        )
        or "no word"
    )


CLOSED: Mapping[int, Callable[[], Unavailable]] = {
    4004: token_wrong,
    4013: lambda: _intents("unknown"),
    4014: lambda: _intents("not allowed"),
}
"""Why Discord ends a connection for good, by its close code."""


def _intents(how: str) -> Unavailable:
    return Unavailable(
        "discord_intents",
        f"Discord says that what the bot asks to hear is {how}.",
        "The bot needs no privileged intents; look whether the application was limited.",
        retryable=True,
    )
