"""Files that jobs wrote: where they are, and those that are on the hub now."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse

from hub.core.job import JobCard
from hub.core.stored_file import FileState, StoredFile
from hub.frontends.api.files import file_response
from hub.frontends.api.parts import Hub, Reads
from shared.api.jobs import ArtifactList, ArtifactShown
from shared.api.parts import ID
from shared.ids import JobId

router = APIRouter(tags=["files"])
SHA256 = r"^[0-9a-f]{64}$"


def _sent(file: StoredFile, card: JobCard) -> ArtifactShown:
    ref = file.ref
    is_here = file.state is FileState.HERE
    return ArtifactShown(
        name=ref.name,
        place="hub" if is_here else "coming" if file.state is FileState.ANNOUNCED else "gone",
        worker_id=card.worker_id,
        sha256=ref.sha256,
        size_bytes=ref.size_bytes,
        media_type=ref.media_type,
        url=f"/api/v1/artifacts/{ref.sha256}" if is_here else None,
    )


def _kept(name: str, card: JobCard) -> ArtifactShown:
    return ArtifactShown(
        name=name,
        place="worker",
        worker_id=card.worker_id,
        sha256=None,
        size_bytes=None,
        media_type=None,
        url=None,
    )


@router.get("/jobs/{job_id}/artifacts")
async def list_job_artifacts(
    job_id: Annotated[str, Path(pattern=ID)], caller: Reads, hub: Hub
) -> ArtifactList:
    """Files that a job wrote: those that stayed on its computer, and those it handed over.

    One that stayed is sent by a job of kind `files.send` with `{"file": "#" + job_id}`.
    """
    card = await hub.views.job(caller.sees, JobId(job_id))
    sent = await hub.files.of_job(card.job_id)
    names = card.result.get("files") if card.result else None
    stayed = [str(name) for name in names] if isinstance(names, list) else []
    handed_over = {file.ref.name for file in sent}
    return ArtifactList(
        artifacts=(
            *(_sent(file, card) for file in sent),
            *(_kept(name, card) for name in stayed if name not in handed_over),
        )
    )


@router.get("/artifacts/{sha256}", response_class=FileResponse)
async def get_artifact(
    sha256: Annotated[str, Path(pattern=SHA256)], caller: Reads, hub: Hub
) -> FileResponse:
    """A file's content, by its SHA-256; the hub keeps it until it was sent, at most a day."""
    return file_response(*await hub.files.find(caller.person.person_id, sha256))
