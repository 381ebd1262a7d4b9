"""What the doctor says, and the file with everything that helps to find a fault."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from pathlib import Path

from desktop.core.policy import Policy
from desktop.core.providers import PROVIDERS
from desktop.desk.desk import Desk
from desktop.doctor import findings
from desktop.doctor.finding import Finding
from desktop.store.statistics import statistics
from desktop.system.credentials import load_secret
from desktop.system.diagnostics import Cleaner, log_tails, versions, write_zip
from desktop.system.paths import Paths
from desktop.system.policy_file import policy_text
from shared.errors import AppError, Unavailable


def file_name(now: datetime) -> str:
    """Name the file by the local time, so that two of them lie in order."""
    return f"deskhand-diagnostics-{now.astimezone():%Y%m%d-%H%M%S}.zip"


async def examine(desk: Desk) -> tuple[Finding, ...]:
    """Let the doctor look; takes some seconds where a network is slow."""
    return await asyncio.to_thread(lambda: tuple(findings(desk.paths)))


async def save(desk: Desk, target: Path, *, stalls: int | None = None) -> Path:
    """Write the file; return where it is.

    Args:
        desk: whose.
        target: the file.
        stalls: how often the windows stood still, as their watchdog counted; None when it did not.

    Raises:
        Unavailable: `diagnostics_not_saved`.
    """
    counted = await desk.look(statistics)
    state = {
        "link": desk.link.state.value if desk.link else "none",
        "error": desk.link.error.code if desk.link and desk.link.error else "",
        "held back": desk.held_back.code if desk.held_back else "",
        "running": desk.running_count,
        "safe": desk.safe.trouble.code if desk.safe.trouble else "",
        "window stalls over 50 ms": stalls,
    }
    parts = {
        "versions.txt": versions(),
        "state.json": json.dumps(state, indent=1),
        "store.json": json.dumps(counted, indent=1),
    }
    try:
        await asyncio.to_thread(_write, desk, target, parts)
    except OSError as error:
        raise Unavailable(
            "diagnostics_not_saved",
            f"{target.name} cannot be written there ({error.strerror or type(error).__name__}).",
            "Choose another folder.",
        ) from error
    return target


def _write(desk: Desk, target: Path, parts: dict[str, str]) -> None:
    paths = desk.paths
    found = "\n".join(str(finding) for finding in findings(paths)) + "\n"
    parts = {**parts, "doctor.txt": found, "policy.toml": _policy(paths), **log_tails(paths)}
    write_zip(target, parts, _cleaner(desk))


def _policy(paths: Paths) -> str:
    try:
        return policy_text(paths)
    except AppError as error:
        return f"# {error.message}\n"


def _cleaner(desk: Desk) -> Cleaner:
    """Know everything that must not be in it. The safe is asked only while it is open."""
    policy: Policy = desk.policy
    folders = [Path(folder).expanduser() for folder in policy.folders]
    entries = {provider.key_name: desk.paths.key_file(provider.key_name) for provider in PROVIDERS}
    if desk.pairing is not None:
        entries[desk.pairing.worker_id] = desk.paths.token
    secrets = [
        load_secret(entry=entry, file=file, safe=desk.safe)
        for entry, file in entries.items()
        if file.exists() or desk.safe.may_open()
    ]
    return Cleaner(Path.home(), folders, [secret for secret in secrets if secret])
