"""`fleet.toml`: the pools of a fleet, as their owner writes them down."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, model_validator
from pydantic_core import ErrorDetails

from hub.core.pool import Pool
from hub.hosts import settings_of
from shared.errors import AppError, BadInput, NotFound

FILE_BYTES_MAX = 256 * 1024
POOLS_MAX = 100
NODES_MAX = 10_000
KIND = r"^[a-z0-9_]+(\.[a-z0-9_]+)*$"


class _Pool(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?$")
    kinds: list[str] = Field(min_length=1, max_length=64)
    nodes_min: int = Field(default=0, ge=0, le=NODES_MAX)
    nodes_max: int = Field(default=10, ge=1, le=NODES_MAX)
    slots: int = Field(default=1, ge=1, le=1000)
    waiting_per_node: int = Field(default=1, ge=1, le=100_000)
    patience_seconds: float = Field(default=60.0, ge=0, le=86_400, strict=False)
    up_seconds: float = Field(default=10.0, ge=0, le=86_400, strict=False)
    idle_seconds: float = Field(default=120.0, ge=1, le=86_400, strict=False)
    start_seconds: float = Field(default=120.0, ge=1, le=86_400, strict=False)
    host: str
    settings: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> _Pool:
        if self.nodes_min > self.nodes_max:
            raise ValueError(f"nodes_min {self.nodes_min} is more than nodes_max {self.nodes_max}")
        for kind in self.kinds:
            if not re.fullmatch(KIND, kind):
                raise ValueError(f"'{kind[:60]}' is no kind")
        return self


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    pools: list[_Pool] = Field(min_length=1, max_length=POOLS_MAX)


def read_pools(file: Path) -> tuple[Pool, ...]:
    """Read a file of pools.

    Raises:
        NotFound: `pools_file_missing`.
        BadInput: `pools_invalid`, with line and field; `host_unknown`.
    """
    try:
        with file.expanduser().open("rb") as stream:
            text = stream.read(FILE_BYTES_MAX).decode()
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror or "") if isinstance(error, OSError) else "it is no text"
        raise NotFound(
            "pools_file_missing",
            f"The file of pools {file} cannot be read: {why}.",
            "packaging/fleet/fleet.toml is one to begin with.",
        ) from None
    return parse_pools(text)


def parse_pools(text: str) -> tuple[Pool, ...]:
    """Read the text of such a file.

    Raises:
        BadInput: as `read_pools`.
    """
    try:
        told = _File.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise _invalid(str(error)) from None
    except ValidationError as error:
        raise _fault(text, error, ()) from None
    names = [pool.name for pool in told.pools]
    for number, pool in enumerate(told.pools):
        if names.index(pool.name) != number:
            where = _place(text, ("pools", number, "name"))
            raise _invalid(f"two pools are called '{pool.name}'{where}")
        _check_settings(text, number, pool)
    return tuple(_made(pool) for pool in told.pools)


def _made(told: _Pool) -> Pool:
    return Pool(
        name=told.name,
        kinds=tuple(dict.fromkeys(told.kinds)),
        nodes_min=told.nodes_min,
        nodes_max=told.nodes_max,
        slots=told.slots,
        waiting_per_node=told.waiting_per_node,
        patience_seconds=told.patience_seconds,
        up_seconds=told.up_seconds,
        idle_seconds=told.idle_seconds,
        start_seconds=told.start_seconds,
        host=told.host,
        settings=told.settings,
    )


def _check_settings(text: str, number: int, pool: _Pool) -> None:
    try:
        settings_of(pool.host).model_validate(pool.settings)
    except ValidationError as error:
        raise _fault(text, error, ("pools", number, "settings")) from None
    except BadInput as error:
        where = _place(text, ("pools", number, "host"))
        raise _invalid(f"{error.message.rstrip('.')}{where}", error.hint) from None


def _fault(text: str, error: ValidationError, before: Sequence[str | int]) -> AppError:
    first = error.errors(include_url=False)[0]
    path = (*before, *first["loc"])
    return _invalid(f"{_spelled(path)} {_words(first)}{_place(text, path)}")


def _invalid(what: str, hint: str = "") -> AppError:
    return BadInput(
        "pools_invalid",
        f"The file of pools cannot be used: {what.strip()}.",
        hint or "Mend it; docs/scaling.md has all fields.",
    )


def _spelled(path: Sequence[str | int]) -> str:
    """Spell where something stands: "pools[2].nodes_max"."""
    parts = [f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in path]
    return "".join(parts).lstrip(".")


def _words(fault: ErrorDetails) -> str:
    """Say what is wrong with a field; its value may be a secret that stands in the wrong place."""
    match fault["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is not known"
        case _:
            return f"is wrong ({fault['msg'].removeprefix('Value error, ')})"


def _place(text: str, path: Sequence[str | int]) -> str:
    """Name the line that a path leads to, or the head of its table; nothing when unsure."""
    heads: Mapping[str, re.Pattern[str]] = {
        "pool": re.compile(r"\s*\[\[\s*pools\s*\]\]"),
        "settings": re.compile(r"\s*\[\s*pools\.settings\s*\]"),
    }
    numbers = [part for part in path if isinstance(part, int)]
    wanted = [p for p in path if isinstance(p, str) and p not in ("pools", "settings")]
    is_in_settings = "settings" in path
    pool = -1
    found = 0
    has_settings = False
    for line_number, line in enumerate(text.splitlines(), start=1):
        if heads["pool"].match(line):
            pool += 1
            has_settings = False
        elif heads["settings"].match(line):
            has_settings = True
        if not numbers or pool != numbers[0] or has_settings != is_in_settings:
            continue
        found = found or line_number
        if wanted and re.match(rf"\s*\"?{re.escape(wanted[0])}\"?\s*=", line):
            found = line_number
            break
    return f" (line {found})" if found else ""
