"""Is there a newer version, and is it its maker who says so? Nothing here downloads or installs.

A source is one line of text: where the manifest lies, and the key that signs it, as in
`https://example.org/deskhand/latest.json#ed25519=BASE64URL`. The part behind # is never sent.
A manifest file holds two values: "manifest", the JSON that was signed, as a string, and
"signature", base64url of Ed25519 over exactly its UTF-8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.errors import AppError, BadInput
from shared.loopback import is_loopback
from shared.pairing import b64, from_b64

CHECK_EVERY = timedelta(days=1)
MANIFEST_BYTES_MAX = 64 * 1024
KEY_BYTES = 32
SIGNATURE_BYTES = 64
KEY_MARK = "ed25519="
_NUMBERS = re.compile(r"\d{1,6}(\.\d{1,6}){0,3}")
_PRE = re.compile(r"[.\-]?(a|alpha|b|beta|rc|dev)[.\-]?(\d{0,6})", re.IGNORECASE)
_RANKS = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "rc": -1}


@dataclass(frozen=True, slots=True)
class UpdateSource:
    """Where a manifest is, and whose word counts."""

    url: str
    key: bytes
    """Ed25519, 32 bytes."""


class Manifest(BaseModel):
    """What was signed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str = Field(max_length=40)
    released_at: AwareDatetime
    page: str = Field(max_length=500)
    """Where a person reads more and gets it."""
    notes: tuple[str, ...] = Field(default=(), max_length=40)
    """What is new, a sentence each."""

    @field_validator("version")
    @classmethod
    def _is_version(cls, text: str) -> str:
        if version_key(text) is None:
            raise ValueError("no version")
        return text

    @field_validator("page")
    @classmethod
    def _is_page(cls, text: str) -> str:
        if urlsplit(text).scheme != "https":
            raise ValueError("a page is reached by https")
        return text

    @field_validator("notes")
    @classmethod
    def _are_short(cls, notes: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(note[:300] for note in notes)


class Envelope(BaseModel):
    """The file as it is fetched."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    manifest: str
    signature: str


class UpdateFound(BaseModel):
    """A newer version than the one that runs."""

    model_config = ConfigDict(frozen=True)

    version: str
    page: str
    notes: tuple[str, ...] = ()
    released_at: AwareDatetime


def parse_source(text: str) -> UpdateSource:
    """Read a source.

    Raises:
        BadInput: `update_source_invalid`.
    """
    url, _, mark = text.strip().partition("#")
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and is_loopback(parts.hostname or "")
    )
    try:
        key = from_b64(mark.removeprefix(KEY_MARK), KEY_BYTES)
    except AppError:
        key = b""
    if not is_safe or not parts.hostname or not mark.startswith(KEY_MARK) or not key:
        raise BadInput(
            "update_source_invalid",
            "The source of updates is no address with a key.",
            "It looks like https://example.org/latest.json#ed25519=KEY.",
        )
    return UpdateSource(url, key)


def write_source(source: UpdateSource) -> str:
    return f"{source.url}#{KEY_MARK}{b64(source.key)}"


def open_envelope(content: bytes) -> tuple[bytes, bytes]:
    """Return what was signed, and the signature, of a fetched file.

    Raises:
        BadInput: `update_manifest_odd`.
    """
    try:
        envelope = Envelope.model_validate_json(content)
        signature = from_b64(envelope.signature, SIGNATURE_BYTES)
    except (ValidationError, AppError) as error:
        raise odd() from error
    return envelope.manifest.encode(), signature


def read_manifest(signed: bytes) -> Manifest:
    """Read a manifest whose signature was verified.

    Raises:
        BadInput: `update_manifest_odd`.
    """
    try:
        return Manifest.model_validate_json(signed)
    except ValidationError as error:
        raise odd() from error


def newer(manifest: Manifest, running: str) -> UpdateFound | None:
    """Return the update when its version is higher than the one that runs.

    A signed manifest of an older version is no update: nobody can be led back to it.
    """
    if not is_newer(manifest.version, running):
        return None
    return UpdateFound(
        version=manifest.version,
        page=manifest.page,
        notes=manifest.notes,
        released_at=manifest.released_at,
    )


def is_newer(one: str, other: str) -> bool:
    """Say whether a version comes after another; what is no version comes after nothing."""
    theirs, ours = version_key(one), version_key(other)
    return theirs is not None and ours is not None and theirs > ours


def version_key(text: str) -> tuple[tuple[int, ...], int, int] | None:
    """Return what versions are compared by ("0.10.1", "1.0rc2"); None when it is no version."""
    public = text.strip().removeprefix("v").partition("+")[0]
    numbers = _NUMBERS.match(public)
    if numbers is None:
        return None
    release = [int(part) for part in numbers[0].split(".")]
    while release and release[-1] == 0:
        release.pop()  # 1.0 is 1
    rest = public[numbers.end() :].lstrip(".")
    if not rest:
        return tuple(release), 0, 0
    pre = _PRE.fullmatch(rest)
    if pre is None:
        return None
    return tuple(release), _RANKS[pre[1].lower()], int(pre[2] or 0)


def next_check_at(
    checked_at: datetime | None, now: datetime, *, is_metered: bool | None
) -> datetime:
    """Return when to look next: once a day, and not over a network that counts.

    A clock that was put back must not keep it from looking for years.
    """
    due = now if checked_at is None or checked_at > now else checked_at + CHECK_EVERY
    if is_metered and due <= now:
        return now + timedelta(hours=1)
    return max(due, now)


def odd() -> BadInput:
    return BadInput(
        "update_manifest_odd",
        "What the source of updates told is not what it should be.",
        "Nothing was changed. If it stays so, look at the project's own page.",
    )


def forged() -> BadInput:
    return BadInput(
        "update_signature_wrong",
        "What the source of updates told is not signed by its maker, so it is not believed.",
        "Nothing was changed. Get new versions from the project's own page only.",
    )


def no_source() -> BadInput:
    return BadInput(
        "update_source_missing",
        "This build names no source of updates.",
        "Look for new versions where you got this one.",
    )
