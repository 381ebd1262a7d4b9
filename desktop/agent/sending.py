"""Files that leave with results: copied if they may, then brought to the hub in the background."""

from __future__ import annotations

import asyncio

from desktop.agent.admission import Admission
from desktop.agent.setup import Setup
from desktop.agent.workshop import folders_of
from desktop.core import sending
from desktop.core.attempt import Attempt
from desktop.core.sending import Wish
from desktop.link.uploads import Uploads
from desktop.store.outgoing import Parcel
from desktop.system.outgoing_folder import OutgoingFolder
from desktop.system.way import Way
from shared.database import Database


class Sending:
    """One for each worker."""

    def __init__(self, setup: Setup, database: Database, admission: Admission, way: Way) -> None:
        self._jobs_folder = setup.paths.jobs
        self._admission = admission
        self._folder = OutgoingFolder(setup.paths.outgoing)
        hub_url = setup.pairing.hub_url
        self.uploads = Uploads(hub_url, setup.token, database, self._folder, setup.environment, way)

    async def packed(self, attempt: Attempt, wishes: tuple[Wish, ...]) -> tuple[Parcel, ...]:
        """Copy what may leave; the child that names it is gone by now and cannot move it away.

        Raises:
            NotAllowed: `sending_refused`.
            AppError: as `OutgoingFolder.take`.
        """
        policy = self._admission.policy
        refused = sending.refusal(attempt.spec.origin, policy)
        if refused is not None:
            raise refused
        workdir = (self._jobs_folder / attempt.spec.job_id).resolve()
        return await asyncio.to_thread(self._folder.take, wishes, (*folders_of(policy), workdir))
