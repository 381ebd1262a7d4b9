"""A message on its way to a conversation."""

from __future__ import annotations

from dataclasses import dataclass

from hub.core.view import View
from shared.ids import ConversationId


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message on its way to a conversation."""

    row: int
    conversation: ConversationId
    view: View
    tries: int
    due_ms: int


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A message to be written into the outbox."""

    conversation: ConversationId
    view: View
    due_ms: int
