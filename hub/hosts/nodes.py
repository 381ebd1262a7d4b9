"""What all hosts do alike: names of instances, what a node is told, and where secrets come from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from hub.core.pool import Pool
from shared.errors import AppError, BadInput, Unavailable

PREFIX = "DESKHAND_FLEET_"
SECRETS_BYTES_MAX = 64 * 1024
LABEL = "deskhand.fleet"
LABEL_POOL = "deskhand.pool"
NAME_BYTES = 4
FLEET = r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$"
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")


class NodeSettings(BaseModel):
    """What hosts need to know that make nodes themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    hub: str = Field(pattern=r"^https?://.+", max_length=200)
    """The hub's address, as nodes reach it."""
    fleet: str = Field(default="deskhand", pattern=FLEET)
    """Tells the instances of several fleets on one host apart."""
    stop_seconds: int = Field(default=30, ge=1, le=3600)
    """How long an instance has, that is stopped, until it is killed."""


def instance_name(fleet: str, pool: Pool) -> str:
    """Make a name that no other instance has: "deskhand-probes-3f9a12cd"."""
    return f"{fleet}-{pool.name}-{os.urandom(NAME_BYTES).hex()}"


def told(pool: Pool, settings: NodeSettings, name: str) -> dict[str, str]:
    """What a node is started with, as variables of its environment; no secret is among them."""
    values = {
        "HUB": settings.hub,
        "KINDS": ",".join(pool.kinds),
        "SLOTS": str(pool.slots),
        "POOL": pool.name,
        "NODE": name,
        "INSTANCE": name,
    }
    return {f"{PREFIX}{key}": value for key, value in values.items()}


def read_secrets(file: Path) -> dict[str, str]:
    """Read variables that are secret, a NAME=value a line, as docker's --env-file has them.

    Raises:
        BadInput: `secrets_file_unreadable`, `secrets_file_open`; no value is ever told.
    """
    try:
        with file.expanduser().open("rb") as stream:
            is_open = os.name == "posix" and os.fstat(stream.fileno()).st_mode & 0o077
            text = stream.read(SECRETS_BYTES_MAX).decode()
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            "secrets_file_unreadable",
            f"The file of secrets {file} cannot be read.",
            f"It has the lines {PREFIX}KEY=… and {PREFIX}BROKER=….",
        ) from None
    if is_open:
        raise BadInput(
            "secrets_file_open", f"Others can read the secrets in {file}.", f"chmod 600 {file}"
        )
    lines = [line.strip() for line in text.splitlines()]
    found = [_LINE.fullmatch(line) for line in lines if line and not line.startswith("#")]
    return {match[1]: match[2].strip().strip("\"'") for match in found if match}


def unreachable(host: str, where: str, why: str = "") -> AppError:
    """Say that a host does not answer."""
    because = f" ({why})" if why else ""
    return Unavailable(
        "host_unreachable",
        f"The fleet's {host} host does not answer at {where}{because}.",
        "Check its address and that it runs; the scaler tries again.",
        retryable=True,
    )


def refused(
    host: str,
    what: str,
    why: str,
    *,
    retryable: bool = False,
    retry_after_seconds: float | None = None,
) -> AppError:
    """Say that a host does not do what it was asked."""
    return AppError(
        "host_refused",
        f"The fleet's {host} host did not {what}: {why}.",
        "Mend the pool's settings in fleet.toml, or wait if the host is full.",
        retryable=retryable,
        retry_after_seconds=retry_after_seconds,
    )


def missing(host: str, package: str) -> AppError:
    """Say that what a host needs is not installed."""
    return Unavailable(
        "host_missing",
        f"The fleet's {host} host needs {package}, which is not installed here.",
        "Install it: pip install 'deskhand[scaler]'.",
    )


def is_ours(labels: Mapping[str, str], fleet: str, pool: Pool) -> bool:
    """Whether labels say that an instance belongs to a pool of a fleet."""
    return labels.get(LABEL) == fleet and labels.get(LABEL_POOL) == pool.name
