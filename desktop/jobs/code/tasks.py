"""Tasks side by side whose failure is one error, as if there had been one of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from desktop.jobs.context import Postponed
from shared.errors import AppError


@contextlib.contextmanager
def plainly() -> Iterator[None]:
    """Raise the one error of several tasks that says most."""
    try:
        yield
    except BaseExceptionGroup as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = (error.subgroup((Postponed, AppError)) or error).exceptions[0]
        raise error from None
