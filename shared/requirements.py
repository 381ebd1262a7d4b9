"""The hash-locked requirements that go with this program: "worker", "worker-ml", "worker-llm".

A wheel brings them along, a source tree has them where they are written.
"""

from __future__ import annotations

from pathlib import Path

from shared.errors import NotFound

ROOT = Path(__file__).parents[1]
PLACES = ("desktop/locks", "packaging/locks")


def lock_file(name: str) -> Path:
    """Find the requirements called `name`, as pip takes them with --require-hashes.

    Raises:
        NotFound: `lock_missing`, in a program that was packed without them.
    """
    for place in PLACES:
        file = ROOT / place / f"{name}.txt"
        if file.is_file():
            return file
    raise NotFound(
        "lock_missing",
        f"The list of packages '{name}' did not come with this program.",
        "Install the worker anew from its hub, or from a source tree.",
    )
