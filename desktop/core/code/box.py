"""What a sandboxed process may: the clone, its own home, the gateway's socket, and limits.

Pure: what stands on the machine comes in as a `Ground`. How a Box is told to bubblewrap, Landlock,
macOS or a container engine stands beside it (`bubblewrap.py`, `landlock.py`, …); who runs them is
`desktop/jobs/code/sandbox/`.

Every path is the same inside and outside, so that an agent's words about files need no translation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

GATEWAY_PORT = 4141
"""The gateway's port on 127.0.0.1, in a box with a network of its own."""
SCRATCH = ".tmp"
"""In a box's home: where TMPDIR points when /tmp is not the box's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxLimits:
    """What ends a process, or makes its wish fail; wall clock and output are the caller's."""

    memory_bytes_max: int = 4 * 1024**3
    """Of all processes together, as a watcher sees it."""
    processes_max: int = 1024
    """Threads count, too."""
    file_bytes_max: int = 2 * 1024**3
    """Of one file."""
    disk_bytes_max: int = 10 * 1024**3
    """Of all that the box wrote into its folders, as a watcher sees it."""
    scratch_bytes_max: int = 1024**3
    """Of /tmp, which is memory."""
    open_files_max: int = 8192
    cpu_seconds_max: int = 2 * 3600
    """Of one process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One job's box. Folders are absolute, resolved, and there."""

    workdir: Path
    """The clone: writable, and where the process starts."""
    home: Path
    """The session's own home: writable, $HOME. Nothing of the person's real home is in it."""
    read_only: tuple[Path, ...] = ()
    """Shown as they are besides the system: the mirror (a shared clone needs it), the agent."""
    writable: tuple[Path, ...] = ()
    gateway: Path | None = None
    """The gateway's unix socket; the box has no other way out, and none at all without it."""
    port: int = GATEWAY_PORT
    """Where the gateway is found inside, on 127.0.0.1; ask `Sandbox.port()` before you set it."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables for the process, beside HOME, PATH, TMPDIR and the language; no key in them."""
    limits: BoxLimits = BoxLimits()

    @property
    def writable_all(self) -> tuple[Path, ...]:
        return (self.workdir, self.home, *self.writable)

    @property
    def scratch(self) -> Path:
        return self.home / SCRATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a boxed process is started, by whoever starts it, in a session of its own."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    """The whole environment: nothing of the starter's is to be added."""
    cwd: Path
    pass_fds: tuple[int, ...] = ()
    """Descriptors that the start hands on."""
    limits: BoxLimits = BoxLimits()
    """For a watcher: what all processes together may use."""
