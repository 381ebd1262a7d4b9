"""Keys of makers of language models, from the safe or from this program's environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from desktop.system.credentials import load_secret
from desktop.system.paths import Paths
from desktop.system.safe import Safe


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
        key = key or variables.get(name, "").strip()
        if key:
            keys[name] = key
    return keys
