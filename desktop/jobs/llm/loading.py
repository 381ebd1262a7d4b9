"""Loads what the first call to a model needs while something else is waited for.

The libraries of providers take a second or two; a coding job has a repository to clone meanwhile.
"""

from __future__ import annotations

import contextlib
import importlib
import threading

from desktop.core.llm.types import Format

_ALWAYS = ("pydantic_ai.direct", "desktop.jobs.llm.replies")
_MODULES = {
    Format.OPENAI: (
        "pydantic_ai.providers.openai_compatible",
        "desktop.jobs.llm.openai_client",
        "desktop.jobs.llm.openai_model",
    ),
    Format.ANTHROPIC: ("pydantic_ai.models.anthropic", "pydantic_ai.providers.anthropic"),
    Format.GOOGLE: ("pydantic_ai.models.google", "pydantic_ai.providers.google"),
}


_lock = threading.Lock()


def load(format_: Format) -> None:
    """Import what calls of a format need; wait if another thread does.

    Python lets two threads import at once, and shows one of them modules that are half there.
    """
    with _lock:
        for name in (*_ALWAYS, *_MODULES[format_]):
            importlib.import_module(name)


def begin_to_load(format_: Format) -> None:
    """Do the same in a thread; what cannot be loaded is told by the first call."""
    threading.Thread(target=_load, args=(format_,), daemon=True).start()


def _load(format_: Format) -> None:
    with contextlib.suppress(Exception):
        load(format_)
