"""A View as one text message: its words, cut to what is bearable, with the way to the rest."""

from __future__ import annotations

import re

from hub.core.view import View
from hub.frontends.layout import fitted, units
from shared.plain_text import plain

TEXT_UNITS_MAX = 1600
"""What a provider takes as one message (twilio.com/docs/messaging, Body)."""
SHOWN_UNITS_MAX = 640
"""Each 67 of them are paid as a message of their own, and nobody reads novels there."""
_SPACES = re.compile(r"(?<=\S) {2,}(?=\S)")
"""Columns do not line up on a telephone."""


def shortened(view: View, hub_url: str) -> str:
    """Write a view; a long one ends with the address of the page that has all of it."""
    text = _SPACES.sub(" ", plain(view.text).strip()) or "…"
    if units(text) <= SHOWN_UNITS_MAX or view.question_id is not None:
        # A question is no question without its answers.
        return fitted(text, TEXT_UNITS_MAX)
    page = f"{hub_url}/jobs/{view.job_id}" if view.job_id else f"{hub_url}/"
    return f"{fitted(text, SHOWN_UNITS_MAX)}\nAll of it: {page}"
