"""Files that wait for their person: one by its name or the first digits of its hash."""

from __future__ import annotations

from pathlib import Path as FilePlace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse

from hub.core.stored_file import StoredFile
from hub.frontends.api.parts import Hub, Reads
from hub.frontends.harmless import HARMLESS

router = APIRouter(tags=["files"])
FilePath = Annotated[str, Path(min_length=1, max_length=255)]


@router.get("/files/{name}", response_class=FileResponse)
async def get_file(name: FilePath, caller: Reads, hub: Hub) -> FileResponse:
    """A file somebody asked for; the hub keeps it until it was sent, at most a day.

    `name` is its name, its SHA-256, or at least six first digits of that.
    """
    return file_response(*await hub.files.find(caller.person.person_id, name))


def file_response(file: StoredFile, path: FilePlace) -> FileResponse:
    disposition = f"attachment; filename*=UTF-8''{quote(file.ref.name, safe='')}"
    headers = {**HARMLESS, "Content-Disposition": disposition}
    return FileResponse(path, media_type=file.ref.media_type, headers=headers)
