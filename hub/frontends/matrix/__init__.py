"""Matrix: rooms with a bot's account, end-to-end encrypted where the room is.

matrix-nio is used as a typed client and for its cryptography. What comes in and what goes out is
ours, so that no event counts as read before the hub has dealt with it. Nothing heavy is imported
without a homeserver.

    listening (what the server has) → hearing (what was said) → reception → inbox
    outbox → sending (messages: which ones, how they look; marks: what to tap) → client
"""

from __future__ import annotations

from hub.ports import Frontend, FrontendSetup


def make(setup: FrontendSetup) -> Frontend | None:
    """Make the frontend; None without a homeserver.

    Raises:
        BadInput: `matrix_homeserver_invalid`, `matrix_account_missing`.
    """
    if not setup.settings.get("homeserver", "").strip():
        return None
    from hub.frontends.matrix.frontend import MatrixFrontend
    from hub.frontends.matrix.options import read_options

    return MatrixFrontend(setup, read_options(setup))
