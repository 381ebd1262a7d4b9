"""What Telegram, or the way to it, refuses: as our errors, and never with the bot's token.

The library's messages may hold addresses, and a bot's address holds its token; so all words here
are ours, except for the descriptions of error 400, which are cleaned.
"""

from __future__ import annotations

from datetime import timedelta

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from hub.frontends.blockers import CODE as BLOCKED
from shared.errors import AppError, BadInput, NotFound, Unavailable
from shared.plain_text import plain_line
from shared.redaction import redact_text

DESCRIPTION_CHARS_MAX = 200
TOKEN_HINT = "Check HUB_TELEGRAM_TOKEN (BotFather: /token)."  # noqa: S105 - a sentence
CONFLICT_HINT = (
    "Another program uses this bot's token. Stop it, or give this hub a token of its own "
    "(BotFather: /newbot, or /revoke for a new one) in HUB_TELEGRAM_TOKEN."
)
OUTAGE_HINT = "It is tried again by itself. Check the hub's way to the internet if this stays."
NOT_MODIFIED = "not modified"
CANNOT_EDIT = ("message to edit not found", "message can't be edited", "message_id_invalid")
NO_TEXT = "no text in the message"
NO_CAPTION = "no caption in the message"


def blocked() -> Unavailable:
    return Unavailable(
        BLOCKED,
        "The bot may not write there: it was blocked, removed, or never spoken to.",
        "Whoever wants to hear from it again sends it /start.",
        retryable=True,
    )


def said_in(error: TelegramError) -> str:
    """Telegram's description, in lower case, for comparing."""
    return str(error).lower()


def app_error(error: TelegramError, token: str) -> AppError:  # noqa: PLR0911 - one row for each
    """Say it in our words."""
    match error:
        case RetryAfter():
            wait = _seconds(error.retry_after)
            return Unavailable(
                "telegram_busy",
                f"Telegram asks to wait {wait:.0f} s.",
                retryable=True,
                retry_after_seconds=wait,
            )
        case ChatMigrated():
            return NotFound(
                "chat_moved",
                f"The group is a supergroup now, with the id {error.new_chat_id}.",
                "Put that id into HUB_TELEGRAM_GROUPS.",
            )
        case Forbidden():
            return blocked()
        case InvalidToken():
            return Unavailable(
                "telegram_token_wrong",
                "Telegram does not know this bot token.",
                TOKEN_HINT,
                retryable=True,
            )
        case Conflict():
            return Unavailable(
                "telegram_conflict",
                "Telegram gives this bot's updates to another program.",
                CONFLICT_HINT,
                retryable=True,
            )
        case BadRequest():
            return _bad_request(error, token)
        case TimedOut():
            return Unavailable(
                "telegram_slow", "Telegram did not answer in time.", OUTAGE_HINT, retryable=True
            )
        case _ if "too large" in said_in(error):
            return BadInput("telegram_refused", "Telegram takes no upload as large as this.")
        case _:
            return Unavailable(
                "telegram_unreachable",
                "Telegram cannot be reached, or answers with a fault.",
                OUTAGE_HINT,
                retryable=True,
            )


def _bad_request(error: BadRequest, token: str) -> AppError:
    if "chat not found" in said_in(error):
        return NotFound("chat_gone", "Telegram does not know this chat any more.")
    return BadInput("telegram_refused", f"Telegram refused it: {described(error, token)}.")


def described(error: TelegramError, token: str) -> str:
    """Telegram's description, fit for a log."""
    told = redact_text(str(error).replace(token, "***"))
    return plain_line(told)[:DESCRIPTION_CHARS_MAX].rstrip(".")


def _seconds(wait: int | timedelta) -> float:
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
