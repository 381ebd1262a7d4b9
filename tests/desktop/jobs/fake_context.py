"""A Context whose answers are scripted and which remembers what it was told.

Files are found by the same rules as in the worker (`desktop.runner.folders`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from desktop.core.sending import sending_refused
from desktop.runner.folders import AllowedFolders
from shared.ids import JobId
from shared.jobs import Origin
from shared.questions import Asking, match

JOB = JobId("01900000-0000-7000-8000-00000000cccc")
MEMORY_BYTES_MAX = 2 << 30


@dataclass(frozen=True)
class Progress:
    stage: str
    done: float
    total: float
    eta_seconds: float | None


@dataclass
class FakeContext:
    """An attempt that runs inside of a test, with one allowed folder."""

    folder: Path
    """The one allowed folder; the job's own folders must lie elsewhere."""
    home: Path
    """Where `workdir` and `models_folder` are made."""
    replies: Mapping[str, str] = field(default_factory=dict)
    """What the person types, by the key of the question; an unanswered question fails the test."""
    memory_bytes_max: int = MEMORY_BYTES_MAX
    threads_max: int = 1
    profile: Path | None = None
    session: Mapping[str, str] = field(default_factory=dict)
    asked: list[Asking] = field(default_factory=list)
    told: list[Progress] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    origin: Origin = Origin.CHAT
    may_send: bool = True
    is_planned: bool = False
    sent: list[tuple[Path, str]] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    job_id: JobId = JOB

    def __post_init__(self) -> None:
        self._allowed = AllowedFolders((self.folder,), guarded=(self.home,))
        self.folders = self._allowed.folders
        self.workdir = self.home / "workdir"
        self.workspace = self.workdir
        self.models_folder = self.home / "models"
        self.data_folder = self.models_folder.parent
        for made in (self.workdir, self.models_folder):
            made.mkdir(parents=True, exist_ok=True)

    @property
    def stages(self) -> list[str]:
        """The stages that were told, each once, in their order."""
        return list(dict.fromkeys(progress.stage for progress in self.told))

    def progress(
        self, stage: str, done: float, total: float, *, eta_seconds: float | None = None
    ) -> None:
        assert 0 <= done <= total, f"{stage}: {done} of {total}"
        self.told.append(Progress(stage, done, total, eta_seconds))

    def log(self, line: str) -> None:
        assert "\n" not in line
        self.lines.append(line)

    def ask(self, asking: Asking) -> str:
        self.asked.append(asking)
        assert asking.key in self.replies, f"nobody answers '{asking.key}': {asking.text}"
        value = match(asking, self.replies[asking.key])
        assert value is not None, f"'{self.replies[asking.key]}' answers nothing: {asking}"
        return value

    def find_file(self, name: str) -> Path:
        return self._allowed.find(name)

    def place_file(self, name: str) -> Path:
        return self._allowed.place(name)

    def check_sending(self) -> None:
        if not self.may_send:
            raise sending_refused(Origin.GROUP)

    def send(self, path: Path, *, name: str = "") -> None:
        self.check_sending()
        self.sent.append((path, name or path.name))

    def wrote(self, path: Path) -> None:
        self.written.append(path)

    def recent_files(self, suffixes: tuple[str, ...], *, count_max: int) -> list[Path]:
        return self._allowed.recent(suffixes, count_max=count_max)


def context_of(tmp_path: Path, replies: Mapping[str, str] | None = None) -> FakeContext:
    """Make a context whose allowed folder is tmp_path/"files", which is made as well."""
    folder = tmp_path / "files"
    folder.mkdir(exist_ok=True)
    return FakeContext(folder, tmp_path / "job", replies or {})
