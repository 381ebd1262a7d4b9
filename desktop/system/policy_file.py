"""The owner's policy file, read."""

from __future__ import annotations

from desktop.core.policy import Policy, parse_policy
from desktop.system.paths import Paths


def load_policy(paths: Paths) -> Policy:
    """Read the owner's policy; without a file, the careful defaults.

    Raises:
        BadInput: `policy_invalid`.
    """
    if not paths.policy.exists():
        return Policy()
    return parse_policy(paths.policy.read_text(encoding="utf-8"))
