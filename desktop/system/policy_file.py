"""The owner's policy file: read, written, and whether it has changed meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

from desktop.core.policy import HEADER, Policy, parse_policy, write_policy
from desktop.system.paths import Paths
from shared.errors import BadInput

POLICY_BYTES_MAX = 256 * 1024


def load_policy(paths: Paths) -> Policy:
    """Read the owner's policy; without a file, the careful defaults.

    Raises:
        BadInput: `policy_invalid`.
    """
    return parse_policy(policy_text(paths))


def policy_text(paths: Paths) -> str:
    """Return what stands in the file; nothing when there is none.

    Raises:
        BadInput: `policy_invalid`, when it cannot be read as text.
    """
    try:
        with paths.policy.open("rb") as opened:
            return opened.read(POLICY_BYTES_MAX).decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise BadInput(
            "policy_invalid",
            f"The policy file cannot be read: {why}.",
            "Mend it; until then this worker takes no job.",
        ) from error


def save_policy(paths: Paths, policy: Policy) -> str:
    """Write the policy whole or not at all; return its stamp.

    What somebody wrote by hand, with remarks of theirs, is kept beside it: see `kept`.
    """
    text, before = write_policy(policy), _bytes(paths.policy)
    if before and not before.startswith(HEADER.encode()):
        _write(kept(paths), before)
    _write(paths.policy, text.encode())
    return policy_stamp(paths)


def kept(paths: Paths) -> Path:
    """Where the last policy is that was written by hand."""
    return paths.policy.with_name("policy.before.toml")


def policy_stamp(paths: Paths) -> str:
    """Return a mark that changes when the file does."""
    try:
        found = paths.policy.stat()
    except OSError:
        return "none"
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.new")
    with aside.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())
    aside.replace(path)
