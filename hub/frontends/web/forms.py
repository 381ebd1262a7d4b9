"""Forms: what a person sent with one, and where they are led afterwards, with a word about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from hub.frontends.web import toast
from hub.frontends.web.foreign import FIELDS_MAX
from hub.frontends.web.toast import Toast, Undo

__all__ = ["Fields", "Undo", "fields_of", "lead"]


async def fields_of(request: Request) -> Mapping[str, str]:
    """Read a form; of a repeated field the last value counts. `Guest` checks whose form it is."""
    form = await request.form(max_files=0, max_fields=FIELDS_MAX)
    return {name: value for name, value in form.items() if isinstance(value, str)}


Fields = Annotated[Mapping[str, str], Depends(fields_of)]


def lead(to: str, says: str = "", undo: Undo | None = None) -> Response:
    """Lead on to a page of this site, where a toast says what was done."""
    response = RedirectResponse(to, status_code=303)
    if says:
        toast.give(response, Toast(says=says, undo=undo))
    return response
