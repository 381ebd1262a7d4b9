"""Patterns of hosts in the owner's lists: a name, or "*." and a name for all below it as well."""

from __future__ import annotations

from collections.abc import Iterable

from shared.host_name import is_host_name


def fault_of_pattern(pattern: str, *, is_exact: bool = False) -> str:
    """Return what is wrong with a pattern, in words; empty when nothing is."""
    name = pattern if is_exact else pattern.removeprefix("*.")
    if is_host_name(name.lower()):
        return ""
    shape = '"wiki.lan" or "10.1.0.0/16"' if is_exact else '"example.org" or "*.example.org"'
    return f"{pattern[:60]!r} is no host; write it as in {shape}"


def is_matched(host: str, patterns: Iterable[str]) -> bool:
    """Say whether a host is one that the patterns name; "*.a.b" stands for a.b, too."""
    name = host.lower().rstrip(".")
    return any(_matches(name, pattern.lower().rstrip(".")) for pattern in patterns)


def _matches(name: str, pattern: str) -> bool:
    if not pattern.startswith("*."):
        return name == pattern
    base = pattern[2:]
    return name == base or name.endswith("." + base)
