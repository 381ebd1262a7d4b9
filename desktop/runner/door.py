"""What a job may do with its machine, whichever child it is run in: say, find, hand over."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

from desktop.core.sending import sending_refused
from desktop.runner.folders import AllowedFolders
from desktop.runner.lines import FromChild, Handed, Logged, Order, Progressed, Wrote
from desktop.runner.mouth import sayable
from desktop.system.paths import find_paths
from shared.errors import NotFound
from shared.events import LINE_CHARS_MAX
from shared.kinds import file_name_of

FILE_OF_JOB = re.compile(r"#[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Door:
    """The part of a context that is the same for all jobs."""

    def __init__(self, order: Order, speak: Callable[[FromChild], None]) -> None:
        self._workspace = Path(order.workspace)
        self.data_folder = Path(order.data_folder)
        self.job_id = order.spec.job_id
        paths = find_paths(Path(order.profile) if order.profile else None)
        self._allowed = AllowedFolders(
            tuple(Path(folder) for folder in order.folders),
            guarded=(self.data_folder, paths.data, paths.config),
        )
        self.folders = self._allowed.folders
        self._known_files = order.known_files
        self.origin = order.spec.origin
        self._may_send = order.may_send
        self._is_planned = order.is_planned
        self._given = dict(order.spec.answers)
        self._speak = speak

    @property
    def workspace(self) -> Path:
        # Made by whoever wants it first: most jobs leave nothing for others.
        self._workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._workspace

    @property
    def is_planned(self) -> bool:
        return self._is_planned

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        eta = None if eta_seconds is None or math.isnan(eta_seconds) else _finite(eta_seconds)
        self._speak(
            Progressed(
                stage=sayable(stage)[:200],
                done=_finite(done),
                total=_finite(total),
                eta_seconds=eta,
            )
        )

    def log(self, line: str) -> None:
        for part in sayable(line).splitlines() or [""]:
            self._speak(Logged(line=part[:LINE_CHARS_MAX]))

    def find_file(self, name: str) -> Path:
        if FILE_OF_JOB.fullmatch(name):
            known = self._known_files.get(name)
            if known is None:
                raise NotFound(
                    "output_unknown",
                    "This machine does not remember a file that this job wrote.",
                    "Name the file instead, as in /send sales.predictions.csv.",
                )
            name = known
        return self._allowed.find(name)

    def place_file(self, name: str) -> Path:
        return self._allowed.place(name)

    def check_sending(self) -> None:
        if not self._may_send:
            raise sending_refused(self.origin)

    def send(self, path: Path, *, name: str = "") -> None:
        self.check_sending()
        self._speak(Handed(path=str(path.resolve()), name=file_name_of(sayable(name or path.name))))

    def wrote(self, path: Path) -> None:
        self._speak(Wrote(path=sayable(str(path.resolve()))))

    def recent_files(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        return self._allowed.recent(suffixes, count_max=count_max)


def _finite(number: float) -> float:
    """Bring a number a person could read: a loss that went wrong is 0."""
    return max(0.0, number) if math.isfinite(number) else 0.0
