"""What all models of the API share: strict bodies, and what is shown."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
"""How every id in a path and every cursor made of one is spelled."""
PAGE_DEFAULT = 50
PAGE_MAX = 200


class Body(BaseModel):
    """A request body: exact types, nothing unknown."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Shown(BaseModel):
    """A response body; a client takes fields of a newer hub that it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")
