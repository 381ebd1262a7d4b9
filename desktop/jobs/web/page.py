"""A page as it was read: its text, and where and when it was found."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from desktop.jobs.web.reader.told import DATE_CHARS_MAX, TEXT_CHARS_MAX, TITLE_CHARS_MAX
from shared.kinds.web import URL_CHARS_MAX


class Page(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(max_length=URL_CHARS_MAX)
    """Where it was in the end."""
    title: str = Field(default="", max_length=TITLE_CHARS_MAX)
    text: str = Field(default="", max_length=TEXT_CHARS_MAX)
    media_type: str = Field(default="", max_length=100)
    published: str = Field(default="", max_length=DATE_CHARS_MAX)
    at: AwareDatetime
    """When it was fetched, UTC."""
    is_inside: bool = False
    """It is of a network of the owner's own: what it says is not public."""
    is_cut: bool = False
    is_rendered: bool = False
    """Its scripts were run."""
