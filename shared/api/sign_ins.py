"""Links that sign a browser into the dashboard."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.api.parts import ID, Body, Shown


class NewSignInLink(Body):
    person_id: str | None = Field(default=None, pattern=ID)
    """Whom it signs in; oneself when left out. Anybody, for the operator."""


class SignInLinkShown(Shown):
    person_id: str
    url: str
    """Told once; good once, until `expires_at`."""
    expires_at: datetime
