"""Finds the best sandbox that really holds on this machine, and says why no better one does."""

from __future__ import annotations

import asyncio
import contextlib
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from desktop.core.code.container import ENGINES
from desktop.core.code.ground import Ground
from desktop.core.code.rules import CodeRules, SandboxChoice
from desktop.core.code.sandbox_words import (
    INSTALLERS,
    Reason,
    bubblewrap_failed,
    bubblewrap_missing,
    landlock_failed,
    nothing_isolates,
)
from desktop.jobs.code.sandbox.bubblewrap import BubblewrapSandbox
from desktop.jobs.code.sandbox.container import ContainerSandbox
from desktop.jobs.code.sandbox.landlock import LandlockSandbox, landlock_abi, missing
from desktop.jobs.code.sandbox.none import NoSandbox
from desktop.jobs.code.sandbox.sandbox import Sandbox
from desktop.jobs.code.sandbox.seatbelt import SeatbeltSandbox
from desktop.jobs.code.sandbox.survey import survey
from desktop.jobs.code.sandbox.trial import try_out
from shared.errors import Unavailable

FORBIDDING = (
    "kernel/apparmor_restrict_unprivileged_userns",
    "kernel/unprivileged_userns_clone",
    "user/max_user_namespaces",
)
"""Settings under /proc/sys that can forbid user namespaces."""
VERSION_SECONDS = 5.0

Found = Sandbox | Reason
Try = Callable[[Ground, CodeRules], Found]


async def choose(rules: CodeRules, *, guarded: Sequence[Path] = ()) -> Sandbox:
    """As `choose_now`, beside other coroutines."""
    return await asyncio.to_thread(choose_now, rules, guarded=guarded)


def choose_now(rules: CodeRules, *, guarded: Sequence[Path] = ()) -> Sandbox:
    """Try what the owner's rules allow, the best first; blocks for some tens of milliseconds.

    `guarded` are the worker's folders of data and settings, which no box may be given whole.

    Raises:
        Unavailable: `sandbox_unavailable`, when the owner names one that does not work here.
    """
    ground = survey(guarded=guarded, tools=rules.tools)
    if rules.sandbox is SandboxChoice.NONE:
        return NoSandbox(ground, why="The policy says that there is to be none.", hint="")
    return pick(rules.sandbox, ground, rules, _ways())


def pick(
    choice: SandboxChoice, ground: Ground, rules: CodeRules, ways: dict[SandboxChoice, Try]
) -> Sandbox:
    """Return the first that works; of a choice that is named, that one or nothing."""
    reasons: list[Reason] = []
    for name, attempt in ways.items():
        if choice not in (SandboxChoice.AUTO, name):
            continue
        found = attempt(ground, rules)
        if not isinstance(found, Reason):
            return Lesser(found, nothing_isolates(tuple(reasons))) if reasons else found
        reasons.append(found)
    reason = nothing_isolates(tuple(reasons))
    if choice is not SandboxChoice.AUTO:
        raise Unavailable(
            "sandbox_unavailable",
            f"The sandbox '{choice}' does not work on this machine. {reason.why}",
            reason.hint or "Set `sandbox` in the policy's [code] to auto.",
            retryable=False,
        )
    return NoSandbox(ground, why=reason.why, hint=reason.hint)


class Lesser:
    """A sandbox that holds, where a better one does not work: the same, and it says why."""

    def __init__(self, sandbox: Sandbox, better: Reason) -> None:
        self.name = sandbox.name
        self.is_isolating = sandbox.is_isolating
        self.why = better.why
        self.hint = better.hint
        self.port = sandbox.port
        self.launch = sandbox.launch


def _ways() -> dict[SandboxChoice, Try]:
    """Return how each is tried on this system, the best first."""
    best: dict[SandboxChoice, Try]
    match platform.system():
        case "Linux":
            best = {SandboxChoice.BUBBLEWRAP: bubblewrap, SandboxChoice.LANDLOCK: landlock}
        case "Darwin":
            best = {SandboxChoice.SEATBELT: seatbelt}
        case _:
            return {}
    return best | {SandboxChoice.CONTAINER: container}


def bubblewrap(ground: Ground, rules: CodeRules) -> Found:
    """Find and try bubblewrap."""
    program = shutil.which("bwrap")
    if program is None:
        installers = tuple(name for name in INSTALLERS if shutil.which(name) is not None)
        return bubblewrap_missing(installers)
    sandbox = BubblewrapSandbox(Path(program), ground, version=_version(program))
    said = try_out(sandbox)
    return sandbox if not said else bubblewrap_failed(said, dict(_settings()))


def landlock(ground: Ground, rules: CodeRules) -> Found:
    """Try Landlock."""
    reason = missing()
    if reason is not None:
        return reason
    sandbox = LandlockSandbox(ground)
    said = try_out(sandbox)
    return landlock_failed(landlock_abi(), said) if said else sandbox


def seatbelt(ground: Ground, rules: CodeRules) -> Found:
    """Try macOS's own."""
    sandbox = SeatbeltSandbox(ground)
    said = try_out(sandbox)
    return Reason(why=f"sandbox-exec does not hold here: {said}.") if said else sandbox


def container(ground: Ground, rules: CodeRules) -> Found:
    """Try a container engine, with the image that the owner named; nothing is fetched."""
    if not rules.container_image:
        return Reason(why="", hint="")
    engine = next((path for path in map(shutil.which, ENGINES) if path is not None), None)
    if engine is None:
        return Reason(why="There is no container engine.", hint="Install podman.")
    sandbox = ContainerSandbox(ground, engine=Path(engine), image=rules.container_image)
    said = try_out(sandbox)
    if not said:
        return sandbox
    return Reason(
        why=f"The container does not start: {said}.",
        hint=f"Fetch its image: {Path(engine).name} pull {rules.container_image}",
    )


def _version(program: str) -> str:
    try:
        said = subprocess.run(
            [program, "--version"],
            capture_output=True,
            timeout=VERSION_SECONDS,
            text=True,
            errors="replace",
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout


def _settings() -> Iterator[tuple[str, str]]:
    for name in FORBIDDING:
        with contextlib.suppress(OSError):
            yield name, (Path("/proc/sys") / name).read_text(encoding="utf-8").strip()
