"""Definitions that come with the program, found by their names."""

from __future__ import annotations

from pathlib import Path

import desktop

EXAMPLES = {"dilemmas": "dilemmas.yaml"}


def example(name: str) -> Path | None:
    """Return the file of an example; None when there is none of that name."""
    file = EXAMPLES.get(name.strip().casefold().removesuffix(".yaml"))
    package = Path(desktop.__file__).parent
    # In an installed program they are in the package, in a clone beside it.
    places = (package / "examples", package.parent / "examples")
    return next((at / file for at in places if file and (at / file).is_file()), None)
