"""The settings HUB_SMS_*, read once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hub.ports import FrontendSetup
from shared.errors import BadInput

API_URL = "https://api.twilio.com"
INCOMING_PATH = "/sms/incoming"
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
"""ITU-T E.164."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    account: str
    token: str = field(repr=False)
    number: str
    """Ours, as its owner writes it to others: +4930…"""
    api_url: str
    incoming_url: str
    """Where the provider brings messages: its signature is over this address."""


def read_options(setup: FrontendSetup) -> Options:
    """Read and check.

    Raises:
        BadInput: `sms_account_invalid`, `sms_number_invalid`, `sms_url`.
    """
    settings = setup.settings
    account, number = settings.get("account", "").strip(), settings.get("number", "").strip()
    own_server = settings.get("api_url", "").strip().rstrip("/")
    if not _ACCOUNT.fullmatch(account):
        raise BadInput(
            "sms_account_invalid",
            "HUB_SMS_ACCOUNT is no account id: AC and 32 letters and digits make one.",
            "Copy the Account SID from the console's first page.",
        )
    if not is_number(number):
        raise BadInput(
            "sms_number_invalid",
            "HUB_SMS_NUMBER is no telephone number: + and digits make one.",
            "Write it as +493012345678, with the country first.",
        )
    if not (own_server or setup.hub_url.startswith("https://")):
        raise BadInput(
            "sms_url",
            f"Messages are brought to https addresses alone, not to {setup.hub_url}.",
            "Set HUB_PUBLIC_URL to such an address.",
        )
    return Options(
        account=account,
        token=settings["token"].strip(),
        number=number,
        api_url=own_server or API_URL,
        incoming_url=setup.hub_url.rstrip("/") + INCOMING_PATH,
    )


def is_number(told: str) -> bool:
    return bool(_NUMBER.fullmatch(told))
