"""Imports without what they need not cost.

structlog takes rich and twisted along wherever they are installed: 120 modules and 10 MiB in every
process, to show tracebacks in a way that `shared.logs` never asks for. And Python's collector walks
whatever is imported again and again, and finds nothing there.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
from collections.abc import Iterator

UNUSED = ("better_exceptions", "greenlet", "rich", "twisted")


def import_structlog() -> None:
    """Import it as where nothing else is installed; before anything of ours that logs."""
    if "structlog" in sys.modules:
        return
    hidden = [name for name in UNUSED if name not in sys.modules]
    # None is the import system's own word for "is not there" (`sys.modules` in Python's docs).
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        importlib.import_module("structlog")
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Import inside the block without the collector, which never looks at any of it later either.

    For the start of a program that stays: what is in memory by then is kept to its end.
    """
    is_automatic = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if is_automatic:
            gc.enable()
