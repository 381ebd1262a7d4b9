"""Who the bot is at its homeserver: an account, a device and its token, kept from the first login.

A device is known by its keys: to log in anew at every start would make a new device each time,
which reads nothing of what was encrypted before, and fills its person's list of sessions.
"""

from __future__ import annotations

import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hub.frontends.matrix.options import Options
from hub.frontends.matrix.private_files import write_private

FILE_NAME = "session.json"


class Session(BaseModel):
    """What a login gave, and what locks the store of keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    homeserver: str
    user_id: str
    device_id: str
    token: str = Field(repr=False)
    pickle_key: str = Field(repr=False)
    is_given: bool = False
    """The token is the setting's, not one that we logged in for."""

    def fits(self, options: Options) -> bool:
        """Whether it is still about the account that the settings name."""
        if options.homeserver != self.homeserver:
            return False
        if options.user and options.user != self.user_id:
            localpart = self.user_id[1:].partition(":")[0]
            if options.user != localpart:
                return False
        return options.token == self.token if options.token else not self.is_given


def new_pickle_key() -> str:
    return secrets.token_urlsafe(32)


def load_session(folder: Path, options: Options) -> Session | None:
    """The session of an earlier start; None when there is none for this account."""
    try:
        session = Session.model_validate_json((folder / FILE_NAME).read_bytes())
    except (OSError, ValidationError):
        return None
    return session if session.fits(options) else None


def save_session(folder: Path, session: Session) -> None:
    write_private(folder / FILE_NAME, session.model_dump_json())


def forget_session(folder: Path) -> None:
    (folder / FILE_NAME).unlink(missing_ok=True)
