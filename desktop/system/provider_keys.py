"""Keys of makers of language models, from the safe or from this program's environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from desktop.core.providers import checked_key
from desktop.system.credentials import load_secret
from desktop.system.paths import Paths
from desktop.system.safe import Safe
from shared.errors import BadInput


def read_keys(
    names: Iterable[str],
    paths: Paths,
    variables: Mapping[str, str] = os.environ,
    safe: Safe | None = None,
) -> dict[str, str]:
    """Return those of the keys that are there, by name. It blocks: call it in a thread.

    What a person has put into the safe counts before what the program was started with.
    """
    keys = {}
    for name in names:
        key = load_secret(entry=name, file=paths.key_file(name), safe=safe)
        key = key or _from_environment(variables.get(name, ""))
        if key:
            keys[name] = key
    return keys


def _from_environment(told: str) -> str:
    """Take off what comes along when a key is copied; what is no key is told where it is used."""
    try:
        return checked_key(told)
    except BadInput:
        return told.strip()
