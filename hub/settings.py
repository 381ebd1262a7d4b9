"""The hub's settings, from the environment (`HUB_*`). Read by the app and the command line alone.

`.env.example` is written from this module: `python -m hub.settings > .env.example`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import BadInput

PREFIX = "HUB_"
HEADER = """\
# Settings of deskhand-hub. Every line shows its default; remove the # to change one.
"""


def default_data_folder() -> Path:
    """Where a hub keeps its things when nobody says otherwise.

    Linux: XDG Base Directory Specification 0.8; elsewhere what the platform's programs use.
    """
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local"), "deskhand-hub")
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/deskhand-hub"
    return Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local/state"), "deskhand-hub")


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )

    host: str = "127.0.0.1"
    """The address to listen on. 0.0.0.0 for all; put a proxy with TLS in front then."""
    port: int = Field(default=8765, ge=0, le=65535)
    """The port to listen on; 0 lets the system choose a free one."""
    data: Path = Field(default_factory=default_data_folder)
    """The folder for the store and the admin key. A platform's usual place when not set."""
    name: str = Field(default="", max_length=100)
    """What people see as this hub's name. The public address when empty."""
    public_url: str = Field(default="", max_length=200, pattern=r"^(https?://.+)?$")
    """The address workers reach this hub at, as told in pairing instructions: https://hub.example.
    The listening address when empty."""
    trusted_proxies: str = Field(default="127.0.0.1", max_length=1000)
    """Proxies whose X-Forwarded-For is believed, separated by commas; "*" for any."""
    telegram_token: SecretStr = SecretStr("")
    """The bot's token from @BotFather. Telegram is off when empty."""
    telegram_api_url: str = Field(default="", max_length=200, pattern=r"^(https?://.+)?$")
    """The address of your own Bot API server. Telegram's when empty."""
    telegram_groups: str = Field(default="", max_length=2000, pattern=r"^[-\d\s,]*$")
    """Ids of the group chats in which the bot answers, separated by commas. None when empty."""
    telegram_webhook: bool = False
    """Let Telegram call the hub instead of asking it; needs HUB_PUBLIC_URL with https."""
    matrix_homeserver: str = Field(default="", max_length=200, pattern=r"^(https?://.+)?$")
    """The address of the homeserver of a bot's Matrix account. Matrix is off when empty."""
    matrix_user: str = Field(default="", max_length=255)
    """The bot's account: @deskhand:example.org."""
    matrix_password: SecretStr = SecretStr("")
    """Its password; needed once, then its session is kept in the data folder."""
    matrix_token: SecretStr = SecretStr("")
    """An access token, instead of user and password."""
    matrix_device_name: str = Field(default="Deskhand", max_length=60)
    """What the bot's session is called in lists of sessions."""
    discord_token: SecretStr = SecretStr("")
    """The bot's token from discord.com/developers. Discord is off when empty."""
    discord_servers: str = Field(default="", max_length=2000, pattern=r"^[\d\s,]*$")
    """Ids of the servers in which the bot answers, separated by commas. None when empty."""
    discord_public_key: str = Field(default="", max_length=64, pattern=r"^([0-9a-fA-F]{64})?$")
    """Let Discord call the hub for commands and buttons; needs HUB_PUBLIC_URL with https, and the
    application's public key here. The hub listens at Discord's gateway when empty."""
    discord_api_url: str = Field(default="", max_length=200, pattern=r"^(https?://.+)?$")
    """The address of a proxy of yours for Discord's API. Discord's when empty."""
    sms_account: str = Field(default="", max_length=64)
    """The account at Twilio, or at a provider that speaks like it: AC…"""
    sms_token: SecretStr = SecretStr("")
    """That account's auth token. SMS is off when empty; needs HUB_PUBLIC_URL with https."""
    sms_number: str = Field(default="", max_length=16, pattern=r"^(\+\d+)?$")
    """The telephone number that the hub writes from: +493012345678."""
    sms_api_url: str = Field(default="", max_length=200, pattern=r"^(https?://.+)?$")
    """The address of the provider's API. Twilio's when empty."""
    fleet_broker: SecretStr = SecretStr("")
    """The broker that jobs are handed to for the fleet: redis://…, rediss://…, amqp://… or
    amqps://…. There is no fleet when empty."""
    fleet_kinds: str = Field(default="", max_length=2000)
    """The kinds that the fleet runs, separated by commas: llm.ask, llm.probe, web.search, web.read,
    web.research. None when empty."""
    fleet_people: str = Field(default="", max_length=10_000)
    """Who may use the fleet: names or ids, separated by commas, or "*" for everybody. The hub's
    owners when empty. People choose their own names; an id is nobody else's."""
    webhook_allow: str = Field(default="", max_length=2000)
    """Where webhooks may go beside the internet, and without https: hosts, addresses, networks,
    separated by commas. Nowhere when empty."""
    log_days: int = Field(default=90, ge=0, le=36_500)
    """How long what jobs log is kept; 0 for ever."""
    backups: int = Field(default=7, ge=0, le=1000)
    """How many daily backups are kept in the data folder's backups; 0 makes none."""
    log_format: Literal["text", "json"] = "text"
    """"text" for people, "json" for machines."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """The least severity that is logged."""

    @property
    def admin_key_file(self) -> Path:
        """The key of this machine's own commands, readable by the hub's user alone."""
        return self.data / "admin.key"

    @property
    def pepper_file(self) -> Path:
        """What keys the hashes of pairing codes; kept apart from the store."""
        return self.data / "pepper.key"

    @property
    def downloads(self) -> Path:
        """What may be fetched at /download: self-contained workers, installers."""
        return self.data / "downloads"

    @property
    def local_url(self) -> str:
        """The hub's address for programs on its own machine."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def hub_url(self) -> str:
        """The hub's address as workers are told it."""
        return (self.public_url or self.local_url).rstrip("/")

    @property
    def hub_name(self) -> str:
        return self.name or self.hub_url.partition("://")[2]

    def of_frontend(self, name: str) -> dict[str, str]:
        """What a frontend of the hub's own is given: {"token": "…"} for "telegram"."""
        prefix = f"{name}_"
        return {
            field.removeprefix(prefix): _plain(getattr(self, field))
            for field in type(self).model_fields
            if field.startswith(prefix)
        }


def _plain(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def load_settings(overrides: Mapping[str, object] | None = None) -> Settings:
    """Read the settings; `overrides` (from a command line) win over the environment.

    Raises:
        BadInput: `settings_invalid`, naming the variables.
    """
    try:
        return Settings.model_validate({**Settings().model_dump(), **(overrides or {})})
    except ValidationError as error:
        faults = "; ".join(
            f"{PREFIX}{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_url=False)
        )
        raise BadInput(
            "settings_invalid", f"These settings cannot work: {faults}.", "See .env.example."
        ) from None


def example() -> str:
    """Write `.env.example`."""
    lines = [HEADER]
    for name, field in Settings.model_fields.items():
        lines += [f"# {line.strip()}" for line in (field.description or "").splitlines()]
        default = "" if field.default_factory is not None else field.default
        lines.append(f"#{PREFIX}{name.upper()}={default}\n")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(example())
