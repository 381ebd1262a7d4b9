"""What an executor gets from the worker, and all it may use to talk to people."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from shared.questions import Asking


class Context(Protocol):
    """One attempt's door to the world. Every method may be called from the main thread only."""

    workdir: Path
    """Empty folder of this job, kept between its attempts, deleted after it ended well."""

    @property
    def workspace(self) -> Path:
        """Folder of the job's session, for what helps the jobs that follow in it.

        It is there as long as the session lives and jobs of it run, at the same time, too; nothing
        in it may be needed: the next job may find it empty. The job's own folder without a session.
        """

    models_folder: Path
    """Where this machine keeps its trained models."""
    folders: tuple[Path, ...]
    """Folders the machine's owner allows, resolved; files elsewhere are refused."""
    profile: Path | None
    """The folder of a profile apart; None for the person's own."""
    session: Mapping[str, str]
    """Variables of the person's session, for kinds of the machine itself; empty for others."""
    memory_bytes_max: int
    """The watchdog ends the child above this; plan to stay below."""
    threads_max: int
    """How many threads numeric libraries may use; OMP_* are set before the child's imports."""

    def progress(
        self,
        stage: str,
        done: float,
        total: float,
        *,
        eta_seconds: float | None = None,
    ) -> None:
        """Tell how far a stage is. Cheap; the worker coalesces to one a second."""

    def log(self, line: str) -> None:
        """Write one line to the job's log, for people."""

    def ask(self, asking: Asking) -> str:
        """Ask a person and wait for the answer's value.

        An answer given to an earlier attempt of this job under the same key returns at once.
        Waiting is no running time. If the question runs out without a default, the child is
        ended here and the job is parked; it starts again when somebody answers.
        """

    def find_file(self, name: str) -> Path:
        """Find an allowed file by path or by name; symlinks and ".." are resolved first.

        Raises:
            NotAllowed: `file_outside_folders`.
            NotFound: `file_missing`, with near misses in the hint.
            BadInput: `file_ambiguous`.
        """

    def check_sending(self) -> None:
        """See, before anything is asked or read, that files may leave for whoever wants them.

        Raises:
            NotAllowed: `sending_refused`.
        """

    def send(self, path: Path, *, name: str = "") -> None:
        """Hand a file over: it leaves once the job has ended well, if the worker lets it.

        Args:
            path: in an allowed folder, or made in `workdir`; read when the job has ended.
            name: what the person sees; the file's own name when empty.

        Raises:
            NotAllowed: `sending_refused`.
        """

    def wrote(self, path: Path) -> None:
        """Tell which file is this job's product, so that "#" and its id name it later."""

    def recent_files(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        """List allowed files with these suffixes (".csv"), the newest first."""
