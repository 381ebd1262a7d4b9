"""SMS: plain words to and from telephone numbers, through Twilio or a server that speaks like it.

The thinnest frontend: numbered answers, no edits, no files, no progress; questions and ends alone.

    incoming (signature) → inbox            outbox → frontend (shortened) → provider
"""

from __future__ import annotations

from hub.ports import Frontend, FrontendSetup


def make(setup: FrontendSetup) -> Frontend | None:
    """Make the frontend; None without a token.

    Raises:
        BadInput: `sms_account_invalid`, `sms_number_invalid`, `sms_url`.
    """
    if not setup.settings.get("token", "").strip():
        return None
    from hub.frontends.sms.frontend import SmsFrontend
    from hub.frontends.sms.options import read_options

    return SmsFrontend(setup, read_options(setup))
