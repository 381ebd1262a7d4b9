"""Where the worker keeps its things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one worker profile."""

    data: Path
    config: Path
    home: Path | None = None
    """The folder of a profile apart; None for the person's own."""
    work: Path | None = None
    """Where a worker beside the profile's own has what goes with it; None for `data`."""

    @property
    def worker_log(self) -> Path:
        """What a worker says that was started without a terminal or a journal."""
        return self.data / "worker.log"

    @property
    def store(self) -> Path:
        return self.data / "worker.sqlite3"

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def jobs(self) -> Path:
        """One working folder per job."""
        return (self.work or self.data) / "jobs"

    @property
    def sessions(self) -> Path:
        """One folder for all jobs of a session, while it lives."""
        return (self.work or self.data) / "sessions"

    @property
    def transcripts(self) -> Path:
        """What was said with language models."""
        return self.data / "transcripts.db"

    @property
    def runs(self) -> Path:
        """One folder of results per probe run."""
        return self.data / "runs"

    @property
    def outgoing(self) -> Path:
        """Copies of files that were asked for, until the hub has them."""
        return (self.work or self.data) / "outgoing"

    @property
    def policy(self) -> Path:
        return self.config / "policy.toml"

    @property
    def lock(self) -> Path:
        return self.data / "worker.lock"

    @property
    def control(self) -> Path:
        """How other programs of the same person reach the one that runs."""
        return self.data / "control.json"

    @property
    def crash_log(self) -> Path:
        """Where the interpreter writes its last words."""
        return self.data / "crash.log"

    @property
    def status(self) -> Path:
        return self.data / "status.json"

    @property
    def token(self) -> Path:
        """Used only where the system has no safe for secrets."""
        return self.data / "token"

    @property
    def device_key(self) -> Path:
        """Used only where the system has no safe for secrets."""
        return self.data / "device.key"

    @property
    def keys(self) -> Path:
        """Keys of providers; used only where the system has no safe for secrets."""
        return self.data / "keys"

    def key_file(self, name: str) -> Path:
        return self.keys / name

    @property
    def log(self) -> Path:
        """What the app says; older parts lie beside it, numbered."""
        return self.data / "logs" / "deskhand.log"

    def make(self) -> None:
        for folder in (self.data, self.config, self.models, self.jobs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def find_paths(home: Path | None) -> Paths:
    """Return the profile in `home`, or the person's own in the system's usual folders."""
    if home is not None:
        home = home.expanduser().resolve()
        return Paths(data=home, config=home, home=home)
    import platformdirs

    return Paths(
        data=Path(platformdirs.user_data_dir("deskhand", appauthor=False)),
        config=Path(platformdirs.user_config_dir("deskhand", appauthor=False)),
    )
