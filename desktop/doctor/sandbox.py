"""Whether coding jobs work in a sandbox here, which one, and how a better one is had."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from desktop.core.code.sandbox_words import told
from desktop.doctor.finding import Finding, wrong
from desktop.jobs.code.sandbox import Sandbox, choose_now
from desktop.system.paths import Paths
from desktop.system.policy_file import load_policy
from shared.errors import AppError


def examine_sandbox(paths: Paths) -> Iterator[Finding]:
    """Try the sandboxes as a coding job would."""
    try:
        policy = load_policy(paths)
    except AppError:  # told by itself
        return
    try:
        yield finding(choose_now(policy.code, guarded=(paths.data, paths.config)))
    except AppError as error:
        yield wrong("sandbox", error.message.rstrip("."), error.hint)


def finding(sandbox: Sandbox, *, platform: str = sys.platform) -> Finding:
    """Say what a sandbox means; that Windows has none is no fault of the machine's."""
    sentence = told(sandbox.name, is_isolating=sandbox.is_isolating, why=sandbox.why)
    if sandbox.is_isolating or platform == "win32":
        return Finding("sandbox", is_well=True, sentence=sentence, hint=sandbox.hint)
    return wrong("sandbox", sentence, sandbox.hint)
