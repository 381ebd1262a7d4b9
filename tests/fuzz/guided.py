"""Frames guided by what the decoder and the ends have not run yet, where atheris is installed.

    python -m tests.fuzz.guided -atheris_runs=1000000

What it finds is a crash file of libFuzzer's; `python -m tests.fuzz.guided <file>` plays it again.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def one_input(data: bytes) -> None:
    """Read the bytes as a frame, and let them seed one that is almost right."""
    from tests.fuzz.readers import POOL, read_by_both
    from tests.fuzz.saying import Voice
    from tests.fuzz.targets import Round

    played = Round("guided", int.from_bytes(data[:4], "big"))
    read_by_both(played, data.decode("utf-8", "replace"))
    voice = Voice(played, POOL)
    read_by_both(played, voice.bent(voice.maker.event()))


def main() -> None:
    try:
        atheris: Any = import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed: pip install atheris")
    with atheris.instrument_imports(include=["shared"]):
        import_module("tests.fuzz.readers")
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
